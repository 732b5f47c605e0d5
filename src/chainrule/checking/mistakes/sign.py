"""A wrong sign."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class Sign(Mistake):
    """The sign is wrong everywhere, as y − a for a − y makes it."""

    name = "sign"
    says = "the sign is wrong everywhere (y − a for a − y?)"
    fix = "{δ}    # a − Y, not Y − a: the step p −= lr·∂C/∂p has the minus"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return -right()


class SignOfLayer(Mistake):
    """The sign of one layer's δ is wrong, and with it that of all layers before."""

    name = "sign-of-layer"
    says = "the sign changes on the way back through layer {l}"
    fix = "{δ}    # without a minus"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in case.hidden]

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return -right()
