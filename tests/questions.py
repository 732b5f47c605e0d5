"""What may be asked about small networks of moderate numbers, with every activation and cost."""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Any

import numpy as np
from given import random_problem
from oracles.complex_step import STEP, VALUES, cost, log_softmax
from oracles.networks import ELEMENTWISE, LAST

from chainrule import Examples, Explanation, Model, explain
from chainrule.calculus.notation import Quantity, parse
from chainrule.model.encoding import InputColumn, Inputs

Array = np.ndarray[Any, Any]

PAIRS = [(cost, last) for cost, lasts in LAST.items() for last in lasts]
PAIRS += [("cross-entropy", "softmax")] * 4 + [("binary-cross-entropy", "sigmoid")] * 2
DEPTHS = (1, 2, 3, 4, 2, 3)


@cache
def problem(seed: int) -> tuple[Model, Examples]:
    """The network of a seed: the first len(PAIRS) seeds have every cost with every output activation."""
    random = np.random.default_rng([seed, 7])
    cost, last = PAIRS[seed % len(PAIRS)]
    depth = DEPTHS[seed % len(DEPTHS)]
    sizes = [int(size) for size in random.integers(1, 5, depth + 1)]
    sizes[-1] = max(sizes[-1], 2 if last == "softmax" else 1)
    hidden = [name if name != "exp" else "tanh" for name in map(str, random.choice(ELEMENTWISE, depth - 1))]
    l1, l2 = ((0.0, 0.0), (0.1, 0.0), (0.0, 0.2), (0.1, 0.2))[seed % 4]
    bare, _ = random_problem(seed, sizes, [*hidden, last], cost, l1=l1, l2=l2)
    inputs = None
    if seed % 2:
        columns = tuple(InputColumn(f"column {k}") for k in range(sizes[0]))
        inputs = Inputs(columns, random.normal(size=sizes[0]), 10 ** random.uniform(-1, 1, sizes[0]))
    model = Model(bare.parameters, inputs)
    n = int(random.integers(2, 5))
    _, drawn = random_problem(seed, sizes, [*hidden, last], cost, n=n, weighted=seed % 3 == 0)
    X = drawn.a0 if inputs is None else drawn.a0 * inputs.scale + inputs.mean
    return model, model.examples(X, drawn.Y, drawn.weights)


@dataclass(frozen=True)
class Asked:
    """∂of/∂target of one example or as the mean over all."""

    seed: int
    target: str
    of: str
    example: int | None

    def __str__(self) -> str:
        return f"seed {self.seed}: ∂{self.of}/∂{self.target}, example {self.example}, {self.model.network}"

    @property
    def model(self) -> Model:
        return problem(self.seed)[0]

    @property
    def examples(self) -> Examples:
        return problem(self.seed)[1]

    @cached_property
    def explanation(self) -> Explanation:
        return explain(self.model, self.examples, self.target, self.example, of=self.of)

    @property
    def q(self) -> Quantity:
        return parse(self.target, self.model.network)

    @property
    def top(self) -> Quantity | None:
        return None if self.of.startswith("C") else parse(self.of, self.model.network)

    @property
    def rows(self) -> list[int]:
        """The examples it is over."""
        if self.explanation.n_examples > 1:
            return [*range(len(self.examples))]
        return [int(self.of[2:-1]) if self.of.startswith("C[") else self.example or 0]

    @property
    def shares(self) -> Array:
        """What each of them counts for."""
        s = self.examples.weights if len(self.rows) > 1 else None
        s = np.ones(len(self.rows)) if s is None else s
        return s / s.sum()

    @property
    def penalised(self) -> bool:
        return self.of == "C" and self.example is None and self.q.k is not None


@cache
def asked(seed: int, most: int = 25) -> tuple[Asked, ...]:
    """A selection of the questions of a network: the target in every layer, what is differentiated in every layer."""
    random = np.random.default_rng([seed, 8])
    model, examples = problem(seed)
    sizes, L = model.network.sizes, model.network.depth
    targets = [f"{letter}{l}[{random.integers(sizes[l])}]" for letter in "abz" for l in range(letter != "a", L + 1)]
    targets += [f"w{l}[{random.integers(sizes[l])},{random.integers(sizes[l - 1])}]" for l in range(1, L + 1)]
    targets += [f"x[{random.integers(sizes[0])}]"]
    nodes = [f"{letter}{l}[{random.integers(sizes[l])}]" for letter in "az" for l in range(letter == "z", L + 1)]
    example = int(random.integers(len(examples)))
    costs: list[tuple[str, int | None]] = [("C", None), ("C", example), (f"C[{example}]", None)]
    of_the_cost = [Asked(seed, target, of, i) for target, (of, i) in product(targets, costs)]
    of_nodes: list[Asked] = [Asked(seed, *each) for each in product(targets, nodes, (None, example))]
    return (*of_the_cost, *(of_nodes[int(at)] for at in random.permutation(len(of_nodes))[:most]))


# derivatives that no rule of differentiation was needed for ----------------------------------------


def derivatives(model: Model, examples: Examples, q: Quantity) -> dict[str, Array]:
    """∂/∂q of every a, z and the cost of every example by a complex step: a1 (examples, n_1), …, and C (examples,)."""
    found: dict[str, Array] = {}
    a = examples.a0.astype(np.clongdouble)
    scale = model.inputs.scale[q.j] if q.letter == "x" and model.inputs else 1
    z = a
    for l in range(model.network.depth + 1):
        if l:
            w, b = (part[l].astype(np.clongdouble) for part in (model.parameters.w, model.parameters.b))
            if q.letter in "wb" and q.layer == l:
                (w if q.k is not None else b)[(q.j, q.k) if q.k is not None else q.j] += 1j * STEP
            z = a @ w.T + b
            if (q.letter, q.layer) == ("z", l):
                z[:, q.j] += 1j * STEP
            found[f"z{l}"] = np.imag(z) / STEP
            name = model.network.activation[l - 1]
            a = np.exp(log_softmax(z)) if name == "softmax" else VALUES[name](z)
        if q.letter in "ax" and q.layer == l:
            a[:, q.j] += 1j * STEP / scale
        found[f"a{l}"] = np.imag(a) / STEP
    y = examples.Y.astype(np.longdouble)
    L = model.network.depth
    of_a = (q.letter, q.layer) == ("a", L)
    C = _cost_of_a(model.network.cost, a, y) if of_a else cost(model.network.cost, model.network.activation[-1], z, y)
    found["C"] = np.imag(C) / STEP
    return {name: value.astype(float) for name, value in found.items()}


def _cost_of_a(name: str, a: Array, y: Array) -> Array:
    """C_i from the outputs, which are no further than moderate numbers from anything."""
    match name:
        case "cross-entropy":
            each = -y * np.log(a)
        case "binary-cross-entropy":
            each = -y * np.log(a) - (1 - y) * np.log(1 - a)
        case "poisson":
            each = a - y * np.log(a)
        case _:
            return cost(name, "identity", a, y)
    return each.sum(axis=-1)
