"""What the estimators have beyond scikit-learn's: each does what it says, and without it nothing changes."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import json
import pickle
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule
from chainrule.calculus.arrays import Array
from chainrule.errors import DivergenceError, InputError, ModelError
from chainrule.training.history import Epoch

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")

from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight

from chainrule.estimators import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

random = np.random.default_rng(8)
X = random.normal(size=(90, 5))
SCORES = X @ random.normal(size=(5, 3))
CLASSES = np.array(["ant", "bee", "cow"])[SCORES.argmax(axis=1)]
BINARY = np.where(SCORES[:, 0] > 0, "no", "yes")
LABELS = (SCORES > 0).astype(int)
NUMBERS = np.tanh(SCORES[:, 0])
X_VAL = random.normal(size=(40, 5))
NUMBERS_VAL = X_VAL[:, 0]
FEW: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 0, "batch_size": 20}


def classifier(**changes: Any) -> Any:
    return MLPClassifier(**FEW | changes)


def regressor(**changes: Any) -> Any:
    return MLPRegressor(**FEW | changes)


def arrays(fitted: Any) -> list[Array]:
    return fitted.coefs_ + fitted.intercepts_


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


# activations, losses, solvers ----------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_name_for_each_layer_is_that_name_for_all(solver: str) -> None:
    settings: dict[str, Any] = {"hidden_layer_sizes": (6, 4), "solver": solver}
    one, each, mixed = (
        classifier(**settings, activation=names).fit(X, CLASSES)
        for names in ("tanh", ["tanh", "tanh"], ("tanh", "elu"))
    )
    assert same(one, each)
    assert not same(one, mixed)
    assert mixed.model().network.activation == ("tanh", "elu", "softmax")
    assert same(*(regressor(activation=name).fit(X, NUMBERS) for name in ("logistic", "sigmoid")))


@pytest.mark.parametrize("activation", ["leaky-relu", "elu", "softplus", "silu", "gelu", "exp"])
def test_further_activations_learn(activation: str) -> None:
    settings = {"activation": activation, "learning_rate_init": 0.01, "max_iter": 200}
    assert classifier(**settings).fit(X, CLASSES).score(X, CLASSES) > 0.9


@pytest.mark.parametrize("y", [BINARY, CLASSES, LABELS])
def test_a_classifier_with_another_loss_has_a_sigmoid_an_output(y: Array) -> None:
    fitted = classifier(loss="squared_error", learning_rate_init=0.05, max_iter=150).fit(X, y)
    assert fitted.out_activation_ == "logistic"
    assert fitted.model().network.cost == "half-squared-error"
    assert fitted.score(X, y) > 0.85
    p = fitted.predict_proba(X)
    if y.ndim == 1:
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(fitted.classes_[p.argmax(axis=1)], fitted.predict(X))


def test_huber_is_less_moved_by_a_target_that_is_far_off() -> None:
    y = NUMBERS.copy()
    y[:5] = 40
    fitted = {
        loss: regressor(loss=loss, learning_rate_init=0.02, max_iter=200).fit(X, y)
        for loss in ("squared_error", "huber")
    }
    squared, huber = (abs(fitted[loss].predict(X[5:]) - y[5:]).mean() for loss in ("squared_error", "huber"))
    assert huber < squared / 2


def test_adamw_without_decay_is_adam_and_with_it_makes_weights_smaller() -> None:
    adam, adamw, decayed = (
        regressor(alpha=0.0, max_iter=50, **s).fit(X, NUMBERS)
        for s in ({}, {"solver": "adamw", "weight_decay": 0.0}, {"solver": "adamw", "weight_decay": 3.0})
    )
    assert same(adam, adamw)
    assert abs(decayed.coefs_[0]).sum() < 0.95 * abs(adam.coefs_[0]).sum()


def test_the_first_step_of_rmsprop_is_its_formula() -> None:
    rho, lr, epsilon = 0.8, 0.01, 1e-3
    settings = {"alpha": 0.0, "batch_size": 90, "shuffle": False}
    fitted = regressor(solver="rmsprop", rho=rho, learning_rate_init=lr, epsilon=epsilon, max_iter=1, **settings)
    fitted.fit(X, NUMBERS)
    start = regressor(**settings, learning_rate_init=1e-300, solver="sgd", max_iter=1, momentum=0).fit(X, NUMBERS)
    _, g = start.gradient(X, NUMBERS)
    step = lr * g.w[1].T / (np.sqrt((1 - rho) * g.w[1].T ** 2) + epsilon)
    np.testing.assert_allclose(fitted.coefs_[0], start.coefs_[0] - step, rtol=1e-12, atol=1e-14)


def test_momentum_may_be_1() -> None:
    fitted = regressor(solver="sgd", momentum=1.0, max_iter=3).fit(X, NUMBERS)
    assert np.isfinite(fitted.loss_)
    assert not same(fitted, regressor(solver="sgd", momentum=0.9, max_iter=3).fit(X, NUMBERS))


# learning rates, gradients -------------------------------------------------------------------------


def test_schedules_give_each_step_its_rate() -> None:
    rates = {
        name: [epoch.lr for epoch in regressor(learning_rate=name, max_iter=20, tol=0.0).fit(X, NUMBERS).history_]
        for name in ("constant", "step", "cosine", "one-cycle")
    }
    assert set(rates["constant"]) == {0.001}
    assert rates["step"] == pytest.approx([0.001] * 10 + [0.0005] * 10)
    steps = 20 * 5
    assert rates["cosine"] == pytest.approx([0.0005 * (1 + np.cos(np.pi * t / steps)) for t in range(4, steps, 5)])
    assert max(rates["one-cycle"]) > 4 * rates["one-cycle"][0] > 4 * rates["one-cycle"][-1]


def test_a_schedule_of_ones_own_and_a_warm_up() -> None:
    own = regressor(learning_rate=chainrule.Schedule("step", factor=0.1, every=2)).fit(X, NUMBERS)
    assert [epoch.lr for epoch in own.history_] == pytest.approx(np.repeat([1e-3, 1e-4, 1e-5, 1e-6], 2))
    warm = regressor(warm_up=2).fit(X, NUMBERS)
    assert [epoch.lr for epoch in warm.history_] == pytest.approx([5e-4] + [1e-3] * 7)
    copy: Any = clone(own)
    assert copy.learning_rate == own.learning_rate


def test_on_a_plateau_the_rate_falls() -> None:
    falling = chainrule.Schedule("plateau", patience=2)
    fitted = regressor(learning_rate=falling, learning_rate_init=0.3, max_iter=60, n_iter_no_change=60).fit(X, NUMBERS)
    lrs = fitted.history_.lrs
    assert lrs[0] == 0.3
    assert lrs[-1] < 0.1
    assert (np.diff(lrs) <= 0).all()


@pytest.mark.parametrize("thin", [False, True])
def test_partial_fit_goes_on_with_the_schedule(thin: bool) -> None:
    given: Any = sparse.csr_matrix(X) if thin else X
    settings = {"learning_rate": "cosine", "shuffle": False, "max_iter": 4, "gradient_norms": True}
    calls = regressor(**settings)
    for _ in range(4):
        calls.partial_fit(given, NUMBERS)
    whole = regressor(**settings).fit(given, NUMBERS)
    assert same(calls, whole)
    assert calls.history_.lrs.tolist() == whole.history_.lrs.tolist()
    np.testing.assert_array_equal(calls.history_.gradient_norms, whole.history_.gradient_norms)


def test_a_clipped_gradient_is_no_longer_than_that() -> None:
    settings = {
        "solver": "sgd",
        "momentum": 0,
        "learning_rate_init": 1.0,
        "batch_size": 90,
        "max_iter": 1,
        "alpha": 0.0,
    }
    start = regressor(**settings | {"learning_rate_init": 1e-300}).fit(X, NUMBERS)
    _, g = start.gradient(X, NUMBERS)
    length = float(np.linalg.norm(g.vector))
    for clip in (length / 10, length * 10):
        clipped = regressor(**settings, clip_norm=clip).fit(X, NUMBERS)
        moved = np.concatenate([(a - b).ravel() for a, b in zip(arrays(clipped), arrays(start), strict=True)])
        assert np.linalg.norm(moved) == pytest.approx(min(clip, length), rel=1e-12)


def test_gradient_norms_are_those_of_the_gradient() -> None:
    settings = {"solver": "sgd", "momentum": 0, "learning_rate_init": 1e-300, "batch_size": 90, "max_iter": 1}
    fitted = regressor(**settings, gradient_norms=True, alpha=2.0).fit(X, NUMBERS)
    _, g = fitted.gradient(X, NUMBERS)
    expected = [np.sqrt((g.w[l] ** 2).sum() + (g.b[l] ** 2).sum()) for l in (1, 2)]
    assert fitted.history_[0].gradient_norms == pytest.approx(expected, rel=1e-12)
    assert regressor().fit(X, NUMBERS).history_.gradient_norms is None


# dropout -------------------------------------------------------------------------------------------


def test_dropout_changes_training_and_no_other_random_number() -> None:
    none, zero, some, again = (
        regressor(dropout=p, hidden_layer_sizes=(6, 4), early_stopping=True).fit(X, NUMBERS)
        for p in (0.0, (0.0, 0.0), 0.4, 0.4)
    )
    assert same(none, zero)
    assert same(some, again)
    assert not same(none, some)
    np.testing.assert_array_equal(some.predict(X), some.predict(X))


def test_dropout_of_one_layer_alone() -> None:
    in_front, behind, inputs, all_hidden = (
        regressor(dropout=p, hidden_layer_sizes=(6, 4)).fit(X, NUMBERS)
        for p in ((0.4, 0.0), (0.0, 0.4), (0.4, 0.0, 0.0), (0.4, 0.4))
    )
    assert not any(same(in_front, other) for other in (behind, inputs, all_hidden))
    assert same(all_hidden, regressor(dropout=0.4, hidden_layer_sizes=(6, 4)).fit(X, NUMBERS))
    assert same(all_hidden, regressor(dropout=(0.0, 0.4, 0.4), hidden_layer_sizes=(6, 4)).fit(X, NUMBERS))


def test_what_dropout_keeps_is_made_larger_so_that_the_mean_stays() -> None:
    # one linear step: Σ over many masks of the loss's gradient by b is that without dropout
    settings = {"activation": "identity", "solver": "sgd", "momentum": 0, "learning_rate_init": 1.0, "alpha": 0.0}
    settings |= {"batch_size": 90, "max_iter": 1, "hidden_layer_sizes": (400,)}
    start, plain, dropped = (
        regressor(**settings | s).fit(X, NUMBERS) for s in ({"learning_rate_init": 1e-300}, {}, {"dropout": 0.5})
    )
    moved, expected = (fitted.intercepts_[1] - start.intercepts_[1] for fitted in (dropped, plain))
    # of each of 90 examples the output has a standard deviation of about |w|·|a| ≤ 1; 6 of the mean's
    assert abs(moved - expected)[0] < 6 / np.sqrt(90)
    assert not np.array_equal(moved, expected)


# weights of classes --------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("class_weight", ["balanced", {"ant": 0.5, "bee": 3, "cow": 1}])
def test_weights_of_classes_are_weights_of_their_examples(solver: str, class_weight: Any) -> None:
    given = np.linspace(0.5, 2, len(X))
    by_class = classifier(class_weight=class_weight, solver=solver).fit(X, CLASSES, given)
    of_each = classifier(solver=solver).fit(X, CLASSES, given * compute_sample_weight(class_weight, CLASSES))
    np.testing.assert_allclose(by_class.coefs_[0], of_each.coefs_[0], rtol=1e-12)
    assert not same(by_class, classifier(solver=solver).fit(X, CLASSES, given))


def test_weights_of_classes_with_partial_fit() -> None:
    few = np.flatnonzero(CLASSES != "cow")
    weights = {"ant": 0.5, "bee": 3, "cow": 2}
    by_class, of_each = classifier(class_weight=weights), classifier()
    names = ["ant", "bee", "cow"]
    by_class.partial_fit(X[few], CLASSES[few], classes=names)
    of_each.partial_fit(X[few], CLASSES[few], [weights[name] for name in CLASSES[few]], classes=names)
    assert same(by_class, of_each)
    with pytest.raises(InputError, match="class_weight 'balanced' is not supported for partial_fit"):
        classifier(class_weight="balanced").partial_fit(X, CLASSES, classes=names)


# validation ----------------------------------------------------------------------------------------


def test_a_validation_set_takes_the_place_of_examples_held_out() -> None:
    kept, held_out = np.arange(70), np.arange(70, 90)
    fitted = regressor(early_stopping=True).fit(X[kept], NUMBERS[kept], X_val=X[held_out], y_val=NUMBERS[held_out])
    plain = regressor().fit(X[kept], NUMBERS[kept])
    assert fitted.loss_curve_ == plain.loss_curve_  # no example was held out, and the same steps were made
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    assert fitted.score(X[held_out], NUMBERS[held_out]) == fitted.best_validation_score_
    assert len(fitted.validation_loss_curve_) == fitted.n_iter_


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("thin", [False, True])
def test_the_validation_loss_is_that_of_the_predictions(weighted: bool, thin: bool) -> None:
    weights = np.linspace(0, 3, len(X_VAL)) if weighted else None
    given: Any = sparse.csr_matrix(X_VAL) if thin else X_VAL
    settings = {"X_val": given, "y_val": NUMBERS_VAL, "sample_weight_val": weights}
    fitted = regressor().fit(X, NUMBERS, **settings)
    by_hand = np.average((fitted.predict(X_VAL) - NUMBERS_VAL) ** 2 / 2, weights=weights)
    assert fitted.validation_loss_curve_[-1] == pytest.approx(by_hand, rel=1e-12)
    assert fitted.validation_scores_[-1] == pytest.approx(fitted.score(X_VAL, NUMBERS_VAL, weights), rel=1e-12)
    assert fitted.history_.validation_costs.tolist() == fitted.validation_loss_curve_
    assert fitted.history_.metrics["r2"].tolist() == fitted.validation_scores_
    y = (NUMBERS_VAL > 0).astype(int)
    classes: Any = classifier(max_iter=3).fit(X, (NUMBERS > 0).astype(int), **settings | {"y_val": y})
    log_p = classes.predict_log_proba(X_VAL)[np.arange(len(y)), y]
    assert classes.validation_loss_curve_[-1] == pytest.approx(-np.average(log_p, weights=weights), rel=1e-12)
    counts = np.round(np.exp(NUMBERS_VAL))
    poisson: Any = regressor(loss="poisson", max_iter=3).fit(
        X, np.round(np.exp(NUMBERS)), **settings | {"y_val": counts}
    )
    from sklearn.metrics import mean_poisson_deviance

    half = mean_poisson_deviance(counts, poisson.predict(X_VAL), sample_weight=weights) / 2
    assert poisson.validation_loss_curve_[-1] == pytest.approx(half, rel=1e-12)


@pytest.mark.parametrize("given", [False, True])
def test_calls_of_partial_fit_stop_early_with_the_best_parameters(given: bool) -> None:
    validation: dict[str, Any] = {"X_val": X_VAL, "y_val": NUMBERS_VAL} if given else {}
    fitted = regressor(early_stopping=True, n_iter_no_change=3, learning_rate_init=0.03, validation_fraction=0.3)
    predicted: list[Array] = []
    for _ in range(400):
        fitted.partial_fit(X, NUMBERS, **validation)
        predicted.append(fitted.predict(X))
        if fitted.stopped_:
            break
    assert fitted.stopped_
    scores = fitted.validation_scores_
    assert len(scores) == len(predicted)
    best = int(np.argmax(scores))
    assert best < len(scores) - 3
    assert fitted.history_.best_epoch == best + 1
    np.testing.assert_array_equal(fitted.predict(X), predicted[best])
    fitted.partial_fit(X, NUMBERS, **validation)
    np.testing.assert_array_equal(fitted.predict(X), predicted[best])
    assert len(fitted.validation_scores_) == len(scores)


def test_calls_of_partial_fit_hold_out_the_same_examples() -> None:
    # learned by heart: were others held out in each call, the score over all of them would be 1
    noise = random.normal(size=90)
    fitted = regressor(
        early_stopping=True, n_iter_no_change=10**6, learning_rate_init=0.02, hidden_layer_sizes=(200,), alpha=0.0,
        validation_fraction=0.2, batch_size=72,
    )  # fmt: skip
    for _ in range(1000):
        fitted.partial_fit(X, noise)
    errors = np.sort(abs(fitted.predict(X) - noise))
    assert errors[71] < 0.1 < 0.5 < errors[75]  # 72 were learned from, 18 never seen
    assert fitted.best_validation_score_ < 0.5


# callbacks and history -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bool, np.bool])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_see_each_epoch_and_stop_training(solver: str, kind: Any) -> None:
    seen: list[Epoch] = []

    def third(epoch: Epoch) -> Any:
        seen.append(epoch)
        return kind(epoch.epoch == 3)

    fitted = regressor(solver=solver, callbacks=[third]).fit(X, NUMBERS)
    assert [epoch.epoch for epoch in seen] == [1, 2, 3]
    assert fitted.n_iter_ == 3
    assert seen[-1].cost == fitted.loss_
    assert [epoch.cost for epoch in fitted.history_] == [epoch.cost for epoch in seen]
    assert len(fitted.history_.csv_text().splitlines()) == 4


def test_scikit_learns_callbacks() -> None:
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn is older than its callbacks")
    events: list[tuple[str, Any]] = []

    class Watch:
        def setup(self, estimator: Any, context: Any) -> None:
            events.append(("setup", context.max_subtasks))

        def teardown(self, estimator: Any, context: Any) -> None:
            events.append(("teardown", None))

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            events.append(("begin", context.task_name))

        def on_fit_task_end(self, estimator: Any, context: Any, *, X: Any, y: Any, fitted_estimator: Any) -> bool:
            score = fitted_estimator.score(X, y) if context.task_name == "epoch" else None
            events.append(("end", score))
            return context.task_name == "epoch" and context.task_id == 2

    fitted = classifier().set_callbacks(Watch()).fit(X, CLASSES)
    names = [name for name, _ in events]
    assert names == ["setup", "begin", *["begin", "end"] * 3, "end", "teardown"]
    assert events[0] == ("setup", 8)
    assert events[-3][1] == fitted.score(X, CLASSES)
    assert fitted.n_iter_ == 3
    assert not any("callback" in name for name in vars(fitted) if name != "_skl_callbacks" and name != "callbacks")

    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier().set_callbacks(monitor).fit(X, CLASSES)
    assert len(monitor.get_logs().data) >= 8

    events.clear()
    with pytest.raises(ValueError, match="NaN"):
        classifier().set_callbacks(Watch()).fit(X * np.nan, CLASSES)
    assert events[-1][0] == "teardown"


def test_scikit_learns_callbacks_reach_it_in_a_pipeline_and_a_search() -> None:
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn is older than its callbacks")
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    monitor = callback.ScoringMonitor(scoring="accuracy")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The estimator .* does not support callbacks")
        make_pipeline(StandardScaler(), classifier().set_callbacks(monitor)).fit(X, CLASSES)
    assert len(monitor.get_logs().data) >= 8
    search: Any = GridSearchCV(classifier(), {"alpha": [1e-4, 1.0]}, cv=2).set_callbacks(callback.ProgressBar())
    plain: Any = GridSearchCV(classifier(), {"alpha": [1e-4, 1.0]}, cv=2)
    assert same(search.fit(X, CLASSES).best_estimator_, plain.fit(X, CLASSES).best_estimator_)


def test_without_scikit_learns_callbacks_all_is_the_same() -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn is older than its callbacks")
    program = """
