"""The mean over the examples: left out, twice, or over the outputs too."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class MeanMissing(Mistake):
    """The sum over the examples is not divided by their number."""

    name = "mean-missing"
    says = "the sum over the {n} examples was not divided by {n}{in_arrays}"
    fix = "{dw};  {db}"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.anywhere(case) if case.n > 1 else []

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() * calculation.case.n


class MeanSquared(Mistake):
    """The sum over the examples is divided by their number twice."""

    name = "mean-squared"
    says = "the sum over the {n} examples was divided by {n} twice{in_arrays}"
    fix = "{dw};  {db}    # once"
    rank = 0

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.anywhere(case) if case.n > 1 else []

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() / calculation.case.n


class MeanOverOutputs(Mistake):
    """The mean is over all entries, examples and outputs, as a library's mean is by default."""

    name = "mean-over-outputs"
    says = "divided by {n}·{n_L}, the examples times the outputs, as np.mean of all entries does"
    fix = "{dw};  {db}    # C is a sum over the {n_L} outputs and a mean over the examples"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)] if case.sizes[-1] > 1 else []

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() / calculation.case.sizes[-1]

    def words(self, case: Case) -> dict[str, object]:
        return {"n_L": case.sizes[-1]}
