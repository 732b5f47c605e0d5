"""chainrule train."""

import sys
from pathlib import Path

import click

from chainrule.checks import shown
from chainrule.cli.command import Command
from chainrule.cli.options import INTEGER, NAME_OR_PATH, NUMBER, PATH, json_option
from chainrule.cli.reading import MODEL_SUFFIX, names, whole_numbers
from chainrule.cli.showing import print_json, progress, say, tell
from chainrule.errors import InputError


@click.command(cls=Command)
@click.argument(
    "data",
    type=NAME_OR_PATH,
    help="digits (bundled); a CSV or Parquet file or folder; an .npz with X and y; or iris, wine, "
    "breast-cancer, diabetes where scikit-learn is installed.",
)
@click.option("--out", type=PATH, metavar="M", help="The model file to write. Default: DATA's name with .safetensors.")
@click.option(
    "--target", multiple=True, metavar="COLUMN", help="The column to predict; repeat it to predict several numbers."
)
@click.option("--hidden", default="64,32", help="Sizes of the hidden layers, or none.")
@click.option(
    "--activation",
    default="relu",
    help="identity, sigmoid, tanh, relu, leaky-relu, elu, softplus, silu, gelu or exp: one for all hidden "
    "layers, or one for each, or one more for the output layer.",
)
@click.option(
    "--cost",
    help="squared-error, half-squared-error, mean-squared-error, huber, cross-entropy, binary-cross-entropy or "
    "poisson. Default: cross-entropy for classes, binary for two, squared-error for numbers.",
)
@click.option("--optimizer", default="adam", help="sgd, momentum, nesterov or adam.")
@click.option("--lr", type=NUMBER, help="Learning rate. Default: 0.001 for adam, 0.01 with momentum, 0.1 for sgd.")
@click.option("--batch-size", type=INTEGER, default=32, help="Examples in a step.")
@click.option(
    "--epochs",
    type=INTEGER,
    help="Passes over the training examples. Default: 60, and on small data as many as make 1,500 steps.",
)
@click.option("--l1", type=NUMBER, default=0.0, help="Penalty l1·Σ|w|.")
@click.option("--l2", type=NUMBER, default=1e-3, help="Penalty l2·Σw².")
@click.option("--seed", type=INTEGER, default=0, help="Fixes the split, the first weights and the order.")
@click.option("--task", default="auto", help="Whether the target is classes or numbers; auto decides by its values.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="A column to leave out; repeat it for several.")
@click.option("--scale/--no-scale", default=True, help="Standardise inputs, and targets that are numbers.")
@click.option("--plot", type=PATH, help="Draw the cost by epoch into this .svg, .png or .pdf (extra plots).")
@json_option
def train(
    data: str,
    out: Path | None,
    target: tuple[str, ...],
    hidden: str,
    activation: str,
    cost: str | None,
    optimizer: str,
    lr: float | None,
    batch_size: int,
    epochs: int | None,
    l1: float,
    l2: float,
    seed: int,
    task: str,
    drop: tuple[str, ...],
    scale: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Train a network on DATA, holding out 20 % for a test figure, and save it as a model file.

    Ctrl-C stops early and keeps what was learned.
    """
    from chainrule.data.source import read_table
    from chainrule.engines.optimizer import Optimizer
    from chainrule.model.model_file import model_content
    from chainrule.model.write import check_writable, write
    from chainrule.render.plot import check_plot, cost_curve
    from chainrule.summary import plan_text, sizes, training_record, training_text
    from chainrule.training.train import Settings, plan

    settings = Settings(
        hidden=() if hidden.strip().lower() in ("", "none") else whole_numbers("hidden", hidden, "64,32, or none"),
        activation=names(activation),
        cost=cost,
        optimizer=Optimizer(optimizer, lr),
        batch_size=batch_size,
        epochs=epochs,
        l1=l1,
        l2=l2,
        seed=seed,
        target=target,
        task=task,
        dropped=drop,
        standardise=scale,
    )
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
