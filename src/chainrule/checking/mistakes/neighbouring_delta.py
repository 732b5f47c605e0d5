"""δ of the layer above."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class NeighbouringDelta(Mistake):
    """The δ of the layer above stands where this layer's should."""

    name = "delta-of-next-layer"
    says = "dw{l} and db{l} use δ{after}, not δ{l}"
    fix = "{dw};  {db}"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each([l for l in case.hidden if case.sizes[l] == case.sizes[l + 1]], case)

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.δ(l + 1)
