"""The table: every kind of bad input, how it is made, and what its one error has to say.

A row is a name, what makes the input bad, and fragments of the message: what is wrong, where, and what to do.
The tables differ in what is bad; ``test_bad_input.py`` puts each row to every entry point that could be given it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bad_input.files import (
    CSV,
    GONE,
    GRADIENT,
    TENSORS,
    changed,
    model_file,
    npz,
    npz_with_header,
    safetensors_file,
    safetensors_header,
)

NAN, INF = float("nan"), float("inf")
HUGE = 10**400
ENDLESS = 10**5000  # Python refuses to write out whole numbers this long

# a problem's numbers, or a network's description ------------------------------------------------------


@dataclass(frozen=True)
class Spoilt:
    """Values of the good problem, or of the good model's description, replaced by dotted path."""

    name: str
    changes: Mapping[str, Any]
    says: tuple[str, ...]


def _network(name: str, key: str, value: object, *says: str) -> Spoilt:
    return Spoilt(name, {f"network.{key}": value}, says)


# To: Network, load_problem, load_model; gradient and explain on the problem; predict, gradient, explain on the model.
NETWORKS = [
    _network("sizes empty", "sizes", [], "sizes", "0 entries", "at least an input and an output"),
    _network("sizes one entry", "sizes", [2], "sizes", "1 entries", "at least an input and an output"),
    _network("sizes a number", "sizes", 3, "sizes: 3", "list of layer sizes such as [2, 3, 1]"),
    _network("sizes a text", "sizes", "2-3-1", "sizes: '2-3-1'", "list of layer sizes such as [2, 3, 1]"),
    _network("sizes a table", "sizes", {"first": 2}, "sizes", "list of layer sizes such as [2, 3, 1]"),
    _network("sizes with zero", "sizes", [2, 0, 1], "sizes", "entry 1: 0 is not", "at least 1"),
    _network("sizes negative", "sizes", [2, 3, -1], "sizes", "entry 2: -1 is not", "at least 1"),
    _network("sizes with a bool", "sizes", [2, True, 1], "sizes", "entry 1: True is not", "whole number"),
    _network("sizes with a float", "sizes", [2, 3.0, 1], "sizes", "entry 1: 3.0 is not", "whole number"),
    _network("sizes with NaN", "sizes", [2, NAN, 1], "sizes", "entry 1: nan is not", "whole number"),
    _network("sizes with a text", "sizes", [2, "3", 1], "sizes", "entry 1: '3' is not", "whole number"),
    _network("sizes nested", "sizes", [2, [3], 1], "sizes", "entry 1: [3] is not", "whole number"),
    _network("sizes absurd", "sizes", [2, 99_999_999_999, 1], "sizes", "more parameters than the most, 2,147,483,648"),
    _network("sizes of 400 digits", "sizes", [2, HUGE, 1], "sizes", "more parameters than the most, 2,147,483,648"),
    _network(
        "sizes of 5,000 digits", "sizes", [2, ENDLESS, 1], "sizes", "more parameters than the most, 2,147,483,648"
    ),
    _network("sizes large and deep", "sizes", [3000] * 3000, "sizes", "more parameters than the most, 2,147,483,648"),
    _network("activation unknown", "activation", "sigmod", "activation: 'sigmod'", "Did you mean 'sigmoid'", "tanh"),
    _network("activation a number", "activation", 7, "activation: 7", "a name or a list of names"),
    _network("activation too many", "activation", ["relu"] * 3, "activation: 3 names for 2 layers", "one for each"),
    _network("activation none", "activation", [], "activation: 0 names for 2 layers", "one for each"),
    _network("activation nested", "activation", [["relu"], "relu"], "activation: ['relu']", "Known: identity"),
    _network("activation long", "activation", "s" * 10**5, "activation: 'sss", "Known: identity"),
    _network("softmax hidden", "activation", ["softmax", "sigmoid"], "layer 1 of 2", "'softmax'", "only the last"),
    _network("cost unknown", "cost", "cross-entropi", "cost: 'cross-entropi'", "Did you mean 'cross-entropy'"),
    _network("cost a number", "cost", 1.5, "cost: 1.5", "Known: squared-error"),
    _network("cost a list", "cost", ["huber"], "cost: ['huber']", "Known: squared-error"),
    Spoilt(
        "cross-entropy with sigmoid",
        {"network.cost": "cross-entropy", "network.activation": "sigmoid"},
        ("'cross-entropy' does not go with", "'sigmoid'", "cross-entropy with softmax", "poisson with exp or softplus"),
    ),
    Spoilt(
        "binary-cross-entropy with relu",
        {"network.cost": "binary-cross-entropy", "network.activation": "relu"},
        ("'binary-cross-entropy' does not go with", "'relu'", "binary-cross-entropy with sigmoid"),
    ),
    Spoilt(
        "squared-error with softmax",
        {"network.cost": "squared-error", "network.activation": ["tanh", "softmax"]},
        ("'squared-error' does not go with", "'softmax'", "squared-error with any but softmax"),
    ),
    Spoilt(
        "poisson with identity",
        {"network.cost": "poisson", "network.activation": "identity"},
        ("'poisson' does not go with", "'identity'", "poisson with exp or softplus"),
    ),
    _network("l1 negative", "l1", -0.1, "l1: -0.1", "a number of 0 or more"),
    _network("l2 NaN", "l2", NAN, "l2: nan", "a number of 0 or more"),
    _network("l2 infinite", "l2", INF, "l2: inf", "a number of 0 or more"),
    _network("l2 a text", "l2", "0.1", "l2: '0.1'", "a number of 0 or more"),
    _network("l1 a bool", "l1", True, "l1: True", "a number of 0 or more"),
    _network("l1 of 400 digits", "l1", HUGE, "l1: 1000", "a number of 0 or more"),
    _network("l1 of 5,000 digits", "l1", ENDLESS, "l1", "a number of 0 or more"),
]


def _nested(depth: int) -> Any:
    return [_nested(depth - 1)] if depth else 0.7


def _parameter(name: str, key: str, value: object, *says: str) -> Spoilt:
    return Spoilt(name, {f"parameters.{key}": value}, says)


# To: ParameterVector.from_arrays, load_problem; gradient and explain on the problem.
PARAMETERS = [
    _parameter("w missing", "w2", GONE, "w2", "missing", "expected shape (1, 3)"),
    _parameter("w unknown", "w3", [[1.0]], "w3: no such parameter", "have 'w1', 'b1', 'w2', 'b2'"),
    _parameter("w flat", "w2", [0.7, 0.8, 0.9], "w2: shape (3,)", "expected (1, 3)", "one row for each"),
    _parameter("w a number", "w2", 0.7, "w2: shape ()", "expected (1, 3)"),
    _parameter("w transposed", "w1", [[0.1, 0.3, 0.5], [0.2, 0.4, 0.6]], "w1: shape (2, 3)", "expected (3, 2)"),
    _parameter("w ragged", "w1", [[0.1, 0.2], [0.3], [0.5, 0.6]], "w1: row 1 has 1", "expected shape (3, 2)"),
    _parameter("w empty", "w1", [], "w1: shape (0,)", "expected (3, 2)"),
    _parameter("w of empty rows", "w1", [list[float]()] * 3, "w1: shape (3, 0)", "expected (3, 2)"),
    _parameter("w a row too many", "w2", [[0.7, 0.8, 0.9]] * 2, "w2: shape (2, 3)", "expected (1, 3)"),
    _parameter("w NaN", "w1", [[0.1, NAN], [0.3, 0.4], [0.5, 0.6]], "w1[0][1] is nan", "finite"),
    _parameter("w infinite", "w1", [[0.1, 0.2], [0.3, 0.4], [-INF, 0.6]], "w1[2][0] is -inf", "finite"),
    _parameter("w a text inside", "w2", [[0.7, "0.8", 0.9]], "w2", "'0.8' is not a number", "(1, 3)"),
    _parameter("w a bool inside", "w2", [[0.7, True, 0.9]], "w2", "True is not a number", "(1, 3)"),
    _parameter("w bools", "w2", [[True, False, True]], "w2", "True is not a number", "(1, 3)"),
    _parameter("w a table", "w2", {"a": 1}, "w2", "is not a number", "(1, 3)"),
    _parameter("w a text", "w2", "0.7 0.8 0.9", "w2", "'0.7 0.8 0.9' is not", "(1, 3)"),
    _parameter("w a long text", "w2", "0.7 " * 10**5, "w2", "'0.7 0.7", "(1, 3)"),
    _parameter("w too deep", "w2", [[[0.7], [0.8], [0.9]]], "w2: shape (1, 3, 1)", "expected (1, 3)"),
    _parameter("w fifty deep", "w2", _nested(50), "w2: ", "(1, 3)"),
    _parameter("b of 400 digits", "b2", [HUGE], "b2", "too large for float64"),
    _parameter("b of 5,000 digits", "b2", [ENDLESS], "b2", "too large for float64"),
    _parameter("b too long", "b2", [0.4, 0.5], "b2: shape (2,)", "expected (1,)", "one number for each"),
    _parameter("b nested", "b2", [[0.4]], "b2: shape (1, 1)", "expected (1,)"),
]


def _example(name: str, changes: Mapping[str, Any], *says: str) -> Spoilt:
    return Spoilt(name, {f"examples.{key}": value for key, value in changes.items()}, says)


# To: Model.examples, load_problem; gradient and explain on the problem.
EXAMPLES = [
    _example("x too short", {"0.x": [1.0]}, "0", "2"),
    _example("x too long", {"1.x": [1.0, 2.0, 3.0]}, "1", "3", "2"),
    _example("x NaN", {"1.x": [NAN, 2.0]}, "1", "is nan", "finite"),
    _example("x infinite", {"1.x": [1.0, INF]}, "1", "is inf", "finite"),
    _example("x a text", {"0.x": ["1", 2.0]}, "'1' is not a number"),
    _example("x a bool", {"0.x": [True, 2.0]}, "True is not a number"),
    _example("x empty", {"0.x": []}, "0", "2"),
    _example("x nested", {"0.x": [[1.0], [2.0]]}, "expected", "2"),
    _example("x ragged", {"0.x": [1.0, [2.0]]}, "row 1 has 1 number", "a single value", "expected"),
    _example("x a number", {"0.x": 1.0}, "expected", "2"),
    _example("x of 400 digits", {"0.x": [HUGE, 1]}, "too large for float64"),
    _example("y too long", {"1.y": [0.5, 0.5]}, "1", "2", "expected"),
    _example("y NaN", {"0.y": [NAN]}, "0", "is nan", "finite"),
    _example("y a text", {"0.y": ["cat"]}, "'cat' is not a number"),
    _example("weight negative", {"1.weight": -1}, "weight of example 1 is -1", "not negative"),
    _example("weight NaN", {"1.weight": NAN}, "weight", "1", "nan", "finite"),
    _example("weight infinite", {"0.weight": INF}, "weight", "0", "inf", "finite"),
    _example("weight a text", {"0.weight": "2"}, "weight", "'2' is not a number"),
    _example("weight a bool", {"0.weight": True}, "weight", "True is not a number"),
    _example("weight a list", {"0.weight": [1, 2]}, "weight", "2"),
    _example("weights all 0", {"0.weight": 0, "1.weight": 0}, "every weight is 0", "at least one"),
    Spoilt(
        "y no probability",
        {"network.cost": "binary-cross-entropy", "examples.1.y": [1.5]},
        ("y of example 1", "y[0] is 1.5", "binary-cross-entropy takes probabilities, from 0 to 1"),
    ),
    Spoilt(
        "y does not sum to 1",
        {"network.cost": "cross-entropy", "network.activation": ["tanh", "softmax"]},
        ("y of example 0", "sum to 0.5", "cross-entropy takes probabilities that sum to 1"),
    ),
    Spoilt(
        "y negative for poisson",
        {"network.cost": "poisson", "network.activation": "exp", "examples.0.y": [-0.5]},
        ("y of example 0", "y[0] is -0.5", "poisson takes numbers that are not negative"),
    ),
]

