"""A comparison of runs, as text for a terminal."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from chainrule.engines.optimizer import Optimizer
from chainrule.render.numbers import percent, significant
from chainrule.render.text import COLUMNS, columns, printable, width, wrapped
from chainrule.training.schedule import Schedule

if TYPE_CHECKING:
    from chainrule.training.compare import Comparison, Run
    from chainrule.training.compare_measures import Layer

NONE = "–"

_NO_BREAK = "\N{NO-BREAK SPACE}"  # a line is not wrapped here

_NAME_CELLS = 16
"""How long a run's name may be to stand in every table; longer ones get a number."""


def label(value: Any) -> str:
    """How a value of a setting is shown."""
    if isinstance(value, list | tuple):
        values = cast("Sequence[Any]", value)
        sizes = all(isinstance(each, int) for each in values)  # 64-32, and tanh:relu as it is given
        return ("-" if sizes else ":").join(label(each) for each in values) or "none"
    if isinstance(value, Optimizer):
        return value.name
    if isinstance(value, Schedule):
        return value.label
    return f"{value:g}" if isinstance(value, float) else str(value)


def run_name(run: "Run") -> str:
    """What is set in it alone."""
    return ", ".join(
        label(value) if isinstance(value, str | Optimizer | Schedule) else f"{_words(name)} {label(value)}"
        for name, value in run.setting.items()
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _three(x: float) -> str:
    return f"{x:.3g}"


def _share(x: float) -> str:
    return f"{100 * x:.1f} %"


_SHOWN_EPOCHS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
_MOST_SHOWN = 4

_TABLES: Sequence[tuple[str, Callable[["Layer"], float | None], Callable[[float], str]]] = (
    ("mean σ′(z)", lambda layer: layer.mean_slope, _three),
    ("gradient norm ‖∂C/∂(w, b)‖", lambda layer: layer.gradient_norm, _three),
    ("mean activation", lambda layer: layer.mean_activation, _three),
    ("neurons into which all ∂C[i]/∂w of an example have one sign", lambda layer: layer.one_sign, _share),
    ("neurons into which all ∂C/∂w of the mean have one sign", lambda layer: layer.one_sign_of_mean, _share),
    ("neurons that are dead: σ′(z) = 0 in every example", lambda layer: layer.dead, _share),
)


def text(comparison: "Comparison") -> str:
    """What is compared and how; a row for each run; the layers of each, one table for each measure."""
    named = [printable(run_name(run)) for run in comparison.runs]
    numbered = any(width(name) > _NAME_CELLS for name in named) or any(
        width(line) > COLUMNS for line in _runs(comparison, named)
    )
    names = [f"run {n}" for n, _ in enumerate(named, 1)] if numbered else named
    lines = _head(comparison)
    if numbered:
        lines += ["", *(line for n, name in zip(names, named, strict=True) for line in wrapped(f"{n}: {name}", 8))]
    lines += ["", *_runs(comparison, names), *(line for note in _notes(comparison, names) for line in wrapped(note, 2))]
    lines += ["", *_epochs(comparison, names)]
    layers = [layer for run in comparison.runs for measures in run.measures for layer in measures.layers]
    for title, figure, show in _TABLES:
        if any(map(figure, layers)):  # otherwise there is nothing to tell: no neuron is dead
            lines += ["", *_layers(comparison, names, title, figure, show)]
    return "\n".join(lines)


def _head(comparison: "Comparison") -> list[str]:
    network, settings = comparison.runs[0].network, comparison.settings
    common = {
        "hidden": "-".join(map(str, network.sizes)),
        "activation": ", ".join(dict.fromkeys(network.activation[:-1])),
        "cost": network.cost,
        "optimizer": settings.optimizer.name,
        "batch_size": f"batches of {settings.batch_size}",
        "seed": f"seed {settings.seed}",
    }
    whole = [what.replace(" ", _NO_BREAK) for name, what in common.items() if what and name not in comparison.varied]
    if settings.patience is not None or "patience" in comparison.varied:
        whole.append(f"stopped early by {settings.metric or 'cost'} of validation examples")
    same = ", ".join(whole)
    if comparison.shared_start is None:
        start = "each starts with the weights drawn for its own network and seed"
    else:
        names = ", ".join(comparison.shared_start)
        start = f"all start with the same weights{', those drawn for ' + names if names else ''}"
    taken = "in turns of an epoch" if len(comparison.runs) > 1 else ""
    return [
        *wrapped(
            f"{printable(comparison.source)}: {comparison.n_train:,} examples to train on, "
            f"{comparison.n_test:,} held out"
        ),
        *(line.replace(_NO_BREAK, " ") for line in wrapped(f"the same in all runs: {same}")),
        *wrapped(f"{len(comparison.runs)} runs {taken} on the {comparison.engine} engine; {start}"),
    ]


def _runs(comparison: "Comparison", names: Sequence[str]) -> list[str]:
    accuracy = comparison.score == "accuracy"
    target = comparison.target_score
    to = NONE if target is None else percent(target) if accuracy else f"R² {target:.4f}"
    what = _words(" ".join(comparison.varied)) if len(comparison.varied) == 1 else "run"
    if any(name.startswith(f"{what} ") for name in names):  # it stands in the rows
        what = ""
    rows = [
        ["", "", "", "whole", "run", "to", to, "ns"],
        [
            what,
            "cost C",
            "accuracy" if accuracy else "R²",
            *["epochs", "seconds"] * 2,
            "per σ",
        ],
    ]
    for name, run in zip(names, comparison.runs, strict=True):
        last, reached = run.history[-1] if run.history else None, run.target
        score = last and last.score
        rows.append(
            [
                name,
                "diverged" if run.divergence else significant(last.cost, 4) if last else NONE,
                NONE if score is None else percent(score) if accuracy else f"{score:.4g}",
                str(len(run.history)),
                f"{last.seconds:.3g}" if last else NONE,
                str(reached.epoch) if reached else NONE,
                f"{reached.seconds:.3g}" if reached else NONE,
                NONE if run.nanoseconds is None or run.nanoseconds <= 0 else f"{run.nanoseconds:.2f}",
            ]
        )
    return columns(rows, right=[False, *[True] * 7])


def _epochs(comparison: "Comparison", names: Sequence[str]) -> list[str]:
    """Cost by epoch and by second: after some epochs, with the time that they took."""
    longest = max(len(run.history) for run in comparison.runs)
    some = [n for n in _SHOWN_EPOCHS if n < longest]
    some = some if len(some) <= _MOST_SHOWN else some[::2][-_MOST_SHOWN:]
    epochs = [*some, *[longest] * (longest > 0)]
    rows = [["", "epoch", *map(str, epochs)]]
    for name, run in zip(names, comparison.runs, strict=True):
        at = [run.history[n - 1] if n <= len(run.history) else None for n in epochs]
        rows.append([name, "C", *(_three(epoch.cost) if epoch else NONE for epoch in at)])
        rows.append(["", "s", *(f"{epoch.seconds:.2g}" if epoch else NONE for epoch in at)])
    return [
        "cost C by epoch, and by second",
        *(f"  {line}" for line in columns(rows, [False, False, *[True] * len(epochs)])),
    ]


def _notes(comparison: "Comparison", names: Sequence[str]) -> list[str]:
    notes: list[str] = []
    if comparison.target_score is None:
        notes.append("there is no time to a score: no score of examples held out is known")
    elif not comparison.target_given:
        notes.append("the score they are timed to is 95 % of the best, where no other is given as target score")
    for name, run in zip(names, comparison.runs, strict=True):
        if run.divergence:
            notes.append(f"{name} diverged in epoch {run.divergence.epoch}: {run.divergence.cause}")
    if any(run.nanoseconds is not None and run.nanoseconds <= 0 for run in comparison.runs):
        notes.append("– in place of ns: no longer than the identity, as far as this machine, busy as it was, can tell")
    if {"cost", "l1", "l2"} & set(comparison.varied):
        notes.append("their C are different functions: compare the scores, not the costs")
    if "seed" in comparison.varied:
        notes.append("another seed is another split, another start and another order")
    if comparison.interrupted:
        notes.append("interrupted: this is how far they came")
    return notes


def _layers(
    comparison: "Comparison",
    names: Sequence[str],
    title: str,
    figure: Callable[["Layer"], float | None],
    show: Callable[[float], str],
) -> list[str]:
    """A row for the start and one for the end of each run, a column for each layer; layers in the middle may go."""
    most = max(len(run.measures[0].layers) for run in comparison.runs)
    rows: list[list[str]] = []
    for name, run in zip(names, comparison.runs, strict=True):
        ends = run.measures if len(run.measures) == 1 else (run.measures[0], run.measures[-1])
        for measures in ends:
            values = [figure(layer) for layer in measures.layers]
            cells = [NONE if value is None else show(value) for value in values] + [""] * (most - len(values))
            at = f"after {measures.epoch}" if measures.epoch else "start"
            rows.append([name if measures is run.measures[0] else "", at, *cells])
    header = ["", "layer", *(str(l) for l in range(1, most + 1))]
    rows = _narrowed([header, *rows])
    return [title, *columns(rows, right=[False, False, *[True] * (len(rows[0]) - 2)], indent="  ")]


def _narrowed(rows: list[list[str]]) -> list[list[str]]:
    """The rows with … in place of as many columns in the middle as would make them too wide."""
    n = len(rows[0]) - 2
    for kept in range(n, 0, -1):
        first, last = 2 + (kept + 1) // 2, 2 + n - kept // 2
        shown = rows if kept == n else [[*row[:first], "…", *row[last:]] for row in rows]
        if sum(2 + max(map(width, column)) for column in zip(*shown, strict=True)) <= COLUMNS:
            return shown
    return rows
