"""Targets that do not belong to their examples."""

from abc import abstractmethod
from collections.abc import Iterable
from itertools import combinations, islice
from typing import ClassVar, Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Given, Mistake


def subtracts(case: Case, l: int) -> bool:
    """Whether a − y is what people write for δ of the layer, whatever y is."""
    return l == case.L and case.network.C.canonical == case.network.activation[-1]


def difference(calculation: Calculation) -> Array:
    """a − y of the last layer."""
    return calculation.case.trace.a[calculation.case.L] - calculation.targets()


class LabelsShifted(Mistake):
    """Each example has the target of its neighbour, or of the next but one."""

    name = "labels-shifted"
    says = "each example was compared with the target of the {where}"
    fix = "X and Y are sliced and shuffled together: X[i] belongs to Y[i]"
    rank = 2

    by: int

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        by_shift = {by % case.n: by for by in (-2, 2, -1, 1)}  # of three, two after is one before
        return [cls(None, by) for shift, by in reversed(by_shift.items()) if shift]

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return np.roll(right(), self.by, axis=0)

    def words(self, case: Case) -> dict[str, object]:
        where = "before it" if self.by > 0 else "after it"
        return {"where": f"one {where}" if abs(self.by) == 1 else f"second {where}"}


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


class _OtherTargets(Fitted):
    """Examples have targets of other examples, found by ∂C/∂w and ∂C/∂b of the last layer."""

    fix = "X and Y are sorted and shuffled together: X[i] belongs to Y[i]"
    MOST: ClassVar[int] = 64
    """Of more examples each with each target is too much to compare."""

    order: tuple[int, ...]
    """Example i has the target of example order[i]."""

    @property
    def fitted(self) -> int:
        """An order, no number."""
        return 0

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        L, n = so_far.case.L, so_far.case.n
        w, b = given.get(f"w{L}"), given.get(f"b{L}")
        fit = w is not None and b is not None and w.shape == so_far.w(L).shape and b.shape == so_far.b(L).shape
        if w is None or b is None or not fit or not 1 < n <= cls.MOST:
            return
        order = cls.found(so_far, np.column_stack([w - so_far.penalty(L), b]))
        if order is not None and order != tuple(range(n)):
            yield cls(None, order)

    @classmethod
    @abstractmethod
    def found(cls, so_far: Calculation, sums: Array) -> tuple[int, ...] | None:
        """The order that fits best, by Σ share·δ·(a, 1) of the last layer, (n_L, n_{L−1} + 1)."""

    @staticmethod
    def of_each(so_far: Calculation) -> Array:
        """share·δ of the last layer for example i with target j, (n, n, n_L)."""
        case, n = so_far.case, so_far.case.n
        z, y = np.repeat(case.trace.z[case.L], n, axis=0), np.tile(so_far.targets(), (n, 1))
        δ = case.network.C.delta(z, y, case.network.σ(case.L))
        return so_far.shares(case.L)[:, None, None] * δ.reshape(n, n, -1)

    @staticmethod
    def came_in(so_far: Calculation) -> Array:
        """(a, 1) of what came into the last layer, (n, n_{L−1} + 1)."""
        return np.column_stack([so_far.activation(so_far.case.L), np.ones(so_far.case.n)])

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right()[list(self.order)]


class LabelsSwapped(_OtherTargets):
    """Two examples have each other's target."""

    name = "labels-swapped"
    says = "examples {i} and {j} have each other's target"
    rank = 3

    @classmethod
    def found(cls, so_far: Calculation, sums: Array) -> tuple[int, ...] | None:
        """By the pair for which what changes is nearest to what is off."""
        each, a, n = cls.of_each(so_far), cls.came_in(so_far), so_far.case.n
        own = each[np.arange(n), np.arange(n)]
        off, u = sums - own.T @ a, each - own[:, None]
        along = np.einsum("ijk,ik->ij", u, a @ off.T)
        crossed = np.einsum("ijk,jik->ij", u, u) * (a @ a.T)
        size = (u * u).sum(axis=2) * (a * a).sum(axis=1)[:, None]
        far = size + size.T + 2 * crossed - 2 * (along + along.T)
        far[np.tril_indices(n)] = np.inf
        i, j = np.unravel_index(int(far.argmin()), far.shape)
        order = list(range(n))
        order[i], order[j] = order[j], order[i]
        return tuple(order)

    def words(self, case: Case) -> dict[str, object]:
        i, j = (at for at, of in enumerate(self.order) if at != of)
        return {"i": i, "j": j}


class LabelsShuffled(_OtherTargets):
    """The targets are in another order than the examples. It is found for no more examples than the last layer has
    parameters a neuron: so many δ follow from its ∂C/∂w and ∂C/∂b."""

    name = "labels-shuffled"
    says = "the targets are in another order than the examples: they have those of {order}"
    rank = 4

    @classmethod
    def found(cls, so_far: Calculation, sums: Array) -> tuple[int, ...] | None:
        a = cls.came_in(so_far)
        if len(a) > a.shape[1] or np.linalg.matrix_rank(a) < len(a):
            return None
        δ = (sums @ np.linalg.pinv(a)).T
        order = np.abs(cls.of_each(so_far) - δ[:, None]).max(axis=2).argmin(axis=1)
        y = so_far.targets()
        same = np.array_equal(y[np.lexsort(y.T)], y[order][np.lexsort(y[order].T)])
        return tuple(order.tolist()) if same else None

    def words(self, case: Case) -> dict[str, object]:
        return {"order": ", ".join(map(str, self.order))}


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


class LabelsInverted(Mistake):
    """0 and 1 change places in the targets: 1 − y."""

    name = "labels-inverted"
    says = "the targets were taken the wrong way round: 1 − y for y"
    fix = "y is 1 for what the output stands for, 0 for what it does not"
    rank = 2

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        # of two classes of a softmax it is another order of the classes, of more no targets
        elementwise = case.network.σ(case.L).elementwise
        return [cls(None)] if elementwise and bool(((case.Y == 0) | (case.Y == 1)).all()) else []

    def targets(self, calculation: Calculation, l: int, right: Step) -> Array:
        return 1 - right()


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
        return difference(calculation) if subtracts(calculation.case, l) else right()

    def words(self, case: Case) -> dict[str, object]:
        return {"n_L": case.sizes[-1]}
