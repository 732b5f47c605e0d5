"""Several labels an example."""

from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, Y = make_multilabel_classification(n_samples=240, n_features=15, n_classes=4, random_state=seed)
    X = StandardScaler().fit_transform(X)
    X_train, X_test, Y_train, Y_test = train_test_split(X, Y, random_state=seed)
    clf = MLPClassifier(hidden_layer_sizes=(20,), max_iter=50, learning_rate_init=0.01, random_state=seed)
    clf.fit(X_train, Y_train)
    assert clf.predict(X_test).shape == Y_test.shape
    return f1_score(Y_test, clf.predict(X_test), average="micro")
