"""Each cost, its derivatives, the average over the examples and the penalties."""

from math import log, log1p
from typing import Any

import numpy as np
import pytest
from oracles.complex_step import penalty as oracle_penalty
from oracles.multiprecision import DIGITS, VALUES, cost_gradient, difference, exact, mp
from oracles.multiprecision import cost as exact_cost
from oracles.networks import LAST
from oracles.terms import last_layer

from chainrule import Network
from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.cost import COSTS, check_targets, example_shares, penalty, penalty_derivative
from chainrule.errors import InputError, NetworkError

Array = np.ndarray[Any, Any]

PAIRS = [(cost, activation) for cost, activations in LAST.items() for activation in activations]
ELEMENTWISE_PAIRS = [(cost, activation) for cost, activation in PAIRS if activation != "softmax"]

OUTPUTS = 3
ROUNDINGS = 8 + OUTPUTS
"""As for the activations, and one for each output summed."""


def saturated(cost: str, activation: str) -> tuple[Array, Array]:
    """z and y of a few examples, harmless ones and some with z = ±700, where that cost can be a float."""
    edge = 300.0 if activation == "exp" and cost != "poisson" else 700.0
    z = np.array([[0.4, -1.3, 2.2], [edge, -edge, 0.7], [-40.0, 39.0, 18.0], [-edge, edge, -0.2]])
    match cost:
        case "cross-entropy":
            Y = [[0, 1, 0], [0, 1, 0], [0.25, 0.5, 0.25], [0, 1, 0]]
        case "binary-cross-entropy":
            Y = [[0, 1, 0.3], [1, 0, 0.9], [0, 1, 1], [0, 1, 0.5]]
        case "poisson":
            Y = [[0, 1, 7], [0, 3, 1], [1, 0, 2.5], [12, 0, 1]]
        case _:
            Y = [[0.1, 0.9, -2], [1, 0, 3], [0, 1, 17.7], [0, 1, 0.5]]
    return z, np.array(Y, np.float64)


def bounds(cost: str, activation: str, z: Array, y: Array) -> tuple[Array, Array]:
    """Σ|terms| of C_i and of ∂C_i/∂z; cross-entropy reads z through z_j − z_m, as if z were rounded."""
    wide, E = z.astype(np.longdouble), np.abs(z) if cost == "cross-entropy" else np.zeros_like(z)
    C, δ, through_z = last_layer(cost, activation, wide, y.astype(np.longdouble), E.astype(np.longdouble))
    tiny, unit = np.finfo(np.float64).tiny, ROUNDINGS * np.finfo(np.float64).eps
    # |z|·tiny: silu and gelu multiply what has underflowed by z
    return unit * (C + (δ * E).sum(axis=1) + OUTPUTS * tiny), unit * (δ + through_z + (1 + np.abs(z)) * tiny)


@pytest.mark.parametrize(("cost", "activation"), PAIRS)
def test_cost_is_mpmath_s_also_where_the_output_is_saturated(cost: str, activation: str) -> None:
    z, Y = saturated(cost, activation)
    got = COSTS[cost].value(z, Y, ACTIVATIONS[activation])
    limit, _ = bounds(cost, activation, z, Y)
    with mp.workdps(DIGITS):
        for i in range(len(z)):
            reference = exact_cost(cost, activation, [*map(exact, z[i])], [*map(exact, Y[i])])
            assert abs(exact(got[i]) - reference) <= exact(limit[i]), f"example {i}"


@pytest.mark.parametrize(("cost", "activation"), PAIRS)
def test_delta_is_mpmath_s_derivative_also_where_the_output_is_saturated(cost: str, activation: str) -> None:
    z, Y = saturated(cost, activation)
    got = COSTS[cost].delta(z, Y, ACTIVATIONS[activation])
    _, limit = bounds(cost, activation, z, Y)
    with mp.workdps(DIGITS):
        for i in range(len(z)):
            reference = cost_gradient(cost, activation, [*map(exact, z[i])], [*map(exact, Y[i])])
            for j in range(OUTPUTS):
                assert abs(exact(got[i, j]) - reference[j]) <= exact(limit[i, j]), f"example {i}, output {j}"


@pytest.mark.parametrize(("cost", "activation"), ELEMENTWISE_PAIRS)
def test_dC_da_is_mpmath_s_derivative(cost: str, activation: str) -> None:
    z, Y = saturated(cost, activation)
    z = z[:1]  # where a is saturated ∂C/∂a of the logarithmic costs is not a float
    got = COSTS[cost].dC_da(z, Y[:1], ACTIVATIONS[activation])
    _, limit = bounds(cost, activation, z, Y[:1])
    with mp.workdps(DIGITS):
        z_exact = [*map(exact, z[0])]
        by_z = cost_gradient(cost, activation, z_exact, [*map(exact, Y[0])])
        for j in range(OUTPUTS):
            slope = difference(VALUES[activation], z_exact[j])
            if slope == 0:  # relu at z < 0: a = 0, and squared errors give 2(0 − y)
                assert activation == "relu"
                continue
            assert abs(exact(got[0, j]) - by_z[j] / slope) <= exact(limit[0, j]) / abs(slope)


