"""The wrong number of examples."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import fitted_factor
from chainrule.checking.mistake import Given, Mistake


class WrongCount(Mistake):
    """The sum over the examples is divided by another whole number, such as the size of the last batch."""

    name = "wrong-count"
    says = "the sum over the {n} examples was divided by {m}, not by {n} (the size of another batch?)"
    fix = "dw = δ.T @ a / len(X)"
    rank = 3
    fitted = 1

    def __init__(self, m: int) -> None:
        super().__init__()
        self.m = m

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        factor = fitted_factor(Calculation(case), given)
        m = case.n / factor if factor else 0
        count = round(m) if np.isfinite(m) else 0
        fits = count > 1 and count != case.n and abs(m - count) < 1e-4 * count
        return [cls(count)] if fits else []

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() * calculation.case.n / self.m

    def words(self, case: Case) -> dict[str, object]:
        return {"m": self.m}
