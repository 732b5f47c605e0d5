"""Friedman's function of five of ten inputs, with early stopping."""

from sklearn.datasets import make_friedman1
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = make_friedman1(n_samples=600, noise=1.0, random_state=seed)
    X = StandardScaler().fit_transform(X)
    y = (y - y.mean()) / y.std()
    reg = MLPRegressor(
        hidden_layer_sizes=(32,),
        activation="tanh",
        early_stopping=True,
        validation_fraction=0.2,
        learning_rate_init=0.01,
        max_iter=100,
        random_state=seed,
    )
    return reg.fit(X[:400], y[:400]).score(X[400:], y[400:])
