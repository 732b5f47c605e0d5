"""The verdict for the terminal."""

import numpy as np

from chainrule.checking.verdict import Finding, Verdict
from chainrule.render.text import columns, wrapped


def text(verdict: Verdict) -> str:
    """Right or wrong, array by array; then each finding with its evidence and the line to change."""
    lines = [_headline(verdict)]
    if not verdict.ok:
        lines += ["", *_table(verdict)]
    for at, finding in enumerate(verdict.findings, 1):
        number = f"{at}. " if len(verdict.findings) > 1 else ""
        lines += ["", *_finding(number, finding)]
    for note in verdict.notes:
        lines += wrapped(f"note: {note}", 6)
    return "\n".join(lines)


def _headline(verdict: Verdict) -> str:
    case = verdict.case
    mean = f", the mean over {case.n:,} examples" if case.n > 1 else ""
    of = f"∇C of {'-'.join(map(str, case.sizes))} {case.network.cost}{mean}"
    if verdict.ok:
        return f"right: {of}, as far as {verdict.precision} goes"
    names = list(dict.fromkeys(finding.bug or "no mistake that is known" for finding in verdict.findings))
    return f"wrong: {' and '.join(names)}\n{of}"


def _table(verdict: Verdict) -> list[str]:
    rows = [["", "", "|yours − exact|, over the largest exact entry"]]
    for name, distance in verdict.worst.items():
        mark = "wrong" if name in verdict.wrong else "right"
        rows.append([f"∂C/∂{name}", mark, _far(verdict, name, distance)])
    if len(rows) == 1:
        return []
    return columns(rows, right=(False, False, False), indent="  ")


def _far(verdict: Verdict, name: str, distance: float) -> str:
    if distance < float("inf"):
        return f"{distance:.1e}"
    given = verdict.given[name]
    if not np.isfinite(given).all():
        return "not finite"
    return "another shape" if given.shape != dict(verdict.case.p)[name].shape else "exact is 0 throughout"


def _finding(number: str, finding: Finding) -> list[str]:
    indent = " " * len(number)
    lines = wrapped(number + finding.says, len(number))
    lines += wrapped(f"{indent}evidence: {finding.evidence}", len(indent) + 10)
    lines += [f"{indent}change:   {finding.fix}"]
    if finding.equally:
        equal = f"{indent}equally:  {', '.join(finding.equally)} would give the same numbers here"
        lines += wrapped(equal, len(indent) + 10)
    return lines