# To: load_problem; gradient and explain on the problem: what only a file can get wrong.
SECTIONS = [
    Spoilt("ten thousand layers", {"network.sizes": [1] * 10**4}, ("w1: shape (3, 2)", "expected (1, 1)")),
    Spoilt("no network", {"network": GONE}, ("network is missing",)),
    Spoilt("no parameters", {"parameters": GONE}, ("parameters is missing",)),
    Spoilt("no examples", {"examples": GONE}, ("examples", "at least one [[examples]] with x and y")),
    Spoilt("examples empty", {"examples": []}, ("examples", "at least one [[examples]] with x and y")),
    Spoilt("examples one table", {"examples": {"x": [1], "y": [1]}}, ("examples: {'x'", "is not a list")),
    Spoilt("examples numbers", {"examples": [1, 2]}, ("example 0: 1 is not a table",)),
    Spoilt("network a number", {"network": 3}, ("network: 3 is not a table",)),
    Spoilt("parameters a list", {"parameters": [1]}, ("parameters: [1] is not a table",)),
    Spoilt("aliases a text", {"aliases": "b2[0]"}, ("aliases: 'b2[0]' is not a table",)),
    Spoilt("no sizes", {"network.sizes": GONE}, ("network.sizes is missing",)),
    Spoilt("no activation", {"network.activation": GONE}, ("network.activation is missing",)),
    Spoilt("no cost", {"network.cost": GONE}, ("network.cost is missing",)),
    Spoilt("no x", {"examples.1.x": GONE}, ("example 1: x is missing",)),
    Spoilt("no y", {"examples.0.y": GONE}, ("example 0: y is missing",)),
    Spoilt("unknown section", {"paramters": {}}, ("paramters is not known", "Did you mean 'parameters'", "aliases")),
    Spoilt("unknown network key", {"network.size": [1]}, ("network.size is not known", "Did you mean 'sizes'")),
    Spoilt("unknown example key", {"examples.0.wieght": 1}, ("example 0: wieght is not", "Did you mean 'weight'")),
    Spoilt("alias to nothing", {"aliases.w9": "w9[0,0]"}, ("aliases.w9", "there is no w in layer 9", "w1 to w2")),
    Spoilt("alias to no name", {"aliases.w9": "here"}, ("aliases.w9: 'here'", "Write w2.1.0")),
    Spoilt("alias a number", {"aliases.w9": 3}, ("aliases.w9: 3 is not the name of a parameter", "w2.1.0")),
]


@dataclass(frozen=True)
class Content:
    """A file of these bytes, or whatever ``make`` puts at a path; ``says`` is told on top of the file's name."""

    name: str
    make: bytes | Callable[[Path], object]
    says: tuple[str, ...]
    suffix: str = ""

    def put(self, path: Path) -> None:
        if isinstance(self.make, bytes):
            path.write_bytes(self.make)
        else:
            self.make(path)


# To: load_problem; gradient and explain on the problem.
PROBLEM_FILES = [
    Content("missing", lambda path: None, ("cannot be read", "No such file")),
    Content("a folder", lambda path: path.mkdir(), ("cannot be read", "Is a directory")),
    Content("empty", b"", ("network is missing",)),
    Content("not UTF-8", b"[network]\nsizes = [2]\nname = '\xff'", ("not a text file in UTF-8", "byte 30")),
    Content("UTF-16", "[network]".encode("utf-16"), ("not a text file in UTF-8", "byte 0")),
    Content("malformed", b"[network]\nsizes = [2, 3\ncost", ("not TOML", "line 3")),
    Content("truncated", b"[network]\nsizes = [2, 3, 1]\nactivation = 'sig", ("not TOML", "end of document")),
    Content("key twice", b"[network]\nsizes = [2, 1]\nsizes = [2, 1]", ("not TOML", "overwrite")),
    Content("NUL bytes", b"[network]\n\x00\x00\x00", ("not TOML", "line 2")),
    Content("a number of 5,000 digits", b"a = " + b"9" * 5000, ("not TOML that can be read", "digits")),
    Content("nested 100,000 deep", b"a = " + b"[" * 100_000, ("not TOML that can be read", "deep")),
    Content("a model", model_file(), ("not a text file in UTF-8",)),
]


def _described(name: str, changes: Mapping[str, Any], *says: str) -> Content:
    return Content(name, model_file(changes), says)


def _tensors(name: str, tensors: Mapping[str, Any], *says: str) -> Content:
    return Content(name, model_file(tensors=tensors), says)


def _safetensors(name: str, metadata: Mapping[str, str] | None, *says: str) -> Content:
    return Content(name, safetensors_file(metadata, TENSORS), says)


_GOOD_MODEL = model_file()
_COLUMN = {"name": "size", "values": None}

# To: load_model; predict, gradient and explain on the model.
MODEL_FILES = [
    Content("missing", lambda path: None, ("not a model file that can be read", "No such file")),
    Content("a folder", lambda path: path.mkdir(), ("not a model file that can be read", "Is a directory")),
    Content("empty", b"", ("not a model file that can be read", "header")),
    Content("a problem", b"[network]\nsizes = [2, 1]\n", ("not a model file that can be read",)),
    Content("random bytes", bytes(range(256)) * 9, ("not a model file that can be read", "header")),
    Content("truncated in the numbers", _GOOD_MODEL[:-5], ("not a model file that can be read",)),
    Content("truncated in the header", _GOOD_MODEL[:99], ("not a model file that can be read",)),
    Content("too long", _GOOD_MODEL + b"\0" * 8, ("not a model file that can be read",)),
    Content("a header of exabytes", b"\xff" * 7 + b"\x7f{}", ("not a model file that can be read", "large")),
    Content("header not JSON", safetensors_header(b"{]"), ("not a model file that can be read",)),
    Content("header not UTF-8", safetensors_header(b"{\xff}"), ("not a model file that can be read",)),
    Content(
        "a tensor of 10¹⁵ entries",
        safetensors_header({"w1": {"dtype": "F32", "shape": [10**15], "data_offsets": [0, 4 * 10**15]}}),
        ("not a model file that can be read",),
    ),
    Content(
        "an unknown dtype",
        safetensors_header({"w1": {"dtype": "X9", "shape": [1], "data_offsets": [0, 4]}}) + bytes(4),
        ("not a model file that can be read",),
    ),
    Content(
        "a bfloat16 tensor",
        safetensors_header({"w1": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}) + bytes(4),
        ("not a model file",),
    ),
    _safetensors("no metadata", None, "not one of ours", "no entry 'chainrule'"),
    _safetensors("someone else's", {"format": "pt"}, "not one of ours", "no entry 'chainrule'"),
    _safetensors("description not JSON", {"chainrule": "{"}, "description does not add up", "line 1 column 2"),
    _safetensors("description empty", {"chainrule": ""}, "description does not add up", "line 1 column 1"),
    _safetensors("description a list", {"chainrule": "[]"}, "description does not add up", "a table"),
    _safetensors("description null", {"chainrule": "null"}, "description does not add up", "a table"),
    _safetensors("description deep", {"chainrule": "[" * 10**5}, "description does not add up", "deep"),
    _safetensors("a number of 5,000 digits", {"chainrule": "9" * 5000}, "description does not add up", "digits"),
    _safetensors("description empty table", {"chainrule": "{}"}, "description does not add up", "format", "missing"),
    *(
        _described(f"no {key}", {key: GONE}, "description does not add up", key, "missing")
        for key in ("format", "network", "network.sizes", "network.activation", "network.cost", "inputs", "target")
    ),
    *(
        _described(f"no {key}", {key: GONE}, "description does not add up", key.rpartition(".")[2], "missing")
        for key in ("training", "inputs.columns", "inputs.mean", "target.classes", "target.scale")
    ),
    _described("format newer", {"format": 2}, "format 2", "this version reads 1", "newer"),
    _described("format a text", {"format": "1"}, "format '1'", "this version reads 1"),
    _described("format true", {"format": True}, "format True", "this version reads 1"),
    _described("network a list", {"network": [2, 1]}, "does not add up", "network", "not a table"),
    _described("network null", {"network": None}, "does not add up", "network", "not a table"),
    _described("network unknown key", {"network.dropout": 0.5}, "network.dropout is not known", "sizes"),
    _described("sizes larger than the arrays", {"network.sizes": [3, 30_000, 1]}, "w1: shape (2, 3)", "(30000, 3)"),
    _described("sizes smaller than the arrays", {"network.sizes": [3, 1, 1]}, "shape", "expected (1, 3)"),
    _described("sizes of 8 GB", {"network.sizes": [30_000, 60_000, 1]}, "w1: shape (2, 3)", "expected (60000, 30000)"),
    _described("inputs a number", {"inputs": 3}, "does not add up", "inputs", "not a table"),
    _described("inputs too few", {"inputs.columns": [_COLUMN]}, "columns make 1 inputs", "network has 3"),
    _described("columns not a list", {"inputs.columns": 7}, "does not add up", "inputs.columns: 7", "list"),
    _described(
        "column not a table",
        {"inputs.columns": ["size"]},
        "does not add up",
        "inputs.columns[0]: 'size' is not a table",
    ),
    _described(
        "column without name",
        {"inputs.columns.0": {"values": None}},
        "does not add up",
        "inputs.columns[0]: name is missing",
    ),
    _described("column name a number", {"inputs.columns.0.name": 3}, "does not add up", "3 is not a text"),
    _described("column values a text", {"inputs.columns.1.values": "ab"}, "does not add up", "'ab' is not a list"),
    _described("column values numbers", {"inputs.columns.1.values": [1, 2]}, "does not add up", "1 is not a text"),
    _described("column twice", {"inputs.columns.1": _COLUMN, "inputs.columns.0.values": ["a", "b"]}, "size", "twice"),
    _described("value twice", {"inputs.columns.1.values": ["red", "red"]}, "does not add up", "red", "twice"),
    _described("mean a text", {"inputs.mean": "abc"}, "does not add up", "inputs.mean"),
    _described("mean too short", {"inputs.mean": [0.0]}, "does not add up", "inputs.mean: shape (1,)", "(3,)"),
    _described("mean NaN", {"inputs.mean": [NAN, 0.0, 0.0]}, "does not add up", "inputs.mean[0] is nan", "finite"),
    _described("mean null", {"inputs.mean": None}, "does not add up", "inputs.mean: None is not"),
    _described(
        "mean texts", {"inputs.mean": ["1", "2", "3"]}, "does not add up", "inputs.mean[0]: '1' is not a number"
    ),
    _described("scale zero", {"inputs.scale": [1.0, 0.0, 1.0]}, "does not add up", "inputs.scale", "[1] is 0"),
    _described("scale negative", {"inputs.scale": [1.0, 1.0, -2.0]}, "does not add up", "inputs.scale", "[2] is -2"),
    _described("scale infinite", {"inputs.scale": [INF, 1.0, 1.0]}, "does not add up", "inputs.scale[0] is inf"),
    _described("scale of 400 digits", {"inputs.scale": [HUGE, 1, 1]}, "does not add up", "inputs.scale", "too large"),
    _described("target a text", {"target": "kind"}, "does not add up", "target", "not a table"),
    _described("target without column", {"target.columns": []}, "does not add up", "target.columns"),
    _described("target columns null", {"target.columns": None}, "does not add up", "target.columns"),
    _described("target columns a text", {"target.columns": "kind"}, "does not add up", "target.columns", "list"),
    _described("one class", {"target.classes": ["cat"]}, "does not add up", "target.classes", "two"),
    _described("no class", {"target.classes": []}, "does not add up", "target.classes", "two"),
    _described("class twice", {"target.classes": ["cat", "cat"]}, "does not add up", "cat", "twice"),
    _described("three classes", {"target.classes": ["a", "b", "c"]}, "makes 3 outputs", "network has 1"),
    _described("classes numbers", {"target.classes": [0, 1]}, "does not add up", "0 is not a text"),
    _described("target scaling of classes", {"target.scale": [1.0]}, "does not add up", "target.scale: shape (1,)"),
    _described("class weights of others", {"target.class_weights": [1.0]}, "target.class_weights: shape (1,)"),
    _described("class weights a text", {"target.class_weights": "balanced"}, "target.class_weights", "'balanced'"),
    _described(
        "a class weight below 0", {"target.class_weights": [1, -1]}, "class_weights: [1, -1]; no weight is below 0"
    ),
    _described("class weights all 0", {"target.class_weights": [0, 0]}, "class_weights: [0, 0]; ", "one is above"),
    _described(
        "class weights of numbers",
        {"target.classes": None, "target.mean": [0.0], "target.scale": [1.0], "target.class_weights": [1.0]},
        "target.class_weights: there are no classes",
    ),
    _described("target an input", {"target.columns": ["size"]}, "does not add up", "size", "twice"),
    _described("training a list", {"training": [1]}, "does not add up", "training", "not a table"),
    _tensors("no tensor", dict.fromkeys(TENSORS), "does not add up", "its arrays are missing"),
    _tensors("tensor missing", {"w2": None}, "does not add up", "w2: missing", "(1, 2)"),
    _tensors(
        "tensor extra", {"w3": TENSORS["w2"]}, "does not add up", "w3: no such parameter", "'w1', 'b1', 'w2', 'b2'"
    ),
    _tensors("tensor transposed", {"w1": TENSORS["w1"].T.copy()}, "w1: shape (3, 2)", "expected (2, 3)"),
    _tensors("tensor flat", {"w2": TENSORS["w2"].ravel()}, "w2: shape (2,)", "expected (1, 2)"),
    _tensors("float16", {k: v.astype(np.float16) for k, v in TENSORS.items()}, "float16", "float32 or all float64"),
    _tensors("int64", {k: v.astype(np.int64) for k, v in TENSORS.items()}, "int64", "float32 or all float64"),
    _tensors("mixed", {"w1": TENSORS["w1"].astype(np.float64)}, "float32, float64", "all float32 or all float64"),
    _tensors("NaN", {"w2": np.array([[1, NAN]], np.float32)}, "does not add up", "w2[0][1] is nan", "finite"),
    _tensors("infinite", {"b2": np.array([-INF], np.float32)}, "does not add up", "b2[0] is -inf", "finite"),
]

