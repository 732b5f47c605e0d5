"""A linear target of large numbers, scaled for the network and back again."""

from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_regression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = make_regression(n_samples=300, n_features=8, n_informative=5, noise=10.0, random_state=seed)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    mlp = MLPRegressor(hidden_layer_sizes=(16,), max_iter=120, learning_rate_init=0.02, random_state=seed)
    model = TransformedTargetRegressor(regressor=mlp, transformer=StandardScaler())
    model.fit(X_train, y_train)
    return model.score(X_test, y_test)
