"""Notices a run whose numbers are no longer finite, takes it back to its best step, and says what overflowed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from time import perf_counter

import numpy as np

from chainrule.calculus import dropout
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import penalty
from chainrule.calculus.gradient import costs
from chainrule.calculus.network import ParameterVector
from chainrule.engines import engine
from chainrule.engines.state import TrainingState
from chainrule.training.validation import penalised_cost

NOTHING = "nothing was learned"

_SECONDS = 1.0
_SHARE = 0.005  # of the run's time that snapshots may take

_SCALED = 100.0
"""Standardised examples are hardly ever larger than this, and it is of no use to scale them."""

_LISTS = ("costs", "gradient_norms")  # of a state, which grow


class DivergenceWarning(UserWarning):
    """Training diverged and was stopped; the parameters of its best epoch are kept."""


@dataclass(frozen=True)
class Divergence:
    """What went wrong: in the ``step``-th step, of which epoch (both counted from 1), and why.

    ``kept`` steps were made when the parameters were those that are kept; None where they cost no less than the first.
    ``best_epoch`` is the epoch after which they were so.
    """

    step: int
    epoch: int
    cause: str
    remedy: str
    kept: int | None
    best_epoch: int | None = None

    def __str__(self) -> str:
        if self.best_epoch is not None:
            return self.ending_in(f"the parameters of epoch {self.best_epoch}, the best, are kept")
        if self.kept is None:
            return self.ending_in(NOTHING)
        return self.ending_in(f"the parameters of step {self.kept} are kept")

    def ending_in(self, end: str) -> str:
        """As a sentence that ends with what became of the run."""
        return f"training diverged in epoch {self.epoch}, step {self.step}: {self.cause}; {end}. {self.remedy}"


class Guard:
    """Watches a run between its slices. Of its snapshots, a second apart or more, three are kept, from which it can be
    taken back to the newest steps, and to both ends of its best epoch.

    ``first`` are the parameters that it began with. A run may consist of parts, each with an order of its own or a
    state that has the same parameters and moments; the epochs are then those of the parts. ``cost`` tells what a
    parameter vector costs; where there is none, C over the state's examples does.
    """

    def __init__(self, state: TrainingState, cost: Callable[[Array], float] | None = None) -> None:
        start = perf_counter()
        self._state = state
        self._cost = _cost_over(state) if cost is None else cost
        state.bad_step = None
        self.first = state.parameters.vector.copy()
        self._snapshots = [_Snapshot(state)]  # of good states, the newest last
        self._least, self._best = inf, (state.step, state.step)  # an epoch's mean cost, and after how many steps it
        self._n_looked_at = len(state.costs)  #                    began and ended
        self._due = self._next(start)

    def begin_part(self, state: TrainingState) -> None:
        """Go on with a part of the run, in which the state's order is set anew; all was finite until here."""
        self._look_for_the_best_epoch()
        if state is not self._state:
            self._state, self._n_looked_at = state, len(state.costs)
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
        """Take the state, which is not good, back to the last step whose batch had a finite cost. The parameters and
        moments become those of the beginning or the end of its best epoch, the one of least mean cost, or of this step,
        whichever costs least: it may have grown for many epochs before it overflowed.
        """
        state = self._state
        bad = state.step if state.bad_step is None else state.bad_step
        self._go_to(bad)
        first = self._snapshots[0].step
        if bad == first or _finite(state.parameters.vector):  # so it is the cost of the batch that comes next
            said = self._said(_forward_cause(state))
            last = self._go_to(max(bad - 1, first))
        else:
            last = self._go_to(self._last_finite(bad))
            said = self._said(_step_cause(state))
        return Divergence(*said, kept=self._keep_the_best(last))

    def _keep_the_best(self, last: int) -> int | None:
        """Give the state, which is at the last step, the arrays of the best one; which that is, None for the first."""
        state, lists = self._state, {name: list(getattr(self._state, name)) for name in _LISTS}
        self._look_for_the_best_epoch()
        least, kept, arrays = self._cost_or_inf(self.first), None, (self.first,)
        for step in sorted({step for step in self._best if self._snapshots[0].step <= step <= last} | {last}):
            self._go_to(step)
            cost = self._cost_or_inf(state.parameters.vector)
            if cost < least:
                least, kept, arrays = cost, step, tuple(array.copy() for array in _changed_in_place(state))
        for name, whole in lists.items():  # those of older steps are shorter
            getattr(state, name)[:] = whole
        for array, best in zip(_changed_in_place(state), arrays, strict=False):
            array[:] = best
        return kept

    def _cost_or_inf(self, vector: Array) -> float:
        cost = self._cost(vector)
        return cost if np.isfinite(cost) else inf

    def _look_for_the_best_epoch(self) -> None:
        """Note which of the epochs finished since the last look had the least mean cost, if less than those before."""
        state = self._state
        for i in range(self._n_looked_at, len(state.costs)):
            if state.costs[i] < self._least:
                end = _begun(state) - (len(state.costs) - 1 - i) * state.steps_per_epoch
                self._least, self._best = state.costs[i], (end - state.steps_per_epoch, end)
        self._n_looked_at = len(state.costs)

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
        newest = _last_until(step, self._snapshots)
        assert newest is not None
        state, n = newest.state, step - newest.step
        newest.restore()
        if state is not self._state:
            n = min(n, state.steps_left_in_epoch)
        if n:
            engine().run(state, n)
        state.bad_step = None
        return state.step

    def _take(self) -> None:
        """Take a snapshot. With it are kept the last one before this epoch, and the last one before the best."""
        self._look_for_the_best_epoch()
        older = [snapshot for snapshot in self._snapshots if snapshot.step < self._state.step]
        kept = {_last_until(step, older) for step in (_begun(self._state), self._best[0])}
        spare = [snapshot for snapshot in self._snapshots if snapshot not in kept]
        snapshot = spare[0] if spare else _Snapshot(self._state)
        snapshot.take(self._state)
        self._snapshots = [*(snapshot for snapshot in older if snapshot in kept), snapshot]


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