@pytest.mark.parametrize(("cost", "activation"), ELEMENTWISE_PAIRS)
def test_dC_da_times_slope_is_delta(cost: str, activation: str) -> None:
    z, Y = saturated(cost, activation)
    z, Y = z[[0]], Y[[0]]
    σ = ACTIVATIONS[activation]
    _, limit = bounds(cost, activation, z, Y)
    by_chain = COSTS[cost].dC_da(z, Y, σ) * σ.derivative(z)
    assert (np.abs(by_chain - COSTS[cost].delta(z, Y, σ)) <= 2 * limit).all()


def test_dC_da_times_the_softmax_jacobian_is_delta() -> None:
    z, Y = saturated("cross-entropy", "softmax")
    z, Y = z[[0, 2]], Y[[0, 2]]
    σ = ACTIVATIONS["softmax"]
    _, limit = bounds("cross-entropy", "softmax", z, Y)
    dC_da = COSTS["cross-entropy"].dC_da(z, Y, σ)
    by_chain = np.einsum("ij,ijk->ik", dC_da, σ.derivative(z))
    # here Σ_j y_j·a_k and y_k are subtracted as they are
    assert (np.abs(by_chain - COSTS["cross-entropy"].delta(z, Y, σ)) <= 2 * limit + ROUNDINGS * 2.3e-16).all()


def test_dC_da_of_a_target_of_zero_is_zero_even_where_a_is_zero() -> None:
    z, Y = np.array([[800.0, -800.0]]), np.array([[1.0, 0.0]])
    assert COSTS["cross-entropy"].dC_da(z, Y, ACTIVATIONS["softmax"]).tolist() == [[-1.0, 0.0]]
    assert COSTS["binary-cross-entropy"].dC_da(z, Y, ACTIVATIONS["sigmoid"]).tolist() == [[-1.0, 1.0]]


def test_saturated_and_wrong_costs_as_much_as_z_says_and_has_a_full_derivative() -> None:
    z, Y = np.array([[700.0]]), np.array([[0.0]])
    cost, σ = COSTS["binary-cross-entropy"], ACTIVATIONS["sigmoid"]
    assert cost.value(z, Y, σ).tolist() == [700.0]
    assert cost.delta(z, Y, σ).tolist() == [[1.0]]
    assert cost.delta(z, 1 - Y, σ)[0, 0] == pytest.approx(-np.exp(-700), rel=1e-14)


def test_costs_by_hand() -> None:
    """a = 0.5 and a = 2.5 with targets 0 and 1, through the identity."""
    z, Y, σ = np.array([[0.5, 2.5]]), np.array([[0.0, 1.0]]), ACTIVATIONS["identity"]
    by_hand = {"squared-error": 2.5, "half-squared-error": 1.25, "mean-squared-error": 1.25, "huber": 0.125 + 1.0}
    assert {name: COSTS[name].value(z, Y, σ)[0] for name in by_hand} == by_hand
    assert COSTS["huber"].dC_da(z, Y, σ).tolist() == [[0.5, 1.0]]
    assert COSTS["cross-entropy"].value(np.zeros((1, 2)), Y, ACTIVATIONS["softmax"])[0] == pytest.approx(log(2))
    assert COSTS["binary-cross-entropy"].value(np.zeros((1, 2)), Y, ACTIVATIONS["sigmoid"])[0] == pytest.approx(
        2 * log(2)
    )
    assert COSTS["poisson"].value(np.zeros((1, 2)), Y, ACTIVATIONS["exp"]).tolist() == [2.0]
    assert COSTS["poisson"].value(np.zeros((1, 2)), Y, ACTIVATIONS["softplus"])[0] == pytest.approx(
        2 * log(2) - log(log1p(1))
    )


@pytest.mark.parametrize("r", [-1.0, 1.0])
def test_huber_at_one_is_the_same_from_both_sides(r: float) -> None:
    z, Y, σ = np.array([[r]]), np.array([[0.0]]), ACTIVATIONS["identity"]
    assert COSTS["huber"].value(z, Y, σ).tolist() == [0.5]
    assert COSTS["huber"].dC_da(z, Y, σ).tolist() == [[r]]


