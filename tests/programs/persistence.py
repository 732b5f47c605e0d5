"""A model that is written to a file and read again, and goes on."""

import io
import pickle

import joblib
import numpy as np
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale


def program(seed):
    X, y = load_iris(return_X_y=True)
    X = scale(X)
    clf = MLPClassifier((10,), learning_rate_init=0.01, max_iter=40, random_state=seed).fit(X[::2], y[::2])
    file = io.BytesIO()
    joblib.dump(clf, file)
    file.seek(0)
    loaded = joblib.load(file)
    assert np.array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    again = pickle.loads(pickle.dumps(loaded))
    again.partial_fit(X[::2], y[::2])
    return again.score(X[1::2], y[1::2])
