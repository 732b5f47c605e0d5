"""The weights of another layer on the way back."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class WeightOfWrongLayer(Mistake):
    """δ of layer l goes back through the weights of another layer that has the same shape."""

    name = "weight-of-wrong-layer"
    says = "δ{l} went back through w{m}, not w{l}"
    fix = "dC_da{before} = δ{l} @ w{l}"
    rank = 2

    by: int
    """How many layers further on."""

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        shapes = {l: case.p.w[l].shape for l in case.layers}
        return cls.of_another_layer(case.layers[1:], case, shapes)

    def weight(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.p.w[l + self.by]

    def words(self, case: Case) -> dict[str, object]:
        return {"m": f"[l{self.by:+d}]" if self.among else self.at(case) + self.by}
