"""chainrule find-lr."""

import sys
from pathlib import Path
from typing import Any

import click

from chainrule.cli.command import Command
from chainrule.cli.config import config_option
from chainrule.cli.options import INTEGER, NUMBER, PATH, data_argument, json_option, option, training_options
from chainrule.cli.reading import check_out, training_settings
from chainrule.cli.showing import print_json, rounds, say, tell

_TEST = "The test"


@click.command(cls=Command)
@data_argument
@training_options(without=("--lr", "--epochs", "--schedule", "--warm-up"))
@option("--least", heading=_TEST, type=NUMBER, default=1e-6, help="The rate of the first step.")
@option("--most", heading=_TEST, type=NUMBER, default=10.0, help="The rate of the last step.")
@option("--steps", heading=_TEST, type=INTEGER, default=400, help="How many steps there are from one to the other.")
@click.option("--plot", type=PATH, metavar="PICTURE", help="Cost by rate, as a .svg, .png or .pdf (extra plots).")
@config_option()
@json_option
def find_lr(
    data: str,
    least: float,
    most: float,
    steps: int,
    plot: Path | None,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Find a learning rate for DATA: train once with a rate that grows from step to step until the cost explodes.

    What train does with the same options is tried; nothing is kept.
    """
    from chainrule.data.source import read_table
    from chainrule.model.write import write
    from chainrule.render.plot import check_plot
    from chainrule.training.find_lr import find_lr as find_lr_

    settings = training_settings(options)
    if plot is not None:
        check_out("plot", plot, None, data, config)
        check_plot(plot)
    table = read_table(data)
    with rounds("trying rates", after=1.0) as watch:
        found = find_lr_(table, settings, least=least, most=most, steps=steps, watch=watch)
    if plot is not None:
        replaced = plot.exists()
        write({plot: found.picture(plot.suffix.lower(), f"{data}: cost by learning rate")})
        tell(f"{'replaced' if replaced else 'saved'} {plot}")
    if as_json:
        print_json(found.json())
    else:
        say(found.text())
    if found.interrupted:
        sys.exit(130)
