"""What is held out to watch training by, the figures over it, and early stopping, which goes by them."""

import signal
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from given import ENGINES
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chainrule import Epoch, Network, Optimizer, ParameterVector, Schedule, Settings, Table, Trained, read_table, train
from chainrule.calculus.gradient import gradient
from chainrule.engines import engine
from chainrule.errors import DataError, InputError
from chainrule.model.encoding import Target
from chainrule.summary import plan_text, training_record, training_text
from chainrule.training.metrics import METRICS, Outputs
from chainrule.training.train import plan
from chainrule.training.validation import penalised_cost

Array = NDArray[Any]

EPS32 = float(np.finfo(np.float32).eps)
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 12, "batch_size": 16}


@pytest.fixture(params=ENGINES)
def each_engine(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHAINRULE_ENGINE", request.param)
        yield engine()


@cache
def _digits() -> Table:
    table = read_table("digits")
    return Table("digits", {name: column[:400] for name, column in table.columns.items()}, target=table.target)


@cache
def _waves() -> Table:
    random = np.random.default_rng(0)
    x = random.uniform(-3, 3, 160)
    return Table("waves", {"x": x, "y": np.sin(2 * x) + random.normal(0, 0.4, 160)}, target=("y",))


# metrics -------------------------------------------------------------------------------------------


def _classes(n: int) -> Target:
    return Target(("class",), tuple(f"c{i}" for i in range(n)), np.zeros(0), np.ones(0))


@given(st.integers(2, 5), st.integers(1, 60), st.integers(0, 2**32 - 1), st.booleans())
@hypothesis_settings(max_examples=40, deadline=None)
def test_figures_of_classes_are_those_of_scikit_learn(n: int, rows: int, seed: int, single: bool) -> None:
    peers: Any = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    right, scores = random.integers(0, n, rows), random.normal(0, 2, (rows, n))
    if single and n == 2:
        a, Y, activation = 1 / (1 + np.exp(-scores[:, :1])), right[:, None].astype(float), "sigmoid"
        p = np.concatenate([1 - a, a], axis=1)
    else:
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        a, Y, activation = p, np.eye(n)[right], "softmax"
    outputs, predicted = Outputs(a, Y, _classes(n), activation), p.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that are predicted and never right
        expected = {
            "accuracy": peers.accuracy_score(right, predicted),
            "balanced-accuracy": peers.balanced_accuracy_score(right, predicted),
            "macro-f1": peers.f1_score(right, predicted, average="macro"),
            "log-loss": peers.log_loss(right, p, labels=range(n)),
        }
    for name, value in expected.items():
        assert METRICS[name].value(outputs) == pytest.approx(value, rel=1e-12), name


@given(st.integers(1, 3), st.integers(2, 40), st.integers(0, 2**32 - 1))
@hypothesis_settings(max_examples=30, deadline=None)
def test_figures_of_numbers_are_those_of_scikit_learn_in_the_targets_own_units(n: int, rows: int, seed: int) -> None:
    peers: Any = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    a, Y, mean, scale = random.normal(size=(rows, n)), random.normal(size=(rows, n)), np.arange(n), 10.0 ** np.arange(n)
    outputs = Outputs(a, Y, Target(tuple("xyz"[:n]), None, mean, scale), "identity")
    right, predicted = mean + scale * Y, mean + scale * a
    expected = {
        "r2": peers.r2_score(right, predicted),
        "mae": peers.mean_absolute_error(right, predicted),
        "rmse": peers.root_mean_squared_error(right, predicted),
    }
    for name, value in expected.items():
        assert METRICS[name].value(outputs) == pytest.approx(value, rel=1e-9), name


def test_what_is_certain_and_wrong_has_a_finite_log_loss() -> None:
    outputs = Outputs(np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0]]), _classes(2), "softmax")
    assert METRICS["log-loss"].value(outputs) == pytest.approx(-np.log(EPS32), rel=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_a_better_model_has_the_better_figure(name: str) -> None:
    if METRICS[name].of == "classes":
        Y, target, activation = np.eye(3)[[0, 1, 2, 0, 1, 2]], _classes(3), "softmax"
        good, bad = 0.1 + 0.7 * Y, np.full((6, 3), 1 / 3)
    else:
        Y, target, activation = np.arange(6.0)[:, None], Target(("y",), None, np.zeros(1), np.ones(1)), "identity"
        good, bad = Y + 0.1, Y * 0
    better, worse = (METRICS[name].value(Outputs(a, Y, target, activation)) for a in (good, bad))
    assert (better > worse) == METRICS[name].more_is_better
    assert better != worse


@pytest.mark.parametrize("metric", [None, "macro-f1", "log-loss", "balanced-accuracy"])
def test_the_test_figures_are_those_of_the_examples_held_out(metric: str | None) -> None:
    settings = Settings(hidden=(8,), epochs=5, validation=0.1, metric=metric, class_weight={"3": 4})
    planned, trained = plan(_digits(), settings), train(_digits(), settings)
    reading = trained.model.reading()
    a = engine().predict(reading.parameters, planned.test_X)
    weights = np.where(planned.test_Y.argmax(axis=1) == 3, 4.0, 1.0)
    names = ["accuracy", *([] if metric is None else [metric])]
    expected = {name: METRICS[name].value(Outputs(a, planned.test_Y, _classes(10), "softmax")) for name in names}
    C, _ = gradient(reading.parameters, planned.test_X, planned.test_Y, weights)
    assert trained.test == pytest.approx({"cost": C} | expected, rel=1e-12)
    assert trained.test_score == expected["accuracy"]
    record, text = training_record(Path("m"), trained), training_text("digits", Path("m"), trained)
    assert {f"test_{name}": value for name, value in trained.test.items()}.items() <= record.items()
    assert f"on {trained.n_test} examples held out" in text
    assert metric is None or f", {metric} {expected[metric]:.3f}"[:-1] in text.splitlines()[-2]


# what is held out ----------------------------------------------------------------------------------


def test_an_accuracy_that_the_largest_class_alone_has_is_no_good() -> None:
    kinds = ["no"] * 180 + ["yes"] * 20
    noise = Table("noise", {"x": np.random.default_rng(0).normal(size=200), "kind": kinds}, target=("kind",))
    for table, told in ((noise, "accuracy 90.00 % (no better than one class for all) on 40 examples"), (_digits(), "")):
        trained = train(table, Settings(hidden=(8,), epochs=20))
        text = training_text(table.source, Path("m"), trained)
        assert ("no better" in text) is bool(told)
        assert told in text
        assert type(trained.test["accuracy"]) is float


def test_validation_rows_are_a_stratified_share_of_the_training_rows_and_no_others() -> None:
    with_, without = plan(_digits(), Settings(validation=0.25)), plan(_digits(), Settings())
    assert with_.validation is not None
    n = len(without.state.X)
    assert len(with_.validation) + len(with_.state.X) == n
    assert len(with_.validation) == pytest.approx(n / 4, abs=5)
    assert with_.test_Y.tobytes() == without.test_Y.tobytes()
    counts = with_.validation.Y.sum(axis=0) / (with_.validation.Y.sum(axis=0) + with_.state.Y.sum(axis=0))
    assert (abs(counts - 0.25) < 0.03).all()


def test_scaling_is_learned_without_the_validation_rows() -> None:
    planned = plan(_waves(), Settings(validation=0.3))
    assert float(planned.state.X.mean(dtype=np.float64)) == pytest.approx(0, abs=4 * EPS32)
    assert planned.validation is not None
    assert abs(float(planned.validation.X.mean())) > 1e-4


def test_a_table_of_others_is_watched_and_nothing_is_held_out() -> None:
    others = Table("others", {"x": np.linspace(-1, 1, 7), "y": np.zeros(7)})
    planned, plain = plan(_waves(), Settings(validation=others)), plan(_waves(), Settings())
    assert planned.validation is not None
    assert len(planned.validation) == 7
    assert planned.state.X.tobytes() == plain.state.X.tobytes()


def test_early_stopping_holds_out_a_tenth_where_nobody_says() -> None:
    asked, unasked = plan(_digits(), Settings(validation=0.1)), plan(_digits(), Settings(patience=3))
    assert asked.validation is not None
    assert unasked.validation is not None
    assert asked.validation.X.tobytes() == unasked.validation.X.tobytes()
    assert plan(_digits(), Settings()).validation is None


@pytest.mark.usefixtures("each_engine")
def test_the_figures_are_those_of_the_parameters_after_each_epoch() -> None:
    settings = Settings(**SMALL, validation=0.2, metric="macro-f1", l2=0.01)
    trained, planned = train(_digits(), settings), plan(_digits(), settings)
    validation = planned.validation
    assert validation is not None
    for epoch in trained.history:
        engine().run(planned.state, planned.state.steps_per_epoch)
        C, _ = gradient(planned.state.parameters.astype(np.float64), validation.X, validation.Y)
        # in float32, over sums of 64 terms and means of as many
        assert epoch.validation_cost == pytest.approx(C, rel=64 * EPS32)
        assert list(epoch.metrics) == ["accuracy", "macro-f1"]
    assert trained.validation["cost"] == pytest.approx(trained.history[-1].validation_cost, rel=64 * EPS32)
    assert trained.n_validation == len(validation)


@pytest.mark.usefixtures("each_engine")
def test_watching_changes_no_bit() -> None:
    others = Table("others", {"x": np.linspace(-1, 1, 7), "y": np.zeros(7)})
    watched = train(_waves(), Settings(**SMALL, validation=others, gradient_norms=True, callbacks=(lambda _: False,)))
    plain = train(_waves(), Settings(**SMALL))
    assert watched.model.parameters.vector.tobytes() == plain.model.parameters.vector.tobytes()
    assert watched.history.costs.tolist() == plain.history.costs.tolist()
    assert watched.history.gradient_norms is not None
    assert watched.history.gradient_norms.shape == (12, 2)
    assert plain.history.gradient_norms is None


# early stopping ------------------------------------------------------------------------------------

WAVES: dict[str, Any] = {"hidden": (40,), "activation": ("tanh",), "batch_size": 8, "l2": 0.0, "validation": 0.3}


@cache
def _stopped(metric: str | None = None) -> Trained:
    return train(_waves(), Settings(**WAVES, epochs=400, patience=25, metric=metric))


@pytest.mark.parametrize("metric", [None, "cost", "r2", "mae", "rmse"])
def test_what_is_kept_are_the_bits_of_the_run_that_trained_only_so_long(metric: str | None) -> None:
    stopped = _stopped(metric)
    assert stopped.best_epoch is not None
    assert stopped.epochs == stopped.best_epoch + 25 < 400
    brief = train(_waves(), Settings(**WAVES, epochs=stopped.best_epoch))
    assert brief.model.parameters.vector.tobytes() == stopped.model.parameters.vector.tobytes()
    figures = [
        epoch.validation_cost if metric in (None, "cost") else epoch.metrics[metric] for epoch in stopped.history
    ]
    best = (max if metric == "r2" else min)(figure for figure in figures if figure is not None)
    assert figures.index(best) == stopped.best_epoch - 1


def test_the_best_parameters_are_kept_where_patience_does_not_run_out_too() -> None:
    stopped = _stopped()
    assert stopped.best_epoch is not None
    to_the_end = train(_waves(), Settings(**WAVES, epochs=stopped.best_epoch + 5, patience=25))
    assert (to_the_end.epochs, to_the_end.best_epoch) == (stopped.best_epoch + 5, stopped.best_epoch)
    assert to_the_end.model.parameters.vector.tobytes() == stopped.model.parameters.vector.tobytes()


def test_without_patience_the_last_parameters_are_kept() -> None:
    stopped = _stopped()
    watched = train(_waves(), Settings(**WAVES, epochs=stopped.epochs))
    assert watched.best_epoch is None
    assert watched.epochs == stopped.epochs
    assert watched.model.parameters.vector.tobytes() != stopped.model.parameters.vector.tobytes()


def test_ctrl_c_keeps_the_best_parameters_so_far() -> None:
    stopped = _stopped()
    assert stopped.best_epoch is not None
    last = stopped.best_epoch + 10

    def press(epoch: Epoch) -> None:
        if epoch.epoch == last:
            signal.raise_signal(signal.SIGINT)

    interrupted = train(_waves(), Settings(**WAVES, epochs=400, patience=25, callbacks=(press,)))
    assert interrupted.interrupted
    assert (interrupted.epochs, interrupted.best_epoch) == (last, stopped.best_epoch)
    assert interrupted.model.parameters.vector.tobytes() == stopped.model.parameters.vector.tobytes()


# callbacks -----------------------------------------------------------------------------------------


def test_a_callback_gets_each_epochs_record_and_ends_training_where_it_returns_true() -> None:
    seen: list[Epoch] = []

    def note(epoch: Epoch) -> bool:
        seen.append(epoch)
        return epoch.epoch == 5

    trained = train(_waves(), Settings(**SMALL, validation=0.2, gradient_norms=True, callbacks=(note,)))
    assert trained.epochs == len(seen) == 5
    for told, kept in zip(seen, trained.history, strict=True):
        assert told == replace(kept, seconds=told.seconds)
        assert told.seconds == pytest.approx(kept.seconds, abs=0.05)
    assert not trained.interrupted


@pytest.mark.parametrize("value", [1, "yes", None, False])
def test_only_true_ends_training(value: object) -> None:
    assert train(_waves(), Settings(**SMALL, callbacks=(lambda _: value,))).epochs == 12


# what a step is made of ----------------------------------------------------------------------------


def test_a_schedule_is_what_the_history_says_and_changes_what_is_learned() -> None:
    schedule = Schedule("cosine", warm_up=1)
    trained = train(_waves(), Settings(**SMALL, schedule=schedule))
    steps = int(trained.history[0].step)
    assert trained.history.lrs.tolist() == schedule.rates(0.001, steps, 12).at(trained.history.steps - 1).tolist()
    plain = train(_waves(), Settings(**SMALL))
    assert trained.model.parameters.vector.tobytes() != plain.model.parameters.vector.tobytes()
    assert set(plain.history.lrs) == {0.001}


def test_a_plateau_goes_by_the_validation_figure_or_else_by_the_training_cost() -> None:
    schedule = Schedule("plateau", factor=0.5, patience=1)
    for validation in (None, 0.3):
        changes: dict[str, Any] = {"validation": validation, "epochs": 60, "schedule": schedule}
        settings = Settings(**(WAVES | changes))
        history = train(_waves(), settings).history
        figures = history.costs if validation is None else history.validation_costs
        assert figures is not None
        best, lr = np.inf, 0.001
        for epoch, figure in zip(history, figures, strict=True):
            assert epoch.lr == pytest.approx(lr, rel=1e-12)
            lr, best = (lr, figure) if figure < best else (lr / 2, best)
        assert lr < 0.001


@pytest.mark.parametrize(("share", "told"), [(0.03, ["training is watched by 1 validation example only"]), (0.3, [])])
def test_few_validation_examples_are_told_of(share: float, told: list[str]) -> None:
    table = Table("line", {"x": np.arange(40.0), "y": np.arange(40.0) / 3}, target=("y",))
    planned = plan(table, Settings(validation=share, task="numbers"))
    assert [line for line in plan_text(planned) if "watched" in line] == told


def test_class_weights_make_a_class_count_for_more() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(0, 1, 190), random.normal(1, 1, 10)])
    table = Table("rare", {"x": x, "kind": ["no"] * 190 + ["yes"] * 10}, target=("kind",))
    counts = [
        train(table, Settings(hidden=(), class_weight=given)).model.predict(table).count("yes")
        for given in (None, "balanced", {"yes": 100.0}, {"yes": 1, "no": 1})
    ]
    assert counts[0] == counts[3] < counts[1] < counts[2]


