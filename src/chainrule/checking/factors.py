"""Constant factors between what was given and what is right: found, judged and written."""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given

ENOUGH = 3
"""So many entries that are not 0 have to share a factor before it explains anything, unless it is one that people
write."""


def factor_between(exact: Array, given: Array | None) -> float | None:
    """c of given ≈ c·exact, by least squares; None where there is none."""
    if given is None or given.shape != exact.shape:
        return None
    size = float(np.vdot(exact, exact))
    if not size > 0 or not np.isfinite(size):
        return None
    c = float(np.vdot(exact, given)) / size
    # a number that people write, where it is one but for rounding
    nice = round(c) if abs(c) >= 0.75 else 1 / round(1 / c) if c else 0.0
    return float(nice) if abs(c - nice) <= 1e-6 * abs(c) else c


def fitted_factor(exact: Calculation, given: Given) -> float | None:
    """c of the whole gradient."""
    names = [f"{letter}{l}" for l in exact.case.layers for letter in "wb"]
    arrays = [exact.array(name) for name in names]
    if any(name not in given or given[name].shape != array.shape for name, array in zip(names, arrays, strict=True)):
        return None
    flat = [np.concatenate([a.ravel() for a in some]) for some in (arrays, [given[name] for name in names])]
    return factor_between(flat[0], flat[1])


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
    """Whether it is a factor that people write."""
    return not any(ch in factor_text(c, case) for ch in ".e") and (c in (2, 0.5, -1, 4, 0.25) or case.n > 1)


def explains(c: float, exact: Array, case: Case) -> bool:
    """Whether one number read off from so many entries can explain them."""
    return int((exact != 0).sum()) >= ENOUGH or written(c, case)
