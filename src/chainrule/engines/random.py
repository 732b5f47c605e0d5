"""Every random number of a training run, from one seed and a purpose, so that drawing for one never shifts another."""

from enum import IntEnum
from functools import cache

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import whole_number


class Purpose(IntEnum):
    """What the numbers are for. The values are part of what makes a seed reproducible: never renumber them."""

    SPLIT = 0
    PARAMETERS = 1
    ORDER = 2
    DROPOUT = 3


def check_seed(seed: int) -> int:
    """The seed; InputError for what is not one."""
    return whole_number("seed", seed, "a whole number of at least 0 and below 2⁶³", lambda n: 0 <= n < 2**63)


def generator(seed: int, purpose: Purpose, counter: int = 0) -> np.random.Generator:
    """A generator that depends on its arguments alone; ``counter`` is the epoch where there is one."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([check_seed(seed), int(purpose), counter])))


def epoch_order(seed: int, epoch: int, n: int) -> Array:
    """The order in which epoch ``epoch`` visits n examples, (n,) of int64."""
    return generator(seed, Purpose.ORDER, epoch).permutation(n)


@cache
def dropout_key(seed: int) -> int:
    """The 64 bits from which :func:`kept` draws."""
    words = np.random.SeedSequence([check_seed(seed), int(Purpose.DROPOUT), 0]).generate_state(1, np.uint64)
    return int(words[0])


def kept(key: int, p: float, step: int, l: int, rows: int, n: int) -> Array:
    """Which of n numbers of layer l are kept in step ``step``, for each row of its batch, (rows, n), if each is dropped
    with probability p.

    They depend on these numbers alone, so that they can be drawn in any order: numbers 4m … 4m + 3 of row i are dropped
    where the words of :func:`philox` of (m, i, step, l) are below 2³²·p.
    """
    m, i = np.arange(-(-n // 4), dtype=np.uint64)[None, :], np.arange(rows, dtype=np.uint64)[:, None]
    words = np.stack(np.broadcast_arrays(*philox(key, m, i, np.uint64(step % 2**32), np.uint64(l))), axis=-1)
    return words.reshape(rows, -1)[:, :n] >= int(p * 2**32)


def philox(key: int, *counter: Array | np.uint64) -> list[Array]:
    """Four words of 32 bits from a key of 64 and a counter of four such words, as arrays of uint64.

    Philox 4×32-10 of Salmon, Moraes, Dror, Shaw, Parallel Random Numbers: as Easy as 1, 2, 3, SC 2011.
    """
    word, bits = np.uint64(2**32 - 1), np.uint64(32)
    c: list[Array] = [np.asarray(x, np.uint64) for x in counter]
    for round_ in range(10):
        k0, k1 = (
            np.uint64(((key >> shift) + round_ * weyl) % 2**32) for shift, weyl in ((0, 0x9E3779B9), (32, 0xBB67AE85))
        )
        first, second = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(second >> bits) ^ c[1] ^ k0, second & word, (first >> bits) ^ c[3] ^ k1, first & word]
    return c
