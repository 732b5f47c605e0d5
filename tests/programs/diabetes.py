"""A regression on scaled inputs and a scaled target."""

from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    x_scaler, y_scaler = StandardScaler().fit(X_train), StandardScaler().fit(y_train.reshape(-1, 1))
    reg = MLPRegressor(hidden_layer_sizes=(20,), alpha=0.1, max_iter=80, learning_rate_init=0.01, random_state=seed)
    reg.fit(x_scaler.transform(X_train), y_scaler.transform(y_train.reshape(-1, 1)).ravel())
    predicted = y_scaler.inverse_transform(reg.predict(x_scaler.transform(X_test)).reshape(-1, 1))
    return r2_score(y_test, predicted)
