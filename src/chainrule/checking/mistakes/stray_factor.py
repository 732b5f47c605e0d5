"""A constant factor where none belongs."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import explains, factor_between, factor_text, fitted_factor
from chainrule.checking.mistake import Given, Mistake


class StrayFactor(Mistake):
    """One array is a multiple of what it should be."""

    name = "stray-factor"
    says = "d{array} is {factor} what it should be{many}"
    fix = "d{array} = {line}    # without the factor {factor_alone}"
    rank = 6
    fitted = 1

    def __init__(self, layer: int, letter: str, factor: float) -> None:
        super().__init__(layer)
        self.letter, self.factor = letter, factor

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        exact = Calculation(case)
        found: list[Self] = []
        for l in case.layers:
            for letter in "wb":
                factor = factor_between(exact.array(f"{letter}{l}"), given.get(f"{letter}{l}"))
                if factor not in (None, 0, 1) and explains(factor, exact.array(f"{letter}{l}"), case):
                    found.append(cls(l, letter, factor))
        return found

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right() if self.letter == "w" else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right() if self.letter == "b" else right()

    def words(self, case: Case) -> dict[str, object]:
        l = self.layer or 1
        line = f"δ{l}.T @ a{l - 1} / {case.n}" if self.letter == "w" else f"δ{l}.sum(axis=0) / {case.n}"
        text = factor_text(self.factor, case)
        return {"array": f"{self.letter}{l}", "line": line, "factor": f"{text} ×", "factor_alone": text, "many": ""}


class StrayFactorOfLayer(Mistake):
    """δ of one layer has a factor too many, which the layers before inherit."""

    name = "stray-factor-in-delta"
    says = "δ{l} is {text} × what it should be, and all before it"
    fix = "δ{l} = dC_da{l} * σ′(z{l})    # without the factor {text}"
    rank = 7
    fitted = 1

    def __init__(self, layer: int, factor: float) -> None:
        super().__init__(layer)
        self.factor = factor

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        exact = Calculation(case)
        found: list[Self] = []
        for l in case.layers:
            factor = factor_between(exact.array(f"b{l}"), given.get(f"b{l}"))
            if factor not in (None, 0, 1) and explains(factor, exact.array(f"w{l}"), case):
                found.append(cls(l, factor))
        return found

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"text": factor_text(self.factor, case)}


class StrayFactorEverywhere(Mistake):
    """The whole gradient is a multiple of what it should be."""

    name = "stray-factor-everywhere"
    says = "the whole gradient is {text} × what it should be"
    fix = "without the factor {text}"
    rank = 7
    fitted = 1

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        factor = fitted_factor(Calculation(case), given)
        return [cls(factor)] if factor not in (None, 0, 1) and case.network.n_parameters > 3 else []

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"text": factor_text(self.factor, case)}
