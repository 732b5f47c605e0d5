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
    run = engine().run
    slice_ = 1
    with _interrupts() as interrupted, np.errstate(all="ignore"):
        while state.step < steps and not interrupted.is_set():
            n = min(slice_, steps - state.step)
            examples = state.epoch * len(state.X) + state.cursor
            start = perf_counter()
            run(state, n)
            seconds = max(perf_counter() - start, 1e-9)
            _check_finite(state)
            slice_ = max(1, min(2 * n, int(n * SLICE_SECONDS / seconds)))
            if watch is not None:
                rate = (state.epoch * len(state.X) + state.cursor - examples) / seconds
                watch(Progress(state.step, steps, state.epoch, state.cost, rate))
    return state.step >= steps


def _check_finite(state: TrainingState) -> None:
    if not (isfinite(state.cost) and np.isfinite(state.parameters.vector).all()):
        epoch = -(-state.step // state.steps_per_epoch)
        raise DivergenceError(
            f"training diverged: in epoch {epoch}, by step {state.step}, the cost is {state.cost}. "
            f"Use a smaller learning rate than {state.optimizer.rate:g}, or scale the inputs"
        )


@contextmanager
def _interrupts() -> Generator[threading.Event]:
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
