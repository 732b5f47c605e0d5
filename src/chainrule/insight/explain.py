"""One derivative, factor by factor: the article's chain rule with its symbols, formulas and numbers.

For one example, ``factors`` multiply to ``value`` and ``terms`` are the rows of the article's sum over the next layer.
Over several examples a mean of products is not a product of means, so there are no factors: ``examples`` lists those
that count the most, each with factors of its own, and ``rest`` gathers the others.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from math import isfinite, prod
from typing import Any

import numpy as np

from chainrule.calculus import notation
from chainrule.calculus.activation import softmax_jacobian, sum_of_others
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty_derivative
from chainrule.calculus.gradient import backward, forward, propagate, sensitivity
from chainrule.calculus.network import Network, ParameterVector
from chainrule.calculus.notation import Quantity
from chainrule.calculus.trace import Deltas, Trace
from chainrule.errors import NotationError
from chainrule.insight.check import SMALLEST, complex_step, penalty_step
from chainrule.model.model import Examples, Model, check_fit

SHOWN_EXAMPLES = 5

_TINY = float(np.finfo(np.float64).tiny)
"""Below this, float64 loses digits."""


@dataclass(frozen=True)
class Factor:
    """One factor of the chain rule: ∂a1[0]/∂z1[0], its formula σ′(z1[0]), its value."""

    symbol: str
    formula: str
    value: float


@dataclass(frozen=True)
class Term:
    """One row of a sum over a layer: what passes through neuron ``neuron``; the factors multiply to the value."""

    symbol: str
    neuron: int
    factors: tuple[Factor, ...]
    value: float


@dataclass(frozen=True)
class Contribution:
    """What one example adds to the mean: ``contribution`` = ``share`` × ``value``, where value is ∂C_i/∂(…)."""

    example: int
    share: float
    value: float
    contribution: float
    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class Rest:
    """What all the examples that are not listed add to the mean together."""

    count: int
    contribution: float


@dataclass(frozen=True)
class Penalty:
    """The penalty's own share of the derivative."""

    symbol: str
    formula: str
    value: float


@dataclass(frozen=True)
class Check:
    """The same derivative by a method that knows no derivative, and by how much it differs.

    ``difference`` is relative to the sum of the absolute values that the explained value is the sum of.
    """

    method: str
    value: float
    difference: float


@dataclass(frozen=True)
class Explanation:
    """∂of/∂wrt = value; see the module for what is filled in when.

    ``summed`` is the quantity whose sum over a layer ``terms`` are the rows of, such as ∂C/∂a1[0]; ``context`` are
    further numbers of the same neuron, ``activation`` its σ by name, ``meanings`` what the input and the output in
    question are called in the data, ``check`` the value by an independent way, ``notes`` are remarks, such as that
    a derivative was taken at a kink.
    """

    of: str
    wrt: str
    value: float
    n_examples: int
    factors: tuple[Factor, ...] = ()
    terms: tuple[Term, ...] = ()
    summed: Factor | None = None
    examples: tuple[Contribution, ...] = ()
    rest: Rest | None = None
    penalty: Penalty | None = None
    context: Mapping[str, float] | None = None
    activation: str | None = None
    meanings: Mapping[str, str] | None = None
    check: Check | None = None
    notes: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, at full precision."""
        record = asdict(self)
        record["examples"] = list(record["examples"])
        if rest := record.pop("rest"):
            record["examples"].append({"rest": rest["count"], "contribution": rest["contribution"]})
        return record

    def text(self) -> str:
        """The explanation as plain text, no wider than 80 columns where the numbers allow it."""
        from chainrule.insight.explanation_text import text

        return text(self)

    def __str__(self) -> str:
        return self.text()


def explain(
    model: Model,
    examples: Examples,
    target: str,
    example: int | None = None,
    aliases: Mapping[str, str] | None = None,
    of: str = "C",
) -> Explanation:
    """∂of/∂target over all examples, or of one.

    ``target`` names a weight, a bias, an activation, a z, or a raw input x[k]; ``of`` is the cost ``C``, the cost
    ``C[i]`` of one example, or an activation or z. Over several examples, a derivative of or with respect to an a, a z
    or an x is the mean of the examples' own. Raises NotationError or InputError for what does not exist.
    """
    check_fit(model, examples)
    model = model.reading()
    q = notation.parse(target, model.network, aliases)
    top, example = _top(model.network, of, example)
    penalty = None
    if example is not None:
        examples = examples[example]
    elif top is None:
        penalty = _penalty(model.parameters, q)
    name = str(top) if top is not None else "C" if example is None else f"C[{example}]"
    reader = _Reader(model, examples, name, top)
    one = len(examples) == 1
    explanation = _of_one_example(reader, q, penalty) if one else _averaged(reader, q, examples, penalty)
    check = _check(reader, q, examples, penalty, explanation.value)
    return replace(explanation, meanings=_meanings(model, q), check=check)


def _top(network: Network, of: str, example: int | None) -> tuple[Quantity | None, int | None]:
    """What is differentiated, None for the cost, and which example's."""
    if match := re.fullmatch(r"\s*C(?:\[\s*([0-9]{1,18})\s*\]|\.([0-9]{1,18}))?\s*", of):
        named = match[1] or match[2]
        if named is not None and example is not None and int(named) != example:
            raise NotationError(f"{of!r} is the cost of one example, and --example {example} is another")
        return None, example if named is None else int(named)
    top = notation.parse(of, network)
    if top.letter not in "az":
        raise NotationError(f"{of!r} has no derivatives to explain; name the cost C, C.0, an activation a1.0 or a z1.0")
    return top, example


