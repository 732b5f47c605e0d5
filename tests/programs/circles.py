"""One circle in another, with logistic neurons."""

from sklearn.datasets import make_circles
from sklearn.metrics import accuracy_score
from sklearn.neural_network import MLPClassifier


def program(seed):
    X, y = make_circles(n_samples=400, noise=0.1, factor=0.5, random_state=seed)
    clf = MLPClassifier(
        hidden_layer_sizes=(12,), activation="logistic", learning_rate_init=0.1, max_iter=60, random_state=seed
    )
    clf.fit(X[::2], y[::2])
    return accuracy_score(y[1::2], clf.predict(X[1::2]))
