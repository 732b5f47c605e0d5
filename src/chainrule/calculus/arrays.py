"""The one array type of the calculus, and the check that something is an array of numbers."""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from chainrule.checks import shown
from chainrule.errors import InputError

Array: TypeAlias = NDArray[Any]
"""A float32 or float64 array; every function here returns the dtype that it was given."""


def numbers(what: str, values: object, shape: tuple[int | None, ...], hint: str = "") -> Array:
    """``values`` as a finite float64 array of the given shape; ``None`` in the shape admits any length.

    Raises InputError saying which row or entry is wrong.
    """
    expected = "(" + ", ".join("n" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    expected += f": {hint}" if hint else ""
    if not isinstance(values, np.ndarray):
        _refuse_ragged(what, values, expected)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{what}: not an array of numbers ({error}); expected shape {expected}") from None
    if array.dtype.kind not in "iuf" and array.size:
        entries: list[object] = array.ravel().tolist()
        for entry in entries:
            if isinstance(entry, bool) or not isinstance(entry, int | float):
                raise InputError(f"{what}: {shown(entry)} is not a number; expected shape {expected}")
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        raise InputError(f"{what}: shape {array.shape}, expected {expected}")
    try:
        with np.errstate(invalid="ignore"):  # a signalling NaN is told below, like any other
            array = array.astype(np.float64)
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"{what}: holds a number too large for float64") from None
    finite = np.isfinite(array)
    if not finite.all():
        at = np.unravel_index(int((~finite).argmax()), array.shape)
        where = "".join(f"[{int(i)}]" for i in at)
        raise InputError(f"{what}{where} is {array[at]}; every entry must be a finite number")
    return array


def _refuse_ragged(what: str, values: object, expected: str) -> None:
    """Refuse what NumPy would turn into a number, a text or an object without a word, and say where it is."""
    if isinstance(values, str | bytes | dict | set | bool | np.bool_) or values is None:
        raise InputError(f"{what}: {shown(cast('object', values))} is not a number; expected shape {expected}")
    if not isinstance(values, list | tuple):
        return
    rows = cast("Sequence[object]", values)
    lengths = [_length(row) for row in rows]
    for i, n in enumerate(lengths):
        if n != lengths[0]:
            this, first = (f"{m} numbers" if m is not None else "a single value" for m in (n, lengths[0]))
            raise InputError(f"{what}: row {i} has {this} and row 0 has {first}; expected shape {expected}")
    for i, row in enumerate(rows):
        if type(row) not in (float, int):
            _refuse_ragged(f"{what}[{i}]", row, expected)


def _length(row: object) -> int | None:
    return len(cast("Sequence[object]", row)) if isinstance(row, list | tuple) else None
