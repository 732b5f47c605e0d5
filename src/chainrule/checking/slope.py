"""The slope of a function of one number at 0, from values alone, with what it may err by.

Central differences at a ladder of steps, each about a quarter of the one before, are extrapolated to step 0 by
Neville's scheme in h² (Richardson, The Deferred Approach to the Limit, Phil. Trans. A 226, 1927; Ridders, Accurate
computation of F′(x) and F′(x)·F″(x), Advances in Engineering Software 4, 1982). Three things are more careful than in
Ridders' scheme:

- The steps are not exact powers of anything, so that no oscillation is in time with all of them.
- What the smaller steps show beside what a larger step predicts for them is the noise of the function, and counts.
- Where small steps say clearly something else than large ones, the small ones are right: the large ones jump over a
  kink or an oscillation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, nan

import numpy as np

from chainrule.calculus.arrays import Array

EPSILON = float(np.finfo(np.float64).eps)
LARGEST, RUNGS = 4.0, 24
"""The largest step, in units of the line, and how many there are: the smallest is 4·4⁻²³ = 6e-14."""
ORDERS = 5
"""How many steps are extrapolated from, at most."""
BELOW = 4
"""So many smaller steps must be there to tell the noise."""
MORE = 20
"""So many larger steps are tried where the cost's rounding hides the slope."""
STRUCTURE = 8.0
"""Noise that grows by so much with the step is no noise but an oscillation."""
CLEAR = 1000.0
"""By so many times its noise a cost has to change for a ripple below the noise to be thought of no more."""
ENOUGH = 1e-5
"""A slope known to so much of itself is not looked at more closely."""


@dataclass(frozen=True)
class Estimate:
    """A slope, what it may err by, the smallest step it is from, the noise seen there."""

    value: float
    error: float
    step: float
    noise: float
    believed: bool = True
    """Whether what was taken for noise is no more than smaller steps show of it: else it is structure."""

    def scaled(self, by: float) -> "Estimate":
        """For another unit of length."""
        return replace(self, value=self.value * by, error=self.error * by)


@dataclass(frozen=True)
class Slope:
    """What is known of a slope; ``value`` is NaN and ``error`` infinite where nothing is.

    ``left`` and ``right`` are the slopes on the two sides, the same but at a kink. ``passed`` are estimates from larger
    steps that smaller steps contradict, ``rivals`` those and less sure ones. ``swing`` is the steepest chord up to one
    unit, ``flat`` says that small steps change nothing at all, ``grain`` is the unit in which the values move,
    ``rough`` says that noise may hide a ripple whose slope counts, ``why`` what is in the way.
    """

    value: float
    error: float
    left: float
    right: float
    noise: float
    swing: float
    passed: tuple[Estimate, ...] = ()
    rivals: tuple[Estimate, ...] = ()
    kink: bool = False
    flat: bool = False
    grain: float = 0.0
    rough: bool = False
    why: str = ""


def ladder(seed: int) -> Array:
    """Steps in units of the line, falling: odd numbers (257 … 383)/256 × powers of 4, each exact in 9 bits."""
    mantissas = (2 * np.random.default_rng(seed).integers(128, 192, RUNGS) + 1) / 256
    return LARGEST * mantissas * 0.25 ** np.arange(RUNGS)


def slope(value: Callable[[float], float], f0: float, unit: float, steps: Array, grain: float = 0.0) -> Slope:
    """d value(t)/dt at 0, value(0) being f0; NaN and infinities are outside of the domain.

    ``steps`` (any number) as :func:`ladder` makes them, in ``unit``; ``grain`` is noise that is known of, added to the
    rounding of the values. The function is called at ±h for each of the steps, and for some more where that helps.
    """
    line = _Line(value, f0, unit, grain)
    line.add(steps)
    found = line.slope()
    # Rounding hides less of larger steps, and of steps that are closer to each other. (Noise, too; but larger steps may
    # pass over a ripple in it.)
    more = 0
    while more < MORE and _unclear(found) and line.best_is_among_largest():
        line.add(line.h[0] * np.array([64.0, 16.0, 4.0]))
        more += 3
        found = line.slope()
    if _unclear(found) and line.center is not None:
        near = line.center.step / unit
        between = [h * 2 for h in line.h if near / 8 < h <= near * 40 and h * 2 < line.h[0]]
        if between:
            line.add(np.array(between))
            found = line.slope()
    return found


