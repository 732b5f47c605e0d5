"""Whether a function is the gradient of a cost, from values of the cost alone: :func:`check_function`."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.function_cost import Cost, Point
from chainrule.checking.function_entry import Known, Yours, hindrance, judged
from chainrule.checking.function_given import called, epsilon, given_gradient
from chainrule.checking.function_names import Probe, named, reshaped, same_factor, size
from chainrule.checking.function_verdict import NOT_LOOKED_AT, Entry, FunctionFinding, FunctionVerdict
from chainrule.checking.slope import EPSILON
from chainrule.checks import number, require, shown, whole_number
from chainrule.errors import InputError

TOLERANCE = 1e-4
"""An entry this much of itself off is still right; ten times as much never is."""
ONE_BY_ONE = 64
"""So many entries are looked at one by one; of more, random directions first."""
FEW = 32
"""A group of so many entries that its own directions leave open is looked at one by one."""
MOST_WRONG, MOST_LOOKS, MOST_PROBES = 16, 128, 160
"""A search, of entries of like size in one array, ends after so many wrong ones, single ones or groups."""


def check_function(
    cost: Callable[[Any], Any],
    gradient: Callable[[Any], Any] | Mapping[str, Any] | Sequence[Any] | Array | float,
    at: Mapping[str, Any] | Sequence[Any] | Array | float,
    *,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    terms: Sequence[Callable[[Any], Any]] | None = None,
) -> FunctionVerdict:
    """Is ``gradient`` the gradient of ``cost`` at ``at``? Values of the cost alone decide.

    ``at`` is an array of any shape or a mapping of arrays by name; ``cost`` is called with float64 copies of it and
    returns a number; ``gradient`` is an array or arrays of the same shapes, or a function that returns them and is
    called like the cost. An entry is right where it is within ``tolerance`` of itself of what the cost's values say
    and these are surer than four times that; so an error of ten times the tolerance is never called right. It is wrong
    where neither the error of these values nor its own rounding explains the difference. At a kink every value between
    the two slopes is right. ``terms`` are functions whose sum is the cost: they tell whether one of them is missing.

    Of more than 64 entries, random directions (drawn from ``seed``) are looked at first, and single entries only where
    something is wrong.

    Raises InputError for a cost that raises or is no finite number at ``at``, for arrays that are not numbers, and for
    shapes that differ in a way that no mistake explains.
    """
    require(callable(cost), "cost", cost, "a function")
    whole_number("seed", seed, "a whole number, 0 or more", lambda n: n >= 0)
    number("tolerance", tolerance, "between 1e-12 and 0.01", lambda t: 1e-12 <= t <= 0.01)
    if terms is not None and not (isinstance(terms, Sequence) and len(terms) and all(callable(t) for t in terms)):
        raise InputError(f"terms: {shown(terms)} is not a list of functions whose sum is the cost")
    point = Point.of(at)
    values = Cost(cost, point, seed)
    given, notes = given_gradient(gradient, point)
    steady = not any("call" in note for note in notes)  # else its last digits say nothing of its rounding
    check = _Check(values, given, gradient if steady and callable(gradient) else None, seed, tolerance)
    findings = check.fit_shapes()
    check.examine()
    findings += check.names()
    findings += check.missing_terms(terms or (), seed)
    return check.verdict(findings, notes)


class _Check:
    """One check: the flat gradient, what is known of each entry, and how it was found."""

    def __init__(
        self, cost: Cost, given: dict[str, Array], again: Callable[[Any], Any] | None, seed: int, tolerance: float
    ) -> None:
        self.cost, self.point, self.given, self.again, self.tolerance = cost, cost.point, given, again, tolerance
        self.random = np.random.default_rng((seed, 1))
        self.n = len(cost.x)
        self.g = np.zeros(self.n)
        self.own = np.zeros(self.n)  # what its own rounding may make of an entry
        self.narrow = False
        self.status = np.full(self.n, NOT_LOOKED_AT)
        self.why: dict[int, str] = {}
        self.known: dict[int, Known] = {}
        self.group_why = ""
        self.misshapen: list[str] = []
        self.used_complex = False
        self._jitter: Array | None = None
        self._named_whole: list[FunctionFinding] = []
        start = 0
        self.span: dict[str, slice] = {}
        for name, shape in zip(self.point.names, self.point.shapes, strict=True):
            self.span[name] = slice(start, start + int(np.prod(shape)))
            start = self.span[name].stop
            if given[name].shape == shape:
                self._take(name, given[name])

    def _take(self, name: str, array: Array) -> None:
        flat = array.astype(np.float64).ravel()
        self.g[self.span[name]] = flat
        eps = epsilon(array)
        self.narrow = self.narrow or eps > 1e-10
        finite = np.abs(flat[np.isfinite(flat)])
        largest = float(finite.max(initial=0)) if eps > 1e-10 else 0.0
        self.own[self.span[name]] = 4 * eps * np.maximum(np.abs(np.nan_to_num(flat)), largest)

    # shapes ---------------------------------------------------------------------------------------

    def fit_shapes(self) -> list[FunctionFinding]:
        """The mistakes that gave arrays another shape; what they should have been is examined in their place.

        Raises InputError for a shape that no mistake explains.
        """
        found: list[FunctionFinding] = []
        for name, shape in zip(self.point.names, self.point.shapes, strict=True):
            yours = self.given[name]
            if yours.shape == shape:
                continue
            x = self.point.arrays(self.cost.x)[name]
            candidates = list(reshaped(name, x, yours.astype(np.float64)))
            probes = self._probes(name) if candidates else []
            right = [c for c in candidates if np.isfinite(c[2]).all() and all(probe.agrees(c[2]) for probe in probes)]
            if not right or not probes:
                raise InputError(f"gradient: {name} has shape {yours.shape}, and `at` has {shape}")
            bug, fix, array = right[0]
            said = (
                f"{name} has shape {shape} and yours {yours.shape}; changed as below, it agrees with the cost's values"
            )
            found.append(FunctionFinding(bug, (name,), said, fix))
            self.misshapen.append(name)
            self._take(name, np.asarray(array, dtype=yours.dtype))
        return found

    # what the cost's values say ------------------------------------------------------------------------

    def examine(self) -> None:
        """Decide every entry, as far as that goes."""
        if self.n <= ONE_BY_ONE:
            for i in range(self.n):
                self._one(i)
        else:
            self._many()
        for name in self.misshapen:
            self.status[self.span[name]] = "wrong"

    def _one(self, i: int) -> str:
        """Look at one entry."""
        if i in self.known:
            return self.known[i].status
        slope = self.cost.entry(i)
        by_complex = self.cost.complex_along(np.array([i]), np.ones(1))
        entry = Yours(float(self.g[i]), float(self.own[i]), self.tolerance, lambda: self._jitter_of(i))
        known = judged(entry, slope, by_complex, hindrance(self.cost, slope))
        self.used_complex = self.used_complex or known.by_complex
        self.known[i] = known
        self.status[i] = known.status
        self.why[i] = known.why
        return known.status

    def _jitter_of(self, i: int) -> float:
        """How much the given gradient changes where x does in its last digits: what it may have lost by rounding."""
        if self.again is None:
            return 0.0
        if self._jitter is None:
            moved: list[Array] = []
            for _ in range(5):
                shift = self.random.integers(1, 5, self.n) * self.random.choice([-1, 1], self.n)
                arrays, _ = called(self.again, self.point, self.cost.x * (1 + shift * EPSILON))
                if any(arrays[name].shape != self.given[name].shape for name in arrays):
                    return 0.0
                if self.misshapen:
                    break
                flat = np.concatenate([arrays[name].astype(np.float64).ravel() for name in self.point.names])
                moved.append(np.abs(flat - self.g))
            self._jitter = np.median(moved, axis=0) if moved else np.zeros(self.n)
        jitter = float(self._jitter[i])
        return 4 * jitter if isfinite(jitter) else 0.0

    # many entries ---------------------------------------------------------------------------------------

    def _many(self) -> None:
        """Random directions first; where these differ, halves, quarters, … down to the entries that are wrong."""
        everything = np.arange(self.n)
        for i in np.flatnonzero(~np.isfinite(self.g))[:MOST_WRONG]:
            self._one(int(i))
        bad = ~np.isfinite(self.g)
        self.status[bad] = "wrong"
        finite = everything[~bad]
        trusted = self._complex_is_trusted(finite)
        for name, span in self.span.items():
            inside = finite[(finite >= span.start) & (finite < span.stop)]
            if not len(inside):
                continue
            for group in self._groups(inside, trusted):
                self._decide(name, group, trusted)

    def _complex_is_trusted(self, at: Array) -> bool:
        """Whether complex steps agree with differences in random directions, closely."""
        for _ in range(2):
            if not len(at):
                return False
            weights = self._signs(len(at)) * self.cost.units[at]
            by_complex = self.cost.complex_along(at, weights)
            if by_complex is None:
                return False
            slope = self.cost.along(at, weights)
            if slope.kink or not slope.error <= 1e-5 * abs(slope.value):
                return False
            if abs(by_complex[0] - slope.value) > slope.error + by_complex[1]:
                return False
        self.used_complex = True
        return True

    def _signs(self, n: int) -> Array:
        """Random numbers of sizes from 1 to 2, in few digits, so that x ± h·weight is exact."""
        return self.random.choice([-1.0, 1.0], n) * self.random.integers(16, 32, n) / 16

    def _groups(self, at: Array, trusted: bool) -> list[Array]:
        """Entries whose shares |g|·unit are alike, so that an error in any of them shows.

        All of them for complex steps, whose directions are divided by the shares.
        """
        if trusted:
            return [at]
        share = np.abs(self.g[at]) * self.cost.units[at]
        groups = [at[share == 0]] if (share == 0).any() else []
        if share.any():
            with np.errstate(divide="ignore"):
                level = np.floor(np.log2(share.max() / share) / 5)
            level = np.minimum(level, 6)
            groups += [at[(level == k) & (share > 0)] for k in range(7)]
        return [group for group in groups if len(group)]

    def _decide(self, name: str, group: Array, trusted: bool) -> None:
        """Decide a group of one array: agree, or find what does not."""
        found, why = self._probe(group, trusted)
        if found == "right":
            self.status[group] = "right"
            return
        if found == "off" and len(group) > FEW and self._name_whole(name):
            return
        left = [(group, found, why)]
        wrong = looks = probes = 0
        while left:
            part, found, why = left.pop()
            if found == "right":
                self.status[part] = "right"
            elif wrong >= MOST_WRONG or looks >= MOST_LOOKS or probes >= MOST_PROBES:
                self.group_why = (
                    self.group_why or why or "in a group where something is wrong; not looked at one by one"
                )
            elif len(part) == 1 or (found == "unclear" and len(part) <= FEW):
                looks += len(part)
                wrong += sum(self._one(int(i)) == "wrong" for i in part)
            else:
                if found == "unclear":  # because of the small ones: apart from the large ones they may show
                    part = part[np.argsort(-np.abs(self.g[part]) * self.cost.units[part])]
                for half in np.array_split(part, 2):
                    probes += 1
                    found, why = self._probe(half, trusted) if len(half) > 1 else ("off", "")
                    left.append((half, found, why))

    def _probe(self, at: Array, trusted: bool) -> tuple[str, str]:
        """Whether a group agrees with the cost in two random directions: right, off, or unclear with the reason."""
        g, units = self.g[at], self.cost.units[at]
        share = np.abs(g) * units
        if trusted:
            typical = float(np.median(share[share > 0])) if share.any() else 1.0
            least = max(share.max(initial=0) * (1e-3 if self.narrow else 1e-9), 1e-300)
            scale = units / np.where(share > 0, np.maximum(share, least), max(typical, least))
        else:
            scale = units
        for _ in range(2):
            weights = self._signs(len(at)) * scale
            if trusted:
                by_complex = self.cost.complex_along(at, weights)
                if by_complex is None:
                    return "off", ""
                value, error, swing, why = *by_complex, float("inf"), ""
                error += 8 * EPSILON * float(np.abs(weights * g).sum())
            else:
                slope = self.cost.along(at, weights)
                if slope.kink or slope.passed:
                    return "off", slope.why
                value, error, swing, why = slope.value, slope.error, slope.swing, hindrance(self.cost, slope)
                if not isfinite(value):
                    return "unclear", why
                if slope.flat and not g.any():
                    continue
                swing *= units.min()
            off = abs(value - float(weights @ g))
            terms = np.abs(weights * g)
            smallest = float(terms[terms > 0].min(initial=np.inf))
            if not g.any():
                if off > error:
                    return "off", why
                if not (trusted or error <= 1e-6 * swing):
                    return "unclear", why
                continue
            if off > error + self.tolerance * smallest + size(weights * self.own[at]):
                return "off", why
            if off + error > 5 * self.tolerance * smallest:
                return "unclear", why or "too small beside the others for the cost's last digit to show"
        return "right", ""

    def _probes(self, name: str) -> list[Probe]:
        """What the cost says of one array: of entries where they are known, of random directions where they are not."""
        span = self.span[name]
        at: Array = np.arange(self.n)[span]
        probes = [
            Probe(np.array([i - span.start]), np.ones(1), self.known[i].value, self.known[i].error)
            for i in range(span.start, span.stop)
            if i in self.known and not self.known[i].why.startswith("a kink")
        ]
        if len(probes) == len(at) or (self.n <= ONE_BY_ONE and self.known):
            return probes
        found: list[Probe] = []
        for _ in range(4):
            weights = self._signs(len(at)) * self.cost.units[at]
            slope = self.cost.along(at, weights)
            if isfinite(slope.value) and not slope.kink:
                found.append(Probe(at - span.start, weights, slope.value, slope.error))
        return found

    def _name_whole(self, name: str) -> bool:
        """Whether one mistake explains a whole large array, so that none of its entries need be looked for."""
        if any(name in finding.arrays for finding in self._named_whole):
            return True
        finding = self._named(name, self._probes(name))
        if finding is None:
            return False
        self._named_whole.append(finding)
        span = self.span[name]
        largest = span.start + int(np.argmax(np.abs(self.g[span])))
        self._one(largest)
        self.status[span] = "wrong"
        return True

    # names ---------------------------------------------------------------------------------------------

    def _named(self, name: str, probes: list[Probe]) -> FunctionFinding | None:
        arrays, given = self.point.arrays(self.cost.x), self.point.arrays(self.g)
        others = {other: array for other, array in given.items() if other != name}
        with np.errstate(all="ignore"):  # what overflows agrees with nothing
            return named(name, arrays[name], given[name], probes, others)

    def names(self) -> list[FunctionFinding]:
        """The mistakes in the arrays that have wrong entries."""
        found: list[FunctionFinding] = list(self._named_whole)
        done = {name for finding in found for name in finding.arrays} | set(self.misshapen)
        for name, span in self.span.items():
            if name in done or not (self.status[span] == "wrong").any():
                continue
            finding = None
            if (span.stop - span.start) <= ONE_BY_ONE or not (self.status[span] == "right").any():
                finding = self._named(name, self._probes(name))
            if finding is None:
                wrong = [i for i in range(span.start, span.stop) if i in self.known and self.status[i] == "wrong"]
                right = np.array([self.known[i].value for i in wrong])
                flat = np.array(wrong, dtype=int) - span.start
                finding = same_factor(name, self.point.arrays(self.g)[name], flat, right)
            if finding is not None:
                found.append(finding)
        return _merged(found)

    def missing_terms(self, terms: Sequence[Callable[[Any], Any]], seed: int) -> list[FunctionFinding]:
        """Whether what was given is the gradient of some of the terms only."""
        wrong = [i for i in self.known if self.known[i].status == "wrong"][:MOST_WRONG]
        if len(terms) < 2 or not wrong:
            return []
        slopes = np.array([[term.entry(i).value for i in wrong] for term in (Cost(t, self.point, seed) for t in terms)])
        g, allowed = self.g[wrong], self.tolerance * np.abs(slopes).sum(axis=0)
        arrays = tuple(name for name, s in self.span.items() if any(s.start <= i < s.stop for i in wrong))
        for k in range(len(terms)):
            if np.all(np.abs(g - slopes[k]) <= allowed):
                said = f"yours is the gradient of term {k} alone in all {len(wrong)} wrong entries looked at"
                return [FunctionFinding("overwritten for accumulated", arrays, said, "+= where = is")]
        for k in range(len(terms)):
            if np.all(np.abs(g - (slopes.sum(axis=0) - slopes[k])) <= allowed):
                said = f"yours is the gradient of all terms but term {k} in all {len(wrong)} wrong entries looked at"
                return [FunctionFinding(f"term {k} is missing", arrays, said, f"add the gradient of term {k}")]
        return []

    def verdict(self, findings: list[FunctionFinding], notes: list[str]) -> FunctionVerdict:
        """Everything that was found."""
        order = {"wrong": 0, "undecided": 1, "right": 2}
        entries = [
            Entry(self.point.place(i), str(self.status[i]), float(self.g[i]), known.value, known.error, known.why)
            for i, known in self.known.items()
            if not any(self.span[name].start <= i < self.span[name].stop for name in self.misshapen)
        ]
        entries.sort(key=lambda e: (order[e.status], -e.distance))
        wrong, right = (self.status == "wrong").any(), (self.status == "right").all()
        ok = False if wrong else True if right else None
        reason = ""
        if ok is None:
            open_ones = [i for i in self.known if self.known[i].status == "undecided"]
            reason = (self.why[open_ones[0]] if open_ones else "") or self.group_why or "not known closely enough"
            n = int((self.status != "right").sum())
            where = self.point.place(open_ones[0]) if n == 1 and open_ones else f"{n:,} of {self.n:,} entries"
            reason = f"{where}: {reason}"
        unseen = int((self.status == NOT_LOOKED_AT).sum())
        if unseen:
            notes.append(
                f"{len(self.known):,} of {self.n:,} entries were looked at one by one; {unseen:,} were not looked at, "
                f"as a search ends after {MOST_WRONG} wrong entries, {MOST_LOOKS} entries or {MOST_PROBES} groups. "
                f"To look at more, {'correct what is wrong and check again, or ' if wrong else ''}check "
                f"{ONE_BY_ONE} entries or fewer at a time: each of so few is looked at"
            )
        if self.cost.mutates:
            notes.append("cost changes its argument; it was given a copy each time")
        if self.cost.noise:
            notes.append(f"the cost is noisy: at the same place, two of its values are {self.cost.noise:.1e} apart")
        oracle = "central differences, extrapolated"
        if self.used_complex:
            oracle = "complex steps, which central differences confirm"
        return FunctionVerdict(
            ok, reason, tuple(findings), self.point.arrays(self.status), tuple(entries), oracle, self.cost.evaluations,
            self.cost.noise, self.tolerance, tuple(notes),
        )  # fmt: skip


def _merged(findings: list[FunctionFinding]) -> list[FunctionFinding]:
    """The same mistake in several arrays, once."""
    merged: dict[str, FunctionFinding] = {}
    for finding in findings:
        same = merged.get(finding.bug)
        if same is not None:
            finding = FunctionFinding(same.bug, (*same.arrays, *finding.arrays), same.evidence, same.fix)
        merged[finding.bug] = finding
    return list(merged.values())
