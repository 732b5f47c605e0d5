"""Folds that are trained in two processes at once."""

from sklearn.datasets import load_wine
from sklearn.model_selection import cross_validate
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_wine(return_X_y=True)
    model = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=25, random_state=seed))
    results = cross_validate(model, X[:, :4], y, cv=4, scoring=["accuracy", "neg_log_loss"], n_jobs=2)
    return results["test_neg_log_loss"].mean()
