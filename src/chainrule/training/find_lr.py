"""The learning-rate range test: one run whose rate grows from step to step, and what its cost says about rates.

Smith, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186, section 3.3; with rates that grow by a
factor rather than by a difference. The suggestion is a tenth of the rate at which the cost is lowest, after Howard,
Gugger, Fastai, Information 11 (2020) 108; where it falls fastest, which is the other custom, is told as well: on small
tables, whose cost needs many steps to fall, that is far too small. The cost is that of the same examples after each
step, where they have that of the next batch: what is seen is then what the rate does, and not which batch came.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import file_path, number, whole_number
from chainrule.data.table import Table
from chainrule.engines import engine, warn_of_shortfall
from chainrule.errors import DivergenceError
from chainrule.model.write import write
from chainrule.render.json_text import finite
from chainrule.render.text import columns, wrapped
from chainrule.training.loop import interrupts
from chainrule.training.settings import Settings
from chainrule.training.train import plan
from chainrule.training.validation import penalised_cost

LEAST, MOST, STEPS = 1e-6, 10.0, 400

EXPLODED = 1.5
"""A cost has exploded that is so many times the first, or has lost half of what was gained, if that was a tenth."""

EXAMPLES = 1000
"""Over how many examples the cost is measured, at most."""

_ROWS = 20

Watcher = Callable[[int, int], None]


@dataclass(frozen=True, repr=False, eq=False)
class RangeTest:
    """The cost after a step at each rate, (steps,) both, until it exploded; ``first_cost`` is that before any.

    ``smooth`` is the mean of the costs around each. ``steepest`` is the rate at which it falls fastest, by factors of
    the rate, None where it never falls; ``exploded`` the rate at which it exploded, None where it did not.
    """

    first_cost: float
    rates: Array
    costs: Array
    smooth: Array
    steepest: float | None
    exploded: float | None
    interrupted: bool

    @property
    def suggestion(self) -> float | None:
        """A tenth of the lowest's, to two digits; None where the cost never falls, or the test was interrupted."""
        return None if self.lowest is None or self.interrupted else float(f"{self.lowest / 10:.1e}")

    @property
    def lowest(self) -> float | None:
        """The rate at which the smooth cost is lowest; None where it never falls."""
        return None if self.steepest is None else float(self.rates[int(self.smooth.argmin())])

    @property
    def reason(self) -> str:
        """Why that is suggested, in words."""
        if self.interrupted:
            at = f"at {self.rates[-1]:.2g}, " if len(self.rates) else ""
            return f"interrupted {at}before the cost had shown where it is lowest"
        end = f"does not explode up to {self.rates[-1]:.2g}, so try larger ones, too"
        if self.exploded is not None:
            end = f"explodes at {self.exploded:.2g}"
        if self.steepest is None:
            return f"the cost falls at no rate, and {end}"
        return (
            f"a tenth of {self.lowest:.2g}, where the cost is lowest; it falls fastest at {self.steepest:.2g}, "
            f"and {end}. Try some around it, too"
        )

    def __repr__(self) -> str:
        return f"RangeTest({len(self.rates)} steps, suggestion {self.suggestion})"

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Some of the rates with their costs, and the suggestion."""
        n = len(self.rates)
        rows = [["learning rate", "cost", "smoothed", ""], ["", f"{self.first_cost:.4g}", "", "before any step"]]
        fastest = None if self.steepest is None else self.rates.tolist().index(self.steepest)
        some = {round(i) for i in np.linspace(0, n - 1, min(_ROWS, n)).tolist()} | ({fastest} - {None})
        rows += [
            [*(f"{x[i]:.{digits}g}" for x, digits in ((self.rates, 2), (self.costs, 4), (self.smooth, 4))),
             "falls fastest" if i == fastest else ""]
            for i in sorted(i for i in some if i is not None)
        ]  # fmt: skip
        if self.exploded is not None:
            rows.append([f"{self.exploded:.2g}", "", "", "explodes"])
        found = "no suggestion" if self.suggestion is None else f"suggestion {self.suggestion:g}"
        return "\n".join([*columns(rows, right=[True, True, True, False]), "", *wrapped(f"{found}: {self.reason}", 2)])

    def _repr_html_(self) -> str:
        drawn = (
            self.picture(".svg").decode().partition("<svg")[2] if find_spec("matplotlib") and len(self.rates) else ""
        )
        return (f"<div><svg{drawn}</div>" if drawn else "") + f"<pre>{escape(self.text())}</pre>"

    def json(self) -> dict[str, Any]:
        """As a record."""
        record: dict[str, Any] = {
            "suggestion": self.suggestion,
            "reason": self.reason,
            "steepest": self.steepest,
            "lowest": self.lowest,
            "exploded": self.exploded,
            "interrupted": self.interrupted,
            "first_cost": self.first_cost,
            "rates": self.rates.tolist(),
            "costs": self.costs.tolist(),
            "smooth": self.smooth.tolist(),
        }
        return finite(record)

    def picture(self, kind: str, title: str = "learning-rate range test") -> bytes:
        """The costs by rate, in a picture of the kind ".svg", ".png" or ".pdf". Raises MissingExtraError."""
        from chainrule.render.plot import rates_picture

        marks = {"suggestion": self.suggestion, "falls fastest": self.steepest, "explodes": self.exploded}
        shown = {name: rate for name, rate in marks.items() if rate}
        return rates_picture(self.rates.tolist(), self.costs.tolist(), self.smooth.tolist(), shown, title, kind)

    def plot(self, path: str | Path, title: str = "learning-rate range test") -> None:
        """Write the picture to a .svg, .png or .pdf. Raises FileError, or MissingExtraError without matplotlib."""
        from chainrule.render.plot import check_plot

        path = file_path(path)
        check_plot(path)
        write({path: self.picture(path.suffix.lower(), title)})


def find_lr(
    table: Table,
    settings: Settings | None = None,
    *,
    least: float = LEAST,
    most: float = MOST,
    steps: int = STEPS,
    watch: Watcher | None = None,
) -> RangeTest:
    """Train once with a rate that grows in each step from ``least`` to ``most``, until the cost explodes.

    The network, the first weights, the order and the optimizer are those of ``train`` with these settings; nothing of
    what is learned is kept. ``watch`` is called with the steps done and all. Raises DataError, InputError, or
    DivergenceError where the cost is not finite at the start. ::

        print(chainrule.find_lr(chainrule.read_table("digits"), chainrule.Settings(hidden=(32,))))
    """
    number("least", least, "a learning rate, a number above 0", lambda x: x > 0)
    number("most", most, f"a learning rate above the least, {least:g}", lambda x: x > least)
    whole_number("steps", steps, "a whole number of at least 20", lambda n: n >= 20)
    state = plan(table, Settings() if settings is None else settings).state
    warn_of_shortfall()
    rates = np.geomspace(least, most, steps)
    state.rates = lambda first, n: rates[first : first + n]
    some = np.unique(np.linspace(0, len(state.X) - 1, EXAMPLES).round().astype(np.intp))
    X, Y, weights = state.X[some], state.Y[some], None if state.weights is None else state.weights[some]
    costs: list[float] = []
    with interrupts() as interrupted, np.errstate(all="ignore"):
        first = lowest = penalised_cost(state.parameters, X, Y, weights)
        if not isfinite(first):
            raise DivergenceError(f"the cost is {first} before any step. Scale the inputs")
        exploded = False
        while state.step < steps and not (interrupted.is_set() or exploded):
            engine().run(state, 1)
            cost = penalised_cost(state.parameters, X, Y, weights)
            bearable = (first + lowest) / 2 if lowest < 0.9 * first else EXPLODED * first
            exploded = not cost <= bearable  # NaN is not
            lowest = min(lowest, cost)
            costs.append(cost)
            if watch is not None:
                watch(state.step, steps)
    return _judged(first, rates, np.array(costs), exploded, interrupted.is_set())


def _judged(first: float, rates: Array, costs: Array, exploded: bool, interrupted: bool) -> RangeTest:
    end = float(rates[len(costs) - 1]) if exploded else None
    n = len(costs) - exploded
    rates, costs = rates[:n], costs[:n]
    window = max(3, n // 20)
    smooth, steepest = _around(costs, window), None
    if n > 2 and smooth.min() < first:
        slopes = _around(np.gradient(smooth, np.log(rates)), window)[: int(smooth.argmin()) + 1]
        steepest = float(rates[int(slopes.argmin())]) if slopes.min() < 0 else None
    return RangeTest(first, rates, costs, smooth, steepest, end, interrupted)


def _around(values: Array, window: int) -> Array:
    """The mean of the values around each, fewer at the ends."""
    half = window // 2
    sums = np.concatenate([[0.0], values.cumsum()])
    i = np.arange(len(values))
    low, high = np.maximum(i - half, 0), np.minimum(i + half + 1, len(values))
    return (sums[high] - sums[low]) / (high - low)
