"""chainrule explain."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chainrule.checks import known
from chainrule.cli.command import Command
from chainrule.cli.options import (
    INTEGER,
    PATH,
    data_option,
    example_option,
    file_argument,
    json_option,
    of_option,
    target_argument,
)
from chainrule.cli.reading import check_out, read
from chainrule.cli.showing import print_document, print_json, say, tell
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.insight.explanation import Explanation

FORMATS: Mapping[str, "Callable[[Explanation], str]"] = {
    "equations": lambda e: e.equations_text(),
    "latex": lambda e: e.latex(),
    "html": lambda e: e.page(),
    "svg": lambda e: e.svg(),
    "dot": lambda e: e.dot(),
    "mermaid": lambda e: e.mermaid(),
}


@click.command(cls=Command)
@file_argument
@target_argument
@of_option
@data_option
@example_option
@click.option(
    "--depth",
    type=INTEGER,
    metavar="D",
    help="How many layers of sums are opened, from the target towards the cost. Default: 1.",
)
@click.option(
    "--format",
    "form",
    default="text",
    help="text; equations (entry by entry, with matrices and their shapes, as NumPy code); latex; html; svg; "
    "dot (Graphviz); mermaid; json.",
)
@click.option(
    "--proof",
    type=PATH,
    metavar="FILE.py",
    help="Also write a Python program that computes the value again, in two ways, with nothing but Python.",
)
@json_option
def explain(
    file: Path,
    target: str,
    of: str,
    data: str | None,
    example: int | None,
    depth: int | None,
    form: str,
    proof: Path | None,
    as_json: bool,
) -> None:
    """∂C/∂TARGET, factor by factor, with the sum over the next layer; averaged over the examples, or for one.

    Exits with 1 if the independent check gives another value.
    """
    from chainrule.insight.explain import explain as explain_
    from chainrule.insight.explanation_words import AGREES

    form = known("format", form, ("text", *FORMATS, "json"))
    if as_json and form not in ("text", "json"):
        raise InputError(f"--json and --format {form} are two formats; leave one out")
    if proof is not None:
        check_out("proof", proof, ".py", file, data)
    model, examples, aliases = read(file, data)
    explanation = explain_(model, examples, target, example, aliases, of, depth)
    if proof is not None:
        from chainrule.insight.proof import proof as proof_of
        from chainrule.insight.question import question
        from chainrule.model.write import write

        script = proof_of(question(model, examples, target, of, example, aliases), explanation.value)
        write({proof: script.encode()})
        tell(f"saved {proof}; run it: python {proof}")
    if as_json or form == "json":
        print_json(explanation.json())
    elif form != "text":
        print_document(FORMATS[form](explanation))
    else:
        say(explanation.text())
        hints: list[str] = []
        if explanation.examples:
            hints += [f"One example by itself, factor by factor: --example {_first(explanation)}"]
        if explanation.deeper:
            hints += [f"The sums of the next layer: --depth {(1 if depth is None else depth) + 1}"]
        if hints:
            say("\n" + "\n".join(hints))
    if explanation.check is not None and explanation.check.difference > AGREES:
        sys.exit(1)


def _first(explanation: "Explanation") -> int:
    """The example that counts the most."""
    return max(explanation.examples, key=lambda c: abs(c.contribution)).example
