"""The estimators are estimators: scikit-learn's own checks, its tools, what is refused, and what a failure leaves."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false, reportUnknownParameterType=false
# pyright: reportUntypedFunctionDecorator=false, reportUnknownLambdaType=false

import pickle
import signal
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import chainrule
from chainrule.calculus.arrays import Array
from chainrule.errors import DivergenceError, InputError

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")

import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule.estimators import MLPClassifier, MLPRegressor, examples
from chainrule.estimators.layers import network_of, packed, sizes_of

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

random = np.random.default_rng(8)
X = random.normal(size=(90, 5))
SCORES = X @ random.normal(size=(5, 3))
CLASSES = np.array(["ant", "bee", "cow"])[SCORES.argmax(axis=1)]
BINARY = np.where(SCORES[:, 0] > 0, "no", "yes")
LABELS = (SCORES > 0).astype(int)
NUMBERS = np.tanh(SCORES[:, 0])
FEW: dict[str, Any] = {"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 0, "batch_size": 20}


def few(**changes: Any) -> dict[str, Any]:
    """FEW with changes."""
    return FEW | changes


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


def test_the_check_that_is_passed_over_is_so_for_scikit_learns_own() -> None:
    # with a decision_function, calibration and scores would go by that in place of the probabilities
    assert not any(hasattr(estimator, "decision_function") for estimator in (MLPClassifier(), TheirClassifier()))


# learning ------------------------------------------------------------------------------------------


def test_they_are_at_the_top_too() -> None:
    assert chainrule.MLPClassifier is MLPClassifier is chainrule.estimators.MLPClassifier
    assert chainrule.MLPRegressor is MLPRegressor


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_they_learn(solver: str) -> None:
    settings: dict[str, Any] = {
        "solver": solver,
        "learning_rate_init": 0.02,
        "batch_size": 20,
        "max_iter": 300,
        "random_state": 0,
    }
    for y in (CLASSES, BINARY, LABELS):
        assert MLPClassifier((8,), **settings).fit(X, y).score(X, y) > 0.9
    for y in (NUMBERS, SCORES):
        assert MLPRegressor(hidden_layer_sizes=(8,), **settings).fit(X, y).score(X, y) > 0.9
    counts = np.round(np.exp(NUMBERS) * 3)
    poisson = MLPRegressor("poisson", (8,), **settings).fit(X, counts)
    assert poisson.score(X, counts) > 0.9
    assert poisson.out_activation_ == "exp"
    assert (poisson.predict(X) > 0).all()


@pytest.mark.parametrize(
    ("y", "classes", "outputs", "out_activation"),
    [
        (BINARY, ["no", "yes"], 1, "logistic"),
        (CLASSES, ["ant", "bee", "cow"], 3, "softmax"),
        (LABELS, [0, 1, 2], 3, "logistic"),
    ],
)
def test_classes_and_probabilities(y: Array, classes: list[Any], outputs: int, out_activation: str) -> None:
    fitted = MLPClassifier(**FEW).fit(X, y)
    assert fitted.classes_.tolist() == classes
    assert (fitted.n_outputs_, fitted.out_activation_, fitted.n_layers_) == (outputs, out_activation, 3)
    p = fitted.predict_proba(X)
    assert p.shape == (len(X), len(classes))
    np.testing.assert_array_equal(fitted.predict_log_proba(X), np.log(p))
    if y.ndim == 2:
        np.testing.assert_array_equal(fitted.predict(X), p > 0.5)
    else:
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[p.argmax(axis=1)])


def test_coefs_are_the_weights_transposed() -> None:
    fitted = MLPClassifier(**few(hidden_layer_sizes=(7, 4))).fit(X, CLASSES)
    network = network_of(sizes_of(fitted.coefs_), "relu", "softmax", "log_loss")
    assert network.sizes == (5, 7, 4, 3)
    parameters = packed(network, fitted.coefs_, fitted.intercepts_, np.dtype(np.float64))
    assert fitted.coefs_[0][3, 6] == parameters.w[1][6, 3]
    assert fitted.intercepts_[1][2] == parameters.b[2][2]
    fitted.coefs_[0][:] = 0  # what is in them is what predicts
    assert np.ptp(fitted.predict_proba(X), axis=0) == pytest.approx([0, 0, 0], abs=1e-15)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float32_is_kept(solver: str, dtype: str) -> None:
    fitted = MLPRegressor(**FEW, solver=solver).fit(X.astype(dtype), NUMBERS)
    assert {array.dtype for array in fitted.coefs_ + fitted.intercepts_} == {np.dtype(dtype)}
    assert fitted.predict(X.astype(dtype)).dtype == dtype
    assert fitted.predict(X).dtype == "float64"


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("at_once", [1, 5 * 45, 10**6])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows_train_as_dense_ones(
    solver: str, form: Any, at_once: int, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "DENSE_AT_ONCE", at_once)
    thinned = np.where(abs(X) > 0.6, X, 0)
    weights = np.repeat([0.0, 1.0, 3.0], 30) if weighted else None
    settings = few(solver=solver, shuffle=False, early_stopping=solver == "sgd" and not weighted)
    dense, thin = (MLPRegressor(**settings).fit(given, NUMBERS, weights) for given in (thinned, form(thinned)))
    # the order of sums is the same by batches; L-BFGS adds up blocks, and its steps depend on what it has added
    within = 1e-6 if solver == "lbfgs" else 1e-13
    np.testing.assert_allclose(thin.coefs_[0], dense.coefs_[0], rtol=within, atol=within)
    assert thin.loss_ == pytest.approx(dense.loss_, rel=within)
    np.testing.assert_allclose(thin.predict(form(thinned)), dense.predict(thinned), rtol=10 * within, atol=10 * within)


def test_sparse_rows_are_never_made_dense_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "DENSE_AT_ONCE", 100)
    made: list[int] = []
    toarray = sparse.csr_matrix.toarray

    def noted(matrix: Any, *args: Any, **kwargs: Any) -> Array:
        made.append(matrix.shape[0])
        return toarray(matrix, *args, **kwargs)

    monkeypatch.setattr(sparse.csr_matrix, "toarray", noted)
    for solver in ("adam", "lbfgs"):
        MLPRegressor(**FEW, solver=solver).fit(sparse.csr_matrix(X), NUMBERS).predict(sparse.csr_matrix(X))
    assert set(made) == {20, 10}  # a batch, the last batch; 100 numbers


# going on ------------------------------------------------------------------------------------------


def test_partial_fit_takes_classes_first_and_goes_on() -> None:
    whole = MLPClassifier(**FEW)
    for rows in (slice(0, 30), slice(30, 90)):
        assert whole.partial_fit(X[rows], CLASSES[rows], classes=["cow", "bee", "ant"]) is whole
    assert whole.n_iter_ == 1
    assert whole.t_ == 90
    assert len(whole.loss_curve_) == 2
    again = pickle.loads(pickle.dumps(whole))
    np.testing.assert_array_equal(
        again.partial_fit(X, CLASSES).predict_proba(X), whole.partial_fit(X, CLASSES).predict_proba(X)
    )


def test_partial_fit_is_not_there_for_lbfgs() -> None:
    for estimator in (MLPClassifier(solver="lbfgs"), MLPRegressor(solver="lbfgs")):
        assert not hasattr(estimator, "partial_fit")
        with pytest.raises(AttributeError):
            estimator.partial_fit(X, NUMBERS)


def test_a_warm_start_keeps_the_best_that_early_stopping_found() -> None:
    fitted: Any = MLPClassifier(**few(warm_start=True, early_stopping=True, max_iter=30)).fit(X, CLASSES)
    best, before = fitted.best_validation_score_, [coef.copy() for coef in fitted.coefs_]
    fitted.fit(X, CLASSES)
    assert fitted.best_validation_score_ >= best
    if fitted.best_validation_score_ == best:
        np.testing.assert_array_equal(fitted.coefs_[0], before[0])


def test_a_fit_anew_forgets_the_attributes_of_another_solver() -> None:
    fitted = MLPRegressor(**FEW).fit(X, NUMBERS)
    fitted.set_params(solver="lbfgs").fit(X, NUMBERS)
    assert not hasattr(fitted, "loss_curve_")
    assert not hasattr(fitted, "best_loss_")
    fitted.set_params(solver="adam", warm_start=True).fit(X, NUMBERS)
    assert len(fitted.loss_curve_) == fitted.n_iter_


# scikit-learn's tools ------------------------------------------------------------------------------


def test_clones_pickles_and_representations() -> None:
    fitted: Any = MLPClassifier(**FEW, alpha=0.5).fit(X, CLASSES)
    copy: Any = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert repr(fitted).startswith("MLPClassifier(alpha=0.5, batch_size=20")
    assert "MLPClassifier" in fitted._repr_html_()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


def test_pipelines_and_searches_in_several_processes() -> None:
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**FEW))
    grid = {"mlpclassifier__alpha": [1e-4, 1.0], "mlpclassifier__activation": ["tanh", "relu"]}
    searches = [GridSearchCV(pipeline, grid, cv=2, n_jobs=n).fit(X, CLASSES) for n in (1, 2)]
    one, two = (search.cv_results_["mean_test_score"].tolist() for search in searches)
    assert one == two
    assert np.isfinite(one).all()


def test_fits_in_several_threads_are_those_of_one() -> None:
    def fit(seed: int) -> Array:
        return MLPRegressor(**few(random_state=seed)).fit(X, NUMBERS).coefs_[0]

    with ThreadPoolExecutor(4) as pool:
        for seed, coef in enumerate(pool.map(fit, range(8))):
            np.testing.assert_array_equal(coef, fit(seed))


def test_weights_are_routed() -> None:
    weights = np.linspace(0.5, 2, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        mlp: Any = MLPClassifier(**FEW)
        mlp.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(mlp, {"alpha": [0.1]}, cv=2).fit(X, CLASSES, sample_weight=weights)
    alone = MLPClassifier(**FEW, alpha=0.1).fit(X, CLASSES, weights)
    np.testing.assert_array_equal(search.best_estimator_.coefs_[0], alone.coefs_[0])


def test_names_of_features_are_remembered() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=list("abcde"))
    fitted: Any = MLPRegressor(**FEW).fit(frame, NUMBERS)
    assert fitted.feature_names_in_.tolist() == list("abcde")
    assert fitted.n_features_in_ == 5
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame.rename(columns={"a": "z"}))


def test_what_verbose_prints(capsys: pytest.CaptureFixture[str]) -> None:
    settings = few(verbose=True, solver="sgd", learning_rate="adaptive", tol=10.0, n_iter_no_change=1, max_iter=4)
    MLPRegressor(**settings).fit(X, NUMBERS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = 0.")
    message = "Training loss did not improve more than tol=10.000000 for 1 consecutive epochs."
    assert f"{message} Setting learning rate to 0.000200" in lines
    MLPClassifier(**few(verbose=True, early_stopping=True, max_iter=2)).fit(X, CLASSES)
    assert "Validation score: " in capsys.readouterr().out
    MLPClassifier(**few(verbose=True, solver="lbfgs")).fit(X, CLASSES)
    assert "Iteration 8, loss = " in capsys.readouterr().out


# warnings ------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("settings", "category", "message"),
    [
        ({}, ConvergenceWarning, r"Stochastic Optimizer: Maximum iterations \(8\) reached and the optimization hasn't"),
        ({"solver": "lbfgs"}, ConvergenceWarning, r"lbfgs failed to converge after 8 iteration\(s\) \(status=1\):\n"),
        ({"batch_size": 91, "tol": 9.0, "n_iter_no_change": 1}, UserWarning, "Got `batch_size` less than 1 or larger"),
        (
            {"solver": "sgd", "learning_rate_init": 0.3, "early_stopping": True, "hidden_layer_sizes": 30,
             "shuffle": False, "max_iter": 60},
            ConvergenceWarning, r"training diverged in epoch 7, step .* the parameters of epoch \d, the best, are kept",
        ),
    ],
)  # fmt: skip
def test_warnings_are_scikit_learns_and_point_to_the_call(settings: Any, category: type, message: str) -> None:
    with pytest.warns(category, match=message) as caught:
        fitted = MLPRegressor(**few(**settings)).fit(X, NUMBERS)
    assert {w.filename for w in caught} == {__file__}
    assert np.isfinite(fitted.predict(X)).all()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_ctrl_c_keeps_what_was_learned(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.print", lambda line: signal.raise_signal(signal.SIGINT))
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = MLPRegressor(**few(verbose=True, max_iter=1000, solver=solver)).fit(X, NUMBERS)
    assert fitted.n_iter_ == 1
    short = MLPRegressor(**few(max_iter=1, solver=solver)).fit(X, NUMBERS)
    np.testing.assert_array_equal(fitted.coefs_[0], short.coefs_[0])


# what is refused -----------------------------------------------------------------------------------

ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    (
        {"alpha": -1},
        r"The 'alpha' parameter of MLPClassifier must be a float in the range \[0.0, inf\). Got -1 instead",
    ),
    ({"alpha": float("nan")}, "'alpha'"),
    ({"alpha": "x"}, "'alpha'"),
    (
        {"solver": "adm"},
        r"must be a str among \{'adam', 'adamw', 'lbfgs', 'rmsprop', 'sgd'\}. Got 'adm' instead. Did you mean 'adam'?",
    ),
    ({"activation": "sigmod"}, "'activation' .* among {'elu', 'exp', .* Did you mean 'sigmoid'?"),
    ({"hidden_layer_sizes": (5, 0)}, r"hidden_layer_sizes must be > 0, got \[5, 0\]"),
    ({"hidden_layer_sizes": -3}, "'hidden_layer_sizes'"),
    ({"hidden_layer_sizes": "10"}, "'hidden_layer_sizes'"),
    ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes"),
    ({"batch_size": 0}, r"'batch_size' .* must be a str among \{'auto'\} or an int in the range \[1, inf\)"),
    ({"batch_size": 2.0}, "'batch_size'"),
    ({"learning_rate": "cosin"}, "'learning_rate' .* Did you mean 'cosine'?"),
    ({"learning_rate_init": 0}, r"'learning_rate_init' .* \(0.0, inf\)"),
    ({"power_t": -1}, "'power_t'"),
    ({"max_iter": 0}, "'max_iter'"),
    ({"max_iter": True}, "'max_iter'"),
    ({"shuffle": 1}, "'shuffle'"),
    ({"random_state": "x"}, "'random_state' parameter of MLPClassifier must be an int in the range"),
    ({"tol": -1e-9}, "'tol'"),
    ({"verbose": -1}, "'verbose'"),
    ({"warm_start": None}, "'warm_start'"),
    ({"momentum": 1.01}, r"'momentum' .* \[0.0, 1.0\]"),
    ({"nesterovs_momentum": 0}, "'nesterovs_momentum'"),
    ({"early_stopping": "yes"}, "'early_stopping'"),
    ({"validation_fraction": 1}, "'validation_fraction'"),
    ({"validation_fraction": 0.01, "early_stopping": True}, "test_size = 1 should be greater or equal"),
    ({"beta_1": 1}, "'beta_1'"),
    ({"beta_2": -0.1}, "'beta_2'"),
    ({"epsilon": 0}, "'epsilon'"),
    ({"n_iter_no_change": 0.5}, "'n_iter_no_change'"),
    ({"max_fun": 0}, "'max_fun'"),
]


@pytest.mark.parametrize(("arguments", "message"), ARGUMENTS)
def test_an_argument_that_cannot_be_is_named_when_it_is_used(arguments: dict[str, Any], message: str) -> None:
    estimator = MLPClassifier(**few(**arguments))
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, BINARY)
    assert vars(estimator) == before


def test_what_only_the_regressor_refuses() -> None:
    with pytest.raises(InputError, match="Did you mean 'squared_error'"):
        MLPRegressor("squared_eror").fit(X, NUMBERS)
    with pytest.raises(InputError, match=r"The validation set is too small\. Increase 'validation_fraction'"):
        MLPRegressor(**FEW, early_stopping=True, validation_fraction=0.01).fit(X, NUMBERS)
    with pytest.raises(InputError, match="poisson takes numbers that are not negative"):
        MLPRegressor("poisson", **FEW).fit(X, NUMBERS - 2)


def _with(array: Array, at: Any, value: float) -> Array:
    changed = np.array(array)
    changed[at] = value
    return changed


DATA: list[tuple[Any, Any, Any, str]] = [
    (_with(X, (3, 2), np.nan), BINARY, None, "Input X contains NaN"),
    (_with(X, (3, 2), np.inf), BINARY, None, "Input X contains infinity"),
    (X[0], BINARY, None, "Expected 2D array, got 1D array"),
    (X[:0], BINARY[:0], None, "Found array with 0 sample"),
    (X[:, :0], BINARY, None, "Found array with 0 feature"),
    (X[:-1], BINARY, None, "inconsistent numbers of samples"),
    (X + 1j, BINARY, None, "Complex data not supported"),
    (X, NUMBERS, None, "Unknown label type"),
    (X, _with(NUMBERS, 1, np.nan), None, "Input y contains NaN"),
    (X, BINARY, np.ones(3), r"sample_weight.shape == \(3,\), expected \(90,\)!"),
    (X, BINARY, np.ones((90, 2)), "Sample weights must be 1D array or scalar, got 2D"),
    (X, BINARY, _with(np.ones(90), 4, -1), "the weight of example 4 is -1.0"),
    (X, BINARY, _with(np.ones(90), 4, np.nan), "Input sample_weight contains NaN"),
    (X, BINARY, np.zeros(90), "Sample weights must contain at least one non-zero"),
    (X, BINARY, 0.0, "Sample weights must contain at least one non-zero"),
]


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize(("X_", "y", "weights", "message"), DATA)
def test_data_that_cannot_be_learned_from_leaves_the_estimator_as_it_was(
    X_: Any, y: Any, weights: Any, message: str, fitted: bool
) -> None:
    estimator = MLPClassifier(**FEW)
    if fitted:
        estimator.fit(X, CLASSES)
    before = dict(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.fit(X_, y, weights)
    assert vars(estimator).keys() == before.keys()
    assert all(vars(estimator)[name] is before[name] for name in before)


def test_what_is_not_fitted_predicts_nothing() -> None:
    for call in (MLPClassifier().predict, MLPClassifier().predict_proba, MLPRegressor().predict):
        with pytest.raises(NotFittedError):
            call(X)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_training_that_diverges_is_an_error_that_changes_nothing(solver: str) -> None:
    settings = few(solver=solver, warm_start=True, activation="identity")
    estimator = MLPRegressor(**settings).fit(X, NUMBERS)
    before, predicted = dict(vars(estimator)), estimator.predict(X)
    with pytest.raises(DivergenceError, match=r"non-finite parameter weights.*diverged in epoch 9, step 41: .*Scale X"):
        estimator.fit(X * 1e200, NUMBERS)
    assert all(vars(estimator)[name] is before[name] for name in before)
    np.testing.assert_array_equal(estimator.predict(X), predicted)


def test_a_call_of_partial_fit_that_fails_leaves_the_next_as_it_would_have_been() -> None:
    estimators = (MLPClassifier(**FEW, activation="exp") for _ in range(2))
    once, twice = (estimator.partial_fit(X, CLASSES, classes=["ant", "bee", "cow"]) for estimator in estimators)
    for X_, y, settings, message in (
        (X * 1e4, CLASSES, {}, "diverged in epoch 2, step 6: the activations of layer 1 overflowed"),
        (X[:, :3], CLASSES, {}, "3 features"),
        (X, BINARY, {}, "`y` has classes not in `self.classes_`"),
        (X, CLASSES, {"classes": ["ant", "bee"]}, "is not the same as on last call to partial_fit"),
    ):
        with pytest.raises(ValueError, match=message):
            twice.partial_fit(X_, y, **settings)
    once.partial_fit(X, CLASSES)
    twice.partial_fit(X, CLASSES)
    np.testing.assert_array_equal(twice.coefs_[0], once.coefs_[0])
    assert twice.loss_curve_ == once.loss_curve_


def test_what_partial_fit_and_warm_starts_refuse() -> None:
    with pytest.raises(InputError, match="classes must be passed on the first call to partial_fit"):
        MLPClassifier().partial_fit(X, CLASSES)
    warm = MLPClassifier(**FEW, warm_start=True).fit(X, CLASSES)
    with pytest.raises(InputError, match="warm_start can only be used where `y` has the same classes"):
        warm.fit(X, BINARY)
    with pytest.raises(InputError, match=r"coefs_, which has layers of \[5, 6, 3\] neurons, and not \[5, 9, 3\]"):
        warm.set_params(hidden_layer_sizes=9).fit(X, CLASSES)
