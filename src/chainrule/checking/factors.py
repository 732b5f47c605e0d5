"""Constant factors between what was given and what is right: found, judged and written."""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given


def factor_between(exact: Array, given: Array | None) -> float | None:
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
    return float(nice) if abs(c - nice) <= 1e-6 * abs(c) else c


def factor_of_all(so_far: Calculation, given: Given) -> float | None:
    """c of the whole gradient."""
    arrays = {name: so_far.array(name) for name in given}
    if any(given[name].shape != array.shape for name, array in arrays.items()):
        return None
    exact, all_given = (np.concatenate([a.ravel() for a in some.values()]) for some in (arrays, given))
    return factor_between(exact, all_given)


def factor_text(c: float, case: Case) -> str:
    """The factor as people would write it: 2, ½, n, 1/n, 4/n, …"""
    n, n_L = case.n, case.sizes[-1]
    for k in (1, 2, 4, 0.5, -1, -2):
        times = {1: "", 2: "2", 4: "4", 0.5: "½", -1: "−", -2: "−2"}[k]
        for value, text in ((1.0, "1"), (n, "n"), (1 / n, "1/n"), (n_L, "n_L"), (1 / n_L, "1/n_L"), (1 / n**2, "1/n²")):
            if value != 1 or text == "1":
                whole = times + text if text != "1" and not text.startswith("1/") else (times or "1") + text[1:]
                if abs(c - k * value) <= 1e-6 * abs(c):
                    return whole.replace("−/", "−1/")
    return f"{c:.6g}"


def written(c: float, case: Case) -> bool:
    """Whether it is a factor that people write, such as 2, −1 or 4/n, which no one entry happens to have."""
    return not any(ch in factor_text(c, case) for ch in ".e") and (c in (2, 0.5, -1, 4, 0.25) or case.n > 1)
