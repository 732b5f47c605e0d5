"""σ′ applied twice."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class SlopeTwice(Mistake):
    """σ′(z) is applied twice."""

    name = "slope-twice"
    says = "σ′(z{l}) was applied twice"
    fix = "{δ}    # once; σ = {σ}"
    rank = 1
    relation = "exact · σ′(z{l})"

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case), case)

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() ** 2
