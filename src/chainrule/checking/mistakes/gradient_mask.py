"""A relu that lets the wrong part back."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class MaskOfGradient(Mistake):
    """relu lets back what is positive of the gradient, not what belongs to a positive z."""

    name = "mask-of-gradient"
    says = "relu′ of layer {layer} was taken of the gradient that comes back, not of z{l}"
    fix = "{δ}"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case, "relu"), case)

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return (calculation.dC_da(l) > 0).astype(np.float64)


class MaskInverted(Mistake):
    """relu lets back what belongs to a z that is not positive."""

    name = "mask-inverted"
    says = "{σ}′ of layer {layer} was taken the wrong way round: where z{l} ≤ 0 what it is where z{l} > 0"
    fix = "{δ}"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(with_slope(case, "relu", "leaky-relu"), case)

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        low = 0.0 if calculation.case.network.activation[l - 1] == "relu" else 0.01
        return np.where(calculation.case.trace.z[l] > 0, low, 1.0)
