"""One family of costs differentiated as if it were the other."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class LogarithmicAsSquared(Mistake):
    """A logarithmic cost is differentiated as if it were a squared error: a − y times σ′."""

    name = "cross-entropy-as-squared-error"
    says = "{cost} was differentiated as if it were a squared error: {times}(a − y)·σ′(z{L})"
    fix = "{δ}    # of {cost} with {σ}"
    rank = 1

    factor: float

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        σ = case.network.σ(case.L)
        if case.network.C.canonical is None or not σ.elementwise:
            return []
        return [cls(case.L, 1), cls(case.L, 2)]

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        case = calculation.case
        return self.factor * (case.trace.a[l] - calculation.targets()) * case.network.σ(l).derivative(case.trace.z[l])

    def words(self, case: Case) -> dict[str, object]:
        return {"cost": case.network.cost, "times": "2" if self.factor == 2 else ""}


class SquaredAsLogarithmic(Mistake):
    """A squared error is differentiated as if it were a cross-entropy: a − y, without σ′."""

    name = "squared-error-as-cross-entropy"
    says = "{cost} was differentiated as if it were a cross-entropy: a − y, without σ′(z{L})"
    fix = "{δ}    # σ = {σ}"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(case.L)] if case.network.C.canonical is None else []

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return calculation.case.trace.a[l] - calculation.targets()

    def words(self, case: Case) -> dict[str, object]:
        return {"cost": case.network.cost}
