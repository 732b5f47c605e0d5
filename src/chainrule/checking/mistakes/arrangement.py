"""Right numbers in the wrong places."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class TransposedResult(Mistake):
    """The result is transposed."""

    name = "transposed-result"
    says = "dw{l} is transposed: its entry [j, k] is ∂C/∂w{l}[k, j]"
    fix = "{dw}    # of the shape of w{l}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(case.layers, case)

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right().T


class ColumnMajor(Mistake):
    """The numbers are right but were flattened column by column and read row by row."""

    name = "column-major"
    says = "dw{l} was flattened column by column (order='F') and read row by row"
    fix = "{dw};  dw{l}.ravel()    # order='C', as in the article"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(case.layers, case)

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        right_ = right()
        return right_.ravel(order="F").reshape(right_.shape)