@pytest.mark.usefixtures("each_engine")
def test_balanced_weights_are_those_of_scikit_learn_and_the_train_cost_has_them() -> None:
    peers: Any = pytest.importorskip("sklearn.utils.class_weight")
    random = np.random.default_rng(0)
    kinds = random.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1])
    table = Table("three", {"x": random.normal(size=300), "kind": kinds.tolist()}, target=("kind",))
    settings = Settings(**SMALL, class_weight="balanced", l2=0.01)
    planned, trained = plan(table, settings), train(table, settings)
    state = planned.state
    expected = peers.compute_sample_weight("balanced", state.Y.argmax(axis=1))
    assert state.weights is not None
    assert state.weights == pytest.approx(expected, rel=2 * EPS32)
    p = ParameterVector(trained.model.network, trained.model.parameters.vector).astype(np.float64)
    C, _ = gradient(p, state.X, state.Y, state.weights)
    assert trained.train_cost == pytest.approx(C, rel=len(state.X) * EPS32)
    assert penalised_cost(p, state.X, state.Y, state.weights) != pytest.approx(
        penalised_cost(p, state.X, state.Y, None), rel=1e-3
    )


@pytest.mark.parametrize(
    ("given_", "n_hidden", "expected"),
    [((), 2, ()), ((0.5,), 2, (0, 0.5, 0.5)), ((0.1, 0.2), 2, (0, 0.1, 0.2)), ((0.3, 0.1, 0.2), 2, (0.3, 0.1, 0.2)),
     ((0.5,), 1, (0, 0.5)), ((0.5,), 0, (0.5,)), ((0, 0), 2, ())],
)  # fmt: skip
def test_dropout_is_given_for_hidden_layers_and_perhaps_the_inputs(
    given_: tuple[float, ...], n_hidden: int, expected: tuple[float, ...]
) -> None:
    assert plan(_waves(), Settings(hidden=(4,) * n_hidden, dropout=given_)).state.dropout == expected


