"""The wrong number of examples."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.factors import factor_between
from chainrule.checking.mistake import Fitted, Given


class WrongCount(Fitted):
    """The sum over the examples is divided by another whole number, such as the size of the last batch."""

    name = "wrong-count"
    says = "the sum over the {n} examples was divided by {m}, not by {n} (the size of another batch?)"
    fix = "{dw};  {db}"
    rank = 3

    m: int

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        n, last = so_far.case.n, f"b{so_far.case.L}"  # the biases have no penalty
        factor = factor_between(so_far.array(last), given.get(last), so_far.case)
        m = n / factor if factor else 0
        count = round(m) if np.isfinite(m) else 0
        return [cls(None, count)] if count > 1 and count != n and abs(m - count) < 1e-4 * count else []

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() * calculation.case.n / self.m
