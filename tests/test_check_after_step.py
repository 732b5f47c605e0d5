"""What the parameters after one step tell of the gradient behind it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.calculus import gradient as calculus
from chainrule.checking.step import check_step

MAZUR = cr.load_problem(Path(__file__).parent / "goldens" / "mazur.toml")
PUBLISHED = [0.149780716, 0.19956143, 0.24975114, 0.29950229, 0.35891648, 0.408666186, 0.51130127, 0.561370121]
"""Mazur's weights after one step, as his page prints them."""


def arrays(weights: list[float]) -> dict[str, Any]:
    return {"w1": np.reshape(weights[:4], (2, 2)), "w2": np.reshape(weights[4:], (2, 2))}


def problem(dtype: Any = np.float64) -> tuple[cr.Model, cr.Examples, cr.ParameterVector]:
    random = np.random.default_rng(1)
    network = cr.Network([4, 5, 3], "tanh", "squared-error")
    p = cr.ParameterVector(network, random.normal(size=network.n_parameters).astype(dtype))
    model = cr.Model(p)
    examples = model.examples(random.normal(size=(6, 4)), random.normal(size=(6, 3)))
    return model, examples, calculus.gradient(p.astype(np.float64), examples.a0, examples.Y)[1]


def test_the_published_weights_are_right_to_their_digits() -> None:
    assert check_step(MAZUR.model, MAZUR.examples, arrays(PUBLISHED), 0.5, ["b"])


def test_published_weights_with_one_wrong_digit_are_not() -> None:
    wrong = [*PUBLISHED[:4], 0.35891748, *PUBLISHED[5:]]
    verdict = check_step(MAZUR.model, MAZUR.examples, arrays(wrong), 0.5, ["b"])
    assert verdict.wrong == ("w2",)
    assert verdict.findings[0].bug is None
    assert "w2[0,0]" in verdict.findings[0].says


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_right_step_is_right(dtype: Any) -> None:
    model, examples, gradient = problem(dtype)
    after = {name: (a - 0.01 * gradient.arrays()[name]).astype(dtype) for name, a in model.parameters}
    assert check_step(model, examples, after, 0.01)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_mistake_behind_a_step_is_named(dtype: Any) -> None:
    model, examples, gradient = problem(dtype)
    after = {name: (a - 0.01 * 6 * gradient.arrays()[name]).astype(dtype) for name, a in model.parameters}
    verdict = check_step(model, examples, after, 0.01)
    assert verdict.findings[0].bug == "mean-missing"


def test_another_learning_rate_is_a_factor() -> None:
    model, examples, gradient = problem()
    after = {name: a - 0.02 * gradient.arrays()[name] for name, a in model.parameters}
    assert not check_step(model, examples, after, 0.01)
    assert check_step(model, examples, after, 0.02)


def test_what_was_frozen_and_changed_is_told() -> None:
    after = arrays(PUBLISHED) | {"b1": [0.4, 0.35], "b2": [0.6, 0.6]}
    with pytest.raises(cr.ChainruleError, match="b1: changed by the step, but it was to be frozen"):
        check_step(MAZUR.model, MAZUR.examples, after, 0.5, ["b"])


def test_a_missing_array_that_is_not_frozen_is_told() -> None:
    with pytest.raises(cr.ChainruleError, match="'b1', 'b2' missing"):
        check_step(MAZUR.model, MAZUR.examples, arrays(PUBLISHED), 0.5)


def test_all_frozen_tells_nothing() -> None:
    with pytest.raises(cr.ChainruleError, match="everything is frozen"):
        check_step(MAZUR.model, MAZUR.examples, {}, 0.5, ["w", "b"])
