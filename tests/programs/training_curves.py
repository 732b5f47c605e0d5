"""Learning strategies side by side, by their loss curves."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler

params = [
    {"solver": "sgd", "learning_rate": "constant", "momentum": 0, "learning_rate_init": 0.2},
    {"solver": "sgd", "learning_rate": "constant", "momentum": 0.9, "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate": "constant", "momentum": 0.9, "nesterovs_momentum": True},
    {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0.9, "learning_rate_init": 0.2},
    {"solver": "sgd", "learning_rate": "adaptive", "momentum": 0.9, "learning_rate_init": 0.2},
    {"solver": "adam", "learning_rate_init": 0.01},
]


def program(seed):
    X, y = load_iris(return_X_y=True)
    X = MinMaxScaler().fit_transform(X)
    curves = []
    for param in params:
        mlp = MLPClassifier(hidden_layer_sizes=(20,), random_state=seed, max_iter=25, **param)
        mlp.fit(X, y)
        curves.append(mlp.loss_curve_)
        assert mlp.loss_ == curves[-1][-1]
    return -np.mean([curve[-1] for curve in curves])
