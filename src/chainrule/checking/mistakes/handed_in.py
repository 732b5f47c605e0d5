"""Something else handed in for the gradient."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import factor_between
from chainrule.checking.mistake import Fitted, Given, Mistake


class ParametersHandedIn(Mistake):
    """The parameters themselves stand where their gradient should."""

    name = "parameters-for-gradient"
    says = "{which} the parameters themselves, not ∂C/∂ them"
    fix = "{dw};  {db}    # hand in dw{l} and db{l}"
    rank = 0

    letters: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, "wb"), *(cls(l, letter) for l in case.layers for letter in "wb")]

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.p.w[l] if "w" in self.letters else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.p.b[l] if "b" in self.letters else right()

    def words(self, case: Case) -> dict[str, object]:
        return {"which": "these are" if self.layer is None else f"d{self.letters}{self.layer} is"}


class ParametersAfterStep(Fitted):
    """The parameters after a step of gradient descent stand where the gradient should."""

    name = "parameters-after-step"
    says = "these are the parameters after a step with the learning rate {lr:.6g}, not ∂C/∂ them"
    fix = "{dw};  {db}    # before the step w{l} −= lr·dw{l}"
    rank = 0

    lr: float

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        """By the biases of the last layer."""
        last = f"b{so_far.case.L}"
        if last in given and given[last].shape == so_far.array(last).shape:
            lr = factor_between(so_far.array(last), so_far.case.p.b[so_far.case.L] - given[last], so_far.case)
            if lr and np.isfinite(lr):
                yield cls(None, lr)

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.p.w[l] - self.lr * right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.p.b[l] - self.lr * right()
