"""chainrule report."""

from pathlib import Path

import click

from chainrule.cli.command import Command
from chainrule.cli.options import INTEGER, PATH, data_option, example_option, file_argument, json_option, of_option
from chainrule.cli.reading import check_out, read
from chainrule.cli.showing import print_json, say, tell


@click.command(cls=Command)
@file_argument
@click.argument(
    "targets",
    nargs=-1,
    metavar="[TARGET]...",
    help="Weights, biases, activations, z or inputs. Default: the weight of each layer with the largest derivative.",
)
@click.option("--out", type=PATH, default="report.html", metavar="PAGE.html", help="The page to write.")
@of_option
@data_option
@example_option
@click.option(
    "--depth",
    type=INTEGER,
    default=2,
    metavar="D",
    help="How many layers of sums are opened for each single example.",
)
@json_option
def report(
    file: Path,
    targets: tuple[str, ...],
    out: Path,
    of: str,
    data: str | None,
    example: int | None,
    depth: int,
    as_json: bool,
) -> None:
    """An HTML page on these derivatives: network, factors, equations, flowcharts; it needs no script and no network."""
    from chainrule.insight.html_report import report as report_
    from chainrule.model.write import write

    check_out("out", out, ".html", file, data)
    model, examples, aliases = read(file, data)
    made = report_(model, examples, targets, example, aliases, of, depth, f"The chain rule in {file.name}")
    replaced = out.exists()
    write({out: made.html().encode()})
    tell(f"{'replaced' if replaced else 'saved'} {out}")
    if as_json:
        print_json({"report": str(out), "explanations": [e.json() for e in made.explanations]})
    else:
        say("on " + ", ".join(f"∂{e.of}/∂{e.wrt} = {e.value:.6g}" for e in made.explanations))
