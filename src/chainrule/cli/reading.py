"""Reading what a command's arguments name: files, lists of names and of numbers."""

import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from chainrule.checks import shown
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.data.table import Table
    from chainrule.engines.optimizer import Optimizer
    from chainrule.model.model import Examples, Model
    from chainrule.training.schedule import Schedule
    from chainrule.training.train import Settings

MODEL_SUFFIX = ".safetensors"


def read(file: Path, data: str | None) -> "tuple[Model, Examples, Mapping[str, str]]":
    """A problem file, or a model file with its data."""
    from chainrule.data.source import read_table
    from chainrule.model.model_file import load_model
    from chainrule.model.problem_file import load_problem

    kind = file.suffix.lower()
    if kind == ".toml":
        if data is not None:
            raise InputError(f"{file}: a problem file brings its own examples; leave out --data")
        problem = load_problem(file)
        return problem.model, problem.examples, problem.aliases
    if kind == MODEL_SUFFIX:
        model = load_model(file)
        if data is None:
            raise InputError(f"{file}: a model file has no examples; name some with --data")
        return model, model.examples_of(read_table(data)), {}
    raise InputError(
        f"{file}: unknown kind of file {kind!r}; a problem file ends in .toml, a model file in .safetensors"
    )


def check_out(option: str, out: Path, suffix: str | None, *read: str | Path | None) -> None:
    """Refuse a file to write that is none, is not of this kind, or is, or lies among, what is read here."""
    from chainrule.model.write import check_writable

    if suffix is not None and out.suffix.lower() != suffix:
        raise InputError(f"{option}: {shown(str(out))} does not end in {suffix}")
    if any(_is_read(out, Path(each)) for each in read if each is not None):
        raise InputError(
            f"{option}: {shown(str(out))} is what is read here; writing it would lose it. Name another file"
        )
    check_writable(out)


def _is_read(path: Path, data: Path) -> bool:
    """Whether a file is, or would be once it is written, among those that are read as this data."""
    from chainrule.data.source import KINDS, table_files
    from chainrule.model.write import same_file

    if same_file(path, data):
        return True
    try:
        inside = same_file(path.parent, data) and path.suffix.lower() in KINDS
        return data.is_dir() and (inside or any(same_file(path, file) for file in table_files(data)))
    except (OSError, ValueError):  # data that cannot be read is told of where it is read
        return False


def names(text: str) -> tuple[str, ...]:
    """The names of a list with commas, or colons."""
    return tuple(name.strip() for name in re.split("[,:]", text) if name.strip())


def whole_numbers(what: str, text: str, example: str) -> tuple[int, ...]:
    """The numbers of a list with commas; the error shows an example."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{what}: {shown(text)} is not a list of layer sizes such as {example}") from None


def layer_sizes(text: str) -> tuple[int, ...]:
    """The hidden layers that a list with commas names; none, where it says so."""
    return () if text.strip().lower() in ("", "none") else whole_numbers("hidden", text, "64,32, or none")


def training_settings(options: Mapping[str, Any]) -> "Settings":
    """What the options of ``training_options`` say, one value each; more of them are fields of Settings."""
    from chainrule.training.train import Settings

    given = dict(options)
    weights, dropped_out = given.pop("class_weight"), given.pop("dropout")
    return Settings(
        hidden=layer_sizes(given.pop("hidden")),
        activation=names(given.pop("activation")),
        optimizer=_optimizer(given),
        schedule=schedule(given.pop("schedule", "constant"), given.pop("warm_up", None)),
        dropout=() if dropped_out is None else dropout(dropped_out),
        class_weight=weights if weights in (None, "balanced") else _weights(weights),
        dropped=given.pop("drop"),
        standardise=given.pop("scale"),
        **given,
    )


_USERS = {
    "momentum": ("momentum", "nesterov"),
    "beta1": ("adam", "adamw"),
    "beta2": ("adam", "adamw"),
    "rho": ("rmsprop",),
    "epsilon": ("adam", "adamw", "rmsprop"),
    "weight_decay": ("adamw",),
}
"""Which optimizers have a constant."""

_SCHEDULES = {
    "step": ("every", "factor"),
    "cosine": ("least",),
    "one-cycle": ("least", "rise"),
    "plateau": ("patience", "factor", "least"),
    "inverse": ("power",),
}
"""Which constants a schedule has."""


def _optimizer(given: dict[str, Any]) -> "Optimizer":
    """The optimizer, with the constants that it has; they are taken out of what is given."""
    from chainrule.engines.optimizer import Optimizer

    name, lr = given.pop("optimizer"), given.pop("lr", None)
    constants = {what: given.pop(what) for what in _USERS}
    optimizer = Optimizer(name, lr, **{what: value for what, value in constants.items() if value is not None})
    for what, users in _USERS.items():
        if constants[what] is not None and name not in users:
            raise InputError(f"{what.replace('_', ' ')}: {name} has none; it belongs to {' and '.join(users)}")
    return optimizer


def dropout(text: str) -> tuple[float, ...]:
    """The probabilities that a list with commas, or colons, names."""
    return _numbers("dropout", text.replace(":", ","), "0.2, or 0.1,0.5")


def schedule(text: str, warm_up: float | None) -> "Schedule":
    """A schedule from its name and its constants, such as step:every=10:factor=0.5."""
    from chainrule.training.schedule import Schedule

    name, *constants = (part.strip() for part in text.split(":"))
    Schedule(name)  # so that a name which is none is told first
    has = _SCHEDULES.get(name, ())
    values: dict[str, float] = {} if warm_up is None else {"warm_up": warm_up}
    for constant in constants:
        what, _, value = (part.strip() for part in constant.partition("="))
        if what not in has:
            known = f"it has {' and '.join(has)}" if has else "it has none"
            raise InputError(f"schedule: {name} has no constant {shown(what)}; {known}")
        (number,) = _numbers(f"schedule: {what}", value, "0.5", 1)
        values[what] = int(number) if number == int(number) else number
    return Schedule(name, **cast("dict[str, Any]", values))


def _numbers(what: str, text: str, example: str, n: int | None = None) -> tuple[float, ...]:
    """The numbers of a list with commas, n of them where it is said how many."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or len(values) != (n or len(values)) or not all(map(isfinite, values)):
        kind = "a number" if n == 1 else "a list of numbers"
        raise InputError(f"{what}: {shown(text)} is not {kind} such as {example}")
    return values


def _weights(text: str) -> dict[str, float]:
    """A weight for each class from a text such as yes=5,no=1."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.rpartition("="))
        if not (name and equals):
            raise InputError(f"class weight: {shown(part)} is not a class with its weight, such as yes=5; or balanced")
        if name in weights:
            raise InputError(f"class weight: {shown(name)} has two weights; give it one")
        (weights[name],) = _numbers(f"class weight of {name}", value, "5", 1)
    return weights


def validation(text: str) -> "float | Table":
    """A share of the examples, or the data of that name."""
    from chainrule.data.source import read_table

    try:
        return float(text)
    except ValueError:
        return read_table(text)
