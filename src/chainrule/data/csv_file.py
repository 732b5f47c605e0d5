"""CSV files: a header row, then one example a row, separated by commas, semicolons or tabs."""

import csv
from array import array
from pathlib import Path

from chainrule.data.table import Table
from chainrule.errors import DataError

_LARGE = 32 * 2**20
"""From this many bytes on, pyarrow reads the file where it is installed: faster, and in far less memory."""


def read_csv(path: Path) -> Table:
    """The table in a CSV file. Raises DataError that names the row (the line in the file) and what is wrong."""
    try:
        if path.stat().st_size >= _LARGE:
            from chainrule.data.arrow import have_pyarrow, read_large_csv

            if have_pyarrow():
                return read_large_csv(path, _delimiter(path))
        return _read(path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8 (byte {error.start}: {error.reason})") from None
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV file ({error})") from None


def _read(path: Path) -> Table:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=_delimiter(path), strict=True)
        header = next(reader, None)
        names = check_header(str(path), header)
        rows: list[list[str]] = []
        lines = array("q")
        for row in reader:
            if not row:  # an empty line
                continue
            if len(row) != len(names):
                raise DataError(f"{path}, row {reader.line_num}: {len(row)} cells, but the header has {len(names)}")
            rows.append(row)
            lines.append(reader.line_num)
    if not rows:
        raise DataError(f"{path}: a header but no rows")
    columns = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return Table(str(path), columns, where=lambda row: f"row {lines[row]}")


def _delimiter(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline(2**20)
    return max(",;\t", key=first.count)


def check_header(source: str, header: list[str] | None) -> list[str]:
    """The column names; DataError where they are missing, empty, double, or numbers."""
    if not header or not any(name.strip() for name in header):
        raise DataError(f"{source}: the file is empty; the first row must hold the column names")
    names = [name.strip() for name in header]
    first: dict[str, int] = {}
    for at, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{source}, row 1: column {at} has no name")
        if name in first:
            raise DataError(f"{source}, row 1: columns {first[name]} and {at} are both called {name!r}")
        first[name] = at
    if all(_is_number(name) for name in names):
        raise DataError(
            f"{source}, row 1: every name is a number ({names[0]}, …); the first row must hold column names"
        )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
