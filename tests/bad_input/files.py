"""Good files of every kind, small, and the means to spoil them."""

import copy
import json
import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Document = dict[str, Any]

GONE = object()
"""In place of a value: the key is taken out."""

PROBLEM: Document = {
    "network": {"sizes": [2, 3, 1], "activation": "sigmoid", "cost": "half-squared-error"},
    "parameters": {
        "w1": [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]],
        "b1": [0.1, 0.2, 0.3],
        "w2": [[0.7, 0.8, 0.9]],
        "b2": [0.4],
    },
    "examples": [{"x": [1.0, 2.0], "y": [0.5]}, {"x": [3.0, 4.0], "y": [0.25], "weight": 2}],
    "aliases": {"bias": "b2[0]"},
}

GRADIENT: Document = {
    "w1": [
        [0.012967161890771075, 0.018514450426676456],
        [0.005763839401891254, 0.008714904782135099],
        [0.0022549696144506266, 0.003729366341162433],
    ],
    "b1": [0.005547288535905382, 0.002951065380243843, 0.0014743967267118066],
    "w2": [[0.03030369349312347, 0.03693201249512906, 0.03945746602302531]],
    "b2": [0.041265207877748684],
}
"""∇C of the problem."""

DESCRIPTION: Document = {
    "format": 1,
    "version": "0.1.0",
    "network": {
        "sizes": [3, 2, 1],
        "activation": ["relu", "sigmoid"],
        "cost": "binary-cross-entropy",
        "l1": 0,
        "l2": 0,
    },
    "inputs": {
        "columns": [{"name": "size", "values": None}, {"name": "colour", "values": ["green", "red"]}],
        "mean": [3.0, 0.0, 0.0],
        "scale": [2.0, 1.0, 1.0],
    },
    "target": {"columns": ["kind"], "classes": ["cat", "dog"], "mean": [], "scale": []},
    "training": {"costs": [0.5]},
}

TENSORS: dict[str, NDArray[Any]] = {
    "b1": np.array([0.1, 0.2], np.float32),
    "b2": np.array([0.3], np.float32),
    "w1": np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], np.float32),
    "w2": np.array([[0.7, 0.8]], np.float32),
}

CSV = "size,colour,kind\n1,red,cat\n2,green,dog\n3,red,cat\n4,green,dog\n5,red,cat\n6,green,dog\n"


def write_good_files(folder: Path) -> None:
    """What every command finds in its working directory, with a model that ``train`` would overwrite."""
    (folder / "good.toml").write_text(toml(PROBLEM))
    (folder / "good.safetensors").write_bytes(model_file())
    (folder / "model.safetensors").write_bytes(model_file())
    (folder / "good.csv").write_text(CSV)
    (folder / "good.json").write_text(json.dumps(GRADIENT))
    (folder / "rubric.toml").write_text('problem = "good.toml"\n')
    (folder / "answers").mkdir()
    (folder / "answers" / "ann.json").write_text(json.dumps(GRADIENT))
    (folder / "old.csv").write_text("row,predicted kind\n0,cat\n")


def changed(document: Document, changes: Mapping[str, Any]) -> Document:
    """A copy with the values at some dotted paths replaced, added, or taken out."""
    result = copy.deepcopy(document)
    for path, value in changes.items():
        *sections, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = result
        for section in sections:
            place = place[section]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return result


def toml(document: Document) -> str:
    """A problem as TOML text."""
    first: list[str] = []
    lines: list[str] = []
    for name, section in document.items():
        if _is(section, dict):
            lines += [f"[{name}]", *_keys(section)]
        elif _is(section, list) and section and all(_is(row, dict) for row in section):
            for row in section:
                lines += [f"[[{name}]]", *_keys(row)]
        else:
            first.append(f"{name} = {_value(section)}")
    return "\n".join(first + lines) + "\n"


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind)


def _keys(section: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in section.items()]


def _value(value: Any) -> str:
    if _is(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if _is(value, dict):
        return "{" + ", ".join(_keys(value)) + "}"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return hex(value) if isinstance(value, int) and value >= 10**4000 else repr(value)


def model_file(
    changes: Mapping[str, Any] | None = None, tensors: Mapping[str, NDArray[Any] | None] | None = None
) -> bytes:
    """A model file with changes to its description, and tensors replaced, added, or (None) taken out."""
    merged = {name: array for name, array in (TENSORS | dict(tensors or {})).items() if array is not None}
    return safetensors_file({"chainrule": json.dumps(changed(DESCRIPTION, changes or {}))}, merged)


def safetensors_file(metadata: Mapping[str, str] | None, tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """A safetensors file, put together by hand."""
    codes = {"float32": "F32", "float64": "F64", "float16": "F16", "int64": "I64"}
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    body = b""
    for name, array in tensors.items():
        content = array.tobytes()
        header[name] = {
            "dtype": codes[array.dtype.name],
            "shape": array.shape,
            "data_offsets": [len(body), len(body) + len(content)],
        }
        body += content
    return safetensors_header(header) + body


def safetensors_header(header: Any) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def npz(allow_pickle: bool = False, **arrays: Any) -> bytes:
    """An npz file of these arrays."""
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=allow_pickle, **arrays)
    return buffer.getvalue()


def npz_with_header(header: str) -> bytes:
    """An npz file whose X is nothing but this header."""
    text = (header + " " * (63 - (10 + len(header)) % 64) + "\n").encode("latin1")
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    return buffer.getvalue()
