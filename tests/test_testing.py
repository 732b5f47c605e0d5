"""assert_gradient passes what is right, and fails with the diagnosis as its message, at the caller's line."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from given import random_problem

from chainrule import Examples, Model
from chainrule.calculus.gradient import gradient
from chainrule.errors import InputError
from chainrule.testing import assert_function_gradient, assert_gradient

Arrays = dict[str, Any]


def right(model: Model, examples: Examples) -> Arrays:
    nabla_C = gradient(model.parameters, examples.a0, examples.Y, examples.weights)[1]
    return {name: array.copy() for name, array in nabla_C}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_gradient_passes_and_gives_its_verdict(dtype: str, weighted: bool) -> None:
    model, examples = random_problem(1, (3, 4, 2), "tanh", "squared-error", n=5, weighted=weighted)
    given = {name: array.astype(dtype) for name, array in right(model, examples).items()}
    verdict = assert_gradient(model, examples.a0, examples.Y, given, examples.weights, precision=dtype)
    assert verdict.ok
    assert verdict.precision == dtype


def test_a_wrong_one_fails_with_the_diagnosis() -> None:
    model, examples = random_problem(2, (3, 4, 2), "sigmoid", "squared-error", n=5)
    given = right(model, examples)
    given["w2"] *= 2
    with pytest.raises(AssertionError, match="stray-factor") as failed:
        assert_gradient(model, examples.a0, examples.Y, given)
    assert "all 8 entries of w2" in str(failed.value)


def test_an_earlier_gradient_that_was_left_in_is_named() -> None:
    model, examples = random_problem(3, (3, 4, 2), "sigmoid", "squared-error", n=5)
    first = right(model, examples[0])
    given = {name: array + first[name] for name, array in right(model, examples).items()}
    with pytest.raises(AssertionError, match="accumulated"):
        assert_gradient(model, examples.a0, examples.Y, given, earlier=first)


def test_what_is_no_gradient_of_the_network_is_an_error_and_no_failure() -> None:
    model, examples = random_problem(4, (3, 4, 2), "sigmoid", "squared-error")
    with pytest.raises(InputError, match="dW1"):
        assert_gradient(model, examples.a0, examples.Y, {"dW1": np.zeros((4, 3))})


def test_pytest_shows_the_caller_s_line_and_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from chainrule import Model, Network, ParameterVector\n"
        "from chainrule.testing import assert_gradient\n"
        "def test_it():\n"
        "    model = Model(ParameterVector.zeros(Network((1, 1), 'identity', 'squared-error')))\n"
        "    assert_gradient(model, [[1.0]], [[1.0]], {'w1': [[2.0]], 'b1': [2.0]})\n"
    )
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", env={**os.environ}, check=False,
    )  # fmt: skip
    assert told.returncode == 1, told.stdout + told.stderr
    assert ">       assert_gradient(model" in told.stdout
    assert "test_it.py:5: AssertionError" in told.stdout
    assert "raise AssertionError" not in told.stdout
    assert "wrong: " in told.stdout


# any function --------------------------------------------------------------------------------------


def cost(x: Any) -> float:
    return float((x**3).sum())


def test_a_right_gradient_of_a_function_passes_and_gives_its_verdict() -> None:
    x = np.array([1.0, -2.0, 3.0])
    assert assert_function_gradient(cost, 3 * x**2, x).ok


def test_a_wrong_one_of_a_function_fails_with_the_diagnosis() -> None:
    x = np.array([1.0, -2.0, 3.0])
    with pytest.raises(AssertionError, match=r"wrong: .*factor"):
        assert_function_gradient(cost, 6 * x**2, x)


def test_what_cannot_be_decided_fails_with_the_reason() -> None:
    """The cost is so large that no digit of it is moved by x."""

    def large(x: Any) -> float:
        return float(x @ x) + 1e30

    x = np.array([1.0, -2.0, 3.0])
    with pytest.raises(AssertionError, match="undecided: "):
        assert_function_gradient(large, 2 * x, x)