@pytest.mark.parametrize(("cost", "activation"), PAIRS)
def test_cost_keeps_float32(cost: str, activation: str) -> None:
    z, Y = (x[:1].astype(np.float32) for x in saturated(cost, activation))
    for f in (COSTS[cost].value, COSTS[cost].dC_da, COSTS[cost].delta):
        assert f(z, Y, ACTIVATIONS[activation]).dtype == np.float32


# which cost goes with which activation -------------------------------------------------------------


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_illegal_pair_is_refused_with_a_list_of_the_legal_ones(cost: str, activation: str) -> None:
    if (cost, activation) in PAIRS:
        assert Network([2, 3], activation, cost).cost == cost
        return
    with pytest.raises(NetworkError) as refusal:
        Network([2, 3], activation, cost)
    message = str(refusal.value)
    assert repr(cost) in message
    assert repr(activation) in message
    for name, activations in LAST.items():
        legal = " or ".join(activations) if len(activations) < 3 else "any but softmax"
        assert f"{name} with {legal}" in message


# the average over the examples ---------------------------------------------------------------------


def test_shares_without_weights_are_one_over_n() -> None:
    assert example_shares(4).tolist() == [0.25] * 4


def test_shares_are_the_weights_over_their_sum() -> None:
    assert example_shares(3, np.array([1, 0, 3])).tolist() == [0.25, 0.0, 0.75]


def test_shares_of_huge_and_tiny_weights_neither_overflow_nor_vanish() -> None:
    assert example_shares(2, np.array([1e308, 1e308])).tolist() == [0.5, 0.5]
    assert example_shares(2, np.array([5e-324, 5e-324])).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shares_have_the_dtype_asked_for(dtype: type[np.floating[Any]]) -> None:
    assert example_shares(3, None, dtype).dtype == dtype
    assert example_shares(3, np.ones(3), dtype).dtype == dtype


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -1.0, 2.0], "the weight of example 1 is -1"),
        ([1.0, 1.0, np.nan], "the weight of example 2 is nan"),
        ([np.inf, 1.0, 1.0], "the weight of example 0 is inf"),
        ([0.0, 0.0, 0.0], "every weight is 0"),
        ([1.0, 1.0], r"shape \(2,\), expected \(3,\)"),
        ([[1.0, 1.0, 1.0]], r"shape \(1, 3\), expected \(3,\)"),
    ],
)
def test_impossible_weights_are_refused_and_the_example_is_named(weights: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        example_shares(3, np.array(weights))


# the penalties -------------------------------------------------------------------------------------


def test_penalty_by_hand() -> None:
    w = np.array([[1.0, -2.0], [0.0, 4.0]])
    assert penalty(w, 0.5, 0.25) == 0.5 * 7 + 0.25 * 21
    assert penalty_derivative(w, 0.5, 0.25).tolist() == [[1.0, -1.5], [0.0, 2.5]]


def test_penalty_and_its_derivative_are_the_complex_step_s() -> None:
    random = np.random.default_rng(5)
    w, h = random.normal(size=(4, 3)), 1e-200
    for l1, l2 in ((0.0, 0.0), (0.3, 0.0), (0.0, 0.7), (0.3, 0.7)):
        slope = penalty_derivative(w, l1, l2)
        eps = w.size * np.finfo(np.float64).eps
        assert penalty(w, l1, l2) == pytest.approx(float(oracle_penalty(w, l1, l2)), rel=eps)
        for j, k in np.ndindex(4, 3):
            stepped = w.astype(np.complex128)
            stepped[j, k] += 1j * h
            assert slope[j, k] == pytest.approx(float(np.imag(oracle_penalty(stepped, l1, l2))) / h, rel=eps, abs=eps)


# the targets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cost", "Y", "message"),
    [
        ("cross-entropy", [[0.5, 0.5], [1.5, -0.5]], r"example 1: y\[0\] is 1.5"),
        ("cross-entropy", [[0.5, 0.5], [0.5, 0.4]], "example 1: its entries sum to 0.9"),
        ("binary-cross-entropy", [[0.0, 2.0]], r"example 0: y\[1\] is 2"),
        ("poisson", [[0.0], [-1.0]], r"example 1: y\[0\] is -1"),
        ("squared-error", [[np.nan]], r"example 0: y\[0\] is nan"),
    ],
)
def test_target_that_the_cost_cannot_take_is_named(cost: str, Y: list[list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_targets(COSTS[cost], np.array(Y))


@pytest.mark.parametrize(("cost", "activation"), PAIRS)
def test_legal_targets_are_accepted(cost: str, activation: str) -> None:
    _, Y = saturated(cost, activation)
    check_targets(COSTS[cost], Y)
