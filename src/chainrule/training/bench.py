"""How long a training step takes on this machine: what ``chainrule bench`` does."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import median
from time import perf_counter, sleep
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network
from chainrule.checks import known, number, require, whole_number
from chainrule.engines import engine as engine_called
from chainrule.engines.limits import cache_bytes, least_seconds, memory, products, step_bytes, step_flops
from chainrule.engines.machine import instruction_set, threads
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.state import TrainingState
from chainrule.training.bench_text import text
from chainrule.training.initialization import initial_parameters

DTYPES = ("float32", "float64")
MOST_SECONDS = 3600
MOST_IN_A_BATCH = 2**24

ROUNDS = 7
SLICE_SECONDS = 0.02
"""The least number of rounds, and the least time that is measured at once."""

_SLICE = 0.05
_PAUSE = 0.15
"""Seconds before each round, in which the threads of NumPy's BLAS fall asleep; they look for work for up to 0.12 s."""
_ROWS = 20_000
_DATA_BYTES = 2**26
_RATE = 1e-4
"""A learning rate with which made-up data does not diverge; the time of a step does not depend on it."""

Watcher = Callable[[int, int], None]


@dataclass(frozen=True)
class Times:
    """Seconds that one call took, one figure a round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """That of the rounds."""
        return median(self.rounds)

    @property
    def least(self) -> float:
        """The fastest round's."""
        return min(self.rounds)

    @property
    def most(self) -> float:
        """The slowest round's."""
        return max(self.rounds)

    def record(self) -> dict[str, float]:
        """For JSON."""
        return {"median": self.median, "least": self.least, "most": self.most}


@dataclass(frozen=True)
class Bench:
    """What was measured.

    ``step`` is one training step, ``gradient`` one call for C and ∇C of a batch, ``reference`` the step of the
    reference engine, None where that is the engine measured. ``examples`` is how many rows the made-up data has.
    ``flops`` and ``bytes`` are what the step needs, ``peaks`` and ``bandwidth`` what the machine did a second,
    ``threads`` how many all of these may use, ``seconds`` how long it took to measure.
    """

    network: Network
    optimizer: str
    batch_size: int
    dtype: str
    examples: int
    engine: str
    instruction_set: str
    threads: int
    step: Times
    gradient: Times
    reference: Times | None
    flops: int
    bytes: int
    peaks: dict[str, float]
    bandwidth: float
    cache: int
    seconds: float

    @property
    def examples_per_second(self) -> float:
        """In training."""
        return self.batch_size / self.step.median

    @property
    def flops_per_second(self) -> float:
        """In training, those of the matrix products."""
        return self.flops / self.step.median

    @property
    def peak(self) -> float:
        """Flops a second of the best matrix product."""
        return max(self.peaks.values())

    @property
    def limit(self) -> float:
        """The seconds that a step takes at least: max(flops/peak, bytes/bandwidth)."""
        return least_seconds(self.flops, self.bytes, self.peak, self.bandwidth)

    @property
    def share_of_limit(self) -> float:
        """How close the step comes to that: 1 is as fast as the machine can be."""
        return self.limit / self.step.median

    @property
    def times_reference(self) -> float | None:
        """How many times as fast as the reference engine, the median of the rounds' ratios."""
        if self.reference is None:
            return None
        return median(slow / fast for slow, fast in zip(self.reference.rounds, self.step.rounds, strict=True))

    @property
    def notes(self) -> list[str]:
        """What makes the figures less than sure."""
        kernel = os.environ.get("OPENBLAS_CORETYPE")
        notes = [f"OPENBLAS_CORETYPE is {kernel}: NumPy's BLAS was measured with that kernel"] if kernel else []
        if self.step.most > 1.5 * self.step.least:
            notes.append("the rounds differ much: something else used the processor. Measure again")
        if self.share_of_limit > 1:
            notes.append("a share above 100 % says that the limit was measured too low. Measure again")
        return notes

    def text(self) -> str:
        """As tables for a terminal of 80 columns."""
        return text(self)

    def json(self) -> dict[str, Any]:
        """As one record; times in seconds."""
        return {
            "shape": list(self.network.sizes),
            "activation": list(self.network.activation),
            "cost": self.network.cost,
            "optimizer": self.optimizer,
            "batch_size": self.batch_size,
            "dtype": self.dtype,
            "examples": self.examples,
            "engine": self.engine,
            "instruction_set": self.instruction_set,
            "threads": self.threads,
            "rounds": len(self.step.rounds),
            "seconds_per_step": self.step.median,
            "step": self.step.record(),
            "gradient": self.gradient.record(),
            "reference": None if self.reference is None else self.reference.record(),
            "times_reference": self.times_reference,
            "examples_per_second": self.examples_per_second,
            "flops_per_second": self.flops_per_second,
            "flops": self.flops,
            "bytes": self.bytes,
            "limit_seconds": self.limit,
            "share_of_limit": self.share_of_limit,
            "limits": {
                "flops_per_second": self.peaks,
                "bytes_per_second": self.bandwidth,
                "cache_bytes": self.cache,
            },
            "notes": self.notes,
            "seconds": self.seconds,
        }