# data -----------------------------------------------------------------------------------------------


def _csv(name: str, text: str | bytes, *says: str) -> Content:
    return Content(name, text.encode() if isinstance(text, str) else text, says, ".csv")


def _npz(name: str, content: bytes, *says: str) -> Content:
    return Content(name, content, says, ".npz")


def _parquet(name: str, columns: Mapping[str, Any], *says: str) -> Content:
    return Content(name, lambda path: write_parquet(path, columns), says, ".parquet")


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    import pyarrow as pa  # pyright: ignore
    import pyarrow.parquet as pq  # pyright: ignore

    pq.write_table(pa.table(dict(columns)), path)  # pyright: ignore


def _folder(name: str, files: Mapping[str, str], *says: str) -> Content:
    def make(path: Path) -> None:
        path.mkdir()
        for file, text in files.items():
            (path / file).write_text(text)

    return Content(name, make, says)


_X = np.arange(12.0).reshape(6, 2)
_Y = np.array([0, 1, 0, 1, 0, 1])


def _flagged(content: bytes, flag: int) -> bytes:
    """A zip file with this flag set in the headers of all its members."""
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        parts = content.split(signature)
        at = offset - len(signature)
        flagged = [part[:at] + bytes([part[at] | flag]) + part[at + 1 :] for part in parts[1:]]
        content = signature.join([parts[0], *flagged])
    return content


_WIDE = ",".join(f"c{k}" for k in range(400))