import warnings
import numpy, sklearn.callback, sklearn.linear_model, sklearn.model_selection, sklearn.pipeline
del sklearn.callback.CallbackSupportMixin  # as before scikit-learn 1.9
from chainrule import MLPRegressor
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    fitted = MLPRegressor(max_iter=2, random_state=0).fit(numpy.eye(9), numpy.arange(9.0))
assert not hasattr(fitted, "set_callbacks")
print(caught[0].filename, fitted.n_iter_)
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert told == "<string> 2\n"


def test_a_validation_set_is_routed() -> None:
    import sklearn
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    with sklearn.config_context(enable_metadata_routing=True):
        mlp = regressor(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        make_pipeline(FunctionTransformer(), mlp).fit(X, NUMBERS, X_val=X_VAL, y_val=NUMBERS_VAL)
    assert same(mlp, regressor(early_stopping=True).fit(X, NUMBERS, X_val=X_VAL, y_val=NUMBERS_VAL))


def test_a_pickle_goes_on_as_it_would_have() -> None:
    settings = {"learning_rate": "plateau", "dropout": 0.2, "early_stopping": True, "solver": "rmsprop"}
    fitted = regressor(**settings).partial_fit(X, NUMBERS)
    again = pickle.loads(pickle.dumps(fitted))
    assert same(again.partial_fit(X, NUMBERS), fitted.partial_fit(X, NUMBERS))
    assert len(again.history_) == 2


# reading it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("thin", [False, True])
def test_the_gradient_is_that_of_the_loss(thin: bool) -> None:
    weights = np.linspace(0, 2, len(X))
    fitted = classifier(hidden_layer_sizes=(4,), activation="tanh", alpha=0.7).fit(X, CLASSES)
    given: Any = sparse.csc_matrix(X) if thin else X
    C, g = fitted.gradient(given, CLASSES, weights)
    log_p = fitted.predict_log_proba(X)[np.arange(len(X)), np.searchsorted(fitted.classes_, CLASSES)]
    penalty = 0.35 * sum((coef**2).sum() for coef in fitted.coefs_) / weights.sum()
    assert pytest.approx(-np.average(log_p, weights=weights) + penalty, rel=1e-12) == C
    h = 1e-5
    fitted.coefs_[0] = fitted.coefs_[0].copy()
    sides: list[float] = []
    for side in (h, -2 * h):
        fitted.coefs_[0][2, 3] += side
        sides.append(fitted.gradient(given, CLASSES, weights)[0])
    assert g.w[1][3, 2] == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-6)


