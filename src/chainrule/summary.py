"""What the commands ``train`` and ``predict`` have to tell, as text, as one record for JSON, and as rows for CSV."""

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any, cast

from chainrule.checks import shown
from chainrule.data.table import is_number
from chainrule.engines import engine, shortfall
from chainrule.model.model import Model
from chainrule.render.numbers import percent, significant
from chainrule.render.text import columns, printable
from chainrule.training.train import Plan, Trained

SHOWN_ROWS = 20
SHOWN_CLASSES = 10
FEW = 10
"""By fewer validation examples than these little can be told, which a person who gave no share may not expect."""


def sizes(model: Model) -> str:
    """A network's sizes in short: 64-64-32-10."""
    return "-".join(str(n) for n in model.network.sizes)


def plan_text(planned: Plan) -> list[str]:
    """What was made of the columns, and what a person may not expect, of the engine, too."""
    inputs, target = planned.model.inputs, planned.model.target
    assert inputs is not None
    assert target is not None
    lines = [
        f"column {shown(column.name)} holds texts: {len(column.values)} one-hot inputs "
        f"({', '.join(printable(value) for value in column.values)})"
        for column in inputs.columns
        if column.values is not None
    ]
    several = "s" if len(target.columns) > 1 else ""
    named = f"target{several} {', '.join(shown(name) for name in target.columns)}"
    if target.classes is None:
        lines.append(f"{named}: numbers" + ("" if several else " (--task classes to take them for classes)"))
    else:
        some = ", ".join(printable(name) for name in target.classes[:SHOWN_CLASSES])
        more = ", …" if len(target.classes) > SHOWN_CLASSES else ""
        hint = " (--task numbers to take them for numbers)" if all(map(is_number, target.classes)) else ""
        lines.append(f"{named}: {len(target.classes)} classes ({some}{more}){hint}")
    if not len(planned.test_X):
        lines.append("too few examples to hold any out: there will be no test figure")
    if planned.validation is not None and len(planned.validation) < FEW:
        n = len(planned.validation)
        lines.append(f"training is watched by {n} validation example{'s' if n > 1 else ''} only")
    slow = shortfall()
    return [*lines, slow] if slow else lines


def training_record(out: Path, trained: Trained) -> dict[str, Any]:
    """The figures of a training run."""
    model, target = trained.model, trained.model.target
    classes = target is not None and target.classes is not None
    return {
        "model": str(out),
        "sizes": list(model.network.sizes),
        "activation": list(model.network.activation),
        "cost": model.network.cost,
        "epochs": trained.epochs,
        "train_cost": trained.train_cost,
        "train_penalty": trained.train_penalty,
        "test_accuracy" if classes else "test_r2": trained.test_score,
        **{f"test_{name}": value for name, value in trained.test.items()},
        "train_examples": trained.n_train,
        "test_examples": trained.n_test,
        "seconds": trained.seconds,
        "engine": engine().NAME,
        "interrupted": trained.interrupted,
        "diverged": None if trained.divergence is None else str(trained.divergence),
        "best_epoch": trained.best_epoch,
        **{f"validation_{name}": value for name, value in trained.validation.items()},
        "validation_examples": trained.n_validation,
        "history": trained.history.json(),
    }


def training_text(data: str, out: Path, trained: Trained) -> str:
    """The figures of a training run in words, with a next command that can be copied."""
    from chainrule.insight.gradient import largest_weight

    model, record = trained.model, training_record(out, trained)
    penalty = f", of which penalty {significant(trained.train_penalty, 4)}" if trained.train_penalty else ""
    score = "none held out"
    if trained.test_score is not None:
        classes = "test_accuracy" in record
        figure = _accuracy_text(trained) if classes else r2_text(trained.test_score)
        others = [f"{name} {significant(value, 4)}" for name, value in list(trained.test.items())[2:]]
        score = f"{', '.join([figure, *others])} on {trained.n_test:,} examples held out"
    watched = ""
    if trained.validation:
        figures = ", ".join(f"{name} {significant(value, 4)}" for name, value in trained.validation.items())
        watched = f"validation {figures} on {trained.n_validation:,} examples"
        watched += f"; the best epoch was {trained.best_epoch}\n" if trained.best_epoch else "\n"
    weight = largest_weight(model.parameters).dotted
    command = f"chainrule explain {quote(str(out))} --data {quote(data)} {weight}"
    return (
        f"trained {sizes(model)} ({', '.join(model.network.activation)}; {model.network.cost}) "
        f"on {trained.n_train:,} examples of {printable(data)}\n"
        f"{trained.epochs} epochs in {trained.seconds:.2f} s on the {record['engine']} engine\n"
        f"train cost C = {significant(trained.train_cost, 4)}{penalty}\n"
        f"{watched}"
        f"test {score}\n"
        f"next: {printable(command)}"
    )


def _accuracy_text(trained: Trained) -> str:
    """The accuracy, and that it is no good where it is none."""
    assert trained.test_score is not None
    assert trained.largest_class is not None
    shown = f"accuracy {percent(trained.test_score)}"
    weighted = trained.model.target is not None and trained.model.target.class_weights is not None
    return (
        shown
        if weighted or trained.test_score > trained.largest_class
        else f"{shown} (no better than one class for all)"
    )


def r2_text(r2: float) -> str:
    """R², and that it is no good where it is none."""
    shown = f"R² {r2:.4f}" if r2 > -10 else f"R² {r2:.3g}"
    return shown if r2 > 0 else f"{shown} (no better than their mean for all)"


def prediction_rows(record: Mapping[str, Any], names: tuple[str, ...]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows: the row's number, what is predicted, and each class's probability where there are some."""
    probabilities = record.get("probabilities")
    classes = [f"P({name})" for name in record["classes"]] if probabilities else []
    rows: list[list[Any]] = [
        [i, *_several(prediction), *(probabilities[i] if probabilities else [])]
        for i, prediction in enumerate(record["predictions"])
    ]
    return ["row", *(f"predicted {name}" for name in names), *classes], rows


def predictions_text(record: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first predictions as a table, and how many of all are right."""
    probabilities = record.get("probabilities")
    rows = [["row", *map(printable, names), *(["probability"] if probabilities else [])]]
    for i, prediction in enumerate(record["predictions"][:SHOWN_ROWS]):
        values = _several(prediction)
        cells = [printable(value) if isinstance(value, str) else significant(value, 6) for value in values]
        rows.append([str(i), *cells, *([percent(max(probabilities[i]))] if probabilities else [])])
    lines = columns(rows, right=[True] * len(rows[0]))
    n = len(record["predictions"])
    if n > SHOWN_ROWS:
        lines.append(f"… {n - SHOWN_ROWS:,} more rows; --out FILE.csv or --json has them all")
    if "accuracy" in record:
        lines.append(f"accuracy {percent(record['accuracy'])} on {n:,} rows")
    if "r2" in record:
        lines.append(f"{r2_text(record['r2'])} on {n:,} rows")
    return "\n".join(lines)


def _several(prediction: Any) -> list[Any]:
    return cast("list[Any]", prediction) if isinstance(prediction, list) else [prediction]