class _Reduced:
    """Reading this back from a pickle would run code."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("pwned").touch, ())


# To: read_table; train; predict, gradient and explain on the good model with this data.
DATA_FILES = [
    Content("missing", lambda path: None, ("no such file, folder or data set", "digits, iris"), ".csv"),
    Content("no such data set", lambda path: None, ("no such file, folder or data set", "digits, iris")),
    Content("unknown suffix", CSV.encode(), ("unknown kind of file '.xls'", ".csv, .tsv, .parquet, .npz"), ".xls"),
    Content("no suffix", CSV.encode(), ("unknown kind of file ''", ".csv, .tsv, .parquet, .npz")),
    Content("suffix of a problem", CSV.encode(), ("unknown kind of file '.toml'", ".csv, .tsv"), ".toml"),
    _csv("empty", b"", "the file is empty", "column names"),
    _csv("blank lines", b"\n\n\n", "the file is empty", "column names"),
    _csv("header only", "size,colour,kind\n", "a header but no rows"),
    _csv("header twice", "size,size,kind\n1,2,cat\n", "row 1: columns 1 and 2", "both called 'size'; rename one"),
    _csv("header without a name", "size,,kind\n1,2,cat\n", "row 1: column 2 has no name", "index=False"),
    _csv("header of numbers", "1,2,3\n4,5,6\n", "row 1: every name is a number", "must hold column names"),
    _csv("row too short", "size,colour,kind\n1,red,cat\n2,green\n", "row 3: 2 cells", "header has 3"),
    _csv("row too long", "size,colour,kind\n1,red,cat\n2,green,dog,9\n", "row 3: 4 cells", "header has 3"),
    _csv("ragged below a blank line", "size,colour,kind\n\n1,red\n", "row 3: 2 cells", "header has 3"),
    _csv(
        "not UTF-8",
        "size,colour,kind\n1,rød,cat\n".encode("latin1"),
        "not a text file in UTF-8",
        "byte 20",
        "save it as UTF-8",
    ),
    _csv("UTF-16", "size,colour,kind\n1,red,cat\n".encode("utf-16"), "not a text file in UTF-8"),
    _csv("NUL bytes", b"size,colour,kind\n1,r\0d,cat\n", "row 2", "NUL bytes", "damaged"),
    _csv("a NUL in the header", b"size,col\0our,kind\n1,red,cat\n", "row 1", "NUL"),
    _csv("quote never closed", 'size,colour,kind\n1,"red,cat\n2,green,dog\n', "row 2", "not a CSV file", "quote"),
    _csv("text after a quote", 'size,colour,kind\n1,"red"x,cat\n', "row 2", "not a CSV file", "expected after"),
    _csv("a cell of a megabyte", "size,colour,kind\n1," + "r" * 10**6 + ",cat\n", "row 2", "not a CSV file", "limit"),
    _csv("a model", _GOOD_MODEL, "UTF-8"),
    Content("unreadable tsv", b"size\tkind\n1\n", ("row 2: 1 cells", "header has 2"), ".tsv"),
    _npz("empty", b"", "not an npz file that can be read"),
    _npz("not a zip", CSV.encode(), "not an npz file that can be read"),
    _npz("truncated", npz(X=_X, y=_Y)[:-40], "not an npz file that can be read", "a part of one", "numpy.savez"),
    _npz("encrypted", _flagged(npz(X=_X, y=_Y), 1), "not an npz file that can be read", "encrypted"),
    _npz("compressed by patches", _flagged(npz(X=_X, y=_Y), 32), "not an npz file that can be read", "flag bit 5"),
    _npz("garbled", npz(X=_X, y=_Y).replace(_X.tobytes()[8:40], bytes(32)), "not an npz file that can be read", "CRC"),
    _npz("no array", npz(), "expected arrays named X and y", "found none"),
    _npz("no X", npz(x=_X, y=_Y), "expected arrays named X and y", "found 'x', 'y'"),
    _npz("an array too many", npz(X=_X, y=_Y, z=_Y), "expected arrays named X and y", "found 'X', 'y', 'z'"),
    _npz("pickled", npz(True, X=np.array([[_Reduced()]], object), y=_Y), "pickled Python objects", "never loaded"),
    _npz("pickled y", npz(True, X=_X, y=np.array([_Reduced()] * 6, object)), "pickled Python objects", "never loaded"),
    _npz("X flat", npz(X=_X[:, 0], y=_Y), "X has shape (6,)", "(examples, inputs)"),
    _npz("X a cube", npz(X=_X.reshape(3, 2, 2), y=_Y[:3]), "X has shape (3, 2, 2)", "(examples, inputs)"),
    _npz("X a scalar", npz(X=np.float64(3), y=_Y), "X has shape ()", "(examples, inputs)"),
    _npz("X without rows", npz(X=_X[:0], y=_Y[:0]), "X has shape (0, 2)", "(examples, inputs)"),
    _npz("X without columns", npz(X=_X[:, :0], y=_Y), "X has shape (6, 0)", "(examples, inputs)"),
    _npz("X complex", npz(X=_X + 1j, y=_Y), "X has shape (6, 2) of complex128", "numbers"),
    _npz("X dates", npz(X=_X.astype("M8[D]"), y=_Y), "X has shape (6, 2) of datetime64", "numbers"),
    _npz("X texts", npz(X=_X.astype(str), y=_Y), "X has shape (6, 2) of <U", "numbers"),
    _npz("X bytes", npz(X=_X.astype("S"), y=_Y), "X has shape (6, 2) of |S", "numbers"),
    _npz("X records", npz(X=np.zeros((2, 2), [("a", "f8")]), y=_Y[:2]), "X has shape (2, 2)", "numbers"),
    _npz("y too short", npz(X=_X, y=_Y[:5]), "y has shape (5,) for 6 examples", "one target for each"),
    _npz("y a scalar", npz(X=_X, y=np.float64(1)), "y has shape ()", "one target for each"),
    _npz("y a cube", npz(X=_X, y=np.zeros((6, 1, 1))), "y has shape (6, 1, 1)", "one target for each"),
    _npz("y without columns", npz(X=_X, y=np.zeros((6, 0))), "y has shape (6, 0)", "one target for each"),
    _npz("y complex", npz(X=_X, y=_Y + 1j), "y is of type complex128", "numbers or texts"),
    _npz("y dates", npz(X=_X, y=_Y.astype("M8[D]")), "y is of type datetime64", "numbers or texts"),
    _npz("X header no header", npz_with_header("__import__('os')"), "not an npz file that can be read"),
    _npz(
        "X negative shape",
        npz_with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 2), }"),
        "not an npz file",
    ),
    Content("empty", b"", ("not a Parquet file that can be read",), ".parquet"),
    Content("garbage", bytes(range(256)) * 9, ("not a Parquet file that can be read",), ".parquet"),
    Content(
        "truncated",
        lambda path: (write_parquet(path, {"size": [1.0, 2.0]}), path.write_bytes(path.read_bytes()[:-30])),
        ("not a Parquet file that can be read",),
        ".parquet",
    ),
    _parquet("no rows", {"size": np.zeros(0), "kind": np.zeros(0)}, "no rows"),
    _parquet("no columns", {}, "no columns"),
    _folder("empty folder", {}, "the folder holds no file of a known kind", ".csv"),
    _folder("folder of others", {"notes.txt": "hello"}, "the folder holds no file of a known kind", ".csv"),
    _folder("folder of two kinds", {"a.csv": CSV, "b.tsv": CSV}, "several kinds (.csv, .tsv)", "keep one kind"),
    _folder(
        "folder of other columns",
        {"a.csv": CSV, "b.csv": "size,color,kind\n1,red,cat\n"},
        "b.csv: its columns differ from",
        "a.csv's in 'color', 'colour'",
    ),
    _folder("folder with a bad file", {"a.csv": CSV, "b.csv": "size,kind\n1\n"}, "b.csv, row 2: 1 cells"),
    _folder("folder with an empty file", {"a.csv": CSV, "b.csv": ""}, "b.csv", "the file is empty"),
]


# The same; NumPy asks for the memory, and is refused.
ABSURD_ARRAYS = [
    _npz(
        "X of 10¹⁵ entries",
        npz_with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000, 1), }"),
        "larger than the memory of this machine",
    ),
    _npz(
        "X of 10³⁰ entries",
        npz_with_header(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({10**30}, 1), }}"),
        "larger than the memory of this machine",
    ),
]


@dataclass(frozen=True)
class Unfit:
    """Data that can be read, and cannot be used with these options of ``train`` (``target``, ``dropped``, …)."""

    name: str
    data: Content
    says: tuple[str, ...]
    target: tuple[str, ...] = ("kind",)
    dropped: tuple[str, ...] = ()
    task: str = "auto"
    cost: str | None = None


def _rows(*rows: str) -> Content:
    return _csv("rows", "\n".join(["size,colour,kind", *rows]) + "\n")


_GOOD = _csv("good", CSV)
_KINDS = ["1,red,cat", "2,green,dog", "3,red,cat"]
_NAMES = [f"{i},red,name{i}" for i in range(30)]
_COLOURS = [f"{i},colour{i},{'cat' if i % 2 else 'dog'}" for i in range(30)]

# To: train, from the command line and from Python.
UNFIT_TO_TRAIN = [
    Unfit("no target", _GOOD, ("which column", "--target", "'size', 'colour', 'kind'"), target=()),
    Unfit("no target in npz", _npz("X", npz(X=_X)), ("which column", "--target", "'x0', 'x1'"), target=()),
    Unfit("target unknown", _GOOD, ("there is no column 'kin'", "'size', 'colour', 'kind'"), target=("kin",)),
    Unfit("target twice", _GOOD, ("target", "'size'", "twice"), target=("size", "size")),
    Unfit("target dropped", _GOOD, ("there is no column 'kind'", "the columns are 'size'"), dropped=("kind",)),
    Unfit("drop unknown", _GOOD, ("there is no column 'klnd'", "'size', 'colour', 'kind'"), dropped=("klnd",)),
    Unfit("everything dropped", _GOOD, ("no input column",), dropped=("size", "colour")),
    Unfit("target alone", _csv("", "kind\ncat\ndog\n"), ("no input column beside the target",)),
    Unfit("two targets of texts", _GOOD, ("row 2", "column 'colour'", "'red' is text"), target=("colour", "kind")),
    Unfit("two targets of classes", _GOOD, ("one target column, not from 2",), ("colour", "kind"), task="classes"),
    Unfit("one class", _rows(*["1,red,cat"] * 5), ("'kind' holds one class only, 'cat'", "two are needed")),
    Unfit("a class for each row", _rows(*_NAMES), ("'kind' holds 30 different", "Choose another target")),
    Unfit(
        "too many texts",
        _rows(*_COLOURS),
        ("'colour' holds 30 different texts", "up to 20", "--drop 'colour'", "dropped="),
    ),
    Unfit(
        "decimal commas",
        _csv("", "size;kind\n" + "".join(f"{i},5;{'cat' if i % 2 else 'dog'}\n" for i in range(30))),
        ("'size' holds 30 different texts", "such as '0,5' must have a decimal point"),
    ),
    Unfit(
        "decimal commas in the target",
        _csv("", "size;price\n" + "".join(f"{i};1.{i:03},50\n" for i in range(30))),
        ("'price' holds 30 different texts", "such as '1.000,50' must have a decimal point"),
        target=("price",),
    ),
    Unfit(
        "separated thousands",
        _rows(*_KINDS, '"1,000",red,dog'),
        ("row 5, column 'size'", "'1,000' is text", "no thousands separators"),
    ),
    Unfit("too many columns", _csv("", f"{_WIDE},kind\n1,2\n"), ("row 2: 2 cells, but the header has 401",)),
    Unfit("target numbers are texts", _GOOD, ("row 2, column 'kind'", "'cat' is text"), task="numbers"),
    Unfit("value missing", _rows(*_KINDS, ",red,dog"), ("row 5, column 'size'", "missing. Fill", "--drop", "dropped=")),
    Unfit(
        "values missing", _rows(*_KINDS, "NA,red,dog", "N/A,red,cat"), ("row 5", "'size'", "first of 2", "('NA' stands")
    ),
    Unfit("text missing", _rows(*_KINDS, "4,,dog"), ("row 5, column 'colour'", "missing", "--drop")),
    Unfit("class missing", _rows(*_KINDS, "4,red,"), ("row 5, column 'kind'", "missing", "has to be known")),
    Unfit("a column of nothing", _rows("NA,red,cat", "NA,green,dog"), ("row 2, column 'size'", "missing", "--drop")),
    Unfit("infinity", _rows(*_KINDS, "inf,red,dog"), ("row 5, column 'size'", "inf is not a finite number", "remove")),
    Unfit("overflow", _rows(*_KINDS, "-1e999,red,dog"), ("row 5, column 'size'", "-inf is not a finite number")),
    Unfit(
        "text among numbers", _rows(*_KINDS, "four,red,dog"), ("row 5, column 'size'", "'four' is text", "Change or")
    ),
    Unfit("underscore in a number", _rows(*_KINDS, "1_0,red,dog"), ("row 5, column 'size'", "'1_0' is text")),
    Unfit("too large to average", _rows(*_KINDS, "1e308,red,dog", "-1e308,red,cat"), ("'size'", "too large", "scale")),
    Unfit("one row", _rows("1,red,1"), ("one class only", "two are needed")),
    Unfit(
        "negative counts",
        _csv("", "size,n\n1,0.5\n2,-1.5\n3,2.5\n"),
        ("-1.5", "poisson takes numbers that are not negative"),
        target=("n",),
        cost="poisson",
    ),
    Unfit("classes with poisson and numbers", _GOOD, ("'kind'", "'cat' is text"), cost="poisson", task="numbers"),
    Unfit("numbers with cross-entropy", _GOOD, ("cross-entropy",), ("size",), task="numbers", cost="cross-entropy"),
    Unfit("NaN in npz", _npz("", npz(X=np.where(_X == 3, NAN, _X), y=_Y)), ("row 1, column 'x1'", "missing"), ()),
    Unfit("infinite in npz", _npz("", npz(X=np.where(_X == 3, INF, _X), y=_Y)), ("row 1, column 'x1'", "inf"), ()),
    Unfit("NaN in y", _npz("", npz(X=_X, y=np.where(_Y == 1, NAN, 0))), ("row 1, column 'y'", "missing"), ()),
    Unfit("nulls", _parquet("", {"size": [1.0, None, 3.0], "kind": _Y[:3]}), ("row 1, column 'size'", "missing")),
    Unfit(
        "dates",
        _parquet("", {"day": np.arange(30).astype("M8[D]"), "kind": ["a", "b"] * 15}),
        ("column 'day' holds 30 different texts", "--drop 'day'"),
    ),
    Unfit(
        "nested",
        _parquet("", {"size": [[float(k)] for k in range(30)], "kind": ["a", "b"] * 15}),
        ("column 'size' holds 30 different texts", "--drop 'size'"),
    ),
    Unfit("null class", _parquet("", {"size": [1.0, 2.0], "kind": ["a", None]}), ("row 1, column 'kind'", "missing")),
    Unfit("all null", _parquet("", {"size": [None, None], "kind": [0, 1]}), ("row 0, column 'size'", "missing")),
    Unfit(
        "missing in a folder",
        _folder("", {"a.csv": CSV, "b.csv": "size,colour,kind\n7,red,dog\n,red,cat\n"}),
        ("b.csv row 3, column 'size'", "missing"),
    ),
]

# To: Model.outputs_of and predict; with the target column also Model.examples_of, gradient and explain.
UNFIT_FOR_MODEL = [
    Unfit("column missing", _csv("", "size,kind\n1,cat\n"), ("there is no column 'colour'", "the columns are 'size'")),
    Unfit(
        "value unknown",
        _rows("1,red,cat", "2,blue,dog"),
        ("row 3, column 'colour'", "'blue'", "'green', 'red'. Change"),
    ),
    Unfit("text for a number", _rows("1,red,cat", "two,red,dog"), ("row 3, column 'size'", "'two' is text")),
    Unfit("number missing", _rows("1,red,cat", ",red,dog"), ("row 3, column 'size'", "missing")),
    Unfit("text missing", _rows("1,red,cat", "2,,dog"), ("row 3, column 'colour'", "missing")),
    Unfit("infinite", _rows("1,red,cat", "inf,red,dog"), ("row 3, column 'size'", "not a finite number")),
    Unfit("class unknown", _rows("1,red,cat", "2,red,cow"), ("row 3, column 'kind'", "'cow'", "'cat', 'dog'")),
    Unfit("arrays", _npz("", npz(X=_X, y=_Y)), ("column '",)),
    Unfit(
        "numbers for texts", _parquet("", {"size": [1.0], "colour": [2], "kind": ["cat"]}), ("'2'", "'green', 'red'")
    ),
    Unfit(
        "dates for numbers",
        _parquet("", {"size": np.arange(2).astype("M8[D]"), "colour": ["red"] * 2, "kind": ["cat"] * 2}),
        ("row 0, column 'size'", "'1970-01-01' is text"),
    ),
    Unfit(
        "nested for numbers",
        _parquet("", {"size": [[1.0], [2.0]], "colour": ["red"] * 2, "kind": ["cat"] * 2}),
        ("row 0, column 'size'", "'[1.0]' is text"),
    ),
    Unfit(
        "bytes for texts",
        _parquet("", {"size": [1, 2], "colour": [b"red", b"red"], "kind": ["cat"] * 2}),
        ("row 0, column 'colour'", "is not one of the values the model knows"),
    ),
]

# gradients ------------------------------------------------------------------------------------------


def _gradient(name: str, changes: Mapping[str, Any], *says: str) -> Content:
    return Content(name, json.dumps(changed(GRADIENT, changes)).encode(), says, ".json")


_ARRAYS = {name: np.array(values) for name, values in GRADIENT.items()}

# To: check, check --earlier, check --grade, read_gradients.
GRADIENT_FILES = [
    Content("missing", lambda path: None, ("cannot be read", "No such file"), ".json"),
    Content("a folder", lambda path: path.mkdir(), ("cannot be read", "Is a directory"), ".npz"),
    Content("unknown suffix", b"w1 = 1", ("unknown kind of file '.txt'", ".json, .toml, .npz or .safetensors"), ".txt"),
    Content("no suffix", b"w1 = 1", ("unknown kind of file ''", ".json, .toml, .npz or .safetensors")),
    Content("a pickle", b"\x80\x04N.", ("unknown kind of file '.pkl'", ".npz"), ".pkl"),
    Content("empty", b"", ("the file is empty", "w1, b1"), ".json"),
    Content("truncated", json.dumps(GRADIENT)[:-9].encode(), ("not JSON", "line 1 column"), ".json"),
    Content("not UTF-8", b'{"w1": "\xff"}', ("not a text file in UTF-8", "byte 8"), ".json"),
    Content("two objects", b"{}{}", ("not JSON", "Extra data"), ".json"),
    Content("nested 100,000 deep", b"[" * 10**5, ("not JSON that can be read", "deep"), ".json"),
    Content("a number of 5,000 digits", b'{"w1": ' + b"9" * 5000 + b"}", ("not JSON that", "digits"), ".json"),
    Content("a name twice", b'{"w1": 1, "w1": 2}', ("'w1' is there twice",), ".json"),
    Content("a list", b"[[1, 2]]", ("[[1, 2]] is not a table of arrays by name",), ".json"),
    Content("a text", b'"w1"', ("'w1' is not a table of arrays by name",), ".json"),
    Content("nested list", b'{"gradient": [1]}', ("[1] is not a table of arrays by name",), ".json"),
    Content("two gradients", b'{"w1": 1, "gradient": {}}', ("'w1' and 'gradient'", "keep one"), ".json"),
    Content("empty table", b"{}", ("'w1', 'b1', 'w2', 'b2' missing", "w1 (3, 2)"), ".json"),
    Content("empty TOML", b"\n", ("the file is empty",), ".toml"),
    Content("a comment", b"# to do", ("'w1', 'b1', 'w2', 'b2' missing",), ".toml"),
    Content("malformed", b"w1 = [[0.1", ("not TOML",), ".toml"),
    Content("a name twice", b"w1 = 1\nw1 = 2", ("not TOML", "overwrite"), ".toml"),
    Content("not UTF-8", b"# \xff", ("not a text file in UTF-8", "byte 2"), ".toml"),
    Content("nested 100,000 deep", b"w1 = " + b"[" * 10**5, ("not TOML that can be read", "deep"), ".toml"),
    Content("a number of 5,000 digits", b"w1 = " + b"9" * 5000, ("not TOML that can be read", "digits"), ".toml"),
    Content("a key of 100,000 parts", b"a." * 10**5 + b"b = 1", ("too many dots",), ".toml"),
    Content("a date", b"w1 = 1979-05-27", ("w1: datetime.date", "is not a number"), ".toml"),
    _gradient("w missing", {"w2": GONE}, "'w2' missing", "w2 (1, 3)"),
    _gradient("w called dW", {"w2": GONE, "dW2": [[1]]}, "'dW2' is no parameter", "Did you mean 'w2'"),
    _gradient("w0", {"w0": [[1]]}, "'w0' is no parameter", "Layers count from 1"),
    _gradient("a name beside", {"name": "Ann"}, "'name' is no parameter"),
    _gradient("w transposed twice", {"w1": [[[1]]]}, "w1: shape (1, 1, 1), expected (3, 2)"),
    _gradient("w flat", {"w1": [1, 2, 3, 4, 5, 6]}, "w1: shape (6,), expected (3, 2)", "reshape"),
    _gradient("w with the bias", {"w1": [[1, 2, 3]] * 3}, "w1: shape (3, 3)", "is the bias among the weights?"),
    _gradient("w ragged", {"w1": [[1, 2], [3], [5, 6]]}, "w1: row 1 has 1 numbers and row 0 has 2"),
    _gradient("w with a text", {"w2": [[0.1, "0.2", 0.3]]}, "w2[0][1]: '0.2' is not a number"),
    _gradient("w with a bool", {"w2": [[True, 0.2, 0.3]]}, "w2[0][0]: True is not a number"),
    _gradient("w a text", {"w2": "0.1 " * 10**5}, "w2: '0.1 0.1", "is not a number"),
    _gradient("w a table", {"w2": {"a": 1}}, "w2: {'a': 1} is not a number"),
    _gradient("w fifty deep", {"w2": _nested(50)}, "w2: its lists are nested deeper"),
    _gradient("b of 400 digits", {"b2": [HUGE]}, "b2: holds a number too large for float64"),
    _gradient("a long name", {"w" * 10**5: 1}, "no name of an array", "w1, b1"),
    _npz("not a zip", b"\x93NUMPY", "not an npz file that can be read", "numpy.savez"),
    _npz("a pickle", b"\x80\x04N.", "not an npz file that can be read"),
    _npz("truncated", npz(False, **_ARRAYS)[:-40], "not an npz file that can be read"),
    _npz("encrypted", _flagged(npz(False, **_ARRAYS), 1), "not an npz file that can be read", "encrypted"),
    _npz("pickled", npz(True, **_ARRAYS | {"w1": np.array([_Reduced()])}), "pickled Python objects", "never loaded"),
    _npz("complex", npz(False, **_ARRAYS | {"b2": np.array([1j])}), "b2: not an array of numbers"),
    _npz("texts", npz(False, **_ARRAYS | {"b2": np.array(["1"])}), "b2: not an array of numbers"),
    _npz("dates", npz(False, **_ARRAYS | {"b2": np.array(["2020"], "M8[D]")}), "b2: not an array of numbers"),
    _npz("unnamed", npz(arr_0=_ARRAYS["w1"]), "'arr_0' is no parameter"),
    _npz("a header that is code", npz_with_header("__import__('os')"), "not an npz file that can be read"),
    _npz("a header that never ends", npz_with_header("("), "not an npz file that can be read"),
    Content("not one", b"w1", ("not a safetensors file that can be read",), ".safetensors"),
    Content("truncated", model_file()[:-5], ("not a safetensors file that can be read",), ".safetensors"),
    Content(
        "of bools",
        safetensors_header({"w1": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}) + bytes(2),
        ("w1: of type BOOL", "F32"),
        ".safetensors",
    ),
    Content("another network's", model_file(), ("shape", "A weight gradient is"), ".safetensors"),
]


def _rubric(name: str, text: str, *says: str) -> Content:
    return Content(name, text.encode(), says, ".toml")


_ASKED = 'problem = "good.toml"\n'

# To: check --grade, read_rubric with Rubric.items.
RUBRICS = [
    Content("missing", lambda path: None, ("cannot be read", "No such file"), ".toml"),
    Content("a folder", lambda path: path.mkdir(), ("cannot be read", "Is a directory"), ".toml"),
    Content("unknown suffix", _ASKED.encode(), ("unknown kind of file '.json'", "a rubric ends in .toml"), ".json"),
    Content("not UTF-8", b"# \xff", ("not a text file in UTF-8", "byte 2"), ".toml"),
    _rubric("empty", "", "name what is asked for", "problem =", "model ="),
    _rubric("malformed", "problem = good.toml", "not TOML"),
    _rubric("nested 100,000 deep", "points = " + "[" * 10**5, "not TOML that can be read", "deep"),
    _rubric("problem and model", _ASKED + 'model = "good.safetensors"', "name what is asked for"),
    _rubric("problem and data", _ASKED + 'data = "good.csv"', "data goes with model"),
    _rubric("model without data", 'model = "good.safetensors"', "data goes with model"),
    _rubric("problem a number", "problem = 3", "problem: 3 is not the name of a file"),
    _rubric("problem empty", 'problem = ""', "problem: '' is not the name of a file"),
    _rubric("data a list", 'model = "good.safetensors"\ndata = ["a"]', "data: ['a'] is not the name of a file"),
    _rubric("unknown key", _ASKED + "point = 3", "point is not known", "Did you mean 'points'"),
    _rubric("points a text", _ASKED + 'points = "ten"', "points: 'ten' is not a number above 0", "w1 = 2"),
    _rubric("points zero", _ASKED + "points = 0", "points: 0 is not a number above 0"),
    _rubric("points infinite", _ASKED + "points = inf", "points: inf is not a number above 0"),
    _rubric("points a bool", _ASKED + "points = true", "points: True is not a number above 0"),
    _rubric("points a list", _ASKED + "points = [1, 2]", "points: [1, 2] is not a number above 0"),
    _rubric("no points", _ASKED + "[points]", "points: nothing is worth any"),
    _rubric("points all 0", _ASKED + "[points]\nw1 = 0", "points: nothing is worth any"),
    _rubric("points negative", _ASKED + "[points]\nw1 = -1", "points.w1: -1 is not a number of 0 or more"),
    _rubric("points NaN", _ASKED + "[points]\nw1 = nan", "points.w1: nan is not a number of 0 or more"),
    _rubric("points for nothing", _ASKED + "[points]\nw3 = 1", "points: 'w3' is not known", "layer1, layer2"),
    _rubric("points twice", _ASKED + "[points]\nw1 = 1\nlayer1 = 2", "points: w1 counts twice", "leave one out"),
    _rubric("credit a number", _ASKED + "credit = 0.5", "credit: 0.5 is not a table"),
    _rubric("credit unknown", _ASKED + "[credit]\nmean-mising = 0.5", "credit: 'mean-mising'", "mean 'mean-missing'?"),
    _rubric("credit too much", _ASKED + "[credit]\nsign = 1.5", "credit.sign: 1.5 is not a part", "0 to 1"),
    _rubric("credit a bool", _ASKED + "[credit]\nsign = true", "credit.sign: True is not a part"),
    _rubric("precision unknown", _ASKED + 'precision = "double"', "precision: 'double'", "Known: auto, float64"),
    _rubric("precision a number", _ASKED + "precision = 64", "precision: 64 is not known"),
    _rubric("conventions unknown", _ASKED + "conventions = false", "conventions: False", "Known: any, ours"),
    _rubric("example a text", _ASKED + 'example = "1"', "example: '1' is not the number of an example"),
    _rubric("example negative", _ASKED + "example = -1", "example: -1 is not the number of an example"),
    _rubric("example not there", _ASKED + "example = 2", "example: 2", "2 examples, 0 to 1"),
]

# names ----------------------------------------------------------------------------------------------

# To: explain on the problem (2-3-1), from the command line and from Python.
NAMES: list[tuple[str, tuple[str, ...]]] = [
    ("", ("''", "is not the name of", "Write w2.1.0")),
    (" ", ("is not the name of", "Write w2.1.0")),
    ("w", ("'w'", "is not the name of", "Write w2.1.0")),
    ("q1[0]", ("'q1[0]'", "is not the name of", "Write w2.1.0")),
    ("w1", ("'w1'", "is not the name of", "Write w2.1.0")),
    ("w1[0,0", ("'w1[0,0'", "is not the name of", "Write w2.1.0")),
    ("w1[-1,0]", ("'w1[-1,0]'", "is not the name of", "Write w2.1.0")),
    ("w1[0;0]", ("'w1[0;0]'", "is not the name of", "Write w2.1.0")),
    ("w1.0.0.0", ("'w1.0.0.0'", "is not the name of", "Write w2.1.0")),
    ("w1[0.5,0]", ("'w1[0.5,0]'", "is not the name of", "Write w2.1.0")),
    ("bais", ("'bais'", "is not the name of", "Did you mean 'bias'")),
    ("w3[0,0]", ("there is no w in layer 3", "w1 to w2")),
    ("w0[0,0]", ("there is no w in layer 0", "w1 to w2", "layer 0 is the input")),
    ("z0[0]", ("there is no z in layer 0", "z1 to z2")),
    ("a3[0]", ("there is no a in layer 3", "a0 to a2")),
    ("w(L-2)[0,0]", ("there is no w in layer 0", "w1 to w2")),
    ("w(L-9)[0,0]", ("there is no w in layer -7", "w1 to w2")),
    ("w1[3,0]", ("neuron 3 does not exist", "into neuron 3 of layer 1 from input 0", "0 to 2")),
    ("w1[0,2]", ("into neuron 0 of layer 1 from input 2", "k is 0 to 1", "swapped?")),
    ("w2[0,3]", ("into neuron 0 of layer 2 from neuron 3 of layer 1", "k is 0 to 2")),
    ("w1.0.1.", ("is not the name of",)),
    ("b1[3]", ("neuron 3 does not exist", "layer 1", "0 to 2")),
    ("a0[2]", ("2", "layer 0", "0 to 1")),
    ("w1[0]", ("w takes two indices", "w2[j,k]")),
    ("b1[0,0]", ("b takes one index",)),
    ("w1[" + "9" * 15 + ",0]", ("does not exist", "0 to 2")),
    ("w1[" + "9" * 5000 + ",0]", ("is not the name of", "Write w2.1.0")),
    ("w" + "9" * 5000 + "[0,0]", ("is not the name of", "Write w2.1.0")),
    ("w" * 10**5, ("is not the name of", "Write w2.1.0")),
    ("w1[٣,0]", ("is not the name of", "Write w2.1.0")),
    ("\x1b[31mw1\x07", ("is not the name of", "Write w2.1.0")),
]

# To: gradient and explain, on the problem (2 examples) and on the model (6), from the command line.
EXAMPLE_NUMBERS = [("-1", "example: -1"), ("6", "example: 6"), ("9" * 30, "example: 999")]

# options --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """An option of ``train`` and its value; ``settings`` says the same in Python, where that can be said."""

    argv: tuple[str, ...]
    says: tuple[str, ...]
    settings: Mapping[str, Any] | None = None
    optimizer: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        return " ".join(self.argv)[:60]


def _rate(text: str) -> Option:
    return Option(("--lr", text), ("lr: ", "a learning rate, a number above 0"), optimizer={"lr": float(text)})


# To: train, from the command line and, where it can be said there, Settings or Optimizer with train.
OPTIONS = [
    *map(_rate, ("0", "-0.1", "nan", "inf", "-inf", "1e400")),
    Option(("--lr", "fast"), ("--lr", "valid")),
    Option(("--lr", ""), ("--lr", "valid")),
    Option(("--epochs", "0"), ("epochs: 0 is not a whole number of at least 1",), {"epochs": 0}),
    Option(("--epochs", "-5"), ("epochs: -5 is not a whole number of at least 1",), {"epochs": -5}),
    Option(("--epochs", "2.5"), ("--epochs", "valid")),
    Option(("--epochs", "many"), ("--epochs", "valid")),
    Option(("--batch-size", "0"), ("batch size: 0 is not a whole number of at least 1",), {"batch_size": 0}),
    Option(("--batch-size", "-32"), ("batch size: -32 is not a whole number of at least 1",), {"batch_size": -32}),
    Option(("--batch-size", "x"), ("--batch-size", "valid")),
    Option(("--seed", "-1"), ("seed: -1", "at least 0"), {"seed": -1}),
    Option(("--seed", str(2**63)), (f"seed: {2**63}", "below 2⁶³"), {"seed": 2**63}),
    Option(("--seed", "9" * 400), ("seed: 999", "below 2⁶³"), {"seed": int("9" * 400)}),
    Option(("--seed", "x"), ("--seed", "valid")),
    Option(("--hidden", "64,x"), ("hidden: '64,x'", "64,32", "none")),
    Option(("--hidden", "64,,32"), ("hidden: '64,,32'", "64,32", "none")),
    Option(("--hidden", "6.5"), ("hidden: '6.5'", "64,32", "none")),
    Option(("--hidden", "0"), ("hidden: 0", "at least 1"), {"hidden": (0,)}),
    Option(("--hidden", "8,-3"), ("hidden: -3", "at least 1"), {"hidden": (8, -3)}),
    Option(("--hidden", "99999999999"), ("more parameters than the most",), {"hidden": (99999999999,)}),
    Option(("--hidden", "9" * 400), ("more parameters than the most",), {"hidden": (int("9" * 400),)}),
    Option(("--hidden", "9" * 5000), ("hidden: '999", "64,32", "none")),
    Option(("--optimizer", "adm"), ("optimizer: 'adm'", "Did you mean 'adam'", "sgd"), optimizer={"name": "adm"}),
    Option(("--optimizer", ""), ("optimizer: ''", "sgd, momentum"), optimizer={"name": ""}),
    Option(("--task", "class"), ("task: 'class'", "Did you mean 'classes'", "auto"), {"task": "class"}),
    Option(("--cost", "mse"), ("cost: 'mse'", "Known: squared-error"), {"cost": "mse"}),
    Option(("--cost", ""), ("cost: ''", "Known: squared-error"), {"cost": ""}),
    Option(("--cost", "huber", "--activation", "relu,relu,softmax"), ("cost 'huber' does not go with", "'softmax'"),
           {"cost": "huber", "activation": ("relu", "relu", "softmax")}),
    Option(("--cost", "cross-entropy", "--activation", "relu,relu,sigmoid"), ("does not go with", "'sigmoid'"),
           {"cost": "cross-entropy", "activation": ("relu", "relu", "sigmoid")}),
    Option(("--activation", "rleu"), ("activation: 'rleu'", "Did you mean 'relu'"), {"activation": ("rleu",)}),
    Option(("--activation", ""), ("activation: 0 names for 2 hidden layers", "one for all"), {"activation": ()}),
    Option(("--activation", "relu,relu,relu,relu"), ("activation: 4 names for 2 hidden layers", "one for all"),
           {"activation": ("relu",) * 4}),
    Option(("--activation", "softmax"), ("layer 1 of 3 is 'softmax'", "only the last"), {"activation": ("softmax",)}),
    Option(("--l1", "-1"), ("l1: -1", "a number of 0 or more"), {"l1": -1}),
    Option(("--l2", "nan"), ("l2: nan", "a number of 0 or more"), {"l2": NAN}),
    Option(("--l2", "inf"), ("l2: inf", "a number of 0 or more"), {"l2": INF}),
    Option(("--l2", "x"), ("--l2", "valid")),
    Option(("--optimizer", "sgd", "--lr", "1e30"), ("diverged", "epoch 2", "smaller learning rate than 1e+30"),
           optimizer={"name": "sgd", "lr": 1e30}),
]  # fmt: skip

# what only Python can get wrong -----------------------------------------------------------------------

SETTINGS: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = [
    ("hidden a text", {"hidden": "64"}, ("hidden", "'64'")),
    ("hidden a number", {"hidden": 2.5}, ("hidden", "2.5")),
    ("hidden a bool", {"hidden": (True,)}, ("hidden", "True")),
    ("hidden None", {"hidden": None}, ("hidden", "None")),
    ("activation a number", {"activation": 3}, ("activation", "3")),
    ("activation of numbers", {"activation": (3,)}, ("activation: 3 is not a text",)),
    ("cost a number", {"cost": 3}, ("cost", "3", "Known: squared-error")),
    ("optimizer a number", {"optimizer": 3}, ("optimizer: 3 is not an Optimizer",)),
    ("optimizer unknown", {"optimizer": "adma"}, ("optimizer: 'adma'", "Did you mean 'adam'")),
    ("schedule unknown", {"schedule": "cosin"}, ("schedule: 'cosin'", "Did you mean 'cosine'")),
    ("hidden of texts", {"hidden": (64, "x")}, ("hidden: 'x' is not a layer size", "at least 1")),
    ("hidden of floats", {"hidden": (6.5,)}, ("hidden: 6.5 is not a layer size", "at least 1")),
    ("epochs a text", {"epochs": "5"}, ("epochs: '5' is not a whole number of at least 1",)),
    ("epochs a float", {"epochs": 2.5}, ("epochs: 2.5 is not a whole number of at least 1",)),
    ("batch size a text", {"batch_size": "x"}, ("batch size: 'x' is not a whole number of at least 1",)),
    ("seed a text", {"seed": "x"}, ("seed: 'x' is not a whole number of at least 0",)),
    ("seed None", {"seed": None}, ("seed: None is not a whole number of at least 0",)),
    ("epochs a bool", {"epochs": True}, ("epochs", "True", "whole number")),
    ("epochs NaN", {"epochs": NAN}, ("epochs", "nan", "whole number")),
    ("batch size a bool", {"batch_size": True}, ("batch size", "True", "whole number")),
    ("seed a bool", {"seed": True}, ("seed", "True", "whole number")),
    ("seed a float", {"seed": 1.5}, ("seed", "1.5", "whole number")),
    ("l1 a text", {"l1": "0.1"}, ("l1", "'0.1'", "a number of 0 or more")),
    ("target a number", {"target": 3}, ("target: 3 is not a",)),
    ("target of numbers", {"target": (3,)}, ("target: 3 is not a",)),
    ("task a list", {"task": ["auto"]}, ("task", "['auto']", "Known: auto")),
    ("standardise a text", {"standardise": "no"}, ("standardise", "'no'", "True or False")),
]

OPTIMIZERS: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = [
    ("name a number", {"name": 3}, ("optimizer", "3", "Known: sgd")),
    ("name a list", {"name": ["adam"]}, ("optimizer", "['adam']", "Known: sgd")),
    ("lr a text", {"lr": "0.1"}, ("lr", "'0.1'", "a number above 0")),
    ("lr a bool", {"lr": True}, ("lr", "True", "a number above 0")),
    ("lr of 400 digits", {"lr": HUGE}, ("lr", "a number above 0")),
    ("momentum above 1", {"momentum": 1.1}, ("momentum", "1.1", "from 0 to 1")),
    ("momentum a text", {"momentum": "0.9"}, ("momentum", "'0.9'", "from 0 to 1")),
    ("rho 1", {"rho": 1}, ("rho", "1", "below 1")),
    ("weight decay negative", {"weight_decay": -1}, ("weight decay", "-1", "at least 0")),
    ("beta1 negative", {"beta1": -0.1}, ("beta1", "-0.1", "at least 0")),
    ("beta2 NaN", {"beta2": NAN}, ("beta2", "nan", "below 1")),
    ("epsilon 0", {"epsilon": 0}, ("epsilon", "0", "above 0")),
    ("epsilon None", {"epsilon": None}, ("epsilon", "None", "above 0")),
]

PATHS: list[tuple[str, object]] = [
    ("None", None),
    ("a number", 3),
    ("bytes", b"good.csv"),
    ("a list", ["good.csv"]),
    ("empty", ""),
    ("with NUL", "good\0.csv"),
]

# What each function of the package's face is called with, as the text of the call: its names are made in the test.
CALLS: list[tuple[str, tuple[str, ...]]] = [
    ("train('good.csv')", ("table: 'good.csv' is not a Table", "read_table")),
    ("train(None)", ("table: None is not a Table", "read_table")),
    ("train(table, 'fast')", ("settings: 'fast' is not Settings",)),
    ("train(table, {})", ("settings: {} is not Settings",)),
    ("explain('good.toml', examples, 'b2[0]')", ("model: 'good.toml' is not a Model",)),
    ("explain(model, None, 'b2[0]')", ("examples: None is not Examples", "Model.examples")),
    ("explain(model, [[1, 2]], 'b2[0]')", ("examples: [[1, 2]] is not Examples", "Model.examples")),
    ("explain(model, examples, None)", ("name: None is not the name of a parameter", "w2.1.0")),
    ("explain(model, examples, 3)", ("name: 3 is not the name of a parameter", "w2.1.0")),
    ("explain(model, others, 'b2[0]')", ("3 inputs and 1 outputs", "the model has 2 and 1", "examples()")),
    ("explain(model, examples, 'b2[0]', depth='deep')", ("depth: 'deep'", "0 or more")),
    ("explain(model, examples, 'b2[0]', depth=-1)", ("depth: -1", "0 or more")),
    ("explain(model, examples, 'b2[0]', of=None)", ("of: None", "C")),
    ("explain(model, examples, 'b2[0]').dot()", ("2 examples", "no flowchart")),
    ("nudge(None, examples, 'b2[0]', 0.1)", ("model: None is not a Model",)),
    ("nudge(model, others, 'b2[0]', 0.1)", ("3 inputs and 1 outputs", "the model has 2 and 1", "examples()")),
    ("nudge(model, examples, 'b2[0]', '0.1')", ("by: '0.1' is not",)),
    ("nudge(model, examples, 'b2[0]', True)", ("by: True is not",)),
    ("report(None, examples)", ("model: None is not a Model",)),
    ("report(model, examples, 'b2[0]')", ("targets: 'b2[0]' is not a list",)),
    ("report(model, examples, [3])", ("targets: 3 is not a text",)),
    ("report(model, examples, title=3)", ("title: 3 is not a text",)),
    ("gradient(None, examples)", ("model: None is not a Model",)),
    ("gradient(model, 'all')", ("examples: 'all' is not Examples", "Model.examples")),
    ("gradient(model, others)", ("3 inputs and 1 outputs", "the model has 2 and 1", "examples()")),
    ("example_gradients(model, others)", ("3 inputs and 1 outputs", "the model has 2 and 1", "examples()")),
    ("example_gradients(model, examples, 'a1[0]')", ("'a1[0]' is not a parameter", "w1[3,0]")),
    ("example_norms(model, others)", ("3 inputs and 1 outputs", "the model has 2 and 1", "examples()")),
    ("save_model(None, 'm.safetensors')", ("model: None is not a Model",)),
    ("save_model(poisoned, 'model.safetensors')", ("w1[0][0] is nan", "finite")),
    ("save_model(Model(model.parameters, training={'costs': [inf]}), 'model.safetensors')", ("training", "JSON")),
    ("save_model(Model(model.parameters, training={'costs': set()}), 'model.safetensors')", ("training", "JSON")),
    ("bench([2, 3, 1])", ("network: [2, 3, 1] is not a Network",)),
    ("bench(network, 'adam')", ("optimizer: 'adam' is not an Optimizer",)),
    ("bench(network, batch_size=0)", ("batch size: 0 is not a whole number from 1",)),
    ("bench(network, batch_size=10**30)", ("batch size: 1000", "from 1 to 16,777,216")),
    ("bench(network, batch_size=2.0)", ("batch size: 2.0 is not a whole number from 1",)),
    ("bench(network, dtype='float16')", ("dtype: 'float16'", "Did you mean 'float64'", "Known: float32, float64")),
    ("bench(network, dtype=float)", ("dtype: <class 'float'>", "Known: float32, float64")),
    ("bench(network, seconds=0)", ("seconds: 0 is not a number above 0",)),
    ("bench(network, seconds=inf)", ("seconds: inf is not a number above 0 and at most 3600",)),
    ("bench(network, seconds='2')", ("seconds: '2' is not a number above 0",)),
    ("bench(network, engine='fast')", ("engine: 'fast' is not known", "Known: native, reference")),
    ("bench(network, engine='')", ("engine: '' is not known", "Known: native, reference")),
    ("initial_parameters(network, -1)", ("seed: -1 is not", "at least 0")),
    ("initial_parameters(network, 2**63)", (f"seed: {2**63} is not", "below 2⁶³")),
    ("initial_parameters(network, 0.5)", ("seed: 0.5 is not", "whole number")),
    ("initial_parameters(network, None)", ("seed: None is not", "whole number")),
    ("initial_parameters([2, 3, 1], 0)", ("network: [2, 3, 1] is not a Network",)),
    ("initial_parameters(network, 0, int)", ("dtype: <class 'int'> is not float32 or float64",)),
    ("initial_parameters(network, 0, 'real')", ("dtype: 'real' is not float32 or float64",)),
    ("ParameterVector([2, 3, 1], np.zeros(13))", ("network: [2, 3, 1] is not a Network",)),
    ("ParameterVector(network, [0.0] * 13)", ("parameters: [0.0", "is not an array")),
    ("ParameterVector(network, np.zeros(12))", ("shape (12,)", "13 numbers", "[2, 3, 1]")),
    ("ParameterVector(network, np.zeros(13, int))", ("dtype int64", "float32 or float64")),
    ("ParameterVector(network, np.zeros(26)[::2])", ("contiguous", "13 numbers")),
    ("ParameterVector.from_arrays([2, 3, 1], {})", ("network: [2, 3, 1] is not a Network",)),
    ("ParameterVector.from_arrays(network, [1.0])", ("parameters: [1.0] is not a table of arrays by name",)),
    ("ParameterVector.from_arrays(network, {1: 2})", ("1: no such parameter", "'w1', 'b1', 'w2', 'b2'")),
    ("ParameterVector.from_arrays(network, arrays, 'i4')", ("dtype: 'i4' is not float32 or float64",)),
    ("ParameterVector.from_arrays(network, arrays | {'b2': [1e300]}, 'f4')", ("do not fit into float32",)),
    ("ParameterVector.from_arrays(network, arrays | {'b2': np.array(['x'])})", ("b2: 'x' is not a number",)),
    ("ParameterVector.from_arrays(network, arrays | {'b2': np.array([1j])})", ("b2: 1j is not a number",)),
    ("ParameterVector.from_arrays(network, arrays | {'b2': np.array([None])})", ("b2: None is not a number",)),
    ("model.examples(None, [[1]])", ("X: None is not a number", "(n, 2)")),
    ("model.examples([[1, 2]], None)", ("Y: None is not a number", "(n, 1)")),
    ("model.examples([], [])", ("X: shape (0,)", "(n, 2)")),
    ("model.examples(np.zeros((0, 2)), np.zeros((0, 1)))", ("there are no examples", "at least one")),
    ("model.examples([1, 2], [1])", ("X: shape (2,)", "(n, 2)", "one row for each example")),
    ("model.examples([[1, 2], [3, 4]], [[1]])", ("X has 2 examples and Y has 1",)),
    ("model.examples([[1, 2]], [[1]], [1, 2])", ("weights: shape (2,)", "(1,)")),
    ("model.examples([[1, 2]], [[1]], 1)", ("weights: shape ()", "(1,)")),
    ("model.examples('ab', [[1]])", ("X: 'ab' is not a number", "(n, 2)")),
    ("model.examples(np.array([['a', 'b']]), [[1]])", ("X: 'a' is not a number", "(n, 2)")),
    ("model.examples(np.array([[1, np.nan]]), [[1]])", ("X[0][1] is nan", "finite")),
    ("model.examples_of(table)", ("does not know which columns of a table they are", "arrays")),
    ("model.predict(table)", ("does not know which columns of a table they are", "arrays")),
]

# the command line itself ----------------------------------------------------------------------------

# To: the command line. What click refuses, and files that a command cannot take.
USAGE: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("tran",), ("No such command 'tran'", "Did you mean 'train'")),
    (("--verbose",), ("No such option", "--verbose")),
    (("train",), ("Missing argument", "DATA")),
    (("train", "good.csv", "good.csv"), ("unexpected extra argument", "good.csv")),
    (("train", "good.csv", "--target", "kind", "--learning-rate", "1"), ("No such option", "--learning-rate")),
    (("train", "good.csv", "--epoch", "3"), ("No such option '--epoch'", "Did you mean", "'--epochs'")),
    (("train", "good.csv", "--epochs", "9" * 5000), ("--epochs", "999", "valid integer")),
    (("train", "good.csv", "--target"), ("--target", "requires an argument")),
    (("train", ""), ("path: '' is not the name of a file",)),
    (("train", "x" * 300 + ".csv"), ("cannot be read", "File name too long")),
    (("train", "good.safetensors"), ("good.safetensors", "unknown kind of file", ".csv")),
    (
        ("train", "good.csv", "--target", "kind", "--plot", "cost.bmp"),
        ("cost.bmp", "kind of picture", ".svg, .png, .pdf"),
    ),
    (("train", "good.csv", "--target", "kind", "--plot", "cost"), ("kind of picture ''", ".svg, .png, .pdf")),
    (("train", "good.csv", "--target", "kind", "--out", "."), ("out: '.'", "does not end in .safetensors")),
    (("predict", "good.safetensors", "good.csv", "--out", ""), (".: is a folder", "give the name of a file")),
    (("predict",), ("Missing argument", "MODEL")),
    (("predict", "good.safetensors"), ("Missing argument", "DATA")),
    (("predict", "good.csv", "good.safetensors"), ("good.csv", "not a model file")),
    (("predict", "good.toml", "good.csv"), ("good.toml", "not a model file")),
    (("predict", "good.safetensors", "good.csv", "--data", "good.csv"), ("No such option", "--data")),
    (("predict", "", "good.csv"), ("not a model file", "Is a directory")),
    (("gradient",), ("Missing argument", "FILE")),
    (("gradient", "good.safetensors"), ("good.safetensors", "a model file has no examples", "--data")),
    (("gradient", "good.toml", "--data", "good.csv"), ("good.toml", "a problem file brings its own", "leave out")),
    (("gradient", "good.csv"), ("good.csv", "unknown kind of file '.csv'", ".toml", ".safetensors")),
    (("gradient", "digits"), ("digits", "unknown kind of file ''", ".toml", ".safetensors")),
    (("gradient", "good.toml", "--example", "one"), ("--example", "valid")),
    (("explain", "good.toml", "w1.0.0", "--format", "htm"), ("format: 'htm'", "Did you mean 'html'", "mermaid")),
    (("explain", "good.toml", "w1.0.0", "--format", ""), ("format: ''", "is not known", "latex")),
    (("explain", "good.toml", "w1.0.0", "--depth", "-1"), ("depth: -1", "0 or more")),
    (("explain", "good.toml", "w1.0.0", "--depth", "2"), ("depth", "2 examples", "choose an example")),
    (("explain", "good.toml", "w1.0.0", "--depth", "deep"), ("--depth", "valid integer")),
    (("explain", "good.toml", "w1.0.0", "--proof", "proof.txt"), ("proof: 'proof.txt'", "does not end in .py")),
    (("explain", "good.toml", "w1.0.0", "--proof", "."), ("proof: '.'", "does not end in .py")),
    (("explain", "good.toml", "w1.0.0", "--of", "w1.0.0"), ("'w1.0.0' has no derivatives to explain", "a1.0")),
    (("explain", "good.toml", "w1.0.0", "--of", "C.9"), ("example: 9", "2 examples, 0 to 1")),
    (("nudge", "good.toml", "w1.0.0"), ("Missing option", "--by")),
    (("nudge", "good.toml", "w1.0.0", "--by", "0"), ("by: 0", "not")),
    (("nudge", "good.toml", "w1.0.0", "--by", "nan"), ("by: nan", "not")),
    (("nudge", "good.toml", "w1.0.0", "--by", "inf"), ("by: inf", "not")),
    (("nudge", "good.toml", "w1.0.0", "--by", "much"), ("--by", "valid number")),
    (("nudge", "good.toml", "w1.0.0", "--by", "1e-30"), ("by: 1e-30", "too small")),
    (("nudge", "good.toml", "w1.0.0", "--by", "0.1", "--plot", "c.bmp"), ("c.bmp", "kind of picture", ".svg")),
    (("report", "good.toml", "--out", "page.txt"), ("out: 'page.txt'", "does not end in .html")),
    (("report", "good.toml", "--depth", "-1"), ("depth: -1", "0 or more")),
    (("report", "good.csv"), ("good.csv", "unknown kind of file '.csv'")),
    (("gradient", "good.toml", "--example", "1.5"), ("--example", "valid")),
    (("gradient", "good.toml", "--by", "1"), ("No such option", "--by")),
    (("check",), ("Missing argument", "FILE")),
    (("check", "good.toml"), ("Missing argument", "GRADIENTS")),
    (("check", "good.json", "good.toml"), ("good.json", "unknown kind of file '.json'", ".toml")),
    (("check", "good.toml", "good.toml"), ("good.toml: gradients: 'network' is no parameter",)),
    (("check", "good.toml", "good.json", "--data", "good.csv"), ("good.toml", "a problem file brings its own")),
    (("check", "good.safetensors", "good.json"), ("good.safetensors", "a model file has no examples", "--data")),
    (("check", "good.toml", "good.json", "--precision", "float23"), ("precision: 'float23'", "mean 'float32'", "auto")),
    (("check", "good.toml", "good.json", "--precision", ""), ("precision: ''", "Known: auto, float64")),
    (("check", "good.toml", "good.json", "--earlier", "good.csv"), ("good.csv", "unknown kind of file '.csv'")),
    (("check", "good.toml", "good.json", "--example", "one"), ("--example", "valid")),
    (("check", "answers", "--grade", "missing.toml"), ("missing.toml: cannot be read",)),
    (("check", "good.toml", "answers", "--grade", "rubric.toml"), ("--grade", "FILE is the folder")),
    (
        ("check", "answers", "--grade", "rubric.toml", "--example", "0"),
        ("--grade", "the rubric says what is asked for"),
    ),
    (("check", "answers", "--grade", "rubric.toml", "--data", "good.csv"), ("--grade", "the rubric says")),
    (("check", "answers", "--grade", "rubric.toml", "--precision", "float32"), ("--grade", "the rubric says")),
    (("check", "answers", "--grade"), ("--grade", "requires an argument")),
    (("check", "missing", "--grade", "rubric.toml"), ("missing: cannot be read", "give a folder of submissions")),
    (("check", "good.json", "--grade", "rubric.toml"), ("good.json: cannot be read", "give a folder of submissions")),
    (("check", "answers", "--grade", "rubric.toml", "--csv", "o.txt"), ("csv: 'o.txt'", "does not end in .csv")),
    (("check", "good.toml", "good.json", "--csv", "o.csv"), ("--csv is for the grades of --grade",)),
    (("check", "good.toml", "good.json", "more.json"), ("unexpected extra argument", "more.json")),
    (("explain",), ("Missing argument", "FILE")),
    (("explain", "good.toml"), ("Missing argument", "TARGET")),
    (("explain", "good.safetensors", "w1.0.0"), ("good.safetensors", "a model file has no examples", "--data")),
    (("explain", "good.toml", "w1.0.0", "--data", "good.csv"), ("good.toml", "a problem file brings its own")),
    (("explain", "good.csv", "w1.0.0"), ("good.csv", "unknown kind of file '.csv'", ".toml")),
    (("explain", "good.toml", "w1.0.0", "--example", "x"), ("--example", "valid")),
    (("explain", "good.toml", "w1.0.0", "b1.0"), ("unexpected extra argument", "b1.0")),
    (("bench", "64"), ("sizes: [64] has 1 entries", "an input and an output")),
    (("bench", ""), ("sizes: '' is not a list of layer sizes such as 64,64,32,10",)),
    (("bench", "none"), ("sizes: 'none' is not a list of layer sizes such as 64,64,32,10",)),
    (("bench", "64,x"), ("sizes: '64,x' is not a list of layer sizes such as 64,64,32,10",)),
    (("bench", "64--10"), ("is not a list of layer sizes such as 64,64,32,10",)),
    (("bench", "8,-3,1"), ("sizes: entry 1: -3 is not", "at least 1")),
    (("bench", "8,0,1"), ("sizes: entry 1: 0 is not", "at least 1")),
    (("bench", "99999999999,10"), ("more parameters than the most",)),
    (("bench", "9" * 5000), ("sizes: '999", "64,64,32,10")),
    (("bench", "2,3", "4,5"), ("unexpected extra argument", "4,5")),
    (("bench", "2,3", "--activation", "rleu,softmax"), ("activation: 2 names for 0 hidden layers",)),
    (("bench", "2,3,2", "--activation", "rleu"), ("activation: 'rleu'", "Did you mean 'relu'")),
    (("bench", "2,3,2", "--activation", ""), ("activation: 0 names for 1 hidden layers", "one for all")),
    (("bench", "2,3,2", "--cost", "mse"), ("cost: 'mse'", "Known: squared-error")),
    (("bench", "2,3,2", "--cost", ""), ("cost: ''", "Known: squared-error")),
    (("bench", "2,3,2", "--cost", "huber", "--activation", "relu,softmax"), ("'huber' does not go with", "'softmax'")),
    (("bench", "--optimizer", "adm"), ("optimizer: 'adm'", "Did you mean 'adam'")),
    (("bench", "--batch-size", "0"), ("batch size: 0 is not a whole number from 1 to 16,777,216",)),
    (("bench", "--batch-size", "9" * 30), ("batch size: 999", "from 1 to 16,777,216")),
    (("bench", "--batch-size", "x"), ("--batch-size", "valid")),
    (("bench", "--dtype", "float16"), ("dtype: 'float16'", "Known: float32, float64")),
    (("bench", "--dtype", ""), ("dtype: ''", "Known: float32, float64")),
    (("bench", "--engine", "nativ"), ("engine: 'nativ'", "Did you mean 'native'")),
    (("bench", "--engine", ""), ("engine: ''", "Known: native, reference")),
    (("bench", "--threads", "0"), ("threads: 0 is not a number of threads, from 1 to 1024",)),
    (("bench", "--threads", "1025"), ("threads: 1025 is not a number of threads",)),
    (("bench", "--threads", "two"), ("--threads", "valid")),
    (("bench", "--seconds", "0"), ("seconds: 0.0 is not a number above 0 and at most 3600",)),
    (("bench", "--seconds", "nan"), ("seconds: nan is not a number above 0",)),
    (("bench", "--seconds", "1e400"), ("seconds: inf is not a number above 0",)),
    (("bench", "--seconds", "long"), ("--seconds", "valid")),
    (("bench", "--data", "digits"), ("No such option", "--data")),
    (("info", "all"), ("unexpected extra argument", "all")),
    (("info", "--csv"), ("No such option", "--csv")),
]

# To: the commands that ask the engine. A name and a value in the environment.
ENVIRONMENT: list[tuple[str, str, tuple[str, ...]]] = [
    ("CHAINRULE_ENGINE", "nativ", ("CHAINRULE_ENGINE: 'nativ'", "Did you mean 'native'", "reference")),
    ("CHAINRULE_ENGINE", "x" * 5000, ("CHAINRULE_ENGINE: 'xxx", "Known: native, reference")),
    ("CHAINRULE_THREADS", "0", ("CHAINRULE_THREADS: '0' is not a number of threads, from 1 to 1024",)),
    ("CHAINRULE_THREADS", "abc", ("CHAINRULE_THREADS: 'abc' is not a number of threads",)),
    ("CHAINRULE_THREADS", "-2", ("CHAINRULE_THREADS: '-2' is not a number of threads",)),
    ("CHAINRULE_THREADS", "1.5", ("CHAINRULE_THREADS: '1.5' is not a number of threads",)),
    ("CHAINRULE_THREADS", "٢", ("CHAINRULE_THREADS: '٢' is not a number of threads",)),
    ("CHAINRULE_THREADS", "9" * 5000, ("CHAINRULE_THREADS: '999", "from 1 to 1024")),
]

# To: train --out, train --plot, predict --out, save_model. {} stands for a good name of the right suffix.
OUTPUTS: list[tuple[str, str, tuple[str, ...]]] = [
    ("in a missing folder", "missing/{}", ("missing/", "cannot be written", "No such file")),
    ("below a file", "good.csv/{}", ("good.csv/", "cannot be written", "Not a directory")),
    ("below /proc", "/proc/{}", ("/proc/", "cannot be written")),
    ("name too long", "x" * 300 + "{}", ("xxx", "cannot be written", "File name too long")),
    ("a folder", "folder/{}", ("folder/", "is a folder or a device; give the name of a file")),
    ("a device", "/dev/null", ("/dev/null", "is a folder or a device; give the name of a file")),
]
