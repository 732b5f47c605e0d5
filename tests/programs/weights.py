"""The forward pass done by hand with the fitted weights, and how large those are."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier


def program(seed):
    X, y = load_digits(n_class=4, return_X_y=True)
    X = X / 16
    clf = MLPClassifier((12, 6), alpha=0.01, learning_rate_init=0.02, max_iter=15, random_state=seed).fit(X, y)
    assert [coef.shape for coef in clf.coefs_] == [(64, 12), (12, 6), (6, 4)]
    a = X
    for coef, intercept in zip(clf.coefs_[:-1], clf.intercepts_[:-1], strict=True):
        a = np.maximum(a @ coef + intercept, 0)
    z = a @ clf.coefs_[-1] + clf.intercepts_[-1]
    p = np.exp(z - z.max(axis=1, keepdims=True))
    assert np.allclose(p / p.sum(axis=1, keepdims=True), clf.predict_proba(X))
    return -sum(np.linalg.norm(coef) for coef in clf.coefs_)