def test_the_loss_of_lbfgs_is_the_gradients_and_its_derivatives_are_small() -> None:
    for loss in ("squared_error", "poisson"):
        short, long = (
            regressor(solver="lbfgs", alpha=1.0, max_iter=n, loss=loss).fit(X, NUMBERS + 1) for n in (1, 400)
        )
        C, g = long.gradient(X, NUMBERS + 1)
        assert pytest.approx(long.loss_, rel=1e-12) == C
        assert abs(g.vector).max() < abs(short.gradient(X, NUMBERS + 1)[1].vector).max() / 100


def test_what_the_gradient_refuses() -> None:
    fitted = classifier().fit(X, CLASSES)
    for given, message in (
        ((X, np.full(90, "dog")), "`y` has classes not in `self.classes_`"),
        ((X[:, :4], CLASSES), "4 features"),
        ((X, CLASSES, np.zeros(90)), "non-zero number: sample_weight"),
    ):
        with pytest.raises(ValueError, match=message):
            fitted.gradient(*given)
    with pytest.raises(ValueError, match="not fitted"):
        classifier().gradient(X, CLASSES)


def test_a_history_after_another_solver_is_that_ones() -> None:
    fitted = regressor(early_stopping=True, warm_start=True, max_iter=30).fit(X, NUMBERS)
    assert fitted.history_.best_epoch is not None
    fitted.set_params(solver="lbfgs", max_iter=2).fit(X, NUMBERS)
    assert len(fitted.history_) == 2
    assert fitted.history_.best_epoch is None


