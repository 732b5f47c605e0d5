"""chainrule train."""

import sys
from pathlib import Path
from typing import Any

import click

from chainrule.cli.command import Command
from chainrule.cli.config import config_option
from chainrule.cli.options import (
    PATH,
    data_argument,
    decorated,
    json_option,
    option,
    stopping_options,
    training_options,
)
from chainrule.cli.reading import MODEL_SUFFIX, check_out, training_settings, validation
from chainrule.cli.showing import print_json, say, tell

_WRITTEN = "What is written"

writing_options = decorated(
    option(
        "--out",
        heading=_WRITTEN,
        type=PATH,
        metavar="M",
        help="The model file. Default: DATA's name with .safetensors.",
    ),
    option("--history", heading=_WRITTEN, type=PATH, metavar="FILE", help="Every epoch, as rows of a .csv or .jsonl."),
    option(
        "--plot",
        heading=_WRITTEN,
        type=PATH,
        metavar="PICTURE",
        help="Costs, metrics, learning rate and gradient norms by epoch: a .svg, .png or .pdf (extra plots).",
    ),
)


@click.command(cls=Command)
@data_argument
@training_options()
@stopping_options
@writing_options
@config_option(outputs=True)
@json_option
def train(
    data: str,
    out: Path | None,
    history: Path | None,
    plot: Path | None,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a network on DATA, holding out 20 % for a test figure, and save it as a model file.

    Ctrl-C stops early and keeps what was learned; so does training that diverges.
    """
    from chainrule.data.source import read_table
    from chainrule.model.model_file import model_content
    from chainrule.model.write import write
    from chainrule.render.plot import check_plot
    from chainrule.summary import plan_text, sizes, training_record, training_text
    from chainrule.training.history import check_history_file
    from chainrule.training.loop import interrupts
    from chainrule.training.train import plan

    given = options["validation"]
    table = read_table(data)
    out = out or Path(Path(data).stem + MODEL_SUFFIX)
    for what, path, suffix in (("out", out, MODEL_SUFFIX), ("history", history, None), ("plot", plot, None)):
        if path is not None:
            check_out(what, path, suffix, data, given, config)
    for path, check in ((plot, check_plot), (history, check_history_file)):
        if path is not None:
            check(path)
    options["validation"] = None if given is None else validation(given)
    settings = training_settings(options | {"gradient_norms": plot is not None or history is not None})
    planned = plan(table, settings)
    for line in plan_text(planned):
        tell(line)
    with interrupts():  # Ctrl-C may arrive twice, and the second time while this is written
        with planned.progress_bar() as watch:
            trained = planned.train(watch)
        files = {out: model_content(trained.model)}
        if history is not None:
            files[history] = trained.history.content(history)
        if plot is not None and len(trained.history):
            title = f"{data}: {sizes(trained.model)}, {settings.optimizer.name}"
            files[plot] = trained.history.picture(plot.suffix.lower(), title)
        elif plot is not None:
            tell(f"no epoch was finished: there is nothing to draw in {plot}")
        replaced = {path for path in files if path.exists()}
        write(files)
        for path in files:
            tell(f"{'replaced' if path in replaced else 'saved'} {path}")
    if trained.interrupted:
        tell(f"interrupted after {trained.epochs} of {planned.epochs} epochs; what was learned is kept")
    if trained.divergence is not None:
        tell(f"warning: {trained.divergence}")
    if as_json:
        print_json(training_record(out, trained))
    else:
        say(training_text(data, out, trained))
    if trained.interrupted:
        sys.exit(130)
