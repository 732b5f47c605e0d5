"""A rare class that counts for more."""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def program(seed):
    X, y = make_classification(n_samples=600, n_features=6, weights=[0.9], class_sep=0.7, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    weights = np.where(y_train == 1, 9.0, 1.0)
    clf = MLPClassifier((12,), learning_rate_init=0.01, max_iter=40, random_state=seed)
    clf.fit(X_train, y_train, sample_weight=weights)
    return balanced_accuracy_score(y_test, clf.predict(X_test))
