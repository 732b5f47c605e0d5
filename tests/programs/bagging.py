"""Ten networks on ten samples of the data."""

from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.neural_network import MLPClassifier


def program(seed):
    X, y = make_classification(n_samples=400, n_features=10, n_informative=6, flip_y=0.05, random_state=seed)
    mlp = MLPClassifier((15,), learning_rate_init=0.01, max_iter=20, batch_size=32)
    bag = BaggingClassifier(mlp, n_estimators=6, max_samples=0.7, max_features=0.8, random_state=seed)
    return bag.fit(X[:250], y[:250]).score(X[250:], y[250:])
