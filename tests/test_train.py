"""Training learns, repeats itself to the bit, and can be sliced, interrupted and continued."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from time import sleep
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from given import ENGINES, bits
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chainrule import (
    Network,
    Optimizer,
    ParameterVector,
    Settings,
    Table,
    Trained,
    initial_parameters,
    read_table,
    train,
)
from chainrule.calculus.cost import penalty, penalty_derivative
from chainrule.calculus.gradient import gradient
from chainrule.engines import engine
from chainrule.engines.optimizer import METHODS
from chainrule.engines.state import TrainingState
from chainrule.errors import InputError
from chainrule.training.loop import Progress, interrupts, train_epochs
from chainrule.training.split import split
from chainrule.training.train import LEAST_EPOCHS, LEAST_STEPS, plan

Array = NDArray[Any]

EPS = float(np.finfo(np.float64).eps)
EPS32 = float(np.finfo(np.float32).eps)


@cache
def _digits() -> Table:
    return read_table("digits")


def _state(
    optimizer: str = "adam",
    *,
    n: int = 23,
    batch_size: int = 5,
    seed: int = 0,
    weights: Array | None = None,
    dtype: type[np.floating[Any]] = np.float64,
) -> TrainingState:
    """A small run: 3-4-2, n examples in batches that do not divide them."""
    random = np.random.default_rng(100)
    network = Network((3, 4, 2), "tanh", "squared-error", l1=0.001, l2=0.01)
    X: NDArray[np.floating[Any]] = random.normal(size=(n, 3)).astype(dtype)
    Y: NDArray[np.floating[Any]] = random.normal(size=(n, 2)).astype(dtype)
    parameters = initial_parameters(network, 7, dtype)
    return TrainingState(parameters, Optimizer(optimizer, 0.05), X, Y, batch_size, seed, weights)


@pytest.fixture(scope="module", params=ENGINES)
def each_engine(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """Every engine in turn, in use and at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHAINRULE_ENGINE", request.param)
        yield engine()


# what is learned -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_digits_are_learned_with_the_defaults(seed: int) -> None:
    trained = train(_digits(), Settings(seed=seed))
    assert trained.test_score is not None
    assert trained.test_score >= 0.97
    assert trained.epochs == 60
    assert not trained.interrupted


def _trained(seed: int, **changes: Any) -> Trained:
    return train(_digits(), Settings(hidden=(12,), epochs=3, seed=seed, **changes))


def test_a_seed_fixes_every_bit_and_another_seed_changes_them() -> None:
    first, again, other = (_trained(seed).model.parameters.vector for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("optimizer", METHODS)
def test_every_optimizer_lowers_the_cost_of_digits_at_its_customary_rate(optimizer: str) -> None:
    trained = _trained(0, optimizer=Optimizer(optimizer))
    costs = trained.model.training["costs"]
    assert len(costs) == 3
    assert costs[2] < costs[1] < costs[0]


def test_the_train_cost_is_that_of_the_saved_parameters_over_the_training_examples() -> None:
    table = _numbers()
    settings_ = Settings(target=("y",), hidden=(4,), epochs=2, l1=1e-3, l2=1e-2)
    trained = train(table, settings_)
    rows, _ = split(table.n_rows, settings_.seed)
    examples = trained.model.examples_of(table)
    C, _ = gradient(trained.model.reading().parameters, examples.a0[rows], examples.Y[rows])
    # the examples were trained on in float32, and their mean is over that many rounded terms
    assert trained.train_cost == pytest.approx(C, rel=len(rows) * float(np.finfo(np.float32).eps))
    w = trained.model.parameters.w
    assert trained.train_penalty == pytest.approx(
        sum(1e-3 * np.abs(w[l]).sum() + 1e-2 * np.square(w[l]).sum() for l in w), rel=1e-5
    )


def test_a_regression_is_learned_in_the_targets_own_units() -> None:
    random = np.random.default_rng(0)
    x = random.normal(50, 20, 400)
    y = 1e6 + 3e4 * np.sin((x - 50) / 20)
    table = Table("waves", {"x": x, "y": y})
    trained = train(table, Settings(hidden=(16,), target=("y",), optimizer=Optimizer("adam", 0.01), epochs=200, l2=0.0))
    assert trained.test_score is not None
    assert trained.test_score > 0.95
    predicted = np.array(trained.model.predict(table))
    r2 = 1 - np.sum((predicted - y) ** 2) / np.sum((y - y.mean()) ** 2)
    assert r2 == pytest.approx(trained.test_score, abs=0.05)  # one of all rows, the other of a fifth of them


def test_several_targets_are_learned_together() -> None:
    x = np.linspace(-1, 1, 200)
    table = Table("lines", {"x": x, "up": 3 * x + 100, "down": -0.01 * x})
    trained = train(table, Settings(hidden=(8,), target=("up", "down"), epochs=60))
    assert trained.model.network.sizes == (1, 8, 2)
    assert trained.test_score is not None
    assert trained.test_score > 0.95
    up, down = trained.model.predict(table)[0]
    assert (up, down) == (pytest.approx(97, abs=0.5), pytest.approx(0.01, abs=0.002))


def test_two_classes_make_one_sigmoid_output() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=300)
    table = Table("signs", {"x": x, "sign": ["plus" if value > 0 else "minus" for value in x]})
    trained = train(table, Settings(hidden=(4,), target=("sign",), epochs=40))
    network = trained.model.network
    assert (network.sizes[-1], network.activation[-1], network.cost) == (1, "sigmoid", "binary-cross-entropy")
    assert trained.test_score is not None
    assert trained.test_score > 0.9
    assert trained.model.predict(Table("new", {"x": np.array([-2.0, 2.0])})) == ["minus", "plus"]


