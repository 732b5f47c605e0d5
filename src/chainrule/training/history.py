"""What a training run came to, epoch by epoch: as records, as a table, as a picture, as files."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import file_path, require
from chainrule.errors import FileError, InputError
from chainrule.model.write import write
from chainrule.render.csv_text import csv_text
from chainrule.render.json_text import finite
from chainrule.render.text import COLUMNS, columns, width

if TYPE_CHECKING:
    from chainrule.model.model import Model

SHOWN_EPOCHS = 24
"""How many rows a table has; of a longer run it shows some epochs, evenly apart, and … between them."""

KEY = "history"
"""Where the description of a model keeps it."""

_DIGITS = 7  # of the numbers kept in a model file: training is float32


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run: its number, counted from 1; the steps and seconds since the run began; what it came to.

    The seconds are NaN where they are read from a model file, which does not keep them.
    ``lr`` is the rate of its last step. ``cost`` is the mean training cost, measured batch by batch as the parameters
    moved; ``validation_cost`` C over the validation examples at its end, with the penalties as that has, and
    ``metrics`` the figures over them; None and empty where nothing is held out. ``gradient_norms`` has, for each layer,
    the root mean square over the batches of ‖∂C/∂(w, b)‖; it is empty where they were not asked for.
    """

    epoch: int
    step: int
    seconds: float
    lr: float
    cost: float
    validation_cost: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    gradient_norms: tuple[float, ...] = ()

    def json(self) -> dict[str, Any]:
        """As a record; a metric is under its own name, and a number that is not finite is None."""
        record: dict[str, Any] = {
            "epoch": self.epoch,
            "step": self.step,
            "seconds": self.seconds,
            "lr": self.lr,
            "cost": self.cost,
        }
        if self.validation_cost is not None:
            record |= {"validation_cost": self.validation_cost, **self.metrics}
        if self.gradient_norms:
            record["gradient_norms"] = list(self.gradient_norms)
        return cast("dict[str, Any]", finite(record))


Callback = Callable[[Epoch], object]
"""Called with each epoch's record after the epoch; where it returns True, training stops."""


