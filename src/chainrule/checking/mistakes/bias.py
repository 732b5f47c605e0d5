"""The sum over the examples that makes a bias's gradient."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class BiasSummed(Mistake):
    """The biases' gradient is a sum over the examples where the weights' is a mean."""

    name = "bias-summed"
    says = "db{l} is a sum over the {n} examples, not a mean"
    fix = "{db}"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each(case.layers, case) if case.n > 1 else []

    def bias_shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() * calculation.case.n


class BiasOverWrongAxis(Mistake):
    """δ is summed over the neurons, not over the examples."""

    name = "bias-over-wrong-axis"
    says = "db{l} sums δ{l} over the neurons, not over the examples: a number for each example"
    fix = "{db}    # δ{l} is (examples, neurons)"
    rank = 1

    form: str

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [m for form in ("shared", "sum", "mean") for m in cls.in_each(case.layers, case, form)]

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        δ = calculation.δ(l)
        if self.form == "mean":
            return δ.mean(axis=1)
        return (δ if self.form == "sum" else calculation.bias_shares(l)[:, None] * δ).sum(axis=1)


class BiasBroadcast(Mistake):
    """δ is not summed over the examples at all: what NumPy broadcast on the way forward was not summed on the way
    back."""

    name = "bias-not-summed"
    says = "db{l} still has numbers for each example: what was broadcast on the way forward is summed on the way back"
    fix = "{db}"
    rank = 1

    shared: bool
    columns: bool

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        forms = [(shared, columns) for shared in (True, False) for columns in (False, True)]
        return [m for form in forms for m in cls.in_each(case.layers, case, *form)] if case.n > 1 else []

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        δ = calculation.δ(l)
        each = calculation.bias_shares(l)[:, None] * δ if self.shared else δ
        return each.T if self.columns else each


class BiasSummedOverAll(Mistake):
    """δ is summed over the neurons besides: one number for all biases of a layer."""

    name = "bias-summed-over-all"
    says = "db{l} is one number for all {n_out} neurons: δ{l} was summed over the neurons, too"
    fix = "{db}"
    rank = 1

    form: str
    shape: tuple[int, ...] | None
    """That of one number; None where each neuron got it."""

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        several = [l for l in case.layers if case.sizes[l] > 1]
        arrays = {l: given.get(f"b{l}", case.p.b[l]) for l in several}
        shapes = {l: b.shape if b.size == 1 else None for l, b in arrays.items()}
        forms = ("sum", "mean", "not shared")
        return [
            m for form in forms for shape in dict.fromkeys(shapes.values())
            for m in cls.in_each(several, case, form, shape)
            if all(shapes[l] == shape for l in m.among or (m.at(case),))
        ]  # fmt: skip

    def b(self, calculation: Calculation, l: int, right: Step) -> Array:
        total = calculation.δ(l).sum() if self.form == "not shared" else right().sum()
        size = calculation.case.sizes[l]
        shape = (size,) if self.shape is None else self.shape
        return np.full(shape, total / size if self.form == "mean" else total)
