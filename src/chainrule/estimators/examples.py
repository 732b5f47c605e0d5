"""Examples for an estimator: dense rows, or sparse ones that are made dense some at a time."""

# SciPy's sparse matrices have no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse
from scipy.special import xlogy

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.engines import engine

DENSE_AT_ONCE = 2**22
"""How many numbers of a sparse X are made dense at once, or one batch where that has more: 32 MiB of float64."""


@dataclass(frozen=True)
class Examples:
    """X (n, n_0), an array or a sparse matrix in CSR form, targets Y (n, n_L), weights (n,) or None."""

    X: Any
    Y: Array
    weights: Array | None

    def __len__(self) -> int:
        return len(self.Y)

    @property
    def weight(self) -> float:
        """How many examples there are, or the sum of their weights."""
        return float(len(self)) if self.weights is None else float(self.weights.sum(dtype=np.float64))

    @property
    def sparse(self) -> bool:
        """Whether X is a sparse matrix."""
        return issparse(self.X)

    def take(self, rows: Array | slice) -> "Examples":
        """These of the examples."""
        return Examples(self.X[rows], self.Y[rows], None if self.weights is None else self.weights[rows])

    def astype(self, dtype: np.dtype | type) -> "Examples":
        """The same with X and Y in another dtype."""
        return Examples(self.X.astype(dtype, copy=False), self.Y.astype(dtype, copy=False), self.weights)

    def dense(self) -> "Examples":
        """The same with X as an array."""
        return Examples(self.X.toarray(), self.Y, self.weights) if self.sparse else self

    def blocks(self) -> Iterator["Examples"]:
        """All of them, dense: at once, or a block of sparse rows after the other."""
        for rows in _blocks(self.X):
            yield self.take(rows).dense()


def too_large(examples: Examples) -> str:
    """Which of "X" and "y" has the larger numbers, to be named where something overflows."""
    return "y" if abs(examples.Y).max() > abs(examples.X).max() else "X"


def least_cost(cost: str, Y: Array) -> Array | None:
    """The cost of each example, (n,), were a = y; scikit-learn's loss is what lies above it. None where it is 0."""
    if cost != "poisson":
        return None
    Y = Y.astype(np.float64)
    return (Y - xlogy(Y, Y)).sum(axis=1)


def mean_cost(parameters: ParameterVector, examples: Examples) -> float:
    """scikit-learn's loss without the penalty: the mean of the examples' costs, by their weights."""
    network, cost = parameters.network, 0.0
    for block in examples.blocks():
        if block.weights is None:
            cost += len(block) * engine().data_cost(parameters, block.X, block.Y)
        elif block.weight > 0:
            plain = ParameterVector(replace(network, l1=0.0, l2=0.0), parameters.vector)
            cost += block.weight * engine().gradient(plain, block.X, block.Y, block.weights)[0]
    least = least_cost(network.cost, examples.Y)
    above = 0.0 if least is None else float(np.average(least, weights=examples.weights))
    return cost / examples.weight - above


def rows_at_once(X: Any, batch_size: int = 1) -> int:
    """How many rows of a sparse X to make dense at once, a whole number of batches."""
    return batch_size * max(1, DENSE_AT_ONCE // (batch_size * X.shape[1]))


def outputs(parameters: ParameterVector, X: Any) -> Array:
    """a⁽ᴸ⁾ for each row of X, an array or a sparse matrix in CSR form, (n, n_L) in the parameters' dtype."""
    predict = engine().predict
    blocks = [predict(parameters, X[rows].toarray() if issparse(X) else X[rows]) for rows in _blocks(X)]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def _blocks(X: Any) -> Iterator[slice]:
    n: int = X.shape[0]
    step = rows_at_once(X) if issparse(X) else n
    for i in range(0, n, step):
        yield slice(i, i + step)