def test_texts_become_one_hot_inputs_that_are_not_scaled() -> None:
    colours = ["red", "green", "blue"] * 40
    table = Table("colours", {"colour": colours, "warm": [str(c == "red") for c in colours]})
    planned = plan(table, Settings(hidden=(), target=("warm",)))
    inputs = planned.model.inputs
    assert inputs is not None
    assert inputs.names == ["colour=blue", "colour=green", "colour=red"]
    assert set(np.unique(planned.state.X)) == {0, 1}
    assert (planned.state.X.sum(axis=1) == 1).all()
    assert train(table, Settings(hidden=(4,), target=("warm",), epochs=60)).test_score == 1


# scaling -------------------------------------------------------------------------------------------


def test_the_scaling_is_learned_from_the_rows_trained_on_alone() -> None:
    table = _numbers()
    before = plan(table, Settings(target=("y",)))
    test = _rows_held_out(table)
    moved = np.array(table.columns["x"])
    moved[test] += 1000
    after = plan(Table("moved", dict(table.columns) | {"x": moved}), Settings(target=("y",)))
    assert before.state.X.tobytes() == after.state.X.tobytes()
    assert before.state.Y.tobytes() == after.state.Y.tobytes()
    assert (after.test_X[:, 0] > before.test_X[:, 0] + 100).all()


def test_what_is_trained_on_has_mean_0_and_deviation_1() -> None:
    state = plan(_numbers(), Settings(target=("y",))).state
    for values in (state.X[:, 0], state.Y[:, 0]):
        # float32 rounds each of the n values by up to half an eps of its size, which is at most 4 here
        assert abs(float(values.mean(dtype=np.float64))) <= 4 * EPS32
        assert float(values.std(dtype=np.float64)) == pytest.approx(1, abs=4 * EPS32)


def test_without_scaling_the_numbers_enter_as_they_are() -> None:
    table = _numbers()
    planned = plan(table, Settings(target=("y",), standardise=False))
    assert set(planned.state.X[:, 0]) <= set(np.array(table.columns["x"]).astype(np.float32))


def test_a_column_that_never_changes_does_no_harm() -> None:
    table = _numbers()
    constant = Table("constant", dict(table.columns) | {"same": np.full(table.n_rows, 0.1)})
    planned = plan(constant, Settings(target=("y",)))
    assert float(np.abs(planned.state.X[:, 1]).max()) <= table.n_rows * 0.1 * EPS  # what the mean rounds away
    trained = train(constant, Settings(hidden=(8,), target=("y",), optimizer=Optimizer("adam", 0.01)))
    assert trained.test_score is not None
    assert trained.test_score > 0.9


def _numbers() -> Table:
    x = np.random.default_rng(2).normal(10, 3, 250)
    return Table("numbers", {"x": x, "y": 2 * x + 5})


def _rows_held_out(table: Table) -> Array:
    return split(table.n_rows, Settings().seed)[1]


