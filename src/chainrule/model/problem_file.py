"""Problem files: a small network with its numbers and examples, in TOML: a worked exercise that can be shared."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.calculus import notation
from chainrule.calculus.arrays import numbers
from chainrule.calculus.network import ParameterVector
from chainrule.checks import file_path, require
from chainrule.errors import InputError, ProblemError
from chainrule.model.document import Section, network
from chainrule.model.model import Examples, Model

_SECTIONS = ("network", "parameters", "examples", "expected", "aliases")
_EXAMPLE = ("x", "y", "weight")


@dataclass(frozen=True)
class Problem:
    """What a problem file holds: a model, its examples, and further names for its parameters."""

    model: Model
    examples: Examples
    aliases: Mapping[str, str]


def load_problem(path: str | Path) -> Problem:
    """Read a problem file. Raises ProblemError that names the file, the key and what is expected there."""
    path = file_path(path)
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ProblemError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise ProblemError(f"{path}: not TOML: {error}") from None
    except RecursionError:
        raise ProblemError(f"{path}: not TOML that can be read: its lists are nested too deep") from None
    except ValueError as error:
        raise ProblemError(f"{path}: not TOML that can be read: {error}") from None
    try:
        return _problem(Section.of(document, "", _SECTIONS))
    except InputError as error:
        raise ProblemError(f"{path}: {error}") from None


def _problem(document: Section) -> Problem:
    parameters = ParameterVector.from_arrays(network(document), document.section("parameters").entries)
    model = Model(parameters)
    return Problem(model, _examples(model, document), _aliases(model, document))


def _examples(model: Model, document: Section) -> Examples:
    rows = document.items("examples") if "examples" in document.entries else []
    if not rows:
        raise InputError("examples: at least one [[examples]] with x and y is needed")
    sizes = model.network.sizes
    X: list[Any] = []
    Y: list[Any] = []
    weights: list[float] = []
    for i, row in enumerate(rows):
        example = Section.of(row, f"example {i}: ", _EXAMPLE)
        for key, values, n in (("x", X, sizes[0]), ("y", Y, sizes[-1])):
            values.append(numbers(f"{key} of example {i}", example[key], (n,)))
        weights.append(float(numbers(f"weight of example {i}", example.entries.get("weight", 1), ())))
    return model.examples(X, Y, weights if any(weight != 1 for weight in weights) else None)


def _aliases(model: Model, document: Section) -> dict[str, str]:
    aliases = document.section("aliases") if "aliases" in document.entries else Section("aliases.", {})
    for name, target in aliases.entries.items():
        require(isinstance(target, str), aliases.name(name), target, "the name of a parameter, such as w2.1.0")
        try:
            notation.parse(target, model.network)
        except InputError as error:
            raise InputError(f"{aliases.name(name)}: {error}") from None
    return dict(aliases.entries)
