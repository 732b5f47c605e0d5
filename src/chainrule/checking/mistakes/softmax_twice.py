"""What goes wrong between softmax and cross-entropy."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.activation import softmax_jacobian
from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class _OfSoftmax(Mistake):
    """In the last layer, where that is a softmax."""

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(case.L)] if case.network.activation[-1] == "softmax" else []


class SoftmaxTwice(_OfSoftmax):
    """a − y is already ∂C/∂z; it goes through the Jacobian of softmax once more."""

    name = "softmax-twice"
    says = "a − y is ∂C/∂z of softmax with cross-entropy already; it was multiplied by the softmax Jacobian again"
    fix = "{δ}"
    rank = 0

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return (softmax_jacobian(calculation.case.trace.z[l]) @ right()[..., None])[..., 0]


class SoftmaxDiagonal(_OfSoftmax):
    """Only the diagonal a_j(1 − a_j) of the softmax Jacobian is used, as if the outputs did not compete."""

    name = "softmax-diagonal"
    says = "only the diagonal a_j(1 − a_j) of the softmax Jacobian was used"
    fix = "{δ}    # all entries: ∂a_j/∂z_k = a_j([j = k] − a_k)"
    rank = 1

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        a = calculation.case.trace.a[l]
        return calculation.dC_da(l) * a * (1 - a)


class SoftmaxSlope(_OfSoftmax):
    """a − y is multiplied by a(1 − a) besides, as a sigmoid's derivative."""

    name = "softmax-slope"
    says = "a − y is ∂C/∂z already; it was multiplied by a(1 − a) besides"
    fix = "{δ}"
    rank = 1

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        a = calculation.case.trace.a[l]
        return right() * a * (1 - a)
