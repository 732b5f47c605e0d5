"""chainrule nudge."""

from pathlib import Path

import click

from chainrule.cli.command import Command
from chainrule.cli.options import (
    NUMBER,
    PATH,
    data_option,
    example_option,
    file_argument,
    json_option,
    of_option,
    target_argument,
)
from chainrule.cli.reading import read
from chainrule.cli.showing import print_json, say, tell


@click.command(cls=Command)
@file_argument
@target_argument
@click.option("--by", type=NUMBER, required=True, metavar="H", help="By how much the target is moved.")
@of_option
@data_option
@example_option
@click.option(
    "--plot", type=PATH, help="Draw C along the target with its tangent into this .svg, .png or .pdf (extra plots)."
)
@json_option
def nudge(
    file: Path,
    target: str,
    by: float,
    of: str,
    data: str | None,
    example: int | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Move TARGET by H: the change that the derivative predicts against what happens, at each step to the cost."""
    from chainrule.insight.nudge import nudge as nudge_
    from chainrule.model.write import check_writable, write
    from chainrule.render.plot import check_plot

    if plot is not None:
        check_plot(plot)
        check_writable(plot)
    model, examples, aliases = read(file, data)
    moved = nudge_(model, examples, target, by, example, aliases, of)
    if plot is not None:
        write({plot: moved.picture(plot.suffix.lower())})
        tell(f"saved {plot}")
    if as_json:
        print_json(moved.json())
    else:
        say(moved.text())
