"""Grades for the terminal, for a spreadsheet and as JSON. Names of files are whatever students made them."""

from typing import Any

from chainrule.checking.grade import Grade, Grades
from chainrule.checking.verdict import Finding
from chainrule.render.csv_text import csv_text
from chainrule.render.text import COLUMNS, columns, printable, width, wrapped

_NAME = 24
"""The widest name that the terminal shows whole."""

HIDDEN = (
    "rounding may change as much of it as there is, a neuron being saturated; only numbers near the exact ones get "
    "points. Choose other numbers for the problem"
)
"""What is to be said of arrays in which a right calculation may get lost."""

_LEFT = 6
"""So many files that were left alone are named."""


def text(grades: Grades) -> str:
    """A line for each submission, and a summary."""
    rows = [["submission", "points", "wrong", ""]]
    rows += [[_cut(_name(one), _NAME), _number(one.points), *_what(one)] for one in grades.grades]
    wrong = max(width(row[2]) for row in rows)
    if wrong > _NAME:
        rows = [[*row[:2], _cut(row[2], _NAME), row[3]] for row in rows]
    lines = [_cut(line, COLUMNS) for line in columns(rows, right=(False, True, False, False))]
    return "\n".join([*lines, "", _summary(grades), *_notes(grades)])


def _what(one: Grade) -> list[str]:
    """Which arrays are wrong, and why."""
    why = list(dict.fromkeys(mark.why for mark in one.marks if not mark.ok))
    same = [f"same numbers as {_others(one)}"] if one.same_as else []
    if one.error:
        return ["-", printable("; ".join([one.error, *same]))]
    return [", ".join(mark.parameter for mark in one.marks if not mark.ok), "; ".join([*why, *same])]


def _summary(grades: Grades) -> str:
    n = len(grades.grades)
    right = sum(one.ok for one in grades.grades)
    unread = sum(bool(one.error) for one in grades.grades)
    mean = sum(one.points for one in grades.grades) / n
    counts = f"{right} right, {n - right - unread} wrong, {unread} not read"
    return f"{n} submission{'s' * (n > 1)}: {counts}; {mean:.3g} of {_number(grades.of)} points on average"


def _notes(grades: Grades) -> list[str]:
    """The arrays that tell little, and the files that were no submissions."""
    lines: list[str] = []
    if grades.hidden:
        names = ", ".join(grades.hidden)
        lines += wrapped(f"note: {names}: {HIDDEN}", 6)
    if grades.left:
        more = f" and {len(grades.left) - _LEFT} more" if len(grades.left) > _LEFT else ""
        names = ", ".join(_cut(printable(name), _NAME) for name in grades.left[:_LEFT])
        lines += wrapped(f"note: left alone, no gradients by their kind: {names}{more}", 6)
    return lines


def csv(grades: Grades) -> str:
    """A row for each submission: points, each array's mark, the mistakes in words."""
    header = ["submission", "points", "of", "verdict", *grades.parameters, "says", "evidence", "change"]
    rows: list[list[Any]] = []
    for one in grades.grades:
        marks = {mark.parameter: "right" if mark.ok else mark.why for mark in one.marks}
        rows.append(
            [
                _name(one),
                _points(one.points),
                _points(grades.of),
                _verdict(one),
                *(marks.get(name, "") for name in grades.parameters),
                printable(one.error) if one.error else "; ".join(_says(finding) for finding in one.findings),
                "; ".join(finding.evidence for finding in one.findings),
                "; ".join(finding.fix for finding in one.findings),
                _others(one),
                printable(str(one.submission.path)),
            ]
        )
    return csv_text([*header, "same numbers as", "file"], rows)


def record(grades: Grades) -> dict[str, Any]:
    """For JSON."""
    return {
        "of": _points(grades.of),
        "hidden": list(grades.hidden),
        "left_alone": [printable(name) for name in grades.left],
        "grades": [
            {
                "submission": _name(one),
                "file": printable(str(one.submission.path)),
                "points": _points(one.points),
                "ok": one.ok,
                "verdict": _verdict(one),
                "parameters": {mark.parameter: {"ok": mark.ok, "why": mark.why} for mark in one.marks},
                "findings": [finding.json() for finding in one.findings],
                "notes": list(one.notes),
                "same_numbers_as": [printable(name) for name in one.same_as],
                "error": printable(one.error) or None,
            }
            for one in grades.grades
        ],
    }


def _says(finding: Finding) -> str:
    """What it says, and the names of other mistakes that explain the same numbers."""
    return " or ".join([finding.says, *finding.equally])


def _verdict(one: Grade) -> str:
    return "error" if one.error else "right" if one.ok else "wrong"


def _name(one: Grade) -> str:
    return printable(one.submission.name)


def _others(one: Grade) -> str:
    """The first others with the same numbers, and how many more."""
    more = f" and {len(one.same_as) - 3} more" if len(one.same_as) > 3 else ""
    return ", ".join(map(printable, one.same_as[:3])) + more


def _points(points: float) -> float:
    """Without what thirds leave behind."""
    return round(points, 10)


def _number(points: float) -> str:
    return f"{_points(points):.6g}"


def _cut(line: str, most: int) -> str:
    """Cut short to so many cells of a terminal."""
    if width(line) <= most:
        return line
    while width(line) > most - 1:
        line = line[:-1]
    return line + "…"
