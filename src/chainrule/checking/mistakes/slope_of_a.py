"""σ′ at a, or a itself, in place of σ′(z)."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class SlopeOfA(Mistake):
    """σ′ is taken at a, not at z."""

    name = "slope-of-a"
    says = "σ′ was taken at a{l}, not at z{l}"
    fix = "{δ}    # σ = {σ}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in with_slope(case)]

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.network.σ(l).derivative(calculation.case.trace.a[l])


class SlopeIsA(Mistake):
    """σ(z) itself stands where σ′(z) should."""

    name = "activation-for-slope"
    says = "a{l} = σ(z{l}) stands where σ′(z{l}) should"
    fix = "{δ}    # σ = {σ}"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in with_slope(case)]

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.trace.a[l]
