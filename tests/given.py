"""What tests start from: the goldens, networks with random numbers, and calls of the command line as a process."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chainrule import Examples, Model, Network, ParameterVector, Problem, load_problem
from chainrule.engines.state import TrainingState

compiled = pytest.mark.skipif(find_spec("chainrule.engines._native") is None, reason="the engine is not compiled here")

GOLDENS = {path.stem: path for path in sorted((Path(__file__).parent / "goldens").glob("*.toml"))}


def golden(name: str) -> Problem:
    return load_problem(GOLDENS[name])


def expected(name: str) -> dict[str, Any]:
    """The file's [expected], every number as a Decimal with exactly the digits that are printed there."""
    return tomllib.loads(GOLDENS[name].read_text(encoding="utf-8"), parse_float=Decimal)["expected"]


def random_problem(
    seed: int,
    sizes: Sequence[int],
    activation: str | Sequence[str],
    cost: str,
    *,
    n: int = 4,
    l1: float = 0.0,
    l2: float = 0.0,
    weighted: bool = False,
) -> tuple[Model, Examples]:
    """A network with random numbers and n random examples whose targets its cost can take."""
    random = np.random.default_rng(seed)
    network = Network(sizes, activation, cost, l1, l2)
    parameters = ParameterVector(network, random.normal(0, 0.8, network.n_parameters))
    model = Model(parameters)
    weights = random.uniform(0.5, 2, n) if weighted else None
    return model, model.examples(random.normal(size=(n, sizes[0])), targets(random, cost, (n, sizes[-1])), weights)


def targets(random: np.random.Generator, cost: str, shape: tuple[int, int]) -> NDArray[Any]:
    """Numbers that this cost takes as targets."""
    match cost:
        case "cross-entropy":
            return np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
        case "binary-cross-entropy":
            return random.integers(2, size=shape).astype(np.float64)
        case "poisson":
            return random.poisson(3, shape).astype(np.float64)
        case _:
            return random.normal(size=shape)


def bits(state: TrainingState) -> tuple[Any, ...]:
    """Everything that a run has come to, exactly."""
    arrays = (state.parameters.vector, *state.moments, state.order)
    spent = (state.running_cost, state.running_weight, *state.costs)
    return (*(array.tobytes() for array in arrays), state.step, state.epoch, state.cursor, *spent)


ENGINES = ["reference", pytest.param("native", marks=compiled)]
"""Names for CHAINRULE_ENGINE, to parametrise a test that holds for every engine."""


COMMAND = (sys.executable, "-m", "chainrule")
"""The words that start the command line as a process."""


def process(*argv: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [*COMMAND, *argv], capture_output=True, encoding="utf-8", env=os.environ | environment, check=False
    )
