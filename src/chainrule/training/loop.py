"""The loop: runs the engine in slices short enough that a person can watch and interrupt."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from time import perf_counter
from types import FrameType

import numpy as np

from chainrule.engines import engine
from chainrule.engines.state import TrainingState
from chainrule.errors import DivergenceError

SLICE_SECONDS = 0.05


@dataclass(frozen=True)
class Progress:
    """Where a run stands: steps done of all steps, epochs finished, mean cost of this epoch, examples a second."""

    step: int
    steps: int
    epoch: int
    cost: float
    rate: float


Watcher = Callable[[Progress], None]


def train_epochs(state: TrainingState, epochs: int, watch: Watcher | None = None) -> bool:
    """Run until ``epochs`` epochs are finished in all; False if Ctrl-C ended it first.

    The state is then as the last finished step left it, and a further call goes on from there. ``watch`` is called
    after every slice of about 50 ms. Raises DivergenceError when the cost is no longer finite.
    """
    steps = state.steps_per_epoch * epochs
    pace = Pace()
    with interrupts() as interrupted, np.errstate(all="ignore"):
        while state.step < steps and not interrupted.is_set():
            examples = state.epoch * len(state.X) + state.cursor
            seconds = pace.run(state, steps - state.step)
            _check_finite(state)
            if watch is not None:
                rate = (state.epoch * len(state.X) + state.cursor - examples) / seconds
                watch(Progress(state.step, steps, state.epoch, state.cost, rate))
    return state.step >= steps


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


def _check_finite(state: TrainingState) -> None:
    if not (isfinite(state.cost) and np.isfinite(state.parameters.vector).all()):
        epoch = -(-state.step // state.steps_per_epoch)
        raise DivergenceError(
            f"training diverged: in epoch {epoch}, by step {state.step}, the cost is {state.cost}. "
            f"Use a smaller learning rate than {state.optimizer.rate:g}, or scale the inputs"
        )


@contextmanager
def interrupts() -> Generator[threading.Event]:
    """An event that Ctrl-C sets; a second Ctrl-C interrupts at once. Off the main thread, Ctrl-C is left alone."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def note(signal_number: int, frame: FrameType | None) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
