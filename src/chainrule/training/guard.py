"""Notices a run whose numbers are no longer finite, takes it back to its last good step, and says what overflowed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from chainrule.calculus import dropout
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import penalty
from chainrule.calculus.gradient import costs
from chainrule.calculus.network import ParameterVector
from chainrule.engines import engine
from chainrule.engines.state import TrainingState

NOTHING = "nothing was learned"

_SECONDS = 1.0
_SHARE = 0.005  # of the run's time that snapshots may take


_LISTS = ("costs", "gradient_norms")  # of a state, which grow


class DivergenceWarning(UserWarning):
    """Training diverged and was stopped; the last good parameters are kept."""


@dataclass(frozen=True)
class Divergence:
    """What went wrong: in the ``step``-th step, of which epoch (both counted from 1), and why.

    ``kept`` steps were made with the parameters that the run was taken back to: the last with which the cost of a batch
    was finite; ``best_epoch`` is the epoch whose parameters are kept instead, with early stopping.
    """

    step: int
    epoch: int
    cause: str
    remedy: str
    kept: int
    best_epoch: int | None = None

    def __str__(self) -> str:
        if self.best_epoch is not None:
            return self.ending_in(f"the parameters of epoch {self.best_epoch}, the best, are kept")
        return self.ending_in(f"the parameters of step {self.kept} are kept" if self.kept else NOTHING)

    def ending_in(self, end: str) -> str:
        """As a sentence that ends with what became of the run."""
        return f"training diverged in epoch {self.epoch}, step {self.step}: {self.cause}; {end}. {self.remedy}"


class Guard:
    """Watches a run between its slices. Snapshots at most a second apart let it be taken back to any step since.

    ``first`` are the parameters that it began with. A run may consist of parts, each with an order of its own or a
    state that has the same parameters and moments.
    """

    def __init__(self, state: TrainingState) -> None:
        start = perf_counter()
        self._state = state
        state.bad_step = None
        self.first = state.parameters.vector.copy()
        self._snapshots = [_Snapshot(state)]  # of good states, the newest last
        self._due = self._next(start)

    def begin_part(self, state: TrainingState) -> None:
        """Go on with a part of the run, in which the state's order is set anew; all was finite until here."""
        self._state = state
        state.bad_step = None
        self._take()

    def good(self) -> bool:
        """Whether all is finite so far. The parameters themselves are looked at with each snapshot."""
        if self._state.bad_step is not None:
            return False
        start = perf_counter()
        if start < self._due:
            return True
        good = self.all_finite()
        if good:
            self._take()
        self._due = self._next(start)
        return good

    def _next(self, start: float) -> float:
        """When the next snapshot may be taken, if this one was begun at ``start``."""
        now = perf_counter()
        return now + max(_SECONDS, (now - start) / _SHARE)

    def all_finite(self) -> bool:
        """Whether the costs are finite, and the parameters."""
        return self._state.bad_step is None and _finite(self._state.parameters.vector)

    def take_back(self) -> Divergence:
        """Take the state, which is not good, back to the last parameters with which a batch's cost was finite."""
        state = self._state
        bad = state.step if state.bad_step is None else state.bad_step
        self._go_to(bad)
        first = self._snapshots[0].step
        if bad == first or _finite(state.parameters.vector):  # so it is the cost of the batch that comes next
            said = self._said(_forward_cause(state))
            kept = self._go_to(max(bad - 1, first))
        else:
            kept = self._go_to(self._last_finite(bad))
            said = self._said(_step_cause(state))
        return Divergence(*said, kept=kept)

    def _last_finite(self, bad: int) -> int:
        """After how many steps the parameters were still finite, if they are not after so many."""
        good = max(snapshot.step for snapshot in self._snapshots if snapshot.step < bad)
        while bad - good > 1:
            middle = (good + bad) // 2
            self._go_to(middle)
            if _finite(self._state.parameters.vector):
                self._take()  # the next is not far from here
                good = middle
            else:
                bad = middle
        return good

    def _said(self, cause: tuple[str, str]) -> tuple[int, int, str, str]:
        return self._state.step + 1, self._state.epoch + 1, *cause

    def _go_to(self, step: int) -> int:
        """Make the state what it was after so many steps, as the same steps make the same bits; how many it has made.

        A part whose steps were passed over, as nothing weighs in them, has none to make again.
        """
        newest = max((s for s in self._snapshots if s.step <= step), key=lambda s: s.step)
        state, n = newest.state, step - newest.step
        newest.restore()
        if state is not self._state:
            n = min(n, state.steps_left_in_epoch)
        if n:
            engine().run(state, n)
        state.bad_step = None
        return state.step

    def _take(self) -> None:
        """Keep the newest two: with one alone, the step before it could not be reached."""
        spare = self._snapshots.pop(0) if len(self._snapshots) == 2 else _Snapshot(self._state)
        spare.take(self._state)
        self._snapshots.append(spare)


