"""Parquet files, and large CSV files, through pyarrow: the one module that knows it."""

# pyarrow has no type information of its own.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import shown
from chainrule.data.table import MISSING, Column, Table
from chainrule.errors import DataError, MissingExtraError

_MOST_CLASSES = 1000
"""Of a column of numbers with a fraction and more different values none are taken for classes."""


def have_pyarrow() -> bool:
    """Whether pyarrow is installed."""
    return find_spec("pyarrow") is not None


def read_parquet(path: Path) -> Table:
    """The table in a Parquet file. Raises DataError, or MissingExtraError without pyarrow."""
    if not have_pyarrow():
        raise MissingExtraError(f"{path}: reading Parquet needs pyarrow: pip install 'chainrule[data]'")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, ValueError, OSError) as error:
        raise DataError(f"{path}: not a Parquet file that can be read ({_first_line(error)})") from None
    return _table(path, table, where=lambda row: f"row {row}")


def read_large_csv(path: Path) -> Table:
    """The table in a CSV file, read by pyarrow; columns whose every value is a number become float64 at once."""
    import pyarrow as pa
    import pyarrow.csv

    from chainrule.data.csv_file import delimiter, records

    header_ends, names = next(records(path))
    texts: dict[str, Any] = {}

    def read() -> Any:
        return pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=header_ends),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter(path), newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=sorted(MISSING), column_types=texts, include_columns=list(texts)
            ),
        )

    try:
        table = read()
        # True, or 2024-01-01, is text in a CSV file, and stays as it was written; so do 01 and 1.0, maybe
        # classes.
        types = {field.name: field.type for field in table.schema}
        texts = {
            name: pa.string()
            for name in table.column_names
            if types[name] != pa.string() and (not _numeric(types[name]) or _may_be_classes(table.column(name)))
        }
        again = read() if texts else table
        for name in texts:
            if not _numeric(types[name]) or not _as_written(table.column(name), again.column(name)):
                table = table.set_column(table.column_names.index(name), name, again.column(name))
    except (pa.ArrowException, ValueError) as error:
        for _ in records(path):  # the plain reader's error names the row
            pass
        raise DataError(f"{path}: not a CSV file ({_first_line(error)})") from None

    def at(row: int) -> tuple[int, list[str]]:
        return next(islice(records(path), row + 1, None))

    return _table(path, table, lambda row: f"row {at(row)[0]}", lambda row, name: at(row)[1][names.index(name)])


def _table(
    path: Path, table: Any, where: Callable[[int], str], cell: Callable[[int, str], str] = lambda row, name: ""
) -> Table:
    names = [str(name) for name in table.column_names]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path}: two columns are called {shown(name)}")
    if not names or table.num_rows == 0:
        raise DataError(f"{path}: no rows" if names else f"{path}: no columns")
    columns = {name: _column(path, name, table.column(name)) for name in names}
    return Table(str(path), columns, where, cell=cell)


def _column(path: Path, name: str, column: Any) -> Column:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif not _numeric(kind):  # text, and what has no number, such as a date: it can still be dropped
        return ["" if value is None else str(value) for value in column.to_pylist()]
    return _floats(column)


def _floats(column: Any) -> Array:
    """A column as float64, NaN where it is null; its own to_numpy imports pandas, and that takes long."""
    import pyarrow as pa

    column = column.cast(pa.float64(), safe=False)
    values = np.empty(len(column))
    at = 0
    for chunk in filter(len, column.chunks):
        part = values[at : at + len(chunk)]
        part[:] = np.frombuffer(chunk.buffers()[1], np.float64)[chunk.offset : chunk.offset + len(chunk)]
        if chunk.null_count:
            part[np.from_dlpack(chunk.is_null().cast(pa.uint8())).astype(bool)] = np.nan
        at += len(chunk)
    return values


def _may_be_classes(column: Any) -> bool:
    """Whether there are numbers in a column that could name classes: whole ones, or few different ones."""
    import pyarrow.compute as pc

    numbers = _floats(column)
    numbers = numbers[np.isfinite(numbers)]
    whole = bool((numbers == np.floor(numbers)).all())
    return len(numbers) > 0 and (whole or pc.count_distinct(column).as_py() <= _MOST_CLASSES)


def _as_written(numbers: Any, texts: Any) -> bool:
    """Whether whole numbers stand in the file as they are written from numbers: 1, not 01 or 1.0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pa.types.is_integer(numbers.type) and pc.all(pc.equal(numbers.cast(pa.string()), texts)).as_py() is not False


def _numeric(kind: Any) -> bool:
    """Whether an arrow type holds numbers, or nothing at all."""
    import pyarrow as pa

    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return number or pa.types.is_null(kind)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
