"""The verdict on a gradient of any function, and how it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.calculus.arrays import Array
from chainrule.render.numbers import significant
from chainrule.render.text import columns, wrapped

SHOWN = 8
NOT_LOOKED_AT = "not looked at"
"""Neither by itself nor in a group that is right: where the search for wrong entries ended before."""
STATUSES = ("right", "wrong", "undecided", NOT_LOOKED_AT)


@dataclass(frozen=True)
class Entry:
    """One entry of the gradient: yours, what cost values say, what those may err by, and what follows."""

    name: str
    status: str
    """``right``, ``wrong`` or ``undecided``."""
    yours: float
    oracle: float
    """NaN where cost values say nothing."""
    error: float
    why: str = ""

    @property
    def distance(self) -> float:
        """|yours − oracle| beyond the error, as a share of the larger one."""
        off = abs(self.yours - self.oracle) - self.error
        largest = max(abs(self.yours), abs(self.oracle))
        if off != off:
            return float("inf")
        return max(off, 0.0) / largest if largest > 0 else 0.0

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name, "status": self.status, "yours": self.yours, "oracle": self.oracle, "error": self.error,
            "why": self.why,
        }  # fmt: skip


@dataclass(frozen=True)
class FunctionFinding:
    """A mistake that has a name, in which arrays, with the evidence and what to change."""

    bug: str
    arrays: tuple[str, ...]
    evidence: str
    fix: str

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {"bug": self.bug, "arrays": list(self.arrays), "evidence": self.evidence, "fix": self.fix}


@dataclass(frozen=True, eq=False, repr=False)
class FunctionVerdict:
    """Whether a gradient is that of a cost, as far as values of the cost can tell; not decided is not ok."""

    ok: bool | None
    """True: every entry is right. False: some are wrong. None: none is known to be wrong, nor all to be right."""
    reason: str
    """Why it is undecided; empty otherwise."""
    findings: tuple[FunctionFinding, ...]
    status: Mapping[str, Array]
    """``right``, ``wrong``, ``undecided`` or ``not looked at`` for each entry, by array, in the array's shape."""
    entries: tuple[Entry, ...]
    """Those looked at one by one: the wrong ones, then the undecided, then the right, the furthest first."""
    oracle: str
    evaluations: int
    """How many times the cost was called, with complex numbers or real ones."""
    noise: float
    """How far two values of the cost at the same place are apart; 0 for almost every cost."""
    tolerance: float
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        """Whether it is right; False where it is undecided."""
        return self.ok is True

    @property
    def worst(self) -> tuple[Entry, ...]:
        """The few furthest entries."""
        return self.entries[:SHOWN]

    def count(self, status: str) -> int:
        """How many entries are ``right``, ``wrong``, ``undecided`` or ``not looked at``."""
        return sum(int((array == status).sum()) for array in self.status.values())

    def text(self) -> str:
        """For the terminal."""
        lines = wrapped(self._headline())
        if self.ok is not True:
            counts = {s: self.count(s) for s in STATUSES}
            lines += wrapped(", ".join(f"{n:,} {s}" for s, n in counts.items() if n or s != NOT_LOOKED_AT))
            shown = [entry for entry in self.worst if entry.status != "right"]
            if shown:
                lines += ["", *_table(shown)]
                for why in dict.fromkeys(entry.why for entry in shown if entry.why):
                    first = next(entry.name for entry in shown if entry.why == why)
                    lines += wrapped(f"  {first}: {why}", 4)
        for finding in self.findings:
            lines += ["", *wrapped(f"{', '.join(finding.arrays)}: {finding.bug}")]
            lines += wrapped(f"evidence: {finding.evidence}", 10)
            lines += wrapped(f"change:   {finding.fix}", 10)
        lines += ["", *wrapped(f"oracle: {self.oracle}; the cost was called {self.evaluations:,} times", 8)]
        for note in self.notes:
            lines += wrapped(f"note: {note}", 6)
        return "\n".join(lines)

    def _headline(self) -> str:
        total = sum(array.size for array in self.status.values())
        if self.ok:
            return f"right: {_entries(total)} within {self.tolerance:g} of what the cost's values say"
        if self.ok is None:
            return f"undecided: {self.reason}"
        names = list(dict.fromkeys(finding.bug for finding in self.findings))
        return f"wrong: {' and '.join(names) or 'no mistake that has a name'}"

    def __str__(self) -> str:
        """For print."""
        return self.text()

    def __repr__(self) -> str:
        return f"FunctionVerdict({'right' if self.ok else 'undecided' if self.ok is None else 'wrong'})"

    def json(self) -> dict[str, Any]:
        """For JSON: the counts, the findings and the entries looked at one by one that are not right."""
        return {
            "ok": self.ok, "reason": self.reason, "findings": [finding.json() for finding in self.findings],
            "counts": {s: self.count(s) for s in STATUSES},
            "entries": [entry.json() for entry in self.entries if entry.status != "right"],
            "oracle": self.oracle, "evaluations": self.evaluations, "noise": self.noise, "tolerance": self.tolerance,
            "notes": list(self.notes),
        }  # fmt: skip


def _entries(n: int) -> str:
    return "the one entry is" if n == 1 else f"all {n:,} entries are"


def _table(entries: list[Entry]) -> list[str]:
    rows = [["", "", "yours", "the cost's values say", ""]]
    for entry in entries:
        known = entry.oracle == entry.oracle
        says = [significant(entry.oracle), f"± {entry.error:.0e}"] if known else ["nothing", ""]
        rows.append([entry.name, entry.status, significant(entry.yours), *says])
    return columns(rows, right=(False, False, True, True, False), indent="  ")