class _Snapshot:
    """All that a step changes in a state."""

    def __init__(self, state: TrainingState) -> None:
        self._arrays = tuple(np.empty_like(array) for array in _changed_in_place(state))
        self.take(state)

    def take(self, state: TrainingState) -> None:
        self.state, self.step = state, state.step
        self._fields = dict(vars(state))
        self._lengths = {name: len(getattr(state, name)) for name in _LISTS}
        for kept, array in zip(self._arrays, _changed_in_place(state), strict=True):
            kept[:] = array

    def restore(self) -> None:
        state = self.state
        vars(state).update(self._fields)
        for name, n in self._lengths.items():
            del getattr(state, name)[n:]
        for kept, array in zip(self._arrays, _changed_in_place(state), strict=True):
            array[:] = kept


def _changed_in_place(state: TrainingState) -> tuple[Array, ...]:
    return state.parameters.vector, *state.moments


def _finite(array: Array) -> bool:
    squares = np.vdot(array, array)  # quick, and finite only if every entry is
    return bool(np.isfinite(squares) or np.isfinite(array).all())


def learned(cost: Callable[[Array], float], first: Array, kept: Array, costs: Sequence[float]) -> bool:
    """Whether a run that diverged has learned anything: the parameters that are kept, or an epoch, whose mean costs are
    ``costs``, cost less than the first parameters do, over what it learned from.

    What is kept may be far off alone, as the cost grows for some steps before it overflows.
    """
    with np.errstate(all="ignore"):
        return min(np.inf, *costs, cost(kept)) < cost(first)


# causes --------------------------------------------------------------------------------------------


def _forward_cause(state: TrainingState) -> tuple[str, str]:
    """What overflows on the way to the cost of the next batch, and what to do about it."""
    p, X, Y, _ = _next_batch(state)
    trace, smaller = dropout.forward(p, X, state.kept(len(X))), _smaller(state)
    for l in p.network.layers:
        if not _finite(trace.z[l]):
            w, a = _largest(p.w[l]), _largest(trace.a[l - 1])
            if a <= w:
                return f"z of layer {l} overflowed (largest weight {w:.2g})", smaller
            where = "input" if l == 1 else f"activation of layer {l - 1}"
            return f"z of layer {l} overflowed (largest {where} {a:.2g})", "Scale the inputs" if l == 1 else smaller
        if not _finite(trace.a[l]):
            return f"the activations of layer {l} overflowed (largest z {_largest(trace.z[l]):.2g})", smaller
    if not _finite(costs(p, trace, Y)):
        a = _largest(trace.a[p.network.depth])
        return f"the cost overflowed (largest output {a:.2g}, largest target {_largest(Y):.2g})", smaller
    w = max(_largest(p.w[l]) for l in p.network.layers)
    overflowed = not np.isfinite(sum(penalty(p.w[l], p.network.l1, p.network.l2) for l in p.network.layers))
    what = "penalty overflowed" if overflowed else "cost was no finite number"
    return f"the {what} (largest weight {w:.2g})", smaller


def _step_cause(state: TrainingState) -> tuple[str, str]:
    """What overflows in the next step, whose cost is finite."""
    p, X, Y, weights = _next_batch(state)
    kept, smaller = state.kept(len(X)), _smaller(state)
    trace, (_, g) = dropout.forward(p, X, kept), dropout.gradient(p, X, Y, kept, weights)
    for l in reversed(p.network.layers):
        if not (_finite(g.w[l]) and _finite(g.b[l])):
            return f"the gradient of layer {l} overflowed (largest z there {_largest(trace.z[l]):.2g})", smaller
    return f"the step itself overflowed (largest entry of the gradient {_largest(g.vector):.2g})", smaller


def _smaller(state: TrainingState) -> str:
    return f"Use a smaller learning rate than {float(state.rates_of(1)[0]):g}, or scale the inputs"


def _next_batch(state: TrainingState) -> tuple[ParameterVector, Array, Array, Array | None]:
    rows = state.order[state.cursor : state.cursor + state.batch_size]
    weights = None if state.weights is None else state.weights[rows]
    weight = float(len(rows) if weights is None else weights.sum(dtype=np.float64))
    return state.penalised(weight) if weight > 0 else state.parameters, state.X[rows], state.Y[rows], weights


def _largest(array: Array) -> float:
    """The largest size of a number that is finite; 0 where there is none."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0))
