"""What alpha does to the boundary between two moons, by L-BFGS."""

from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = make_moons(n_samples=200, noise=0.3, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=seed)
    scores = []
    for alpha in (0.1, 1.0):
        clf = make_pipeline(
            StandardScaler(),
            MLPClassifier(solver="lbfgs", alpha=alpha, random_state=seed, max_iter=150, hidden_layer_sizes=[10, 10]),
        )
        clf.fit(X_train, y_train)
        scores.append(clf.score(X_test, y_test))
    return sum(scores) / len(scores)
