"""Plain text for a terminal: aligned columns that fit 80, and ASCII where the encoding lacks the symbols."""

import re
from collections.abc import Sequence
from textwrap import wrap
from unicodedata import combining, east_asian_width

COLUMNS = 80
"""How wide a terminal is taken to be."""

_ASCII = str.maketrans(
    {
        "∂": "d", "σ": "s", "′": "'", "Σ": "sum", "×": "*", "·": "*", "−": "-", "½": "1/2", "¼": "1/4",
        "∇": "grad ", "≤": "<=", "≥": ">=", "…": "...", "→": "->", "ŷ": "y", "Φ": "Phi", "φ": "phi", "∞": "inf",
        "δ": "delta", "Δ": "Delta", "⊙": "(*)", "⊘": "(/)", "ᵀ": "^T", "≠": "!=", "‖": "|",
        "—": "-", "–": "-", "“": '"', "”": '"', "’": "'", "÷": "/", "≈": "~", "√": "sqrt", "µ": "u",
    }
)  # fmt: skip

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ˡᴸ", "0123456789+-()lL")
_POWER = re.compile(f"[{''.join(map(chr, _RAISED))}]+")


def fit_encoding(text: str, encoding: str | None) -> str:
    """The text with ASCII spellings of the symbols where ``encoding`` cannot write them; other characters become ?."""
    encoding = encoding or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = _POWER.sub(lambda power: "^" + power[0].translate(_RAISED), text)
        return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")
    return text


def columns(rows: Sequence[Sequence[str]], right: Sequence[bool], gap: str = "  ", indent: str = "") -> list[str]:
    """Rows of cells as lines with aligned columns; ``right`` says which columns are flush right."""
    widths = [max(width(row[at]) for row in rows) for at in range(len(right))]
    lines = (gap.join(_pad(cell, w, flush) for cell, w, flush in zip(row, widths, right, strict=True)) for row in rows)
    return [(indent + line).rstrip() for line in lines]


def wrapped(text: str, hanging: int = 0) -> list[str]:
    """A sentence as lines that fit, all but the first indented; a name such as missing-slope stays whole."""
    return wrap(text, COLUMNS, subsequent_indent=" " * hanging, break_on_hyphens=False)


def width(text: str) -> int:
    """How many terminal cells a text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def printable(text: str) -> str:
    """A text from a user's file with control characters written out, so that it cannot steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _pad(cell: str, w: int, right: bool) -> str:
    space = " " * (w - width(cell))
    return space + cell if right else cell + space