def test_an_explanation_has_the_names_of_features_and_classes() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=["mass", "age", "y", "girth", "legs"])
    fitted = classifier().fit(frame, CLASSES)
    explanation = fitted.explain(frame, CLASSES, "w1[3,2]")
    assert explanation.value == pytest.approx(fitted.gradient(frame, CLASSES)[1].w[1][3, 2], rel=1e-12)
    of_one = fitted.explain(frame, CLASSES, "w1[3,0]", example=4)
    assert "mass" in str(of_one)
    assert "a2[1] is y_ = bee" in str(fitted.explain(frame, CLASSES, "w2[1,0]", example=4))  # y is a feature
    with pytest.raises(chainrule.ChainruleError, match=r"w1\[30,2\]"):
        fitted.explain(frame, CLASSES, "w1[30,2]")


# saving --------------------------------------------------------------------------------------------

SAVED: list[tuple[Any, Any]] = [
    (
        classifier(early_stopping=True, hidden_layer_sizes=[6, 4], activation=("tanh", "elu"), dropout=(0.1, 0.2)),
        CLASSES,
    ),
    (classifier(class_weight={"no": 2.0, "yes": 1}, n_iter_no_change=np.inf), BINARY),
    (classifier(class_weight="balanced", solver="lbfgs"), CLASSES),
    (classifier(class_weight={0: 2.0, 1: np.float32(1)}, alpha=np.float64(0.5)), (NUMBERS > 0).astype(np.int8)),
    (classifier(learning_rate=chainrule.Schedule("step", every=3)), LABELS),
    (classifier(), np.array(CLASSES, object)),
    (classifier(loss="squared_error"), SCORES.argmax(axis=1) == 0),
    (regressor(loss="poisson", gradient_norms=True, random_state=np.int64(3)), np.exp(NUMBERS)),
    (regressor(solver="lbfgs", hidden_layer_sizes=()), SCORES),
]


