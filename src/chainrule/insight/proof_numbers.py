"""Numbers as Python source text, in lines that can be read."""

from collections.abc import Sequence
from math import isfinite
from typing import cast

WIDTH = 116
A_LINE = 4
"""How many numbers of up to 24 characters a line has room for."""


def literal(value: float) -> str:
    """A float as the source of a number that Decimal takes."""
    return repr(value) if isfinite(value) else f'"{value!r}"'


def numbers(values: Sequence[object], at_column: int, as_text: bool) -> str:
    """A list of numbers, or of lists of numbers; with ``as_text``, a list of numbers is one text."""
    margin = " " * at_column
    nested = isinstance(values[0], list)
    parts = [
        numbers(cast("list[object]", v), at_column + 4, as_text) if isinstance(v, list) else repr(v) for v in values
    ]
    text = as_text and not nested
    line = f'"{" ".join(parts)}"' if text else f"[{', '.join(parts)}]"
    if len(line) + at_column <= WIDTH - 12 and "\n" not in line:
        return line
    a_line = 1 if nested else A_LINE
    chunks = [parts[at : at + a_line] for at in range(0, len(parts), a_line)]
    if text:
        return '"""' + "\n".join(" ".join(chunk) for chunk in chunks) + '"""'
    return "[\n" + "".join(f"{margin}    {', '.join(chunk)},\n" for chunk in chunks) + f"{margin}]"


def row(parts: Sequence[str]) -> str:
    """One example, in one line where there is room."""
    line = f"    [{', '.join(parts)}],"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return "    [\n" + "".join(f"        {part},\n" for part in parts) + "    ],"


def braced(entries: Sequence[str]) -> str:
    """The entries of a dict, in one line where there is room."""
    line = f"{{{', '.join(entries)}}}"
    if len(line) <= WIDTH - 20 and "\n" not in line:
        return line
    return "{\n" + "".join(f"    {entry},\n" for entry in entries) + "}"
