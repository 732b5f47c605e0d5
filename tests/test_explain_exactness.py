"""An explanation is exact: its factors multiply and its terms add up to the gradient, and what it prints closes.

``pytest tests/test_explain_exactness.py --networks 1000`` tries that many triples of a network, a target and an
example, of depths 1 to 8, with every cost, output activation and hidden activation; the default is 300.

Three numbers are compared: the explanation's value, the product of its factors, and the entry of ``chainrule.gradient``
in float64. Each two are to differ by at most EXACT·Σ|terms|. Here Σ|terms| is the smallest sum that can be meant: of
the one sum that the explanation opens, Σ_j |w_jk σ′(z_j) ∂C/∂a_j|, times the other factors; where nothing is summed it
is |value|. Sums further on, in the ∂C/∂a_j, are not counted, though they cancel too: both sides round them alike.

An oracle does not. Against the complex step of oracles/complex_step.py the bound is EXACT·Σ|terms over all paths|, as
oracles/terms.py defines it: what rounding may do to the gradient, whatever the order of its sums.

The entry of ∇C that a derivative is: ∂C/∂z_j is ∂C/∂b_j. ∂C/∂a_j is the ∂C/∂b_j of a layer a → 1·a + 0 that is put in
behind it, and ∂a_j/∂(…) is ∂C/∂(…) of a cost whose slope is 1: huber, far from its target, of a layer that hands on a_j
alone. A softmax output is −ln of a cross-entropy, ∂a_j = −a_j ∂C.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from math import prod
from typing import Any

import numpy as np
import pytest
from given import random_problem
from oracles.complex_step import WIDE, complex_step
from oracles.networks import ELEMENTWISE, LAST
from oracles.terms import terms, value

from chainrule import Examples, Explanation, Model, Network, ParameterVector, explain, gradient
from chainrule.calculus import gradient as calculus
from chainrule.calculus.notation import Quantity, parse
from chainrule.model.encoding import InputColumn, Inputs

Array = np.ndarray[Any, Any]

EXACT = 1e-12
CHUNK = 50

PAIRS = [(cost, last) for cost, allowed in LAST.items() for last in allowed]
LOGARITHMIC = ("cross-entropy", "binary-cross-entropy", "poisson")
TARGETS = "wwwwbzaax"
NODES = ("", "", "", "", "C", "C", "a", "z")
"""What is differentiated: the cost by ``example=``, by its name C[i], or a node after the target."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        n: int = metafunc.config.option.networks
        chunks = [range(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
        metafunc.parametrize("seeds", chunks, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")


# the triples ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Triple:
    """What is asked: ∂of/∂target of one example of a model."""

    seed: int
    model: Model
    examples: Examples
    target: Quantity
    of: Quantity | None
    example: int
    by_name: bool

    @property
    def network(self) -> Network:
        return self.model.network

    def explained(self) -> Explanation:
        if self.by_name:
            return explain(self.model, self.examples, str(self.target), of=f"C[{self.example}]")
        of = "C" if self.of is None else str(self.of)
        return explain(self.model, self.examples, str(self.target), self.example, of=of)

    def __str__(self) -> str:
        return f"seed {self.seed}: ∂{self.of or 'C'}/∂{self.target}, example {self.example}, {self.network}"


def triple(seed: int, dtype: type[np.floating[Any]] = np.float64) -> Triple:
    """The triple of a seed; 352 in a row have every depth with every output."""
    random = np.random.default_rng([seed, 1])
    cost, last = PAIRS[seed % len(PAIRS)]
    depth, n = 1 + (seed + seed // len(PAIRS)) % 8, int(random.integers(1, 5))
    sizes = [int(size) for size in random.integers(1, 13, depth + 1)]
    activation = [*map(str, random.choice(ELEMENTWISE, depth - 1)), last]
    network = Network(sizes, activation, cost, *random.choice([0.0, 0.1], 2))
    parameters = ParameterVector(network, random.normal(size=network.n_parameters))
    a0 = random.normal(size=(n, sizes[0]))
    _keep_small(parameters, a0, most=10 ** random.uniform(0, 1.3))
    inputs = None
    if random.random() < 0.5:
        columns = tuple(InputColumn(f"column {k}") for k in range(sizes[0]))
        inputs = Inputs(columns, random.normal(size=sizes[0]), 10 ** random.uniform(-2, 2, sizes[0]))
    model = Model(parameters.astype(dtype), inputs)
    X = a0 if inputs is None else a0 * inputs.scale + inputs.mean
    examples = model.examples(X, _targets(random, cost, (n, sizes[-1])))
    target, of, by_name = _asked(random, network)
    return Triple(seed, model, examples, target, of, int(random.integers(n)), by_name)


def _keep_small(parameters: ParameterVector, a: Array, most: float) -> None:
    """Make w[l] and b[l] smaller where some |z| is above ``most``."""
    for l in parameters.network.layers:
        z = a @ parameters.w[l].T + parameters.b[l]
        factor = min(1, most / np.abs(z).max())
        parameters.w[l][:] *= factor
        parameters.b[l][:] *= factor
        if l < parameters.network.depth:
            a = value(parameters.network.activation[l - 1], factor * z)


def _targets(random: np.random.Generator, cost: str, shape: tuple[int, int]) -> Array:
    match cost:
        case "cross-entropy":
            hard = np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
            return hard if random.random() < 0.5 else random.dirichlet(np.ones(shape[1]), shape[0])
        case "binary-cross-entropy":
            return random.integers(2, size=shape).astype(float) if random.random() < 0.5 else random.random(shape)
        case "poisson":
            return random.poisson(5, shape).astype(float)
        case _:
            return 3 * random.normal(size=shape)


def _asked(random: np.random.Generator, network: Network) -> tuple[Quantity, Quantity | None, bool]:
    """A target, and what is differentiated: None for the cost, and whether that is called C[i]."""
    L = network.depth
    letter = str(random.choice(list(TARGETS)))
    node = str(random.choice(NODES))
    # ∂C/∂a of an output is the entry of no gradient where the cost is logarithmic: no other output goes with it
    lowest = 0 if letter in "ax" else 1
    highest = 0 if letter == "x" else L - 1 if letter == "a" and network.cost in LOGARITHMIC else L
    l = int(random.integers(lowest, highest + 1))
    j = int(random.integers(network.sizes[l]))
    target = Quantity(letter, l, j, int(random.integers(network.sizes[l - 1])) if letter == "w" else None)
    if node not in ("a", "z"):
        return target, None, node == "C"
    m = int(random.integers(max(l, 1), L + 1))
    if m == l and letter == "a":
        node = "a"  # z comes before it
    if m == l == L and letter == "a" and network.activation[-1] == "softmax":
        return target, None, False
    return target, Quantity(node, m, int(random.integers(network.sizes[m]))), False


# the gradient whose entry it is --------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """∂of/∂target as ``factor`` times the derivative of a cost with respect to a parameter."""

    parameters: ParameterVector
    a0: Array
    Y: Array
    parameter: Quantity
    factor: float

    def of(self, nabla_C: Array) -> Any:
        """That entry of a gradient, which is flat in the article's order."""
        flat = ParameterVector.zeros(self.parameters.network)
        q = self.parameter
        (flat.w if q.letter == "w" else flat.b)[q.layer][(q.j, q.k) if q.k is not None else q.j] = 1
        return nabla_C[flat.vector.astype(bool)][0]


def entry(t: Triple) -> Entry:
    p, network = t.model.parameters.astype(np.float64), t.network
    layers = [(p.w[l], p.b[l], network.activation[l - 1]) for l in network.layers]
    a0, Y = t.examples.a0[t.example : t.example + 1], t.examples.Y[t.example : t.example + 1]
    cost, factor = network.cost, 1.0
    if t.of is not None:
        layers = layers[: t.of.layer]
        w, b, activation = layers[-1]
        a = calculus.forward(p, a0).a[t.of.layer][0]
        if activation == "softmax" and t.of.letter == "a":
            Y, factor = np.eye(len(b))[t.of.j : t.of.j + 1], -float(a[t.of.j])
        else:
            layers[-1] = (w, b, "identity" if t.of.letter == "z" else activation)
            layers.append((np.eye(len(b))[t.of.j : t.of.j + 1], np.zeros(1), "identity"))
            cost, Y = "huber", np.full((1, 1), -1e9)
    q, l = t.target, t.target.layer
    if q.letter in "ax":
        n = network.sizes[l]
        layers.insert(l, (np.eye(n), np.zeros(n), "identity"))
        if q.letter == "x" and t.model.inputs is not None:
            factor /= float(t.model.inputs.scale[q.j])
        l += 1
    sizes = [a0.shape[1], *(len(b) for _, b, _ in layers)]
    vector = np.concatenate([part.ravel() for w, b, _ in layers for part in (w, b)])
    parameters = ParameterVector(Network(sizes, [activation for _, _, activation in layers], cost), vector)
    return Entry(parameters, a0, Y, q if q.letter == "w" else Quantity("b", l, q.j), factor)


# the comparisons -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """What of an explanation is compared."""

    value: float
    factors: tuple[tuple[str, float], ...]
    terms: tuple[tuple[tuple[float, ...], float], ...]
    summed: tuple[str, float] | None
    text: str

    @classmethod
    def read(cls, e: Explanation) -> "Record":
        return cls(
            e.value,
            tuple((f.symbol, f.value) for f in e.factors),
            tuple((tuple(f.value for f in term.factors), term.value) for term in e.terms),
            (e.summed.symbol, e.summed.value) if e.summed else None,
            e.text(),
        )

    @property
    def product(self) -> float:
        return prod(x for _, x in self.factors)

    @property
    def sum_of_sizes(self) -> float:
        """Σ|terms| of the sum that is opened; nothing is added up where there is none."""
        return sum(abs(x) for _, x in self.terms)

    @property
    def size(self) -> float:
        """Σ|terms| times the other factors."""
        if self.summed is None:
            return abs(self.value)
        return prod(self.sum_of_sizes if symbol == self.summed[0] else abs(x) for symbol, x in self.factors)


def faults(record: Record, at: Entry, exact: float = EXACT) -> list[str]:
    """Everything that is wrong with an explanation, in words."""
    return [*_wrong_value(record, at, exact), *_wrong_sum(record, exact), *unclosed(record)]


def _wrong_value(record: Record, at: Entry, exact: float) -> list[str]:
    nabla_C = gradient(Model(at.parameters), Examples(at.a0, at.Y))[1].vector
    numbers = {
        "the value": record.value,
        "the product": record.product,
        "the gradient": at.factor * float(at.of(nabla_C)),
    }
    found = [
        f"{p} is {x!r}, {q} is {y!r}: off by {abs(x - y) / record.size if record.size else np.inf:.2g} of Σ|terms|"
        for (p, x), (q, y) in combinations(numbers.items(), 2)
        if not abs(x - y) <= exact * record.size
    ]
    if WIDE:
        oracle = at.factor * at.of(complex_step(at.parameters, at.a0, at.Y, None)[1])
        paths = abs(at.factor) * at.of(terms(at.parameters, at.a0, at.Y, None).gradient)
        if not abs(record.value - oracle) <= exact * paths:
            found.append(
                f"the value is {record.value!r}, the oracle's is {oracle}: {abs(record.value - oracle) / paths}"
            )
    return found


def _wrong_sum(record: Record, exact: float) -> list[str]:
    found = [f"{xs} make {prod(xs)!r}, not the term {x!r}" for xs, x in record.terms if not _same(prod(xs), x, len(xs))]
    if record.summed is not None:
        total = sum(x for _, x in record.terms)
        if record.summed[0] not in [symbol for symbol, _ in record.factors]:
            found.append(f"{record.summed[0]} is none of the factors")
        if not abs(total - record.summed[1]) <= exact * record.sum_of_sizes:
            found.append(f"the terms add up to {total!r}, not to {record.summed}")
    return found


def _same(x: float, y: float, n: int) -> bool:
    """Whether these differ by an ulp for each of n factors at most."""
    return abs(x - y) <= n * np.spacing(max(abs(x), abs(y)))


# what is printed -----------------------------------------------------------------------------------

_FACTOR, _PRODUCT = Decimal("5e-9"), Decimal("5e-8")
"""How far 9 and 8 significant digits are from the number, relative to it."""


def unclosed(record: Record) -> list[str]:
    """What does not add up or multiply of what is printed."""
    headline = Decimal(record.text.split()[2])
    found: list[str] = []
    if not abs(headline - Decimal(record.value)) <= _PRODUCT * abs(headline):
        found.append(f"the headline is {headline}")
    if len(record.factors) > 1:
        product = [line for line in record.text.splitlines() if re.match(r"   ∂|[×=]  ∂", line)]
        *factors, shown = (_numbers(line)[-1] for line in product)
        if len(factors) != len(record.factors):
            found.append(f"{len(factors)} factors are printed, not {len(record.factors)}")
        if not _multiply(factors, shown, _PRODUCT * abs(shown)):
            found.append(f"the printed factors {factors} make {prod(factors)}, and {shown} is printed")
    tables = _tables(record.text)
    if len(tables) != (record.summed is not None):
        found.append(f"{len(tables)} sums are printed")
    for *rows, [total] in tables:
        if sum(row[-1] for row in rows) != total:
            found.append(f"the printed terms make {sum(row[-1] for row in rows)}, and {total} is printed")
        last_digit = min((_last_digit(x) for x in (total, *(row[-1] for row in rows)) if x), default=Decimal(0))
        for _, *factors, term in (row for row in rows if len(row) > 2):
            if not _multiply(factors, term, last_digit / 2):
                found.append(f"the printed factors {factors} make {prod(factors)}, not the term {term}")
    return found


def _multiply(factors: Sequence[Decimal], product: Decimal, rounding: Decimal) -> bool:
    """Whether printed factors make a printed product, each of them being rounded."""
    return abs(prod(factors) - product) <= len(factors) * _FACTOR * abs(prod(factors)) + rounding


def _last_digit(x: Decimal) -> Decimal:
    return Decimal(1).scaleb(int(x.as_tuple().exponent))


def _numbers(line: str) -> list[Decimal]:
    """The cells of a line that are numbers."""
    cells = re.split(r"\s{2,}", line.strip())
    return [Decimal(cell) for cell in cells if re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", cell)]


def _tables(text: str) -> list[list[list[Decimal]]]:
    """The numbers of each table that ends in a row called sum: row by row (neuron, factors, term), then the sum."""
    tables: list[list[list[Decimal]]] = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.splitlines()
        ends = [at for at, line in enumerate(lines) if line.endswith("= term") or line.startswith("  sum ")]
        if ends:
            header, total = ends
            tables.append([_numbers(line) for line in lines[header + 1 : total + 1]])
    return tables


# the tests -----------------------------------------------------------------------------------------


def test_factors_multiply_and_terms_add_up_to_the_gradient_and_what_is_printed_closes(seeds: range) -> None:
    asked = [triple(seed) for seed in seeds]
    found = [f"{t}: {fault}" for t in asked for fault in faults(Record.read(t.explained()), entry(t))]
    assert not found, "\n".join(found)


def test_a_float32_model_is_explained_as_the_float64_model_of_the_same_numbers(seeds: range) -> None:
    found: list[str] = []
    for seed in seeds:
        t = triple(seed, np.float32)
        assert t.model.parameters.vector.dtype == np.float32
        found += [f"{t}: {fault}" for fault in faults(Record.read(t.explained()), entry(t))]
    assert not found, "\n".join(found)


def test_300_triples_have_everything() -> None:
    triples = [triple(seed) for seed in range(300)]
    assert {t.network.depth for t in triples} == set(range(1, 9))
    assert {(t.network.cost, t.network.activation[-1]) for t in triples} == set(PAIRS)
    assert {name for t in triples for name in t.network.activation[:-1]} == set(ELEMENTWISE)
    assert {size for t in triples for size in t.network.sizes} == set(range(1, 13))
    assert {t.target.letter for t in triples} == set("wbazx")
    assert {t.of.letter if t.of else "C" for t in triples} == set("Caz")
    assert {t.target.layer for t in triples} == set(range(9))
    assert any(t.by_name for t in triples)
    assert any(t.target.letter == "x" and t.model.inputs for t in triples)


PLANTED: dict[str, Callable[[Record], Record]] = {
    "the value": lambda r: replace(r, value=r.value * (1 + 1e-9)),
    "a factor": lambda r: replace(r, factors=((r.factors[0][0], r.factors[0][1] * (1 + 1e-9)), *r.factors[1:])),
    "a term": lambda r: replace(r, terms=((r.terms[0][0], r.terms[0][1] * (1 + 1e-9)), *r.terms[1:])),
    "a factor of a term": lambda r: replace(r, terms=(((1.5, *r.terms[0][0]), r.terms[0][1]), *r.terms[1:])),
    "a term that is missing": lambda r: replace(r, terms=r.terms[1:]),
    "the sum": lambda r: replace(r, summed=(r.summed[0], r.summed[1] * (1 + 1e-9)) if r.summed else None),
    "a printed sum": lambda r: replace(r, text=_misprinted(r.text, "  sum ")),
    "a printed term": lambda r: replace(r, text=_misprinted(r.text, "  0  ")),
    "a printed factor": lambda r: replace(r, text=_misprinted(r.text, "×  ∂")),
}


def _misprinted(text: str, beginning: str) -> str:
    """The last number of the first line that begins like this, larger by a thousandth."""
    match = re.search(rf"(?m)^({beginning}.*\s)(\S+)$", text)
    assert match
    return text[: match.start(2)] + str(Decimal(match[2]) * Decimal("1.001")) + text[match.end() :]


@pytest.mark.parametrize("planted", PLANTED)
def test_a_mistake_is_caught(planted: str) -> None:
    model, examples = random_problem(5, (3, 4, 3, 2), "tanh", "squared-error")
    t = Triple(5, model, examples, parse("w1[1,2]", model.network), None, 0, False)
    right = Record.read(t.explained())
    assert faults(right, entry(t)) == []
    assert faults(PLANTED[planted](right), entry(t))


@pytest.mark.skipif(not WIDE, reason="the complex-step oracle needs an 80-bit longdouble")
def test_a_derivative_that_is_wrong_in_the_gradient_too_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    model, examples = random_problem(5, (3, 4, 3, 2), "tanh", "squared-error")
    t = Triple(5, model, examples, parse("w1[1,2]", model.network), None, 0, False)
    propagate = calculus.propagate

    def off(*arguments: Any) -> Any:
        deltas = propagate(*arguments)
        deltas.dC_dz[1] *= 1 + 1e-9
        return deltas

    monkeypatch.setattr(calculus, "propagate", off)
    assert any("oracle" in fault for fault in faults(Record.read(t.explained()), entry(t)))
