"""The transpose of w on the way back."""

from collections.abc import Iterable
from typing import Self

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class TransposedWeight(Mistake):
    """δ of layer l goes back through w where wᵀ is meant, which a square w lets pass."""

    name = "transposed-weight"
    says = "δ{l} went back through the transpose of w{l}"
    fix = "dC_da{before} = δ{l} @ w{l}    # (n, {n_out}) @ ({n_out}, {n_in}): ∂C/∂a_k = Σ_j w_jk δ_j"
    rank = 1

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        return cls.in_each([l for l in case.layers[1:] if case.sizes[l] == case.sizes[l - 1]], case)

    def weight(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right().T
