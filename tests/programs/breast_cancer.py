"""Two classes with early stopping, judged by the area under the ROC curve."""

from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler


def program(seed):
    data = load_breast_cancer()
    X_train, X_test, y_train, y_test = train_test_split(data.data, data.target, stratify=data.target, random_state=seed)
    scaler = MinMaxScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)
    clf = MLPClassifier(
        hidden_layer_sizes=(30, 10),
        early_stopping=True,
        n_iter_no_change=5,
        learning_rate_init=0.005,
        random_state=seed,
    )
    clf.fit(X_train, y_train)
    assert max(clf.validation_scores_) == clf.best_validation_score_
    return roc_auc_score(y_test, clf.predict_proba(X_test)[:, 1])
