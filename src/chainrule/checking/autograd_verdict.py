"""The verdict on a custom autograd function, and how it is told."""

from dataclasses import dataclass
from typing import Any

from chainrule.render.text import wrapped


@dataclass(frozen=True)
class AutogradFinding:
    """One thing that is wrong: with which input (None: with all), what it is called (None: nothing explains it), the
    evidence, what to change."""

    input: int | None
    bug: str | None
    says: str
    evidence: str
    fix: str

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {"input": self.input, "bug": self.bug, "says": self.says, "evidence": self.evidence, "fix": self.fix}


@dataclass(frozen=True)
class AutogradVerdict:
    """Whether a backward is right; ``ok`` is None where its forward does not allow to tell."""

    name: str
    findings: tuple[AutogradFinding, ...]
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool | None:
        """Whether nothing is wrong; None where nothing was found, but not everything could be compared."""
        return False if self.findings else None if self.undecided else True

    def __bool__(self) -> bool:
        """Whether nothing is wrong, for certain."""
        return self.ok is True

    def text(self) -> str:
        """For the terminal."""
        names = list(dict.fromkeys(finding.bug or "no mistake that is known" for finding in self.findings))
        head = {True: "right", None: "undecided"}.get(self.ok, f"wrong: {' and '.join(names)}")
        lines = [f"{head}: backward of {self.name}" if self.ok is not False else f"{head}\nbackward of {self.name}"]
        for at, finding in enumerate(self.findings, 1):
            number = f"{at}. " if len(self.findings) > 1 else ""
            indent = " " * len(number)
            lines += ["", *wrapped(number + finding.says, len(indent))]
            for label, words in (("evidence: ", finding.evidence), ("change:   ", finding.fix)):
                lines += wrapped(indent + label + words, len(indent + label))
        for label, remarks in (("undecided: ", self.undecided), ("note: ", self.notes)):
            for remark in remarks:
                lines += wrapped(label + remark, len(label))
        return "\n".join(lines)

    def __str__(self) -> str:
        """For print."""
        return self.text()

    def json(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok, "findings": [finding.json() for finding in self.findings],
            "undecided": list(self.undecided), "notes": list(self.notes),
        }  # fmt: skip