@pytest.mark.parametrize(("estimator", "y"), SAVED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_saved_is_loaded_again(estimator: Any, y: Array, dtype: str, tmp_path: Path) -> None:
    copy: Any = clone(estimator)
    fitted = copy.fit(X.astype(dtype), y)
    path = tmp_path / "mlp.safetensors"
    fitted.save(path)
    loaded = type(fitted).load(path)
    assert same(loaded, fitted)
    assert loaded.coefs_[0].dtype == dtype
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    assert loaded.predict(X).dtype == fitted.predict(X).dtype
    if hasattr(fitted, "classes_"):
        assert loaded.classes_.dtype == fitted.classes_.dtype
        np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    for name, value in fitted.get_params().items():
        mine = loaded.get_params()[name]
        assert list(mine) == list(value) if isinstance(value, list | tuple) else mine == value
    public = {name for name in vars(fitted) if name.endswith("_")}
    assert {name for name in vars(loaded) if name.endswith("_")} == public
    for name in public - {"coefs_", "intercepts_", "classes_"}:
        assert vars(loaded)[name] == vars(fitted)[name], name
    assert loaded.history_.costs.tolist() == fitted.history_.costs.tolist()
    assert loaded.history_.best_epoch == fitted.history_.best_epoch
    (C, g), (their_C, their_g) = (one.gradient(X, y) for one in (loaded, fitted))
    assert their_C == C
    np.testing.assert_array_equal(g.vector, their_g.vector)
    if loaded.solver != "lbfgs":
        loaded.partial_fit(X, y)
        assert same(loaded, fitted) == (fitted.stopped_ and fitted.early_stopping)
    again = tmp_path / "again.safetensors"
    fitted.save(again)
    assert again.read_bytes() == path.read_bytes()


def test_a_saved_estimator_is_a_model_file(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=["mass", "age", "height", "girth", "legs"])
    fitted = classifier(max_iter=50).fit(frame, CLASSES)
    fitted.save(tmp_path / "mlp.safetensors")
    frame.assign(y=CLASSES).to_csv(tmp_path / "animals.csv", index=False)
    table = chainrule.read_table(tmp_path / "animals.csv")
    model = chainrule.load_model(tmp_path / "mlp.safetensors")
    assert model.predict(table) == fitted.predict(frame).tolist()
    command = [sys.executable, "-m", "chainrule", "predict", "mlp.safetensors", "animals.csv", "--json"]
    told = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert json.loads(told)["predictions"] == fitted.predict(frame).tolist()


def test_files_that_hold_no_such_estimator_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mlp.safetensors"
    fitted = classifier().fit(X, CLASSES)
    fitted.save(path)
    with pytest.raises(ModelError, match="it is an 'MLPClassifier', and not an MLPRegressor"):
        MLPRegressor.load(path)
    with pytest.raises(ModelError, match="No such file"):
        MLPClassifier.load(tmp_path / "none.safetensors")
    content = path.read_bytes()
    for old, new, message in (
        (b"hidden_layer_sizes", b"hidden_layer_sixes", "hidden_layer_sixes is not known. Did you mean"),
        (b'activation\\": \\"relu\\"', b'activation\\": \\"tanh\\"', "another network"),
        (b'\\"cow\\"], \\"shares', b'\\"ant\\"], \\"shares', "does not add up"),
        (b'alpha\\": 0.0001', b'alpha\\": -1.001', "'alpha' parameter"),
        (b'shares\\": null', b'shares\\": [10]', "shares"),
        (b"<U3", b"<Q3", "does not add up"),
        (b'multilabel\\": false', b'multilabel\\": true ', "does not add up"),
        (b'n_iter_\\": 8', b'n_itar_\\": 8', "n_itar_ is not known"),
        (b'stopped_\\": false', b'stopped_\\": 0    ', "does not add up"),
    ):
        changed = content.replace(old, new)
        assert changed != content
        path.write_bytes(changed)
        with pytest.raises(ModelError, match=message):
            MLPClassifier.load(path)
    chainrule.save_model(fitted.model(), path)
    with pytest.raises(ModelError, match="not of an estimator"):
        MLPClassifier.load(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match="random_state: a file cannot hold a RandomState"):
        classifier(random_state=np.random.RandomState(0)).fit(X, CLASSES).save(path)
    assert path.read_bytes() == content


# what is refused -----------------------------------------------------------------------------------

ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"activation": ("tanh", "relu")}, "activation: 2 names for 1 hidden layers; give one for all, or one for each"),
    ({"activation": ("tahn",)}, "'activation' .* a sequence each entry of which is a str among"),
    ({"activation": ("softmax",)}, "'activation'"),
    ({"loss": "log-loss"}, "'loss' .* Did you mean 'log_loss'"),
    ({"loss": "poisson"}, "'loss'"),
    ({"loss": "huber"}, "'loss' parameter of MLPClassifier must be a str among {'log_loss', 'squared_error'}"),
    ({"weight_decay": -1}, r"'weight_decay' .* \[0.0, inf\)"),
    ({"rho": 1}, "'rho'"),
    ({"learning_rate": "cycle"}, "'learning_rate'"),
    ({"learning_rate": "invscaling", "warm_up": 1, "solver": "sgd"}, "warm_up: it goes with the other learning rates"),
    ({"learning_rate": chainrule.Schedule(), "warm_up": 1}, "warm_up: .* the Schedule has its own"),
    ({"learning_rate": "one-cycle", "warm_up": 1}, "one-cycle"),
    ({"warm_up": 8}, "warm-up: 8 is not less than the 8 epochs"),
    ({"warm_up": -1}, "'warm_up'"),
    ({"dropout": 1.0}, r"'dropout' .* \[0.0, 1.0\)"),
    ({"dropout": (0.1, "x")}, "'dropout'"),
    ({"dropout": (0.1, 0.1, 0.1)}, "dropout: 3 probabilities for 1 hidden layers"),
    ({"clip_norm": 0}, r"'clip_norm' .* \(0.0, inf\) or None"),
    ({"gradient_norms": 1}, "'gradient_norms'"),
    ({"callbacks": [3]}, "'callbacks'"),
    ({"callbacks": print}, "'callbacks'"),
    ({"class_weight": "even"}, "'class_weight' .*'balanced'"),
    ({"class_weight": {"ant": 2, "be": 1}}, "not in class_weight"),
    ({"class_weight": {"ant": -1, "bee": 1, "cow": 1}}, "weights are finite and not negative"),
    ({"weight_decay": 0.1}, "weight_decay: it goes with solver='adamw', not 'adam'; leave it out"),
    ({"solver": "lbfgs", "rho": 0.5}, "rho: it goes with solver='rmsprop', not 'lbfgs'; leave it out"),
    ({"solver": "lbfgs", "dropout": np.array([0.1])}, "dropout: solver='lbfgs'"),
    ({"solver": "lbfgs", "dropout": 0.1}, "dropout: solver='lbfgs' takes all examples at once"),
    ({"solver": "lbfgs", "clip_norm": 1.0}, "clip_norm: solver='lbfgs'"),
    ({"solver": "lbfgs", "warm_up": 1}, "warm_up: solver='lbfgs'"),
    ({"solver": "lbfgs", "learning_rate": "cosine"}, "learning_rate: solver='lbfgs'"),
    ({"dropout": 0.2, "hidden_layer_sizes": ()}, r"dropout: there is no hidden layer; \(0.2,\) drops inputs"),
]


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS)
def test_an_argument_that_cannot_be_is_named(arguments: dict[str, Any], message: str) -> None:
    estimator = classifier(**arguments)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, CLASSES)
    assert vars(estimator) == before


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"X_val": X_VAL}, "X_val and y_val go together"),
        ({"y_val": CLASSES}, "X_val and y_val go together"),
        ({"X_val": X_VAL[:, :4], "y_val": CLASSES[:40]}, "4 features"),
        ({"X_val": X_VAL, "y_val": CLASSES}, "inconsistent numbers of samples"),
        ({"X_val": X_VAL, "y_val": np.full(40, "dog")}, "`y_val` has classes not in `self.classes_`"),
        ({"X_val": X_VAL, "y_val": CLASSES[:40], "sample_weight_val": np.zeros(40)}, "non-zero number: sample_weight"),
        ({"X_val": X_VAL * np.nan, "y_val": CLASSES[:40]}, "contains NaN"),
    ],
)
def test_a_validation_set_that_cannot_be_leaves_the_estimator_as_it_was(validation: Any, message: str) -> None:
    estimator = classifier(early_stopping=True)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, CLASSES, **validation)
    assert vars(estimator) == before
    with pytest.raises(InputError, match="X_val: solver='lbfgs'"):
        classifier(solver="lbfgs").fit(X, CLASSES, X_val=X_VAL, y_val=CLASSES[:40])
    with pytest.raises(InputError, match="y_val has 2 outputs, the network has 1"):
        regressor().fit(X, NUMBERS, X_val=X_VAL, y_val=SCORES[:40, :2])


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_that_diverges_and_learned_nothing_is_an_error(solver: str, thin: bool) -> None:
    settings = {"solver": solver, "learning_rate_init": {"sgd": 5.0, "adam": 1e60}[solver], "shuffle": False}
    estimator = regressor(**settings, max_iter=100)
    before = dict(vars(estimator))
    with pytest.raises(DivergenceError, match=r"diverged in epoch \d, step \d+: .* overflowed .*; nothing was learned"):
        estimator.fit(sparse.csr_matrix(X) if thin else X, NUMBERS)
    assert vars(estimator) == before


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("thin", [False, True])
def test_training_that_learned_and_diverged_later_keeps_the_best(thin: bool, early_stopping: bool) -> None:
    """The loss grows for many epochs before it overflows; what is kept is as good as the best epoch was."""
    settings: dict[str, Any] = {"solver": "sgd", "momentum": 0.0, "hidden_layer_sizes": (), "max_iter": 1000}
    settings |= {"n_iter_no_change": 1000, "early_stopping": early_stopping}
    estimator = regressor(**settings, learning_rate_init=5.0, warm_up=300, alpha=0.0)
    given: Any = sparse.csr_matrix(X) if thin else X
    with pytest.warns(
        ConvergenceWarning,
        match=r"diverged in epoch \d+, step \d+: .*; the parameters of epoch \d+, the best, are kept",
    ) as told:
        fitted = estimator.fit(given, NUMBERS)
    best = fitted.history_.best_epoch
    assert f"the parameters of epoch {best}, the best, " in str(told[-1].message)
    losses = fitted.loss_curve_
    assert losses[-1] > 10 * losses[0]
    assert fitted.n_iter_ == len(losses) == len(fitted.history_)
    C, _ = fitted.gradient(X, NUMBERS)
    assert min(losses) * 1.5 > C
    if early_stopping:
        assert fitted.validation_scores_[best - 1] == max(fitted.validation_scores_)
    else:
        assert fitted.loss_ == pytest.approx(C, rel=1e-9)
        assert best in (int(np.argmin(losses)), int(np.argmin(losses)) + 1)


