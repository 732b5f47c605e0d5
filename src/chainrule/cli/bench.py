"""chainrule bench."""

import os

import click

from chainrule.checks import whole_number
from chainrule.cli.command import Command
from chainrule.cli.options import INTEGER, NUMBER, json_option
from chainrule.cli.reading import names, whole_numbers
from chainrule.cli.showing import print_json, rounds, say


@click.command(cls=Command)
@click.argument("sizes", default="64,64,32,10", help="Neurons of each layer, the inputs first. Default: 64,64,32,10.")
@click.option(
    "--activation", default="relu", help="One for all hidden layers, or one for each, or one more for the output layer."
)
@click.option("--cost", help="Default: cross-entropy; squared-error where there is one output.")
@click.option("--optimizer", default="adam", help="sgd, momentum, nesterov or adam.")
@click.option("--batch-size", type=INTEGER, default=32, help="Examples in a step.")
@click.option("--dtype", default="float32", help="float32, as train has it, or float64.")
@click.option("--engine", metavar="NAME", help="native or reference. Default: the one in use.")
@click.option(
    "--threads", type=INTEGER, metavar="N", help="For the engine and for NumPy. Default: one for each processor."
)
@click.option("--seconds", type=NUMBER, default=2.0, help="About how long to measure; longer where a step is.")
@json_option
def bench(
    sizes: str,
    activation: str,
    cost: str | None,
    optimizer: str,
    batch_size: int,
    dtype: str,
    engine: str | None,
    threads: int | None,
    seconds: float,
    as_json: bool,
) -> None:
    """How long one training step of a network takes on this machine, and what share of the machine's limit that is.

    The data is made up. The limit is the best matrix product and memory bandwidth, measured in between.
    """
    shape = whole_numbers("sizes", sizes if "," in sizes else sizes.replace("-", ","), "64,64,32,10")
    if threads is not None:
        _use_threads(threads)

    from chainrule.calculus.network import Network
    from chainrule.engines.optimizer import Optimizer
    from chainrule.training.bench import bench as bench_
    from chainrule.training.train import OUTPUT_OF_COST, layer_activations

    if cost is None:
        cost = "squared-error" if shape[-1] == 1 else "cross-entropy"
    activations = layer_activations(names(activation), max(0, len(shape) - 2), OUTPUT_OF_COST.get(cost, "identity"))
    network = Network(shape, activations, cost)
    with rounds("measuring") as watch:
        measured = bench_(network, Optimizer(optimizer), batch_size, dtype, seconds, engine, watch)
    if as_json:
        print_json(measured.json())
    else:
        say(measured.text())


def _use_threads(n: int) -> None:
    """So many for the engine, and for NumPy's BLAS, which asks when NumPy is imported: not before this."""
    whole_number("threads", n, "a number of threads, from 1 to 1024", lambda n: 1 <= n <= 1024)
    for variable in ("CHAINRULE_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(n)
