"""Inputs that tell mistakes apart."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.check import judge
from chainrule.checking.design import design, told_apart
from chainrule.checking.mistake import Mistake, catalogue
from chainrule.checking.mistakes.missing_slope import MissingSlope
from chainrule.checking.mistakes.slope_of_another_activation import SlopeOfAnotherActivation


def case() -> Case:
    random = np.random.default_rng(3)
    network = cr.Network([3, 3, 3, 2], ["tanh", "sigmoid", "sigmoid"], "squared-error")
    p = cr.ParameterVector(network, random.normal(size=network.n_parameters))
    return Case(p, random.normal(size=(2, 3)), random.random((2, 2)))


def named(name: str, layer: int | None = None) -> Mistake:
    found = [m for kind in catalogue() if kind.name == name for m in kind.sites(case(), {}) if m.layer == layer]
    return found[0]


def gradients(case: Case, *mistakes: Mistake) -> np.ndarray:
    calculation = Calculation(case, mistakes)
    return np.concatenate([calculation.array(name).ravel() for name, _ in case.p])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("missing-slope", 1), ("slope-of-a", 1)),
        (("cost-scale", None), ("mean-missing", None)),
        (("labels-shifted", None), ("labels-permuted", None)),
        (("transposed-weight", 2), ("weight-of-wrong-layer", 2)),
    ],
)
def test_the_proposed_examples_tell_the_two_apart(
    first: tuple[str, int | None], second: tuple[str, int | None]
) -> None:
    found = design(case(), [one := named(*first)], [other := named(*second)])
    assert len(found.X)
    proposed = case().but(X=found.X, Y=found.Y)
    a, b = gradients(proposed, one), gradients(proposed, other)
    assert np.abs(a - b).max() > 1e-3 * np.abs(a).max()
    at = cr.ParameterVector(proposed.network, a)
    name, index = found.parameter.rstrip("]").split("[")
    entry = at.arrays()[name][tuple(int(i) for i in index.split(","))]
    assert entry == pytest.approx(found.values[0], rel=1e-12)


def test_labels_shifted_by_one_or_reversed_need_three_examples() -> None:
    assert len(design(case(), [named("labels-shifted")], [named("labels-permuted")]).X) == 3


def test_the_same_gradient_by_two_names_cannot_be_told_apart() -> None:
    twice = next(m for kind in catalogue() if kind.name == "cost-scale" for m in kind.sites(case(), {}))
    found = design(case(), [twice], [named("accumulated-twice")])
    assert len(found.X) == 0
    assert "they seem to be the same gradient" in found.text()


def test_it_is_the_same_again_and_can_be_pasted_into_a_problem_file() -> None:
    found = design(case(), [named("missing-slope", 1)], [named("slope-of-a", 1)])
    again = design(case(), [named("missing-slope", 1)], [named("slope-of-a", 1)])
    assert found.text() == again.text()
    block = found.text().split(":\n", 1)[1].split("∂C")[0]
    examples = tomllib.loads("\n".join(line.strip() for line in block.splitlines()))["examples"]
    np.testing.assert_array_equal([e["x"] for e in examples], found.X)


def test_a_verdict_with_two_explanations_gets_a_design_and_one_with_one_gets_none() -> None:
    here = case()
    arrays = {name: Calculation(here, [named("labels-shifted")]).array(name) for name, _ in here.p}
    two = judge(here, arrays)  # with two examples, shifted and reversed targets are the same
    assert "labels-permuted" in two.findings[0].equally
    found = told_apart(two)
    assert found is not None
    assert len(found.X) == 3
    arrays = {name: Calculation(here, [named("missing-slope", 1)]).array(name) for name, _ in here.p}
    assert told_apart(judge(here, arrays)) is None


def test_inputs_are_large_enough_for_both_sides_of_a_kink() -> None:
    problem = cr.load_problem(Path(__file__).parent / "goldens" / "mazur.toml")  # every z is positive there
    mazur = Case.of(problem.model, problem.examples)
    found = design(mazur, [MissingSlope(1)], [SlopeOfAnotherActivation(1, "relu")])
    assert len(found.X) == 1