def _last_until(step: int, snapshots: Iterable[_Snapshot]) -> _Snapshot | None:
    return max((s for s in snapshots if s.step <= step), key=lambda s: s.step, default=None)


def _begun(state: TrainingState) -> int:
    """After how many steps this epoch began."""
    return state.step - state.cursor // state.batch_size


def _changed_in_place(state: TrainingState) -> tuple[Array, ...]:
    return state.parameters.vector, *state.moments


def _finite(array: Array) -> bool:
    squares = np.vdot(array, array)  # quick, and finite only if every entry is
    return bool(np.isfinite(squares) or np.isfinite(array).all())


def _cost_over(state: TrainingState) -> Callable[[Array], float]:
    """C of a parameter vector over the state's examples, in float64."""

    def cost(vector: Array) -> float:
        with np.errstate(all="ignore"):
            p = ParameterVector(state.parameters.network, vector.astype(np.float64))
            return penalised_cost(p, state.X, state.Y, state.weights)

    return cost


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
    """That the rate is too large, and what of the examples is, if it is."""
    inputs, targets = _largest(state.X), _largest(state.Y)
    what, largest = ("targets", targets) if targets > inputs else ("inputs", inputs)
    scaled = f", or scale the {what}, of which the largest is {largest:.2g}" if largest > _SCALED else ""
    return f"Use a smaller learning rate than {float(state.rates_of(1)[0]):g}{scaled}"


def _next_batch(state: TrainingState) -> tuple[ParameterVector, Array, Array, Array | None]:
    rows = state.order[state.cursor : state.cursor + state.batch_size]
    weights = None if state.weights is None else state.weights[rows]
    weight = float(len(rows) if weights is None else weights.sum(dtype=np.float64))
    return state.penalised(weight) if weight > 0 else state.parameters, state.X[rows], state.Y[rows], weights


def _largest(array: Array) -> float:
    """The largest size of a number that is finite; 0 where there is none."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0))