# the split -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(0, 2**62))
def test_a_split_is_stratified_whole_and_never_takes_a_classs_last_example(labels: list[int], seed: int) -> None:
    classes = np.array(labels)
    training, test = split(len(classes), seed, classes)
    assert sorted([*training, *test]) == list(range(len(classes)))
    assert [*training] == sorted(training)
    assert [*test] == sorted(test)
    for c in set(labels):
        n = labels.count(c)
        assert np.count_nonzero(classes[test] == c) == round(0.2 * n) < n


def test_a_split_depends_on_its_seed_alone() -> None:
    first, again, other = (split(100, seed)[1].tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 20


# initial parameters --------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 400), ("gelu", 2 / 400), ("tanh", 2 / 700)])
def test_initial_weights_have_the_variance_that_keeps_signals_alive(activation: str, variance: float) -> None:
    p = initial_parameters(Network((400, 300, 1), (activation, "identity"), "squared-error"), seed=5)
    w = p.w[1].astype(np.float64)
    # the mean of 120,000 weights is off by √(variance/n), their variance by at most √(2/n) of itself; six times that
    assert abs(w.mean()) <= 6 * np.sqrt(variance / w.size)
    assert w.var() == pytest.approx(variance, rel=6 * np.sqrt(2 / w.size))
    assert not p.b[1].any()


def test_initial_parameters_depend_on_their_seed_alone() -> None:
    network = Network((3, 2), "tanh", "squared-error")
    first, again, other = (initial_parameters(network, seed).vector.tolist() for seed in (1, 1, 2))
    assert first == again != other


# steps ---------------------------------------------------------------------------------------------


def _sgd(p: ParameterVector, gradients: list[Array]) -> Array:
    return p.vector - 0.05 * sum(gradients)


def _momentum(p: ParameterVector, gradients: list[Array]) -> Array:
    """Each gradient lives on in every later velocity: v_t = Σ_s 0.9^(t−s) g_s."""
    T = len(gradients)
    return p.vector - 0.05 * sum(0.9 ** (t - s) * gradients[s] for t in range(T) for s in range(t + 1))


def _nesterov(p: ParameterVector, gradients: list[Array]) -> Array:
    """As momentum, with one more look ahead: g_t + 0.9·v_t."""
    T = len(gradients)
    velocities = [sum(0.9 ** (t - s) * gradients[s] for s in range(t + 1)) for t in range(T)]
    return p.vector - 0.05 * sum(g + 0.9 * v for g, v in zip(gradients, velocities, strict=True))


def _adam(p: ParameterVector, gradients: list[Array], decay: float = 0) -> Array:
    """With its two means written out as weighted sums, whose weights are made to sum to 1."""
    x, decays = p.vector, ParameterVector.zeros(p.network)
    for w in decays.w.values():
        w[:] = decay
    for t in range(1, len(gradients) + 1):
        m = sum(0.1 * 0.9 ** (t - s) * gradients[s - 1] for s in range(1, t + 1)) / (1 - 0.9**t)
        v = sum(0.001 * 0.999 ** (t - s) * gradients[s - 1] ** 2 for s in range(1, t + 1)) / (1 - 0.999**t)
        x = x - 0.05 * m / (np.sqrt(v) + 1e-8) - 0.05 * decays.vector * x
    return x


def _adamw(p: ParameterVector, gradients: list[Array]) -> Array:
    """The weights shrink by lr·λ of themselves beside the step; algorithm 2 of the paper, whose λ is lr·λ here."""
    return _adam(p, gradients, decay=0.01)


def _rmsprop(p: ParameterVector, gradients: list[Array]) -> Array:
    """Each gradient over the root of the weighted mean of the squares so far."""
    x = p.vector
    for t, g in enumerate(gradients):
        x = x - 0.05 * g / (np.sqrt(sum(0.1 * 0.9 ** (t - s) * gradients[s] ** 2 for s in range(t + 1))) + 1e-8)
    return x


BY_HAND: dict[str, Callable[[ParameterVector, list[Array]], Array]] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "nesterov": _nesterov,
    "adam": _adam,
    "adamw": _adamw,
    "rmsprop": _rmsprop,
}


