"""Random networks: every output activation × cost × penalty × weighting that is legal, harmless and harsh.

A seed gives the same network for ever. No |z| is above 700 (80 for float32, whose e^z ends at 88), no number of the
calculation leaves the dtype, and no z is so near a kink that its rounding decides the side. Within that, anything:
layers that are saturated to the last bit, activations of 1e300, gradients that underflow.
"""

from dataclasses import dataclass
from itertools import count
from math import log10
from typing import Any

import numpy as np

from chainrule.calculus.network import Network, ParameterVector

from .complex_step import complex_step
from .terms import VALUES, Terms, layer_a, layer_z, reachable, terms

Array = np.ndarray[Any, Any]

ELEMENTWISE = tuple(VALUES)
LAST = {
    "squared-error": ELEMENTWISE,
    "half-squared-error": ELEMENTWISE,
    "mean-squared-error": ELEMENTWISE,
    "huber": ELEMENTWISE,
    "cross-entropy": ("softmax",),
    "binary-cross-entropy": ("sigmoid",),
    "poisson": ("exp", "softplus"),
}
PENALTIES = ((False, False), (True, False), (False, True), (True, True))

COMBINATIONS = [
    (cost, LAST[cost][i % len(LAST[cost])], penalties, weighted)
    for weighted in (False, True)
    for penalties in PENALTIES
    for i in range(len(ELEMENTWISE))  # so that every cost is as frequent
    for cost in LAST
]
STRIDE = 253  # has no factor in common with len(COMBINATIONS), so that any stretch of seeds is a mixture


@dataclass(frozen=True)
class Case:
    """One network with its numbers, its examples and their weights, all in one dtype."""

    seed: int
    parameters: ParameterVector
    X: Array
    Y: Array
    weights: Array | None

    @property
    def network(self) -> Network:
        return self.parameters.network

    def __str__(self) -> str:
        weighted = "" if self.weights is None else ", weighted"
        return f"seed {self.seed}, {self.X.dtype}: {self.network}, {len(self.X)} examples{weighted}"


def random_case(seed: int, dtype: type[np.floating[Any]] = np.float64, within_reach: bool = True) -> Case:
    """The network of a seed: the first of its random sequence that keeps within the dtype and away from kinks.

    ``within_reach`` also asks, in float64, that rounding leaves ∇C determined to 1e-12 of its norm (terms.reachable).
    About 4 of 100 networks are beyond it, most of them with one exp layer above another.
    """
    random = np.random.default_rng(seed)
    combination = COMBINATIONS[seed * STRIDE % len(COMBINATIONS)]
    number = np.finfo(dtype)
    for _ in count():
        case = _draw(seed, random, dtype, *combination)
        found = terms(case.parameters, case.X, case.Y, case.weights)
        if (
            found.largest < number.max / 1e4
            and found.kink_distance > 1e4 * number.eps  # z is off by at most 1e3·eps·E, see terms.py
            and found.largest_E < 0.01 / number.eps  #    so that what is of order (eps·E)² stays small
            and (not within_reach or dtype is not np.float64 or _reachable(case, found))
        ):
            return case
    raise AssertionError


def _reachable(case: Case, found: Terms) -> bool:
    return reachable(complex_step(case.parameters, case.X, case.Y, case.weights)[1], found)


def _draw(
    seed: int,
    random: np.random.Generator,
    dtype: type[np.floating[Any]],
    cost: str,
    last: str,
    penalties: tuple[bool, bool],
    weighted: bool,
) -> Case:
    depth, n = int(random.integers(1, 7)), int(random.integers(1, 9))
    sizes = [int(size) for size in random.integers(1, 13, depth + 1)]
    hidden = (
        random.choice(ELEMENTWISE, depth - 1) if random.random() < 0.5 else [random.choice(ELEMENTWISE)] * (depth - 1)
    )
    l1, l2 = (float(10 ** random.uniform(-5, 0)) if on else 0.0 for on in penalties)
    network = Network(sizes, [*map(str, hidden), last], cost, l1, l2)
    parameters = ParameterVector.zeros(network, dtype)
    scale = 10 ** random.uniform(-1, 1)
    parameters.vector[:] = random.normal(0, scale, network.n_parameters)
    X = (10 ** random.uniform(-1, 1) * random.normal(size=(n, sizes[0]))).astype(dtype)
    _scale_down(parameters, X, most=10 ** random.uniform(0.5, log10(700 if dtype is np.float64 else 80)))
    weights = None
    if weighted:
        weights = 10 ** random.uniform(-6, 6, n) * (random.random(n) < 0.8)
        weights[random.integers(n)] = 1
        weights = weights.astype(dtype)
    return Case(seed, parameters, X, _targets(random, cost, (n, sizes[-1])).astype(dtype), weights)


def _scale_down(parameters: ParameterVector, X: Array, most: float) -> None:
    """Make w[l] and b[l] smaller, layer by layer, until no |z| is above ``most``."""
    a, E = X.astype(np.longdouble), np.zeros(X.shape, np.longdouble)
    for l in parameters.network.layers:
        w, b = parameters.w[l], parameters.b[l]
        z, _ = layer_z(w, b, a, E, 0)
        largest = np.abs(z).max()
        if largest > most:
            factor = most / largest
            w *= factor
            b *= factor
            z *= factor
        if l < parameters.network.depth:
            a, E = layer_a(parameters.network.activation[l - 1], z, np.zeros_like(z), 0)


def _targets(random: np.random.Generator, cost: str, shape: tuple[int, int]) -> Array:
    hard = random.random() < 0.5
    match cost:
        case "cross-entropy":
            if hard:
                return np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
            Y = random.dirichlet(np.full(shape[1], 0.5), shape[0])
            Y[Y < 0.02] = 0
            return Y / Y.sum(axis=1, keepdims=True)
        case "binary-cross-entropy":
            return random.integers(2, size=shape) if hard else random.beta(0.5, 0.5, shape)
        case "poisson":
            return random.poisson(10 ** random.uniform(-1, 2), shape)
        case _:
            return random.integers(2, size=shape) if hard else 10 ** random.uniform(-1, 1.5) * random.normal(size=shape)