def _unclear(found: Slope) -> bool:
    known = found.error <= ENOUGH * abs(found.value) or found.error <= ENOUGH * ENOUGH * found.swing
    return not (found.kink or found.flat or known)


class _Line:
    """The values at ±h, and what they tell."""

    def __init__(self, value: Callable[[float], float], f0: float, unit: float, grain: float) -> None:
        self.value, self.f0, self.unit, self.grain = value, f0, unit, grain
        self.h = np.empty(0)  # in units, falling
        self.after, self.before = np.empty(0), np.empty(0)
        self.center: Estimate | None = None

    def add(self, steps: Array) -> None:
        after = [self.value(float(h) * self.unit) for h in steps]
        before = [self.value(-float(h) * self.unit) for h in steps]
        h = np.concatenate([self.h, steps])
        order = np.argsort(-h, kind="stable")
        self.h = h[order]
        self.after = np.concatenate([self.after, after])[order]
        self.before = np.concatenate([self.before, before])[order]

    def best_is_among_largest(self) -> bool:
        finite = np.isfinite(self.after[0]) and np.isfinite(self.before[0])
        best = self.center
        return best is not None and best.step >= self.h[3] * self.unit and bool(finite) and not self._noisy(best)

    def slope(self) -> Slope:
        f0, h = self.f0, self.h
        with np.errstate(all="ignore"):
            up, down = self.after - f0, f0 - self.before
            grain = max(self.grain, _quantum(np.stack([up, -down])))
            rounding = EPSILON * np.maximum(np.maximum(np.abs(self.after), np.abs(self.before)), abs(f0)) + grain
            odd = (self.after - self.before) / 2
        both = np.isfinite(self.after) & np.isfinite(self.before)
        centers = self._estimates(odd, rounding, both, 2)
        with np.errstate(all="ignore"):
            floors = EPSILON * np.maximum(np.abs(self.after), abs(f0)) + grain
            rights = self._estimates(up, floors, np.isfinite(self.after), 1)
            floors = EPSILON * np.maximum(np.abs(self.before), abs(f0)) + grain
            lefts = self._estimates(down, floors, np.isfinite(self.before), 1)
            steep = self._jump_or_steep(up, down, rounding - grain + self.grain)
        flat = grain == 0 and bool(((up == 0) & (down == 0))[h < LARGEST * 2.0**-12].all())
        center, passed = _settled(centers)
        right, passed_right = _settled(rights)
        left, passed_left = _settled(lefts)
        self.center = center
        swing = self._swing(up, down, max((e.noise for e in (center, right, left) if e is not None), default=inf))
        if steep:
            return Slope(nan, inf, nan, nan, nan, swing, why=steep)
        if center is None:
            return self._one_sided(right, left, swing)
        if right is not None and left is not None:
            jump, unsure = abs(right.value - left.value), right.error + left.error
            largest = max(abs(right.value), abs(left.value))
            if jump > 2 * unsure and jump > 1e-7 * largest and unsure < 0.02 * largest:
                value = (right.value + left.value) / 2
                return Slope(
                    value, max(right.error, left.error), left.value, right.value, max(right.noise, left.noise), swing,
                    (*passed_right, *passed_left), (*passed_right, *passed_left), kink=True,
                )  # fmt: skip
        why = "" if center.error <= ENOUGH * 10 * abs(center.value) else self._what_hides(center, grain, passed)
        rivals = tuple(
            e
            for e in centers
            if e.step > center.step
            and e.error < 1e-2 * abs(e.value)
            and abs(e.value - center.value) > e.error + center.error
        )
        value = center.value
        return Slope(
            value, center.error, value, value, center.noise, swing, passed, rivals, False, flat, grain,
            self._rough(center), why,
        )  # fmt: skip

    def _swing(self, up: Array, down: Array, noise: float) -> float:
        """The steepest chord of at most one unit that noise has no part in."""
        near = self.h <= 1
        with np.errstate(all="ignore"):
            change = np.abs(np.concatenate([up[near], down[near]]))
            chords = change / np.tile(self.h[near], 2) / self.unit
        return float(np.max(chords[np.isfinite(chords) & (change > 16 * noise)], initial=0.0))

    def _noisy(self, best: Estimate) -> bool:
        """Whether there is noise that is more than rounding."""
        with np.errstate(all="ignore"):
            used = np.abs(np.concatenate([self.after, self.before])[np.tile(self.h * self.unit <= best.step, 2)])
        floor = EPSILON * float(max(abs(self.f0), np.max(used[np.isfinite(used)], initial=0.0)))
        return best.noise > 64 * floor

    def _rough(self, best: Estimate) -> bool:
        """Whether there is noise that is not small beside what the cost changes by nearby.

        What is left of a cancellation has noise, too: some last digits of values as large as those one unit off.
        """
        with np.errstate(all="ignore"):
            near = np.abs(np.concatenate([self.after, self.before])[np.tile(self.h <= 1, 2)])
        last_digits = CLEAR * EPSILON * float(np.max(near[np.isfinite(near)], initial=abs(self.f0)))
        clear = abs(best.value) * min(best.step, self.unit) >= CLEAR * best.noise
        return self._noisy(best) and best.noise > last_digits and not clear

    def _one_sided(self, right: Estimate | None, left: Estimate | None, swing: float) -> Slope:
        side = right or left
        if side is None or (right is not None and left is not None):
            return Slope(nan, inf, nan, nan, nan, swing, why="the cost is not finite, or rough, on either side")
        where = "below" if right is not None else "above"
        why = f"the cost is not finite {where}: this is the edge of its domain, and the slope is that of the other side"
        return Slope(side.value, side.error, side.value, side.value, side.noise, swing, why=why)

    def _jump_or_steep(self, up: Array, down: Array, rounding: Array) -> str:
        """Words for values that do not come near f0 as the step shrinks, or so slowly that there is no slope."""
        for side in (up, down):
            last = np.abs(side[-8:])
            if not np.isfinite(last).all() or last.min() <= 1e3 * float(np.max(rounding[-8:])):
                continue
            if last.max() < 1.1 * last.min():
                return f"the cost jumps here, by {last[-1]:.1e}"
            chords = last / self.h[-8:]
            steady = (last[1:] < last[:-1]) & (np.sign(side[-7:]) == np.sign(side[-8]))
            if bool((steady & (chords[1:] > 1.2 * chords[:-1])).all()):
                return "the slope grows without end as the step shrinks: the tangent is vertical"
        return ""

    def _what_hides(self, best: Estimate, grain: float, passed: Sequence[Estimate]) -> str:
        """Words for an error that is large beside the slope."""
        if grain > self.grain and grain > 64 * EPSILON * abs(self.f0):
            return in_steps(grain)
        if passed:
            return (
                f"large and small steps disagree: {passed[-1].value:.6g} at steps of {passed[-1].step:.0e}, "
                f"{best.value:.6g} at steps of {best.step:.0e}"
            )
        if best.noise > 32 * EPSILON * abs(self.f0):
            return f"noise: the cost's values scatter by {best.noise:.0e}"
        return "too small beside the cost for its last digit to show"

    def _estimates(self, odd: Array, rounding: Array, usable: Array, power: int) -> list[Estimate]:
        """The best estimate at each step, from large to small; odd/h is a series in h^power."""
        start = int(np.flatnonzero(~usable)[-1]) + 1 if not usable.all() else 0
        h = self.h[start:]
        if len(h) < BELOW + 2:
            return []
        scheme = _scheme(tuple(float(x) for x in h / h[0]), power)
        h, odd, rounding = h * self.unit, odd[start:], rounding[start:]
        with np.errstate(all="ignore"):
            slopes = odd / h
            values = scheme.weights @ slopes
            off = np.maximum(
                np.abs(values - np.append(values, nan)[scheme.lower]),
                np.abs(values - np.append(values, nan)[scheme.before]),
            )
            residual = np.where(scheme.below, np.abs(scheme.predictions @ slopes - slopes) * h, 0).max(axis=1)
            floor = np.maximum.accumulate(rounding[::-1])[::-1][scheme.first]
            noise = np.maximum(residual, floor)
            error = 2 * off + 2 * noise * scheme.amplification / h[0]
            believed = noise <= STRUCTURE * np.maximum(floor, np.abs(odd[-4:]).max())
        error = np.append(np.where(np.isfinite(error), error, inf), inf)  # the last is that of no row
        sure = np.where(np.append(believed, False), error, inf)[scheme.rows]
        among = np.where(np.isfinite(sure).any(axis=1, keepdims=True), sure, error[scheme.rows])
        best = np.take_along_axis(scheme.rows, among.argmin(axis=1)[:, None], axis=1)[:, 0].tolist()
        return [
            Estimate(float(values[i]), float(error[i]), float(h[k]), float(noise[i]), bool(believed[i]))
            for k, i in enumerate(best)
            if error[i] < inf
        ]