class _Reader:
    """A forward and a backward pass over some examples, and the factors that can be read off them.

    ``C`` is what the derivatives are of, as symbols show it: the cost, or the quantity ``top``.
    """

    def __init__(self, model: Model, examples: Examples, C: str, top: Quantity | None) -> None:
        p = model.parameters
        self.inputs = model.inputs
        self.parameters = p
        self.network: Network = p.network
        self.Y = examples.Y
        self.C = C
        self.top = top
        self.last = self.network.depth if top is None else top.layer
        self.trace: Trace = forward(p, examples.a0)
        if top is None:
            self.deltas: Deltas = backward(p, self.trace, examples.Y)
        else:
            self.deltas = propagate(p, self.trace, top.layer, self._top_delta(top))
        self.sensitivity = cache(self._sensitivity)

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
            return sensitivity(self.parameters, self.trace, self.deltas, self.Y, l)
        itself = np.zeros_like(self.trace.a[l])
        itself[:, self.top.j] = float(l == self.last and self.top.letter == "a")
        return itself

    def values(self, q: Quantity) -> Array:
        """∂C_i/∂q of every example, (examples,)."""
        if q.layer > self.last:
            return np.zeros(len(self.Y))
        if q.letter in "ax":
            return self.sensitivity(q.layer)[:, q.j] / (self.scale(q.j) if q.letter == "x" else 1)
        δ = self.deltas.dC_dz[q.layer][:, q.j]
        return δ if q.k is None else δ * self.trace.a[q.layer - 1][:, q.k]

    def scale(self, k: int) -> float:
        """s in a0 = (x − mean)/s."""
        return 1.0 if self.inputs is None else float(self.inputs.scale[k])

    def factors(self, q: Quantity, row: int, whole: bool = False) -> tuple[Factor, ...]:
        """The chain from C to q for one example: ∂C/∂a, ∂a/∂z, ∂z/∂w, as far as q needs them; or ∂C/∂z whole."""
        if q.layer > self.last:
            return (Factor(f"∂{self.C}/∂{q}", f"{self.C} comes before {q}", 0.0),)
        if q.letter in "ax":
            outer = self.dC_da(q.layer, q.j, row)
            scale = self.scale(q.j)
            return (outer, Factor(f"∂a0[{q.j}]/∂{q}", f"1/{scale:.6g}", 1 / scale)) if q.letter == "x" else (outer,)
        chain = (self.dC_dz_whole(q.layer, q.j, row),) if whole else self.dC_dz(q.layer, q.j, row)
        z = f"z{q.layer}[{q.j}]"
        if q.k is not None:
            a = float(self.trace.a[q.layer - 1][row, q.k])
            return (*chain, Factor(f"∂{z}/∂{q}", f"a{q.layer - 1}[{q.k}]", a))
        return (*chain, Factor(f"∂{z}/∂{q}", "1", 1.0)) if q.letter == "b" else chain

    def dC_dz(self, l: int, j: int, row: int) -> tuple[Factor, ...]:
        """∂C/∂a and ∂a/∂z of a neuron; one factor ∂C/∂z where softmax, or overflow, does not let them apart."""
        σ = self.network.σ(l)
        if not σ.elementwise or (self.top is not None and l == self.last):
            return (self.dC_dz_whole(l, j, row),)
        slope = float(σ.derivative(self.trace.z[l][row, j : j + 1])[0])
        chain = (self.dC_da(l, j, row), Factor(f"∂a{l}[{j}]/∂z{l}[{j}]", f"σ′(z{l}[{j}])", slope))
        return chain if isfinite(chain[0].value) else (self.dC_dz_whole(l, j, row),)

    def dC_dz_whole(self, l: int, j: int, row: int) -> Factor:
        """∂C/∂z of a neuron as one factor."""
        a, z, y = f"a{l}[{j}]", f"z{l}[{j}]", f"y[{j}]"
        if self.top is not None and l == self.last:
            formula = self._top_formula(self.top, z)
        elif l < self.network.depth:
            formula = f"σ′({z})·∂{self.C}/∂{a}"
        elif self.network.activation[-1] == self.network.C.canonical:
            formula = f"{a} − {y}"
        else:
            formula = f"σ′({z})·({self.network.C.dC_da_formula.format(a=a, y=y)})"
        return Factor(f"∂{self.C}/∂{z}", formula, float(self.deltas.dC_dz[l][row, j]))

    def _top_formula(self, top: Quantity, z: str) -> str:
        """∂top/∂z within top's own layer."""
        own = z == f"z{top.layer}{top.entry}"
        if top.letter == "a" and not self.network.σ(top.layer).elementwise:
            return _softmax_slope(str(top), z.replace("z", "a"))
        return "0" if not own else "1" if top.letter == "z" else f"σ′({z})"

    def dC_da(self, l: int, j: int, row: int) -> Factor:
        """∂C/∂a of a neuron: from the cost in the last layer, as a sum over the next layer elsewhere."""
        a = f"a{l}[{j}]"
        if self.top is not None and l == self.last:
            formula = "1" if a == str(self.top) else "0"
        elif l == self.network.depth:
            formula = self.network.C.dC_da_formula.format(a=a, y=f"y[{j}]")
        elif self.network.σ(l + 1).elementwise and not (self.top is not None and l + 1 == self.last):
            formula = f"Σ_j w{l + 1}[j,{j}]·σ′(z{l + 1}[j])·∂{self.C}/∂a{l + 1}[j]"
        else:
            formula = f"Σ_j w{l + 1}[j,{j}]·∂{self.C}/∂z{l + 1}[j]"
        return Factor(f"∂{self.C}/∂{a}", formula, float(self.sensitivity(l)[row, j]))

    def next_layer(self, l: int, k: int, row: int) -> tuple[Term, ...]:
        """∂C/∂a of neuron k of layer l < L, term by term: one for each neuron j of the next layer."""
        neurons = range(self.network.sizes[l + 1])
        chains = [self.dC_dz(l + 1, j, row) for j in neurons]
        if len({len(chain) for chain in chains}) > 1:  # a sum whose rows have the same factors is easier to read
            chains = [(self.dC_dz_whole(l + 1, j, row),) for j in neurons]
        terms: list[Term] = []
        for j, chain in zip(neurons, chains, strict=True):
            w = Factor(f"∂z{l + 1}[{j}]/∂a{l}[{k}]", f"w{l + 1}[{j},{k}]", float(self.parameters.w[l + 1][j, k]))
            factors = (w, *reversed(chain))
            terms.append(Term(f"through z{l + 1}[{j}]", j, factors, prod(factor.value for factor in factors)))
        return tuple(terms)

    def softmax_sum(self, j: int, row: int) -> tuple[Term, ...]:
        """∂C/∂z of output j under softmax, term by term: one for each output m, since z_j moves every a_m."""
        L = self.network.depth
        outputs = range(self.network.sizes[L])
        jacobian = softmax_jacobian(self.trace.z[L][row])[:, j]
        pairs = [
            (
                Factor(f"∂a{L}[{m}]/∂z{L}[{j}]", _softmax_slope(f"a{L}[{m}]", f"a{L}[{j}]"), float(jacobian[m])),
                self.dC_da(L, m, row),
            )
            for m in outputs
        ]
        whole = [self._softmax_whole(m, j, row) for m in outputs]
        apart = all(
            isfinite(outer.value) and not abs(slope.value) < _TINY < abs(together.value)
            for (slope, outer), together in zip(pairs, whole, strict=True)
        )
        rows = pairs if apart else [(together,) for together in whole]
        return tuple(
            Term(f"through a{L}[{m}]", m, factors, prod(factor.value for factor in factors))
            for m, factors in zip(outputs, rows, strict=True)
        )

    def _softmax_whole(self, m: int, j: int, row: int) -> Factor:
        """∂C/∂a_m · ∂a_m/∂z_j as one factor: where a_m underflows, y_m/a_m overflows, but a_m cancels."""
        L = self.network.depth
        a, y = self.trace.a[L][row], self.Y[row]
        formula = f"−y[{m}]·(1 − a{L}[{j}])" if m == j else f"y[{m}]·a{L}[{j}]"
        value = -y[m] * sum_of_others(a)[j] if m == j else y[m] * a[j]
        return Factor(f"∂a{L}[{m}]/∂z{L}[{j}]·∂{self.C}/∂a{L}[{m}]", formula, float(value))

    def context(self, q: Quantity, row: int) -> dict[str, float]:
        """z and a of the neuron, and y in the last layer."""
        l, j = q.layer, q.j
        known = {f"z{l}[{j}]": float(self.trace.z[l][row, j])} if l else {}
        known[f"a{l}[{j}]"] = float(self.trace.a[l][row, j])
        if l == self.network.depth and self.top is None:
            known[f"y[{j}]"] = float(self.Y[row, j])
        return known

    def kinks(self, q: Quantity, row: int) -> tuple[str, ...]:
        """A remark for each z at a kink whose σ′ the value depends on, in q's layer and all after it."""
        used = [] if q.letter in "ax" or q.layer > self.last else [(q.layer, q.j)]
        used += [(l, j) for l in range(q.layer + 1, self.last + 1) for j in range(self.network.sizes[l])]
        return tuple(
            f"z{l}[{j}] is exactly {kink:g}, where {self.network.activation[l - 1]} has no derivative: "
            f"{self.network.σ(l).at_kink}"
            for l, j in used
            for kink in self.network.σ(l).kinks
            if self.trace.z[l][row, j] == kink
        )

    def examples_at_a_kink(self, q: Quantity) -> int:
        """How many examples have a z at a kink, in q's layer or after it."""
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


