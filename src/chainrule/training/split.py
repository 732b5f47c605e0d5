"""Which examples are held out for the test figure."""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.engines.random import Purpose, generator

TEST_SHARE = 0.2


def split(n: int, seed: int, classes: Array | None = None) -> tuple[Array, Array]:
    """Rows to train on and rows to test on, both in rising order: a seeded 20 % is held out.

    With ``classes`` (n,), a whole number for each example, each class gives its 20 %, rounded, and never its
    last example.
    """
    random = generator(seed, Purpose.SPLIT)
    if classes is None:
        classes = np.zeros(n, np.intp)
    test = np.zeros(n, np.bool)
    for c in sorted(set(classes.tolist())):
        rows = np.flatnonzero(classes == c)
        test[random.permutation(rows)[: round(TEST_SHARE * len(rows))]] = True
    return np.flatnonzero(~test), np.flatnonzero(test)