def in_steps(quantum: float) -> str:
    """Words for a cost that is a staircase."""
    return f"the cost moves in steps of {quantum:.4g}"


def _quantum(changes: Array) -> float:
    """The unit of which all changes near 0 are multiples, where the smallest to one side change nothing; else 0.

    A cost that is rounded to a decimal, computed in float32, or left over from a cancellation is a staircase: that its
    steps are flat says nothing of the slope.
    """
    sizes = np.abs(changes[np.isfinite(changes)])
    if not (changes[:, -3:] == 0).all(axis=1).any() or not sizes.any():
        return 0.0
    least = float(sizes[sizes > 0].min())
    small = sizes[(sizes > 0) & (sizes < 200 * least)]
    if len(small) < 5 or len(set(small.tolist())) < 3:
        return 0.0
    for parts in (1, 2, 3, 4, 5):
        multiples = small * (parts / least)
        if float(np.abs(multiples - np.round(multiples)).max()) < 5e-3:
            return least / parts
    return 0.0


def _settled(estimates: Sequence[Estimate]) -> tuple[Estimate | None, tuple[Estimate, ...]]:
    """The surest estimate that no smaller steps contradict, and those surer ones that they do contradict."""
    passed: list[Estimate] = []
    left: list[Estimate] = [e for e in estimates if e.believed]
    while left:
        best = min(left, key=lambda e: e.error)
        left = [
            e
            for e in left
            if e.step < best.step
            and abs(e.value - best.value) > e.error + best.error
            and e.error < abs(e.value - best.value) / 4
        ]
        if not left:
            return best, tuple(passed)
        passed.append(best)
    return None, ()


