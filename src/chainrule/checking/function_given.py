"""The gradient that is handed to check_function: arrays, or a function that returns them."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.function_cost import Point
from chainrule.checking.slope import EPSILON
from chainrule.checks import did_you_mean, shown
from chainrule.errors import InputError


def given_gradient(gradient: Any, point: Point) -> tuple[dict[str, Array], list[str]]:
    """The gradient by array, in whatever shape it has, and what calling it has shown."""
    notes: list[str] = []
    if not callable(gradient):
        return _by_name(gradient, point), notes
    first, changed = called(gradient, point, point.x)
    if changed:
        notes.append("gradient changes its argument; it was given a copy")
    second, _ = called(gradient, point, point.x)
    if any(not np.array_equal(first[name], second[name], equal_nan=True) for name in first):
        doubled = all(np.allclose(second[name], 2 * first[name], rtol=1e-6, atol=0) for name in first)
        notes.append(
            "the second call of gradient returns twice the first: a buffer is added to and never zeroed"
            if doubled
            else "two calls of gradient at the same place differ; the first is what was checked"
        )
    return first, notes


def called(gradient: Callable[[Any], Any], point: Point, x: Array) -> tuple[dict[str, Array], bool]:
    """The gradient at x by array, and whether it changes its argument. Raises InputError where it raises."""
    argument = point.argument(x)
    try:
        result = gradient(argument)
    except Exception as error:
        raise InputError(f"gradient(at) raised {type(error).__name__}: {error}") from error
    arrays = cast("dict[str, Array]", argument) if point.mapping else {"x": argument}
    before = point.arrays(x)
    changed = any(name not in arrays or not np.array_equal(arrays[name], before[name]) for name in before)
    return _by_name(result, point), changed


def _by_name(gradient: Any, point: Point) -> dict[str, Array]:
    if not point.mapping:
        if isinstance(gradient, Mapping):
            raise InputError("gradient: arrays by name, but `at` is one array; pass one array, or a mapping for both")
        return {"x": _array("gradient", gradient)}
    if not isinstance(gradient, Mapping):
        raise InputError(f"gradient: {shown(gradient)} is not a mapping, and `at` has {', '.join(point.names)}")
    arrays = cast("Mapping[object, object]", gradient)
    for name in arrays:
        if name not in point.names:
            hint = did_you_mean(name, point.names)
            raise InputError(f"gradient: `at` has no {shown(name)}.{hint} It has {', '.join(point.names)}")
    for name in point.names:
        if name not in arrays:
            raise InputError(f"gradient: {name!r} is missing; `at` has {', '.join(point.names)}")
    return {name: _array(f"gradient[{name!r}]", arrays[name]) for name in point.names}


def _array(what: str, values: object) -> Array:
    """A copy, float32 or wider; NaN and infinities may be in it, they are wrong entries."""
    if values is None:
        raise InputError(f"{what}: None is not an array of numbers; is a return missing?")
    try:
        array = np.array(values)
    except (ValueError, TypeError) as error:
        raise InputError(f"{what}: not an array of numbers ({error})") from None
    if array.dtype.kind not in "iuf":
        raise InputError(f"{what}: {shown(values)} is not an array of numbers")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def epsilon(array: Array) -> float:
    """The precision that numbers are in, whatever type carries them."""
    eps = max(EPSILON, float(np.finfo(array.dtype).eps))
    with np.errstate(all="ignore"):
        narrow = bool((array.astype(np.float32) == array).all()) and bool((array != np.round(array, 3)).any())
    return max(eps, float(np.finfo(np.float32).eps)) if narrow else eps
