"""The way to ∇C in steps, each of which a mistake may replace; with what rounding may do to the result.

Without mistakes this is :func:`chainrule.calculus.gradient.gradient`, taken apart. The names of the steps are those
of the methods of :class:`chainrule.checking.mistake.Mistake`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty_derivative
from chainrule.checking.arithmetic import FEW
from chainrule.checking.case import Case

if TYPE_CHECKING:
    from chainrule.checking.mistake import Mistake

Step = Callable[[], Array]

EVERY = slice(None)

DELTA_STEPS = frozenset({"targets", "slope", "weight", "dC_da", "δ"})
"""The steps that what goes back depends on."""

_OF_DELTA = DELTA_STEPS | {"error of δ"}

_OF_CASE = {name: {name} for name in ("slope", "weight", "activation", "shares", "penalty", "bias_penalty")} | {
    name: {name, "shares"} for name in ("weight_shares", "bias_shares")
}
"""The steps that depend on none but these."""


class Calculation:
    """∇C of a case, wrong in the ways that ``mistakes`` say. What is not asked for is not computed."""

    def __init__(self, case: Case, mistakes: "Sequence[Mistake]" = ()) -> None:
        for mistake in mistakes:
            case = mistake.case(case)
        self.case = case
        self.mistakes = tuple(mistakes)
        self._known: dict[tuple[str, int], Array] = {}
        self._before: Calculation | None = None
        self._elsewhere: dict[Mistake, Calculation] = {}
        self._cases: dict[tuple[Case, Mistake], Case] = {}

    def but(self, mistake: "Mistake") -> "Calculation":
        """The same with one more mistake. What that leaves as it was is not computed again."""
        if mistake in self._elsewhere:
            return self._elsewhere[mistake]
        key = (self.case, mistake)
        if key not in self._cases:  # a forward pass of its own is made once
            self._cases[key] = mistake.case(self.case)
        further = Calculation(self._cases[key])
        further.mistakes, further._cases = (*self.mistakes, mistake), self._cases
        if further.case is self.case:
            further._before = self
        else:  # a forward pass of its own
            self._elsewhere[mistake] = further
        return further

    def _unchanged(self, name: str, l: int) -> "Calculation | None":
        """The calculation without the last mistake, where that cannot change this step."""
        if self._before is None:
            return None
        last = self.mistakes[-1]
        if last.last is not None and l > last.last:
            return self._before
        if name in _OF_DELTA and not last.touches_δ() and not self._by_w:
            return self._before
        steps = _OF_CASE.get(name)
        alone = steps is not None and not any(m.does(step) for m in self.mistakes for step in steps)
        return self._before if alone else None

    @property
    def _by_w(self) -> bool:
        """Whether an earlier mistake may make δ depend on ∂C/∂w."""
        return any(mistake.does("weight") for mistake in self.mistakes[:-1])

    @property
    def _done(self) -> "Calculation | None":
        """The calculation without the last mistake, where that is made of its arrays when they are done."""
        return self._before if self._before and self.mistakes[-1].finishes() and not self._by_w else None

    # the steps of layer l --------------------------------------------------------------------------

    def targets(self) -> Array:
        """y."""
        return self._step("targets", self.case.L, lambda: self.case.Y)

    def slope(self, l: int) -> Array:
        """σ′(z) of layer l, (examples, n_l); the activation is element-wise."""
        return self._step("slope", l, lambda: self.case.network.σ(l).derivative(self.case.trace.z[l]))

    def weight(self, l: int) -> Array:
        """The w through which δ of layer l goes back."""
        return self._step("weight", l, lambda: self.case.p.w[l])

    def dC_da(self, l: int) -> Array:
        """∂C_i/∂a of layer l: from the cost, or by the sum over the next layer."""
        return self._step("dC_da", l, lambda: self._dC_da(l))

    def δ(self, l: int) -> Array:
        """∂C_i/∂z of layer l."""
        return self._step("δ", l, lambda: self._output() if l == self.case.L else self.slope(l) * self.dC_da(l))

    def activation(self, l: int) -> Array:
        """The a of layer l − 1, by which δ of layer l is multiplied."""
        return self._step("activation", l, lambda: self.case.trace.a[l - 1])

    def shares(self, l: int) -> Array:
        """What each example counts for in layer l, (examples,): 1/n."""
        return self._step("shares", l, lambda: example_shares(self.case.n, self.case.weights))

    def weight_shares(self, l: int) -> Array:
        """What it counts for in ∂C/∂w."""
        return self._step("weight_shares", l, lambda: self.shares(l))

    def bias_shares(self, l: int) -> Array:
        """What it counts for in ∂C/∂b."""
        return self._step("bias_shares", l, lambda: self.shares(l))

    def penalty(self, l: int) -> Array:
        """∂/∂w of the penalty."""
        network = self.case.network
        return self._step("penalty", l, lambda: penalty_derivative(self.case.p.w[l], network.l1, network.l2))

    def bias_penalty(self, l: int) -> Array:
        """∂/∂b of the penalty: 0."""
        return self._step("bias_penalty", l, lambda: np.zeros(self.case.sizes[l]))

    def w(self, l: int) -> Array:
        """∂C/∂w of layer l."""
        return self._step("w", l, lambda: self._w(l, EVERY))

    def b(self, l: int) -> Array:
        """∂C/∂b of layer l."""
        return self._step("b", l, lambda: self._b(l))

    def array(self, name: str) -> Array:
        """∂C/∂w or ∂C/∂b by its name, such as w2."""
        with np.errstate(all="ignore"):
            return (self.w if name[0] == "w" else self.b)(int(name[1:]))

    def some(self, name: str, rows: Array | slice) -> Array:
        """Some rows of an array, for less than the whole may cost."""
        l = int(name[1:])
        whole = name[0] == "b" or ("w", l) in self._known or any(m.does("w") and m.made_in(l) for m in self.mistakes)
        with np.errstate(all="ignore"):
            return self.array(name)[rows] if whole else self._w(l, rows)

    def _step(self, name: str, l: int, right: Step) -> Array:
        key = (name, l)
        if key not in self._known:
            self._known[key] = self._taken(name, l, right)
        return self._known[key]

    def _taken(self, name: str, l: int, right: Step) -> Array:
        before = self._unchanged(name, l)
        if before is not None and name != "targets":
            return getattr(before, name)(l)
        mistakes, done = self.mistakes, self._done
        if done is not None and name in ("w", "b"):
            right, mistakes = lambda: getattr(done, name)(l), mistakes[-1:]
        for mistake in mistakes:
            if mistake.made_in(l):
                right = mistake.replaced(name, self, l, right)
        return right()

    def _dC_da(self, l: int) -> Array:
        case, C = self.case, self.case.network.C
        if l == case.L:
            return C.dC_da(case.trace.z[l], self.targets(), case.network.σ(l))
        return self.δ(l + 1) @ self.weight(l + 1)

    def _output(self) -> Array:
        case, C, L = self.case, self.case.network.C, self.case.L
        if C.canonical is None or self._by_slope:
            return self.slope(L) * self.dC_da(L)
        return C.delta(case.trace.z[L], self.targets(), case.network.σ(L))

    @property
    def _by_slope(self) -> bool:
        """Whether σ′ of the last layer is done wrong: then it is taken, although a − y needs none. A softmax, to which
        a mistake in the cost may lead, has none."""
        wrong = any(mistake.does("slope") and mistake.made_in(self.case.L) for mistake in self.mistakes)
        return wrong and self.case.network.σ(self.case.L).elementwise

    def _w(self, l: int, rows: Array | slice) -> Array:
        return (self.weight_shares(l)[:, None] * self.δ(l)[:, rows]).T @ self.activation(l) + self.penalty(l)[rows]

    def _b(self, l: int) -> Array:
        return (self.bias_shares(l)[:, None] * self.δ(l)).sum(axis=0) + self.bias_penalty(l)

    # rounding --------------------------------------------------------------------------------------

    def error(self, name: str, rows: Array | slice = EVERY) -> Array:
        """By how much a calculation that takes this way may miss its result, entry by entry, as ∂C/∂w or ∂C/∂b lie."""
        if self._done is not None:
            return self._done.error(name, rows)
        key = (f"error of {name[0]}", int(name[1:]))
        if key in self._known:
            return self._known[key][rows]
        with np.errstate(all="ignore"):
            error = (self._error_w if name[0] == "w" else self._error_b)(key[1], rows)
        error = np.where(np.isnan(error), np.inf, error)  # 0 · ∞, where a function overflows
        if name in self.case.coarse:
            error = error + self.case.coarse[name][rows]
        if rows is EVERY:
            self._known[key] = error
        return error

    def _error_δ(self, l: int) -> Array:
        before = self._unchanged("error of δ", l)
        if before is not None:
            return before._error_δ(l)
        key = ("error of δ", l)
        if key not in self._known:
            self._known[key] = self._error_of_δ(l)
        return self._known[key]

    def _error_of_δ(self, l: int) -> Array:
        case, r = self.case, self.case.rounding
        δ = np.abs(self.δ(l))
        share = example_shares(case.n, case.weights)[:, None]
        least = r.tiny / np.where(share > 0, share, 1)  # δ may carry its share, and be too small to be kept with it
        if l == case.L:
            return self._error_of_output() + FEW * r.u * δ + least
        W, above = np.abs(self.weight(l + 1)), np.abs(self.δ(l + 1))
        incoming, s = above @ W, np.abs(self.slope(l))
        e = self._error_δ(l + 1) @ W + r.sum(len(W)) * incoming + least
        return r.slope[l] * incoming + (s + r.slope[l]) * e + FEW * r.u * (s * incoming + δ) + least

    def _error_of_output(self) -> Array:
        r, L = self.case.rounding, self.case.L
        if not self._by_slope:
            return r.output
        return r.dC_da * (np.abs(self.slope(L)) + r.slope[L]) + np.abs(self.dC_da(L)) * r.slope[L]

    def _error_w(self, l: int, rows: Array | slice) -> Array:
        case, r = self.case, self.case.rounding
        share, e, δ = np.abs(self.weight_shares(l))[:, None], self._error_δ(l)[:, rows], np.abs(self.δ(l)[:, rows])
        a, of_a = np.abs(self.activation(l)), r.a[l - 1]
        terms = (share * (e + r.sum(case.n) * δ)).T @ a + (share * (δ + e)).T @ of_a
        return terms + FEW * r.u * np.abs(self.penalty(l)[rows]) + r.tiny

    def _error_b(self, l: int, rows: Array | slice) -> Array:
        case, r = self.case, self.case.rounding
        share = np.abs(self.bias_shares(l))[:, None]
        terms = (share * (self._error_δ(l) + r.sum(case.n) * np.abs(self.δ(l)))).sum(axis=0)
        return (terms + FEW * r.u * np.abs(self.bias_penalty(l)) + r.tiny)[rows]

    def most_error(self, name: str) -> float:
        """A bound of all entries of :meth:`error`, from the lengths of its factors (Cauchy, Schwarz): a prediction
        that is further off need not be compared more closely."""
        l, r = int(name[1:]), self.case.rounding
        with np.errstate(all="ignore"):
            δ, e = _length(self.δ(l)), self._length_of_error_δ(l)
            share = np.abs(self.weight_shares(l) if name[0] == "w" else self.bias_shares(l))
            terms = e + r.sum(self.case.n) * δ
            if name[0] == "w":
                terms = terms * _largest(self.activation(l)) + (δ + e) * _largest(r.a[l - 1])
            penalty = self.penalty(l) if name[0] == "w" else self.bias_penalty(l)
            return float(np.vdot(share, terms)) + FEW * r.u * float(np.abs(penalty).max(initial=0)) + r.tiny

    def _length_of_error_δ(self, l: int) -> Array:
        """A bound of the length of an example's error of δ, (examples,)."""
        before = self._unchanged("error of δ", l)
        if before is not None:
            return before._length_of_error_δ(l)
        key = ("length of error of δ", l)
        if key not in self._known:
            self._known[key] = self._length_of_error_of_δ(l)
        return self._known[key]

    def _length_of_error_of_δ(self, l: int) -> Array:
        case, r = self.case, self.case.rounding
        δ = _length(self.δ(l))
        share = example_shares(case.n, case.weights)
        least = r.tiny / np.where(share > 0, share, 1) * np.sqrt(case.sizes[l])
        if l == case.L:
            return _length(self._error_of_output()) + FEW * r.u * δ + least
        W = self.weight(l + 1)
        size = float(np.linalg.norm(W))
        incoming, s, of_s = _length(self.δ(l + 1)) * size, _largest(self.slope(l)), _largest(r.slope[l])
        e = self._length_of_error_δ(l + 1) * size + r.sum(len(W)) * incoming + least
        return of_s * incoming + (s + of_s) * e + FEW * r.u * (s * incoming + δ) + least


def _length(a: Array) -> Array:
    """‖a_i‖ of every example."""
    return np.sqrt(np.einsum("ij,ij->i", a, a))


def _largest(a: Array) -> Array:
    """max_j |a_ij| of every example."""
    return np.maximum(a.max(axis=1, initial=0), -a.min(axis=1, initial=0))
