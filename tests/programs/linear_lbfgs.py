"""No hidden layer at all: a regression with a penalty, by L-BFGS, as Ridge finds it."""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import scale


def program(seed):
    X, y = load_diabetes(return_X_y=True)
    X, y = scale(X), scale(y)
    rows = np.random.RandomState(seed).permutation(len(X))
    X_train, y_train, X_test, y_test = X[rows[:300]], y[rows[:300]], X[rows[300:]], y[rows[300:]]
    reg = MLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=5.0, tol=1e-6, max_iter=1000, random_state=seed
    ).fit(X_train, y_train)
    ridge = Ridge(alpha=5.0).fit(X_train, y_train)
    assert np.allclose(reg.coefs_[0].ravel(), ridge.coef_, atol=1e-3)
    return reg.score(X_test, y_test)
