"""One family of costs differentiated as if it were the other."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class LogarithmicAsSquared(Mistake):
    """A logarithmic cost is differentiated as if it were a squared error: (a − y)·σ′, or times softmax's."""

    name = "cross-entropy-as-squared-error"
    says = "{cost} was differentiated as if it were a squared error: {times}(a − y) times the derivative of {σ}"
    fix = "{δ}    # of {cost} with {σ}"
    rank = 1

    factor: float

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(case.L, factor) for factor in (1, 2)] if case.network.C.canonical is not None else []

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        case = calculation.case
        σ, z = case.network.σ(l), case.trace.z[l]
        dC_da = self.factor * (case.trace.a[l] - calculation.targets())
        return dC_da * σ.derivative(z) if σ.elementwise else (σ.derivative(z) @ dC_da[..., None])[..., 0]

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