def test_clipping_and_dropout_change_what_is_learned() -> None:
    every: list[dict[str, Any]] = [{}, {"clip_norm": 0.01}, {"dropout": (0.5,)}]
    vectors = {train(_waves(), Settings(**SMALL, **each)).model.parameters.vector.tobytes() for each in every}
    assert len(vectors) == 3


# what is refused -----------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], str]] = [
    ({"validation": 0}, "validation: 0 is not a share of the examples"),
    ({"validation": 1.0}, "validation: 1.0 is not a share"),
    ({"validation": "0.1"}, "validation: '0.1' is not a share of the examples, above 0 and below 1, or a Table"),
    ({"patience": 0}, "patience: 0 is not a whole number of epochs, at least 1"),
    ({"patience": 2.5}, "patience: 2.5 is not"),
    ({"metric": "acuracy", "patience": 3}, "metric: 'acuracy' is not known. Did you mean 'accuracy'?"),
    ({"metric": "accuracy"}, "metric: 'accuracy' is not measured without validation examples"),
    ({"schedule": 3}, "schedule: 3 is not a Schedule"),
    ({"clip_norm": 0}, "clip norm: 0 is not the most that ∇C may be long"),
    ({"dropout": None}, "dropout: None is not a list of probabilities"),
    ({"dropout": (1,)}, "dropout: 1 is not a probability of at least 0 and below 1"),
    ({"dropout": (0.1,) * 4}, "dropout: 4 probabilities for 2 hidden layers"),
    ({"class_weight": "even"}, "class weight: 'even' is not \"balanced\", or a weight for each class"),
    ({"class_weight": {"1": -1}}, "class weight of 1: -1 is not a number of 0 or more"),
    ({"class_weight": {1: 1}}, "class weight: 1 is not the name of a class, a text"),
    ({"class_weight": {"one": 1}}, "class weight: there is no class 'one'."),
    ({"class_weight": {str(c): 0 for c in range(10)}}, "class weight: no row of digits counts; give"),
    ({"callbacks": (3,)}, "callbacks: 3 is not a function that takes an Epoch"),
    ({"gradient_norms": "yes"}, "gradient norms: 'yes' is not True or False"),
    ({"metric": "rmse", "patience": 3}, "metric: rmse is for numbers, the target is classes: accuracy, balanced-accur"),
    ({"metric": "log-loss", "patience": 3, "cost": "squared-error", "activation": ("relu", "relu", "relu")},
     "metric: log-loss needs probabilities, which relu outputs are not"),
    ({"schedule": Schedule(warm_up=60), "epochs": 60}, "warm-up: 60 is not less than the 60 epochs of the training"),
    ({"validation": 1e-3}, "validation: 0.001 of the 320 training examples of digits leaves 320 to train on and 0"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "says"), BAD, ids=[says for _, says in BAD])
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        plan(_digits(), Settings(**settings))
    assert str(refusal.value).startswith(says)


