"""Less than a gradient: only the parameters after one step of gradient descent are known."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector, layout
from chainrule.checking.case import Case
from chainrule.checking.check import judge
from chainrule.checking.given import given_arrays
from chainrule.checking.verdict import Verdict
from chainrule.checks import number, require, texts
from chainrule.errors import InputError
from chainrule.model.model import Examples, Model

FEWEST_PRINTED, MOST_PRINTED = 4, 12
"""Numbers of so many decimals were rounded when they were printed. Fewer may be exact, more are all there are."""


def check_step(
    model: Model,
    examples: Examples,
    after: Mapping[str, object] | ParameterVector,
    lr: float,
    freeze: Sequence[str] = (),
) -> Verdict:
    """Whether ``after`` is where one step p −= lr·∂C/∂p leads from the model's parameters; if not, by which mistake.

    ``after`` is {"w1": …, "b1": …, …}; what ``freeze`` names (arrays, or b for all biases) may be left out. The
    gradient behind the step, (before − after)/lr, is known only as far as the parameters' own digits reach, be they
    those of a type or those that somebody printed, and judged so. Raises InputError, also where what was to be frozen
    has changed.
    """
    case = Case.of(model, examples)
    lr = number("lr", lr, "a learning rate, above 0", lambda lr: lr > 0)
    frozen = frozen_arrays(case, freeze)
    before = case.p.arrays()
    table = after.arrays() if isinstance(after, ParameterVector) else after
    require(isinstance(table, Mapping), "parameters after the step", table, "a table of arrays by name, w1, b1, …")
    arrays, notes = given_arrays(case, {**{name: before[name] for name in frozen}, **table})
    printed = _printed(arrays)
    gradient: dict[str, Array] = {}
    coarse: dict[str, Array] = {}
    for name, now in arrays.items():
        then = before[name]
        if now.shape != then.shape:
            raise InputError(f"{name}: shape {now.shape} after the step, {then.shape} before it")
        # the last digit of the type that it was kept in, rounded twice: before it was subtracted, and after
        u = 2.0**-24 if now.dtype == np.float32 or _short(now, then) else 2.0**-53
        if name in frozen:
            if (np.abs(now - then) > 4 * u * np.abs(then) + printed).any():
                raise InputError(f"{name}: changed by the step, but it was to be frozen")
            continue
        gradient[name] = (then - now) / lr
        coarse[name] = (2 * u * (np.abs(then) + np.abs(now)) + printed) / lr
    if not gradient:
        raise InputError("freeze: everything is frozen; a step that changes nothing tells nothing")
    return judge(case.but(coarse=coarse), gradient, "float64", notes)


def frozen_arrays(case: Case, freeze: Sequence[str]) -> frozenset[str]:
    """The arrays that are meant: by name, or w for all weights and b for all biases."""
    names = [block.name for block in layout(case.network)]
    chosen: set[str] = set()
    for name in texts("freeze", freeze):
        found = [each for each in names if each == name or each[0] == name]
        require(bool(found), "freeze", name, f"one of w, b, {', '.join(names)}")
        chosen.update(found)
    return frozenset(chosen)


def _printed(arrays: Mapping[str, Array]) -> float:
    """Half a unit of the last decimal but one that numbers were printed to; 0 where they have all digits of their type.

    Of the last but one, since people print one number to nine decimals and its neighbour to eight.
    """
    decimals = 0
    for array in arrays.values():
        for x in array.ravel().tolist():
            exponent = Decimal(repr(x)).as_tuple().exponent
            decimals = max(decimals, -exponent if isinstance(exponent, int) else 0)
            if decimals > MOST_PRINTED:
                return 0.0
    return 0.5 * 10.0 ** (1 - decimals) if decimals >= FEWEST_PRINTED else 0.0


def _short(*arrays: Array) -> bool:
    """Whether these numbers are float32's, kept in float64."""
    with np.errstate(over="ignore"):
        return all(bool((a.astype(np.float32) == a).all()) for a in arrays)
