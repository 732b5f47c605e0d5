"""Counts with the poisson loss, judged by the share of deviance that is explained."""

import numpy as np
from sklearn.metrics import d2_tweedie_score
from sklearn.neural_network import MLPRegressor


def program(seed):
    rng = np.random.RandomState(seed)
    X = rng.uniform(-1, 1, (500, 3))
    y = rng.poisson(np.exp(1 + X[:, 0] - 2 * X[:, 1] * X[:, 2]))
    reg = MLPRegressor(
        loss="poisson", hidden_layer_sizes=(20,), learning_rate_init=0.01, max_iter=80, random_state=seed
    )
    reg.fit(X[:350], y[:350])
    return d2_tweedie_score(y[350:], reg.predict(X[350:]), power=1)
