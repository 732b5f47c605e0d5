"""Truths about gradients that hold whatever the numbers are; and the proof that a wrong gradient is noticed."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from oracles.complex_step import WIDE, complex_step
from oracles.multiprecision import multiprecision
from oracles.networks import Case, random_case
from oracles.terms import EPS32, EPS64, ROUNDINGS, faults, normwise_error, normwise_faults, terms

from chainrule import Network, ParameterVector
from chainrule.calculus import per_example
from chainrule.calculus.cost import example_shares, penalty_derivative
from chainrule.calculus.gradient import backward, costs, forward, gradient
from chainrule.calculus.network import layout

Array = np.ndarray[Any, Any]

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
cases = st.integers(0, 10**6).map(random_case)
several = cases.filter(lambda case: len(case.X) > 1)


def weights_of(case: Case) -> Array:
    return np.ones(len(case.X)) if case.weights is None else case.weights


def without_penalty(case: Case) -> Case:
    network = Network(case.network.sizes, case.network.activation, case.network.cost)
    return Case(case.seed, ParameterVector(network, case.parameters.vector), case.X, case.Y, case.weights)


def assert_equal_but_for_rounding(
    case: Case, C: float, nabla_C: Array, other: tuple[float, Array], order: Array | None = None
) -> None:
    """Both are within ROUNDINGS·eps·Σ|terms| of the truth (oracles/terms.py), so within twice that of each other.

    Every operation that these tests add, a weighted mean of at most 8 gradients, rounds a few times more.
    """
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    assert abs(C - other[0]) <= 2 * ROUNDINGS * EPS64 * limits.cost
    bound = limits.gradient if order is None else limits.gradient[order]
    assert (np.abs(nabla_C - other[1]) <= 2 * ROUNDINGS * EPS64 * bound).all()


def flat(result: tuple[float, ParameterVector]) -> tuple[float, Array]:
    return result[0], result[1].vector


@unhurried
@given(several)
def test_gradient_of_mean_is_mean_of_gradients(case: Case) -> None:
    case = without_penalty(case)
    single = [flat(gradient(case.parameters, case.X[[i]], case.Y[[i]])) for i in range(len(case.X))]
    share = weights_of(case) / weights_of(case).max()
    share /= share.sum()
    mean = sum(s * C for s, (C, _) in zip(share, single, strict=True))
    mean_gradient = np.sum([s * g for s, (_, g) in zip(share, single, strict=True)], axis=0)
    whole = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    assert_equal_but_for_rounding(case, float(mean), mean_gradient, whole)


@unhurried
@given(several, st.data())
def test_gradient_is_the_weighted_mean_of_any_split_s_gradients(case: Case, data: st.DataObject) -> None:
    case = without_penalty(case)
    in_first = np.array(data.draw(st.lists(st.booleans(), min_size=len(case.X), max_size=len(case.X))))
    s = weights_of(case)
    total, total_gradient, everything = 0.0, np.zeros_like(case.parameters.vector), s.sum()
    for part in (in_first, ~in_first):
        if s[part].sum() > 0:  # a part that counts for nothing has no mean
            C, nabla_C = flat(gradient(case.parameters, case.X[part], case.Y[part], s[part]))
            total += C * (s[part].sum() / everything)
            total_gradient += nabla_C * (s[part].sum() / everything)
    whole = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    assert_equal_but_for_rounding(case, total, total_gradient, whole)


@unhurried
@given(cases.filter(lambda case: case.network.depth > 1), st.data())
def test_permuting_hidden_neurons_permutes_the_gradient(case: Case, data: st.DataObject) -> None:
    network = case.network
    l = data.draw(st.integers(1, network.depth - 1))
    order = data.draw(st.permutations(range(network.sizes[l])))

    def permuted(p: ParameterVector) -> ParameterVector:
        q = p.copy()
        q.w[l][:], q.b[l][:], q.w[l + 1][:] = p.w[l][order], p.b[l][order], p.w[l + 1][:, order]
        return q

    there = permuted(ParameterVector(network, np.arange(network.n_parameters, dtype=np.float64))).vector.astype(int)
    C, nabla_C = gradient(case.parameters, case.X, case.Y, case.weights)
    other = gradient(permuted(case.parameters), case.X, case.Y, case.weights)
    assert_equal_but_for_rounding(case, C, permuted(nabla_C).vector, flat(other), there)


@unhurried
@given(cases, st.data())
def test_weight_two_is_a_duplicated_example(case: Case, data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(case.X) - 1))
    s = weights_of(case).copy()
    twice = np.append(np.arange(len(case.X)), i)
    duplicated = flat(gradient(case.parameters, case.X[twice], case.Y[twice], s[twice]))
    s[i] *= 2
    case = Case(case.seed, case.parameters, case.X, case.Y, s)
    assert_equal_but_for_rounding(case, *flat(gradient(case.parameters, case.X, case.Y, s)), duplicated)


@unhurried
@given(cases, st.floats(1e-3, 1e3))
def test_only_the_ratio_of_the_weights_matters(case: Case, factor: float) -> None:
    scaled = flat(gradient(case.parameters, case.X, case.Y, weights_of(case) * factor))
    whole = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    assert_equal_but_for_rounding(case, *whole, scaled)


@unhurried
@given(cases)
def test_weighted_mean_of_per_example_gradients_with_the_penalty_is_the_gradient(case: Case) -> None:
    network, p = case.network, case.parameters
    trace = forward(p, case.X)
    rows = per_example.gradients(network, trace, backward(p, trace, case.Y))
    share = example_shares(len(case.X), case.weights)
    mean = ParameterVector(network, share @ rows)
    for l in network.layers:
        mean.w[l][:] += penalty_derivative(p.w[l], network.l1, network.l2)
    C, nabla_C = flat(gradient(p, case.X, case.Y, case.weights))
    assert_equal_but_for_rounding(case, C, mean.vector, (C, nabla_C))


@unhurried
@given(cases)
def test_per_example_gradient_is_the_gradient_of_that_example_alone(case: Case) -> None:
    case = without_penalty(case)
    trace = forward(case.parameters, case.X)
    rows = per_example.gradients(case.network, trace, backward(case.parameters, trace, case.Y))
    each_cost = costs(case.parameters, trace, case.Y)
    for i, row in enumerate(rows):
        alone = Case(case.seed, case.parameters, case.X[[i]], case.Y[[i]], None)
        C, nabla_C = flat(gradient(alone.parameters, alone.X, alone.Y))
        assert_equal_but_for_rounding(alone, float(each_cost[i]), row, (C, nabla_C))


@unhurried
@given(cases)
def test_one_parameter_s_column_is_that_of_the_explicit_rows(case: Case) -> None:
    trace = forward(case.parameters, case.X)
    deltas = backward(case.parameters, trace, case.Y)
    rows = per_example.gradients(case.network, trace, deltas)
    for block in layout(case.network):
        for at, index in enumerate(np.ndindex(block.shape), block.start):
            column = (
                per_example.weight_gradients(trace, deltas, block.layer, *index)
                if block.name.startswith("w")
                else per_example.bias_gradients(deltas, block.layer, *index)
            )
            assert (column == rows[:, at]).all()


@unhurried
@given(cases)
def test_gradient_norms_are_the_norms_of_the_explicit_rows(case: Case) -> None:
    trace = forward(case.parameters, case.X)
    deltas = backward(case.parameters, trace, case.Y)
    rows = per_example.gradients(case.network, trace, deltas)
    sizes = np.concatenate([np.abs(x).max(axis=1) for x in (*trace.a.values(), *deltas.dC_dz.values())])
    assume((np.concatenate([sizes, np.abs(rows).max(axis=1)]) < 1e150).all())  # where squares are still floats
    layers = per_example.layer_gradient_norms(trace, deltas)
    assert layers.shape == (len(case.X), case.network.depth)
    # A norm of n numbers rounds n + 2 times. Squares below tiny vanish, those of numbers below sqrt(tiny); a norm of
    # deltas that loses that much is then multiplied by ‖a‖.
    n = case.network.n_parameters + 4
    lost = n * np.sqrt(np.finfo(np.float64).tiny) * (1 + sizes.max())
    for l in case.network.layers:
        part = rows[
            :, [k for block in layout(case.network) if block.layer == l for k in range(block.start, block.stop)]
        ]
        np.testing.assert_allclose(layers[:, l - 1], np.linalg.norm(part, axis=1), rtol=n * EPS64, atol=lost)
    np.testing.assert_allclose(
        per_example.gradient_norms(trace, deltas), np.linalg.norm(rows, axis=1), rtol=n * EPS64, atol=2 * lost
    )


# the layout ----------------------------------------------------------------------------------------


@unhurried
@given(cases)
def test_parameter_vector_is_in_the_article_s_order_and_its_parts_are_views(case: Case) -> None:
    network = case.network
    vector = np.arange(network.n_parameters, dtype=np.float64)
    p = ParameterVector(network, vector)
    assert p.vector is vector
    assert list(p.arrays()) == [f"{letter}{l}" for l in network.layers for letter in "wb"]
    assert (np.concatenate([part.ravel() for _, part in p]) == vector).all()
    for l in network.layers:
        assert p.w[l].shape == (network.sizes[l], network.sizes[l - 1])
        assert p.b[l].shape == (network.sizes[l],)
    p.w[1][-1, 0] = -1.0
    p.b[network.depth][-1] = -2.0
    assert vector[(network.sizes[1] - 1) * network.sizes[0]] == -1.0  # row by row
    assert vector[-1] == -2.0
    assert not np.shares_memory(p.copy().vector, vector)


def test_flat_layout_of_a_small_network() -> None:
    p = ParameterVector(Network([2, 3, 1], "tanh", "squared-error"), np.arange(13.0))
    assert p.w[1].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert p.b[1].tolist() == [6, 7, 8]
    assert p.w[2].tolist() == [[9, 10, 11]]
    assert p.b[2].tolist() == [12]


# a wrong gradient is noticed -----------------------------------------------------------------------


def planted(vector: Array, k: int) -> Array:
    """A copy with entry k off by 0.1 %."""
    wrong = vector.copy()
    wrong[k] *= 1.001
    return wrong


def plain_case(dtype: type[np.floating[Any]], cost: str, last: str, l1: float = 0.0, l2: float = 0.0) -> Case:
    """A network none of whose entries is 0 or the small rest of large terms, so that 0.1 % is far above rounding.

    Positive weights and inputs, and targets on one side of the outputs, let no terms cancel.
    """
    random = np.random.default_rng(11)
    network = Network([3, 4, 2, 2], ["sigmoid", "tanh", last], cost, l1, l2)
    p = ParameterVector(network, random.uniform(0.2, 0.5, network.n_parameters).astype(dtype))
    if last == "softmax":
        p.w[3][1] *= -1  # the two outputs pull a layer below in one direction if their weights have opposite signs
    Y = np.array([[0.0, 1.0]]) if last in ("softmax", "sigmoid", "exp") else np.array([[-2.0, -3.0]])
    if last in ("sigmoid", "exp"):
        Y[:] = 0
    return Case(0, p, random.uniform(0.5, 1, (1, 3)).astype(dtype), Y.astype(dtype), np.ones(1, dtype))


PLAIN = [
    ("squared-error", "identity", 0.0, 0.0),
    ("huber", "tanh", 0.01, 0.0),
    ("binary-cross-entropy", "sigmoid", 0.0, 0.01),
    ("cross-entropy", "softmax", 0.0, 0.0),
    ("poisson", "exp", 0.01, 0.01),
]


@pytest.mark.parametrize("plain", PLAIN)
def test_an_error_of_a_thousandth_in_any_one_entry_is_caught_in_float64(plain: tuple[str, str, float, float]) -> None:
    case = plain_case(np.float64, *plain)
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    C, nabla_C = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    oracles = [multiprecision, complex_step] if WIDE else [multiprecision]
    for oracle in oracles:
        C_ref, reference = oracle(case.parameters, case.X, case.Y, case.weights)
        assert not faults(C, nabla_C, C_ref, reference, limits, EPS64)
        assert not normwise_faults(nabla_C, reference)
        for k in range(nabla_C.size):
            wrong = planted(nabla_C, k)
            assert any(f"entry {k} " in fault for fault in faults(C, wrong, C_ref, reference, limits, EPS64))
            assert normwise_faults(wrong, reference)
        assert faults(C * 1.001, nabla_C, C_ref, reference, limits, EPS64)


@pytest.mark.parametrize("plain", PLAIN)
def test_an_error_of_a_thousandth_in_any_one_entry_is_caught_in_float32(plain: tuple[str, str, float, float]) -> None:
    case = plain_case(np.float32, *plain)
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    C, nabla_C = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    C_ref, reference = flat(
        gradient(case.parameters.astype(np.float64), case.X.astype(np.float64), case.Y.astype(np.float64))
    )
    assert not faults(C, nabla_C, C_ref, reference, limits, EPS32)
    for k in range(nabla_C.size):
        assert any(f"entry {k} " in fault for fault in faults(C, planted(nabla_C, k), C_ref, reference, limits, EPS32))


@settings(unhurried, max_examples=30)
@given(cases)
def test_an_error_of_a_thousandth_of_the_terms_is_caught_in_any_network(case: Case) -> None:
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    C, nabla_C = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    for k in range(nabla_C.size):
        wrong = nabla_C.astype(np.longdouble)
        wrong[k] += limits.gradient[k] / 1000
        assert faults(C, wrong, C, nabla_C, limits, EPS64)


def test_a_nan_or_an_infinity_is_caught() -> None:
    case = plain_case(np.float64, *PLAIN[0])
    limits = terms(case.parameters, case.X, case.Y, case.weights)
    C, nabla_C = flat(gradient(case.parameters, case.X, case.Y, case.weights))
    for bad in (np.nan, np.inf):
        wrong = nabla_C.copy()
        wrong[3] = bad
        assert faults(C, wrong, C, nabla_C, limits, EPS64)
        assert normwise_faults(wrong, nabla_C)
        assert faults(bad, nabla_C, C, nabla_C, limits, EPS64)


def test_normwise_error_by_hand() -> None:
    assert normwise_error(np.array([3.0, 4.5]), np.array([3.0, 4.0])) == pytest.approx(0.1)
    assert normwise_error(np.zeros(2), np.zeros(2)) == 0
    assert normwise_error(np.array([0.0, 1e-9]), np.zeros(2)) > 0
