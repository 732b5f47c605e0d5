"""Which examples are held out of training, for the test figure or to watch it by."""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.engines.random import Purpose, generator

TEST_SHARE = 0.2


def split(
    n: int, seed: int, classes: Array | None = None, share: float = TEST_SHARE, *, of_training: bool = False
) -> tuple[Array, Array]:
    """Rows to keep and rows to hold out, both in rising order: a seeded share, 20 % for the test figure.

    With ``classes`` (n,), a whole number for each example, each class gives its share, rounded, and never its
    last example. ``of_training`` draws other random numbers, for what is held out of the rows that were kept.
    """
    random = generator(seed, Purpose.SPLIT, int(of_training))
    if classes is None:
        classes = np.zeros(n, np.intp)
    held_out = np.zeros(n, np.bool)
    for c in sorted(set(classes.tolist())):
        rows = np.flatnonzero(classes == c)
        held_out[random.permutation(rows)[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
