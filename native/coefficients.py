"""The tables of math.hpp, from 50-digit arithmetic: ``python native/coefficients.py`` prints them as they stand there.

Each polynomial is the minimax one for the relative error of the function that it serves, found by Remez's exchange
and then rounded to the dtype; the error beside it is that of the rounded coefficients. With ``--check`` nothing is
printed but tables that math.hpp has differently, and the exit status says whether there are any.
"""

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mpmath import cos, erfc, exp, expm1, floor, log, log1p, lu_solve, matrix, mp, mpf, pi, polyval, sqrt

mp.dps = 50

Real = Any  # an mpf; mpmath has no types
Function = Callable[[Real], Real]


class Goal(NamedTuple):
    """What a polynomial is to be: near f on [a, b], as measured by |weight·(polynomial − f)|."""

    name: str
    says: str
    f: Function
    weight: Function
    a: Real
    b: Real


def exp_quotient(r: Real) -> Real:
    """e^r − 1 = r + r²·Q(r)."""
    return (expm1(r) - r) / r**2


def log_quotient(f: Real) -> Real:
    """ln(1 + f) = f + f²·Q(f)."""
    return (log1p(f) - f) / f**2


# For Φ, the normal distribution function: e^(u²/2)·Φ(−u) = P(t)/(u + K), where t = (u − K)/(u + K) takes u ≥ 0 to
# [−1, 1] and P has neither a zero nor a pole there. The change of variable is that of Shepherd and Laframboise,
# Mathematics of Computation 36, 1981, 249-253.
K = mpf(9) / 4


def mills(t: Real) -> Real:
    """P(t)."""
    if t == 1:
        return 1 / sqrt(2 * pi)
    u = K * (1 + t) / (1 - t)
    if u < 70:
        return (u + K) * exp(u**2 / 2) * erfc(u / sqrt(mpf(2))) / 2
    terms = [mpf(1)]  # of the asymptotic series: beyond 70 the thirtieth is below 1e-55
    for n in range(1, 30):
        terms.append(-terms[-1] * (2 * n - 1) / u**2)
    return (u + K) / (u * sqrt(2 * pi)) * sum(terms)


HALF_LN2 = log(2) / 2 + mpf("1e-4")  # what a rounded argument may exceed
HALF, TWO = sqrt(mpf(1) / 2) - mpf("1e-6"), sqrt(mpf(2)) + mpf("1e-6")

GOALS = (
    Goal("expm1", "(e^r - 1 - r)/r^2, |r| <= ln(2)/2",
         exp_quotient, lambda r: abs(r**2 / expm1(r)), -HALF_LN2, HALF_LN2),
    Goal("log1p", "(ln(1 + f) - f)/f^2, sqrt(1/2) <= 1 + f <= sqrt(2)",
         log_quotient, lambda f: abs(f**2 / log1p(f)), HALF - 1, TWO - 1),
    Goal("mills", "(u + 9/4)*e^(u^2/2)*Phi(-u) by (u - 9/4)/(u + 9/4), u >= 0",
         mills, lambda t: 1 / mills(t), mpf(-1), mpf(1)),
)  # fmt: skip


def points(goal: Goal, count: int) -> list[Real]:
    """As many points of [a, b], b included, dense where the extremes of a Chebyshev polynomial are; none is 0."""
    angles = [pi * (i + mpf(1) / 1000) / (count - 1) for i in range(count - 1)] + [pi]
    return [(goal.a + goal.b) / 2 - (goal.b - goal.a) / 2 * cos(angle) for angle in angles]


def errors(c: list[Real], goal: Goal, grid: list[Real]) -> list[Real]:
    """weight·(polynomial − f) at each point of the grid."""
    return [goal.weight(x) * (polyval(c[::-1], x) - goal.f(x)) for x in grid]