@pytest.mark.parametrize("name", METHODS)
def test_steps_are_those_of_the_papers(name: str) -> None:
    random = np.random.default_rng(11)
    p = ParameterVector(Network((2, 2), "tanh", "squared-error"), random.normal(size=6))
    gradients = list(random.normal(size=(7, 6)))
    optimizer = Optimizer(name, 0.05)
    stepped = p.copy()
    moments = tuple(np.zeros(6) for _ in range(optimizer.n_moments))
    for t, g in enumerate(gradients, 1):
        optimizer.update(stepped, g, moments, t)
    # seven steps of a dozen operations; 1 − 0.999ᵗ keeps three digits fewer than the other numbers
    assert stepped.vector == pytest.approx(BY_HAND[name](p, gradients), rel=1000 * 84 * EPS, abs=84 * EPS)
    assert not np.allclose(stepped.vector, p.vector)


@pytest.mark.parametrize("name", METHODS)
def test_a_step_keeps_the_dtype(name: str) -> None:
    optimizer = Optimizer(name)
    p = np.ones(3, np.float32)
    moments = tuple(np.zeros(3, np.float32) for _ in range(optimizer.n_moments))
    optimizer.step(p, np.ones(3, np.float32), moments, 1)
    assert {array.dtype for array in (p, *moments)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", METHODS)
def test_a_run_makes_the_steps_that_its_order_says(each_engine: ModuleType, name: str) -> None:
    """Two epochs by hand: every batch's own gradient, penalty included, in the order drawn; the last batch is small."""
    state = _state(name)
    p = state.parameters.copy()
    gradients: list[Array] = []
    costs: list[float] = []
    for _ in range(2):
        order, spent = state.order.copy(), 0.0
        for at in range(0, 23, 5):
            batch = order[at : at + 5]
            C, g = gradient(p, state.X[batch], state.Y[batch])
            gradients.append(g.vector)
            p.vector[:] = BY_HAND[name](_state(name).parameters, gradients)
            spent += C * len(batch)
        costs.append(spent / 23)
        each_engine.run(state, 5)
    # ten steps of a dozen operations, their difference carried on from each step to the next
    assert state.parameters.vector == pytest.approx(p.vector, rel=1e-9, abs=1e-12)
    assert state.costs == pytest.approx(costs, rel=1e-9)
    assert (state.step, state.epoch, state.cursor, state.steps_per_epoch) == (10, 2, 0, 5)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_shared_penalty_is_divided_by_the_batchs_weight(each_engine: ModuleType, weighted: bool) -> None:
    weights = np.random.default_rng(2).uniform(0.1, 3, 23) if weighted else None
    state = _state("sgd", weights=weights)
    state.shared_penalty = True
    p, network = state.parameters.copy(), state.parameters.network
    plain = replace(network, l1=0.0, l2=0.0)
    spent = total = 0.0
    for at in range(0, 23, 5):
        batch = state.order[at : at + 5]
        s = None if weights is None else weights[batch]
        weight = float(len(batch) if s is None else s.sum())
        C, g = gradient(ParameterVector(plain, p.vector), state.X[batch], state.Y[batch], s)
        for l in network.layers:
            C += penalty(p.w[l], network.l1, network.l2) / weight
            g.w[l][:] += penalty_derivative(p.w[l], network.l1, network.l2) / weight
        p.vector[:] -= 0.05 * g.vector
        spent, total = spent + C * weight, total + weight
    each_engine.run(state, 5)
    # five steps, each a sum of five
    assert state.parameters.vector == pytest.approx(p.vector, rel=1e-12, abs=1e-14)
    assert state.costs == pytest.approx([spent / total], rel=1e-12)


def test_epsilon_hat_is_added_before_the_moments_are_corrected(each_engine: ModuleType) -> None:
    """The last three lines of section 2 of the paper: α_t = α·√(1 − β₂ᵗ)/(1 − β₁ᵗ), θ ← θ − α_t·m/(√v + ε̂)."""
    state = _state("adam", batch_size=23)
    state.optimizer = Optimizer("adam", 0.05, epsilon=0.1, epsilon_hat=True)
    p = state.parameters.copy()
    m, v = np.zeros_like(p.vector), np.zeros_like(p.vector)
    for t in range(1, 5):
        g = gradient(p, state.X, state.Y)[1].vector
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        p.vector[:] -= 0.05 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 0.1)
    each_engine.run(state, 4)
    assert state.parameters.vector == pytest.approx(p.vector, rel=1e-12, abs=1e-14)
    with pytest.raises(InputError, match="epsilon_hat: 1"):
        Optimizer(epsilon_hat=1)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("batch_size", [5, 23])
