"""The examples' weights."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class WeightsIgnored(Mistake):
    """Every example counts the same, although they have weights."""

    name = "weights-ignored"
    says = "the examples' weights were ignored"
    fix = "{dw};  {db}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [] if case.weights is None else [cls(None)]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.full_like(right(), 1 / calculation.case.n)


class WeightsTwice(Mistake):
    """The examples' weights are applied twice."""

    name = "weights-twice"
    says = "the examples' weights were applied twice{kind}"
    fix = "{dw};  {db}    # once"
    rank = 1

    normalised: bool

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [] if case.weights is None else [cls(None, True), cls(None, False)]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        s = calculation.case.weights
        assert s is not None
        return s * s / np.sum(s * s) if self.normalised else s * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"kind": " (s²/Σs²)" if self.normalised else " (s·s/Σs)"}


class WeightsNotNormalised(Mistake):
    """Weighted examples are divided by their number, not by the sum of their weights."""

    name = "weights-not-normalised"
    says = "the weighted examples were {divided}, not divided by the sum of their weights"
    fix = "{dw};  {db}"
    rank = 1

    by_n: bool

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [] if case.weights is None else [cls(None, True), cls(None, False)]

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        s = calculation.case.weights
        assert s is not None
        return s / calculation.case.n if self.by_n else s

    def words(self, case: Case) -> dict[str, object]:
        return {"divided": f"divided by their number {case.n}" if self.by_n else "only summed"}
