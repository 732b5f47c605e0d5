"""The loop: runs the engine in slices short enough that a person can watch and interrupt."""

import signal
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from types import FrameType
from typing import Literal

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.engines import engine
from chainrule.engines.state import TrainingState
from chainrule.training.guard import Divergence, Guard

SLICE_SECONDS = 0.05

_active: list[threading.Event] = []  # the one that Ctrl-C sets now, if there is one

_IMPATIENT = 1.0
"""After so many seconds a second Ctrl-C is one of its own."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands: steps done of all steps, epochs finished, mean cost of this epoch, examples a second.

    ``figures`` are the latest over the validation examples.
    """

    step: int
    steps: int
    epoch: int
    cost: float
    rate: float
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


Watcher = Callable[[Progress], None]

AfterEpoch = Callable[[float], bool]
"""Called after each epoch with the seconds since the run began; where it returns True, the run ends."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: "finished" all its epochs, "stopped" after one, "interrupted" by Ctrl-C, or "diverged", and why,
    with the parameters ``first`` that it had begun with.

    ``clock`` (n, 2) has pairs of steps and the seconds they took; epochs in between are as long as each other.
    """

    how: Literal["finished", "stopped", "interrupted", "diverged"]
    clock: Array
    divergence: Divergence | None = None
    first: Array | None = None

    def seconds(self, steps: Array) -> Array:
        """When so many steps had been made."""
        return np.interp(steps, self.clock[:, 0], self.clock[:, 1])


def train_epochs(
    state: TrainingState, epochs: int, watch: Watcher | None = None, after_epoch: AfterEpoch | None = None
) -> Ended:
    """Run until ``epochs`` epochs are finished in all, or something ends it first.

    After Ctrl-C the state is as the last finished step left it, and a further call goes on from there. ``watch`` is
    called after every slice of about 50 ms. Where cost or parameters are no longer finite, the state is taken back, as
    ``Guard.take_back`` does it.
    """
    steps = state.steps_per_epoch * epochs
    pace, guard, start = Pace(), Guard(state), perf_counter()
    clock = [(float(state.step), 0.0)]
    with interrupts() as interrupted, np.errstate(all="ignore"):
        while state.step < steps:
            if interrupted.is_set():
                return Ended("interrupted", np.array(clock))
            examples, epoch = state.epoch * len(state.X) + state.cursor, state.epoch
            seconds = pace.run(state, steps - state.step if after_epoch is None else state.steps_left_in_epoch)
            if not (guard.good() if state.step < steps else guard.all_finite()):
                return Ended("diverged", np.array(clock), guard.take_back(), guard.first)
            now = perf_counter() - start
            if state.epoch > epoch:
                clock.append((float(state.step), now))
            if watch is not None:
                rate = (state.epoch * len(state.X) + state.cursor - examples) / seconds
                watch(Progress(state.step, steps, state.epoch, state.cost, rate))
            if after_epoch is not None and state.epoch > epoch and after_epoch(now) and state.step < steps:
                return Ended("stopped", np.array(clock))
    return Ended("finished", np.array(clock))


class Pace:
    """Cuts a run into slices of about 50 ms, however long a step takes."""

    def __init__(self) -> None:
        self._steps = 1

    def run(self, state: TrainingState, most: int) -> float:
        """Make the steps of one slice, at least one and at most so many; the seconds that they took."""
        n = min(self._steps, most)
        start = perf_counter()
        engine().run(state, n)
        seconds = max(perf_counter() - start, 1e-9)
        self._steps = max(1, min(2 * self._steps, int(n * SLICE_SECONDS / seconds)))
        return seconds


@contextmanager
def interrupts() -> Generator[threading.Event]:
    """An event that Ctrl-C sets; another one a second later interrupts at once, as one alone may arrive several times.

    Within another such context the event is that one's. Off the main thread, Ctrl-C is left alone.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    if _active:
        yield _active[0]
        return

    noted = 0.0

    def note(signal_number: int, frame: FrameType | None) -> None:
        nonlocal noted
        if not interrupted.is_set():
            noted = perf_counter()
            interrupted.set()
        elif perf_counter() > noted + _IMPATIENT:
            signal.signal(signal.SIGINT, before)
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, note)
    _active.append(interrupted)
    try:
        yield interrupted
    finally:
        _active.clear()
        signal.signal(signal.SIGINT, before)
