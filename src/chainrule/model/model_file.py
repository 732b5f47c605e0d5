"""Model files: ``.safetensors`` with w1, b1, … and one JSON description in the header. Never pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors
import safetensors.numpy

from chainrule.calculus.arrays import Array, numbers
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checks import file_path, require, shown
from chainrule.errors import InputError, ModelError
from chainrule.model.document import Section, network
from chainrule.model.encoding import InputColumn, Inputs, Target
from chainrule.model.model import Model
from chainrule.model.write import write
from chainrule.version import __version__

FORMAT = 1
"""The version of the description; a reader refuses newer ones."""

_KEY = "chainrule"
_DESCRIPTION = ("format", "version", "network", "inputs", "target", "training")


def save_model(model: Model, path: str | Path) -> None:
    """Write a model file, whole or not at all. Raises FileError, or InputError for a model that no file can hold."""
    write({file_path(path): model_content(model)})


def model_content(model: Model) -> bytes:
    """What a model file holds."""
    require(isinstance(model, Model), "model", model, "a Model")
    described = model.network
    description = {
        "format": FORMAT,
        "version": __version__,
        "network": {
            "sizes": list(described.sizes),
            "activation": list(described.activation),
            "cost": described.cost,
            "l1": described.l1,
            "l2": described.l2,
        },
        "inputs": _inputs_json(model.inputs),
        "target": _target_json(model.target),
        "training": dict(model.training),
    }
    for name, array in model.parameters:
        numbers(name, array, array.shape)
    try:
        metadata = {_KEY: json.dumps(description, allow_nan=False)}
    except (TypeError, ValueError) as error:
        raise InputError(f"training: it holds what JSON cannot ({error})") from None
    return safetensors.numpy.save(
        {name: np.ascontiguousarray(array) for name, array in model.parameters}, metadata=metadata
    )


def load_model(path: str | Path) -> Model:
    """Read a model file. Raises ModelError for one that is missing, truncated, not ours, or does not add up."""
    path = file_path(path)
    try:
        path.open("rb").close()  # what safetensors says of a folder or a missing file is harder to understand
        with cast("Any", safetensors).safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        swapped = "" if path.suffix.lower() == ".safetensors" else "; is it a model file, ending in .safetensors?"
        raise ModelError(f"{path}: not a model file that can be read ({why}){swapped}") from None
    if _KEY not in metadata:
        raise ModelError(f"{path}: a safetensors file, but not one of ours: its header has no entry {_KEY!r}")
    try:
        return _model(Section.of(json.loads(metadata[_KEY]), "", _DESCRIPTION), arrays)
    except RecursionError:
        raise ModelError(f"{path}: its description does not add up (its lists are nested too deep)") from None
    except ValueError as error:  # InputError is one
        raise ModelError(f"{path}: its description does not add up ({error})") from None


def _model(description: Section, arrays: Mapping[str, Any]) -> Model:
    version = description["format"]
    if version != FORMAT or isinstance(version, bool):
        raise InputError(f"format {shown(version)}; this version reads {FORMAT}. Is it from a newer chainrule?")
    network_ = network(description)
    dtypes = {array.dtype.name for array in arrays.values()}
    if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
        raise InputError(
            f"its arrays are {', '.join(sorted(dtypes)) or 'missing'}; expected all float32 or all float64"
        )
    parameters = ParameterVector.from_arrays(network_, arrays, next(iter(arrays.values())).dtype)
    inputs = None if description["inputs"] is None else _inputs(description, network_)
    target = None if description["target"] is None else _target(description, network_)
    if inputs is not None and target is not None:
        for column in inputs.columns:
            if column.name in target.columns:
                raise InputError(f"column {shown(column.name)} is there twice, as an input and as a target")
    return Model(parameters, inputs, target, description.section("training").entries)


def _inputs_json(inputs: Inputs | None) -> Any:
    if inputs is None:
        return None
    columns = [{"name": column.name, "values": column.values} for column in inputs.columns]
    return {"columns": columns, "mean": inputs.mean.tolist(), "scale": inputs.scale.tolist()}


def _inputs(description: Section, network: Network) -> Inputs:
    section = description.section("inputs", ("columns", "mean", "scale"))
    columns = tuple(_column(f"inputs.columns[{i}]: ", column) for i, column in enumerate(section.items("columns")))
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"inputs.columns: {shown(name)} is there twice")
    inputs = Inputs(columns, *_scaling(section, network.sizes[0]))
    if len(inputs.names) != network.sizes[0]:
        raise InputError(f"its columns make {len(inputs.names)} inputs, the network has {network.sizes[0]}")
    return inputs


def _column(place: str, description: object) -> InputColumn:
    column = Section.of(description, place, ("name", "values"))
    require(isinstance(column["name"], str), column.name("name"), column["name"], "a text")
    return InputColumn(column["name"], None if column["values"] is None else column.texts("values"))


def _target_json(target: Target | None) -> Any:
    if target is None:
        return None
    weights = target.class_weights
    return {
        "columns": target.columns,
        "classes": target.classes,
        "mean": target.mean.tolist(),
        "scale": target.scale.tolist(),
        **({} if weights is None else {"class_weights": weights.tolist()}),
    }


def _target(description: Section, network: Network) -> Target:
    section = description.section("target", ("columns", "classes", "mean", "scale", "class_weights"))
    n_L = network.sizes[-1]
    columns = section.texts("columns")
    require(len(columns) > 0, "target.columns", columns, "at least one column")
    if section["classes"] is None:
        classes, expected = None, len(columns)
    else:
        classes = section.texts("classes")
        require(len(classes) > 1, "target.classes", classes, "at least two classes")
        require(len(columns) == 1, "target.columns", columns, "one column, from which classes come")
        expected = 1 if len(classes) == 2 and n_L == 1 else len(classes)
    if n_L != expected:
        raise InputError(f"its target makes {expected} outputs, the network has {n_L}")
    weights = _class_weights(section, classes) if "class_weights" in section.entries else None
    return Target(columns, classes, *_scaling(section, 0 if classes else n_L), weights)


def _class_weights(section: Section, classes: tuple[str, ...] | None) -> Array:
    key = "class_weights"
    if classes is None:
        raise InputError(f"{section.name(key)}: there are no classes")
    weights = numbers(section.name(key), section[key], (len(classes),))
    if (weights < 0).any() or not weights.any():
        raise InputError(f"{section.name(key)}: {shown(section[key])}; no weight is below 0, and one is above")
    return weights


def _scaling(section: Section, n: int) -> tuple[Array, Array]:
    mean, scale = (numbers(section.name(key), section[key], (n,)) for key in ("mean", "scale"))
    for k in np.flatnonzero(scale <= 0):
        raise InputError(f"{section.name('scale')}[{k}] is {scale[k]}; every scale is above 0")
    return mean, scale
