"""What goes wrong in softmax, and between it and cross-entropy."""

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


class SoftmaxMissing(_OfSoftmax):
    """The softmax Jacobian is left out: ∂C/∂a = −y/a is taken for ∂C/∂z."""

    name = "softmax-missing"
    says = "the softmax Jacobian ∂a/∂z is missing: ∂C/∂a = −y/a was taken for ∂C/∂z"
    fix = "{δ}    # −y/a times all ∂a_j/∂z_k = a_j([j = k] − a_k)"
    rank = 0

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.dC_da(l)


class SoftmaxAxis(_OfSoftmax):
    """The sum in softmax runs over the examples, or over everything, where it should run over the outputs of one."""

    name = "softmax-axis"
    says = "the sum in softmax ran over {over}, not over the outputs of one example"
    fix = "a{l} = np.exp(z{l}) / np.exp(z{l}).sum(axis=1, keepdims=True)"
    rank = 2

    over: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        made = case.network.activation[-1] == "softmax" and case.n > 1
        return [cls(case.L, over) for over in ("the examples", "outputs and examples alike") if made]

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        z, softmax = calculation.case.trace.z[l], calculation.case.network.σ(l).value
        a = softmax(z.T).T if self.over == "the examples" else softmax(z.reshape(1, -1)).reshape(z.shape)
        return a - calculation.targets()


class SoftmaxSlope(_OfSoftmax):
    """a − y is multiplied by a(1 − a) besides, as a sigmoid's derivative."""

    name = "softmax-slope"
    says = "a − y is ∂C/∂z already; it was multiplied by a(1 − a) besides"
    fix = "{δ}"
    rank = 1

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        a = calculation.case.trace.a[l]
        return right() * a * (1 - a)
