"""σ′ left out."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class MissingSlope(Mistake):
    """σ′(z) is left out: ∂C/∂a is taken for ∂C/∂z."""

    name = "missing-slope"
    says = "σ′(z{l}) is missing, the factor ∂a{l}/∂z{l}"
    fix = "{δ}    # σ = {σ}"
    rank = 0
    relation = "exact ÷ σ′(z{l})"

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case), case)

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.ones_like(right())
