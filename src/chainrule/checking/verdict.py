"""The verdict on a gradient, and its findings."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.mistake import Fitted, Given, Mistake
from chainrule.checking.right_line import line_of


@dataclass(frozen=True)
class Finding:
    """One mistake: in which arrays it shows, its name (None where nothing explains it), the evidence, the right
    line."""

    parameters: tuple[str, ...]
    bug: str | None
    layer: int | None
    says: str
    evidence: str
    fix: str
    equally: tuple[str, ...] = ()
    """Other mistakes that explain the same numbers."""

    factor: float | None = None
    """c where yours = c × exact, or c × what it would be without this mistake; None where it is no factor."""

    @classmethod
    def of(
        cls,
        case: Case,
        mistake: Mistake,
        wrong: Sequence[str],
        exact: Calculation,
        wrongly: Calculation,
        given: Given,
        right: Sequence[str],
        equally: tuple[str, ...] = (),
        others: Set[str] = frozenset(),
    ) -> "Finding":
        """The finding that a mistake explains what is wrong in some arrays, while others are right. In those of
        ``others`` there are further mistakes."""
        together = not others.isdisjoint(wrong)
        ratio = None if together else _ratio(wrong, exact, given)
        evidence = _evidence(mistake, wrong, exact, wrongly, given, ratio, together) + _agreement(wrong, right)
        equal = tuple(name for name in equally if name != mistake.name)
        factor = vars(mistake).get("factor") if ratio is None and isinstance(mistake, Fitted) else ratio
        return cls(
            _sorted(wrong), mistake.name, mistake.layer, mistake.said(case), evidence, mistake.line(case), equal, factor
        )

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "parameter": ", ".join(self.parameters), "parameters": list(self.parameters), "layer": self.layer,
            "bug": self.bug, "says": self.says, "evidence": self.evidence, "fix": self.fix,
            "equally": list(self.equally), "factor": self.factor,
        }  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Verdict:
    """Whether a gradient is right, to the precision of the calculation that made it, and what is wrong with it if
    not."""

    case: Case
    given: Given
    precision: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __bool__(self) -> bool:
        """Whether nothing is wrong."""
        return self.ok

    @cached_property
    def wrong(self) -> tuple[str, ...]:
        """The arrays that are wrong, in the article's order."""
        return _sorted({name for finding in self.findings for name in finding.parameters})

    @cached_property
    def worst(self) -> dict[str, float]:
        """The largest |yours − exact| of each array over its largest exact entry; inf where the shape is another."""
        exact = Calculation(self.case)
        return {name: distance(self.given[name], exact.array(name)) for name in _sorted(self.given)}

    def text(self) -> str:
        """For the terminal."""
        from chainrule.checking.verdict_text import text

        return text(self)

    def __str__(self) -> str:
        """For print."""
        return self.text()

    def __repr__(self) -> str:
        names = ", ".join(finding.bug or "unexplained" for finding in self.findings)
        return f"Verdict({'right' if self.ok else names})"

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok, "precision": self.precision, "findings": [finding.json() for finding in self.findings],
            "wrong": list(self.wrong), "notes": list(self.notes), "distance": self.worst,
        }  # fmt: skip


def _sorted(names: Sequence[str] | set[str] | Given) -> tuple[str, ...]:
    """In the article's order."""
    return tuple(sorted(names, key=lambda name: (int(name[1:]), name[0] == "b")))


def distance(given: Array, exact: Array) -> float:
    """The largest |given − exact| over the largest exact entry; inf where the shape is another."""
    if given.shape != exact.shape or not np.isfinite(given).all():
        return float("inf")
    largest = float(np.abs(exact).max(initial=0))
    with np.errstate(all="ignore"):
        off = float(np.abs(given - exact).max(initial=0))
    return off / largest if largest > 0 else (0.0 if off == 0 else float("inf"))