COUNTS = np.random.default_rng(1).poisson(np.exp(SCORES[:, 0] / 2)).astype(float)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("lr", [0.1, 0.2, 0.4, 0.8])
def test_of_epochs_of_one_step_the_best_is_kept(lr: float, momentum: float) -> None:
    """The loss of an epoch of one step is that of the parameters before it."""
    settings: dict[str, Any] = {"loss": "poisson", "solver": "sgd", "momentum": momentum, "batch_size": 90}
    settings |= {"learning_rate_init": lr, "max_iter": 300, "activation": "identity", "n_iter_no_change": 300}
    seen: list[float] = []

    def note(epoch: Epoch) -> None:
        seen.append(epoch.cost)

    estimator = regressor(**settings, callbacks=[note])
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator.fit(X, COUNTS)
    except DivergenceError:
        assert np.nanargmin(seen) == 0
        return
    if any("diverged" in str(warning.message) for warning in caught):
        assert estimator.gradient(X, COUNTS)[0] <= min(seen) * (1 + 1e-9)
        assert estimator.history_.best_epoch in (np.argmin(seen), np.argmin(seen) + 1)


def _growing_line(**changes: Any) -> tuple[Any, Array, Array]:
    x = np.linspace(-1, 1, 200)[:, None]
    settings: dict[str, Any] = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0, "n_iter_no_change": 5000}
    return regressor(**settings | changes), x, 2 * x[:, 0] + np.sin(40 * x[:, 0])


