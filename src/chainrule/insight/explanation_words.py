"""What an explanation says in plain words, in every format alike."""

from math import ceil, isfinite, log10

from chainrule.insight.explanation import Explanation, Sum
from chainrule.render.numbers import PRODUCT_DIGITS, close, significant

AGREES = 1e-9
"""What rounding can do to a badly conditioned network; a mistake does more."""

_ROUNDING = 1e-15  # below this, which digit differs is the machine's affair
_BALANCE_DIGITS = 6


def in_words(e: Explanation) -> str:
    """What the derivative says."""
    if e.n_examples > 1:
        return f"the mean over {e.n_examples:,} examples"
    if not e.value:
        return f"{e.of} does not react to a small change of {e.wrt}"
    if not isfinite(e.value):
        return "beyond what float64 can hold"
    direction = "rises" if e.value > 0 else "falls"
    return f"raise {e.wrt} by 0.01: {e.of} {direction} by about {significant(abs(e.value) / 100, 2)}"


def numbers_in_line(e: Explanation) -> str:
    """The product with its numbers: = 0.05 × 0.241300709 × …; nothing where there is no product."""
    if len(e.factors) < 2 or e.penalty:
        return ""
    numbers = (significant(f.value) for f in reversed(e.factors))
    product = " × ".join(f"({number})" if number.startswith("-") else number for number in numbers)
    return f"= {product} = {significant(e.value, PRODUCT_DIGITS)}"


def sum_title(e: Explanation, s: Sum) -> str:
    """What a sum is, in words."""
    quantity = s.total.symbol.partition("/∂")[2]
    return f"{s.total.symbol}: {quantity} reaches {e.of} through {s.over}"


def directions(e: Explanation) -> tuple[str, str, str]:
    """Headings for the examples whose part is positive, negative, and 0."""
    if _pushes(e):
        ways = (("down", "raises"), ("up", "lowers"))
        down, up = (f"push {e.wrt} {way} (raising it {does} their cost)" for way, does in ways)
        return down, up, "push it nowhere"
    return f"raising {e.wrt} raises {e.of}", f"raising {e.wrt} lowers {e.of}", "no effect"


def _pushes(e: Explanation) -> bool:
    """Whether gradient descent moves the target: it is a parameter, and the derivative is the cost's."""
    return e.wrt[0] in "wb" and e.of.startswith("C")


def balance(e: Explanation) -> str:
    """How many examples push each way, and by how much in all."""
    if e.up is None or e.down is None:
        return ""
    both = [e.down.contribution, e.up.contribution]
    parts = close(both, sum(both), _BALANCE_DIGITS).terms
    down, up = (
        f"{rest.count:,} ({part} in all)" if rest.count else "none"
        for rest, part in zip((e.down, e.up), parts, strict=True)
    )
    if _pushes(e):
        return f"of {e.n_examples:,} examples, down: {down}; up: {up}"
    return f"of {e.n_examples:,} examples, raising it raises {e.of} in {down} and lowers it in {up}"


def checked(e: Explanation) -> str:
    """The line that tells what the independent check found."""
    if e.check is None:
        return "not checked: float64 cannot hold what the check needs here; --proof checks in decimal arithmetic"
    if e.check.difference > AGREES:
        again, off = significant(e.check.value, PRODUCT_DIGITS), significant(e.check.difference, 2)
        return f"checked: {e.check.method} differs, it gives {again} (off by {off} of the terms)"
    within = 10.0 ** ceil(log10(max(e.check.difference, _ROUNDING)))
    return f"checked: {e.check.method} agrees within {within:.0e}"
