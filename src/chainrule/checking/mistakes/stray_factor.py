"""A constant factor where none belongs."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import factor_between, factor_of_all, factor_text, written
from chainrule.checking.mistake import Fitted, Given, OfArrays
from chainrule.checking.right_line import line_of


class _Factor(Fitted):
    """A factor, and whether it is one that people write."""

    factor: float
    usual: bool

    @property
    def fitted(self) -> int:
        """A factor such as 2 or 1/n is not read off."""
        return 0 if self.usual else 1


class StrayFactor(_Factor, OfArrays):
    """One array is a multiple of what it should be."""

    name = "stray-factor"
    says = "d{array} is {text} × what it should be"
    fix = "{line}    # without the factor {text}"
    rank = 6

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        for l in so_far.case.layers:
            for letter in "wb":
                name = f"{letter}{l}"
                factor = factor_between(so_far.array(name), given.get(name), so_far.case)
                if factor not in (None, 0, 1):
                    yield cls(l, letter, factor, written(factor, so_far.case))

    def made(self, case: Case, name: str, right: Array) -> Array:
        return self.factor * right

    def words(self, case: Case) -> dict[str, object]:
        array = f"{self.letters}{self.layer}"
        return {"array": array, "line": line_of(array, case), "text": factor_text(self.factor, case)}


class StrayFactorOfLayer(_Factor):
    """δ of one layer has a factor too many, which the layers before inherit."""

    name = "stray-factor-in-delta"
    says = "δ{l} is {text} × what it should be, and all before it"
    fix = "{δ}    # without the factor {text}"
    rank = 7

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        for l in so_far.case.layers:
            factor = factor_between(so_far.array(f"b{l}"), given.get(f"b{l}"), so_far.case)
            if factor not in (None, 0, 1):
                yield cls(l, factor, written(factor, so_far.case))

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.factor * right()

    def words(self, case: Case) -> dict[str, object]:
        return {"text": factor_text(self.factor, case)}


class StrayFactorEverywhere(_Factor, OfArrays):
    """The whole gradient is a multiple of what it should be."""

    name = "stray-factor-everywhere"
    says = "the whole gradient is {text} × what it should be{step}"
    fix = "{dw};  {db}    # without the factor {text}"
    rank = 7

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        factor = factor_of_all(so_far, given)
        if factor not in (None, 0, 1):
            yield cls(None, "wb", factor, written(factor, so_far.case))

    def made(self, case: Case, name: str, right: Array) -> Array:
        return self.factor * right

    def words(self, case: Case) -> dict[str, object]:
        step = f": the step −lr·∂C/∂p with lr = {-self.factor:.6g}?" if self.factor < 0 else ""
        return {"text": factor_text(self.factor, case), "step": step}
