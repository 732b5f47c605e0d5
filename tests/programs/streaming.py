"""Data that comes in pieces, each learned from once."""

import numpy as np
from sklearn.datasets import make_blobs
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = make_blobs(n_samples=1500, centers=4, cluster_std=3.0, n_features=5, random_state=seed)
    scaler = StandardScaler()
    clf = MLPClassifier(hidden_layer_sizes=(16,), learning_rate_init=0.02, batch_size=50, random_state=seed)
    progressive = []
    for start in range(0, len(X), 250):
        X_chunk, y_chunk = X[start : start + 250], y[start : start + 250]
        scaler.partial_fit(X_chunk)
        if start:
            progressive.append(clf.score(scaler.transform(X_chunk), y_chunk))
        clf.partial_fit(scaler.transform(X_chunk), y_chunk, classes=np.arange(4))
    return np.mean(progressive)
