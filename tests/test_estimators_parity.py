"""The estimators do what scikit-learn's do: the same start, order, losses, stops, parameters and predictions."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false, reportUnknownParameterType=false

import warnings
from typing import Any

import numpy as np
import pytest

from chainrule.calculus.arrays import Array

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from chainrule.estimators import MLPClassifier, MLPRegressor
from chainrule.estimators.examples import Examples
from chainrule.estimators.layers import drawn, network_of
from chainrule.estimators.lbfgs import Loss

N, N_0, BATCH, HIDDEN = 110, 6, 50, (9, 5)  # the last batch has 10 examples
WIDEST = max(N_0, *HIDDEN)

_random = np.random.default_rng(5)
X = _random.normal(size=(N, N_0))
_score = X @ _random.normal(size=(N_0, 3))
NOISE = _random.normal(size=(N, 3))
WEIGHTS = _random.uniform(0, 3, N)
WEIGHTS[:3] = 0

TARGETS: dict[str, Array] = {
    "two classes": np.where(_score[:, 0] + NOISE[:, 0] > 0, "yes", "no"),
    "classes": (_score + NOISE).argmax(axis=1) * 10,
    "labels": (_score + NOISE > 0).astype(int),
    "numbers": np.tanh(_score[:, 0]) + NOISE[:, 0] / 10,
    "counts": _random.poisson(np.exp(_score[:, 0] / 4)).astype(float),
}

SETTINGS: dict[str, dict[str, Any]] = {
    "adam": {},
    "adam, other constants": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1, "learning_rate_init": 0.02},
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.02},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.02},
    "sgd": {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.02},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1, "power_t": 0.3},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.02, "n_iter_no_change": 2, "max_iter": 60},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 3, "max_iter": 40},
    "stops": {"tol": 0.02, "n_iter_no_change": 3, "max_iter": 40},
    "logistic": {"activation": "logistic", "alpha": 0.3},
    "tanh": {"activation": "tanh", "batch_size": 7},
    "no hidden layer": {"activation": "logistic", "hidden_layer_sizes": (), "shuffle": False},
    "one batch": {"activation": "identity", "batch_size": "auto"},
}


def both(task: str, **settings: Any) -> tuple[Any, Any]:
    """Ours and theirs."""
    settings = {"random_state": 3, "max_iter": 15, "hidden_layer_sizes": HIDDEN, "batch_size": BATCH} | settings
    if task in ("numbers", "counts"):
        loss = "poisson" if task == "counts" else "squared_error"
        return MLPRegressor(loss, **settings), TheirRegressor(loss, **settings)
    return MLPClassifier(**settings), TheirClassifier(**settings)


def outputs(estimator: Any, X: Array) -> Array:
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


def tolerance(estimator: Any, dtype: Any) -> float:
    """What two right calculations of the same training may differ by.

    A step sums products over a batch and over a layer, so that what it changes is off by about (batch + widest layer)·ε
    of numbers of order 1; the steps add that up.
    """
    batch = N if estimator.batch_size == "auto" else estimator.batch_size
    steps = len(estimator.loss_curve_) * -(-N // batch)
    return float(np.finfo(dtype).eps) * steps * (batch + WIDEST)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize(("dtype", "weights"), [("float64", None), ("float64", WEIGHTS), ("float32", WEIGHTS)])
def test_training_is_scikit_learns_to_rounding(task: str, settings: str, dtype: str, weights: Array | None) -> None:
    ours, theirs = (e.fit(X.astype(dtype), TARGETS[task], weights) for e in both(task, **SETTINGS[settings]))
    within = tolerance(ours, dtype)
    assert within < 0.05
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_, rel=within, abs=within)
    assert ours.loss_ == ours.loss_curve_[-1]
    if ours.early_stopping:
        assert ours.validation_scores_ == pytest.approx(theirs.validation_scores_, rel=within, abs=within)
        assert ours.best_validation_score_ == max(ours.validation_scores_)
        assert ours.best_loss_ is theirs.best_loss_ is None
    else:
        assert ours.best_loss_ == min(ours.loss_curve_)
        assert ours.validation_scores_ is ours.best_validation_score_ is None
    for mine, yours in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        assert mine.dtype == yours.dtype == dtype
        np.testing.assert_allclose(mine, yours, rtol=within, atol=within)
    np.testing.assert_allclose(outputs(ours, X), outputs(theirs, X), rtol=10 * within, atol=10 * within)


@pytest.mark.parametrize("settings", ["adam", "nesterov", "adaptive"])
def test_the_settings_of_the_grid_do_something(settings: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        plain, other = (
            both("classes", **s)[0].fit(X, TARGETS["classes"]) for s in (SETTINGS[settings], {"shuffle": False})
        )
    assert abs(plain.coefs_[0] - other.coefs_[0]).max() > 1e6 * tolerance(plain, "float64")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("outputs", [2, 3])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_of_several_outputs_the_loss_is_the_sum_whose_gradient_both_follow(solver: str, outputs: int) -> None:
    Y = _score[:, :outputs] + NOISE[:, :outputs]
    ours, theirs = (
        e.fit(X, Y) for e in both("numbers", solver=solver, alpha=0.0, tol=0.0, n_iter_no_change=15, max_iter=14)
    )
    within = tolerance(ours, "float64")
    assert ours.loss_curve_ == pytest.approx([outputs * loss for loss in theirs.loss_curve_], rel=within)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=10 * within, atol=10 * within)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("warm", "early_stopping"), [(False, False), (False, True), (True, False)])
def test_a_second_fit_begins_anew_or_goes_on_as_scikit_learns(warm: bool, early_stopping: bool) -> None:
    ours, theirs = both("two classes", warm_start=warm, early_stopping=early_stopping, random_state=0)
    for _ in range(3):
        ours.fit(X, TARGETS["two classes"])
        theirs.fit(X, TARGETS["two classes"])
        assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
        assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_, rel=tolerance(ours, "float64"))
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=tolerance(ours, "float64"))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_calls_of_partial_fit_are_scikit_learns(solver: str) -> None:
    ours, theirs = both("classes", solver=solver, batch_size=25, random_state=np.random.RandomState(1))
    theirs.random_state = np.random.RandomState(1)  # its numbers are used up by one call after the other
    y = TARGETS["classes"]
    for rows in (slice(0, 60), slice(60, 90), slice(20, 110)):
        for e in (ours, theirs):
            e.partial_fit(X[rows], y[rows], classes=[0, 10, 20])
        assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)
    assert ours.loss_curve_ == pytest.approx(theirs.loss_curve_, rel=tolerance(ours, "float64"))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=tolerance(ours, "float64"))


def test_a_random_state_is_used_up_as_far_as_scikit_learns() -> None:
    states = [np.random.RandomState(2) for _ in range(2)]
    for estimator, state in zip(both("numbers", early_stopping=True, tol=0.5), states, strict=True):
        estimator.set_params(random_state=state).fit(X, TARGETS["numbers"])
    ours, theirs = (state.random_sample() for state in states)
    assert ours == theirs


@pytest.mark.parametrize("task", TARGETS)
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_lbfgs_finds_what_scikit_learns_finds(task: str, weights: Array | None) -> None:
    # strongly convex enough to have one minimum, which both approach until no derivative is larger than tol
    settings = {"solver": "lbfgs", "hidden_layer_sizes": (), "alpha": 5.0, "tol": 1e-6}
    ours, theirs = (e.fit(X, TARGETS[task], weights) for e in both(task, **settings, max_iter=500))
    # ‖w − w*‖ ≤ ‖∇C‖/m, and the penalty alone makes m at least alpha/Σs
    apart = 2 * 1e-6 * np.sqrt(ours.coefs_[0].size) / (5.0 / WEIGHTS.sum())
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], atol=apart)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)


@pytest.mark.parametrize("outputs", [1, 2, 3, 5])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_gradient_that_lbfgs_follows_is_that_of_its_loss(outputs: int, weights: Array | None) -> None:
    Y = np.tanh(X @ _random.normal(size=(N_0, outputs)))
    network = network_of((N_0, 4, outputs), "tanh", "identity", "squared_error", l2=0.35)
    loss = Loss(network, Examples(X, Y, weights))
    p = drawn(network, "tanh", np.random.RandomState(0), np.dtype(np.float64)).vector
    value, gradient = loss(p)
    h = np.finfo(np.float64).eps ** (1 / 3)
    differences = np.array([(loss(p + h * e)[0] - loss(p - h * e)[0]) / (2 * h) for e in np.eye(len(p))])
    within = 100 * h * h * max(1.0, value)  # h²·C‴/6, and ε·C/h = h²·C, with C‴ of some tens of C
    np.testing.assert_allclose(gradient, differences, atol=within)
    if outputs > 1:  # the gradient of scikit-learn's loss, which is averaged over the outputs, it is not
        assert abs(gradient - differences / outputs).max() > 1000 * within
