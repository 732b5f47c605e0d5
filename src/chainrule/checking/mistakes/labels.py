"""Targets that do not belong to their examples."""

from collections.abc import Iterable
from itertools import combinations, islice
from typing import ClassVar, Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class LabelsShifted(Mistake):
    """Each example has the target of its neighbour."""

    name = "labels-shifted"
    says = "each example was compared with the target of the one {where}"
    fix = "X and Y are sliced and shuffled together: X[i] belongs to Y[i]"
    rank = 2

    by: int

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None, by) for by in (1, -1) if case.n > 1]

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.roll(right(), self.by, axis=0)

    def words(self, case: Case) -> dict[str, object]:
        return {"where": "before it" if self.by > 0 else "after it"}


class LabelsReversed(Mistake):
    """The targets are in the opposite order of the examples."""

    name = "labels-permuted"
    says = "the targets were taken in the opposite order of the examples"
    fix = "X and Y are sorted and shuffled together: X[i] belongs to Y[i]"
    rank = 3

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return [cls(None)] if case.n > 1 else []

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right()[::-1]


class ClassesPermuted(Mistake):
    """The outputs are compared with the targets of other outputs, as with labels that count from 1."""

    name = "classes-permuted"
    says = "the outputs were compared with the targets of other outputs: output j with target {order}[j]"
    fix = "the same order of classes in Y and in the outputs, counted from 0"
    rank = 3
    MOST: ClassVar[int] = 64
    order: tuple[int, ...]

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        same = tuple(range(case.sizes[-1]))
        orders = [same[1:] + same[:1], same[-1:] + same[:-1], same[::-1]]
        for i, j in islice(combinations(same, 2), cls.MOST):
            swapped = list(same)
            swapped[i], swapped[j] = j, i
            orders.append(tuple(swapped))
        return [cls(None, order) for order in dict.fromkeys(orders) if order != same]

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right()[:, list(self.order)]


class LabelsNotOneHot(Mistake):
    """The number of the class is subtracted from every output, since the labels were not made one-hot."""

    name = "labels-not-one-hot"
    says = "the number of the class (counted from {first}) was subtracted from every output: the labels are not one-hot"
    fix = "Y = np.eye({n_L})[labels];  {δ}"
    rank = 1

    first: int

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        one_hot = case.sizes[-1] > 1 and bool(((case.Y == 0) | (case.Y == 1)).all() and (case.Y.sum(axis=1) == 1).all())
        return [cls(None, first) for first in (0, 1)] if one_hot else []

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        y = right()
        return np.broadcast_to(y.argmax(axis=1)[:, None] + float(self.first), y.shape)

    def δ(self, calculation: Calculation, l: int, right: Step) -> Array:
        case = calculation.case
        # with cross-entropy a − y is what people write
        if l == case.L and case.network.C.canonical == case.network.activation[-1]:
            return case.trace.a[l] - calculation.targets()
        return right()

    def words(self, case: Case) -> dict[str, object]:
        return {"n_L": case.sizes[-1]}
