"""Microseconds a step of every library and workload, as two SVG pictures: for light and for dark pages."""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from tables import best, microseconds
from workloads import WORKLOADS

SHOWN = {
    "chainrule": ("o", "#1f6feb", "#58a6ff"),
    "chainrule, reference": ("o", "#8c959f", "#8b949e"),
    "NumPy by hand": ("s", "#9a6700", "#d29922"),
    "JAX": ("D", "#8250df", "#bc8cff"),
    "PyTorch": ("^", "#cf222e", "#ff7b72"),
    "PyTorch, compiled": ("v", "#bf3989", "#f778ba"),
    "scikit-learn": ("P", "#1a7f37", "#3fb950"),
}


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Write steps.svg and steps-dark.svg."""
    for name, dark in (("steps.svg", False), ("steps-dark.svg", True)):
        (folder / name).write_text(_svg(results, dark), encoding="utf-8")


def _svg(results: Mapping[str, Any], dark: bool) -> str:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    ink, faint = ("#e6edf3", "#30363d") if dark else ("#1f2328", "#d0d7de")
    # text stays text, for those who read or search it; the same numbers give the same file
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "chainrule", "font.size": 10, "text.color": ink})
    names = list(results["workloads"])
    figure, axes = pyplot.subplots(figsize=(9, 1.3 + 0.52 * len(names)), layout="constrained")
    for library, (marker, light_colour, dark_colour) in SHOWN.items():
        points = [
            (variant["median"] * 1e6, at)
            for at, name in enumerate(names)
            if (variant := best(results["workloads"][name], library)) is not None and variant["same_model"]
        ]
        if points:
            ours = library == "chainrule"
            axes.scatter(
                *zip(*points, strict=True), s=70 if ours else 42, marker=marker, label=library, zorder=3 + ours,
                color=dark_colour if dark else light_colour, edgecolors="none",
            )  # fmt: skip
    for at, name in enumerate(names):
        medians = [variant["median"] * 1e6 for variant in results["workloads"][name]["variants"]]
        if medians:
            axes.plot([min(medians), max(medians)], [at, at], color=faint, linewidth=1, zorder=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.set_yticks(range(len(names)), [_label(name) for name in names])
    axes.invert_yaxis()
    axes.set_xlabel(
        "microseconds a training step (each mark to the left is faster; the scale is logarithmic)", color=ink
    )
    axes.tick_params(colors=ink, which="both", length=0)
    axes.grid(axis="x", color=faint, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, labelcolor=ink, handletextpad=0.2)
    buffer = StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    return _described(buffer.getvalue(), results)


def _label(name: str) -> str:
    workload = WORKLOADS[name]
    what = "one gradient" if workload.optimizer == "gradient" else workload.optimizer.replace("sgd", "SGD").title()
    what = what.replace("Sgd", "SGD")
    return f"{name} {workload.activation}\nbatch {workload.batch:,}, {what}"


def _described(svg: str, results: Mapping[str, Any]) -> str:
    """With a title and a description that has the numbers."""
    sentences: list[str] = []
    for name, result in results["workloads"].items():
        variants = {library: best(result, library) for library in SHOWN}
        numbers = [f"{library} {microseconds(v['median'])}" for library, v in variants.items() if v and v["same_model"]]
        sentences.append(f"{WORKLOADS[name].title}: {', '.join(numbers)}.")
    text = f"<title>Microseconds a training step, by library</title>\n<desc>{' '.join(sentences)}</desc>"
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r"(<svg [^>]*)>", rf'\1 role="img">\n{text}', svg, count=1, flags=re.DOTALL)
