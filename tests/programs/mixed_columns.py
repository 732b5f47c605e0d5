"""A data frame of numbers and categories with gaps, through imputation and one-hot columns that keep their names."""

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def program(seed):
    rng = np.random.RandomState(seed)
    frame = pd.DataFrame({"area": rng.uniform(40, 160, 300), "rooms": rng.randint(1, 6, 300).astype(float)})
    frame["town"] = rng.choice(["north", "south", "coast"], 300)
    price = frame["area"] * (2 + (frame["town"] == "coast")) + 10 * frame["rooms"] + rng.normal(0, 10, 300)
    frame.loc[rng.rand(300) < 0.1, "rooms"] = np.nan
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["area", "rooms"]),
        (OneHotEncoder(sparse_output=False), ["town"]),
    )
    reg = MLPRegressor(hidden_layer_sizes=(16,), learning_rate_init=0.02, max_iter=80, random_state=seed)
    model = make_pipeline(columns, reg).set_output(transform="pandas")
    model.fit(frame[:200], price[:200] / 100)
    assert list(reg.feature_names_in_)[-1] == "onehotencoder__town_south"
    assert "MLPRegressor" in model._repr_html_()
    return model.score(frame[200:], price[200:] / 100)