def _of_one_example(reader: _Reader, q: Quantity, penalty: Penalty | None = None) -> Explanation:
    factors = reader.factors(q, 0)
    softmax = reader.top is None and q.letter not in "ax" and not reader.network.σ(q.layer).elementwise
    if q.layer < reader.last:
        terms, summed = reader.next_layer(q.layer, q.j, 0), reader.dC_da(q.layer, q.j, 0)
    elif softmax:
        terms, summed = reader.softmax_sum(q.j, 0), factors[0]
    else:
        terms, summed = (), None
    value = float(reader.values(q)[0])
    return Explanation(
        of=reader.C,
        wrt=str(q),
        value=value + (penalty.value if penalty else 0.0),
        n_examples=1,
        factors=factors,
        terms=terms,
        summed=summed,
        penalty=penalty,
        context=reader.context(q, 0),
        activation=reader.network.activation[q.layer - 1] if q.layer else None,
        notes=reader.kinks(q, 0) + _penalty_kink(reader, q, penalty),
    )


def _averaged(reader: _Reader, q: Quantity, examples: Examples, penalty: Penalty | None) -> Explanation:
    values = reader.values(q)
    shares = example_shares(len(examples), examples.weights)
    contributions = shares * values
    mean = float(contributions.sum())
    largest = np.argsort(-np.abs(contributions), kind="stable")[:SHOWN_EXAMPLES]
    chains = {int(i): reader.factors(q, int(i)) for i in largest}
    if len({len(chain) for chain in chains.values()}) > 1:  # as in the sum over a layer
        chains = {i: reader.factors(q, i, whole=True) for i in chains}
    shown = tuple(
        Contribution(i, float(shares[i]), float(values[i]), float(contributions[i]), _renamed(chain, i, reader))
        for i, chain in chains.items()
    )
    others = np.delete(contributions, largest)
    kinks = reader.examples_at_a_kink(q)
    notes = (f"{kinks} of the examples take a derivative at a kink; --example tells more",) if kinks else ()
    return Explanation(
        of=reader.C,
        wrt=str(q),
        value=mean + (penalty.value if penalty else 0.0),
        n_examples=len(examples),
        examples=shown,
        rest=Rest(len(others), float(others.sum())) if len(others) else None,
        penalty=penalty,
        notes=notes + _penalty_kink(reader, q, penalty),
    )


