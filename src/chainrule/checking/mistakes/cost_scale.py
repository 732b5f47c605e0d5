"""Another cost's constant factor."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class CostScale(Mistake):
    """The gradient of a cost that has another constant factor."""

    name = "cost-scale"
    says = "this is the gradient of {text}·C, another scale of the cost"
    fix = "{δ}    # ∂C/∂a = {dC_da} for {cost}"
    rank = 2

    factor: float
    text: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        n_L = case.sizes[-1]
        named = {
            "2": 2.0,
            "½": 0.5,
            "4": 4.0,
            "¼": 0.25,
            "n_L": n_L,
            "1/n_L": 1 / n_L,
            "2/n_L": 2 / n_L,
            "½·n_L": n_L / 2,
        }
        return [cls(None, factor, text) for text, factor in named.items() if factor != 1]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        cost = case.network.C
        form = cost.dC_da_formula.format(a=f"a{case.L}", y="y")
        return {"cost": cost.name, "dC_da": form}
