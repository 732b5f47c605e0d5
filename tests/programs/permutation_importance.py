"""Which input matters: how much the score falls when its column is shuffled."""

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.neural_network import MLPRegressor


def program(seed):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(300, 5))
    y = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=300)
    reg = MLPRegressor(hidden_layer_sizes=(30,), learning_rate_init=0.02, max_iter=80, random_state=seed).fit(
        X[:200], y[:200]
    )
    importances = permutation_importance(reg, X[200:], y[200:], n_repeats=5, random_state=seed).importances_mean
    return importances[:3].sum() - importances[3:].sum()
