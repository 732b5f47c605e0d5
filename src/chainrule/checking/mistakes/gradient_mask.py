"""A relu that masks the gradient itself."""

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
    says = "relu′ of layer {l} was taken of the gradient that comes back, not of z{l}"
    fix = "{δ}"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in with_slope(case) if case.network.activation[l - 1] == "relu"]

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return (calculation.dC_da(l) > 0).astype(np.float64)
