"""A random search over the penalty and the learning rate."""

from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale


def program(seed):
    X, y = load_iris(return_X_y=True)
    mlp = MLPClassifier(hidden_layer_sizes=(8,), max_iter=40, random_state=seed)
    spaces = {"alpha": loguniform(1e-5, 1e0), "learning_rate_init": loguniform(1e-3, 1e-1)}
    search = RandomizedSearchCV(mlp, spaces, n_iter=5, cv=3, random_state=seed)
    return search.fit(scale(X), y).best_score_
