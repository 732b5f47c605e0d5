"""chainrule compare."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chainrule.cli.command import Command
from chainrule.cli.config import config_option
from chainrule.cli.options import NUMBER, PATH, data_argument, json_option, stopping_options, training_options
from chainrule.cli.reading import check_out, dropout, layer_sizes, names, schedule, training_settings, validation
from chainrule.cli.showing import print_json, rounds, say, tell


@click.command(cls=Command)
@data_argument
@training_options(several=True)
@stopping_options
@click.option(
    "--target-score",
    type=NUMBER,
    metavar="SCORE",
    help="The accuracy or R² of examples held out that the runs are timed to. Default: 95 % of the best.",
)
@click.option(
    "--own-start", is_flag=True, help="Start each run with weights drawn for its own activations, not the first's."
)
@click.option("--plot", type=PATH, help="Draw cost, σ′ and gradients into this .svg, .png or .pdf (extra plots).")
@config_option()
@json_option
def compare(
    data: str,
    target_score: float | None,
    own_start: bool,
    plot: Path | None,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train the same network on DATA under different settings, side by side: cost and score by epoch and second, and
    what their layers are like.

    --activation, --cost, --optimizer, --lr, --weight-decay, --batch-size, --schedule, --clip-norm, --dropout, --l1,
    --l2 and --seed take several values with commas between, as in --activation sigmoid,tanh,relu, and tanh:relu is one
    value with a name for each layer; there is a run for each combination. Split, first weights and order are the same
    in all. Ctrl-C stops early and shows what was done.
    """
    from chainrule.data.source import read_table
    from chainrule.engines import SlowEngineWarning, shortfall
    from chainrule.model.write import write
    from chainrule.render.plot import check_plot
    from chainrule.training.compare import VARIED
    from chainrule.training.compare import compare as compare_

    if plot is not None:
        check_out("plot", plot, None, data, options["validation"], config)
        check_plot(plot)
    if options["validation"] is not None:
        options["validation"] = validation(options["validation"])
    vary: dict[str, Any] = {name: options[name] for name in VARIED if isinstance(options.get(name), tuple | list)}
    settings = training_settings(options | {name: values[0] for name, values in vary.items()})
    warm_up = options["warm_up"]
    read: dict[str, Callable[[str], Any]] = {
        "hidden": layer_sizes,
        "activation": lambda text: _alone(names(text) or ("",)),
        "dropout": lambda text: _alone(dropout(text)),
        "schedule": lambda text: schedule(text, warm_up),
    }
    vary |= {name: [read[name](text) for text in vary[name]] for name in read if name in vary}
    table = read_table(data)
    if slow := shortfall():
        tell(slow)
    with rounds("comparing", after=1.0) as watch, warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowEngineWarning)  # it has been told
        compared = compare_(table, settings, target_score=target_score, own_start=own_start, watch=watch, **vary)
    if plot is not None:
        replaced = plot.exists()
        write({plot: compared.picture(plot.suffix.lower())})
        tell(f"{'replaced' if replaced else 'saved'} {plot}")
    if as_json:
        print_json(compared.json())
    else:
        say(compared.text())
    if compared.interrupted:
        sys.exit(130)


def _alone(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values