def minimax(goal: Goal, degree: int) -> list[Real]:
    """The polynomial whose largest error is smallest, to within 1%, by Remez's exchange."""
    grid, trial = points(goal, 24 * (degree + 2)), points(goal, degree + 2)
    for _ in range(20):
        rows = [[x**j for j in range(degree + 1)] + [(-1) ** i / goal.weight(x)] for i, x in enumerate(trial)]
        *c, level = lu_solve(matrix(rows), matrix([goal.f(x) for x in trial]))
        peaks: list[tuple[Real, Real]] = []  # where |error| is largest between two changes of its sign
        for x, e in zip(grid, errors(c, goal, grid), strict=True):
            if not peaks or (peaks[-1][1] > 0) != (e > 0):
                peaks.append((x, e))
            elif abs(e) > abs(peaks[-1][1]):
                peaks[-1] = (x, e)
        while len(peaks) > degree + 2:
            peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
        if max(abs(e) for _, e in peaks) < abs(level) * mpf("1.01"):
            return c
        trial = [x for x, _ in peaks]
    raise ArithmeticError(f"the exchange for {goal.name} does not settle at degree {degree}")


def rounded(c: list[Real], goal: Goal, dtype: type) -> tuple[list[float], float]:
    """The coefficients in the dtype, moved to neighbours, a few at a time, where that helps; their largest error."""
    grid = points(goal, 400)
    near = [float(dtype(float(x))) for x in c]
    error = np.array([float(e) for e in errors([mpf(x) for x in near], goal, grid)])
    steps = [float(np.spacing(dtype(x))) for x in near]
    effects = [np.array([float(goal.weight(x) * x**j * step) for x in grid]) for j, step in enumerate(steps)]
    for first in 0, 2, 4:
        few = range(first, min(first + 5, len(c)))
        choices = [
            (error + sum(n * effects[j] for n, j in zip(moves, few, strict=True)), moves)
            for moves in product((0, 1, -1), repeat=len(few))
        ]
        error, moves = min(choices, key=lambda choice: np.max(np.abs(choice[0])))
        for n, j in zip(moves, few, strict=True):
            near[j] += n * steps[j]
    return near, float(np.max(np.abs(error)))


def literal(x: Real, dtype: type) -> str:
    """The shortest C++ literal for the number of the dtype that is nearest to x."""
    return np.format_float_scientific(dtype(float(x)), trim="0", exp_digits=2) + "f" * (dtype is np.float32)


def struct(ctype: str, dtype: type, degrees: tuple[int, ...], ln2_bits: int, sqrt2_bits: int) -> str:
    """All that math.hpp needs for one dtype; the high parts of ln 2 and √2 have so many bits after the point."""
    constants = {"log2e": 1 / log(2)}
    for name, x, bits in ("ln2", log(2), ln2_bits), ("sqrt2", sqrt(mpf(2)), sqrt2_bits):
        high = floor(x * 2**bits) / 2**bits
        constants |= {f"{name}_high": high, f"{name}_low": x - high}
    lines = [f"    static constexpr {ctype} {name} = {literal(x, dtype)};" for name, x in constants.items()]
    for goal, degree in zip(GOALS, degrees, strict=True):
        c, error = rounded(minimax(goal, degree), goal, dtype)
        lines += [f"    // {goal.says}: degree {degree}, error {error:.1e}."]
        lines += [f"    static constexpr {ctype} {goal.name}[] = {{"]
        items = [literal(x, dtype) + "," for x in c]
        width = 110 // (max(map(len, items)) + 1)
        lines += ["        " + " ".join(items[i : i + width]) for i in range(0, len(items), width)]
        lines += ["    };"]
    return "\n".join(["template <>", f"struct Table<{ctype}> {{", *lines, "};"])


def main() -> int:
    """Print the tables, or with --check those that math.hpp has differently."""
    header = (Path(__file__).parent / "math.hpp").read_text(encoding="utf-8") if "--check" in sys.argv[1:] else ""
    tables = (
        struct("float", np.float32, (4, 8, 12), ln2_bits=16, sqrt2_bits=11),
        struct("double", np.float64, (9, 19, 28), ln2_bits=40, sqrt2_bits=25),
    )
    others = [table for table in tables if table not in header]
    print("\n\n".join(others), end="\n" * bool(others))
    return bool(header and others)


if __name__ == "__main__":
    sys.exit(main())
