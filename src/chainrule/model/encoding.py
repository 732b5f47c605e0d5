"""How raw columns become the numbers of layer 0 and the targets y, and how outputs become predictions again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import listed, shown
from chainrule.data.table import Table, drop, punctuation_hint
from chainrule.errors import DataError

MAX_CATEGORIES = 20
"""The most different texts an input column may hold and still become one-hot inputs."""

MAX_INTEGER_CLASSES = 20
"""The most different whole numbers a target column may hold and still be taken for classes."""


@dataclass(frozen=True)
class InputColumn:
    """A column of numbers, or of texts with the values that it may take."""

    name: str
    values: tuple[str, ...] | None = None

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs x[k] that it becomes."""
        return [self.name] if self.values is None else [f"{self.name}={value}" for value in self.values]


@dataclass(frozen=True)
class Inputs:
    """The input columns in order, with the scaling a0 = (x − mean)/scale; ``mean`` and ``scale`` are (n_0,)."""

    columns: tuple[InputColumn, ...]
    mean: Array
    scale: Array

    @property
    def names(self) -> list[str]:
        """What each x[k] is."""
        return [name for column in self.columns for name in column.inputs]

    @classmethod
    def learn(cls, table: Table, names: Sequence[str], rows: Array, standardise: bool) -> "Inputs":
        """Kinds and categories from the whole table; mean and scale from ``rows`` alone, so that no test row leaks.

        One-hot inputs stay 0 and 1, and a column that is constant over the rows gets scale 1: it enters as 0.
        """
        columns = tuple(_input_column(table, name) for name in names)
        n_0 = sum(len(column.inputs) for column in columns)
        unscaled = cls(columns, np.zeros(n_0), np.ones(n_0))
        if not standardise:
            return unscaled
        X = unscaled.encode(table)[rows]
        numeric = np.array([column.values is None for column in columns for _ in column.inputs])
        mean, scale = centre_and_spread(table, unscaled.names, X)
        return cls(columns, np.where(numeric, mean, 0.0), np.where(numeric, scale, 1.0))

    def encode(self, table: Table) -> Array:
        """The raw input x of every row, (rows, n_0) of float64, before scaling; DataError names the cell."""
        X = np.empty((table.n_rows, len(self.mean)))
        k = 0
        for column in self.columns:
            if column.values is None:
                X[:, k] = table.numbers(column.name)
            else:
                X[:, k : k + len(column.values)] = one_hot(table, column.name, column.values)
            k += len(column.inputs)
        return X

    def scaled(self, X: Array) -> Array:
        """a0 = (x − mean)/scale."""
        return (X - self.mean) / self.scale


