"""Pictures of curves, through matplotlib: the one module that knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from math import isfinite
from pathlib import Path
from typing import Any

from chainrule.errors import FileError, MissingExtraError
from chainrule.render.text import printable

FORMATS = (".svg", ".png", ".pdf")

Point = tuple[float, float]

LEAST_SHARE = 1e-12
"""What is smaller than the largest by this factor is beyond a logarithmic axis of a chart: it is as good as nothing."""

_BLUE, _GREY, _RED = "#1f6feb", "#6e7781", "#cf222e"


def check_plot(path: Path) -> None:
    """Raise now if a picture of this name could not be drawn."""
    if path.suffix.lower() not in FORMATS:
        raise FileError(f"{path}: unknown kind of picture {path.suffix!r}; known: {', '.join(FORMATS)}")
    _check_matplotlib("a picture")


@dataclass(frozen=True)
class Panel:
    """Curves over one axis: its label, and each curve's name and values, one for each epoch."""

    label: str
    curves: Mapping[str, Sequence[float]]
    log: bool = False


def epochs_picture(epochs: Sequence[int], panels: Sequence[Panel], best: int | None, title: str, kind: str) -> bytes:
    """Curves by epoch in panels below each other, as a picture of the kind ".svg", ".png" or ".pdf".

    ``best`` is the place of the epoch that is marked. What is not finite is left out. Raises MissingExtraError.
    """
    _check_matplotlib("a picture of a training")
    title = printable(title)
    figure, plots = _figure(len(panels))
    marker = "." if len(epochs) < 30 else None
    known = dict(zip(panels[0].curves, _styles(len(panels[0].curves)), strict=True))  # which look the same in each
    for plot, panel in zip(plots, panels, strict=True):
        values = [y for curve in panel.curves.values() for y in curve if isfinite(y)]
        for (name, curve), style in zip(panel.curves.items(), _styles(len(panel.curves)), strict=True):
            color, line = known.get(name, style)
            plot.plot(epochs, curve, color=color, linestyle=line, marker=marker, linewidth=1.4, label=name)
        log = panel.log and values and min(values) > 0
        plot.set(ylabel=panel.label, **({"yscale": "log"} if log else {}))
        if log:
            _plain_within_a_decade(plot)
        else:
            plot.ticklabel_format(axis="y", useOffset=False)
        if list(panel.curves) != [panel.label]:
            plot.legend(fontsize="x-small", ncols=min(4, len(panel.curves)))
    if best is not None:
        for plot in plots:
            plot.axvline(epochs[best], color=_GREY, linestyle=":", linewidth=1.2)
        (*_, line), (*_, decisive) = plots[0].get_lines(), panels[0].curves.values()
        if decisive[best] == min(filter(isfinite, decisive), default=None):  # otherwise another figure decided
            (line,) = plots[0].plot(epochs[best], decisive[best], color="black", marker="o", linestyle="none", zorder=3)
        line.set_label(f"best: epoch {epochs[best]}")
        plots[0].legend(fontsize="x-small")
    plots[0].set(title=title.replace("$", r"\$"))
    plots[-1].set(xlabel="epoch")
    figure.align_ylabels()
    told = ", ".join(f"{panel.label} ({', '.join(panel.curves)})" for panel in panels)
    return _saved(figure, title, kind, f"By epoch, 1 to {epochs[-1]}: {told}")


def rates_picture(
    rates: Sequence[float],
    costs: Sequence[float],
    smooth: Sequence[float],
    marks: Mapping[str, float],
    title: str,
    kind: str,
) -> bytes:
    """Costs by learning rate, each step's and the smooth curve, with named rates marked. Raises MissingExtraError."""
    _check_matplotlib("a picture of a range test")
    title = printable(title)
    figure, (plot,) = _figure()
    plot.plot(rates, costs, color=_GREY, alpha=0.4, linewidth=0.8, label="each step")
    plot.plot(rates, smooth, color=_BLUE, linewidth=1.8, label="smoothed")
    for (name, rate), (color, line) in zip(marks.items(), (("black", "-"), (_BLUE, ":"), (_RED, "--")), strict=False):
        plot.axvline(rate, color=color, linestyle=line, linewidth=1.2, label=f"{name}: {rate:.2g}")
    low, high = min(smooth), max(smooth)
    plot.set(ylim=(low - 0.1 * (high - low or 1), high + 0.3 * (high - low or 1)))
    plot.set(title=title.replace("$", r"\$"), xscale="log", xlabel="learning rate", ylabel="cost C after the step")
    plot.legend(fontsize="x-small")
    return _saved(figure, title, kind, f"Cost from learning rate {rates[0]:.2g} to {rates[-1]:.2g}")


