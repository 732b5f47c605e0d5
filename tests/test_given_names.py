"""Which arrays are meant is told, whatever they are called, and nothing is guessed in silence."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input.calls import assert_refused, call

import chainrule as cr

NETWORK = cr.Network([3, 4, 2], ["tanh", "identity"], "squared-error")
W1, B1, W2, B2 = np.ones((4, 3)), np.ones(4), np.ones((2, 4)), np.ones(2)
FLAT = np.ones(NETWORK.n_parameters)

CASES: list[tuple[str, dict[Any, Any], str]] = [
    (
        "a state dict of PyTorch",
        {"0.weight": W1, "0.bias": B1, "2.weight": W2, "2.bias": B2},
        "Probably w1 is 0.weight, b1 is 0.bias, w2 is 2.weight, b2 is 2.bias.",
    ),
    (
        "modules by name, in their order",
        {"hidden.weight": W1, "hidden.bias": B1, "fc.weight": W2, "fc.bias": B2},
        "Probably w1 is hidden.weight, b1 is hidden.bias, w2 is fc.weight, b2 is fc.bias.",
    ),
    (
        "numbers, not digits, in order",
        {"layers.10.weight": W2, "layers.10.bias": B2, "layers.9.weight": W1, "layers.9.bias": B1},
        "Probably w1 is layers.9.weight, b1 is layers.9.bias, w2 is layers.10.weight, b2 is layers.10.bias.",
    ),
    (
        "Θ with the biases in its first column",
        {"theta1": np.ones((4, 4)), "theta2": np.ones((2, 5))},
        "Probably w1 is theta1[:, 1:], b1 is theta1[:, 0], w2 is theta2[:, 1:], b2 is theta2[:, 0].",
    ),
    (
        "derivatives",
        {"∂C/∂w1": W1, "∂C/∂b1": B1, "∂C/∂w2": W2, "∂C/∂b2": B2},
        "Probably w1 is ∂C/∂w1, b1 is ∂C/∂b1, w2 is ∂C/∂w2, b2 is ∂C/∂b2.",
    ),
    (
        "derivatives in letters",
        {"dC_dw1": W1, "grad_b1": B1, "dW2": W2, "b_2.grad": B2},
        "Probably w1 is dC_dw1, b1 is grad_b1, w2 is dW2, b2 is b_2.grad.",
    ),
    (
        "scikit-learn's lists, which are transposed",
        {"coefs_": [W1.T, W2.T], "intercepts_": [B1, B2]},
        "Probably w1 is coefs_[0].T, b1 is intercepts_[0], w2 is coefs_[1].T, b2 is intercepts_[1].",
    ),
    (
        "Keras's kernels, which are transposed",
        {"dense/kernel": W1.T, "dense/bias": B1, "dense_1/kernel": W2.T, "dense_1/bias": B2},
        "Probably w1 is dense/kernel.T, b1 is dense/bias, w2 is dense_1/kernel.T, b2 is dense_1/bias.",
    ),
    (
        "a table for each layer",
        {"layer1": {"w": W1, "b": B1}, "layer2": {"w": W2, "b": B2}},
        "Probably w1 is layer1.w, b1 is layer1.b, w2 is layer2.w, b2 is layer2.b.",
    ),
    (
        "layers that count from 0",
        {"w0": W1, "b0": B1, "w1": W2, "b1": B2},
        "Probably w1 is w0, b1 is b0, w2 is w1, b2 is b1.",
    ),
    ("a layer 0 too many", {"w0": W1, "w1": W1, "b1": B1, "w2": W2, "b2": B2}, "Layers count from 1"),
    (
        "everything in one array",
        {"gradients": FLAT},
        "Probably w1 is gradients[0:12].reshape(4, 3), b1 is gradients[12:16], w2 is gradients[16:24].reshape(2, 4), "
        "b2 is gradients[24:26].",
    ),
    (
        "what numpy.savez calls arrays without names",
        {"arr_0": W1, "arr_1": B1, "arr_2": W2, "arr_3": B2},
        "Probably w1 is arr_0, b1 is arr_1, w2 is arr_2, b2 is arr_3.",
    ),
    ("one name of several", {"w1": W1, "b1": B1, "w2": W2, "bias": B2}, "Did you mean 'b2'?"),
]


def refused(gradients: Any) -> str:
    model = cr.Model(cr.ParameterVector.zeros(NETWORK))
    with pytest.raises(cr.ChainruleError) as error:
        cr.check(model, np.ones((5, 3)), np.ones((5, 2)), gradients)
    return str(error.value)


@pytest.mark.parametrize(("table", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_meant_is_told(table: dict[Any, Any], told: str) -> None:
    said = refused(table)
    assert f"{next(name for name in table if name not in ('w1', 'b1', 'w2', 'b2'))!r} is no parameter" in said
    assert told in said
    assert said.endswith("Its gradient has 'w1', 'b1', 'w2', 'b2'")


@pytest.mark.parametrize(("table", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_told_is_what_to_do(table: dict[Any, Any], told: str) -> None:
    """Each expression, evaluated, has the shape of the array that it is for."""
    named: dict[str, Any] = {}
    for name, value in table.items():
        named |= {f"{name}.{inner}": value[inner] for inner in "wb"} if isinstance(value, dict) else {name: value}
    shapes = {"w1": (4, 3), "b1": (4,), "w2": (2, 4), "b2": (2,)}
    for block, expression in re.findall(r"([wb]\d) is (.+?)(?=, [wb]\d is |\.$)", told):
        name = max((name for name in named if expression.startswith(name)), key=len)
        assert eval("array" + expression.removeprefix(name), {"array": named[name]}).shape == shapes[block]


@pytest.mark.parametrize(
    "table",
    [
        {"hello": 1},
        {3: W1},
        {"w9": W1},
        {"0.weight": W1, "2.weight": W2, "4.weight": W2},
        {"w": [[1], [1, 2]]},
        {"weight": "a text", "bias": None},
        {"": 0},
    ],
)
def test_what_cannot_be_told_is_not(table: dict[Any, Any]) -> None:
    said = refused(table)
    assert "is no parameter of this network" in said
    assert "Probably" not in said


def test_one_vector_is_told_apart_from_a_table() -> None:
    assert "if they are in order, give ParameterVector(network, …)" in refused(FLAT)
    assert "is not a table of arrays by name" in refused(FLAT[1:])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"w1": np.ones((4, 4))}, "One column too many: is the bias among the weights? It goes into b1"),
        ({"w2": np.ones((5, 2))}, "Transposed, with one row too many: is the bias among the weights? It goes into b2"),
        ({"b1": np.ones((4, 3))}, "That is the shape of w1"),
        ({"w1": np.ones(12)}, "w1.reshape((4, 3)) if they are in that order"),
        ({"w1": np.ones((5, 4, 3))}, "Give their mean over the examples"),
    ],
)
def test_a_shape_that_no_mistake_has_is_told_with_the_remedy(changed: dict[str, Any], told: str) -> None:
    assert told in refused({"w1": W1, "b1": B1, "w2": W2, "b2": B2} | changed)


def test_a_file_with_other_names_is_told_the_same(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text(
        json.dumps({"0.weight": [[1, 2], [3, 4]], "0.bias": [1, 2], "2.weight": [[1, 2]] * 2, "2.bias": [1, 1]})
    )
    mazur = str(Path(__file__).parent / "goldens" / "mazur.toml")
    assert_refused(call("check", mazur, str(path)), ("g.json", "Probably w1 is 0.weight, b1 is 0.bias"))
    toml = tmp_path / "g.toml"
    toml.write_text("0.weight = [[1, 2], [3, 4]]\n0.bias = [1, 2]\n2.weight = [[1, 2], [3, 4]]\n2.bias = [1, 1]\n")
    assert_refused(call("check", mazur, str(toml)), ("g.toml", "Probably w1 is 0.weight, b1 is 0.bias"))
