"""chainrule gradient."""

from pathlib import Path

import click

from chainrule.cli.command import Command
from chainrule.cli.options import data_option, example_option, file_argument, json_option
from chainrule.cli.reading import read
from chainrule.cli.showing import print_json, say


@click.command(cls=Command)
@file_argument
@data_option
@example_option
@json_option
def gradient(file: Path, data: str | None, example: int | None, as_json: bool) -> None:
    """The cost C and the whole gradient ∇C, in the article's order: w1, b1, …, wL, bL."""
    from chainrule.insight.gradient import gradient as gradient_of
    from chainrule.insight.gradient import kinks
    from chainrule.insight.gradient_text import text

    model, examples, _ = read(file, data)
    C, nabla_C = gradient_of(model, examples, example)
    of = "C" if example is None else f"C[{example}]"
    if as_json:
        arrays = {name: array.tolist() for name, array in nabla_C}
        print_json({"of": of, "cost": C, "gradient": arrays, "notes": kinks(model, examples, example)})
    else:
        say("\n".join([text(of, C, nabla_C, len(examples)), *(f"note: {n}" for n in kinks(model, examples, example))]))
