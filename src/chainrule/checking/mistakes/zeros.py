"""Arrays that were never filled."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.right_line import line_of


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


class ZerosInOne(Mistake):
    """One array was never filled."""

    name = "zeros-in-one"
    says = "d{letter}{l} is 0 throughout: it was never computed"
    fix = "{line}"
    rank = 1

    letter: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [m for letter in "wb" for m in cls.in_each(case.layers, case, letter)]

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.zeros_like(right()) if self.letter == "w" else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.zeros_like(right()) if self.letter == "b" else right()

    def words(self, case: Case) -> dict[str, object]:
        return {"line": line_of(f"{self.letter}{self.at(case)}", case)}
