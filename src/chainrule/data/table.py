"""A table of raw data, column by column, that can say where each of its rows came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import listed, require, shown
from chainrule.errors import DataError

Column = Array | list[str]
"""A float64 array, NaN where a value is missing; or one text a row, "" where missing."""

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
"""Texts that stand for a missing value, in lower case."""


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """Columns of equal length by name: lists or arrays of numbers, or lists of texts; DataError for anything else.

    ``source`` is what messages call the table; ``where(row)`` says in words where row ``row`` (from 0) is.
    ``target`` names the column, or columns, that the source itself marks as what is to be predicted.
    """

    source: str
    columns: Mapping[str, Column]
    where: Callable[[int], str] = field(default=lambda row: f"row {row}")
    target: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require(isinstance(self.columns, Mapping), "columns", self.columns, "a table of columns by name", DataError)
        columns = {name: _column(f"{self.source}, column {shown(name)}", c) for name, c in self.columns.items()}
        object.__setattr__(self, "columns", columns)
        for name, column in columns.items():
            if len(column) != self.n_rows:
                raise DataError(f"{self.source}, column {shown(name)}: {len(column)} rows, others have {self.n_rows}")

    def __repr__(self) -> str:
        return f"Table({self.source!r}, {self.n_rows} rows, {len(self.columns)} columns)"

    @property
    def n_rows(self) -> int:
        """How many examples there are."""
        return len(next(iter(self.columns.values()), ()))

    def without(self, names: Sequence[str]) -> "Table":
        """The table less these columns; DataError if one does not exist."""
        for name in names:
            self[name]
        return Table(self.source, {n: c for n, c in self.columns.items() if n not in names}, self.where, self.target)

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            raise DataError(f"{self.source}: there is no column {shown(name)}; the columns are {listed(self.columns)}")
        return self.columns[name]

    def fail(self, row: int, name: str, what: str) -> DataError:
        """An error about one cell."""
        return DataError(f"{self.source}, {self.where(row)}, column {shown(name)}: {what}")

    def numbers(self, name: str) -> Array:
        """A column as finite float64 (rows,); DataError names the first cell that is missing, infinite or text."""
        column = self[name]
        values = column if isinstance(column, np.ndarray) else self._parsed(name, column)
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            if np.isnan(values[row]):
                raise self.missing(row, name, int(np.isnan(values).sum()))
            raise self.fail(row, name, f"{values[row]} is not a finite number")
        return values

    def texts(self, name: str) -> list[str]:
        """A column as texts, none missing; numbers are written as short as they can be (3, not 3.0)."""
        column = self[name]
        if isinstance(column, np.ndarray):
            return [
                f"{value:.17g}" if value != int(value) else str(int(value)) for value in self.numbers(name).tolist()
            ]
        if missing := self.missing_rows(name):
            raise self.missing(missing[0], name, len(missing))
        return column

    def is_text(self, name: str) -> bool:
        """Whether a column holds texts: more of its values that are not missing fail to be numbers than are numbers."""
        column = self[name]
        if isinstance(column, np.ndarray):
            return False
        if _parsed_at_once(column) is not None:
            return False
        known = [text for text in column if not is_missing(text)]
        return sum(_number(text) is None for text in known) * 2 > len(known)

    def missing_rows(self, name: str) -> list[int]:
        """The rows in which a column has no value."""
        column = self[name]
        if isinstance(column, np.ndarray):
            return np.flatnonzero(np.isnan(column)).tolist()
        return [row for row, text in enumerate(column) if is_missing(text)]

    def missing(self, row: int, name: str, count: int, mend: str = "") -> DataError:
        """The error for a column with missing values, and how to mend it where that is not as for any column."""
        more = f", the first of {count} in this column" if count > 1 else ""
        mend = mend or f"Fill or remove such rows, or train without the column: --drop {shown(name)}"
        return self.fail(row, name, f"the value is missing{more}. {mend}")

    def _parsed(self, name: str, column: list[str]) -> Array:
        if (parsed := _parsed_at_once(column)) is not None:
            return parsed
        values = np.empty(len(column))
        for row, text in enumerate(column):
            value = float("nan") if is_missing(text) else _number(text)
            if value is None:
                raise self.fail(row, name, f"{shown(text)} is text in a column of numbers")
            values[row] = value
        return values


def _column(what: str, column: object) -> Column:
    if isinstance(column, list) and all(isinstance(text, str) for text in cast("list[object]", column)):
        return cast("list[str]", column)
    try:
        array = np.asarray(column)
    except ValueError as error:  # rows of unequal length
        raise DataError(f"{what}: not a row of numbers or of texts: {error}") from None
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return array.astype(np.float64, copy=False)
    if array.ndim == 1 and array.dtype.kind == "U":
        return array.tolist()
    raise DataError(f"{what}: not a row of numbers or of texts")


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value."""
    return text.strip().lower() in MISSING


def _parsed_at_once(column: list[str]) -> Array | None:
    """The column as float64, or None where its texts have to be looked at one by one."""
    if any("_" in text for text in column):
        return None
    try:
        return np.array(column, dtype=np.float64)
    except ValueError:
        return None


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    return _number(text) is not None


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