def test_epochs_come_in_the_orders_that_somebody_else_draws(each_engine: ModuleType, batch_size: int) -> None:
    random = np.random.default_rng(3)
    orders = [np.arange(23), *(random.permutation(23) for _ in range(3))]
    drawn, again = iter(orders), _state("sgd", batch_size=batch_size)
    given_orders = _state("sgd", batch_size=batch_size)
    state = replace(given_orders, order=np.empty(0, np.int64), next_order=lambda: next(drawn))
    for order in orders[:3]:
        assert (state.order == order).all()
        again.order = order
        for run in (state, again):
            each_engine.run(run, state.steps_per_epoch)
    assert (state.parameters.vector == again.parameters.vector).all()
    assert state.costs == again.costs


@given(st.integers(1, 40), st.integers(1, 45), st.integers(0, 2**62))
@settings(max_examples=30, deadline=None)
def test_every_epoch_visits_every_example_once_in_an_order_of_its_own(
    each_engine: ModuleType, n: int, batch_size: int, seed: int
) -> None:
    state = _state("sgd", n=n, batch_size=batch_size, seed=seed)
    orders: list[list[int]] = []
    for epoch in range(3):
        visited: list[int] = []
        while state.epoch == epoch:
            visited += state.order[state.cursor : state.cursor + batch_size].tolist()
            each_engine.run(state, 1)
        assert sorted(visited) == list(range(n))
        orders.append(visited)
    if batch_size >= n:
        assert orders == 3 * [list(range(n))]
    elif n > 20:
        assert orders[0] != orders[1] != orders[2]


def test_a_weight_counts_as_that_many_copies(each_engine: ModuleType) -> None:
    copies = np.array([0, 1, 2, 3, 1])
    weighted = _state("sgd", n=5, batch_size=5, weights=copies.astype(np.float64))
    repeated = _state("sgd", n=5, batch_size=7)
    repeated = TrainingState(
        repeated.parameters,
        repeated.optimizer,
        np.repeat(weighted.X, copies, axis=0),
        np.repeat(weighted.Y, copies, axis=0),
        7,
        0,
    )
    each_engine.run(weighted, 4)
    each_engine.run(repeated, 4)
    # four steps, each a sum of seven
    assert weighted.parameters.vector == pytest.approx(repeated.parameters.vector, rel=1e-12)
    assert weighted.costs == pytest.approx(repeated.costs, rel=1e-12)


def test_a_batch_whose_weights_are_all_0_teaches_nothing(each_engine: ModuleType) -> None:
    state = _state("adam", n=4, batch_size=2)
    state.weights = np.zeros(4)
    state.weights[state.order[:2]] = 1
    each_engine.run(state, 1)
    after_one = state.parameters.vector.tobytes()
    each_engine.run(state, 1)
    assert state.parameters.vector.tobytes() == after_one
    assert np.isfinite(state.costs[0])


@pytest.mark.parametrize("batch_size", [23, 24, 2**62, 2**80])
def test_an_epoch_of_one_batch_is_taken_in_the_order_of_the_rows(each_engine: ModuleType, batch_size: int) -> None:
    state, natural = _state("sgd", batch_size=batch_size), np.arange(23)
    assert state.in_natural_order
    p = state.parameters.copy()
    costs: list[float] = []
    for _ in range(3):
        C, g = gradient(p, state.X, state.Y)
        p.vector[:] -= 0.05 * g.vector
        costs.append(C)
    each_engine.run(state, 3)
    assert (state.order == natural).all()
    # three steps, each a sum of 23
    assert state.parameters.vector == pytest.approx(p.vector, rel=1e-12, abs=1e-14)
    assert state.costs == pytest.approx(costs, rel=1e-12)
    assert state.cost == state.costs[-1]
    assert (state.step, state.epoch, state.cursor) == (3, 3, 0)


