"""Model files: ``.safetensors`` with w1, b1, … and one JSON description in the header. Never pickle."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors
import safetensors.numpy

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.errors import InputError, ModelError
from chainrule.model.encoding import InputColumn, Inputs, Target
from chainrule.model.model import Model
from chainrule.model.write import write

FORMAT = 1
"""The version of the description; a reader refuses newer ones."""

_KEY = "chainrule"


def save_model(model: Model, path: str | Path) -> None:
    """Write a model file, whole or not at all. Raises FileError."""
    network = model.network
    description = {
        "format": FORMAT,
        "version": version("chainrule"),
        "network": {
            "sizes": list(network.sizes),
            "activation": list(network.activation),
            "cost": network.cost,
            "l1": network.l1,
            "l2": network.l2,
        },
        "inputs": _inputs_json(model.inputs),
        "target": _target_json(model.target),
        "training": dict(model.training),
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in model.parameters}
    content = safetensors.numpy.save(arrays, metadata={_KEY: json.dumps(description, allow_nan=False)})
    write(Path(path), content)


def load_model(path: str | Path) -> Model:
    """Read a model file. Raises ModelError for one that is missing, truncated, not ours, or does not add up."""
    try:
        with cast("Any", safetensors).safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError, TypeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"{path}: not a model file that can be read ({why})") from None
    if _KEY not in metadata:
        raise ModelError(f"{path}: a safetensors file, but not one of ours: its header has no entry {_KEY!r}")
    try:
        return _model(json.loads(metadata[_KEY]), arrays)
    except (InputError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ModelError(f"{path}: its description does not add up ({why})") from None


def _model(description: Any, arrays: Mapping[str, Any]) -> Model:
    if description["format"] != FORMAT:
        raise ValueError(
            f"format {description['format']!r}; this version reads {FORMAT}. Is it from a newer chainrule?"
        )
    network = Network(**description["network"])
    dtypes = {array.dtype.name for array in arrays.values()}
    if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
        raise ValueError(f"its arrays are {', '.join(sorted(dtypes))}; expected all float32 or all float64")
    parameters = ParameterVector.from_arrays(network, arrays, next(iter(arrays.values())).dtype)
    inputs = _inputs(description["inputs"], network)
    target = _target(description["target"], network)
    training = description["training"]
    if not isinstance(training, dict):
        raise ValueError("training is not a table")
    return Model(parameters, inputs, target, cast("dict[str, Any]", training))


def _inputs_json(inputs: Inputs | None) -> Any:
    if inputs is None:
        return None
    columns = [{"name": column.name, "values": column.values} for column in inputs.columns]
    return {"columns": columns, "mean": inputs.mean.tolist(), "scale": inputs.scale.tolist()}


def _inputs(description: Any, network: Network) -> Inputs | None:
    if description is None:
        return None
    columns = tuple(InputColumn(_text(c["name"]), _texts(c["values"])) for c in description["columns"])
    inputs = Inputs(columns, *_scaling("inputs", description, network.sizes[0]))
    if len(inputs.names) != network.sizes[0]:
        raise ValueError(f"its columns make {len(inputs.names)} inputs, the network has {network.sizes[0]}")
    return inputs


def _target_json(target: Target | None) -> Any:
    if target is None:
        return None
    return {
        "columns": target.columns,
        "classes": target.classes,
        "mean": target.mean.tolist(),
        "scale": target.scale.tolist(),
    }


def _target(description: Any, network: Network) -> Target | None:
    if description is None:
        return None
    n_L = network.sizes[-1]
    columns, classes = _texts(description["columns"]) or (), _texts(description["classes"])
    expected = len(columns) if classes is None else (1 if len(classes) == 2 and n_L == 1 else len(classes))
    if n_L != expected:
        raise ValueError(f"its target makes {expected} outputs, the network has {n_L}")
    return Target(columns, classes, *_scaling("target", description, 0 if classes else n_L))


def _scaling(what: str, description: Any, n: int) -> tuple[Any, Any]:
    mean, scale = (np.array(description[key], dtype=np.float64) for key in ("mean", "scale"))
    if mean.shape != (n,) or scale.shape != (n,) or not np.isfinite(mean).all() or not (scale > 0).all():
        raise ValueError(f"the scaling of its {what} is not {n} means and {n} positive scales")
    return mean, scale


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a name")
    return value


def _texts(values: Any) -> tuple[str, ...] | None:
    return None if values is None else tuple(_text(value) for value in values)
