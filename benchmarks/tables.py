"""The results as Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from turns import LIBRARIES, OURS
from workloads import WORKLOADS, Workload

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def best(result: Mapping[str, Any], library: str) -> dict[str, Any] | None:
    """The variant of a library with the lowest median."""
    found = [variant for variant in result["variants"] if variant["library"] == library]
    return min(found, key=lambda variant: variant["median"], default=None)


def best_peer(result: Mapping[str, Any], beginning: str = "") -> dict[str, Any] | None:
    """The fastest variant of the libraries whose name begins so, without our own and without another model."""
    found = [
        variant
        for variant in result["variants"]
        if variant["library"] not in OURS and variant["library"].startswith(beginning) and variant["same_model"]
    ]
    return min(found, key=lambda variant: variant["median"], default=None)


def microseconds(seconds: float) -> str:
    """Three digits."""
    µs = seconds * 1e6
    return f"{µs:,.0f}" if µs >= 100 else f"{µs:.1f}" if µs >= 10 else f"{µs:.2f}"


def ratio(numerator: Mapping[str, Any] | None, denominator: Mapping[str, Any] | None) -> str:
    """How many times as long."""
    return f"{numerator['median'] / denominator['median']:.3g}" if numerator and denominator else "–"


def tables(results: Mapping[str, Any]) -> str:
    """All of them, each with a sentence on how to read it."""
    parts = [_machine(results)]
    if results["workloads"]:
        parts += [_steps(results), _targets(results), _first(results), _variants(results), _failures(results)]
    if "digits" in results:
        parts.append(_digits(results["digits"]))
    return "\n\n".join(part for part in parts if part) + "\n"


def write_into_readme(readme: Path, text: str) -> None:
    """Between its two marks."""
    old = readme.read_text(encoding="utf-8") if readme.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(results: Mapping[str, Any]) -> str:
    machine, limits = results["machine"], results["limits"]
    return (
        f"{results['date'][:10]}, {machine['processor']} ({', '.join(machine['instruction_sets'])}), "
        f"{machine['cores']} cores, Python {machine['python']}; {results['rounds']} rounds, medians. "
        f"All cores together: {limits['float32'] / 1e9:.0f} Gflop/s in sgemm, {limits['float64'] / 1e9:.0f} in dgemm, "
        f"{limits['bandwidth'] / 1e9:.0f} GB/s from memory; last cache {limits['cache'] / 2**20:.0f} MiB. "
        f"Load when it began: {results['load'][0]:.1f}."
    )


def _workloads(results: Mapping[str, Any]) -> list[tuple[Workload, Mapping[str, Any]]]:
    return [(WORKLOADS[name], result) for name, result in results["workloads"].items()]


def _steps(results: Mapping[str, Any]) -> str:
    columns = [library.name for library in LIBRARIES]
    rows: list[list[str]] = []
    for workload, result in _workloads(results):
        cells: list[str] = []
        for library in columns:
            variant = best(result, library)
            if variant is None:
                cells.append(_why_not(result, library))
            else:
                cells.append(microseconds(variant["median"]) + ("" if variant["same_model"] else "¹"))
        rows.append([workload.title, *cells])
    note = "¹ One logistic output instead of two softmax outputs: another model, not compared."
    return "Microseconds a step, each library in its best form and at its better number of threads:\n\n" + (
        _table(["", *columns], rows) + (f"\n\n{note}" if any("¹" in cell for row in rows for cell in row) else "")
    )


def _why_not(result: Mapping[str, Any], library: str) -> str:
    failures = [failure["failed"] for failure in result["failed"] if failure["library"] == library]
    if not failures:
        return "–"
    for known in ("not installed", "does not apply"):
        if known in failures[0]:
            return {"does not apply": "–"}.get(known, known)
    return "failed"


def _targets(results: Mapping[str, Any]) -> str:
    rows: list[list[str]] = []
    for workload, result in _workloads(results):
        ours, reference = best(result, "chainrule"), best(result, "chainrule, reference")
        fastest = ours or reference
        share = f"{100 * result['limit'] / fastest['median']:.1f} %" if fastest else "–"
        aims = (workload.best, workload.torch, workload.share and f"{100 * workload.share:.0f} %")
        peer = best_peer(result)
        eager = best(result, "PyTorch")
        cells = (
            ratio(peer, fastest) + (f" ({peer['library']})" if peer else ""),
            ratio(best_peer(result, "PyTorch"), fastest),
            ratio(eager, fastest),
            ratio(reference, fastest),
            share,
        )
        with_aims = [
            f"{cell}{f' / {aim}' if aim else ''}"
            for cell, aim in zip(cells, (aims[0], aims[1], None, None, aims[2]), strict=True)
        ]
        rows.append([workload.title, *with_aims, microseconds(result["limit"])])
    head = [
        "chainrule is faster than …",
        "the best peer, times / aim",
        "PyTorch's best, times / aim",
        "PyTorch eager, times",
        "its reference engine, times",
        "share of the limit / aim",
        "limit, µs",
    ]
    return _table(head, rows)


def _first(results: Mapping[str, Any]) -> str:
    rows: list[list[str]] = []
    for workload, result in _workloads(results):
        if workload.optimizer == "gradient":
            continue
        steps = workload.epochs * (workload.rows // workload.batch)
        for library in LIBRARIES:
            variant = best(result, library.name)
            if variant is not None:
                total = variant["import"] + variant["build"] + variant["first"]
                total += max(0, steps - workload.steps) * variant["median"]
                rows.append(
                    [
                        f"{workload.name}, {library.name}",
                        *(f"{variant[key]:.2f}" for key in ("import", "build", "first")),
                        f"{workload.steps:,}",
                        f"{total:.2f}",
                        f"{workload.epochs:,}",
                    ]
                )
    head = ["seconds", "start and import", "building", "first call, compiling", "its steps", "time to N epochs", "N"]
    text = "What comes before the steps, and the time to N epochs with all of it (N epochs at the median step):"
    return f"<details><summary>{text}</summary>\n\n{_table(head, rows)}\n\n</details>" if rows else ""


def _variants(results: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{workload.name}, {variant['library']}, {variant['form']}, {variant['threads']} thread"
            f"{'s' if variant['threads'] > 1 else ''}",
            microseconds(variant["median"]),
            microseconds(min(variant["times"])),
            microseconds(max(variant["times"])),
            f"{max(variant['agreement'].values()):.2f}" if "agreement" in variant else "–",
            f"{max(variant['agreement64'].values()):.2f}" if "agreement64" in variant else "–",
        ]
        for workload, result in _workloads(results)
        for variant in result["variants"]
    ]
    head = ["µs a step", "median", "least", "most", "distance, in tolerances", "in float64"]
    text = "Every form at every number of threads, with the spread and how far its parameters are from float64's:"
    return f"<details><summary>{text}</summary>\n\n{_table(head, rows)}\n\n</details>"


def _failures(results: Mapping[str, Any]) -> str:
    lines = [
        f"- {workload.name}, {failure['library']}, {failure['form']}, {failure['threads']}: {failure['failed']}"
        for workload, result in _workloads(results)
        for failure in result["failed"]
        if "does not apply" not in failure["failed"]
    ]
    return "Not measured:\n\n" + "\n".join(lines) if lines else ""


def _digits(found: Mapping[str, Any]) -> str:
    rows = [
        [key, *(f"{f(entry['times']):.3f}" for f in (statistics.median, min, max)), f"{entry['accuracy']:.4f}"]
        if entry["times"]
        else [key, str(entry.get("failed", "–")), "", "", ""]
        for key, entry in found.items()
    ]
    measured = [entry for entry in found.values() if entry["times"]]
    theirs = min((entry["median"] for entry in measured if entry["library"] not in OURS), default=None)
    ours = min((entry["median"] for entry in measured if entry["library"] == "chainrule"), default=None)
    text = f"\n\nchainrule is {theirs / ours:.2f} times as fast; the aim is 4." if theirs and ours else ""
    return "Train on the digits to 97.5 % or more of the held-out fifth, the whole process in seconds:\n\n" + (
        _table(["", "median", "least", "most", "accuracy"], rows) + text
    )
