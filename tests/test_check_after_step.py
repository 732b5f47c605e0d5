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
    with pytest.raises(cr.ChainruleError, match="'b1', 'b2' missing; give them, or freeze"):
        check_step(MAZUR.model, MAZUR.examples, arrays(PUBLISHED), 0.5)


def test_all_frozen_tells_nothing() -> None:
    with pytest.raises(cr.ChainruleError, match="everything is frozen"):
        check_step(MAZUR.model, MAZUR.examples, {}, 0.5, ["w", "b"])


# few digits ------------------------------------------------------------------------------------------


def after_step(factor: float, decimals: int, frozen: str = "") -> dict[str, Any]:
    """The exercise's parameters after ``factor`` times the right step, as rounded."""
    gradient = cr.gradient(MAZUR.model, MAZUR.examples)[1].arrays()
    moved = {n: a - 0.5 * factor * gradient[n] * (n[0] not in frozen) for n, a in MAZUR.model.parameters}
    return {name: np.round(array, decimals) for name, array in moved.items()}


@pytest.mark.parametrize("decimals", range(2, 19))
def test_a_rounded_step_that_is_right_is_right(decimals: int) -> None:
    assert check_step(MAZUR.model, MAZUR.examples, after_step(1, decimals), 0.5)


@pytest.mark.parametrize("decimals", range(3, 19))
@pytest.mark.parametrize(("factor", "bug"), [(2, "cost-scale"), (-1, "sign")])
def test_a_rounded_step_still_names_the_mistake(factor: int, bug: str, decimals: int) -> None:
    verdict = check_step(MAZUR.model, MAZUR.examples, after_step(factor, decimals), 0.5)
    assert [finding.bug for finding in verdict.findings] == [bug]


def test_what_the_digits_leave_open_is_said() -> None:
    right = check_step(MAZUR.model, MAZUR.examples, after_step(1, 3), 0.5)
    assert "too few digits to see the step of w1" in right.notes
    assert any(note.startswith("more digits would tell it from ") for note in right.notes)
    assert not any("digits" in note for note in check_step(MAZUR.model, MAZUR.examples, after_step(1, 18), 0.5).notes)
    wrong = check_step(MAZUR.model, MAZUR.examples, after_step(2, 2), 0.5)
    assert "too few digits to see the step of w1, b1" in wrong.notes
    assert {finding.bug for finding in wrong.findings} == {None}
    assert "the digits are too few to tell which mistake it is; cost-scale, " in wrong.findings[0].evidence


def test_too_few_digits_to_see_any_step_judge_nothing() -> None:
    with pytest.raises(cr.ChainruleError, match="too few digits to see a step"):
        check_step(MAZUR.model, MAZUR.examples, after_step(0.001, 3), 0.0005)


def test_a_table_with_all_digits_of_which_none_changed_is_zeros() -> None:
    model, examples, _ = problem()
    assert [f.bug for f in check_step(model, examples, model.parameters, 0.01).findings] == ["zeros"]


# another step ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("decimals", [4, 6, 14, 18])
def test_another_learning_rate_that_makes_it_right_is_asked_for(decimals: int) -> None:
    notes = check_step(MAZUR.model, MAZUR.examples, after_step(2, decimals), 0.5).notes
    assert notes == ("every array is 2 × the right step: is the learning rate 1?",)
    assert check_step(MAZUR.model, MAZUR.examples, after_step(-1, decimals), 0.5).notes == ()


@pytest.mark.parametrize("decimals", [4, 14, 18])
def test_what_was_left_as_it_was_is_said_to_be_right_if_it_was_frozen(decimals: int) -> None:
    notes = check_step(MAZUR.model, MAZUR.examples, after_step(1, decimals, "b"), 0.5).notes
    assert notes == ("what moves is right: are the biases frozen (--freeze b)?",)
    other = after_step(1, decimals) | {"b2": MAZUR.model.parameters.b[2]}
    notes = check_step(MAZUR.model, MAZUR.examples, other, 0.5).notes
    assert notes == ("what moves is right: is b2 frozen (--freeze b2)?",)
    notes = check_step(MAZUR.model, MAZUR.examples, after_step(0.2, decimals, "b"), 0.5).notes
    assert notes == (
        "every array that moves is 0.2 × the right step: is the learning rate 0.1, and are the biases frozen "
        "(--freeze b)?",
    )
    gradient = after_step(1, decimals, "b") | {"w2": after_step(-1, decimals)["w2"]}
    assert check_step(MAZUR.model, MAZUR.examples, gradient, 0.5).notes == ()
