"""A gradient that was clipped."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class Clipped(Mistake):
    """Every entry is held to [−c, c]."""

    name = "clipped"
    says = "entries are clipped to ±{c:.6g}"
    fix = "check ∇C before it is clipped"
    rank = 3
    fitted = 1

    def __init__(self, c: float) -> None:
        super().__init__()
        self.c = c

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        largest = max((float(np.abs(g).max()) for g in given.values() if g.size), default=0)
        exact = Calculation(case)
        sizes = np.concatenate([np.abs(exact.array(f"{letter}{l}")).ravel() for l in case.layers for letter in "wb"])
        beyond = int((sizes > largest * (1 + 1e-5)).sum())
        # one entry that is too small is no clipping unless the bound is a round number
        told = beyond > 1 or (beyond == 1 and float(f"{largest:.2g}") == largest)
        return [cls(largest)] if largest > 0 and told else []

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.clip(right(), -self.c, self.c)

    def words(self, case: Case) -> dict[str, object]:
        return {"c": self.c}
