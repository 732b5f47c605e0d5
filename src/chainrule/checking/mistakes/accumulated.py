"""A gradient that was not set to zero."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class Accumulated(Mistake):
    """An earlier gradient was not set to zero: this one was added to it."""

    name = "accumulated"
    says = "an earlier gradient is still in it: yours is ∇C + the earlier one that was given"
    fix = "{dw}    # =, not +=: zero the gradient before each batch"
    rank = 1

    earlier: ParameterVector

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [] if case.earlier is None else [cls(None, case.earlier)]

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() + self.earlier.w[l]

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() + self.earlier.b[l]


class AccumulatedTwice(Mistake):
    """The same batch was added twice: the gradient was not set to zero between two passes."""

    name = "accumulated-twice"
    says = "the gradient was added to itself {times} times: it was not set to zero before the pass was repeated"
    fix = "{dw}    # =, not +=: zero the gradient before each pass"
    rank = 4

    times: int

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, times) for times in (2, 3)]

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.times * right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self.times * right()
