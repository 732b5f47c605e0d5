"""A linear regression of what a tree and a network predict."""

from sklearn.datasets import make_friedman2
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor


def program(seed):
    X, y = make_friedman2(n_samples=300, noise=100.0, random_state=seed)
    y = y / 1000
    mlp = MLPRegressor(hidden_layer_sizes=(20,), max_iter=80, learning_rate_init=0.02, random_state=seed)
    stack = StackingRegressor(
        [
            ("tree", DecisionTreeRegressor(max_depth=3, random_state=seed)),
            ("mlp", make_pipeline(StandardScaler(), mlp)),
        ],
        final_estimator=RidgeCV(),
        cv=3,
    )
    return stack.fit(X[:200], y[:200]).score(X[200:], y[200:])
