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


class _OfPenalty(Mistake):
    """In every layer, or in one."""

    def words(self, case: Case) -> dict[str, object]:
        return {"formula": penalty_formula(case), "where": "" if self.layer is None else f" in dw{self.layer}"}


class PenaltyMissing(_OfPenalty):
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


class PenaltyInPart(_OfPenalty):
    """Of two penalties, that of |w| and that of w², one is not differentiated."""

    name = "penalty-in-part"
    says = "of the penalty's derivative {formula} the part {part} is missing{where}"
    fix = "{dw}"
    rank = 0

    part: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        both = bool(case.network.l1 and case.network.l2)
        return [cls(l, part) for l in (None, *case.layers) for part in ("l1·sign(w)", "2·l2·w")] if both else []

    def penalty(self, calculation: Calculation, l: int, right: Step) -> Array:
        network, w = calculation.case.network, calculation.case.p.w[l]
        l1, l2 = (0.0, network.l2) if self.part.startswith("l1") else (network.l1, 0.0)
        return penalty_derivative(w, l1, l2)


class PenaltyScaled(_OfPenalty):
    """The penalty's derivative has another factor."""

    name = "penalty-scaled"
    says = "the penalty's derivative is {text} what it should be{where}"
    fix = "{dw}"
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
        factors = {factor: text for text, factor in reversed(named.items()) if factor != 1}
        return [cls(l, factor, text) for l in (None, *case.layers) for factor, text in factors.items()]

    def penalty(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()


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
        return {"says_it": other}
