"""No mistake: another slope exactly at a kink."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import with_slope


class Kink(Mistake):
    """Exactly at a kink of σ another one-sided or middle slope is taken."""

    name = "kink-convention"
    says = "where z{l} is exactly 0, the slope {at_kink:g} was taken; here it is {ours:g}"
    fix = "nothing is wrong: at its kink {σ} has no derivative, and any slope from {low:g} to {high:g} is a convention"
    rank = 0
    convention = True

    at_kink: float

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        at = [l for l in with_slope(case) if cls._at(case, l).any()]
        ends = {cls._ends(case, l) for l in at}
        everywhere = [(None, *end) for end in ends] if len(ends) == 1 and len(at) > 1 else []
        return [
            cls(l, slope)
            for l, low, high in [*((l, *cls._ends(case, l)) for l in at), *everywhere]
            for slope in (low, (low + high) / 2, high)
        ]

    @staticmethod
    def _at(case: Case, l: int) -> Array:
        return np.isin(case.trace.z[l], case.network.σ(l).kinks)

    @staticmethod
    def _ends(case: Case, l: int) -> tuple[float, float]:
        derivative = case.network.σ(l).derivative
        low, high = (float(derivative(np.array([side]))[0]) for side in (-1e-300, 1e-300))
        return low, high

    def slope(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.where(self._at(calculation.case, l), self.at_kink, right())

    def words(self, case: Case) -> dict[str, object]:
        l = self.layer or next(l for l in case.layers if self._at(case, l).any())
        low, high = self._ends(case, l)
        ours = float(case.network.σ(l).derivative(np.zeros(1))[0])
        return {
            "l": l,
            "low": low,
            "high": high,
            "ours": ours,
            "σ": case.network.activation[l - 1],
        }