def test_class_weights_of_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="class weight: the target 'y' is numbers, which have no classes"):
        plan(_waves(), Settings(class_weight="balanced"))


def test_validation_examples_of_which_none_counts_are_refused() -> None:
    table = Table("two", {"x": np.arange(40.0), "kind": ["a", "b"] * 20}, target=("kind",))
    others = Table("others", {"x": np.arange(4.0), "kind": ["a"] * 4})
    with pytest.raises(InputError, match="class weight: no row of others counts; give their classes a weight above 0"):
        plan(table, Settings(class_weight={"a": 0}, validation=others))
    rare = Table("rare", {"x": np.arange(400.0), "kind": ["a"] * 399 + ["b"]}, target=("kind",))
    with pytest.raises(InputError, match="class weight: no validation example counts"):
        plan(rare, Settings(class_weight={"a": 0}, validation=0.01))
    assert plan(table, Settings(class_weight={"b": 0}, validation=others)).validation is not None


def test_a_table_of_others_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="others: there is no column 'x'"):
        plan(_waves(), Settings(validation=Table("others", {"y": np.zeros(3)})))
    with pytest.raises(DataError, match="others: the target column 'y' is missing"):
        plan(_waves(), Settings(validation=Table("others", {"x": np.zeros(3)})))
    huge = Table("huge", {"x": np.full(3, 1e300), "y": np.zeros(3)})
    with pytest.raises(DataError, match="huge: it holds numbers too large to train on in float32"):
        plan(_waves(), Settings(validation=huge))