def _evidence(
    mistake: Mistake,
    wrong: Sequence[str],
    exact: Calculation,
    wrongly: Calculation,
    given: Given,
    ratio: float | None,
    together: bool,
) -> str:
    """In how many entries the prediction comes true, and to how many digits."""
    entries = sum(given[name].size for name in wrong)
    close = max((distance(given[name], wrongly.array(name)) for name in wrong), default=0.0)
    whole = "its one entry" if entries == 1 else f"all {entries:,} entries"
    digits = f"to {close:.0e}" if close else "exactly"
    relation = "is what these mistakes give together" if together else _relation(mistake, wrong, exact, ratio)
    return f"yours {relation} in {whole} of {', '.join(_sorted(wrong))}, {digits}"


def _relation(mistake: Mistake, wrong: Sequence[str], exact: Calculation, ratio: float | None) -> str:
    if ratio is not None:
        return f"= {ratio:.6g} × exact"
    if mistake.relation and {int(name[1:]) for name in wrong} == {mistake.layer}:
        each = ", example by example," if exact.case.n > 1 else ""
        return f"= {mistake.relation.format(l=mistake.layer)}{each}"
    return "is what this mistake gives"


def _agreement(wrong: Sequence[str], right: Sequence[str]) -> str:
    """What is right as it is."""
    last = max((int(name[1:]) for name in wrong), default=0)
    after = [name for name in right if int(name[1:]) > last]
    others = [name for name in right if name not in after]
    parts: list[str] = []
    if others:
        parts.append(f"{', '.join(_sorted(others))} {'is' if len(others) == 1 else 'are'} right")
    if after and len(after) == 2 * len({int(name[1:]) for name in after}):
        parts.append(f"everything after layer {last} agrees")
    return "".join(f"; {part}" for part in parts)


def _ratio(wrong: Sequence[str], exact: Calculation, given: Given) -> float | None:
    """c, where yours = c × exact for all."""
    ratios: list[Array] = []
    for name in wrong:
        right = exact.array(name)
        if right.shape != given[name].shape or not (right != 0).any():
            return None
        ratios.append((given[name][right != 0] / right[right != 0]).ravel())
    every = np.concatenate(ratios) if ratios else np.zeros(1)
    c = float(np.median(every))
    return c if c and float(np.abs(every / c - 1).max()) < 1e-6 else None


def unexplained(
    case: Case, given: Given, wrong: Sequence[str], calculation: Calculation | None = None
) -> tuple[Finding, ...]:
    """What is wrong in arrays that no mistake of the catalogue explains: where, and by how much."""
    calculation = calculation or Calculation(case)
    found: list[Finding] = []
    for name in _sorted(wrong):
        right = calculation.array(name)
        where = _where(name, given[name], right, calculation.error(name))
        fix = line_of(name, case)
        found.append(Finding((name,), None, int(name[1:]), where, _unexplained_by(name, given, right), fix))
    return tuple(found)


def nearly_right(case: Case, given: Given, wrong: Sequence[str], *, in_float32: bool) -> Finding:
    """That all arrays are as near as finite differences or float32 come: right ``in_float32``, or nearly."""
    exact = Calculation(case)
    far = {name: distance(given[name], exact.array(name)) for name in wrong}
    worst = max(far, key=lambda name: far[name])
    right = exact.array(worst)
    at = np.unravel_index(int(np.abs(given[worst] - right).argmax()), right.shape)
    close = f"every array agrees to {far[worst]:.0e} of its largest entry"
    if in_float32:
        says = (
            f"{close}: as good as finite differences or float32 are, not as a derivative in float64 is; if one of them "
            "made it, it is right"
        )
        fix = "nothing, if so: --precision float32"
    else:
        says = (
            f"{close}: as good as finite differences are, not as a derivative in float64 or float32 is; if they made "
            "it, nothing else is wrong"
        )
        fix = "nothing, if so; central differences come nearer"
    return Finding(_sorted(wrong), None, None, says, _furthest(worst, at, given[worst], right), fix)


