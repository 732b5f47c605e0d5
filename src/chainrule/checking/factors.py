"""Constant factors between what was given and what is right: found, judged and written."""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.arithmetic import FEW
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given


def factor_between(exact: Array, given: Array | None, case: Case) -> float | None:
    """c of given ≈ c·exact, by least squares; None where there is none."""
    largest = float(np.abs(exact).max(initial=0))
    if given is None or given.shape != exact.shape or not 0 < largest < np.inf:
        return None
    direction = exact / largest
    c = float(np.vdot(direction, given) / np.vdot(direction, direction)) / largest
    if not abs(c) > 1e-300 or not np.isfinite(c):
        return None
    # a number that people write, where it is one but for rounding
    nice = round(c) if abs(c) >= 0.75 else 1 / round(1 / c)
    none = abs(c - 1) < 1e-6  # so finite differences are off, and no factor is
    return float(nice) if none or _same(c, nice, case) else c


def _same(c: float, value: float, case: Case) -> bool:
    """Whether two factors are one: c is a quotient of sums of numbers that are each off by a few roundings."""
    return abs(c - value) <= FEW * FEW * case.u * abs(c)


def factor_of_all(so_far: Calculation, given: Given) -> float | None:
    """c of the whole gradient."""
    arrays = {name: so_far.array(name) for name in given}
    if any(given[name].shape != array.shape for name, array in arrays.items()):
        return None
    exact, all_given = (np.concatenate([a.ravel() for a in some.values()]) for some in (arrays, given))
    return factor_between(exact, all_given, so_far.case)


def factor_text(c: float, case: Case) -> str:
    """The factor as people would write it: 2, ½, n, 1/n, 4/n, …"""
    return _as_written(c, case) or f"{c:.6g}"


def written(c: float, case: Case) -> bool:
    """Whether it is a factor that people write, such as 2, −1 or 4/n, which no one entry happens to have."""
    return bool(_as_written(c, case))


def chosen(c: float) -> float:
    """The number with two digits, such as 0.9 or 10, where it has no more but for rounding: people choose such."""
    short = float(f"{c:.2g}")
    return short if abs(c - short) <= 1e-9 * abs(c) else c


def is_chosen(c: float) -> bool:
    """Whether it has no more than two digits."""
    return float(f"{c:.2g}") == c


def _as_written(c: float, case: Case) -> str:
    times = {"": 1.0, "2": 2.0, "4": 4.0, "½": 0.5, "−": -1.0, "−2": -2.0}
    sizes = {text: float(size) for text, size in (("n", case.n), ("n_L", case.sizes[-1])) if size > 1}
    forms = {(text + "1" if text in ("", "−") else text): k for text, k in times.items()}
    forms |= {str(k): float(k) for k in range(3, 13)}
    for name, size in sizes.items():
        forms |= {text + name: k * size for text, k in times.items()}
        forms |= {(text + "1" if text in ("", "−") else text) + f"/{name}": k / size for text, k in times.items()}
        forms |= {f"1/{name}²": 1 / size**2}
    return next((text for text, value in forms.items() if value != 1 and _same(c, value, case)), "")
