"""A constant factor where none belongs."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import factor_between, factor_of_all, factor_text, written
from chainrule.checking.mistake import Fitted, Given


class StrayFactor(Fitted):
    """One array is a multiple of what it should be."""

    name = "stray-factor"
    says = "d{array} is {factor} what it should be{many}"
    fix = "d{array} = {line}    # without the factor {factor_alone}"
    rank = 6

    def __init__(self, layer: int, letter: str, factor: float, fitted: int) -> None:
        super().__init__(layer)
        self.letter, self.factor, self.fitted = letter, factor, fitted

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        for l in so_far.case.layers:
            for letter in "wb":
                name = f"{letter}{l}"
                factor = factor_between(so_far.array(name), given.get(name), so_far.case)
                if factor not in (None, 0, 1):
                    yield cls(l, letter, factor, 0 if written(factor, so_far.case) else 1)

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right() if self.letter == "w" else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right() if self.letter == "b" else right()

    def words(self, case: Case) -> dict[str, object]:
        l = self.layer or 1
        line = f"δ{l}.T @ a{l - 1} / {case.n}" if self.letter == "w" else f"δ{l}.sum(axis=0) / {case.n}"
        text = factor_text(self.factor, case)
        return {"array": f"{self.letter}{l}", "line": line, "factor": f"{text} ×", "factor_alone": text, "many": ""}


class StrayFactorOfLayer(Fitted):
    """δ of one layer has a factor too many, which the layers before inherit."""

    name = "stray-factor-in-delta"
    says = "δ{l} is {text} × what it should be, and all before it"
    fix = "δ{l} = dC_da{l} * σ′(z{l})    # without the factor {text}"
    rank = 7

    def __init__(self, layer: int, factor: float, fitted: int) -> None:
        super().__init__(layer)
        self.factor, self.fitted = factor, fitted

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        for l in so_far.case.layers:
            factor = factor_between(so_far.array(f"b{l}"), given.get(f"b{l}"), so_far.case)
            if factor not in (None, 0, 1):
                yield cls(l, factor, 0 if written(factor, so_far.case) else 1)

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"text": factor_text(self.factor, case)}


class StrayFactorEverywhere(Fitted):
    """The whole gradient is a multiple of what it should be."""

    name = "stray-factor-everywhere"
    says = "the whole gradient is {text} × what it should be"
    fix = "without the factor {text}"
    rank = 7

    def __init__(self, factor: float, fitted: int) -> None:
        super().__init__()
        self.factor, self.fitted = factor, fitted

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        factor = factor_of_all(so_far, given)
        if factor not in (None, 0, 1):
            yield cls(factor, 0 if written(factor, so_far.case) else 1)

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"text": factor_text(self.factor, case)}