def _renamed(chain: Sequence[Factor], i: int, reader: _Reader) -> tuple[Factor, ...]:
    """The factors of example i, which are derivatives of C[i] where they are of the cost."""
    if reader.top is not None:
        return tuple(chain)
    return tuple(
        Factor(f.symbol.replace("∂C/", f"∂C[{i}]/"), f.formula.replace("∂C/", f"∂C[{i}]/"), f.value) for f in chain
    )


def _check(reader: _Reader, q: Quantity, examples: Examples, penalty: Penalty | None, value: float) -> Check | None:
    """The value again, from values of the cost alone; None where float64 overflows or underflows on the way."""
    shares = example_shares(len(examples), examples.weights)
    parts = shares * complex_step(reader.parameters, examples.a0, examples.Y, q, reader.top)
    if q.letter == "x":
        parts = parts / reader.scale(q.j)
    again = float(parts.sum()) + (penalty_step(reader.parameters, q) if penalty else 0.0)
    size = float(np.abs(shares * reader.values(q)).sum()) + abs(penalty.value if penalty else 0.0)
    if 0 < size < SMALLEST:
        return None
    off = abs(again - value)
    return Check("complex step", again, off / size if size else off) if isfinite(off) and isfinite(size) else None


def _penalty(parameters: ParameterVector, q: Quantity) -> Penalty | None:
    network = parameters.network
    if q.k is None or not (network.l1 or network.l2):
        return None
    w = parameters.w[q.layer][q.j : q.j + 1, q.k]
    parts: Sequence[str] = [
        *([f"l1·sign({q})"] if network.l1 else []),
        *([f"2·l2·{q}"] if network.l2 else []),
    ]
    value = float(penalty_derivative(w, network.l1, network.l2)[0])
    return Penalty(f"∂penalty/∂{q}", " + ".join(parts), value)


def _penalty_kink(reader: _Reader, q: Quantity, penalty: Penalty | None) -> tuple[str, ...]:
    if penalty is None or q.k is None or not reader.network.l1 or reader.parameters.w[q.layer][q.j, q.k] != 0:
        return ()
    return (f"{q} is exactly 0, where |{q}| has no derivative: 0 is taken",)


def _meanings(model: Model, q: Quantity) -> dict[str, str]:
    """What the input and the output that q touches are called in the data."""
    meanings: dict[str, str] = {}
    k = q.k if q.layer == 1 else q.j if q.layer == 0 else None
    if k is not None and model.inputs is not None:
        scaled = model.inputs.mean[k] != 0 or model.inputs.scale[k] != 1
        meanings[f"a0[{k}]"] = model.inputs.names[k] + (", standardised" if scaled else "")
    if q.layer == model.network.depth and model.target is not None:
        scaled = model.target.classes is None and (model.target.mean[q.j] != 0 or model.target.scale[q.j] != 1)
        name = model.target.output_name(q.j, model.network.sizes[-1])
        meanings[f"a{q.layer}[{q.j}]"] = name + (", standardised" if scaled else "")
    return meanings
