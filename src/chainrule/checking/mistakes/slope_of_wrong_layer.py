"""σ′ at another layer's z."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class SlopeOfWrongLayer(Mistake):
    """σ′ is taken at the z of another layer that has as many neurons: for relu, the mask of another layer."""

    name = "slope-of-wrong-layer"
    says = "σ′ was taken at z{m}, not at z{l}"
    fix = "{δ}    # σ = {σ}"
    rank = 2

    by: int
    """How many layers further on."""

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.of_another_layer(with_slope(case), case, dict(enumerate(case.sizes[1:], 1)))

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.network.σ(l).derivative(calculation.case.trace.z[l + self.by])

    def words(self, case: Case) -> dict[str, object]:
        return {"m": f"[l{self.by:+d}]" if self.among else self.at(case) + self.by}
