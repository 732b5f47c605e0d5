"""Whether an array of a submission passes: right, and no guess that rounding or a convention would excuse."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import layout
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Given, catalogue
from chainrule.checking.verdict import Verdict

_LIKE = 1e-6
"""Entries are the same where they differ by less, relative to the largest: to tell a constant from numbers, not
right from wrong."""

_NOT_ROUNDING = 1e-3
"""What :mod:`chainrule.checking.check` takes for another convention and not for rounding."""

_NEAR = 0.25
"""An array is off by less of its largest entry, or it is none, whatever rounding may do: less than another sign, a
factor of 2 or ½, or nothing at all."""

_NOTHING = 1e-250
"""Rounding that comes to less leaves a 0 as it is."""


@dataclass(frozen=True)
class Mark:
    """One array of a submission: right, or why not. ``bugs`` has for each mistake in it the names that it goes by."""

    parameter: str
    why: str = ""
    bugs: tuple[tuple[str, ...], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it is right."""
        return not self.why


@dataclass(frozen=True)
class Key:
    """What is right, array by array: exactly, and by each convention at a kink; and what rounding in float64 may do."""

    exact: Given
    conventions: tuple[Given, ...]
    rounding: Given

    @classmethod
    def of(cls, case: Case) -> "Key":
        """The key to a problem."""
        names = [block.name for block in layout(case.network)]
        exact = Calculation(case)
        kinks = [Calculation(case, [m]) for kind in catalogue() if kind.convention for m in kind.sites(case, {})]
        exactly, *others = ({name: c.array(name) for name in names} for c in (exact, *kinks))
        return cls(exactly, tuple(others), {name: 2 * exact.error(name) for name in names})

    def hides(self, name: str) -> bool:
        """Whether rounding may change an array by as much as tells it from another."""
        return bool(self.exact[name].any()) and _largest(self.rounding[name]) >= _NEAR * _largest(self.exact[name])

    def near(self, name: str, mine: Array, ours: bool) -> bool:
        """Whether an array is like the right one, or by another convention than ours, whatever rounding may do."""
        alike = [self.exact[name], *(other[name] for other in self.conventions if not ours)]
        if self.scale(name) == 0:
            return not mine.any() or _largest(self.rounding[name]) > _NOTHING
        least = _LIKE * self.scale(name)
        return any(_largest(mine - right) <= max(_NEAR * _largest(right), least) for right in alike)

    def scale(self, name: str) -> float:
        """The largest entry of an array that is right by some convention."""
        return max(_largest(right[name]) for right in (self.exact, *self.conventions))

    def other(self, name: str, mine: Array) -> bool:
        """Whether another slope was taken at a kink."""
        if _largest(mine - self.exact[name]) <= _NOT_ROUNDING * _largest(self.exact[name]):
            return False
        alike = [other[name] for other in self.conventions]
        return any(_largest(mine - right) <= _NOT_ROUNDING * _largest(right) for right in alike)


def marks(verdict: Verdict, key: Key, conventions: str) -> dict[str, Mark]:
    """Each array's mark. No rounding bound is so wide that zeros, a constant, another array or noise would pass."""
    made: dict[str, Mark] = {}
    exact = key.exact
    ours = conventions == "ours"
    for name in exact:
        if name not in verdict.given:
            made[name] = Mark(name, "missing")
            continue
        if not np.isfinite(verdict.given[name]).all():
            made[name] = Mark(name, "not finite")
            continue
        findings = [finding for finding in verdict.findings if name in finding.parameters]
        guessed = _guessed(name, verdict, exact)
        if guessed:
            made[name] = Mark(name, guessed)
        elif findings:
            why = ", ".join(dict.fromkeys(finding.bug or "unexplained" for finding in findings))
            made[name] = Mark(name, why, tuple((finding.bug or "", *finding.equally) for finding in findings))
        elif ours and key.other(name, verdict.given[name]):
            made[name] = Mark(name, "kink-convention", (("kink-convention",),))
        elif not key.near(name, verdict.given[name], ours):
            made[name] = Mark(name, "lost in rounding")
        else:
            made[name] = Mark(name)
    if not any(mark.ok and verdict.given[name].any() and key.scale(name) > 0 for name, mark in made.items()):
        for name, mark in made.items():
            if mark.ok:
                made[name] = Mark(name, "0 is right here, but nothing else is")
    return made


def _guessed(name: str, verdict: Verdict, exact: Given) -> str:
    """How an array may have come about with nothing calculated, where the right one is not like that."""
    mine, right = verdict.given[name], exact[name]
    if not mine.any():
        return "zeros" if right.any() else ""
    if mine.size > 1 and (mine == mine.flat[0]).all():
        return "" if _alike(right, right.flat[0]) else "one number throughout"
    for other, array in verdict.given.items():
        if other != name and np.array_equal(array.ravel(), mine.ravel()):
            same = exact[other].size == right.size and _alike(right.ravel(), exact[other].ravel())
            if not same and verdict.worst[name] >= verdict.worst[other]:
                return f"the numbers of {other}"
    return ""


def _alike(one: Array, other: Any) -> bool:
    return bool((np.abs(one - other) <= _LIKE * np.abs(one).max()).all())


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0))