@pytest.mark.filterwarnings("ignore:The loss over the validation set is not finite")
def test_partial_fit_that_diverges_goes_back_to_the_best_validation_score() -> None:
    mlp, x, y = _growing_line(learning_rate_init=2.15, early_stopping=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        while not any("diverged" in str(warning.message) for warning in told):
            mlp.partial_fit(x, y)
    epochs, best = len(mlp.history_), mlp.history_.best_epoch
    message = str(told[-1].message)
    step = next(
        step for step in range(9 * epochs + 1, 9 * epochs + 10) if f"epoch {epochs + 1}, step {step}: " in message
    )
    assert step <= 9 * (epochs + 1)
    assert f"; the parameters of epoch {best}, the best, are kept" in message
    assert mlp.validation_scores_[best - 1] == max(mlp.validation_scores_) == mlp.best_validation_score_
    assert mlp.score(x, y) > 0.5
    assert not mlp.stopped_
    coefs = mlp.coefs_[0].copy()
    for _ in range(3):  # a batch that no network could learn from changes nothing, and good ones go on
        with pytest.raises(DivergenceError, match="nothing was learned"):
            mlp.partial_fit(np.full((200, 1), 1e200), y, X_val=x, y_val=y)
        assert (mlp.coefs_[0] == coefs).all()
    assert not (mlp.partial_fit(x, y).coefs_[0] == coefs).all()
    assert len(mlp.history_) == epochs + 1


@pytest.mark.parametrize("early_stopping", [True, False])
def test_early_stopping_decides_whether_a_run_that_diverged_has_learned(early_stopping: bool) -> None:
    """The penalty makes the loss grow from the first step on, while the classes become more often right."""
    settings: dict[str, Any] = {"hidden_layer_sizes": (), "solver": "sgd", "momentum": 0.0, "learning_rate_init": 20.0}
    settings |= {"alpha": 2.1, "early_stopping": early_stopping, "max_iter": 2000, "n_iter_no_change": 2000}
    estimator = classifier(**settings, random_state=1)
    if not early_stopping:
        with pytest.raises(DivergenceError, match="nothing was learned"):
            estimator.fit(X, CLASSES)
        return
    with pytest.warns(ConvergenceWarning, match=r"diverged in .*; the parameters of epoch \d+, the best, are kept"):
        estimator.fit(X, CLASSES)
    assert estimator.validation_scores_[estimator.history_.best_epoch - 1] == max(estimator.validation_scores_) > 0.5


def test_a_loss_is_finite_until_the_epoch_in_which_training_diverges() -> None:
    mlp, x, y = _growing_line(learning_rate_init=3, batch_size=200, max_iter=2000, warm_up=500)
    mlp.fit(x, y)
    assert 500 < len(mlp.loss_curve_) < 2000
    assert np.isfinite(mlp.loss_curve_).all()
    assert mlp.loss_ == pytest.approx(mlp.gradient(x, y)[0], rel=1e-9)


def test_the_same_fit_has_the_same_losses_to_the_bit_however_it_was_sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    curves: list[list[float]] = []
    for seconds in (10.0, 1e-9):
        monkeypatch.setattr("chainrule.training.loop.SLICE_SECONDS", seconds)
        curves.append(regressor(loss="poisson", batch_size=7).fit(X, COUNTS).loss_curve_)
    assert curves[0] == curves[1]


@pytest.mark.parametrize("scale", [1e20, 1e15])
def test_the_loss_of_lbfgs_that_ends_abnormally_is_that_of_its_weights(scale: float) -> None:
    given = {"hidden_layer_sizes": (6,), "solver": "lbfgs", "max_iter": 100}
    y = NUMBERS * scale
    fitted = regressor(**given, activation="identity").fit(X, y)
    assert fitted.loss_ == pytest.approx(fitted.gradient(X, y)[0], rel=1e-9)


def test_the_steps_of_a_history_go_on_over_warm_starts_and_in_a_file(tmp_path: Path) -> None:
    mlp = regressor(warm_start=True, max_iter=2)
    for size in (90, 60, 40):
        mlp.fit(X[:size], NUMBERS[:size])
    mlp.partial_fit(X[:20], NUMBERS[:20])
    steps = [5, 10, 13, 16, 18, 20, 21]
    assert [epoch.step for epoch in mlp.history_] == steps
    mlp.save(tmp_path / "mlp.safetensors")
    assert [epoch.step for epoch in MLPRegressor.load(tmp_path / "mlp.safetensors").history_] == steps


@pytest.mark.filterwarnings("default")
def test_divergence_in_the_first_epoch_leaves_a_whole_estimator() -> None:
    """Batches of one example, the last two too large for their rate."""
    A: Array = np.ones((50, 1))
    A[-2:] = 1e120
    settings: dict[str, Any] = {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.01, "shuffle": False}
    with pytest.warns(
        ConvergenceWarning, match=r"diverged in epoch 1, step \d+: .*; the parameters of step 48 are kept"
    ):
        fitted = regressor(**settings, batch_size=1).fit(A, 3 * A.ravel())
    assert np.isfinite(fitted.predict(A)).all()
    assert fitted.loss_ == fitted.best_loss_ == pytest.approx(fitted.gradient(A, 3 * A.ravel())[0])
    assert (fitted.n_iter_, fitted.loss_curve_, len(fitted.history_)) == (0, [], 0)


@pytest.mark.parametrize("thin", [False, True])
def test_lbfgs_that_cannot_begin_says_which_layer_overflows_and_is_as_it_was(thin: bool) -> None:
    settings = {"hidden_layer_sizes": (5, 5), "solver": "lbfgs"}
    for activation, scale, times, message in (
        ("exp", 300, 1, r"iteration 1: the activations of layer \d overflowed .* Scale X\."),
        ("relu", 1, 1e200, r"the cost overflowed .*largest target .* Scale y\."),
        ("relu", 1e160, 1, r"the cost overflowed .* Scale X\."),
    ):
        estimator = regressor(**settings, activation=activation)
        before = dict(vars(estimator))
        given: Any = sparse.csr_matrix(X * scale) if thin else X * scale
        with pytest.raises(DivergenceError, match=message):
            estimator.fit(given, NUMBERS * times)
        assert vars(estimator) == before


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("class_weight", ["balanced", {"ant": 0.5, "bee": 3, "cow": 1}])
def test_the_classes_weigh_the_same_in_the_file_of_a_classifier(solver: str, class_weight: Any, tmp_path: Path) -> None:
    X_ = X.round(3)
    fitted = classifier(solver=solver, class_weight=class_weight, alpha=0.0).fit(X_, CLASSES)
    fitted.save(tmp_path / "mlp.safetensors")
    model = chainrule.load_model(tmp_path / "mlp.safetensors")
    names = [f"x{i}" for i in range(5)]
    columns = {name: X_[:, i] for i, name in enumerate(names)} | {"y": CLASSES.tolist()}
    assert model.target is not None
    weights = model.target.weights(model.target.encode(chainrule.Table("data", columns), 3))
    assert weights is not None
    expected, _ = fitted.gradient(X_, CLASSES)
    Y = np.eye(3)[np.searchsorted(["ant", "bee", "cow"], CLASSES)]
    assert chainrule.gradient(model, model.examples(X_, Y, weights))[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("default")
def test_lbfgs_that_diverges_later_names_the_layer_and_keeps_its_last_iteration() -> None:
    A: Array = np.random.RandomState(0).randn(80, 3)
    settings: dict[str, Any] = {"hidden_layer_sizes": (5,), "activation": "exp", "solver": "lbfgs", "max_iter": 100}
    message = (
        r"L-BFGS diverged in iteration 2: .* of layer \d overflowed .*; the parameters of iteration 1 are kept\. Scale"
    )
    with pytest.warns(ConvergenceWarning, match=message) as told:
        fitted = regressor(**settings).fit(30 * A, np.exp(5 * A[:, 0]))
    assert [Path(warning.filename) for warning in told] == [Path(__file__)]
    assert (fitted.n_iter_, len(fitted.history_)) == (1, 1)
    assert fitted.loss_ == pytest.approx(fitted.gradient(30 * A, np.exp(5 * A[:, 0]))[0], rel=1e-12)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_that_raises_uses_up_no_random_numbers(solver: str) -> None:
    settings = {"solver": solver, "hidden_layer_sizes": (5, 5), "activation": "exp"}
    one, other = (regressor(random_state=np.random.RandomState(5), **settings) for _ in range(2))
    with pytest.raises(DivergenceError):
        one.fit(X * 300, NUMBERS)
    assert same(one.fit(X, NUMBERS), other.fit(X, NUMBERS))


@pytest.mark.parametrize("nothing", [[0.0, 0.0], np.zeros(2), 0.0])
def test_lbfgs_takes_a_dropout_that_asks_for_nothing(nothing: Any) -> None:
    settings = {"solver": "lbfgs", "hidden_layer_sizes": (5, 5), "max_iter": 2}
    assert same(regressor(**settings, dropout=nothing).fit(X, NUMBERS), regressor(**settings).fit(X, NUMBERS))


def test_targets_are_called_as_y_calls_them(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X[:, :2], columns=["a", "b"])
    two = pandas.DataFrame({"y1": SCORES[:, 0], "y0": SCORES[:, 1]})
    kinds, labels = pandas.Series(CLASSES, name="kind"), pandas.DataFrame(LABELS, columns=["p", "q", "r"])
    for estimator, y, names in (
        (regressor(), two, ("y1", "y0")),
        (regressor(), two["y0"], ("y0",)),
        (classifier(), kinds, ("kind",)),
        (classifier(), labels, ("p", "q", "r")),
        (regressor(), two.to_numpy(), ("y0", "y1")),
        (classifier(), CLASSES, ("y",)),
        (classifier(), LABELS, ("y 0", "y 1", "y 2")),
        (classifier(), kinds.rename("a"), ("a_",)),
        (classifier(), kinds.rename(3), ("y",)),
    ):
        fitted = estimator.fit(table, y)
        fitted.save(tmp_path / "mlp.safetensors")
        for mlp in (fitted, type(fitted).load(tmp_path / "mlp.safetensors")):
            assert mlp.model().target.columns == names
    fitted = regressor(max_iter=100).fit(table, two)
    fitted.save(tmp_path / "mlp.safetensors")
    model = chainrule.load_model(tmp_path / "mlp.safetensors")
    columns = {name: table[name].to_numpy() for name in table} | {name: two[name].to_numpy() for name in two}
    examples = model.examples_of(chainrule.Table("data", columns))
    assert (two.to_numpy() == examples.Y).all()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_losses_are_numbers_of_numpy(solver: str, tmp_path: Path) -> None:
    fitted = regressor(solver=solver).fit(X, NUMBERS)
    fitted.save(tmp_path / "mlp.safetensors")
    for mlp in (fitted, MLPRegressor.load(tmp_path / "mlp.safetensors")):
        losses = [mlp.loss_] if solver == "lbfgs" else [mlp.loss_, mlp.best_loss_, *mlp.loss_curve_]
        assert {type(loss) for loss in losses} == {np.float64}


def test_what_has_stopped_early_stays_so_in_a_file(tmp_path: Path) -> None:
    settings = {"early_stopping": True, "n_iter_no_change": 2, "max_iter": 300, "warm_start": True}
    fitted = regressor(**settings, learning_rate_init=0.03).fit(X, NUMBERS)
    assert fitted.stopped_
    fitted.save(tmp_path / "mlp.safetensors")
    loaded = MLPRegressor.load(tmp_path / "mlp.safetensors")
    loaded.partial_fit(X, NUMBERS)
    assert same(loaded, fitted)
    assert same(loaded.fit(X, NUMBERS), fitted.fit(X, NUMBERS))  # a warm start keeps the best of both
    assert loaded.validation_scores_ == fitted.validation_scores_


def test_what_is_loaded_goes_on_with_its_curve(tmp_path: Path) -> None:
    fitted = regressor().partial_fit(X, NUMBERS)
    fitted.save(tmp_path / "mlp.safetensors")
    loaded = MLPRegressor.load(tmp_path / "mlp.safetensors").partial_fit(X, NUMBERS)
    assert loaded.loss_curve_[0] == fitted.loss_curve_[0]
    assert len(loaded.history_) == len(loaded.loss_curve_) == 2
    assert loaded.t_ == 2 * len(X)


@pytest.mark.parametrize(("of", "example"), [("C", 4), ("C[4]", None)])
def test_of_sparse_rows_only_the_one_explained_is_made_dense(
    of: str, example: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = classifier().fit(X, CLASSES)
    thin = sparse.csr_matrix(X)
    expected = fitted.explain(X, CLASSES, "w1[3,0]", of=of, example=example)
    sizes: list[int] = []
    toarray = type(thin).toarray

    def noted(self: Any, *given: Any, **named: Any) -> Any:
        sizes.append(self.shape[0])
        return toarray(self, *given, **named)

    monkeypatch.setattr(type(thin), "toarray", noted)
    assert str(fitted.explain(thin, CLASSES, "w1[3,0]", of=of, example=example)) == str(expected)
    assert sizes == [1]
    with pytest.raises(InputError, match="there are 90 examples"):
        fitted.explain(thin, CLASSES, "w1[3,0]", example=90)


def test_a_weight_is_explained_by_either_of_its_names() -> None:
    fitted = classifier().fit(X, CLASSES)
    for theirs, ours in (
        ("coefs_[0][4, 3]", "w1[3,4]"),
        ("coefs_[1][5][2]", "w2[2,5]"),
        ("intercepts_[1][2]", "b2[2]"),
    ):
        explained = fitted.explain(X, CLASSES, theirs)
        assert str(explained) == str(fitted.explain(X, CLASSES, ours))
        _, nabla_C = fitted.gradient(X, CLASSES)
        name, *at = re.findall(r"\w+", ours)
        assert float(explained.value) == pytest.approx(nabla_C.arrays()[name][tuple(map(int, at))], rel=1e-9)
    with pytest.raises(ValueError, match="coefs_"):
        fitted.explain(X, CLASSES, "coefs_[0]")
    with pytest.raises(ValueError, match=r"layer 3|w3"):
        fitted.explain(X, CLASSES, "coefs_[2][0, 0]")


@pytest.mark.parametrize("early_stopping", [True, False])
def test_a_validation_set_that_overflows_is_told_of_once(early_stopping: bool) -> None:
    mlp = regressor(early_stopping=early_stopping)
    with pytest.warns(UserWarning, match="validation set is not finite in epoch 1: .* scale X_val") as caught:
        mlp.fit(X, NUMBERS, X_val=X_VAL * 1e300, y_val=NUMBERS_VAL)
    told = [warning for warning in caught if "validation set" in str(warning.message)]
    assert [Path(warning.filename).name for warning in told] == ["test_estimators_beyond.py"]


def test_examples_held_out_that_overflow_are_examples_of_x() -> None:
    far = np.where(np.arange(90) == 85, 1e300, 1.0)[:, None] * X  # one of those that random_state=0 holds out
    with pytest.warns(UserWarning, match=r"validation set is not finite in epoch 1: .* of the training; scale X$"):
        regressor(early_stopping=True).fit(far, NUMBERS)
