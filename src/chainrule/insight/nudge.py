"""One quantity moved by h: what its derivative predicts against what happens, at each step of the chain.

Δw → Δz → Δa → ΔC, the article's flowchart. What happens is computed by moving the number and running forward again;
no derivative takes part in it. What is left between the two, the remainder, is of second order in h.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, log2
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import penalty
from chainrule.calculus.trace import Trace
from chainrule.checks import number
from chainrule.errors import InputError
from chainrule.insight.crossings import Crossings
from chainrule.insight.mover import Mover
from chainrule.insight.question import question
from chainrule.model.model import Examples, Model

SHOWN_NEURONS = 3
"""How many neurons of a layer are steps of the chain, where there are more than one further."""

CURVE_POINTS = 61
CURVE_REACH = 3
"""The curve runs from −3h to 3h."""

_U = float(np.finfo(np.float64).eps) / 2
"""What rounding one result to float64 changes at most, relative to it."""

_OF_A_FUNCTION = 4
"""How many roundings an activation or a cost of one output counts for."""


@dataclass(frozen=True)
class Step:
    """One node of the chain: its value before, the change that the derivative predicts, and the one that happens.

    Over several examples all three are means.
    """

    node: str
    before: float
    predicted: float
    change: float


@dataclass(frozen=True)
class Trial:
    """A nudge by ``by``: remainder = actual − predicted, and remainder/by².

    ``rounding`` is what rounding in float64 may have done to the remainder, ``kinked`` whether the way leads across a
    kink: a remainder below the one tells nothing, and with the other it is not of second order.
    """

    by: float
    predicted: float
    actual: float
    remainder: float
    over_square: float
    rounding: float
    kinked: bool

    @property
    def shows(self) -> bool:
        """Whether the remainder is more than rounding can make."""
        return abs(self.remainder) > self.rounding


@dataclass(frozen=True)
class Nudge:
    """``of`` when ``wrt`` is moved by ``by``: predicted = derivative × by, actual, remainder = actual − predicted.

    ``chain`` has the steps from ``wrt`` to ``of``; ``hidden`` says of how many more neurons a node such as ``z2`` is,
    those through which least of the change passes. ``trials`` are the nudges by h, h/2 and h/4; ``second_order`` is the
    smallest one's remainder/h², an estimate of ½∂²of/∂wrt², None where rounding or a kink hides it. ``rounding`` is
    what float64 may have done to the remainder. ``curve`` are pairs of ``wrt`` and ``of``, from −3h to 3h around.
    ``penalty`` tells whether ``of`` has a penalty that changes, which is then a step of the chain. ``meanings`` are
    what inputs are called in the data, ``notes`` are remarks. Over several examples the values of an a, z or x are
    means.
    """

    of: str
    wrt: str
    by: float
    n_examples: int
    derivative: float
    predicted: float
    actual: float
    remainder: float
    rounding: float
    wrt_before: float
    wrt_after: float
    value_before: float
    value_after: float
    chain: tuple[Step, ...]
    hidden: Mapping[str, int]
    trials: tuple[Trial, ...]
    second_order: float | None
    penalty: bool
    curve: tuple[tuple[float, float], ...] = field(repr=False)
    meanings: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        """The actual change."""
        return self.actual

    def json(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, at full precision."""
        record = asdict(self)
        for name in ("chain", "trials", "notes"):
            record[name] = list(record[name])
        record["curve"] = [list(point) for point in self.curve]
        return record

    def text(self) -> str:
        """The nudge as plain text, no wider than 80 columns."""
        from chainrule.insight.nudge_text import text

        return text(self)

    def picture(self, kind: str) -> bytes:
        """``of`` along ``wrt`` with its tangent, as a ".svg", ".png" or ".pdf". Raises MissingExtraError."""
        from chainrule.insight.nudge_text import headline
        from chainrule.render.plot import nudge_picture

        return nudge_picture(
            curve=self.curve,
            before=(self.wrt_before, self.value_before),
            after=(self.wrt_after, self.value_after),
            slope=self.derivative,
            remainder=self.remainder if abs(self.remainder) > self.rounding else None,
            axes=(_averaged(self.wrt, self.n_examples), _averaged(self.of, self.n_examples)),
            title=f"{self.of} along {self.wrt}, and its tangent",
            description=" ".join(headline(self)),
            kind=kind,
        )

    def svg(self) -> str:
        """The picture as the text of an SVG file. Raises MissingExtraError where matplotlib is not installed."""
        return self.picture(".svg").decode("utf-8")

    def html(self) -> str:
        """An HTML fragment: the picture, where the extra plots is installed, and the text."""
        from chainrule.insight.nudge_html import html

        return html(self)

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.text()


