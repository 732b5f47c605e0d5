"""How the score grows with the number of examples."""

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import ShuffleSplit, learning_curve
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(
        StandardScaler(), MLPClassifier((10,), max_iter=20, learning_rate_init=0.01, random_state=seed)
    )
    cv = ShuffleSplit(n_splits=2, test_size=0.3, random_state=seed)
    sizes, _, test_scores = learning_curve(model, X, y, cv=cv, train_sizes=[0.1, 0.4, 1.0])
    assert len(sizes) == 3
    return test_scores.mean()
