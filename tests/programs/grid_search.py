"""The best of some settings of a pipeline."""

from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def program(seed):
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, test_size=0.5, random_state=seed)
    pipe = Pipeline([("scale", StandardScaler()), ("mlp", MLPClassifier(max_iter=25, random_state=seed))])
    grid = {"mlp__hidden_layer_sizes": [(5,), (20,)], "mlp__learning_rate_init": [0.003, 0.03]}
    search = GridSearchCV(pipe, grid, cv=2)
    search.fit(X_train, y_train)
    assert set(search.best_params_) == set(grid)
    return search.score(X_test, y_test)
