"""A gradient that was clipped."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.mistake import Fitted, Given


class Clipped(Fitted):
    """Every entry is held to [−c, c]."""

    name = "clipped"
    says = "entries are clipped to ±{c:.6g}"
    fix = "check ∇C before it is clipped"
    rank = 3

    c: float

    @property
    def fitted(self) -> int:
        """0.5 and 10 are bounds that people choose."""
        return 0 if float(f"{self.c:.2g}") == self.c else 1

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        largest = max((float(np.abs(g).max()) for g in given.values() if g.size), default=0)
        return [cls(None, largest)] if largest > 0 else []

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)