def bench(
    network: Network,
    optimizer: Optimizer | None = None,
    batch_size: int = 32,
    dtype: str = "float32",
    seconds: float = 2.0,
    engine: str | None = None,
    watch: Watcher | None = None,
) -> Bench:
    """Measure the training step of a network on made-up data, and what this machine could do at most.

    It takes about so many seconds, more where a step is long. ``engine`` names one other than that in use. ``watch`` is
    called after each round with how many are done and how many there will be. Raises InputError. ::

        print(chainrule.bench(chainrule.Network((64, 32, 10), ("relu", "softmax"), "cross-entropy")).text())
    """
    require(isinstance(network, Network), "network", network, "a Network")
    optimizer = Optimizer() if optimizer is None else optimizer
    require(isinstance(optimizer, Optimizer), "optimizer", optimizer, "an Optimizer")
    most = f"a whole number from 1 to {MOST_IN_A_BATCH:,}"
    whole_number("batch size", batch_size, most, lambda n: 1 <= n <= MOST_IN_A_BATCH)
    known("dtype", dtype, DTYPES)
    whole = f"a number above 0 and at most {MOST_SECONDS}"
    number("seconds", seconds, whole, lambda x: 0 < x <= MOST_SECONDS)
    used = engine_called(engine)
    n_threads = threads(used)

    began = perf_counter()
    state = made_up(network, replace(optimizer, lr=min(optimizer.rate, _RATE)), batch_size, dtype)
    turns = {"step": steps(state, used), "gradient": _gradients(state, used)}
    if used.NAME != "reference":
        turns["reference"] = steps(state, engine_called("reference"))
    share = seconds / (len(turns) + 3)
    rounds = max(ROUNDS, round(share / _SLICE))
    slice_ = max(SLICE_SECONDS, min(_SLICE, share / rounds))
    with np.errstate(all="ignore"):
        for turn in turns.values():
            turn.take(slice_)
            turn.times.clear()  # that was to warm up, and to see how many calls fill a slice
        peaks = products(dtype, used, share / 2)
        bandwidths = memory(n_threads, share / 2)
        fastest = max(bandwidths, key=lambda limit: limit.rate)
        for done in range(rounds):
            sleep(_PAUSE)
            for turn in turns.values():
                turn.take(slice_)
            for limit in (fastest, *reversed(peaks)):
                limit.measure(slice_)
            if watch is not None:
                watch(done + 1, rounds)

    sizes, rows = network.sizes, len(state.X)
    cache, itemsize = cache_bytes(), np.dtype(dtype).itemsize
    times = {name: Times(tuple(turn.times)) for name, turn in turns.items()}
    return Bench(
        network=network,
        optimizer=optimizer.name,
        batch_size=batch_size,
        dtype=dtype,
        examples=rows,
        engine=used.NAME,
        instruction_set=instruction_set(used),
        threads=n_threads,
        step=times["step"],
        gradient=times["gradient"],
        reference=times.get("reference"),
        flops=step_flops(sizes, batch_size),
        bytes=step_bytes(sizes, batch_size, rows, optimizer.n_moments, itemsize, cache),
        peaks={limit.name: limit.rate for limit in peaks},
        bandwidth=fastest.rate,
        cache=cache,
        seconds=perf_counter() - began,
    )


def made_up(network: Network, optimizer: Optimizer, batch_size: int, dtype: str) -> TrainingState:
    """A run on random examples with targets that the cost takes: some 20,000, fewer where wide, in whole batches."""
    n_0, n_L = network.sizes[0], network.sizes[-1]
    most = min(_ROWS, _DATA_BYTES // ((n_0 + n_L) * np.dtype(dtype).itemsize))
    rows = max(1, most // batch_size) * batch_size
    random = np.random.default_rng(0)
    parameters = initial_parameters(network, 0, np.dtype(dtype))
    X = random.standard_normal((rows, n_0), np.float32).astype(dtype, copy=False)
    Y = _targets(random, network.cost, (rows, n_L)).astype(dtype, copy=False)
    return TrainingState(parameters, optimizer, X, Y, batch_size, seed=0)


def _targets(random: np.random.Generator, cost: str, shape: tuple[int, int]) -> Array:
    if cost == "cross-entropy":
        Y = np.zeros(shape, np.float32)
        Y[np.arange(shape[0]), random.integers(shape[1], size=shape[0])] = 1
        return Y
    if cost == "binary-cross-entropy":
        return random.integers(2, size=shape).astype(np.float32)
    if cost == "poisson":
        return random.poisson(3, shape).astype(np.float32)
    return random.standard_normal(shape, np.float32)


@dataclass
class Turn:
    """Something that takes turns with others: ``run(n)`` makes n calls, from where ``start`` puts it."""

    start: Callable[[], None]
    run: Callable[[int], None]
    calls: int = 1
    times: list[float] = field(default_factory=list[float])

    def take(self, slice_seconds: float) -> None:
        """Measure calls that take at least that long, after one that is not measured where calls are short."""
        self.start()
        if self.calls > 1:
            self.run(1)
        while True:
            begin = perf_counter()
            self.run(self.calls)
            elapsed = max(perf_counter() - begin, 1e-9)
            if elapsed >= slice_seconds:
                break
            self.calls = max(2 * self.calls, round(self.calls * slice_seconds / elapsed))
        self.times.append(elapsed / self.calls)


def steps(state: TrainingState, engine: ModuleType) -> Turn:
    """One call is one step of the engine, from the same parameters each time."""
    first = state.parameters.vector.copy()

    def start() -> None:
        """From the same parameters each time: what is learned could make a step faster or slower."""
        state.parameters.vector[:] = first
        for moment in state.moments:
            moment[:] = 0
        state.step = 0
        state.costs.clear()

    return Turn(start, lambda n: engine.run(state, n))


def _gradients(state: TrainingState, engine: ModuleType) -> Turn:
    parameters = state.parameters.copy()
    X, Y = state.X[: state.batch_size], state.Y[: state.batch_size]

    def run(n: int) -> None:
        for _ in range(n):
            engine.gradient(parameters, X, Y)

    return Turn(lambda: None, run)
