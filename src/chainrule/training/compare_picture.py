"""A comparison of runs, as a picture."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chainrule.render.plot import Chart, Point, charts_picture
from chainrule.training.compare_text import run_name

if TYPE_CHECKING:
    from chainrule.training.compare import Comparison, Run
    from chainrule.training.compare_measures import Layer, Measures


def picture(comparison: "Comparison", kind: str) -> bytes:
    """Cost by epoch and by second; mean σ′ and gradient norm by layer, at the end and, faintly, at the start."""
    runs = {run_name(run): run for run in comparison.runs}
    diverged = [name for name, run in runs.items() if _diverged(run)]
    by_epoch = {name: [(float(at.epoch), at.cost) for at in run.history] for name, run in runs.items()}
    by_second = {name: [(at.seconds, at.cost) for at in run.history] for name, run in runs.items()}

    def by_layer(title: str, figure: Callable[["Layer"], float | None], log: bool = False) -> Chart:
        def curve(measures: "Measures") -> list[Point]:
            figures = [(float(l), figure(layer)) for l, layer in enumerate(measures.layers, 1)]
            return [(l, y) for l, y in figures if y is not None]

        ends = {name: curve(run.measures[-1]) if len(run.measures) > 1 else [] for name, run in runs.items()}
        starts = {name: curve(run.measures[0]) for name, run in runs.items()}
        return Chart(title, ("layer", ""), ends, starts, log, counted=True, beyond=diverged)

    charts = (
        Chart("training cost C by epoch", ("epoch", ""), by_epoch, {}, log=True, beyond=diverged),
        Chart("training cost C by second", ("seconds", ""), by_second, {}, log=True, beyond=diverged),
        by_layer("mean σ′(z) (faint: at the start)", lambda layer: layer.mean_slope),
        by_layer("gradient norm (faint: at the start)", lambda layer: layer.gradient_norm, log=True),
    )
    network = comparison.runs[0].network
    sizes = "" if "hidden" in comparison.varied else f": {'-'.join(map(str, network.sizes))}"
    described = f"{'; '.join(chart.title for chart in charts)}; of {', '.join(runs)}"
    return charts_picture(charts, f"{comparison.source}{sizes}", described, kind)


def _diverged(run: "Run") -> bool:
    """Also where early stopping, or the last epoch, came before the cost overflowed."""
    return run.divergence is not None or (bool(run.history) and run.history[-1].cost > 10 * run.history[0].cost)
