"""Weights that were updated too early."""

from collections.abc import Iterable
from typing import Self

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation, Step
from chainrule.checking.factors import factor_between
from chainrule.checking.mistake import Fitted, Given


class UpdatedWeights(Fitted):
    """δ goes back through weights that have been updated already. (So did a well-known worked example.)"""

    name = "updated-weights"
    says = "δ went back through weights that had been updated already, with a learning rate of {lr:.6g}"
    fix = "every ∂C/∂w first; then w −= lr·∂C/∂w in all layers"
    rank = 1

    lr: float

    @classmethod
    def fits(cls, so_far: Calculation, given: Given) -> Iterable[Self]:
        """∂C/∂w of layer L − 1 is linear in the rate."""
        name = f"w{so_far.case.L - 1}"
        if so_far.case.L == 1 or name not in given or given[name].shape != so_far.array(name).shape:
            return []
        by_one = so_far.but(cls(None, 1.0)).array(name) - so_far.array(name)
        lr = factor_between(by_one, given[name] - so_far.array(name), so_far.case)
        return [cls(None, lr)] if lr and 0 < lr < np.inf else []

    def weight(self, calculation: Calculation, l: int, right: Step) -> Array:
        return right() - self.lr * calculation.w(l)
