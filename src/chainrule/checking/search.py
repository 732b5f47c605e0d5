"""The search for the mistakes that explain a gradient.

Each mistake of the catalogue, at each place where it can be made, predicts the wrong numbers: the diagnosis is the
prediction that comes true. The way back visits the last layer first, so the arrays are compared in that order. Where
one mistake explains only the first of them, further ones are tried on top of it; what nothing explains is left aside.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import log2

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Given, Mistake, catalogue

Watch = Callable[[float, float], None]
"""Called with how many arrays are explained, in parts too, and how many there are."""

MOST_TOGETHER = 3
"""So many mistakes are looked for in one gradient."""

BEAM = 6
"""So many explanations of the first arrays are carried on to the next."""

SLACK = 16.0
"""A prediction may be off by so many times what rounding may do: naming is not judging."""

BITS = 10
"""Numbers that are wrong at random agree with any of the mistakes that are tried once in 2¹⁰ gradients at most.

The second mistake needs twice the bits, the third three times; and numbers of the same size, such as those of a sign or
of what is clipped, confirm it but once, since any prediction may meet them.
"""


TELLING = 4
"""So many rows of an array, those that are furthest from what is right, are compared before the whole is."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Mistakes that together explain the first arrays, as many as ``explained``, but for those left ``aside``."""

    calculation: Calculation
    explained: int
    aside: frozenset[str] = frozenset()
    without: "Explanation | None" = None
    """That without the last mistake."""

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is done wrong."""
        return self.calculation.mistakes

    @property
    def cost(self) -> tuple[int, int]:
        """The least first: numbers fitted, and how unlikely the mistakes are."""
        return sum(m.fitted for m in self.mistakes), sum(m.rank for m in self.mistakes)


class Search:
    """What explains the arrays ``given``, of which some are ``wrong``; ``names`` are all of them in order."""

    def __init__(
        self, case: Case, given: Given, names: Sequence[str], wrong: Sequence[str], watch: Watch | None = None
    ) -> None:
        self.given, self.names, self.wrong = given, names, wrong
        self.watch = watch
        kinds = [kind for kind in catalogue() if not kind.convention]
        self.fitted = [kind for kind in kinds if issubclass(kind, Fitted)]
        self.plain = [mistake for kind in kinds if not issubclass(kind, Fitted) for mistake in kind.sites(case, given)]
        self.start = Calculation(case)
        self._rows: dict[str, Array | slice] = {}
        self.needed = BITS + log2(len(self.plain) + len(self.fitted) * len(names))

    def explanations(self, *, whole: bool = False) -> list[Explanation]:
        """All that explain the most with the fewest mistakes, the likeliest first; of those that explain the whole
        gradient alone, none where that is asked for and there is none."""
        beam = [self._onward(Explanation(self.start, 0))]
        while beam[0].explained < len(self.names):
            further = self._further(beam)
            of_all = [e for e in further if e.explained == len(self.names) and not e.aside]
            if of_all:
                return sorted(of_all, key=lambda e: e.cost)
            if further:  # which may explain, with another mistake, what was left aside without it
                again = (Explanation(e.calculation, 0, without=e.without) if e.aside else e for e in further[:BEAM])
                beam = sorted((self._onward(e) for e in again), key=lambda e: (-e.explained, e.cost))
            elif whole:
                return []
            else:
                alike = [e for e in beam if e.explained == beam[0].explained]
                beam = self._aside(next((e for e in alike if not self._refuted(e)), beam[0]))
        found = [e for e in beam if e.explained == len(self.names) and e.aside == beam[0].aside]
        # where so many leave something, more is wrong than a few mistakes
        return [e for e in found if len(e.mistakes) < MOST_TOGETHER or not e.aside]

    def _further(self, beam: Sequence[Explanation]) -> list[Explanation]:
        """With one more mistake, those that explain most first."""
        fewer = [before for before in beam if len(before.mistakes) < MOST_TOGETHER]
        candidates = [(before, mistake) for before in fewer for mistake in self._candidates(before)]
        tried: list[Explanation | None] = []
        for at, (before, mistake) in enumerate(candidates):
            if self.watch:
                self.watch(beam[0].explained + at / len(candidates), len(self.names))
            tried.append(self._with(before, mistake))
        return sorted((e for e in tried if e is not None), key=lambda e: (-e.explained, e.cost))

    def _candidates(self, before: Explanation) -> Iterator[Mistake]:
        """The mistakes that may change the first array that is not explained."""
        name = self.names[before.explained]
        taken = {(type(m), m.layer) for m in before.mistakes}
        for mistake in chain(self.plain, *(self._fits(kind, before.calculation) for kind in self.fitted)):
            if mistake.touches(name) and (type(mistake), mistake.layer) not in taken:
                yield mistake

    def _fits(self, kind: type[Fitted], so_far: Calculation) -> list[Fitted]:
        try:
            return list(kind.fits(so_far, self.given))
        except ValueError:  # shapes that do not fit
            return []

    def _with(self, before: Explanation, mistake: Mistake) -> Explanation | None:
        """What a further mistake explains, if it explains more."""
        calculation = before.calculation.but(mistake)
        confirmed: list[tuple[Array, Array]] = []
        explained = 0
        for at, name in enumerate(self.names):
            untouched = mistake.last is not None and int(name[1:]) > mistake.last
            if name not in before.aside and not (at < before.explained and untouched):
                if self._is_far(calculation, name):
                    break
                tolerance = tolerance_of(calculation, name, self.given[name])
                if tolerance is None or not within(self.given[name], calculation.array(name), tolerance):
                    break
                if at >= before.explained:
                    confirmed.append((self.given[name], self._confirmed(before.calculation, mistake, name, tolerance)))
            explained += 1
        if explained <= before.explained:
            return None
        bits = np.concatenate([bits for _, bits in confirmed])
        if before.mistakes:
            first = np.unique(np.abs(np.concatenate([given.ravel() for given, _ in confirmed])), return_index=True)[1]
            bits = bits[first]
        enough = np.sort(bits)[: -mistake.fitted or None].sum() >= self.needed * len(calculation.mistakes)
        return Explanation(calculation, explained, before.aside, before) if enough else None

    def _is_far(self, calculation: Calculation, name: str) -> bool:
        """Whether a few rows of an array show, at little cost, that it is not what a calculation predicts."""
        given, rows = self.given[name], self._telling(name)
        try:
            predicted = calculation.some(name, rows)
            if predicted.shape != given[rows].shape or not np.isfinite(predicted).all():
                return True
            if surely_another(calculation, name, given, given[rows] - predicted):
                return True
            if name[0] == "b" or given.shape != self.start.array(name).shape:
                return False
            allowed = np.maximum(SLACK * calculation.error(name, rows), _least(calculation, given))
            return bool((np.abs(given[rows] - predicted) > allowed).any())
        except (ValueError, IndexError):  # shapes that do not fit
            return True

    def _telling(self, name: str) -> Array | slice:
        """The rows of an array of weights that are furthest from what is right; all of a bias."""
        if name not in self._rows:
            given, right = self.given[name], self.start.array(name)
            alike = name[0] == "w" and given.shape == right.shape
            far = np.abs(given - right).max(axis=1, initial=0) if alike else np.zeros(len(given))
            self._rows[name] = np.argsort(-far)[:TELLING] if name[0] == "w" else slice(None)
        return self._rows[name]

    def _confirmed(self, before: Calculation, mistake: Mistake, name: str, tolerance: Array) -> Array:
        """The bits of an array's entries. Those of the last output of a softmax follow from the others, since the sum
        of the outputs' derivatives is 0: a number that is fitted to one of two fits the other."""
        bits = _bits(before, name, self.given[name], tolerance)
        case = before.case
        if mistake.fitted and case.network.activation[-1] == "softmax" and int(name[1:]) == case.L and len(bits):
            bits[-1] = 0
        return bits.ravel()

    def _onward(self, e: Explanation) -> Explanation:
        """Past the arrays that it explains as it is; rounding is no excuse for those that have been found wrong."""
        at = e.explained
        while at < len(self.names):
            name = self.names[at]
            if (not e.mistakes and name in self.wrong) or not matches(e.calculation, self.given, name):
                break
            at += 1
        return replace(e, explained=at)

    def _aside(self, e: Explanation) -> list[Explanation]:
        """Past one array that nothing explains. A mistake that spoils an array that is right was none, and neither was
        one that is refuted."""
        while e.without is not None and (self.names[e.explained] not in self.wrong or self._refuted(e)):
            e = e.without
        aside = Explanation(e.calculation, e.explained + 1, e.aside | {self.names[e.explained]}, e.without)
        return [self._onward(aside)]

    def _refuted(self, e: Explanation) -> bool:
        """Whether the last mistake explains ∂C/∂b of a layer and nothing else: it makes a ∂C/∂w of it, too, but another
        than was given."""
        if e.without is None or e.explained != e.without.explained + 1:
            return False
        b, w = self.names[e.without.explained], self.names[e.explained]
        return b[1:] == w[1:] and e.mistakes[-1].touches(w)


