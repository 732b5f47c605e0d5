"""A folder of submissions by a rubric: which arrays of each are right, the mistake in those that are not, points."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.checking.case import Case
from chainrule.checking.check import check_examples
from chainrule.checking.files import content, naming, parsed, suffix
from chainrule.checking.marks import Key, Mark, marks
from chainrule.checking.mistake import Given
from chainrule.checking.rubric import Item, Rubric
from chainrule.checking.submissions import Submission, submissions
from chainrule.checking.verdict import Finding
from chainrule.errors import ChainruleError, InputError
from chainrule.model.model import Examples, Model, alone

Watcher = Callable[[int, int], None]
"""Called with how many are graded, and of how many."""


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
    other kinds that lay beside the submissions, ``hidden`` the arrays that rounding may change as much as they are."""

    of: float
    parameters: tuple[str, ...]
    grades: tuple[Grade, ...]
    left: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

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
    key = Key.of(Case.of(model, examples))
    if not any(array.any() for array in key.exact.values()):
        raise InputError(
            f"{rubric.file}: every entry of its gradient is 0, which anybody can hand in; change the problem"
        )
    found, left = submissions(folder, others)
    grades: list[Grade] = []
    for done, submission in enumerate(found):
        if watch is not None:
            watch(done, len(found))
        grades.append(_grade(rubric, model, examples, key, items, submission))
    of = sum(item.points for item in items)
    hidden = tuple(name for name in key.exact if key.hides(name))
    return Grades(of, tuple(key.exact), _compared(grades), tuple(left), hidden)


def _grade(
    rubric: Rubric, model: Model, examples: Examples, key: Key, items: Sequence[Item], submission: Submission
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
            given = parsed(path, read, most)
            verdict = check_examples(model, examples, given, precision=rubric.precision, partial=True)
            marked = marks(verdict, key, rubric.conventions)
    except ChainruleError as error:
        return Grade(
            submission, 0.0, error=str(error).removeprefix(f"{path}: ").removeprefix("gradients: "), numbers=digest
        )
    except MemoryError:
        return Grade(submission, 0.0, error="larger than the memory of this machine", numbers=digest)
    except Exception as error:  # a fault of ours must not cost the teacher the grades of all others
        why = f"could not be judged, which is a fault of chainrule: {type(error).__name__}: {error}"
        return Grade(submission, 0.0, error=why, numbers=digest)
    points = sum(item.points * _part(item, marked, rubric.credit) for item in items)
    return Grade(
        submission, points, tuple(marked.values()), verdict.findings, verdict.notes, "", _digest(verdict.given)
    )


def _part(item: Item, marked: Mapping[str, Mark], credit: Mapping[str, float]) -> float:
    """The part of an item's points that is given: all, or the least that is left by a mistake in it.

    Of mistakes that give the same numbers, the one that leaves the most counts.
    """
    part = 1.0
    for mark in (marked[name] for name in item.parameters):
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
