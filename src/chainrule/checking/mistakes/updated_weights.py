"""Weights that were updated too early."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, Mistake


class UpdatedWeights(Mistake):
    """δ goes back through weights that have been updated already. (So did a well-known worked example.)"""

    name = "updated-weights"
    says = "δ went back through weights that had been updated already, with a learning rate of {lr:.6g}"
    fix = "every ∂C/∂w first; then w −= lr·∂C/∂w in all layers"
    rank = 1
    fitted = 1

    def __init__(self, lr: float) -> None:
        super().__init__()
        self.lr = lr

    @classmethod
    def sites(cls, case: Case, given: Given) -> Iterable[Self]:
        lr = cls._rate(case, given)
        return [cls(lr)] if lr is not None and np.isfinite(lr) and lr != 0 else []

    @staticmethod
    def _rate(case: Case, given: Given) -> float | None:
        """∂C/∂w of layer L − 1 is linear in the rate: what fits best."""
        l = case.L - 1
        if l < 1 or f"w{l}" not in given or given[f"w{l}"].shape != case.p.w[l].shape:
            return None
        at = [Calculation(case, [UpdatedWeights(lr)]).array(f"w{l}") for lr in (0.0, 1.0)]
        direction, off = (at[1] - at[0]).ravel(), (given[f"w{l}"] - at[0]).ravel()
        size = float(direction @ direction)
        return float(direction @ off) / size if size > 0 else None

    def weight(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() - self.lr * calculation.w(l)

    def words(self, case: Case) -> dict[str, object]:
        return {"lr": self.lr}
