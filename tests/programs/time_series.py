"""The next value of a series from the last six, over splits that never look ahead."""

import numpy as np
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import TimeSeriesSplit
from sklearn.neural_network import MLPRegressor


def program(seed):
    rng = np.random.RandomState(seed)
    t = np.arange(420)
    series = np.sin(t / 7) + 0.5 * np.sin(t / 3) + 0.1 * rng.normal(size=420)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 6)
    y = series[6:]
    errors = []
    for train, test in TimeSeriesSplit(3).split(X):
        reg = MLPRegressor(hidden_layer_sizes=(16,), learning_rate_init=0.01, max_iter=60, random_state=seed)
        errors.append(mean_squared_error(y[test], reg.fit(X[train], y[train]).predict(X[test])))
    return -np.mean(errors)
