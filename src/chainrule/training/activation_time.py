"""How long an activation takes: σ with σ′, within a training step of the engine in use."""

from collections.abc import Iterable

import numpy as np

from chainrule.calculus.network import Network
from chainrule.engines import engine
from chainrule.engines.optimizer import Optimizer
from chainrule.training.bench import Turn, made_up, steps

SIZES, BATCH = (4, 256, 4), 64
"""A network with few weights for each neuron, so that σ is much of its step; made-up examples."""

ROUNDS, SLICE_SECONDS = 40, 0.002


def nanoseconds(names: Iterable[str]) -> dict[str, float]:
    """For each name, the nanoseconds that σ and σ′ of one z take together.

    The steps of a network with this activation are timed in turns with those of its like with the identity, float32,
    256 hidden neurons, batches of 64; the figure is the difference of the fastest rounds, for each neuron and example.
    It is about 0, and by chance below, for what takes no longer than the identity.
    """
    turns = {name: _turn(name) for name in dict.fromkeys(["identity", *names])}
    with np.errstate(all="ignore"):
        for turn in turns.values():
            turn.take(SLICE_SECONDS)
            turn.times.clear()  # that was to warm up
        for _ in range(ROUNDS):
            for turn in turns.values():
                turn.take(SLICE_SECONDS)
    plain, each = min(turns["identity"].times), 1e9 / (SIZES[1] * BATCH)
    return {name: each * (min(turn.times) - plain) for name, turn in turns.items()}


def _turn(name: str) -> Turn:
    network = Network(SIZES, (name, "identity"), "squared-error")
    return steps(made_up(network, Optimizer("sgd", 1e-4), BATCH, "float32"), engine())
