"""Layers in the order of the way back."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class LayersReversed(Mistake):
    """The gradients are in the order in which the way back finds them, last layer first."""

    name = "layers-reversed"
    says = "the layers are in reverse order: what is called w1 is the gradient of w{L}"
    fix = "grads.reverse()    # the way back finds layer {L} first"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)] if case.L > 1 else []

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return Calculation(calculation.case).w(calculation.case.L + 1 - l)

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return Calculation(calculation.case).b(calculation.case.L + 1 - l)
