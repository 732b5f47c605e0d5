"""Checks of single values, and how a message shows them. Each check is one error that says what is expected instead."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from math import isfinite
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from typing import cast

from chainrule.errors import ChainruleError, InputError

SHOWN_CHARACTERS = 60
SHOWN_NAMES = 12


def shown(value: object) -> str:
    """How a message shows a value: its repr on one line, cut short where it is long."""
    try:
        text = re.sub(r"\s*\n\s*", " ", repr(value))  # of an array, or a table
    except (ValueError, RecursionError):  # thousands of digits, or lists nested as deep
        return f"<{type(value).__name__} too long to show>"
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def listed(names: Iterable[object]) -> str:
    """How a message shows names: the first few of them, and how many there are."""
    names = list(names)
    some = ", ".join(shown(name) for name in names[:SHOWN_NAMES])
    return some if len(names) <= SHOWN_NAMES else f"{some}, … ({len(names)} in all)"


def require(holds: bool, what: str, value: object, expected: str, error: type[ChainruleError] = InputError) -> None:
    """Raise the error, which shows the value, unless something holds that ``expected`` says in words."""
    if not holds:
        raise error(f"{what}: {shown(value)} is not {expected}")


def number(
    what: str, value: object, expected: str, fits: Callable[[float], bool], error: type[ChainruleError] = InputError
) -> float:
    """The value as a finite float that fits."""
    x = float("nan")
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            x = float(value)
    require(isfinite(x) and fits(x), what, value, expected, error)
    return x


def whole_number(
    what: str, value: object, expected: str, fits: Callable[[int], bool], error: type[ChainruleError] = InputError
) -> int:
    """The value as an int that fits."""
    whole = isinstance(value, Integral) and not isinstance(value, bool) and fits(int(value))
    require(whole, what, value, expected, error)
    return int(cast("int", value))


def sequence(what: str, values: object, expected: str, error: type[ChainruleError] = InputError) -> Sequence[object]:
    """The values, a list or tuple and no text."""
    of_kind = isinstance(values, Sequence) and not isinstance(values, str | bytes)
    require(of_kind, what, cast("object", values), expected, error)
    return cast("Sequence[object]", values)


def texts(what: str, values: object) -> tuple[str, ...]:
    """The values as a tuple of texts."""
    for value in sequence(what, values, f"a list of texts, such as [{shown(values)}]"):
        require(isinstance(value, str), what, value, "a text")
    return tuple(cast("Sequence[str]", values))


def known(what: str, name: object, names: Iterable[str], error: type[ChainruleError] = InputError) -> str:
    """The name, one of the names; the error has the closest one."""
    names = list(names)
    if isinstance(name, str) and name in names:
        return name
    raise error(f"{what}: {shown(name)} is not known.{did_you_mean(name, names)} Known: {', '.join(names)}")


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """A question that has the closest of the names, or nothing where none is close."""
    close = get_close_matches(name, names, n=1) if isinstance(name, str) and len(name) <= SHOWN_CHARACTERS else []
    return f" Did you mean {close[0]!r}?" if close else ""


def file_path(path: object) -> Path:
    """The path of a file or folder."""
    text = fspath(cast("str", path)) if isinstance(path, str | PathLike) else ""
    require(text != "" and "\0" not in text, "path", cast("object", path), "the name of a file")
    return Path(text)
