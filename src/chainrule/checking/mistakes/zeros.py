"""Arrays that were never filled."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake, OfArrays


class Zeros(Mistake):
    """An array was never filled, or all of them."""

    name = "zeros"
    says = "{what} 0 throughout: {why}"
    fix = "{dw};  {db}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in (None, *case.layers)]

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.zeros_like(right())

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.zeros_like(right())

    def words(self, case: Case) -> dict[str, object]:
        if self.layer is None:
            return {"what": "everything is", "why": "the gradient was never computed"}
        name = "first layer was skipped" if self.layer == 1 else f"layer {self.layer} was skipped"
        return {"what": f"dw{self.layer} and db{self.layer} are", "why": f"the {name}".replace("the layer", "layer")}


class ZerosInOne(OfArrays):
    """One array was never filled."""

    name = "zeros-in-one"
    says = "d{letters}{l} is 0 throughout: it was never computed"
    fix = "{lines}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [m for letter in "wb" for m in cls.in_each(case.layers, case, letter)]

    def made(self, case: Case, name: str, right: Array) -> Array:
        return np.zeros_like(right)
