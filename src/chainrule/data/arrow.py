"""Parquet files, and large CSV files, through pyarrow: the one module that knows it."""

# pyarrow has no type information of its own.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.table import Column, Table
from chainrule.errors import DataError, MissingExtraError


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
    return _table(path, table, first_row=0)


def read_large_csv(path: Path, delimiter: str) -> Table:
    """The table in a CSV file, read by pyarrow; columns whose every value is a number become float64 at once."""
    import pyarrow as pa
    import pyarrow.csv

    from chainrule.data.csv_file import check_header

    with path.open(encoding="utf-8-sig", newline="") as file:
        header = check_header(str(path), file.readline().rstrip("\r\n").replace('"', "").split(delimiter))
    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(column_names=header, skip_rows=1),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=["", "NA", "N/A", "nan", "NaN", "null", "?"], strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path}: not a CSV file ({_first_line(error)})") from None
    return _table(path, table, first_row=2)


def _table(path: Path, table: Any, first_row: int) -> Table:
    names = [str(name) for name in table.column_names]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{path}: two columns are called {name!r}")
    if not names or table.num_rows == 0:
        raise DataError(f"{path}: no rows" if names else f"{path}: no columns")
    columns = {name: _column(path, name, table.column(name)) for name in names}
    return Table(str(path), columns, where=lambda row: f"row {row + first_row}")


def _column(path: Path, name: str, column: Any) -> Column:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [text or "" for text in column.to_pylist()]
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise DataError(
            f"{path}, column {name!r}: type {kind} is neither numbers nor text; convert it, or leave it out with --drop"
        )
    return column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
