"""A vote of the probabilities of three classifiers."""

from sklearn.datasets import load_wine
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)[:, :6]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=seed)
    voters = [
        ("lr", LogisticRegression()),
        ("nb", GaussianNB()),
        ("mlp", MLPClassifier((20,), learning_rate_init=0.01, max_iter=60, random_state=seed)),
    ]
    vote = VotingClassifier(voters, voting="soft", weights=[1, 1, 2])
    return vote.fit(X_train, y_train).score(X_test, y_test)
