"""Probabilities that are calibrated by cross-validation, by their Brier score."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.metrics import brier_score_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def program(seed):
    X, y = make_classification(n_samples=600, n_features=8, class_sep=0.8, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    mlp = MLPClassifier((20,), learning_rate_init=0.02, max_iter=40, random_state=seed)
    calibrated = CalibratedClassifierCV(mlp, method="sigmoid", cv=3).fit(X_train, y_train)
    return -brier_score_loss(y_test, calibrated.predict_proba(X_test)[:, 1])