@dataclass(frozen=True, repr=False, eq=False)
class History:
    """The epochs of a run, to be iterated, counted and indexed: each an :class:`Epoch`.

    Its arrays have one entry an epoch, ``gradient_norms`` one row, (epochs, layers). ``best_epoch`` is the epoch whose
    parameters early stopping kept, or that are kept where training diverged, counted from 1.
    """

    steps: Array
    seconds: Array
    lrs: Array
    costs: Array
    validation_costs: Array | None = None
    metrics: Mapping[str, Array] = field(default_factory=dict[str, Array])
    gradient_norms: Array | None = None
    best_epoch: int | None = None

    def __len__(self) -> int:
        """How many epochs there are."""
        return len(self.costs)

    def __getitem__(self, i: int) -> Epoch:
        """The record of one epoch; i counts from 0, or from the end where it is negative, as in a list."""
        i = range(len(self))[i]
        return Epoch(
            i + 1,
            int(self.steps[i]),
            float(self.seconds[i]),
            float(self.lrs[i]),
            float(self.costs[i]),
            None if self.validation_costs is None else float(self.validation_costs[i]),
            {name: float(figures[i]) for name, figures in self.metrics.items()},
            () if self.gradient_norms is None else tuple(self.gradient_norms[i].tolist()),
        )

    def __iter__(self) -> Iterator[Epoch]:
        """The records of the epochs."""
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"History({len(self)} epochs)"

    def __str__(self) -> str:
        return self.text()

    # shown -----------------------------------------------------------------------------------------

    def text(self) -> str:
        """A table that fits a terminal; a * marks the best epoch."""
        if not len(self):
            return "no epoch was finished"
        header = ["", *_header(self, short=True)]
        fits = len(self) <= SHOWN_EPOCHS
        some = _thinned(len(self), SHOWN_EPOCHS if fits else SHOWN_EPOCHS // 2, self.best_epoch)  # the others are …
        rows = [header]
        before = -1
        for i in some:
            if i == before + 2:  # a … would take as much room
                rows.append(self._row(before + 1))
            elif i > before + 1:
                rows.append(["", "…", *[""] * (len(header) - 2)])
            rows.append(self._row(i))
            before = i
        for name, column in (("seconds", self.seconds), ("lr", self.lrs)):  # L-BFGS has no rate, a file no times
            if not np.isfinite(column).any():
                unknown = rows[0].index(name)
                rows = [[*row[:unknown], *row[unknown + 1 :]] for row in rows]
        while width("  ".join(max(column, key=width) for column in zip(*rows, strict=True))) > COLUMNS:
            rows = [[*row[: -3 if row[-2] == "…" else -2], "…", row[-1]] for row in rows]  # layers in the middle go
        if all(not row[0] for row in rows):
            rows = [row[1:] for row in rows]
        return "\n".join(columns(rows, right=[True] * len(rows[0])))

    def _row(self, i: int) -> list[str]:
        return ["*" if i + 1 == self.best_epoch else "", *_cells(self[i])]

    def _repr_html_(self) -> str:
        """The picture, where matplotlib is installed, and the table."""
        picture = self.picture(".svg").decode().partition("<svg")[2] if find_spec("matplotlib") and len(self) else ""
        return (f"<div><svg{picture}</div>" if picture else "") + f"<pre>{escape(self.text())}</pre>"

    def picture(self, kind: str, title: str = "training") -> bytes:
        """Cost, metrics, learning rate and gradient norms by epoch, in a picture of the kind ".svg", ".png" or ".pdf".

        Raises MissingExtraError, and InputError where no epoch was finished.
        """
        from chainrule.render.plot import Panel, epochs_picture

        if not len(self):
            raise InputError("history: no epoch was finished: there is nothing to draw")
        some = _thinned(len(self), 1000, self.best_epoch)
        costs = {"training": self.costs[some].tolist()}
        if self.validation_costs is not None:
            costs["validation"] = self.validation_costs[some].tolist()
        panels = [Panel("mean cost C", costs, log=True)]
        panels += [Panel(name, {"validation": figures[some].tolist()}) for name, figures in self.metrics.items()]
        if len(set(self.lrs[np.isfinite(self.lrs)].tolist())) > 1:  # one that is constant needs no picture
            panels.append(Panel("learning rate", {"learning rate": self.lrs[some].tolist()}))
        if self.gradient_norms is not None:
            norms = {f"layer {l}": norms.tolist() for l, norms in enumerate(self.gradient_norms[some].T, 1)}
            panels.append(Panel("‖∂C/∂(w, b)‖", norms, log=True))
        best = None if self.best_epoch is None else some.index(self.best_epoch - 1)
        return epochs_picture([i + 1 for i in some], panels, best, title, kind)

    def plot(self, path: str | Path, title: str = "training") -> None:
        """Write the picture to a .svg, .png or .pdf. Raises FileError, or MissingExtraError without matplotlib."""
        from chainrule.render.plot import check_plot

        path = file_path(path)
        check_plot(path)
        write({path: self.picture(path.suffix.lower(), title)})

    # written ---------------------------------------------------------------------------------------

    def json(self) -> list[dict[str, Any]]:
        """One record an epoch."""
        return [epoch.json() for epoch in self]

    def csv_text(self) -> str:
        """One row an epoch under a header, with all digits."""
        rows = ([_inline(value) for value in _flat(epoch)] for epoch in self)
        return csv_text(_header(self, short=False), rows)

    def jsonl_text(self) -> str:
        """One JSON object a line, an epoch each."""
        return "".join(json.dumps(record, allow_nan=False) + "\n" for record in self.json())

    def csv(self, path: str | Path) -> None:
        """Write the rows to a CSV file, whole or not at all. Raises FileError."""
        write({file_path(path): self.csv_text().encode()})

    def jsonl(self, path: str | Path) -> None:
        """Write one JSON object a line to a file, whole or not at all. Raises FileError."""
        write({file_path(path): self.jsonl_text().encode()})

    def content(self, path: Path) -> bytes:
        """What a file of this name holds, .csv or .jsonl."""
        check_history_file(path)
        return (self.csv_text() if path.suffix.lower() == ".csv" else self.jsonl_text()).encode()

    # kept in a model -------------------------------------------------------------------------------

    def remembered(self) -> dict[str, Any]:
        """What the description of a model keeps of it, beside the costs: all but the seconds.

        The same seed makes the same file.
        """
        steps_per_epoch = int(self.steps[0]) if len(self) else 0
        alike = np.array_equal(self.steps, steps_per_epoch * np.arange(1, len(self) + 1))
        kept: dict[str, Any] = {
            "steps_per_epoch": steps_per_epoch if alike else np.diff(self.steps, prepend=0).tolist(),
            "lrs": _short(self.lrs),
        }
        if self.validation_costs is not None:
            kept["validation_costs"] = _short(self.validation_costs)
            kept["metrics"] = {name: _short(figures) for name, figures in self.metrics.items()}
        if self.gradient_norms is not None:
            kept["gradient_norms"] = [_short(norms) for norms in self.gradient_norms.T]
        if self.best_epoch is not None:
            kept["best_epoch"] = self.best_epoch
        return kept

    @classmethod
    def of(cls, model: "Model") -> "History":
        """The history of a trained model, also of one read from a file; InputError where it remembers none."""
        from chainrule.model.model import Model

        require(isinstance(model, Model), "model", model, "a Model")
        try:
            return cls._read(model.training)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            why = f" ({error})" if model.training else ""
            raise InputError(f"training: this model remembers no history of a training{why}") from None

    @classmethod
    def _read(cls, training: Mapping[str, Any]) -> "History":
        kept, costs = training[KEY], _column(training["costs"])
        n = len(costs)
        norms, best = kept.get("gradient_norms"), kept.get("best_epoch")
        if best is not None and best not in range(1, n + 1):
            raise ValueError(f"best_epoch is {best!r}")
        return cls(
            _column(kept["steps_per_epoch"], n).astype(np.int64).cumsum(),
            np.full(n, np.nan),
            _column(kept["lrs"], n),
            costs,
            None if "validation_costs" not in kept else _column(kept["validation_costs"], n),
            {str(name): _column(figures, n) for name, figures in kept.get("metrics", {}).items()},
            None if norms is None else np.stack([_column(layer, n) for layer in norms], axis=1),
            best,
        )


def check_history_file(path: Path) -> None:
    """Raise FileError unless a history can be written to a file of this kind."""
    if path.suffix.lower() not in (".csv", ".jsonl"):
        raise FileError(f"{path}: unknown kind of file {path.suffix!r} for a history; known: .csv, .jsonl")


def _thinned(n: int, most: int, best_epoch: int | None) -> list[int]:
    """Which of n epochs are shown, counted from 0: at most so many, the first, the last and the best among them."""
    some = {round(i) for i in np.linspace(0, n - 1, min(n, most)).tolist()}
    return sorted(some | ({best_epoch - 1} if best_epoch is not None else set()))


def _header(history: History, short: bool) -> list[str]:
    names = ["epoch", *([] if short else ["step"]), "seconds", "lr", "cost"]
    if history.validation_costs is not None:
        names += ["validation" if short else "validation_cost", *history.metrics]
    layers = 0 if history.gradient_norms is None else history.gradient_norms.shape[1]
    return [*names, *(f"‖∇{l}‖" if short else f"gradient_norm_{l}" for l in range(1, layers + 1))]


def _flat(epoch: Epoch) -> list[float]:
    validated = [] if epoch.validation_cost is None else [epoch.validation_cost, *epoch.metrics.values()]
    return [epoch.epoch, epoch.step, epoch.seconds, epoch.lr, epoch.cost, *validated, *epoch.gradient_norms]


def _cells(epoch: Epoch) -> list[str]:
    number, _, seconds, lr, *figures = _flat(epoch)
    layers = len(epoch.gradient_norms)
    digits = [3, *[4] * (len(figures) - layers), *[3] * layers]
    return [str(number), f"{seconds:.2f}", *(f"{x:.{n}g}" for x, n in zip((lr, *figures), digits, strict=True))]


def _inline(x: float) -> float | str:
    return x if isfinite(x) else ""


def _short(column: Array) -> Any:
    """A column in few characters: one number where all are the same, None for what is not finite."""
    values = [float(f"{x:.{_DIGITS}g}") if isfinite(x) else None for x in column.tolist()]
    return values[0] if len(set(values)) == 1 else values


def _column(kept: Any, n: int | None = None) -> Array:
    """The column again; where there is one number only, n times that."""
    if not isinstance(kept, list):
        kept = [kept] * (n or 0)
    values = np.array([np.nan if x is None else float(x) for x in cast("list[Any]", kept)])
    if n is not None and len(values) != n:
        raise ValueError(f"{len(values)} entries for {n} epochs")
    return values
