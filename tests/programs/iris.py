"""Three classes of flowers, scaled, with a held-out half."""

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
    scaler = StandardScaler().fit(X_train)
    clf = MLPClassifier(hidden_layer_sizes=(10,), max_iter=300, learning_rate_init=0.01, random_state=seed)
    clf.fit(scaler.transform(X_train), y_train)
    return clf.score(scaler.transform(X_test), y_test)
