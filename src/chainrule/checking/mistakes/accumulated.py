"""A gradient that was not set to zero."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.factors import chosen, factor_between, is_chosen
from chainrule.checking.mistake import Fitted, Given, OfArrays


class Accumulated(OfArrays):
    """An earlier gradient was not set to zero: this one was added to it, in all arrays or in one."""

    name = "accumulated"
    says = "an earlier gradient is still in {which}: yours is the right one + the earlier one that was given"
    fix = "{lines}    # =, not +=: zero the gradient before each batch"
    rank = 1

    earlier: ParameterVector

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        if case.earlier is None:
            return []
        return [*cls.in_arrays(case, case.earlier), *(cls(l, "wb", case.earlier) for l in case.layers)]

    def made(self, case: Case, name: str, right: Array) -> Array:
        return right + self.earlier.arrays()[name]


class AccumulatedTwice(OfArrays):
    """The same batch was added twice: the gradient was not set to zero between two passes."""

    name = "accumulated-twice"
    says = "the gradient was added to itself {times} times: it was not set to zero before the pass was repeated"
    fix = "{lines}    # =, not +=: zero the gradient before each pass"
    rank = 4

    times: int

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, "wb", times) for times in (2, 3)]

    def made(self, case: Case, name: str, right: Array) -> Array:
        return self.times * right


class Momentum(Fitted, OfArrays):
    """The velocity of a method with momentum was handed in: an earlier gradient is in it, with a factor."""

    name = "momentum"
    says = "this is {β:.6g} × the earlier gradient that was given + {own}the right one: a velocity, no gradient"
    fix = "{dw};  {db}    # before the momentum"
    rank = 2

    earlier: ParameterVector
    β: float
    mean: bool
    """Whether the other part has the factor 1 − β."""

    @property
    def fitted(self) -> int:
        """0.9 is a number that people choose."""
        return 0 if is_chosen(self.β) else 1

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        """By the biases of the last layer."""
        earlier, last = so_far.case.earlier, f"b{so_far.case.L}"
        if earlier is None or last not in given or given[last].shape != so_far.array(last).shape:
            return
        right = so_far.array(last)
        for mean in (False, True):
            by_one = earlier.b[so_far.case.L] - (right if mean else 0)
            β = factor_between(by_one, given[last] - right, so_far.case)
            if β not in (None, 0, 1):
                yield cls(None, "wb", earlier, chosen(β), mean)

    def made(self, case: Case, name: str, right: Array) -> Array:
        return self.β * self.earlier.arrays()[name] + ((1 - self.β) * right if self.mean else right)

    def words(self, case: Case) -> dict[str, object]:
        return {"own": f"{1 - self.β:.6g} × " if self.mean else ""}
