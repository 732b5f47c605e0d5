"""Rubrics: which gradient is asked for, and how many points each part of it is worth; in TOML."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from chainrule.calculus.network import Network, layout
from chainrule.checking.files import content, naming, toml_table
from chainrule.checking.given import PRECISIONS
from chainrule.checking.mistake import catalogue
from chainrule.checks import did_you_mean, file_path, known, number, require, shown, whole_number
from chainrule.errors import InputError
from chainrule.model.document import Section

_KEYS = ("problem", "model", "data", "example", "precision", "conventions", "points", "credit")

CONVENTIONS = ("any", "ours")


@dataclass(frozen=True)
class Item:
    """So many points, for these arrays together."""

    parameters: tuple[str, ...]
    points: float


@dataclass(frozen=True)
class Rubric:
    """What a rubric says. ``file`` is the problem, or the model with its ``data``; ``conventions`` is "any" where
    another slope at a kink is right, too. ``credit`` is the part of the points that is given in spite of a mistake."""

    path: Path
    file: Path
    data: str | None
    example: int | None
    precision: str
    conventions: str
    points: float | Mapping[str, float] | None
    credit: Mapping[str, float]

    def items(self, network: Network) -> tuple[Item, ...]:
        """What there are points for. Raises InputError for an array that the network does not have."""
        names = [block.name for block in layout(network)]
        with naming(self.path):
            if not isinstance(self.points, Mapping):
                whole = float(len(names)) if self.points is None else self.points
                return tuple(Item((name,), whole / len(names)) for name in names)
            layers = {f"layer{l}": (f"w{l}", f"b{l}") for l in network.layers}
            parts = {name: (name,) for name in names} | layers
            items = [Item(parts[known("points", part, parts)], points) for part, points in self.points.items()]
            counted = [name for item in items for name in item.parameters]
            for name in counted:
                if counted.count(name) > 1:
                    raise InputError(f"points: {name} counts twice, by itself and in its layer; leave one out")
            return tuple(items)


def read_rubric(path: str | Path) -> Rubric:
    """Read a rubric. Raises InputError that names the file, the key and what is expected there."""
    path = file_path(path)
    if path.suffix.lower() != ".toml":
        raise InputError(f"{path}: unknown kind of file {shown(path.suffix)}; a rubric ends in .toml")
    read = content(path)
    with naming(path):
        return _rubric(path, Section.of(toml_table(read), "", _KEYS))


def _rubric(path: Path, document: Section) -> Rubric:
    entries = document.entries
    if ("problem" in entries) == ("model" in entries):
        raise InputError('name what is asked for: problem = "….toml", or model = "….safetensors" and data')
    if ("data" in entries) != ("model" in entries):
        raise InputError("data goes with model; a problem file brings its own examples")
    file = _beside(path, _text(document, "problem" if "problem" in entries else "model"))
    data = _text(document, "data") if "data" in entries else None
    if data is not None and _beside(path, data).exists():
        data = str(_beside(path, data))
    example = None
    if "example" in entries:
        example = whole_number("example", entries["example"], "the number of an example, from 0", lambda i: i >= 0)
    return Rubric(
        path,
        file,
        data,
        example,
        known("precision", entries.get("precision", "auto"), ["auto", *PRECISIONS]),
        known("conventions", entries.get("conventions", CONVENTIONS[0]), CONVENTIONS),
        _points(document),
        _credit(document),
    )


def _text(document: Section, key: str) -> str:
    require(isinstance(document[key], str) and document[key] != "", key, document[key], "the name of a file")
    return document[key]


def _beside(path: Path, name: str) -> Path:
    """A file that the rubric names: as seen from the rubric's own folder."""
    return path.parent / file_path(name)


def _points(document: Section) -> float | dict[str, float] | None:
    if "points" not in document.entries:
        return None
    value: Any = document["points"]
    if not isinstance(value, dict):
        return number("points", value, "a number above 0, or a table such as w1 = 2, layer2 = 5", lambda x: x > 0)
    table = cast("dict[str, Any]", value)
    points = {key: number(f"points.{key}", x, "a number of 0 or more", lambda x: x >= 0) for key, x in table.items()}
    if not sum(points.values()) > 0:
        raise InputError("points: nothing is worth any; give some to w1, b1, …, or to layer1, …")
    return points


def _credit(document: Section) -> dict[str, float]:
    if "credit" not in document.entries:
        return {}
    table = document.section("credit").entries
    names = {mistake.name for mistake in catalogue()}
    for name in table:
        if name not in names:
            hint = did_you_mean(name, names)
            raise InputError(f"credit: {shown(name)} is no mistake that is known.{hint} docs/mistakes.md has them all")
    return {
        name: number(f"credit.{name}", x, "a part of the points, 0 to 1", lambda x: 0 <= x <= 1)
        for name, x in table.items()
    }