def test_a_network_without_examples_to_weigh_has_the_plain_cost() -> None:
    p = ParameterVector.zeros(Network((1, 1), "identity", "squared-error"), np.float64)
    X, Y = np.ones((3, 1)), np.array([[1.0], [2.0], [3.0]])
    assert penalised_cost(p, X, Y, None) == pytest.approx(14 / 3, rel=1e-15)
    assert penalised_cost(p, X, Y, np.array([1.0, 0.0, 3.0])) == pytest.approx(28 / 4, rel=1e-15)
    assert penalised_cost(p, X, Y, np.zeros(3)) == 0


def test_one_name_or_number_stands_for_what_it_names() -> None:
    brief = Settings(optimizer="sgd", schedule="cosine", activation="tanh", target="y", dropped="z", dropout=0.2)  # pyright: ignore[reportArgumentType]
    assert brief == Settings(
        optimizer=Optimizer("sgd"),
        schedule=Schedule("cosine"),
        activation=("tanh",),
        target=("y",),
        dropped=("z",),
        dropout=(0.2,),
    )


@pytest.mark.parametrize("true", [True, np.True_])
def test_a_callback_stops_by_a_true_of_either_kind(true: object) -> None:
    assert train(_waves(), Settings(**SMALL, callbacks=(lambda _: true,))).epochs == 1
