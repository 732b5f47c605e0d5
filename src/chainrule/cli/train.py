"""chainrule train."""

import sys
from pathlib import Path
from typing import Any

import click

from chainrule.checks import shown
from chainrule.cli.command import Command
from chainrule.cli.options import PATH, data_argument, json_option, training_options
from chainrule.cli.reading import MODEL_SUFFIX, training_settings
from chainrule.cli.showing import print_json, progress, say, tell
from chainrule.errors import InputError


@click.command(cls=Command)
@data_argument
@click.option("--out", type=PATH, metavar="M", help="The model file to write. Default: DATA's name with .safetensors.")
@training_options()
@click.option("--plot", type=PATH, help="Draw the cost by epoch into this .svg, .png or .pdf (extra plots).")
@json_option
def train(data: str, out: Path | None, plot: Path | None, as_json: bool, **options: Any) -> None:
    """Train a network on DATA, holding out 20 % for a test figure, and save it as a model file.

    Ctrl-C stops early and keeps what was learned.
    """
    from chainrule.data.source import read_table
    from chainrule.model.model_file import model_content
    from chainrule.model.write import check_writable, write
    from chainrule.render.plot import check_plot, cost_curve
    from chainrule.summary import plan_text, sizes, training_record, training_text
    from chainrule.training.train import plan

    settings = training_settings(options)
    table = read_table(data)
    out = out or Path(Path(data).stem + MODEL_SUFFIX)
    check_writable(out)
    if out.suffix.lower() != MODEL_SUFFIX:
        raise InputError(f"out: {shown(str(out))} does not end in {MODEL_SUFFIX}, as a model file does")
    if plot is not None:
        check_plot(plot)
        check_writable(plot)
    planned = plan(table, settings)
    for line in plan_text(planned):
        tell(line)
    with progress(planned.epochs, planned.state.steps_per_epoch) as watch:
        trained = planned.train(watch)
    files = {out: model_content(trained.model)}
    replaced = out.exists()
    if plot is not None:
        title = f"{data}: {sizes(trained.model)}, {settings.optimizer.name}"
        files[plot] = cost_curve(trained.model.training["costs"], title, plot.suffix.lower())
    write(files)
    for path in files:
        tell(f"{'replaced' if replaced and path == out else 'saved'} {path}")
    if trained.interrupted:
        tell(f"interrupted after {trained.epochs} of {planned.epochs} epochs; what was learned is kept")
    if as_json:
        print_json(training_record(out, trained))
    else:
        say(training_text(data, out, trained))
    if trained.interrupted:
        sys.exit(130)
