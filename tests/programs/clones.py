"""Copies with other settings; the best penalty by a validation curve."""

from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.model_selection import validation_curve
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale


def program(seed):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    base = MLPRegressor(hidden_layer_sizes=(10,), max_iter=30, learning_rate_init=0.01, random_state=seed)
    alphas = [1e-3, 1.0, 10.0]
    _, scores = validation_curve(base, X, y, param_name="alpha", param_range=alphas, cv=3)
    best = clone(base).set_params(alpha=alphas[scores.mean(axis=1).argmax()])
    assert not hasattr(best, "coefs_")
    return best.fit(X[:300], y[:300]).score(X[300:], y[300:])
