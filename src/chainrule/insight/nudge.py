"""One quantity moved by h: what its derivative predicts against what happens, at each step of the chain.

Δw → Δz → Δa → ΔC, the article's flowchart. What happens is computed by moving the number and running forward again;
no derivative takes part in it. What is left between the two, the remainder, is of second order in h.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, log2
from typing import Any

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty, penalty_derivative
from chainrule.calculus.gradient import costs, forward
from chainrule.calculus.network import Network, ParameterVector
from chainrule.calculus.trace import Trace
from chainrule.checks import number
from chainrule.errors import InputError
from chainrule.insight.chain import Chain
from chainrule.insight.question import Question, question
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

_OUTPUT_ITSELF = replace(ACTIVATIONS["identity"], log=np.log)
"""The σ for which a cost, which reads z, is read as a function of the output a."""


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
        return _Mover(asked).nudge(by)


class _Mover:
    """The question's quantity at any distance from where it is.

    ``start`` are its values, one of each example that counts or one for all; ``here`` is the trace before.
    """

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self.q = asked.q
        self.top = asked.top
        self.factors = Chain(asked)
        self.p: ParameterVector = asked.model.parameters
        self.network: Network = self.p.network
        self.Y = asked.examples.Y
        self.shares = example_shares(len(self.Y), asked.examples.weights)
        self.trace = self.factors.trace
        self.start = self._start()
        self.here = self.at(0.0)
        self.before = self.values(self.here)
        self.slopes = self.factors.values
        penalised = asked.penalised
        own = penalty_derivative(self.start, self.network.l1, self.network.l2)[0] if penalised else 0.0
        self.penalty_slope = float(own)
        self.derivative = float((self.shares * self.slopes).sum()) + self.penalty_slope

    def _start(self) -> Array:
        q = self.q
        match q.letter:
            case "w":
                return self.p.w[q.layer][q.j, q.k : q.k + 1] if q.k is not None else np.zeros(0)
            case "b":
                return self.p.b[q.layer][q.j : q.j + 1]
            case "z":
                return self.trace.z[q.layer][:, q.j]
            case _:
                inputs = self.asked.model.inputs if q.letter == "x" else None
                a = self.trace.a[q.layer][:, q.j]
                return a if inputs is None else inputs.mean[q.j] + inputs.scale[q.j] * a

    # moving --------------------------------------------------------------------------------------------

    def at(self, by: float) -> Trace:
        """Forward again, from the quantity on, when it is moved by this much."""
        q, l, j = self.q, self.q.layer, self.q.j
        z, a = dict(self.trace.z), dict(self.trace.a)
        if q.letter in "ax":
            a[l] = a[l].copy()
            a[l][:, j] += by / self.asked.scale
        else:
            z[l] = z[l].copy()
            z[l][:, j] = self._z(by)
            a[l] = self.network.σ(l).value(z[l])
        if l < self.network.depth:
            sizes, activation = self.network.sizes[l:], self.network.activation[l:]
            rest = Network(sizes, activation, self.network.cost)
            onward = forward(ParameterVector(rest, self.p.vector[-rest.n_parameters :]), a[l])
            for m in rest.layers:
                z[l + m], a[l + m] = onward.z[m], onward.a[m]
        return Trace(z, a)

    def _z(self, by: float) -> Array:
        """z of the quantity's own neuron, (examples,)."""
        q, l, j = self.q, self.q.layer, self.q.j
        if q.letter == "z":
            return self.start + by
        w, b = self.p.w[l][j].copy(), self.p.b[l][j]
        if q.k is None:
            b = b + by
        else:
            w[q.k] += by
        return self.trace.a[l - 1] @ w + b

    def values(self, trace: Trace) -> Array:
        """What is differentiated, of every example, (examples,)."""
        top, L = self.top, self.network.depth
        if top is not None:
            return (trace.z if top.letter == "z" else trace.a)[top.layer][:, top.j]
        if self.q.letter != "a" or self.q.layer != L:
            return costs(self.p, trace, self.Y)
        a, cost = trace.a[L], self.network.C  # an output that is moved by itself leaves its z behind
        if cost.canonical == "sigmoid":
            return cost.value(np.log(a) - np.log1p(-a), self.Y, self.network.σ(L))
        return cost.value(a, self.Y, _OUTPUT_ITSELF)

    def penalty_change(self, by: float) -> float:
        """What the penalty gains: of this one weight, since the others' share is the same before and after."""
        if not self.asked.penalised:
            return 0.0
        l1, l2 = self.network.l1, self.network.l2
        return penalty(self.start + by, l1, l2) - penalty(self.start, l1, l2)

    def total(self, values: Array) -> float:
        """The mean over the examples, with the penalty as it is before."""
        whole = self.top is None and self.asked.example is None
        network = self.network
        penalties = sum(penalty(w, network.l1, network.l2) for w in self.p.w.values()) if whole else 0.0
        return float(self.shares @ values) + penalties

    def mean(self, values: Array) -> float:
        """A mean over the examples; of one number for all, that number."""
        return float(self.shares @ values) if len(values) == len(self.shares) else float(values[0])

    # the record ----------------------------------------------------------------------------------------

    def nudge(self, by: float) -> Nudge:
        """The whole record."""
        q = self.q
        there = self.at(by)
        self._check(by, there)
        trials = tuple(self.trial(h, self.at(h)) for h in (by, by / 2, by / 4))
        first = trials[0]
        telling = [trial for trial in trials if trial.shows and not trial.kinked]
        chain, hidden = self.chain(by, there, first)
        at = [by * CURVE_REACH * (2 * i / (CURVE_POINTS - 1) - 1) for i in range(CURVE_POINTS)]
        before = self.mean(self.start)
        curve = [(before + h, self.total(self.values(self.at(h))) + self.penalty_change(h)) for h in sorted(at)]
        return Nudge(
            of=self.asked.of,
            wrt=str(q),
            by=by,
            n_examples=len(self.Y),
            derivative=self.derivative,
            predicted=first.predicted,
            actual=first.actual,
            remainder=first.remainder,
            rounding=first.rounding,
            wrt_before=before,
            wrt_after=self.mean(self.start + by),
            value_before=self.total(self.before),
            value_after=self.total(self.values(there)) + self.penalty_change(by),
            chain=chain,
            hidden=hidden,
            trials=trials,
            second_order=telling[-1].over_square if telling else None,
            penalty=self.asked.penalised,
            curve=tuple(curve),
            meanings=self._meanings(),
            notes=self._notes(by, there),
        )

    def _check(self, by: float, there: Trace) -> None:
        """Raise InputError for a ``by`` that moves nothing, or too far."""
        q, moved = self.q, self.start + by
        value = f"{self.start[0]:.17g}" if len(self.start) == 1 else "each of its values"
        if not np.isfinite(moved).all():
            raise InputError(f"by: {by:g} is too large: {q} would be {value} plus that, which float64 cannot hold")
        if (moved == self.start).all():
            gap = float(np.abs(np.spacing(self.start)).min())
            raise InputError(
                f"by: {by:g} is too small to change {q}: {value} plus that is the same float64; take at least {gap:.1g}"
            )
        after = self.values(there)
        if q.letter == "a" and q.layer == self.network.depth and (np.isfinite(self.before) > np.isfinite(after)).any():
            raise InputError(f"by: {by:g} moves {q} to where {self.network.cost} is not defined; take a smaller one")

    def trial(self, by: float, there: Trace) -> Trial:
        """Prediction, truth and what is between them."""
        changes = self.values(there) - self.before  # a sum of differences cancels less than a difference of sums
        predicted = self.derivative * by
        actual = float((self.shares * changes).sum()) + self.penalty_change(by)
        remainder = actual - predicted
        kinked = any(
            (mine != theirs).any() for mine, theirs in zip(self.sides(0.0), self.sides(by, there), strict=True)
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
        q, l = self.q, self.q.layer
        layers = [m for m in range(l, self.factors.last + 1) if m > l or (m == l and q.letter in "wbz")]
        each = np.zeros(len(self.Y))
        for m in layers:
            own = slice(q.j, q.j + 1) if m == l else slice(None)
            w, b = self.p.w[m][own], self.p.b[m][own]
            sizes = np.abs(self.here.a[m - 1]) @ np.abs(w).T + np.abs(b)
            count = self.network.sizes[m - 1] + 1 + _OF_A_FUNCTION
            each += 2 * count * (np.abs(self.factors.deltas.dC_dz[m][:, own]) * sizes).sum(axis=1)
        each += 2 * self._sizes()
        slopes = np.abs(self.slopes)
        products = sum(self.network.sizes[m - 1] + 1 + _OF_A_FUNCTION for m in layers) + 2
        each += slopes * (np.maximum(np.abs(self.start), np.abs(self.start + by)) + products * abs(by))
        summed = (log2(len(self.Y)) + 2) * np.abs(changes)
        penalties = 0.0
        if self.asked.penalised:
            l1, l2 = self.network.l1, self.network.l2
            penalties = _OF_A_FUNCTION * (penalty(self.start, l1, l2) + penalty(self.start + by, l1, l2))
        return _U * (float(self.shares @ (each + summed)) + penalties)

    def _sizes(self) -> Array:
        """What the roundings of the last function, the cost or the node itself, are relative to; times their number."""
        size = np.abs(self.before)
        if self.top is None:
            L = self.network.depth
            a = self.here.a[L]
            if self.network.C.canonical is None:
                size = size + np.abs(a * self.factors.sensitivity(L)).sum(axis=1)
            elif self.network.cost == "poisson":  # a − y·ln a can be 0 where neither part is
                size = size + np.abs(a).sum(axis=1)
            return (self.network.sizes[L] + _OF_A_FUNCTION) * size
        return _OF_A_FUNCTION * size

    # the chain -----------------------------------------------------------------------------------------

    def chain(self, by: float, there: Trace, whole: Trial) -> tuple[tuple[Step, ...], dict[str, int]]:
        """The steps, and of how many neurons more each node is."""
        q = self.q
        if q == self.top:
            return (Step(str(q), self.total(self.before), whole.predicted, whole.actual),), {}
        change = self.start + by - self.start
        steps = [Step(str(q), self.mean(self.start), by, self.mean(change))]
        hidden: dict[str, int] = {}
        slopes = self.factors.tangent
        for letter, l, neurons in self._nodes(slopes):
            slope, here, after = (
                (trace.z if letter == "z" else trace.a)[l] for trace in (slopes, self.here, there)
            )  # fmt: skip
            for j in neurons:
                predicted = by / self.asked.scale * self.mean(slope[:, j])
                steps.append(
                    Step(f"{letter}{l}[{j}]", self.mean(here[:, j]), predicted, self.mean(after[:, j] - here[:, j]))
                )
            alone = l == q.layer and (letter == "z" or l == 0 or self.network.σ(l).elementwise)
            alone = alone or (self.top is not None and l == self.top.layer and self.network.σ(l).elementwise)
            if not alone and len(neurons) < self.network.sizes[l]:
                hidden[f"{letter}{l}"] = self.network.sizes[l] - len(neurons)
        if self.asked.penalised:
            data, own = whole.predicted - self.penalty_slope * by, self.penalty_change(by)
            network = self.network
            penalties = sum(penalty(w, network.l1, network.l2) for w in self.p.w.values())
            name = "C[0]" if len(self.Y) == 1 else "mean of C[i]"
            steps.append(Step(name, self.mean(self.before), data, whole.actual - own))
            steps.append(Step("penalty", penalties, self.penalty_slope * by, own))
        steps.append(Step(self.asked.of, self.total(self.before), whole.predicted, whole.actual))
        return tuple(steps), hidden

    def _nodes(self, slopes: Trace) -> list[tuple[str, int, list[int]]]:
        """The nodes between the quantity and what is differentiated: letter, layer and neurons, in order."""
        q, top, last = self.q, self.top, self.factors.last
        nodes: list[tuple[str, int, list[int]]] = [("a", 0, [q.j])] if q.letter == "x" else []
        for l in range(q.layer, last + 1):
            own, ends = l == q.layer, top is not None and l == last
            if own and q.letter in "ax":
                continue
            elementwise = self.network.σ(l).elementwise
            δ = self.factors.deltas.dC_dz[l]
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
                coupled = [] if elementwise else self._largest(slopes.a[l] * self.factors.sensitivity(l), slopes.a[l])
                nodes.append(("a", l, coupled or neurons))
        return nodes

    def _largest(self, flow: Array, otherwise: Array | None = None) -> list[int]:
        """The neurons through which most of the predicted change passes, in order of their numbers.

        Flow and ``otherwise``, which decides between those that let equally much pass, are (examples, neurons).
        """
        n = flow.shape[1]
        if n <= SHOWN_NEURONS + 1:
            return list(range(n))
        through = np.abs(self.shares @ np.nan_to_num(flow, posinf=0, neginf=0))
        second = np.zeros(n) if otherwise is None else np.abs(self.shares @ otherwise)
        order = sorted(range(n), key=lambda j: (-through[j], -second[j]))
        return sorted(order[:SHOWN_NEURONS])

    # kinks ---------------------------------------------------------------------------------------------

    def _bends(self) -> list[tuple[int, float]]:
        """Each layer and kink of its σ that what is differentiated depends on."""
        first = self.q.layer + (self.q.letter in "ax")
        last = self.factors.last - (self.top is not None and self.top.letter == "z")
        return [(l, kink) for l in range(first, last + 1) for kink in self.network.σ(l).kinks]

    def sides(self, by: float, there: Trace | None = None) -> list[Array]:
        """On which side of each bend every z is, (examples, neurons) for one; and |w|, and huber's |a − y|.

        On a kink itself it is the side whose derivative is taken there, the left.
        """
        there = there or (self.at(by) if by else self.here)
        sides = [self._seen(there.z[l] > kink, l) for l, kink in self._bends()]
        if self._huber():
            sides.append(np.abs(there.a[self.network.depth] - self.Y) > 1)
        if self.asked.penalised and self.network.l1:
            w = self.start + by
            # up to 0 the tangent of |w| holds; from 0 on neither side's is taken
            sides.append(np.where(w == 0, np.sign(self.start), np.sign(w))[:, None])
        return sides

    def _huber(self) -> bool:
        return self.top is None and self.network.cost == "huber"

    def _seen(self, side: Array, l: int) -> Array:
        """With the neurons that what is differentiated does not depend on left out."""
        top = self.top
        return side[:, top.j : top.j + 1] if top is not None and l == top.layer else side

    def _notes(self, by: float, there: Trace) -> tuple[str, ...]:
        """Remarks on kinks: those it starts on and those on the way."""
        notes = list(self._starts())
        names = [self._name_z(l, kink) for l, kink in self._bends()]
        names += (
            [("|a − y| of output {j}", "1, where huber turns from a parabola into a line")] if self._huber() else []
        )
        names += [(f"{self.q}", "0, where |w| of the penalty has a kink")]  # is there only where l1 is
        pairs = zip(self.sides(0.0), self.sides(by, there), strict=True)
        for at, (mine, theirs) in enumerate(pairs):
            if (mine != theirs).any():
                notes.append(self._crossing(*names[at], mine != theirs, by, at))
        return tuple(notes)

    def _name_z(self, l: int, kink: float) -> tuple[str, str]:
        j = self.top.j if self.top is not None and l == self.top.layer else "{j}"
        return f"z{l}[{j}]", f"{kink:g}, where {self.network.activation[l - 1]} has a kink"

    def _crossing(self, name: str, kink: str, crossed: Array, by: float, bend: int) -> str:
        """What crosses a kink, and how far the tangent holds."""
        most = int(crossed.sum(axis=0).argmax())
        name = name.format(j=most)
        others = int(crossed.any(axis=0).sum()) - 1
        more = f" (and so do {others} more)" if others else ""
        slope = (
            "the curve bends more or less from there on" if "huber" in kink else "the tangent holds only up to there"
        )
        if len(crossed) == 1:
            return f"{name} crosses {kink}{more}: {slope}, {self.q} = {self._first_crossing(by, bend):.6g}"
        some = int(crossed.any(axis=1).sum())
        most_of = int(crossed[:, most].sum())
        if others:
            more = f"; of {others + 1} such neurons it is the one that does so most often, {some} examples have one"
        return f"{name} crosses {kink}, in {most_of:,} of {len(crossed):,} examples{more}: in those {slope}"

    def _first_crossing(self, by: float, bend: int) -> float:
        """Where the first z on the way is at the kink, by bisection; of one example."""
        here = self.sides(0.0)[bend]
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            crossed = (self.sides(by * middle)[bend] != here).any()
            low, high = (low, middle) if crossed else (middle, high)
        return float(self.start[0]) + by * low

    def _starts(self) -> tuple[str, ...]:
        """Remarks on kinks at which the derivative itself was taken."""
        notes: list[str] = []
        if len(self.Y) == 1:
            notes += self.factors.kinks(0)
        elif count := self.factors.examples_at_a_kink():
            notes.append(f"{count} of the examples take the derivative at a kink")
        if self.asked.penalised and self.network.l1 and not self.start.any():
            notes.append(f"{self.q} is exactly 0, where |{self.q}| has no derivative: 0 is taken")
        return tuple(notes)

    def _meanings(self) -> dict[str, str]:
        """What the input that the quantity is, or that it weighs, is called in the data."""
        q, inputs = self.q, self.asked.model.inputs
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
