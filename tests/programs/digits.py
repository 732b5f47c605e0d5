"""Handwritten digits by stochastic gradient descent, a few epochs only."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def program(seed):
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, random_state=seed)
    mlp = MLPClassifier(
        hidden_layer_sizes=(40,),
        max_iter=8,
        alpha=1e-4,
        solver="sgd",
        verbose=False,
        random_state=seed,
        learning_rate_init=0.2,
    )
    mlp.fit(X_train, y_train)
    return mlp.score(X_test, y_test)
