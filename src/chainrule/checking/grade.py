"""A folder of submissions by a rubric: which arrays of each are right, the mistake in those that are not, points."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import layout
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.check import check_examples
from chainrule.checking.files import content, naming, parsed, suffix
from chainrule.checking.mistake import Given
from chainrule.checking.rubric import Item, Rubric
from chainrule.checking.submissions import Submission, submissions
from chainrule.checking.verdict import Finding, Verdict
from chainrule.errors import ChainruleError, InputError
from chainrule.model.model import Examples, Model, alone

Watcher = Callable[[int, int], None]
"""Called with how many are graded, and of how many."""

_LIKE = 1e-6
"""Entries are the same where they differ by less, relative to the largest: to tell a constant from numbers, not
right from wrong."""

_NOT_ROUNDING = 1e-3
"""What :mod:`chainrule.checking.check` takes for another convention and not for rounding."""


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
class Grade:
    """What one submission came to; ``error`` where it could not be read."""

    submission: Submission
    points: float
    marks: tuple[Mark, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    numbers: str = ""
    """A digest of the numbers, or of the bytes where there are none."""
    same_as: tuple[str, ...] = ()
    """Others with the same numbers, where those are wrong."""

    @property
    def ok(self) -> bool:
        """Whether all of it is right."""
        return not self.error and all(mark.ok for mark in self.marks)


@dataclass(frozen=True)
class Grades:
    """All grades, in the order of the names; ``of`` is the most points that there are, ``left`` names the files of
    other kinds that lay beside the submissions."""

    of: float
    parameters: tuple[str, ...]
    grades: tuple[Grade, ...]
    left: tuple[str, ...] = ()

    def text(self) -> str:
        """For the terminal."""
        from chainrule.checking.grade_text import text

        return text(self)

    def csv(self) -> str:
        """For a spreadsheet."""
        from chainrule.checking.grade_text import csv

        return csv(self)

    def json(self) -> dict[str, Any]:
        """For JSON."""
        from chainrule.checking.grade_text import record

        return record(self)


def grade(
    rubric: Rubric,
    model: Model,
    examples: Examples,
    folder: str | Path,
    others: Collection[Path] = (),
    watch: Watcher | None = None,
) -> Grades:
    """Grade every submission in a folder; ``others`` are files in it that are none.

    Raises InputError for a rubric that does not fit the model, for no folder, and where zeros would be right.
    """
    if rubric.example is not None:
        with naming(rubric.path):
            model, examples = alone(model, examples, rubric.example)
    items = rubric.items(model.network)
    case = Case.of(model, examples)
    names = tuple(block.name for block in layout(case.network))
    calculation = Calculation(case)
    exact = {name: calculation.array(name) for name in names}
    if not any(array.any() for array in exact.values()):
        raise InputError(
            f"{rubric.file}: every entry of its gradient is 0, which anybody can hand in; change the problem"
        )
    found, left = submissions(folder, others)
    grades: list[Grade] = []
    for done, submission in enumerate(found):
        if watch is not None:
            watch(done, len(found))
        grades.append(_grade(rubric, model, examples, exact, items, submission))
    return Grades(sum(item.points for item in items), names, _compared(grades), tuple(left))


def _grade(
    rubric: Rubric, model: Model, examples: Examples, exact: Given, items: Sequence[Item], submission: Submission
) -> Grade:
    """One of them. Whatever is wrong with it is its error: the others are graded all the same."""
    path = submission.path
    most = 2**20 + 64 * model.network.n_parameters  # a number with its indentation is some 30 characters in JSON
    digest = ""
    try:
        if submission.error:
            raise InputError(submission.error)
        suffix(path)
        read = content(path, most, follow=False)
        digest = hashlib.sha256(read).hexdigest()
        with np.errstate(all="ignore"):
            verdict = check_examples(model, examples, parsed(path, read, most), precision=rubric.precision)
            marks = _marks(rubric, verdict, exact)
    except ChainruleError as error:
        return Grade(
            submission, 0.0, error=str(error).removeprefix(f"{path}: ").removeprefix("gradients: "), numbers=digest
        )
    except MemoryError:
        return Grade(submission, 0.0, error="larger than the memory of this machine", numbers=digest)
    except Exception as error:  # a fault of ours must not cost the teacher the grades of all others
        why = f"could not be judged, which is a fault of chainrule: {type(error).__name__}: {error}"
        return Grade(submission, 0.0, error=why, numbers=digest)
    points = sum(item.points * _part(item, marks, rubric.credit) for item in items)
    return Grade(submission, points, tuple(marks.values()), verdict.findings, verdict.notes, "", _digest(verdict.given))


# marks ---------------------------------------------------------------------------------------------


def _marks(rubric: Rubric, verdict: Verdict, exact: Given) -> dict[str, Mark]:
    """Each array's mark. No rounding bound is so wide that zeros, a constant or another array would pass."""
    marks: dict[str, Mark] = {}
    for name in exact:
        findings = [finding for finding in verdict.findings if name in finding.parameters]
        guessed = _guessed(name, verdict, exact)
        if guessed:
            marks[name] = Mark(name, guessed)
        elif findings:
            why = ", ".join(dict.fromkeys(finding.bug or "unexplained" for finding in findings))
            marks[name] = Mark(name, why, tuple((finding.bug or "", *finding.equally) for finding in findings))
        elif rubric.conventions == "ours" and verdict.worst[name] > _NOT_ROUNDING and _other(verdict):
            marks[name] = Mark(name, "kink-convention", (("kink-convention",),))
        else:
            marks[name] = Mark(name)
    if not any(mark.ok and exact[name].any() for name, mark in marks.items()):
        for name, mark in marks.items():
            if mark.ok:
                marks[name] = Mark(name, "0 is right here, but nothing else is")
    return marks


def _other(verdict: Verdict) -> bool:
    """Whether another slope was taken at a kink."""
    return any("is a convention" in note for note in verdict.notes)


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


def _part(item: Item, marks: Mapping[str, Mark], credit: Mapping[str, float]) -> float:
    """The part of an item's points that is given: all, or the least that is left by a mistake in it.

    Of mistakes that give the same numbers, the one that leaves the most counts.
    """
    part = 1.0
    for mark in (marks[name] for name in item.parameters):
        if not mark.ok:
            left = [max(credit.get(name, 0.0) for name in names) for names in mark.bugs]
            part = min([part, *(left or [0.0])])
    return part


# the same numbers ----------------------------------------------------------------------------------


def _digest(given: Given) -> str:
    digest = hashlib.sha256()
    for name in sorted(given):
        numbers = given[name].astype(np.float64) + 0.0  # −0 is 0
        digest.update(f"{name} {numbers.shape} ".encode())
        digest.update(numbers.tobytes())
    return digest.hexdigest()


def _compared(grades: Sequence[Grade]) -> tuple[Grade, ...]:
    """With the others that have the same numbers, where those are wrong: who is right has them by right."""
    names: dict[str, list[str]] = {}
    for one in grades:
        if one.numbers and not one.ok:
            names.setdefault(one.numbers, []).append(one.submission.name)
    same = (
        tuple(name for name in names.get(one.numbers, ()) if name != one.submission.name and not one.ok)
        for one in grades
    )
    return tuple(replace(one, same_as=others) for one, others in zip(grades, same, strict=True))
