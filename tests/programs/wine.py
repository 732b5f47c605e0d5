"""A pipeline, cross-validated."""

from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_wine(return_X_y=True)
    mlp = MLPClassifier((13, 13), activation="tanh", max_iter=60, learning_rate_init=0.005, random_state=seed)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    return cross_val_score(make_pipeline(StandardScaler(), mlp), X, y, cv=folds).mean()
