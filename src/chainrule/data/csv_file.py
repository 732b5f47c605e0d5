"""CSV files: a header row, then one example a row, separated by commas, semicolons or tabs."""

import csv
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from chainrule.data.table import Table, is_number
from chainrule.errors import DataError

_LARGE = 2 * 2**20
"""From this many bytes on, pyarrow reads the file where it is installed: faster, though it takes 0.1 s to import."""

_AT_ONCE = 4096
"""Rows that are kept as rows: a list for each row of a large file would take much memory, and the collector's time."""


def read_csv(path: Path) -> Table:
    """The table in a CSV file. Raises DataError that names the row (the line in the file) and what is wrong."""
    try:
        if path.stat().st_size >= _LARGE:
            from chainrule.data.arrow import have_pyarrow, read_large_csv

            if have_pyarrow():
                return read_large_csv(path)
        return _read(path)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: not a text file in UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8"
        ) from None


def _read(path: Path) -> Table:
    read = records(path)
    _, names = next(read)
    columns: dict[str, list[str]] = {name: [] for name in names}
    lines = array("q")
    while some := list(islice(read, _AT_ONCE)):
        lines.extend(line for line, _ in some)
        for column, cells in zip(columns.values(), zip(*(row for _, row in some), strict=True), strict=True):
            column.extend(cells)
    if not lines:
        raise DataError(f"{path}: a header but no rows")
    return Table(str(path), columns, where=lambda row: f"row {lines[row]}")


def records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The column names, then the cells of each row that is not an empty line, each with the line that it ends in."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_lines(path, file), delimiter=delimiter(path), strict=True)
        read = 0
        try:
            names = check_header(str(path), next(reader, None))
            read = reader.line_num
            yield read, names
            for row in reader:
                read = reader.line_num
                if not row:
                    continue
                if len(row) != len(names):
                    raise DataError(f"{path}, row {read}: {len(row)} cells, but the header has {len(names)}")
                yield read, row
        except csv.Error as error:
            raise DataError(f"{path}, row {read + 1}: not a CSV file ({error}). Is a quote missing?") from None


def _lines(path: Path, file: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            raise DataError(f"{path}, row {number}: it holds NUL bytes; is this a damaged file, or not text in UTF-8?")
        yield line


def delimiter(path: Path) -> str:
    """What separates the cells: the comma, semicolon or tab that the first line has most of."""
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
            raise DataError(
                f"{source}, row 1: column {at} has no name. Give it one; or, where it is the index that pandas writes, "
                f"write the file with to_csv(…, index=False)"
            )
        if name in first:
            raise DataError(f"{source}, row 1: columns {first[name]} and {at} are both called {name!r}; rename one")
        first[name] = at
    if all(is_number(name) for name in names):
        raise DataError(
            f"{source}, row 1: every name is a number ({names[0]}, …); the first row must hold column names"
        )
    return names
