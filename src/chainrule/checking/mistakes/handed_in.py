"""Something else handed in for the gradient."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.factors import factor_between
from chainrule.checking.mistake import Fitted, Given, OfArrays


class ParametersHandedIn(OfArrays):
    """The parameters themselves stand where their gradient should."""

    name = "parameters-for-gradient"
    says = "{which} is the parameter itself, not ∂C/∂ it"
    fix = "{lines}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_arrays(case)

    def made(self, case: Case, name: str, right: Array) -> Array:
        return case.p.arrays()[name]


class ParametersAfterStep(Fitted, OfArrays):
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
                yield cls(None, "wb", lr)

    def made(self, case: Case, name: str, right: Array) -> Array:
        return case.p.arrays()[name] - self.lr * right