def _unexplained_by(name: str, given: Given, right: Array) -> str:
    """What there is to see in numbers that nothing explains."""
    if not np.isfinite(given[name]).all():
        return _not_finite(name, given[name])
    not_finite = [f"d{other}" for other, array in given.items() if not np.isfinite(array).all()]
    if not_finite:
        are = "is" if len(not_finite) == 1 else "are"
        return f"mistakes are looked for only where all is finite; {', '.join(not_finite)} {are} not"
    return _pattern(name, given, right) or "no mistake of the catalogue gives these numbers, nor do three together"


def _not_finite(name: str, given: Array) -> str:
    """Which entries are NaN, or infinite."""
    kinds = {"NaN": np.isnan(given), "∞": given == np.inf, "−∞": given == -np.inf}
    parts: list[str] = []
    for kind, there in kinds.items():
        at = np.argwhere(there)
        if len(at) == given.size > 1:
            return f"every entry is {kind}"
        if len(at):
            parts.append(f"{_entries(name, at, given.size)} {'is' if len(at) == 1 else 'are'} {kind}")
    return "; ".join(parts)


def _pattern(name: str, given: Given, right: Array) -> str:
    """What the numbers have in common with others, or with each other."""
    here = given[name]
    if here.size > 1 and here.shape == right.shape and (right != 0).all():
        ratios = here / right
        c = float(np.median(ratios))
        if abs(c - 1) > 1e-6 and c and float(np.abs(ratios / c - 1).max()) < 1e-9:
            return f"yours = {c:.6g} × exact in all {here.size:,} entries, but no three mistakes explain all arrays"
    if here.size > 1 and (here == here.flat[0]).all():
        return f"every entry is {here.flat[0]:.10g}"
    copies = [other for other, array in given.items() if other != name and np.array_equal(array, here)]
    return f"it is the same as d{copies[0]}" if copies and here.size > 1 else ""


def _where(name: str, given: Array, right: Array, allowed: Array) -> str:
    """The entry, row, column or share of entries that is wrong."""
    if given.shape != right.shape:
        return f"d{name} has shape {given.shape}, expected {right.shape}"
    if not np.isfinite(given).all():
        at = np.argwhere(~np.isfinite(given))
        return f"d{name} is not finite in {_entries(name, at, given.size)}"
    if allowed.shape != right.shape:
        allowed = np.broadcast_to(allowed.max(initial=0), right.shape)
    bad = np.abs(given - right) > 2 * allowed
    if not bad.any():
        bad = np.abs(given - right) > allowed
    at = np.argwhere(bad)
    worst = np.unravel_index(int(np.where(bad, np.abs(given - right), 0).argmax()), right.shape)
    example = _furthest(name, worst, given, right)
    if len(at) == right.size:
        return f"every entry of d{name} is wrong; {example}"
    if right.ndim == 2 and len(at) > 1 and (at[:, 0] == at[0, 0]).all():
        return f"only row {at[0][0]} of d{name} is wrong, neuron {at[0][0]}; {example}"
    if right.ndim == 2 and len(at) > 1 and (at[:, 1] == at[0, 1]).all():
        return f"only column {at[0][1]} of d{name} is wrong, input {at[0][1]}; {example}"
    return f"d{name} is wrong in {_entries(name, at, right.size)}; {example}"


def _furthest(name: str, at: tuple[Any, ...], given: Array, right: Array) -> str:
    """An entry of yours and the exact one, to so many digits that two of them differ."""
    yours, exact = float(given[at]), float(right[at])
    off, largest = abs(yours - exact), max(abs(yours), abs(exact))
    digits = int(np.clip(np.ceil(np.log10(largest / off)) + 2, 10, 17)) if 0 < off < np.inf else 10
    place = f"{name}[{','.join(str(int(i)) for i in at)}]"
    return f"the furthest is {place}: yours {yours:.{digits}g}, exact {exact:.{digits}g}"


def _entries(name: str, at: Array, size: int) -> str:
    places = [f"{name}[{','.join(str(int(i)) for i in place)}]" for place in at[:3]]
    if len(at) <= 3:
        return " and ".join(places)
    return f"{len(at):,} of {size:,} entries, {', '.join(places)}, …"
