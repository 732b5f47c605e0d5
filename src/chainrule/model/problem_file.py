"""Problem files: a small network with its numbers and examples, in TOML: a worked exercise that can be shared."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from chainrule.calculus import notation
from chainrule.calculus.arrays import numbers
from chainrule.calculus.network import Network, ParameterVector
from chainrule.errors import InputError, ProblemError
from chainrule.model.model import Examples, Model

_SECTIONS = ("network", "parameters", "examples", "expected", "aliases")
_NETWORK = ("sizes", "activation", "cost", "l1", "l2")
_EXAMPLE = ("x", "y", "weight")


@dataclass(frozen=True)
class Problem:
    """What a problem file holds: a model, its examples, and further names for its parameters."""

    model: Model
    examples: Examples
    aliases: Mapping[str, str]


def load_problem(path: str | Path) -> Problem:
    """Read a problem file. Raises ProblemError that names the file, the key and what is expected there."""
    try:
        document = tomllib.loads(Path(path).read_bytes().decode("utf-8"))
    except OSError as error:
        raise ProblemError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ProblemError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise ProblemError(f"{path}: not TOML: {error}") from None
    except (RecursionError, ValueError) as error:
        raise ProblemError(f"{path}: not TOML that can be read: {error}") from None
    try:
        return _problem(document)
    except InputError as error:
        raise ProblemError(f"{path}: {error}") from None


def _problem(document: dict[str, Any]) -> Problem:
    _known_keys("", document, _SECTIONS)
    section = _table(document, "network")
    _known_keys("network.", section, _NETWORK)
    for key in ("sizes", "activation", "cost"):
        if key not in section:
            raise InputError(f"network.{key} is missing")
    network = Network(**section)
    parameters = ParameterVector.from_arrays(network, _table(document, "parameters"))
    model = Model(parameters)
    return Problem(model, _examples(model, document), _aliases(network, document))


def _examples(model: Model, document: dict[str, Any]) -> Examples:
    rows = document.get("examples")
    if not isinstance(rows, list) or not rows:
        raise InputError("examples: at least one [[examples]] with x and y is needed")
    sizes = model.network.sizes
    X: list[Any] = []
    Y: list[Any] = []
    weights: list[float] = []
    for i, row in enumerate(cast("list[Any]", rows)):
        if not isinstance(row, dict):
            raise InputError(f"examples: entry {i} is not a table with x and y")
        example = cast("dict[str, Any]", row)
        _known_keys(f"example {i}: ", example, _EXAMPLE)
        for key, values, n in (("x", X, sizes[0]), ("y", Y, sizes[-1])):
            if key not in example:
                raise InputError(f"example {i}: {key} is missing")
            values.append(numbers(f"{key} of example {i}", example[key], (n,)))
        weights.append(float(numbers(f"weight of example {i}", [example.get("weight", 1)], (1,))[0]))
    return model.examples(X, Y, weights if any(weight != 1 for weight in weights) else None)


def _aliases(network: Network, document: dict[str, Any]) -> dict[str, str]:
    aliases = _table(document, "aliases") if "aliases" in document else {}
    for name, target in aliases.items():
        if not isinstance(target, str):
            raise InputError(f"aliases.{name}: {target!r} is not the name of a parameter")
        try:
            notation.parse(target, network)
        except InputError as error:
            raise InputError(f"aliases.{name}: {error}") from None
    return aliases


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    section = document.get(key)
    if not isinstance(section, dict):
        raise InputError(f"[{key}] is missing" if section is None else f"{key}: {section!r} is not a table")
    return cast("dict[str, Any]", section)


def _known_keys(where: str, table: Mapping[str, Any], known: Collection[str]) -> None:
    for key in table:
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InputError(f"{where}{key} is not known.{hint} Known: {', '.join(known)}")
