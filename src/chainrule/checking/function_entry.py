"""Whether one entry of a gradient is right, from the slope that the cost's values show."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan

from chainrule.checking.function_cost import Cost
from chainrule.checking.slope import Slope, in_steps

NOTHING = 2.0**-44
"""A slope that is so small beside the chords around it is the rounding of a 0."""


@dataclass(frozen=True)
class Yours:
    """An entry as given: what its own rounding may make of it, the tolerance, how much it moves by x's last digits."""

    g: float
    own: float
    tolerance: float
    jitter: Callable[[], float]

    def excluded(self, s: Slope) -> bool:
        """Whether neither the estimate nor those from larger steps leave room for it."""
        return not s.rough and self._beyond(s, self.own) and self._beyond(s, self.own + self.jitter())

    def _beyond(self, s: Slope, own: float) -> bool:
        return all(abs(self.g - e.value) > e.error + self.tolerance * abs(e.value) + own for e in (s, *s.rivals))


@dataclass(frozen=True)
class Known:
    """What one entry was found to be."""

    status: str
    value: float
    error: float
    why: str
    by_complex: bool = False
    """Whether complex steps, which differences confirm, say so."""


def hindrance(cost: Cost, s: Slope) -> str:
    """Words for what keeps a slope from being known."""
    if cost.noise > 0:
        return f"noise: two values of the cost at the same place are up to {cost.noise:.1e} apart"
    if cost.quantum > 0:
        return in_steps(cost.quantum)
    if s.grain > 0 and not s.why:
        return in_steps(s.grain)
    raised = f" (it raised {cost.raised})" if cost.raised and not isfinite(s.value) else ""
    return (s.why or "not known closely enough") + raised


def judged(yours: Yours, s: Slope, by_complex: tuple[float, float] | None, hinders: str) -> Known:
    """Right, wrong or undecided; ``by_complex`` is the slope from complex steps and its error, if there is one."""
    g, tolerance = yours.g, yours.tolerance
    if not isfinite(s.value):
        return Known("undecided", nan, nan, hinders)
    if s.kink:
        return _at_kink(yours, s)
    value, error, used = s.value, s.error, False
    sure = error <= 4 * tolerance * abs(value)
    if by_complex is not None and abs(by_complex[0] - value) <= error + by_complex[1]:
        if sure and by_complex[1] <= error:
            value, error = by_complex
            used = True
        elif not sure and 0 < abs(g - by_complex[0]) + by_complex[1] <= tolerance * abs(by_complex[0]):
            # where differences do not see it, this may confirm a value, but convict none
            return Known("right", *by_complex, "", by_complex=True)
    elif by_complex is not None:
        by_complex = None  # an abs, a comparison, a real part is on the way
    if not isfinite(g):
        return Known("wrong", value, error, "not a finite number", used)
    if sure and abs(g - value) <= tolerance * abs(value) + error:
        return Known("right", value, error, "", used)
    if yours.excluded(s):
        return Known("wrong", value, error, "", used)
    if sure:
        return Known("undecided", value, error, _doubt(g, s, hinders), used)
    rest = by_complex is not None and abs(by_complex[0]) > NOTHING * s.swing
    if abs(g) <= NOTHING * s.swing and not rest and (s.flat or (not s.rivals and error <= tolerance * s.swing)):
        return Known("right", value, error, "", used)
    return Known("undecided", value, error, hinders, used)


def _doubt(g: float, s: Slope, hinders: str) -> str:
    """Words for why a slope that is known does not convict a value that is far from it."""
    if s.rivals:
        other = min(s.rivals, key=lambda e: abs(e.value - g))
        return f"large and small steps disagree: steps of {other.step:.0e} say {other.value:.6g}"
    if s.rough:
        noise = hinders if s.grain > 0 else f"noise: the cost's values scatter by {s.noise:.0e}"
        return f"{noise}, and may hide a ripple"
    return "the difference may be the rounding of your own gradient"


def _at_kink(yours: Yours, s: Slope) -> Known:
    g, tolerance = yours.g, yours.tolerance
    low, high = min(s.left, s.right), max(s.left, s.right)
    between = f"a kink: every value from {low:.6g} to {high:.6g} is right"
    nearest = min(max(g, low), high) if isfinite(g) else s.value
    largest = max(abs(low), abs(high))
    if not isfinite(g):
        return Known("wrong", nearest, s.error, "not a finite number")
    if s.passed:
        return Known("undecided", nearest, s.error, "what looks like a kink to small steps does not to larger ones")
    off = abs(g - nearest)
    if off <= s.error + tolerance * abs(nearest) and s.error <= 4 * tolerance * largest:
        return Known("right", nearest, s.error, between)
    passed = any(abs(g - e.value) <= e.error + tolerance * abs(e.value) for e in s.rivals)
    if not passed and off > s.error + tolerance * abs(nearest) + yours.own:
        return Known("wrong", nearest, s.error, between)
    return Known("undecided", nearest, s.error, f"close to {between}")