def _styles(n: int) -> list[tuple[Any, str]]:
    """A colour and a kind of line for each of n curves; of many, from the darkest to the lightest."""
    if n <= 2:
        return [(_BLUE, "-"), (_RED, "--")][:n]
    from matplotlib import colormaps

    return [(colormaps["viridis"](0.8 * i / (n - 1)), ("-", "--", "-.", ":")[i % 4]) for i in range(n)]


@dataclass(frozen=True)
class Chart:
    """Named curves over axes of these two names; ``before`` has the same curves as they were, drawn faintly.

    ``counted`` says that x are whole numbers, each of them a point. The curves named in ``beyond`` may leave a
    logarithmic axis at its top.
    """

    title: str
    axes: tuple[str, str]
    curves: Mapping[str, Sequence[Point]]
    before: Mapping[str, Sequence[Point]]
    log: bool = False
    counted: bool = False
    beyond: Sequence[str] = ()


def charts_picture(charts: Sequence[Chart], title: str, description: str, kind: str) -> bytes:
    """Charts of the same names, two beside each other, as a picture of the kind ".svg", ".png" or ".pdf".

    What is not finite, or not above 0 where the axis is logarithmic, is left out. Raises MissingExtraError.
    """
    _check_matplotlib("a picture of a comparison")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    title = printable(title)
    names = list(charts[0].curves)
    styles = dict(zip(names, _styles(len(names)), strict=True))
    figure: Any = Figure(figsize=(9, 3.2 * -(-len(charts) // 2)), layout="constrained", facecolor="white")
    plots = figure.subplots(-(-len(charts) // 2), 2, squeeze=False).ravel()
    for plot, chart in zip(plots, charts, strict=True):
        for curves, faint in ((chart.before, True), (chart.curves, False)):
            for name, points in curves.items():
                shown = [point for point in points if isfinite(point[1]) and (point[1] > 0 or not chart.log)]
                color, line = styles[name]
                drawn = {"alpha": 0.35, "linewidth": 3} if faint else {"linewidth": 1.4, "label": name}
                marker = "o" if chart.counted and (not faint or len(shown) == 1) else None  # one point has no line
                x, y = [point[0] for point in shown], [point[1] for point in shown]
                plot.plot(x, y, color=color, linestyle=line, marker=marker, markersize=9 if faint else 4, **drawn)
        plot.set(title=chart.title, xlabel=chart.axes[0], ylabel=chart.axes[1], yscale="log" if chart.log else "linear")
        plot.grid(alpha=0.3)
        if chart.log and (limits := _log_limits(chart)):
            plot.set_ylim(*limits)
            _plain_within_a_decade(plot)
        if chart.counted:
            plot.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    handles = plots[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=min(6, len(names)), fontsize="small")
    figure.suptitle(title.replace("$", r"\$"))
    return _saved(figure, title, kind, description)


def _log_limits(chart: Chart) -> tuple[float, float] | None:
    """From the least to the largest of the curves that are not ``beyond``, with a margin; None where there is none.

    Of those beyond it has what is at most ten times as large, so that one sees where they leave.
    """
    kept: list[float] = []
    beyond: list[float] = []
    for curves in (chart.before, chart.curves):
        for name, points in curves.items():
            (beyond if name in chart.beyond else kept).extend(y for _, y in points if isfinite(y) and y > 0)
    if not kept and not beyond:
        return None
    most = 10 * max(kept) if kept else min(beyond) / LEAST_SHARE
    shown = [*kept, *(y for y in beyond if y <= most)]
    top = max(shown)
    bottom = max(min(shown), top * LEAST_SHARE)
    margin = (top / bottom) ** 0.05 if top > bottom else 1.1
    return bottom / margin, top * margin


def _plain_within_a_decade(plot: Any) -> None:
    """Plain numbers on a logarithmic axis that is too short for powers of ten."""
    from matplotlib.ticker import AutoLocator, NullLocator, ScalarFormatter

    bottom, top = plot.get_ylim()
    if top < 10 * bottom:
        plot.yaxis.set_major_locator(AutoLocator())
        plot.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
        plot.yaxis.set_minor_locator(NullLocator())


def nudge_picture(
    curve: Sequence[Point],
    before: Point,
    after: Point,
    slope: float,
    remainder: float | None,
    axes: tuple[str, str],
    title: str,
    description: str,
    kind: str,
) -> bytes:
    """A curve with its tangent at ``before``, and the remainder between the two at ``after``.

    Below them is the curve less its tangent, where even a small remainder can be seen; ``remainder`` None says that
    there is none to be seen. ``axes`` are the names of the two axes. Points that are not finite are left out. Raises
    MissingExtraError.
    """
    _check_matplotlib("a picture of a nudge")
    points = [point for point in curve if isfinite(point[1])]
    x, y = [point[0] for point in points], [point[1] for point in points]
    straight = isfinite(slope) and isfinite(before[1])
    figure, (plot, *below) = _figure(1 if remainder is None or not straight else 2)
    plot.plot(x, y, color=_BLUE, label=axes[1])
    if straight:
        plot.axline(before, slope=slope, color=_GREY, linestyle="--", linewidth=1.2, label="tangent")
        predicted = (after[0], before[1] + slope * (after[0] - before[0]))
        plot.plot(*predicted, color=_GREY, marker="o", markerfacecolor="white", linestyle="none", label="predicted")
        if remainder is not None:
            gap = [predicted[1], after[1]]
            plot.plot([after[0]] * 2, gap, color=_RED, linewidth=2, zorder=4, label=f"remainder {remainder:+.3g}")
    for point, color, label in ((before, "black", "before"), (after, _BLUE, "after")):
        plot.plot(*point, color=color, marker="o", linestyle="none", zorder=3, label=label)
    plot.set(title=title, ylabel=axes[1])
    plot.legend(fontsize="small")
    for lower in below:
        lower.axhline(0, color=_GREY, linestyle="--", linewidth=1.2)
        lower.plot(x, [C - before[1] - slope * (w - before[0]) for w, C in points], color=_BLUE)
        lower.plot([after[0]] * 2, [0, remainder], color=_RED, linewidth=2)
        lower.set(ylabel=f"{axes[1]} − tangent")
        figure.align_ylabels()
    for each in (plot, *below):
        each.ticklabel_format(useOffset=False)
    (below or [plot])[-1].set(xlabel=axes[0])
    return _saved(figure, title, kind, description)


def _check_matplotlib(what: str) -> None:
    if find_spec("matplotlib") is None:
        raise MissingExtraError(f"{what} needs matplotlib: pip install 'chainrule[plots]'")


def _figure(panels: int = 1) -> tuple[Any, list[Any]]:
    """A white figure, readable on any page, and its panels, the first of which is the largest."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(6.4, 2.8 + 1.2 * panels), layout="constrained", facecolor="white")
    ratios = [3, *[1.2] * (panels - 1)]
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": ratios})[:, 0]
    for each in axes:
        each.grid(alpha=0.3)
    return figure, list(axes)


def _saved(figure: Any, title: str, kind: str, description: str = "") -> bytes:
    """The picture's bytes, the same for the same picture, with its title and description inside."""
    import matplotlib

    date = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(kind, {})
    name = "Subject" if kind == ".pdf" else "Description"
    metadata = {"Title": title, **({name: description} if description else {}), **date}
    buffer = BytesIO()
    settings: Any = matplotlib
    with settings.rc_context({"svg.hashsalt": "chainrule"}):
        figure.savefig(buffer, format=kind.lstrip("."), metadata=metadata)
    return buffer.getvalue()
