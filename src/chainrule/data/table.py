"""A table of raw data, column by column, that can say where each of its rows came from."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from numbers import Real
from typing import Any, cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import listed, require, shown
from chainrule.errors import DataError

Column = Array | list[str]
"""A float64 array, NaN where a value is missing; or one text a row, "" where missing."""

MISSING = frozenset(
    {"", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None"}
    | {"#N/A", "#N/A N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"}
)
"""Texts that stand for a missing value: those that pandas.read_csv takes for one; others, such as none, are values."""

_PUNCTUATED = re.compile(
    r"[+-]?(\d+(\.\d{3})*,\d+"  # 2,5 and 1.234,5
    r"|\d{1,3}(,\d{3})+(\.\d+)?"  # 1,234.5
    r"|\d{1,3}([ '’\u00a0\u202f]\d{3})+([.,]\d+)?)"  # 1 234,5
)


@dataclass(frozen=True, repr=False, eq=False)
class Table:
    """Columns of equal length by name: lists, arrays or Series of numbers or texts, or a DataFrame; or DataError.

    What pandas writes into a CSV file as texts, such as bools, is texts in its tables, too. None and NaN are missing.

    ``source`` is what messages call the table; ``where(row)`` says in words where row ``row`` (from 0) is.
    ``target`` names the column, or columns, that the source itself marks as what is to be predicted.
    """

    source: str
    columns: Mapping[str, Column]
    where: Callable[[int], str] = field(default=lambda row: f"row {row}")
    target: tuple[str, ...] = ()
    cell: Callable[[int, str], str] = field(default=lambda row, name: "")
    """What stands in a cell of the source, for a column of numbers that has kept only NaN of it."""
    _read: dict[str, tuple[Array | None, bool]] = field(init=False, default_factory=dict[str, Any])
    """What columns of texts were found to hold, since to parse them takes long."""

    def __post_init__(self) -> None:
        given = _columns_of(self.source, self.columns) if is_frame(self.columns) else self.columns
        require(isinstance(given, Mapping), "columns", given, "a table of columns by name", DataError)
        columns = {name: _column(f"{self.source}, column {shown(name)}", c) for name, c in given.items()}
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
        rest = replace(self, columns={n: c for n, c in self.columns.items() if n not in names})
        rest._read.update(self._read)
        return rest

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
        values = column if isinstance(column, np.ndarray) else self._numbers_in(name, column)
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            if np.isnan(values[row]):
                raise self.missing(row, name, int(np.isnan(values).sum()))
            raise self.fail(row, name, f"{values[row]} is not a finite number. Change or remove such rows")
        return values

    def texts(self, name: str) -> list[str]:
        """A column as texts, none missing; numbers are written as short as they can be (3, not 3.0)."""
        column = self[name]
        if isinstance(column, np.ndarray):
            return [number_text(value) for value in self.numbers(name).tolist()]
        if missing := self.missing_rows(name):
            raise self.missing(missing[0], name, len(missing))
        return column

    def is_text(self, name: str) -> bool:
        """Whether a column holds texts: more of its values that are not missing fail to be numbers than are numbers."""
        column = self[name]
        return not isinstance(column, np.ndarray) and self._parsed(name, column)[1]

    def missing_rows(self, name: str) -> list[int]:
        """The rows in which a column has no value."""
        column = self[name]
        numbers = column if isinstance(column, np.ndarray) else self._parsed(name, column)[0]
        if numbers is not None:
            return np.flatnonzero(np.isnan(numbers)).tolist()
        missing = {text for text in set(column) if is_missing(text)}
        return [row for row, text in enumerate(column) if text in missing] if missing else []

    def missing(self, row: int, name: str, count: int, mend: str = "") -> DataError:
        """The error for a column with missing values, and how to mend it where that is not as for any column."""
        more = f", the first of {count} in this column" if count > 1 else ""
        column = self[name]
        text = self.cell(row, name) if isinstance(column, np.ndarray) else column[row]
        taken = f" ({shown(text.strip())} stands for that)" if text.strip() else ""
        mend = mend or f"Fill or remove such rows, or train without the column: {drop(name)}"
        return self.fail(row, name, f"the value is missing{more}{taken}. {mend}")

    def _parsed(self, name: str, column: list[str]) -> tuple[Array | None, bool]:
        """The numbers of a column of texts, or None where one is no number; and whether most are none."""
        if name not in self._read:
            self._read[name] = _parse(column)
        return self._read[name]

    def _numbers_in(self, name: str, column: list[str]) -> Array:
        numbers, _ = self._parsed(name, column)
        if numbers is None:
            row = next(row for row, text in enumerate(column) if not is_missing(text) and _number(text) is None)
            what = f"{shown(column[row])} is text in a column of numbers"
            raise self.fail(row, name, what + (punctuation_hint([column[row]]) or ". Change or remove such rows"))
        return numbers


def is_frame(given: object) -> bool:
    """Whether something is a DataFrame, known by what it has, so that pandas is not needed to tell."""
    return not isinstance(given, Mapping) and all(
        hasattr(given, name) for name in ("columns", "to_numpy", "__getitem__")
    )


def as_table(given: object, what: str = "table") -> Table:
    """A table as it is, or a DataFrame as one. Raises InputError for anything else."""
    if is_frame(given):
        return Table(what, cast("Mapping[str, Column]", given))
    require(isinstance(given, Table), what, given, "a Table, as read_table gives it, or a DataFrame")
    return cast("Table", given)


def _columns_of(source: str, frame: Any) -> dict[str, object]:
    """The columns of a DataFrame by their names as texts."""
    columns: dict[str, object] = {}
    for name in frame.columns:
        if str(name) in columns:
            raise DataError(f"{source}: two columns are called {shown(str(name))}; rename one")
        columns[str(name)] = frame[name]
    return columns


def _column(what: str, column: object) -> Column:
    if isinstance(column, list) and all(issubclass(kind, str) for kind in set(map(type, cast("list[object]", column)))):
        return cast("list[str]", column)
    try:
        array = np.asarray(column)
    except ValueError as error:  # rows of unequal length
        raise DataError(f"{what}: not a row of numbers or of texts: {error}") from None
    series = hasattr(cast("object", column), "to_numpy")
    if array.ndim == 1 and (array.dtype.kind in "OT" or (series and array.dtype.kind in "bMm")):
        return _objects(list(cast("Iterable[object]", column)))
    if array.ndim == 1 and array.dtype.kind in "biuf":
        return array.astype(np.float64, copy=False)
    if array.ndim == 1 and array.dtype.kind == "U":
        return array.tolist()
    raise DataError(f"{what}: not a row of numbers or of texts")


def _objects(values: list[object]) -> Column:
    """A column of Python objects: numbers where all that are not missing are numbers, or what each prints as."""
    missing = [_is_nothing(value) for value in values]
    known = [value for value, none in zip(values, missing, strict=True) if not none]
    if known and all(isinstance(value, Real | Decimal) and not isinstance(value, bool) for value in known):
        with suppress(OverflowError):
            return np.array([np.nan if none else v for v, none in zip(values, missing, strict=True)], np.float64)
    return ["" if none else str(value) for value, none in zip(values, missing, strict=True)]


def _is_nothing(value: Any) -> bool:
    """Whether a value is None, NaN, NaT or pandas.NA."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA is neither equal to itself nor unequal
        return True
    except ValueError:  # an array
        return False


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value."""
    return text.strip() in MISSING


def drop(name: str) -> str:
    """How to leave a column out, on the command line and in Python."""
    return f"--drop {shown(name)} (in Python dropped=)"


def punctuation_hint(texts: Sequence[str]) -> str:
    """What to do where most of the texts are numbers with decimal commas or thousands separators; or nothing."""
    punctuated = [text for text in texts if _PUNCTUATED.fullmatch(text.strip())]
    if len(punctuated) * 2 <= len(texts):
        return ""
    return f"; numbers such as {shown(punctuated[0])} must have a decimal point and no thousands separators"


def _parse(column: list[str]) -> tuple[Array | None, bool]:
    """The column as float64, NaN where missing, or None where a text is no number; and whether most are none."""
    if "_" not in "".join(column):  # float takes 1_000
        with suppress(ValueError):
            return np.array(column, dtype=np.float64), False
    counts = Counter(column)
    known = {text: _number(text) for text in counts if not is_missing(text)}
    others = sum(counts[text] for text, number in known.items() if number is None)
    if others:
        return None, others * 2 > sum(counts[text] for text in known)
    return np.array([known.get(text, np.nan) for text in column], dtype=np.float64), False


def number_text(value: float) -> str:
    """A number as short as it can be: 3, not 3.0."""
    return str(int(value)) if value.is_integer() else repr(value)


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    return _number(text) is not None


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