@dataclass(frozen=True)
class _Scheme:
    """Neville's scheme for steps in given proportions: each row is one extrapolation, from steps first … last."""

    weights: Array
    """(rows, steps): the extrapolated slope is weights @ slopes."""
    predictions: Array
    """(rows, steps, steps), what the slope at each step is predicted to be."""
    below: Array
    """(rows, steps): which steps are smaller than the row's."""
    lower: Array
    before: Array
    """(rows,): the row of one order less from the same last step, and from the step before it; −1 for none."""
    first: Array
    """(rows,): the largest of the row's steps."""
    rows: Array
    """(steps, orders): the rows by their last step, −1 for none."""
    amplification: Array
    """(rows,): Σ|weight|/h, what noise of 1 in the values does to the slope."""


@lru_cache(maxsize=256)
def _scheme(steps: tuple[float, ...], power: int) -> _Scheme:
    h = np.array(steps)
    u, n = h**power, len(steps)
    row: dict[tuple[int, int], int] = {}
    weights: list[Array] = []
    predictions: list[Array] = []
    for k in range(n - BELOW):
        for j in range(min(k, ORDERS - 1) + 1):
            used = range(k - j, k + 1)
            row[k, j] = len(row)
            weight, prediction = np.zeros(n), np.zeros((n, n))
            for m in used:
                weight[m], prediction[:, m] = _lagrange(u, used, m, np.zeros(1))[0], _lagrange(u, used, m, u)
            weights.append(weight)
            predictions.append(prediction)
    w = np.array(weights)
    keys = list(row)
    return _Scheme(
        w,
        np.array(predictions),
        np.array([[l > k for l in range(n)] for k, _ in keys]),
        np.array([row.get((k, j - 1), row.get((k - 1, 0), -1)) for k, j in keys]),
        np.array([row.get((k - 1, max(j - 1, 0)), -1) for k, j in keys]),
        np.array([k - j for k, j in keys]),
        np.array([[row.get((k, j), -1) for j in range(ORDERS)] for k in range(n - BELOW)]),
        np.abs(w / h).sum(axis=1),
    )


def _lagrange(u: Array, used: range, m: int, at: Array) -> Array:
    """The Lagrange polynomial of node u[m] among those used, at some places."""
    product = np.ones(len(at))
    for l in used:
        if l != m:
            product = product * (at - u[l]) / (u[m] - u[l])
    return product
