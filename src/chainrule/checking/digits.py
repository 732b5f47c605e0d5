"""Numbers that somebody has rounded to write them down."""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from chainrule.calculus.arrays import Array

FEWEST, MOST = 3, 15
"""Numbers of so many significant digits were rounded. Fewer may be exact; more are what a type has."""


def as_kept(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """By how much keeping them in a shorter type may have moved the numbers of arrays in float16; and of those in
    float32 where others are in float64: half of a unit in the last place."""
    kept = dict.fromkeys(arrays, np.float16)
    if np.result_type(*arrays.values()) == np.float64:
        kept |= {name: np.float32 for name, array in arrays.items() if array.dtype == np.float32}
    kept = {name: np.finfo(type_) for name, type_ in kept.items() if arrays[name].dtype == type_}
    return {
        name: np.maximum(np.abs(arrays[name].astype(np.float64)) * type_.eps, type_.smallest_subnormal) / 2
        for name, type_ in kept.items()
    }


def as_printed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """By how much rounding them may have moved each number: half a unit of the last digit, whether all were written to
    as many decimals or to as many significant digits. Empty where some number has too many digits for that.

    It is no licence: another number of as many digits is further away than this.
    """
    return {name: _half(unit) for name, unit in _units(arrays, FEWEST).items()}


def as_printed_unevenly(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The same of numbers of which some were written a digit shorter, and of as few digits as one: a number that ends
    in a 0, which is not seen, may have been rounded there."""
    return {
        name: _half(np.where(_whole(arrays[name] / (10 * unit)), 10 * unit, unit))
        for name, unit in _units(arrays, 1).items()
    }


def _units(arrays: Mapping[str, Array], fewest: int) -> dict[str, Array]:
    """What one is in the last digit of each number."""
    digits = decimals = 0
    for array in arrays.values():
        for x in array.ravel().tolist():
            if not np.isfinite(x):
                return {}
            written = Decimal(repr(float(x))).normalize().as_tuple()
            digits = max(digits, len(written.digits))
            if digits > MOST:
                return {}
            assert isinstance(written.exponent, int)
            decimals = max(decimals, -written.exponent)
    if digits < fewest:
        return {}
    with np.errstate(divide="ignore"):
        return {
            name: np.maximum(10.0 ** (np.floor(np.log10(np.abs(a))) - digits + 1), 10.0**-decimals)
            for name, a in arrays.items()
        }


def _half(unit: Array) -> Array:
    return 0.5 * unit * (1 + 1e-9)


def _whole(x: Array) -> Array:
    return np.abs(x - np.rint(x)) < 0.05
