"""A gradient that was not set to zero."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.factors import factor_between
from chainrule.checking.mistake import Fitted, Given, Mistake


class Accumulated(Mistake):
    """An earlier gradient was not set to zero: this one was added to it, in all arrays or in one."""

    name = "accumulated"
    says = "an earlier gradient is still in it: {yours} is {right} + the earlier one that was given"
    fix = "{dw};  {db}    # =, not +=: zero the gradient before each batch"
    rank = 1

    earlier: ParameterVector
    letters: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        where = [(None, "wb"), *((l, letters) for l in case.layers for letters in ("wb", "w", "b"))]
        return [] if case.earlier is None else [cls(l, case.earlier, letters) for l, letters in where]

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() + self.earlier.w[l] if "w" in self.letters else right()

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() + self.earlier.b[l] if "b" in self.letters else right()

    def words(self, case: Case) -> dict[str, object]:
        if self.layer is None:
            return {"yours": "yours", "right": "∇C"}
        return {"yours": " and ".join(f"d{letter}{self.layer}" for letter in self.letters), "right": "the right one"}


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


class Momentum(Fitted):
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
        return 0 if float(f"{self.β:.2g}") == self.β else 1

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
                yield cls(None, earlier, _chosen(β), mean)

    def w(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self._velocity(self.earlier.w[l], right())

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        return self._velocity(self.earlier.b[l], right())

    def _velocity(self, earlier: Array, right: Array) -> Array:
        return self.β * earlier + ((1 - self.β) * right if self.mean else right)

    def words(self, case: Case) -> dict[str, object]:
        return {"own": f"{1 - self.β:.6g} × " if self.mean else ""}


def _chosen(β: float) -> float:
    """With two digits, where it has no more but for rounding."""
    short = float(f"{β:.2g}")
    return short if abs(β - short) <= 1e-9 * abs(β) else β
