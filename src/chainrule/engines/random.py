"""Every random number of a training run, from one seed and a purpose, so that drawing for one never shifts another."""

from enum import IntEnum

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import whole_number


class Purpose(IntEnum):
    """What the numbers are for. The values are part of what makes a seed reproducible: never renumber them."""

    SPLIT = 0
    PARAMETERS = 1
    ORDER = 2


def check_seed(seed: int) -> int:
    """The seed; InputError for what is not one."""
    return whole_number("seed", seed, "a whole number of at least 0 and below 2⁶³", lambda n: 0 <= n < 2**63)


def generator(seed: int, purpose: Purpose, counter: int = 0) -> np.random.Generator:
    """A generator that depends on its arguments alone; ``counter`` is the epoch where there is one."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([check_seed(seed), int(purpose), counter])))


def epoch_order(seed: int, epoch: int, n: int) -> Array:
    """The order in which epoch ``epoch`` visits n examples, (n,) of int64."""
    return generator(seed, Purpose.ORDER, epoch).permutation(n)
