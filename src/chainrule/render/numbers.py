"""Numbers for people, printed so that what is shown still adds up.

Terms and their sum are printed to the same decimal, so they can be added by eye; what rounding leaves over is a line
of its own. A factor has :data:`FACTOR_DIGITS` significant digits and a product one less: each factor is off by at most
half a unit in its last digit, and three such errors reach the product's last digit but not the one before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import floor, isfinite, log10

FACTOR_DIGITS = 9
PRODUCT_DIGITS = FACTOR_DIGITS - 1


def significant(value: float, digits: int = FACTOR_DIGITS) -> str:
    """``value`` to this many significant digits; fewer where the last three or more would be 0 (0.05, 0.95)."""
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else f"{value:g}"
    rounded = Decimal(f"{value:.{digits - 1}e}")
    short = rounded.normalize()
    if len(short.as_tuple().digits) <= digits - 3:
        rounded = short
    return f"{rounded:f}" if 1e-6 <= abs(rounded) < 1e9 else f"{rounded:e}".replace("e+", "e")


@dataclass(frozen=True)
class Closed:
    """Terms and their sum as printed: to the same decimal, with the residual that makes them add up exactly.

    ``rest`` is the printed sum less the printed terms: what was left out, and what rounding lost.
    """

    terms: tuple[str, ...]
    rest: str
    total: str
    rest_is_zero: bool


def close(terms: Sequence[float], total: float, digits: int = PRODUCT_DIGITS) -> Closed:
    """Print terms and total to one decimal, chosen so that the largest has ``digits`` significant digits.

    Numbers of which one is infinite or NaN do not add up; they are printed as they are.
    """
    if not all(isfinite(value) for value in (*terms, total)):
        return Closed(tuple(significant(value, digits) for value in terms), "", significant(total, digits), True)
    largest = max(abs(value) for value in (*terms, total))
    exponent = floor(log10(largest)) if largest > 0 else 0
    scale = exponent if not -6 <= exponent < 9 else 0
    unit = Decimal(1).scaleb(max(exponent - digits + 1, -340))
    rounded = [Decimal(repr(float(value))).quantize(unit) for value in terms]
    whole = Decimal(repr(float(total))).quantize(unit)
    rest = -sum(rounded, -whole)
    return Closed(
        tuple(_signed(value, scale) for value in rounded), _signed(rest, scale), _signed(whole, scale), not rest
    )


def _signed(value: Decimal, scale: int) -> str:
    return f"{value.scaleb(-scale):+f}" + (f"e{scale}" if scale else "") if value else "0"


def percent(share: float) -> str:
    """A share between 0 and 1 as a percentage with two decimals."""
    return f"{100 * share:.2f} %"