@dataclass(frozen=True)
class Target:
    """What the outputs mean: one of ``classes``, or the numbers of ``columns`` as mean + scale·a.

    ``class_weights`` (classes,) is how much an example of each class counts in C, or None.
    """

    columns: tuple[str, ...]
    classes: tuple[str, ...] | None
    mean: Array
    scale: Array
    class_weights: Array | None = None

    @classmethod
    def learn(cls, table: Table, columns: Sequence[str], task: str, rows: Array, standardise: bool) -> "Target":
        """Classes or numbers, by ``task`` ("auto", "classes" or "numbers"); mean and scale from ``rows`` alone."""
        names = list(columns)
        for name in names:
            if missing := table.missing_rows(name):
                mend = "Fill or remove such rows: a target has to be known to train on it"
                raise table.missing(missing[0], name, len(missing), mend)
        if task == "auto":
            task = "classes" if len(names) == 1 and _looks_like_classes(table, names[0]) else "numbers"
        if task == "numbers":
            Y = np.stack([table.numbers(name) for name in names], axis=1)
            mean, scale = (
                centre_and_spread(table, names, Y[rows]) if standardise else (np.zeros(len(names)), np.ones(len(names)))
            )
            return cls(tuple(names), None, mean, scale)
        if len(names) != 1:
            raise DataError(f"{table.source}: classes come from one target column, not from {len(names)}")
        texts = table.texts(names[0])
        classes = _sorted_values(texts)
        if len(classes) < 2:
            raise DataError(
                f"{table.source}: target {names[0]!r} holds one class only, {shown(*classes)}; two are needed"
            )
        if len(classes) * 2 > len(texts) and len(classes) > MAX_CATEGORIES:
            raise DataError(
                f"{table.source}: target {names[0]!r} holds {len(classes)} different texts in {len(texts)} rows; "
                f"that is a name, not a class{punctuation_hint(classes)}. Choose another target"
            )
        return cls(tuple(names), classes, np.zeros(0), np.ones(0))

    def encode(self, table: Table, n_outputs: int) -> Array:
        """Y (rows, n_outputs): one-hot, or 0 and 1 for two classes with one output, or scaled numbers."""
        if self.classes is None:
            return (np.stack([table.numbers(name) for name in self.columns], axis=1) - self.mean) / self.scale
        Y = one_hot(table, self.columns[0], self.classes)
        return Y if n_outputs > 1 else Y[:, 1:]

    def present_in(self, table: Table) -> bool:
        """Whether the table has every target column."""
        return all(name in table.columns for name in self.columns)

    def unknown_rows(self, table: Table) -> int:
        """In how many rows a target column has no value; all of them where the table has no such column."""
        if not self.present_in(table):
            return table.n_rows
        return len({row for name in self.columns for row in table.missing_rows(name)})

    def output_name(self, j: int, n_outputs: int) -> str:
        """What output j of so many stands for; a single one for two classes stands for the second."""
        if self.classes is None:
            return self.columns[j]
        return f"{self.columns[0]} = {self.classes[1 if n_outputs == 1 else j]}"

    def predictions(self, a: Array) -> list[Any]:
        """From outputs (rows, n_L) to class names, numbers, or lists of numbers where there are several targets."""
        if self.classes is not None:
            return [self.classes[j] for j in self.class_indices(a).tolist()]
        values = self.mean + self.scale * a
        return values[:, 0].tolist() if len(self.columns) == 1 else values.tolist()

    def probabilities(self, a: Array, activation: str) -> Array | None:
        """Each class's probability (rows, classes); None for numbers, or outputs that are not probabilities.

        Several sigmoid outputs are trained one by one; they are divided by their sum.
        """
        if self.classes is None or activation not in ("softmax", "sigmoid"):
            return None
        if a.shape[1] == 1:
            return np.concatenate([1 - a, a], axis=1)
        if activation == "softmax":
            return a
        total = a.sum(axis=1, keepdims=True)
        return np.where(total > 0, a / np.where(total > 0, total, 1), 1 / a.shape[1])

    def score(self, a: Array, Y: Array) -> float:
        """The share of right classes, or R² = 1 − Σ(prediction − y)²/Σ(y − mean y)² averaged over the targets."""
        if self.classes is not None:
            right: Array = self.class_indices(a) == self.class_indices(Y)
            return float(right.mean())
        residuals, spreads = _column_sums((a - Y) ** 2), _column_sums((Y - Y.mean(axis=0)) ** 2)
        each = [1 - r / s if s else float(r == 0) for r, s in zip(residuals, spreads, strict=True)]
        return sum(each) / len(each)

    def weights(self, Y: Array) -> Array | None:
        """How much each example counts by its class, (rows,), given targets (rows, n_L); None where all the same."""
        return None if self.class_weights is None else self.class_weights[self.class_indices(Y)]

    @staticmethod
    def class_indices(a: Array) -> Array:
        """Which class each row of outputs or targets says, (rows,)."""
        return a.argmax(axis=1) if a.shape[1] > 1 else (a[:, 0] > 0.5).astype(np.intp)


def _column_sums(squares: Array) -> list[float]:
    return [float(column.sum()) for column in squares.T]


def one_hot(table: Table, name: str, values: tuple[str, ...]) -> Array:
    """A text column as (rows, values) of 0 and 1; DataError for a value that is not among them."""
    index = {value: j for j, value in enumerate(values)}
    hot = np.zeros((table.n_rows, len(values)))
    for row, text in enumerate(table.texts(name)):
        j = index.get(text)
        if j is None:
            what = f"{shown(text)} is not one of the values the model knows: {listed(values)}"
            raise table.fail(row, name, f"{what}. Change or remove such rows, or train again on data that has it")
        hot[row, j] = 1
    return hot


def centre_and_spread(table: Table, names: Sequence[str], X: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column of X; 1 in place of a deviation that is no more than rounding."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean: Array = X.mean(axis=0)
        spread: Array = X.std(axis=0)
    for k in np.flatnonzero(~(np.isfinite(mean) & np.isfinite(spread))):
        raise DataError(
            f"{table.source}: the numbers of column {shown(names[int(k)])} are too large to average; scale them"
        )
    constant: Array = spread <= len(X) * np.finfo(np.float64).eps * np.abs(mean)
    return mean, np.where(constant, 1.0, spread)


def _input_column(table: Table, name: str) -> InputColumn:
    if not table.is_text(name):
        table.numbers(name)
        return InputColumn(name)
    values = _sorted_values(table.texts(name))
    if len(values) > MAX_CATEGORIES:
        raise DataError(
            f"{table.source}: column {name!r} holds {len(values)} different texts; up to {MAX_CATEGORIES} become "
            f"one-hot inputs{punctuation_hint(values)}. Train without it: {drop(name)}"
        )
    return InputColumn(name, values)


def _looks_like_classes(table: Table, name: str) -> bool:
    if table.is_text(name):
        return True
    numbers = table.numbers(name)
    return bool((numbers == np.round(numbers)).all()) and len(set(numbers.tolist())) <= MAX_INTEGER_CLASSES


def _sorted_values(texts: list[str]) -> tuple[str, ...]:
    values = set(texts)
    try:
        return tuple(sorted(values, key=float))
    except ValueError:
        return tuple(sorted(values))
