"""A run that diverges is noticed, explained, and taken back to the last good step, whatever its slices were."""

import contextlib
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from given import ENGINES, bits
from numpy.typing import NDArray

from chainrule import Network, Optimizer, ParameterVector, Settings, Table, initial_parameters, train
from chainrule.calculus.gradient import gradient
from chainrule.engines import engine
from chainrule.engines.state import TrainingState
from chainrule.errors import DivergenceError
from chainrule.training import guard as guards
from chainrule.training.guard import Divergence, DivergenceWarning, Guard
from chainrule.training.loop import train_epochs
from chainrule.training.train import plan

Array = NDArray[Any]


@pytest.fixture(params=ENGINES)
def each_engine(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHAINRULE_ENGINE", request.param)
        yield engine()


def _growing(optimizer: str = "sgd", lr: float = 3.0, dtype: type[Any] = np.float32) -> TrainingState:
    """A straight line learned at a rate at which the error grows a few times in each step."""
    random = np.random.default_rng(0)
    network = Network((2, 1), "identity", "squared-error")
    X: Array = random.normal(size=(24, 2)).astype(dtype)
    Y: Array = (X @ np.array([[1], [-2]], dtype)).astype(dtype)
    return TrainingState(initial_parameters(network, 1, dtype), Optimizer(optimizer, lr), X, Y, 5, 3)


def _batch_costs(state: TrainingState, n: int, each_engine: ModuleType) -> list[float]:
    """The cost of the batch of each of the first n steps, from steps made one by one."""
    costs: list[float] = []
    for _ in range(n):
        rows = state.order[state.cursor : state.cursor + state.batch_size]
        costs.append(gradient(state.parameters, state.X[rows], state.Y[rows])[0])
        each_engine.run(state, 1)
    return costs


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("slices", [[1] * 400, [400], [7] * 60, [33, 1, 90, 2, 2, 300]])
def test_a_run_can_be_taken_back_to_the_last_step_whose_batch_had_a_finite_cost(
    each_engine: ModuleType, optimizer: str, slices: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "_SECONDS", 0.0)  # a snapshot after every slice
    with np.errstate(all="ignore"):
        costs = _batch_costs(_growing(optimizer), 400, each_engine)
        bad = int(np.isfinite(costs).argmin())
        assert 10 < bad < 300
        whole, sliced = _growing(optimizer), _growing(optimizer)
        each_engine.run(whole, bad - 1)
        looks = count()
        guard = Guard(sliced, lambda _: -next(looks))  # each step that it looks at is better than the one before
        for n in slices:
            each_engine.run(sliced, n)
            if not guard.good():
                break
        divergence = guard.take_back()
    assert bits(sliced) == bits(whole)
    assert np.isfinite(sliced.parameters.vector).all()
    assert (divergence.step, divergence.kept, sliced.step) == (bad + 1, bad - 1, bad - 1)
    assert divergence.epoch == bad // 5 + 1


@pytest.mark.usefixtures("each_engine")
def test_the_loop_ends_there_and_can_go_on_from_there_at_a_smaller_rate() -> None:
    state = _growing()
    ended = train_epochs(state, 200)
    assert ended.how == "diverged"
    assert ended.divergence is not None
    assert str(ended.divergence).startswith(f"training diverged in epoch {ended.divergence.epoch}, step ")
    assert "; nothing was learned. " in str(ended.divergence)
    assert (state.parameters.vector == _growing().parameters.vector).all()
    assert str(ended.divergence).endswith("Use a smaller learning rate than 3")
    assert len(state.costs) == state.epoch
    assert np.isfinite(state.costs).all()
    state.optimizer = replace(state.optimizer, lr=0.1)
    assert train_epochs(state, state.epoch + 300).how == "finished"
    assert state.cost < 1e-6


@pytest.mark.parametrize("batch_size", [5, 24], ids=["batches", "one step an epoch"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_what_is_kept_is_an_end_of_the_best_epoch_whenever_snapshots_were_taken(
    each_engine: ModuleType, optimizer: str, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that learns, and grows for many epochs before it overflows, keeps what it had learned."""
    factor = 1.02 if optimizer == "sgd" else 1.05

    def state() -> TrainingState:
        growing = _growing(optimizer, 0.01)
        growing = replace(growing, batch_size=batch_size, order=np.empty(0, np.int64))
        growing.Y += 0.1 * np.cos(np.arange(24, dtype=np.float32))[:, None]  # no line fits, or no step would be made
        growing.rates = lambda step, n: 0.01 * factor ** np.arange(step, step + n, dtype=np.float64)
        return growing

    diverged: list[tuple[Divergence, TrainingState]] = []
    for seconds in (1e9, 0.0):  # between snapshots
        monkeypatch.setattr(guards, "_SECONDS", seconds)
        monkeypatch.setattr(guards, "_SHARE", 1e6)
        watched = state()
        divergence = train_epochs(watched, 10_000, after_epoch=None if seconds else (lambda _: False)).divergence
        assert divergence is not None
        diverged.append((divergence, watched))
    (divergence, watched), (other, sliced) = diverged
    assert divergence == other
    assert bits(watched) == bits(sliced)
    assert divergence.kept is not None
    assert f"; the parameters of step {divergence.kept} are kept. " in str(divergence)

    def cost(p: ParameterVector) -> float:
        return gradient(p.astype(np.float64), watched.X.astype(np.float64), watched.Y.astype(np.float64))[0]

    free = state()
    with np.errstate(all="ignore"):
        costs = [cost(free.parameters)]
        for step in range(1, divergence.step):
            each_engine.run(free, 1)
            costs.append(cost(free.parameters))
            if step == divergence.kept:
                assert (free.parameters.vector == watched.parameters.vector).all()
                assert all((a == b).all() for a, b in zip(free.moments, watched.moments, strict=True))
    assert watched.step in (divergence.step - 1, divergence.step - 2)
    assert len(watched.costs) == watched.epoch == watched.step // watched.steps_per_epoch  # none is forgotten
    end = (int(np.argmin(watched.costs)) + 1) * watched.steps_per_epoch
    ends = {step: costs[step] for step in (end - watched.steps_per_epoch, end)}
    assert ends[divergence.kept] == min(ends.values())
    begin, least, last = costs[0], min(costs), costs[watched.step]
    assert last > 1e3 * begin
    assert least <= costs[divergence.kept] < min(2 * least, begin / 10)


def test_a_run_that_is_good_is_not_touched(each_engine: ModuleType) -> None:
    guarded, free = _growing(lr=0.01), _growing(lr=0.01)
    assert train_epochs(guarded, 50).how == "finished"
    each_engine.run(free, 250)
    assert bits(guarded) == bits(free)


def test_parameters_that_overflow_in_the_last_step_are_noticed(each_engine: ModuleType) -> None:
    """No cost tells: there is no further batch. That of the step is 1e38, its derivative infinite in float32."""
    network = Network((1, 1), "identity", "squared-error")
    X, Y = np.full((1, 1), 1e20, np.float32), np.full((1, 1), -1e19, np.float32)
    whole, watched = (
        TrainingState(ParameterVector.zeros(network, np.float32), Optimizer("sgd", 1.0), X, Y, 1, 0) for _ in range(2)
    )
    with np.errstate(all="ignore"):
        each_engine.run(whole, 1)
    assert whole.bad_step is None
    assert not np.isfinite(whole.parameters.vector).all()
    ended = train_epochs(watched, 1)
    assert re.search("the gradient of layer 1 overflowed .*; nothing was learned", str(ended.divergence))
    assert not watched.parameters.vector.any()


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("batch_size", [10, 25, 50])
def test_an_estimator_goes_back_beyond_the_beginning_of_its_epoch(
    dense: bool, batch_size: int, each_engine: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sklearn, sparse = pytest.importorskip("sklearn"), pytest.importorskip("scipy.sparse")
    from chainrule.estimators import MLPRegressor, examples, stochastic

    assert sklearn, each_engine
    monkeypatch.setattr(examples, "DENSE_AT_ONCE", 3 * batch_size)  # so that each batch is a part of the run
    A: Array = np.random.RandomState(0).randn(50, 3)
    ran: list[tuple[int | None, bool]] = []

    class Watched(stochastic.Guard):
        def take_back(self) -> Divergence:
            self.bad = self._state.bad_step
            return super().take_back()

        def _keep_the_best(self, last: int) -> int | None:
            with np.errstate(all="ignore"):
                C, _ = gradient(self._state.parameters, A, (A @ [1, 2, 3.0])[:, None])
            ran.append((self.bad and self.bad - last, bool(np.isfinite(C))))
            return super()._keep_the_best(last)

    monkeypatch.setattr(stochastic, "Guard", Watched)
    for seed in range(4):
        with contextlib.suppress(DivergenceError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            MLPRegressor(
                hidden_layer_sizes=5,
                activation="identity",
                solver="sgd",
                momentum=0,
                learning_rate_init=3,
                batch_size=batch_size,
                random_state=seed,
            ).fit(A if dense else sparse.csr_matrix(A), A @ [1, 2, 3.0])
    assert ran == [(1, True)] * 4


# causes --------------------------------------------------------------------------------------------


def _told(
    sizes: tuple[int, ...], activation: str | list[str], w: Callable[[ParameterVector], None], x: float, y: float = 0.0,
    cost: str = "squared-error", **network: float,
) -> Divergence:  # fmt: skip
    p = ParameterVector.zeros(Network(sizes, activation, cost, **network), np.float32)
    w(p)
    X, Y = np.full((1, sizes[0]), x, np.float32), np.full((1, sizes[-1]), y, np.float32)
    state = TrainingState(p, Optimizer("sgd", 0.5), X, Y, 1, 0)
    guard = Guard(state)
    with np.errstate(all="ignore"):
        engine().run(state, 1)
        assert not guard.all_finite()
        return guard.take_back()


def _set(**values: float) -> Callable[[ParameterVector], None]:
    def set_(p: ParameterVector) -> None:
        for name, value in values.items():
            p.arrays()[name][:] = value

    return set_


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    ("divergence", "cause", "remedy"),
    [
        (lambda: _told((2, 1), "identity", _set(w1=1e10), 1e30), "z of layer 1 overflowed (largest input 1e+30)",
         "Scale the inputs"),
        (lambda: _told((2, 2, 1), "identity", _set(w1=1.0, w2=1e38), 4.0),
         "z of layer 2 overflowed (largest weight 1e+38)", "smaller learning rate than 0.5"),
        (lambda: _told((1, 1, 1), "identity", _set(w1=1e20, w2=1e3), 1e17),
         "z of layer 2 overflowed (largest activation of layer 1 1e+37)", "smaller learning rate"),
        (lambda: _told((1, 1, 1), ["exp", "identity"], _set(w1=100.0), 1.0),
         "the activations of layer 1 overflowed (largest z 1e+02)", "smaller learning rate"),
        (lambda: _told((1, 1), "identity", _set(w1=1e25), 1.0),
         "the cost overflowed (largest output 1e+25, largest target 0)", "smaller learning rate"),
        (lambda: _told((1, 1), "identity", _set(w1=1e25), 0.0, l2=0.1),
         "the penalty overflowed (largest weight 1e+25)", "smaller learning rate"),
        (lambda: _told((1, 1), "identity", _set(), 1e20, -1e19),
         "the gradient of layer 1 overflowed (largest z there 0)", "smaller learning rate"),
    ],
)  # fmt: skip
def test_the_layer_and_the_cause_are_named(divergence: Callable[[], Divergence], cause: str, remedy: str) -> None:
    told = divergence()
    assert told.cause == cause
    assert remedy in told.remedy
    assert (told.step, told.epoch, told.kept) == (1, 1, None)


@pytest.mark.usefixtures("each_engine")
def test_the_cause_is_that_of_the_step_with_what_it_dropped() -> None:
    """A hidden number is 0 or 2, not 1: the output is 3e38 for each one kept, and the largest float32 3.4e38."""
    p = ParameterVector.zeros(Network((1, 2, 1), ["identity", "identity"], "squared-error"), np.float32)
    p.w[1][:], p.w[2][:] = 1.0, 1.5e38
    X, Y = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    causes: set[tuple[int, str]] = set()
    for seed in range(20):
        state = TrainingState(p, Optimizer("sgd", 0.5), X, Y, 1, seed, dropout=(0.0, 0.5))
        guard, n_kept = Guard(state), int(state.kept(1)[1][0].sum())
        with np.errstate(all="ignore"):
            engine().run(state, 1)
            if not guard.all_finite():
                causes.add((n_kept, guard.take_back().cause))
    assert causes == {
        (1, "the cost overflowed (largest output 3e+38, largest target 0)"),
        (2, "z of layer 2 overflowed (largest weight 1.5e+38)"),
    }


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    ("x", "y", "remedy"),
    [
        (1.0, 1.0, "Use a smaller learning rate than 30"),
        (1e4, 1.0, "Use a smaller learning rate than 30, or scale the inputs, of which the largest is 1e+04"),
        (1.0, -1e8, "Use a smaller learning rate than 30, or scale the targets, of which the largest is 1e+08"),
    ],
)
def test_what_is_large_is_told_to_be_scaled(x: float, y: float, remedy: str) -> None:
    X, Y = np.full((4, 1), x, np.float32), np.full((4, 1), y, np.float32)
    p = initial_parameters(Network((1, 1), "identity", "squared-error"), 1, np.float32)
    divergence = train_epochs(TrainingState(p, Optimizer("sgd", 30.0), X, Y, 4, 0), 1000).divergence
    assert divergence is not None
    assert divergence.remedy == remedy


@pytest.mark.usefixtures("each_engine")
def test_inputs_that_overflow_at_once_are_an_error() -> None:
    table = Table("huge", {"x": np.linspace(1e37, 3e38, 50), "y": np.arange(50.0)})
    settings = Settings(target=("y",), standardise=False, hidden=(4,), epochs=2)
    with pytest.raises(DivergenceError, match=r"in epoch 1, step 1: .*overflowed.*; nothing was learned\. "):
        train(table, settings)


@pytest.mark.usefixtures("each_engine")
def test_training_that_diverges_is_stopped_with_a_warning_and_keeps_a_model_that_predicts() -> None:
    x = np.linspace(-1, 1, 200)
    table = Table("numbers", {"x": x, "y": 2 * x + np.sin(40 * x)})
    settings = Settings(hidden=(), target=("y",), optimizer=Optimizer("sgd", 1.2), patience=50)
    with pytest.warns(DivergenceWarning, match="training diverged in epoch ") as warned:
        trained = train(table, settings)
    assert trained.divergence is not None
    assert [str(w.message) for w in warned] == [str(trained.divergence)]
    assert warned[0].filename == __file__
    assert f"the parameters of epoch {trained.best_epoch}, the best, are kept" in str(trained.divergence)
    assert trained.epochs == len(trained.history) < 60
    assert np.isfinite(trained.model.parameters.vector).all()
    assert np.isfinite(trained.model.predict(table)).all()


@pytest.mark.usefixtures("each_engine")
def test_where_what_is_kept_costs_no_less_than_the_beginning_nothing_was_learned() -> None:
    x = np.random.default_rng(2).normal(10, 3, 250)
    table = Table("numbers", {"x": x, "y": 2 * x + 5})
    settings = Settings(hidden=(), target=("y",), optimizer=Optimizer("sgd", 3.0))
    with pytest.raises(
        DivergenceError, match=r"training diverged in epoch \d, step \d+: .*; nothing was learned\. Use"
    ):
        train(table, settings)


@pytest.mark.usefixtures("each_engine")
def test_early_stopping_keeps_its_best_parameters_when_training_diverges_later() -> None:
    x = np.random.default_rng(2).normal(10, 3, 250)
    table = Table("numbers", {"x": x, "y": 2 * x + np.sin(9 * x)})
    settings = Settings(hidden=(), target=("y",), optimizer=Optimizer("sgd"), patience=1000, batch_size=8, l2=0.0)
    planned = plan(table, settings)
    planned.state.rates = lambda step, n: 0.01 * 1.02 ** np.arange(step, step + n)
    trained = planned.train()
    assert trained.divergence is not None
    best = trained.best_epoch
    assert best is not None
    figures = [epoch.validation_cost for epoch in trained.history]
    assert 1 < best < len(figures)
    assert figures[best - 1] == min(figure for figure in figures if figure is not None)
    # one in float32, the other in float64, of a mean of squares of differences of numbers of the order of 1
    assert trained.validation["cost"] == pytest.approx(figures[best - 1], rel=1e-2, abs=1e-12)
