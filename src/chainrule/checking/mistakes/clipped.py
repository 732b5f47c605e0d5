"""A gradient that was clipped."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Given


class Clipped(Fitted):
    """Every entry is held to [−c, c]."""

    name = "clipped"
    says = "entries are clipped to ±{c:.6g}"
    fix = "check ∇C before it is clipped"
    rank = 3

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = c
        self.fitted = 0 if float(f"{c:.2g}") == c else 1  # 0.5 and 10 are bounds that people choose

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        largest = max((float(np.abs(g).max()) for g in given.values() if g.size), default=0)
        return [cls(largest)] if largest > 0 else []

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)

    def words(self, case: Case) -> dict[str, object]:
        return {"c": self.c}
