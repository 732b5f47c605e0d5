"""Numbers that somebody has rounded to write them down."""

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from chainrule.calculus.arrays import Array

FEWEST, MOST = 3, 9
"""Numbers of so many significant digits were rounded. Fewer may be exact; more are what a type has."""


def as_printed(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """By how much rounding them may have moved each number: half a unit of the last digit, whether all were written to
    as many decimals or to as many significant digits. Empty where some number has too many digits for that.

    It is no licence: another number of as many digits is further away than this.
    """
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
    if digits < FEWEST:
        return {}
    with np.errstate(divide="ignore"):
        significant = {name: 10.0 ** (np.floor(np.log10(np.abs(a))) - digits + 1) for name, a in arrays.items()}
    return {name: 0.5 * np.maximum(unit, 10.0**-decimals) * (1 + 1e-9) for name, unit in significant.items()}
