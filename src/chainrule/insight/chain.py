"""The factors of a derivative, read off one forward and one backward pass."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, cached_property
from math import isfinite, prod

import numpy as np

from chainrule.calculus.activation import softmax_jacobian, sum_of_others
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import OutputFunction
from chainrule.calculus.gradient import backward, forward, propagate, sensitivity
from chainrule.calculus.network import Network
from chainrule.calculus.notation import Quantity
from chainrule.calculus.tangent import tangent
from chainrule.calculus.trace import Deltas, Trace
from chainrule.insight import meaning
from chainrule.insight.explanation import Factor, Output, Step, Sum, Term
from chainrule.insight.question import Question

_TINY = float(np.finfo(np.float64).tiny)
"""Below this, float64 loses digits."""

Name = tuple[str, str]
"""A factor's symbol and its formula."""


class Chain:
    """A forward and a backward pass over the question's examples, and the factors from its target to what it is of.

    ``of`` is how symbols show what is differentiated; ``row`` counts the question's examples. Layers after ``last``
    have no share in it.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.q = question.q
        self.top = question.top
        self.of = question.of
        self.p = question.model.parameters
        self.network: Network = self.p.network
        self.Y = question.examples.Y
        self.last = self.network.depth if self.top is None else self.top.layer
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is shown as it is
            self.trace: Trace = forward(self.p, question.examples.a0)
            if self.top is None:
                self.deltas: Deltas = backward(self.p, self.trace, self.Y)
            else:
                self.deltas = propagate(self.p, self.trace, self.top.layer, self._top_delta(self.top))
        self.sensitivity = cache(self._sensitivity)

    # numbers of all examples -------------------------------------------------------------------------

    def _top_delta(self, top: Quantity) -> Array:
        """∂top/∂z of top's own layer."""
        z = self.trace.z.get(top.layer, self.trace.a[0])
        δ = np.zeros_like(z)
        if top.letter == "z" or top.layer == 0:
            δ[:, top.j] = 1
        elif self.network.σ(top.layer).elementwise:
            δ[:, top.j] = self.network.σ(top.layer).derivative(z[:, top.j])
        else:
            δ = softmax_jacobian(z)[:, top.j]
        return δ

    def _sensitivity(self, l: int) -> Array:
        """∂C_i/∂a of layer l, (examples, n_l)."""
        if self.top is None or l < self.last:
            return sensitivity(self.p, self.trace, self.deltas, self.Y, l)
        itself = np.zeros_like(self.trace.a[l])
        itself[:, self.top.j] = float(l == self.last and self.top.letter == "a")
        return itself

    @property
    def values(self) -> Array:
        """∂C_i/∂q of every example, (examples,)."""
        q = self.q
        if q.layer > self.last:
            return np.zeros(len(self.Y))
        if q.letter in "ax":
            return self.sensitivity(q.layer)[:, q.j] / self.question.scale
        δ = self.deltas.dC_dz[q.layer][:, q.j]
        return δ if q.k is None else δ * self.trace.a[q.layer - 1][:, q.k]

    @cached_property
    def tangent(self) -> Trace:
        """∂z/∂q and ∂a/∂q of every layer from q's on; for a raw input, of its a0."""
        q = self.q
        return tangent(self.p, self.trace, replace(q, letter="a") if q.letter == "x" else q)

    def passing(self, l: int) -> Array:
        """∂C_i/∂q as the sum over the neurons of a layer l after q's, (examples, n_l): what passes through each."""
        with np.errstate(invalid="ignore", over="ignore"):  # of what overflows, nothing can be said
            return self.tangent.z[l] * self.deltas.dC_dz[l]

    def sizes(self) -> Array:
        """Σ|terms| over every way from q to C, of each example, (examples,): what rounding is relative to."""
        q, l = self.q, self.q.layer
        if l > self.last or (l == self.last and self.top is not None):
            return np.abs(self.values)
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows cannot be checked
            if l == self.last and q.letter == "a":
                return self._sizes_at_the_cost(self.network.C.dC_da)[:, q.j]
            δ = np.abs(self.deltas.dC_dz[self.last])
            if self.top is None:
                δ = self._sizes_at_the_cost(self.network.C.delta)
            for below in reversed(range(l, self.last)):
                size = δ @ np.abs(self.p.w[below + 1])
                if below == l and q.letter in "ax":
                    return size[:, q.j] / self.question.scale
                δ = size * np.abs(self.network.σ(below).derivative(self.trace.z[below]))
            return δ[:, q.j] if q.k is None else δ[:, q.j] * np.abs(self.trace.a[l - 1][:, q.k])

    def _sizes_at_the_cost(self, derivative: OutputFunction) -> Array:
        """Σ|terms| of ∂C_i/∂a or ∂C_i/∂z of the outputs, (examples, n_L): where a − y is nearly 0, a and y are not."""
        L, y = self.network.depth, self.Y
        C, σ, z = self.network.C, self.network.σ(L), self.trace.z[L]
        if derivative is C.delta and not σ.elementwise:
            return self.trace.a[L] * sum_of_others(y) + y * sum_of_others(self.trace.a[L])
        of_0 = derivative(z, np.zeros_like(y), σ)
        if C.name != "binary-cross-entropy":
            return np.abs(of_0) + np.abs(derivative(z, y, σ) - of_0)
        of_1 = derivative(z, np.ones_like(y), σ)
        return np.where(y < 1, (1 - y) * np.abs(of_0), 0) + np.where(y > 0, y * np.abs(of_1), 0)

    def busiest(self, l: int, most: int, below: Sequence[int]) -> list[int]:
        """The neurons of layer l through which the most passes in the first example, the busiest first.

        Where nothing passes, those whose terms are the largest in the sums of the neurons ``below``.
        """
        sizes = np.nan_to_num(np.abs(self.passing(l)[0]))
        if not sizes.any():
            with np.errstate(invalid="ignore", over="ignore"):
                terms = self.p.w[l][:, list(below)] * self.deltas.dC_dz[l][0][:, None]
                sizes = np.nan_to_num(np.abs(terms).sum(axis=1))
        return [int(j) for j in np.argsort(-sizes, kind="stable")[:most]]

    # names, for a neuron j that is a number or an index ------------------------------------------------

    def _name_dC_da(self, l: int, j: int | str, of: str) -> Name:
        """∂C/∂a of a neuron: from the cost in the last layer, as a sum over the next layer elsewhere."""
        a = f"a{l}[{j}]"
        if self.top is not None and l == self.last:
            formula = "1" if a == str(self.top) else "0"
        elif l == self.network.depth:
            formula = self.network.C.dC_da_formula.format(a=a, y=f"y[{j}]")
        else:
            formula = f"Σ over layer {l + 1}"
        return f"∂{of}/∂{a}", formula

    def _name_slope(self, l: int, j: int | str) -> Name:
        return f"∂a{l}[{j}]/∂z{l}[{j}]", f"σ′(z{l}[{j}])"

    def _name_dC_dz(self, l: int, j: int | str, of: str) -> Name:
        """∂C/∂z of a neuron as one factor."""
        a, z, y = f"a{l}[{j}]", f"z{l}[{j}]", f"y[{j}]"
        if self.top is not None and l == self.last:
            formula = self._top_formula(self.top, j)
        elif l < self.network.depth:
            formula = f"σ′({z})·∂{of}/∂{a}"
        elif self.network.activation[-1] == self.network.C.canonical:
            formula = f"{a} − {y}"
        else:
            formula = f"σ′({z})·({self.network.C.dC_da_formula.format(a=a, y=y)})"
        return f"∂{of}/∂{z}", formula

    def _top_formula(self, top: Quantity, j: int | str) -> str:
        """∂top/∂z within top's own layer."""
        if top.letter == "a" and not self.network.σ(top.layer).elementwise:
            return _softmax_slope(str(top), f"a{top.layer}[{j}]")
        if str(j) != str(top.j):
            return "0"
        return "1" if top.letter == "z" else f"σ′(z{top.layer}[{j}])"

    def names(self, l: int, j: int | str, of: str, joined: bool) -> tuple[Name, ...]:
        """The names of :meth:`links`."""
        if joined:
            return (self._name_dC_dz(l, j, of),)
        return self._name_dC_da(l, j, of), self._name_slope(l, j)

    # factors -------------------------------------------------------------------------------------------

    def joined(self, l: int, j: int, row: int) -> bool:
        """Whether ∂C/∂z of a neuron is one factor: softmax, a node that is differentiated, or overflow of ∂C/∂a."""
        if not self.network.σ(l).elementwise or (self.top is not None and l == self.last):
            return True
        return not isfinite(float(self.sensitivity(l)[row, j]))

    def links(self, l: int, j: int, row: int, of: str, joined: bool) -> tuple[Factor, ...]:
        """From C to z of a neuron: ∂C/∂a and ∂a/∂z, or both as one factor ∂C/∂z."""
        if joined:
            return (self.dC_dz(l, j, row, of),)
        return self.dC_da(l, j, row, of), self._slope(l, j, row)

    def dC_da(self, l: int, j: int, row: int, of: str) -> Factor:
        """∂C/∂a of a neuron."""
        value = float(self.sensitivity(l)[row, j])
        sentence = ""
        if self.top is None and l == self.network.depth:
            sentence = self._error(j, row)
        elif self.top is not None and l == self.last:
            sentence = meaning.itself(j == self.top.j) if self.top.letter == "a" else meaning.AFTERWARDS
        else:
            through = self.deltas.dC_dz[l + 1][row] * self.p.w[l + 1][:, j]
            sentence = meaning.whole(through, l + 1)
        return Factor(*self._name_dC_da(l, j, of), value, sentence)

    def _slope(self, l: int, j: int, row: int) -> Factor:
        σ, z = self.network.σ(l), self.trace.z[l][row, j : j + 1]
        value = float(σ.derivative(z)[0])
        return Factor(*self._name_slope(l, j), value, meaning.slope(σ, float(z[0]), value))

    def dC_dz(self, l: int, j: int, row: int, of: str) -> Factor:
        """∂C/∂z of a neuron as one factor."""
        sentence = self._error(j, row) if self.top is None and l == self.network.depth else ""
        if self.top is not None and l == self.last:
            sentence = self._own_layer(self.top, j, row)
        return Factor(*self._name_dC_dz(l, j, of), float(self.deltas.dC_dz[l][row, j]), sentence)

    def _own_layer(self, top: Quantity, j: int, row: int) -> str:
        """∂top/∂z within top's own layer."""
        l, σ = top.layer, self.network.σ(top.layer)
        if top.letter == "a" and not σ.elementwise:
            return meaning.coupled(float(self.deltas.dC_dz[l][row, j]), str(top))
        if top.letter == "a" and j == top.j:
            z = self.trace.z[l][row, j : j + 1]
            return meaning.slope(σ, float(z[0]), float(σ.derivative(z)[0]))
        return meaning.itself(j == top.j)

    def _error(self, j: int, row: int) -> str:
        L = self.network.depth
        return meaning.error(float(self.trace.a[L][row, j]), float(self.Y[row, j]), self.network.cost)

    def factors(self, row: int, of: str, joined: bool | None = None) -> tuple[Factor, ...]:
        """The chain from C to q for one example: ∂C/∂a, ∂a/∂z, ∂z/∂w, as far as q needs them."""
        q = self.q
        l, j = q.layer, q.j
        if l > self.last:
            return (Factor(f"∂{of}/∂{q}", f"{of} comes before {q}", 0.0, meaning.AFTERWARDS),)
        if q.letter in "ax":
            outer = self.dC_da(l, j, row, of)
            return (outer, self._scaling()) if q.letter == "x" else (outer,)
        chain = self.links(l, j, row, of, self.joined(l, j, row) if joined is None else joined)
        z = f"z{l}[{j}]"
        if q.k is not None:
            a = float(self.trace.a[l - 1][row, q.k])
            below = self.network.activation[l - 2] if l > 1 else None
            sentence = meaning.incoming(a, l - 1, q.k, below, l == 1 and self._standardised(q.k))
            return (*chain, Factor(f"∂{z}/∂{q}", f"a{l - 1}[{q.k}]", a, sentence))
        return (*chain, Factor(f"∂{z}/∂{q}", "1", 1.0, "the bias enters z as it is")) if q.letter == "b" else chain

    def columns(self, of: str, joined: bool) -> tuple[str, ...]:
        """What a table over examples calls the factors."""
        q = self.q
        if q.layer > self.last:
            return (f"∂{of}/∂{q}",)
        if q.letter in "ax":
            return (f"∂{of}/∂a{q.layer}[{q.j}]", *([f"1/s[{q.j}]"] if q.letter == "x" else []))
        (outer, _), *slopes = self.names(q.layer, q.j, of, joined)
        incoming = f"a{q.layer - 1}[{q.k}]" if q.k is not None else "1"
        return (outer, *(formula for _, formula in slopes), *([incoming] if q.letter in "wb" else []))

    def _scaling(self) -> Factor:
        k, s = self.q.j, self.question.scale
        sentence = "inputs enter as they are" if s == 1 else f"s = {s:.6g} of x[{k}] is 1 of a0[{k}]"
        return Factor(f"∂a0[{k}]/∂x[{k}]", f"1/{s:.6g}", 1 / s, sentence)

    def _standardised(self, k: int) -> bool:
        inputs = self.question.model.inputs
        return inputs is not None and bool(inputs.mean[k] != 0 or inputs.scale[k] != 1)

    # sums ----------------------------------------------------------------------------------------------

    def opened(self, l: int, j: int, row: int) -> Sum | None:
        """The sum that makes ∂C/∂a of a neuron, or ∂C/∂z of an output under softmax; None where there is no sum."""
        if l < self.last:
            return self._next_layer(l, j, row)
        if self.top is None and not self.network.σ(l).elementwise:
            return self._softmax_sum(j, row)
        return None

    def _next_layer(self, l: int, k: int, row: int) -> Sum:
        """∂C/∂a of neuron k of layer l < last: a term for each neuron j of the next layer."""
        neurons = range(self.network.sizes[l + 1])
        joined = any(self.joined(l + 1, j, row) for j in neurons)  # rows with the same factors are easier to read
        terms: list[Term] = []
        for j in neurons:
            w = Factor(f"∂z{l + 1}[{j}]/∂a{l}[{k}]", f"w{l + 1}[{j},{k}]", float(self.p.w[l + 1][j, k]))
            factors = (w, *reversed(self.links(l + 1, j, row, self.of, joined)))
            terms.append(Term(f"through z{l + 1}[{j}]", j, factors, prod(factor.value for factor in factors)))
        (outer, last), *slopes = self.names(l + 1, "j", self.of, joined)
        if self.top is not None and l + 1 == self.last:
            softmax = self.top.letter == "a" and not self.network.σ(self.last).elementwise
            last = f"{self.top}·([j = {self.top.j}] − a{self.last}[j])" if softmax else ""  # it differs from row to row
        total = self.dC_da(l, k, row, self.of)
        columns = (f"w{l + 1}[j,{k}]", *(formula for _, formula in slopes), outer)
        over = _neurons(len(terms), l + 1, l + 1 == self.network.depth)
        return Sum(l, k, total, "j", over, columns, last, tuple(terms))

    def _softmax_sum(self, j: int, row: int) -> Sum:
        """∂C/∂z of output j under softmax: a term for each output m, since z_j moves every a_m."""
        L = self.network.depth
        outputs = range(self.network.sizes[L])
        jacobian = softmax_jacobian(self.trace.z[L][row])[:, j]
        pairs = [
            (
                Factor(f"∂a{L}[{m}]/∂z{L}[{j}]", _softmax_slope(f"a{L}[{m}]", f"a{L}[{j}]"), float(jacobian[m])),
                self.dC_da(L, m, row, self.of),
            )
            for m in outputs
        ]
        together = [self._softmax_together(m, j, row) for m in outputs]
        apart = all(
            isfinite(outer.value) and not abs(slope.value) < _TINY < abs(both.value)
            for (slope, outer), both in zip(pairs, together, strict=True)
        )
        rows = pairs if apart else [(both,) for both in together]
        terms = tuple(
            Term(f"through a{L}[{m}]", m, factors, prod(factor.value for factor in factors))
            for m, factors in zip(outputs, rows, strict=True)
        )
        slope, outer = f"∂a{L}[m]/∂z{L}[{j}]", f"∂{self.of}/∂a{L}[m]"
        columns = (slope, outer) if apart else (f"{slope}·{outer}",)
        last = self._name_dC_da(L, "m", self.of)[1] if apart else ""
        over = _neurons(len(terms), L, True) + ", coupled by softmax"
        total = self.dC_dz(L, j, row, self.of)
        return Sum(L, j, total, "m", over, columns, last, terms, self._collapse(j, row))

    def _softmax_together(self, m: int, j: int, row: int) -> Factor:
        """∂C/∂a_m · ∂a_m/∂z_j as one factor: where a_m underflows, y_m/a_m overflows, but a_m cancels."""
        L = self.network.depth
        a, y = self.trace.a[L][row], self.Y[row]
        formula = f"−y[{m}]·(1 − a{L}[{j}])" if m == j else f"y[{m}]·a{L}[{j}]"
        value = -y[m] * sum_of_others(a)[j] if m == j else y[m] * a[j]
        return Factor(f"∂a{L}[{m}]/∂z{L}[{j}]·∂{self.of}/∂a{L}[{m}]", formula, float(value))

    def _collapse(self, j: int, row: int) -> tuple[Step, ...]:
        """The sum under softmax shortened to a − y, each line the same number."""
        L = self.network.depth
        a, y, others = f"a{L}[{j}]", f"y[{j}]", f"Σ_(m≠{j}) y[m]"
        A, Y = self.trace.a[L][row], self.Y[row]
        aside = float(Y.sum() - Y[j])
        return (
            Step(
                f"−{y}·(1 − {a}) + {a}·{others}",
                float(-Y[j] * sum_of_others(A)[j] + A[j] * aside),
                f"each a{L}[m] of the slope cancels the one in −y[m]/a{L}[m]",
            ),
            Step(f"{a}·({y} + {others}) − {y}", float(A[j] * (Y[j] + aside) - Y[j]), "gathered"),
            Step(f"{a} − {y}", float(self.deltas.dC_dz[L][row, j]), "the y sum to 1"),
        )

    def canonical_steps(self, j: int, row: int) -> tuple[Step, ...]:
        """How σ′·∂C/∂a shortens to a − y at an output whose activation goes with its cost, softmax apart."""
        L = self.network.depth
        if self.top is not None or self.network.activation[-1] != self.network.C.canonical:
            return ()
        a, y = f"a{L}[{j}]", f"y[{j}]"
        A, Y = float(self.trace.a[L][row, j]), float(self.Y[row, j])
        end = Step(f"{a} − {y}", float(self.deltas.dC_dz[L][row, j]), "what is left")
        match self.network.activation[-1]:
            case "sigmoid":
                first = f"{a}·(1 − {a})·(−{y}/{a} + (1 − {y})/(1 − {a}))"
                second = Step(f"−{y}·(1 − {a}) + (1 − {y})·{a}", -Y * (1 - A) + (1 - Y) * A, "the fractions cancel")
                return (Step(first, end.value, f"σ′(z{L}[{j}]) is {a}·(1 − {a})"), second, end)
            case "exp":
                return (Step(f"{a}·(1 − {y}/{a})", end.value, f"σ′(z{L}[{j}]) is {a} itself"), end)
            case _:
                return ()

    def outputs(self, row: int) -> tuple[tuple[Output, ...], str]:
        """∂C/∂a of every output with what it is made of, and its formula."""
        L = self.network.depth
        dC_da = self.sensitivity(L)[row]
        rows = tuple(
            Output(L, j, float(self.trace.a[L][row, j]), float(self.Y[row, j]), float(dC_da[j]))
            for j in range(self.network.sizes[L])
        )
        return rows, self._name_dC_da(L, "j", self.of)[1]

    # what else is worth telling ------------------------------------------------------------------------

    def context(self, row: int) -> dict[str, float]:
        """z and a of the neuron, and y in the last layer."""
        l, j = self.q.layer, self.q.j
        known = {f"z{l}[{j}]": float(self.trace.z[l][row, j])} if l else {}
        known[f"a{l}[{j}]"] = float(self.trace.a[l][row, j])
        if l == self.network.depth and self.top is None:
            known[f"y[{j}]"] = float(self.Y[row, j])
        return known

    def kinks(self, row: int) -> tuple[str, ...]:
        """A remark for each z at a kink whose σ′ the value depends on, in q's layer and all after it."""
        q = self.q
        used = [] if q.letter in "ax" or q.layer > self.last else [(q.layer, q.j)]
        used += [(l, j) for l in range(q.layer + 1, self.last + 1) for j in range(self.network.sizes[l])]
        return tuple(
            f"z{l}[{j}] is exactly {kink:g}, where {self.network.activation[l - 1]} has no derivative: "
            f"{self.network.σ(l).at_kink}"
            for l, j in used
            for kink in self.network.σ(l).kinks
            if self.trace.z[l][row, j] == kink
        )

    def examples_at_a_kink(self) -> int:
        """How many examples have a z at a kink, in q's layer or after it."""
        q = self.q
        at = np.zeros(len(self.Y), dtype=bool)
        for l in range(max(q.layer, 1), self.last + 1):
            own = l == q.layer
            if own and q.letter in "ax":
                continue
            z = self.trace.z[l][:, q.j : q.j + 1] if own else self.trace.z[l]
            for kink in self.network.σ(l).kinks:
                at |= (z == kink).any(axis=1)
        return int(at.sum())


def _softmax_slope(a_m: str, a_j: str) -> str:
    return f"{a_j}·(1 − {a_j})" if a_m == a_j else f"−{a_m}·{a_j}"


def _neurons(n: int, l: int, outputs: bool) -> str:
    """All the neurons of a layer, in words."""
    what, of = ("output", "") if outputs else ("neuron", f" of layer {l}")
    return f"the one {what}{of}" if n == 1 else f"both {what}s{of}" if n == 2 else f"all {n} {what}s{of}"
