"""The penalty's share."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import penalty_derivative
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake
from chainrule.checking.sites import penalised, penalty_formula


class PenaltyMissing(Mistake):
    """The penalty on the weights is not differentiated."""

    name = "penalty-missing"
    says = "the penalty's derivative {formula} is missing{where}"
    fix = "{dw}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(l) for l in (None, *case.layers)] if penalised(case) else []

    def penalty(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.zeros_like(right())

    def words(self, case: Case) -> dict[str, object]:
        return {"formula": penalty_formula(case), "where": "" if self.layer is None else f" in dw{self.layer}"}


class PenaltyScaled(Mistake):
    """The penalty's derivative has another factor."""

    name = "penalty-scaled"
    says = "the penalty's derivative is {text} what it should be"
    fix = "{dw}    # and so in each layer"
    rank = 1

    factor: float
    text: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        if not penalised(case):
            return []
        n = case.n
        named = {"twice": 2.0, "half of": 0.5, "minus": -1.0, f"1/n = 1/{n} of": 1 / n, f"n = {n} times": n}
        if case.network.l2 and n > 1:
            named |= {f"1/(2n) = 1/{2 * n} of": 0.5 / n}
        return [cls(None, factor, text) for text, factor in named.items() if factor != 1]

    def penalty(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"formula": penalty_formula(case)}


class PenaltyOnBiases(Mistake):
    """The biases are penalised, too."""

    name = "penalty-on-biases"
    says = "the biases are penalised, too; the penalty is on weights alone"
    fix = "{db}    # without {formula}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)] if penalised(case) else []

    def bias_penalty(self, calculation: Calculation, l: int, right: Step) -> Array:
        case = calculation.case
        return penalty_derivative(case.p.b[l], case.network.l1, case.network.l2)

    def words(self, case: Case) -> dict[str, object]:
        return {"formula": penalty_formula(case).replace("w", "b")}


class PenaltyOfTheOtherKind(Mistake):
    """The penalty is that of |w| where w² is meant, or the other way round."""

    name = "penalty-of-the-other-kind"
    says = "the penalty is the other kind: {says_it}"
    fix = "{dw}"
    rank = 4

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)] if bool(case.network.l1) != bool(case.network.l2) else []

    def penalty(self, calculation: Calculation, l: int, right: Step) -> Array:
        network = calculation.case.network
        return penalty_derivative(calculation.case.p.w[l], network.l2, network.l1)

    def words(self, case: Case) -> dict[str, object]:
        other = "l1·sign(w) with l2's number" if case.network.l2 else "2·l2·w with l1's number"
        return {"formula": penalty_formula(case), "says_it": other}
