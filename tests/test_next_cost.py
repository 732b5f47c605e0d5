"""What a single number, the cost after one step, tells of the step."""

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.calculus import gradient as calculus
from chainrule.checking.next_cost import check_next_cost

MAZUR = cr.load_problem(Path(__file__).parent / "goldens" / "mazur.toml")
MISTAKEN, RIGHT = "0.291027924", "0.29102777369359933"  # the page's, and the one of a simultaneous step


def test_the_published_cost_is_that_of_weights_updated_too_early() -> None:
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, MISTAKEN, 0.5, ["b"])
    assert not verdict
    assert [p.mistake.name for p in verdict.explanations if p.mistake] == ["updated-weights"]
    assert "wrong: updated-weights" in verdict.text()
    assert "0.291027923905" in verdict.text()


def test_the_right_cost_is_right() -> None:
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5, ["b"])
    assert verdict
    assert verdict.explanations == ()
    assert verdict.json()["findings"] == []


def test_few_digits_leave_others_possible_and_say_so() -> None:
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, "0.29103", 0.5, ["b"])
    assert verdict
    assert {"updated-weights"} <= {p.mistake.name for p in verdict.explanations if p.mistake}
    assert "more digits would tell it from" in verdict.text()


def test_a_cost_that_nothing_gives_gets_no_name() -> None:
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, "0.2950023456", 0.5, ["b"])
    assert not verdict
    assert verdict.explanations == ()
    assert "no mistake that is known" in verdict.text()
    assert "nearest:" in verdict.text()


@pytest.mark.parametrize(
    ("lr", "freeze", "question"),
    [
        (0.5, [], "are the biases frozen (--freeze b)?"),
        (0.5, ["w"], "are the biases frozen (--freeze b)?"),
        (0.05, ["b"], "is the learning rate 0.5?"),
        (1, [], "is the learning rate 0.5, and are the biases frozen (--freeze b)?"),
    ],
)
def test_another_right_step_that_gives_it_is_asked_for(lr: float, freeze: list[str], question: str) -> None:
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, lr, freeze)
    assert not verdict
    assert verdict.otherwise == (f"right for another step: {question}",)
    assert verdict.json()["otherwise"] == list(verdict.otherwise)
    assert question in " ".join(verdict.text().split())


def test_what_was_not_frozen_is_asked_for() -> None:
    cost = check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5).right
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, repr(cost), 0.5, ["b"])
    assert verdict.otherwise == ("right for another step: is nothing frozen (no --freeze)?",)


def test_a_mistake_or_the_right_step_needs_no_other() -> None:
    assert check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5, ["b"]).otherwise == ()
    assert check_next_cost(MAZUR.model, MAZUR.examples, MISTAKEN, 0.5, ["b"]).otherwise == ()


@pytest.mark.parametrize("cost", [RIGHT, MISTAKEN, "0.29103", "0.2950023456", "0.28047144679100000000000000000000"])
@pytest.mark.parametrize("freeze", [[], ["b"]])
def test_every_line_fits_and_no_name_is_broken(cost: str, freeze: list[str]) -> None:
    verdict = check_next_cost(MAZUR.model, MAZUR.examples, cost, 0.5, freeze)
    lines = verdict.text().splitlines()
    assert max(map(len, lines)) <= 80
    assert not any(line.endswith("-") for line in lines)


@pytest.mark.parametrize(("factor", "name"), [(2, "cost-scale"), (-1, "sign"), (3, "mean-missing")])
def test_other_steps_are_named(factor: int, name: str) -> None:
    random = np.random.default_rng(1)
    network = cr.Network([3, 4, 2], "tanh", "squared-error")
    p = cr.ParameterVector(network, random.normal(size=network.n_parameters))
    X, Y = random.normal(size=(3, 3)), random.normal(size=(3, 2))
    g = calculus.gradient(p, X, Y)[1].vector
    after = cr.ParameterVector(network, p.vector - 0.01 * factor * g)
    model = cr.Model(p)
    verdict = check_next_cost(model, model.examples(X, Y), repr(calculus.gradient(after, X, Y)[0]), 0.01)
    assert not verdict
    names = [each.mistake.name for each in verdict.explanations if each.mistake]
    assert name in names


def test_freezing_by_array_and_by_kind() -> None:
    by_kind = check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5, ["b"])
    by_array = check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5, ["b1", "b2"])
    assert by_kind.right == by_array.right
    assert check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5).right != by_kind.right


@pytest.mark.parametrize("cost", ["", "abc", "nan", "inf", "0.29", None, [1], "0.2910.2"])
def test_what_is_no_cost_is_refused(cost: object) -> None:
    with pytest.raises(cr.ChainruleError, match="next cost"):
        check_next_cost(MAZUR.model, MAZUR.examples, cost, 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("lr", [0, -1, float("nan"), "fast", None])
def test_what_is_no_rate_is_refused(lr: object) -> None:
    with pytest.raises(cr.ChainruleError, match="lr"):
        check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, lr)  # type: ignore[arg-type]


@pytest.mark.parametrize("freeze", [["b3"], ["x"], "b", [1]])
def test_what_is_no_array_cannot_be_frozen(freeze: object) -> None:
    with pytest.raises(cr.ChainruleError, match="freeze"):
        check_next_cost(MAZUR.model, MAZUR.examples, RIGHT, 0.5, freeze)  # type: ignore[arg-type]