def nudge(
    model: Model,
    examples: Examples,
    target: str,
    by: float,
    example: int | None = None,
    aliases: Mapping[str, str] | None = None,
    of: str = "C",
) -> Nudge:
    """Move ``target`` by ``by`` and see what ``of`` does, over all examples or in one.

    ``target`` names a weight, a bias, an activation, a z, or a raw input x[k]; the last three move in every example at
    once. ``of`` is the cost ``C``, the cost ``C[i]`` of one example, or an activation or z. Raises NotationError or
    InputError for what does not exist, and for a ``by`` that is not finite, 0, too small to change the target, or leads
    to where float64 or the cost ends.
    """
    asked = question(model, examples, target, of, example, aliases)
    by = number("by", by, "how far to move it: a finite number other than 0, such as 0.1", lambda h: h != 0)
    with np.errstate(all="ignore"):  # what overflows is shown as it is
        return _Nudging(Mover(asked)).nudge(by)


class _Nudging:
    """The record, from the quantity before and after."""

    def __init__(self, moved: Mover) -> None:
        self.moved = moved
        self.crossings = Crossings(moved)

    def nudge(self, by: float) -> Nudge:
        """The whole record."""
        q = self.moved.q
        there = self.moved.at(by)
        self._check(by, there)
        trials = tuple(self.trial(h, self.moved.at(h)) for h in (by, by / 2, by / 4))
        first = trials[0]
        telling = [trial for trial in trials if trial.shows and not trial.kinked]
        chain, hidden = self.chain(by, there, first)
        at = [by * CURVE_REACH * (2 * i / (CURVE_POINTS - 1) - 1) for i in range(CURVE_POINTS)]
        before = self.moved.mean(self.moved.start)
        curve = [
            (before + h, self.moved.total(self.moved.values(self.moved.at(h))) + self.moved.penalty_change(h))
            for h in sorted(at)
        ]
        return Nudge(
            of=self.moved.asked.of,
            wrt=str(q),
            by=by,
            n_examples=len(self.moved.Y),
            derivative=self.moved.derivative,
            predicted=first.predicted,
            actual=first.actual,
            remainder=first.remainder,
            rounding=first.rounding,
            wrt_before=before,
            wrt_after=self.moved.mean(self.moved.start + by),
            value_before=self.moved.total(self.moved.before),
            value_after=self.moved.total(self.moved.values(there)) + self.moved.penalty_change(by),
            chain=chain,
            hidden=hidden,
            trials=trials,
            second_order=telling[-1].over_square if telling else None,
            penalty=self.moved.asked.penalised,
            curve=tuple(curve),
            meanings=self._meanings(),
            notes=self.crossings.notes(by, there),
        )

    def _check(self, by: float, there: Trace) -> None:
        """Raise InputError for a ``by`` that moves nothing, or too far."""
        q, moved = self.moved.q, self.moved.start + by
        value = f"{self.moved.start[0]:.17g}" if len(self.moved.start) == 1 else "each of its values"
        if not np.isfinite(moved).all():
            raise InputError(f"by: {by:g} is too large: {q} would be {value} plus that, which float64 cannot hold")
        if (moved == self.moved.start).all():
            gap = float(np.abs(np.spacing(self.moved.start)).min())
            raise InputError(
                f"by: {by:g} is too small to change {q}: {value} plus that is the same float64; take at least {gap:.1g}"
            )
        after = self.moved.values(there)
        if (
            q.letter == "a"
            and q.layer == self.moved.network.depth
            and (np.isfinite(self.moved.before) > np.isfinite(after)).any()
        ):
            raise InputError(
                f"by: {by:g} moves {q} to where {self.moved.network.cost} is not defined; take a smaller one"
            )

    def trial(self, by: float, there: Trace) -> Trial:
        """Prediction, truth and what is between them."""
        changes = (
            self.moved.values(there) - self.moved.before
        )  # a sum of differences cancels less than a difference of sums
        predicted = self.moved.derivative * by
        actual = float((self.moved.shares * changes).sum()) + self.moved.penalty_change(by)
        remainder = actual - predicted
        kinked = any(
            (mine != theirs).any()
            for mine, theirs in zip(self.crossings.sides(0.0), self.crossings.sides(by, there), strict=True)
        )
        return Trial(by, predicted, actual, remainder, remainder / by**2 if by**2 else 0.0,
                     self.rounding(by, changes), kinked)  # fmt: skip

    # rounding ------------------------------------------------------------------------------------------

    def rounding(self, by: float, changes: Array) -> float:
        """How far rounding can make the remainder wrong, to first order.

        z of n products and b is off by up to n + 1 roundings of Σ|w·a| + |b|, and a by a few of itself, which the next
        z sees; ∂C/∂z times that reaches C, before and after the nudge. The sum w + h is off by one rounding, and that,
        times the derivative, reaches C too. (Higham, Accuracy and Stability of Numerical Algorithms, chapter 3.)
        """
        q, l = self.moved.q, self.moved.q.layer
        layers = [m for m in range(l, self.moved.factors.last + 1) if m > l or (m == l and q.letter in "wbz")]
        each = np.zeros(len(self.moved.Y))
        for m in layers:
            own = slice(q.j, q.j + 1) if m == l else slice(None)
            w, b = self.moved.p.w[m][own], self.moved.p.b[m][own]
            sizes = np.abs(self.moved.here.a[m - 1]) @ np.abs(w).T + np.abs(b)
            count = self.moved.network.sizes[m - 1] + 1 + _OF_A_FUNCTION
            each += 2 * count * (np.abs(self.moved.factors.deltas.dC_dz[m][:, own]) * sizes).sum(axis=1)
        each += 2 * self._sizes()
        slopes = np.abs(self.moved.slopes)
        products = sum(self.moved.network.sizes[m - 1] + 1 + _OF_A_FUNCTION for m in layers) + 2
        each += slopes * (np.maximum(np.abs(self.moved.start), np.abs(self.moved.start + by)) + products * abs(by))
        summed = (log2(len(self.moved.Y)) + 2) * np.abs(changes)
        penalties = 0.0
        if self.moved.asked.penalised:
            l1, l2 = self.moved.network.l1, self.moved.network.l2
            penalties = _OF_A_FUNCTION * (penalty(self.moved.start, l1, l2) + penalty(self.moved.start + by, l1, l2))
        return _U * (float(self.moved.shares @ (each + summed)) + penalties)

    def _sizes(self) -> Array:
        """What the roundings of the last function, the cost or the node itself, are relative to; times their number."""
        size = np.abs(self.moved.before)
        if self.moved.top is None:
            L = self.moved.network.depth
            a = self.moved.here.a[L]
            if self.moved.network.C.canonical is None:
                size = size + np.abs(a * self.moved.factors.sensitivity(L)).sum(axis=1)
            elif self.moved.network.cost == "poisson":  # a − y·ln a can be 0 where neither part is
                size = size + np.abs(a).sum(axis=1)
            return (self.moved.network.sizes[L] + _OF_A_FUNCTION) * size
        return _OF_A_FUNCTION * size

    # the chain -----------------------------------------------------------------------------------------

    def chain(self, by: float, there: Trace, whole: Trial) -> tuple[tuple[Step, ...], dict[str, int]]:
        """The steps, and of how many neurons more each node is."""
        q = self.moved.q
        if q == self.moved.top:
            return (Step(str(q), self.moved.total(self.moved.before), whole.predicted, whole.actual),), {}
        change = self.moved.start + by - self.moved.start
        steps = [Step(str(q), self.moved.mean(self.moved.start), by, self.moved.mean(change))]
        hidden: dict[str, int] = {}
        slopes = self.moved.factors.tangent
        for letter, l, neurons in self._nodes(slopes):
            slope, here, after = (
                (trace.z if letter == "z" else trace.a)[l] for trace in (slopes, self.moved.here, there)
            )  # fmt: skip
            for j in neurons:
                predicted = by / self.moved.asked.scale * self.moved.mean(slope[:, j])
                steps.append(
                    Step(
                        f"{letter}{l}[{j}]",
                        self.moved.mean(here[:, j]),
                        predicted,
                        self.moved.mean(after[:, j] - here[:, j]),
                    )
                )
            alone = l == q.layer and (letter == "z" or l == 0 or self.moved.network.σ(l).elementwise)
            alone = alone or (
                self.moved.top is not None and l == self.moved.top.layer and self.moved.network.σ(l).elementwise
            )
            if not alone and len(neurons) < self.moved.network.sizes[l]:
                hidden[f"{letter}{l}"] = self.moved.network.sizes[l] - len(neurons)
        if self.moved.asked.penalised:
            data, own = whole.predicted - self.moved.penalty_slope * by, self.moved.penalty_change(by)
            network = self.moved.network
            penalties = sum(penalty(w, network.l1, network.l2) for w in self.moved.p.w.values())
            name = "C[0]" if len(self.moved.Y) == 1 else "mean of C[i]"
            steps.append(Step(name, self.moved.mean(self.moved.before), data, whole.actual - own))
            steps.append(Step("penalty", penalties, self.moved.penalty_slope * by, own))
        steps.append(Step(self.moved.asked.of, self.moved.total(self.moved.before), whole.predicted, whole.actual))
        return tuple(steps), hidden

    def _nodes(self, slopes: Trace) -> list[tuple[str, int, list[int]]]:
        """The nodes between the quantity and what is differentiated: letter, layer and neurons, in order."""
        q, top, last = self.moved.q, self.moved.top, self.moved.factors.last
        nodes: list[tuple[str, int, list[int]]] = [("a", 0, [q.j])] if q.letter == "x" else []
        for l in range(q.layer, last + 1):
            own, ends = l == q.layer, top is not None and l == last
            if own and q.letter in "ax":
                continue
            elementwise = self.moved.network.σ(l).elementwise
            δ = self.moved.factors.deltas.dC_dz[l]
            if own:
                neurons = [q.j]
            elif top is not None and ends and (elementwise or top.letter == "z"):
                neurons = [top.j]
            else:
                neurons = self._largest(slopes.z[l] * δ)
            if top is not None and ends and top.letter == "z":
                continue  # it is the end of the chain itself
            if not (own and q.letter == "z"):
                nodes.append(("z", l, neurons))
            if not ends:
                coupled = (
                    [] if elementwise else self._largest(slopes.a[l] * self.moved.factors.sensitivity(l), slopes.a[l])
                )
                nodes.append(("a", l, coupled or neurons))
        return nodes

    def _largest(self, flow: Array, otherwise: Array | None = None) -> list[int]:
        """The neurons through which most of the predicted change passes, in order of their numbers.

        Flow and ``otherwise``, which decides between those that let equally much pass, are (examples, neurons).
        """
        n = flow.shape[1]
        if n <= SHOWN_NEURONS + 1:
            return list(range(n))
        through = np.abs(self.moved.shares @ np.nan_to_num(flow, posinf=0, neginf=0))
        second = np.zeros(n) if otherwise is None else np.abs(self.moved.shares @ otherwise)
        order = sorted(range(n), key=lambda j: (-through[j], -second[j]))
        return sorted(order[:SHOWN_NEURONS])

    def _meanings(self) -> dict[str, str]:
        """What the input that the quantity is, or that it weighs, is called in the data."""
        q, inputs = self.moved.q, self.moved.asked.model.inputs
        k = q.k if q.layer == 1 else q.j if q.layer == 0 else None
        if k is None or inputs is None:
            return {}
        mean, s = float(inputs.mean[k]), float(inputs.scale[k])
        meanings = {f"x[{k}]": inputs.names[k]}
        if isfinite(mean) and (mean or s != 1):
            meanings[f"a0[{k}]"] = f"(x[{k}] − {mean:.6g})/{s:.6g}" if mean >= 0 else f"(x[{k}] + {-mean:.6g})/{s:.6g}"
        return meanings


def _averaged(name: str, n_examples: int) -> str:
    """How an axis calls a node: over several examples, all but parameters and the cost are means."""
    return f"mean of {name}" if n_examples > 1 and name[0] in "azx" else name