@pytest.mark.parametrize("rows", [[3, 1, 4, 1, 5, 9, 2], [22] * 6, list(range(23)) * 2])
def test_an_epoch_has_the_rows_that_its_order_names_and_the_next_has_all(
    each_engine: ModuleType, rows: list[int]
) -> None:
    state = _state("sgd")
    state.order = np.array(rows)
    p, steps, spent = state.parameters.copy(), -(-len(rows) // 5), 0.0
    for step in range(steps):
        batch = rows[5 * step : 5 * step + 5]
        C, g = gradient(p, state.X[batch], state.Y[batch])
        p.vector[:] -= 0.05 * g.vector
        spent += C * len(batch)
    each_engine.run(state, steps)
    # at most ten steps, each a sum of five
    assert state.parameters.vector == pytest.approx(p.vector, rel=1e-12, abs=1e-14)
    assert state.costs == pytest.approx([spent / len(rows)], rel=1e-12)
    assert (state.epoch, state.cursor, sorted(state.order)) == (1, 0, list(range(23)))


@pytest.mark.parametrize("batch_size", [18, 19, 23, 100])
def test_a_batch_size_that_grows_within_an_epoch_takes_the_rest_of_it_and_then_epochs_of_its_own(
    each_engine: ModuleType, batch_size: int
) -> None:
    state = _state("sgd")
    order, p = state.order.copy(), state.parameters.copy()
    batches = [order[:5], order[5:], *[np.arange(23)] * 2]
    costs: list[float] = []
    for batch in batches:
        C, g = gradient(p, state.X[batch], state.Y[batch])
        p.vector[:] -= 0.05 * g.vector
        costs.append(C)
    each_engine.run(state, 1)
    state.batch_size = batch_size
    each_engine.run(state, 1)
    assert (state.step, state.epoch, state.cursor) == (2, 1, 0)
    if batch_size < 23:
        return
    each_engine.run(state, 2)
    # four steps, each a sum of at most 23
    assert state.parameters.vector == pytest.approx(p.vector, rel=1e-12, abs=1e-14)
    assert state.costs == pytest.approx([(5 * costs[0] + 18 * costs[1]) / 23, *costs[2:]], rel=1e-12)
    assert (state.step, state.epoch, state.cursor) == (4, 3, 0)


def test_advancing_by_steps_at_once_is_advancing_by_each() -> None:
    at_once, one_by_one = _state(), _state()
    random = np.random.default_rng(1)
    for n in (3, 2, 5, 1):
        cost, weight = random.random(n), random.random(n)
        at_once.advance(cost, weight)
        for i in range(n):
            one_by_one.advance(cost[i : i + 1], weight[i : i + 1])
        assert bits(at_once) == bits(one_by_one)
    assert (at_once.step, at_once.epoch, at_once.cursor, len(at_once.costs)) == (11, 2, 5, 2)


@pytest.mark.parametrize(
    ("X", "Y", "message"),
    [
        (np.zeros((0, 3)), np.zeros((0, 2)), "X: no examples to train on"),
        (np.zeros((4, 2)), np.zeros((4, 2)), r"X: shape \(4, 2\), expected \(4, 3\)"),
        (np.zeros(3), np.zeros((3, 2)), r"X: shape \(3,\), expected \(3, 3\)"),
        (np.zeros((4, 3)), np.zeros((4, 1)), r"Y: shape \(4, 1\), expected \(4, 2\)"),
        (np.zeros((4, 3)), np.zeros((5, 2)), r"Y: shape \(5, 2\), expected \(4, 2\)"),
    ],
)
def test_examples_that_do_not_fit_the_network_make_no_state(X: Array, Y: Array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainingState(_state().parameters, Optimizer("sgd"), X, Y, 2, 0)


@pytest.mark.parametrize("weights", [np.ones(3), -np.ones(4), np.zeros(4), np.full(4, np.nan)])
def test_weights_that_are_none_make_no_state(weights: Array) -> None:
    with pytest.raises(InputError, match="weight"):
        TrainingState(_state().parameters, Optimizer("sgd"), np.zeros((4, 3)), np.zeros((4, 2)), 2, 0, weights)


# slices --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(slices=st.lists(st.integers(0, 9), max_size=8))
@settings(max_examples=15, deadline=None)
def test_slicing_a_run_never_changes_a_bit(
    each_engine: ModuleType, optimizer: str, dtype: type[np.floating[Any]], slices: list[int]
) -> None:
    whole, sliced = (_state(optimizer, dtype=dtype) for _ in range(2))
    each_engine.run(whole, sum(slices))
    for n in slices:
        each_engine.run(sliced, n)
    assert bits(sliced) == bits(whole)


def test_the_loops_own_slices_never_change_a_bit(each_engine: ModuleType) -> None:
    at_once, watched = _state(), _state()
    each_engine.run(at_once, 40 * at_once.steps_per_epoch)
    assert train_epochs(watched, 40, watch=lambda _: sleep(0.0001)).how == "finished"
    assert bits(watched) == bits(at_once)


@pytest.mark.usefixtures("each_engine")
def test_going_on_from_a_state_is_as_never_having_stopped() -> None:
    once, twice = _state(), _state()
    train_epochs(once, 7)
    train_epochs(twice, 3)
    train_epochs(twice, 7)
    assert bits(twice) == bits(once)


@pytest.mark.usefixtures("each_engine")
def test_the_watcher_sees_the_run_come_to_its_end() -> None:
    seen: list[Progress] = []
    state = _state()
    train_epochs(state, 30, seen.append)
    assert [p.step for p in seen] == sorted({p.step for p in seen})
    assert (seen[-1].step, seen[-1].steps, seen[-1].epoch, seen[-1].cost) == (150, 150, 30, state.costs[-1])
    assert all(p.rate > 0 for p in seen)


def test_predictions_do_not_depend_on_how_rows_are_blocked(each_engine: ModuleType) -> None:
    random = np.random.default_rng(3)
    network = Network((3, 4, 2), "tanh", "squared-error")
    p = ParameterVector(network, random.normal(size=network.n_parameters))
    X = random.normal(size=(9000, 3))
    one_by_one = np.concatenate([each_engine.predict(p, X[i : i + 1]) for i in range(4000, 4200)])
    # sums of three or four products of numbers of the order of 1
    assert each_engine.predict(p, X)[4000:4200] == pytest.approx(one_by_one, rel=0, abs=64 * EPS)
    assert each_engine.predict(p, X[:0]).shape == (0, 2)


# ends ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("each_engine")
def test_ctrl_c_ends_a_run_between_two_steps_and_it_can_go_on() -> None:
    whole, interrupted = _state(), _state()
    train_epochs(whole, 20)
    before = signal.getsignal(signal.SIGINT)

    def press(progress: Progress) -> None:
        if progress.step >= 7:
            signal.raise_signal(signal.SIGINT)

    assert train_epochs(interrupted, 20, press).how == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before
    assert 7 <= interrupted.step < 100
    assert train_epochs(interrupted, 20).how == "finished"
    assert bits(interrupted) == bits(whole)


def test_a_second_ctrl_c_ends_it_at_once_but_not_one_that_arrives_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it

    def press_twice(_: Progress) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    try:
        assert train_epochs(_state(), 20, press_twice).how == "interrupted"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        monkeypatch.setattr("chainrule.training.loop._IMPATIENT", 0.0)
        with pytest.raises(KeyboardInterrupt):
            train_epochs(_state(), 20, press_twice)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_ctrl_c_that_arrives_again_while_a_run_is_written_up_is_that_one() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(_: Progress) -> None:
        signal.raise_signal(signal.SIGINT)

    try:
        with interrupts() as interrupted:
            assert train_epochs(_state(), 20, press).how == "interrupted"
            assert interrupted.is_set()
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_small_data_gets_more_epochs_where_nobody_says_how_many() -> None:
    small, large = _numbers(), read_table("digits")
    assert plan(large, Settings()).epochs == LEAST_EPOCHS
    planned = plan(small, Settings(target=("y",)))
    assert planned.epochs * planned.state.steps_per_epoch >= LEAST_STEPS
    assert plan(small, Settings(target=("y",), epochs=3)).epochs == 3


def test_an_input_that_is_constant_in_training_does_no_harm_when_it_changes() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=60)
    table = Table("constant", {"x": x, "c": np.full(60, 5.0), "y": 2 * x})
    model = train(table, Settings(target=("y",), epochs=5)).model
    moved = Table("moved", {"x": x, "c": np.full(60, 1000.0)})
    assert model.predict(moved) == model.predict(table)


def test_poisson_means_numbers() -> None:
    counts = Table("counts", {"x": np.arange(40.0), "y": np.arange(40) % 5})
    model = plan(counts, Settings(target=("y",), cost="poisson")).model
    assert model.target is not None
    assert model.target.classes is None
    assert model.network.activation[-1] == "exp"
