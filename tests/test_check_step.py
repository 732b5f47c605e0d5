"""What explanations are checked against is itself right: in every layer, for every function, in all their tails."""

from typing import Any

import numpy as np
import pytest
from oracles.complex_step import STEP, VALUES, WIDE
from oracles.complex_step import complex_step as oracle
from oracles.networks import random_case
from oracles.terms import EPS64, ROUNDINGS, SLOPES, roundings, terms

from chainrule import Network, ParameterVector
from chainrule.calculus.cost import example_shares
from chainrule.calculus.notation import Quantity, parse
from chainrule.insight.check import SMALLEST, complex_step, penalty_step

Array = np.ndarray[Any, Any]

needs_wide = pytest.mark.skipif(not WIDE, reason="the complex-step oracle needs an 80-bit longdouble")

GRID = np.concatenate([np.linspace(-39, 39, 1561), np.linspace(-0.1, 0.1, 41), np.linspace(-700, 700, 401)])
"""Everything that an activation meets, e^(−z²/2) down to where it underflows, and both sides of 0."""


def _chain(*activation: str, cost: str = "squared-error") -> ParameterVector:
    """One neuron a layer, each weight 1, each bias 0."""
    p = ParameterVector.zeros(Network([1] * (len(activation) + 1), activation, cost))
    for w in p.w.values():
        w[:] = 1
    return p


@needs_wide
@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize("name", VALUES)
def test_a_step_through_an_activation_is_its_derivative(name: str, above: bool) -> None:
    """In the step's own layer, and in one above it."""
    z = GRID[:, None]
    last = 2 if above else 1
    p = _chain(*["identity"] * above, name)
    got = complex_step(p, z, np.zeros_like(z), Quantity("b", 1, 0), Quantity("a", last, 0))
    wide = GRID.astype(np.longdouble)
    expected = np.imag(VALUES[name](wide + 1j * STEP)) / STEP
    # each function is a dozen operations, the powers of Φ three dozen with factors that decrease
    limit = 16 * EPS64 * SLOPES[name][0](wide) + SMALLEST
    assert (np.abs(got - expected) <= limit).all(), GRID[np.abs(got - expected) > limit]


@needs_wide
@pytest.mark.parametrize("seed", range(0, 300, 5))
def test_a_step_of_a_parameter_is_the_oracle_s_entry_of_the_gradient(seed: int) -> None:
    case = random_case(seed, within_reach=False)
    p, network = case.parameters, case.network
    limits = terms(p, case.X, case.Y, case.weights)
    shares = example_shares(len(case.X), case.weights)
    expected = oracle(p, case.X, case.Y, case.weights)[1]
    random = np.random.default_rng(seed)
    names = [f"{name}[{','.join(map(str, at))}]" for name, values in p for at in np.ndindex(values.shape)]
    for at in map(int, random.choice(len(names), min(10, len(names)), replace=False)):
        q = parse(names[at], network)
        got = shares @ complex_step(p, case.X, case.Y, q) + (penalty_step(p, q) if q.letter == "w" else 0)
        limit = limits.gradient[at] + SMALLEST / EPS64  # below SMALLEST nothing is told
        assert roundings(np.array(got), expected[at], limit, EPS64) <= ROUNDINGS, names[at]


def test_a_quantity_before_the_step_does_not_move() -> None:
    p = _chain("tanh", "tanh", "tanh")
    x = np.linspace(-1, 1, 5)[:, None]
    for q, of in (("w2[0,0]", "a1[0]"), ("b3[0]", "z2[0]"), ("a2[0]", "z2[0]"), ("z1[0]", "a0[0]")):
        assert not complex_step(p, x, x, parse(q, p.network), parse(of, p.network)).any()


@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_the_slope_of_a_logarithmic_cost_is_found_where_an_output_is_all_but_0_or_1(y: float) -> None:
    z = np.linspace(-300, 300, 121)[:, None]
    Y = np.full_like(z, y)
    q = Quantity("a", 1, 0)
    inverse, rest = 1 + np.exp(-z[:, 0]), 1 + np.exp(z[:, 0])  # 1/a and 1/(1 − a) of a sigmoid
    sigmoid = complex_step(_chain("sigmoid", cost="binary-cross-entropy"), z, Y, q)
    assert sigmoid == pytest.approx(-y * inverse + (1 - y) * rest, rel=8 * EPS64, abs=0)
    exp = complex_step(_chain("exp", cost="poisson"), z, Y, q)
    assert exp == pytest.approx(1 - y * np.exp(-z[:, 0]), rel=8 * EPS64, abs=8 * EPS64 * y)
    p = ParameterVector.from_arrays(Network((1, 2), "softmax", "cross-entropy"), {"w1": [[1.0], [0.0]], "b1": [0, 0]})
    softmax = complex_step(p, z, np.concatenate([Y, 1 - Y], axis=1), q)
    assert softmax == pytest.approx(-y * inverse, rel=8 * EPS64, abs=0)


def test_a_weight_from_a_very_large_activation_is_stepped_by_less() -> None:
    p = _chain("exp", "sigmoid")
    p.w[2][:] = 1e-200
    large = np.exp(460.0)
    a = 1 / (1 + np.exp(-large * 1e-200))
    got = complex_step(p, np.full((1, 1), 460.0), np.zeros((1, 1)), Quantity("w", 2, 0, 0))
    assert got == pytest.approx(2 * a * a * (1 - a) * large, rel=8 * EPS64)