def within(given: Array, right: Array, allowed: Array | float) -> bool:
    """Whether two arrays agree."""
    with np.errstate(invalid="ignore"):
        return given.shape == right.shape and bool((np.abs(given - right) <= allowed).all())


def tolerance_of(calculation: Calculation, name: str, given: Array) -> Array | None:
    """By how much one of the arrays may miss what a calculation with mistakes predicts; None where it predicts no such
    array."""
    try:
        predicted = calculation.array(name)
        if predicted.shape != given.shape or not np.isfinite(predicted).all():
            return None
        error = calculation.error(name)
    except ValueError:  # shapes that do not fit: the mistake cannot be made here
        return None
    if not np.isfinite(error).all():
        return None
    coarse = calculation.case.coarse.get(name, 0.0)  # a bound as it is: of digits, not of what rounding may add up to
    if error.shape == predicted.shape:
        allowed = SLACK * (error - coarse) + coarse
    else:
        allowed = SLACK * float((error - coarse).max(initial=0)) + float(np.max(coarse, initial=0))
    size = float(np.abs(predicted).max(initial=0)) + float(np.abs(given).max(initial=0))
    return np.broadcast_to(np.maximum(allowed, 4 * calculation.case.u * size), predicted.shape)


def surely_another(calculation: Calculation, name: str, given: Array, off: Array) -> bool:
    """Whether an array is further off what a calculation predicts than the sizes of its terms allow."""
    coarse = calculation.case.coarse.get(name, np.zeros(1))
    most = SLACK * calculation.most_error(name) + float(coarse.max(initial=0))
    return bool((np.abs(off) > max(most, _least(calculation, given))).any())


def _least(calculation: Calculation, given: Array) -> float:
    """What any array may be off by: what is predicted rightly is hardly larger than what was given."""
    return 4 * calculation.case.u * 2.1 * float(np.abs(given).max(initial=0))


def matches(calculation: Calculation, given: Given, name: str) -> bool:
    """Whether a calculation with mistakes predicts one of the arrays, within what rounding may do to it."""
    here = given[name]
    try:
        predicted = calculation.array(name)
        if predicted.shape != here.shape or surely_another(calculation, name, here, here - predicted):
            return False
    except ValueError:  # shapes that do not fit
        return False
    tolerance = tolerance_of(calculation, name, here)
    return tolerance is not None and within(here, predicted, tolerance)


def _bits(before: Calculation, name: str, given: Array, tolerance: Array) -> Array:
    """How much each entry confirms a prediction that comes true: it was off by so many times the tolerance before, and
    a number of that size falls into the tolerance by chance as rarely."""
    try:
        predicted = before.array(name)
    except ValueError:
        predicted = np.empty(0)
    off = np.abs(given - predicted) if predicted.shape == given.shape else np.full(given.shape, np.inf)
    return np.log2(np.maximum(off, tolerance) / tolerance).clip(max=64)
