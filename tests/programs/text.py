"""Sentences of two kinds as sparse rows of TF-IDF."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

KITCHEN = [
    "the",
    "soup",
    "needs",
    "salt",
    "while",
    "bread",
    "bakes",
    "slowly",
    "in",
    "our",
    "oven",
    "with",
    "butter",
    "and",
    "herbs",
]
HARBOUR = [
    "the",
    "boat",
    "needs",
    "paint",
    "while",
    "wind",
    "turns",
    "slowly",
    "over",
    "our",
    "pier",
    "with",
    "gulls",
    "and",
    "nets",
]


def program(seed):
    rng = np.random.RandomState(seed)
    texts, kinds = [], []
    for _ in range(240):
        kind = rng.randint(2)
        words = (KITCHEN, HARBOUR)[kind]
        other = (HARBOUR, KITCHEN)[kind]
        texts.append(" ".join([*rng.choice(words, 7), *rng.choice(other, 3)]))
        kinds.append(("kitchen", "harbour")[kind])
    texts_train, texts_test, kinds_train, kinds_test = train_test_split(texts, kinds, random_state=seed)
    clf = make_pipeline(
        TfidfVectorizer(), MLPClassifier((10,), learning_rate_init=0.05, max_iter=30, random_state=seed)
    )
    return clf.fit(texts_train, kinds_train).score(texts_test, kinds_test)
