"""Not every example in the sum, once."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Given


class _OfOneExample(Fitted):
    """What is special about one example i."""

    fix = "{dw};  {db}    # over all examples, once"
    rank = 2

    i: int

    @property
    def fitted(self) -> int:
        """One of the examples, no number."""
        return 0


class OneExample(_OfOneExample):
    """Only one example is in it: each overwrote the one before, where they should have been added."""

    name = "one-example"
    says = "this is the gradient of example {i} alone{scale}: overwritten, not added up"

    mean: bool

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        n, last = so_far.case.n, f"b{so_far.case.L}"
        if n == 1 or last not in given or given[last].shape != so_far.array(last).shape:
            return
        for mean in (False, True):
            each = so_far.δ(so_far.case.L) * (so_far.shares(so_far.case.L)[:, None] if mean else 1)
            yield cls(None, int(np.abs(each - given[last]).max(axis=1).argmin()), mean)

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        share = np.zeros_like(right())
        share[self.i] = right()[self.i] if self.mean else 1
        return share

    def words(self, case: Case) -> dict[str, object]:
        return {"scale": f" divided by {case.n}" if self.mean else ""}


class _Counted(_OfOneExample):
    """One example counts ``TIMES`` times."""

    TIMES = 1

    renormalised: bool
    """Whether the shares add up to 1 nevertheless."""

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        """By ∂C/∂w and ∂C/∂b of the last layer."""
        L = so_far.case.L
        w, b = given.get(f"w{L}"), given.get(f"b{L}")
        if so_far.case.n == 1 or w is None or b is None or (w.shape, b.shape) != (so_far.w(L).shape, so_far.b(L).shape):
            return
        share, a = so_far.shares(L), np.column_stack([so_far.activation(L), np.ones(so_far.case.n)])
        each = share[:, None] * so_far.δ(L)
        sums, more = np.column_stack([w - so_far.penalty(L), b]), cls.TIMES - 1
        off = sums - each.T @ a
        for renormalised in (False, True):
            t = more * share if renormalised else np.zeros_like(share)
            # |off + t·sums − more·each ⊗ a|² of each example
            size = (off * off).sum() + 2 * t * (off * sums).sum() + t * t * (sums * sums).sum()
            along = (each * (a @ off.T + t[:, None] * (a @ sums.T))).sum(axis=1)
            far = size - 2 * more * along + more**2 * (each * each).sum(axis=1) * (a * a).sum(axis=1)
            yield cls(None, int(far.argmin()), renormalised)

    def shares(self, calculation: Calculation, l: int, right: Step) -> Array:
        share = right().copy()
        share[self.i] *= self.TIMES
        return share / share.sum() * right().sum() if self.renormalised else share


class ExampleLeftOut(_Counted):
    """One example is not in it, as where a loop ends one too early."""

    name = "example-left-out"
    says = "example {i} is not in it{scale}"
    TIMES = 0

    def words(self, case: Case) -> dict[str, object]:
        return {"scale": "" if self.renormalised else ", but counted in the division"}


class ExampleTwice(_Counted):
    """One example is in it twice, as where batches overlap."""

    name = "example-twice"
    says = "example {i} is in it twice{scale}"
    TIMES = 2

    def words(self, case: Case) -> dict[str, object]:
        return {"scale": " and counted twice in the division" if self.renormalised else ""}
