"""A nudge predicts what the derivative says, finds what moving the number does, and the rest is of second order."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from math import inf, nan
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from given import GOLDENS, golden, random_problem

from chainrule import Examples, Model, Network, ParameterVector, Settings, explain, gradient, read_table, train
from chainrule.calculus.gradient import forward
from chainrule.calculus.notation import parse
from chainrule.errors import InputError, MissingExtraError, NotationError
from chainrule.insight.nudge import Nudge, nudge
from chainrule.model.encoding import InputColumn, Inputs
from chainrule.render import plot
from chainrule.render.json_text import json_text
from chainrule.render.text import width

Problem = tuple[Model, Examples]

EXACT = 1e-12
"""A few dozen operations of eps/2 = 1.1e-16 each, on numbers of the order of 1."""

SMOOTH: dict[str, Problem] = {
    "linear": random_problem(0, (3, 2), "identity", "squared-error"),
    "sigmoid, depth 1": random_problem(1, (2, 3), "sigmoid", "squared-error", n=8),
    "tanh, depth 2": random_problem(2, (3, 4, 2), "tanh", "half-squared-error", weighted=True),
    "gelu, depth 4": random_problem(4, (2, 3, 3, 3, 1), ("gelu", "silu", "tanh", "softplus"), "mean-squared-error"),
    "depth 5": random_problem(5, (2, 3, 2, 3, 2, 2), "tanh", "squared-error", l2=0.01, weighted=True),
    "softmax": random_problem(6, (3, 4, 12), ("tanh", "softmax"), "cross-entropy", n=9, l2=0.1),
    "softmax, depth 1": random_problem(7, (3, 3), "softmax", "cross-entropy", weighted=True, l2=0.1),
    "one sigmoid": random_problem(8, (3, 4, 1), ("softplus", "sigmoid"), "binary-cross-entropy", n=6),
    "poisson by exp": random_problem(9, (2, 3, 2), ("sigmoid", "exp"), "poisson"),
    "poisson by softplus": random_problem(10, (2, 3, 2), ("tanh", "softplus"), "poisson", weighted=True),
    "twelve wide": random_problem(11, (12, 12, 12), ("silu", "identity"), "squared-error", n=6),
    "one example": random_problem(12, (2, 2, 2), "sigmoid", "squared-error", n=1, l2=0.3),
}
CASES: dict[str, Problem] = SMOOTH | {
    "relu, depth 3": random_problem(3, (3, 5, 4, 2), ("relu", "leaky-relu", "identity"), "squared-error", n=7, l1=0.1),
    "huber": random_problem(13, (2, 3, 1), ("elu", "identity"), "huber", l1=0.02, l2=0.01),
}

each_case = pytest.mark.parametrize("case", CASES)


def _names(network: Network, letters: str = "wbazx") -> list[str]:
    """A quantity of every kind in every layer, but for a probability, which a nudge may take out of its range."""
    names = [
        f"{letter}{l}[{network.sizes[l] - 1}{',0' if letter == 'w' else ''}]"
        for l in range(network.depth + 1)
        for letter in letters
        if letter != "x" and (letter == "a" or l > 0)
    ]
    names = names if network.C.canonical is None else [name for name in names if name[:2] != f"a{network.depth}"]
    return [*names, "x[0]"] if "x" in letters else names


def _nudges(case: str, by: float = 0.05, letters: str = "wbazx") -> list[Nudge]:
    model, examples = CASES[case]
    return [nudge(model, examples, name, by, i) for name in _names(model.network, letters) for i in (None, 0)]


def _moved(model: Model, name: str, by: float) -> Model:
    """Another model whose parameter has been moved."""
    q = parse(name, model.network)
    parameters = model.parameters.astype(np.float64)
    if q.k is None:
        parameters.b[q.layer][q.j] += by
    else:
        parameters.w[q.layer][q.j, q.k] += by
    return replace(model, parameters=parameters)


# the numbers ---------------------------------------------------------------------------------------


@each_case
def test_the_prediction_is_the_derivative_that_explain_gives_times_h(case: str) -> None:
    model, examples = CASES[case]
    for name in _names(model.network):
        for i in (None, 0):
            n = nudge(model, examples, name, 0.05, i)
            assert n.derivative == explain(model, examples, name, i).value
            assert n.predicted == n.derivative * 0.05


@each_case
@pytest.mark.parametrize("by", [0.3, -0.05])
def test_the_actual_change_is_that_of_another_model_with_that_parameter(case: str, by: float) -> None:
    model, examples = CASES[case]
    for name in _names(model.network, "wb"):
        for i in (None, 0):
            before, after = (gradient(m, examples, i)[0] for m in (model, _moved(model, name, by)))
            n = nudge(model, examples, name, by, i)
            assert n.value_before == pytest.approx(before, rel=EXACT)
            assert n.value_after == pytest.approx(after, rel=EXACT)
            assert n.value == n.actual == pytest.approx(after - before, rel=EXACT, abs=EXACT * (1 + abs(before)))


@each_case
def test_every_step_of_the_chain_is_what_a_forward_pass_finds(case: str) -> None:
    model, examples = CASES[case]
    s = np.ones(len(examples)) if examples.weights is None else examples.weights
    for name in _names(model.network, "wb"):
        before, after = (forward(m.parameters, examples.a0) for m in (model, _moved(model, name, 0.2)))
        for step in nudge(model, examples, name, 0.2).chain:
            if step.node[0] in "za":
                q = parse(step.node, model.network)
                here, there = ((t.z if q.letter == "z" else t.a)[q.layer][:, q.j] for t in (before, after))
                assert step.before == pytest.approx(float(s @ here / s.sum()), rel=EXACT, abs=EXACT)
                assert step.change == pytest.approx(float(s @ (there - here) / s.sum()), rel=EXACT, abs=EXACT)


def test_a_raw_input_an_activation_and_a_z_move_as_their_own_neurons_bias_does() -> None:
    model, examples = CASES["tanh, depth 2"]
    by = 0.1
    z, b = nudge(model, examples, "z1[2]", by), nudge(model, examples, "b1[2]", by)
    assert z.actual == pytest.approx(b.actual, rel=EXACT)
    X = examples.a0.copy()
    X[:, 1] += by
    inputs = nudge(model, examples, "x[1]", by).actual
    after = gradient(model, model.examples(X, examples.Y, examples.weights))[0]
    assert inputs == pytest.approx(after - gradient(model, examples)[0], rel=1e-10)  # of a difference


def test_a_scaled_input_moves_by_h_over_s_in_a_step_of_its_own() -> None:
    plain, examples = CASES["sigmoid, depth 1"]
    names = tuple(InputColumn(name) for name in ("height\x1b[31m", "width"))
    model = replace(plain, inputs=Inputs(names, np.array([1.0, 0.0]), np.array([4.0, 1.0])))
    n = nudge(model, examples, "x[0]", 0.2)
    assert [step.node for step in n.chain][:2] == ["x[0]", "a0[0]"]
    assert n.chain[1].predicted == pytest.approx(0.05)
    assert n.chain[1].change == pytest.approx(0.05)
    assert n.actual == pytest.approx(nudge(plain, examples, "a0[0]", 0.05).actual, rel=EXACT)
    assert n.derivative == explain(model, examples, "x[0]").value
    assert "x[0] is height\\x1b[31m" in n.text()
    assert "a0[0] is (x[0] − 1)/4" in n.text()


@pytest.mark.parametrize(
    ("output", "cost", "y"),
    [
        ("sigmoid", "binary-cross-entropy", [1.0]),
        ("exp", "poisson", [2.0]),
        ("softplus", "poisson", [2.0]),
        ("softmax", "cross-entropy", [1.0]),
        ("tanh", "squared-error", [0.3]),
    ],
)
def test_an_output_can_be_moved_away_from_its_z(output: str, cost: str, y: Sequence[float]) -> None:
    model, _ = random_problem(30, (1, 2, len(y)), ("tanh", output), cost)
    examples = model.examples([[0.4]], [y])
    n = nudge(model, examples, "a2[0]", -1e-4)
    assert [step.node for step in n.chain] == ["a2[0]", "C"]
    assert n.actual == pytest.approx(n.predicted, rel=1e-3)
    assert n.derivative == explain(model, examples, "a2[0]").value
    assert n.value_before == pytest.approx(gradient(model, examples)[0], rel=EXACT, abs=EXACT)


@each_case
def test_the_chain_begins_with_what_is_moved_and_ends_with_what_changes(case: str) -> None:
    for n in _nudges(case):
        first, *_, last = n.chain
        assert (first.node, last.node) == (n.wrt, n.of)
        assert first.predicted == n.by
        assert first.change == pytest.approx(n.by, rel=1e-9)
        assert (last.predicted, last.change) == (n.predicted, n.actual)
        assert n.remainder == n.actual - n.predicted
        layers = [int(step.node[1 : step.node.index("[")]) for step in n.chain if step.node[0] in "wbaz"]
        assert layers == sorted(layers)
        if n.penalty:
            data, penalty = n.chain[-3:-1]
            assert penalty.node == "penalty"
            assert data.predicted + penalty.predicted == pytest.approx(n.predicted, rel=EXACT, abs=EXACT)
            assert data.change + penalty.change == pytest.approx(n.actual, rel=EXACT, abs=EXACT)


def test_the_article_chain_is_weight_z_a_cost() -> None:
    problem = golden("article_chain")
    n = nudge(problem.model, problem.examples, "w3[0,0]", 0.1, example=2)
    assert [step.node for step in n.chain] == ["w3[0,0]", "z3[0]", "a3[0]", "C[2]"]
    n = nudge(problem.model, problem.examples, "w2[0,0]", 0.1)
    assert [step.node for step in n.chain] == ["w2[0,0]", "z2[0]", "a2[0]", "z3[0]", "a3[0]", "C"]


def test_of_a_wide_layer_the_neurons_that_pass_most_are_shown_and_the_others_counted() -> None:
    model, examples = CASES["softmax"]
    n = nudge(model, examples, "w1[1,2]", 0.1)
    assert n.hidden == {"z2": 9, "a2": 9}
    assert len([step for step in n.chain if step.node.startswith("z2")]) == 3
    assert "… 9 more z2" in n.text()
    shown = {int(step.node[3:-1]) for step in n.chain if step.node.startswith("z2")}
    p, trace = model.parameters, forward(model.parameters, examples.a0)
    dz2 = ((1 - trace.a[1][:, 1] ** 2) * examples.a0[:, 2])[:, None] * p.w[2][:, 1]
    flow = np.abs((dz2 * (trace.a[2] - examples.Y)).mean(axis=0))
    assert shown == set(np.argsort(-flow)[:3].tolist())


def test_any_activation_or_z_can_be_what_changes() -> None:
    model, examples = CASES["tanh, depth 2"]
    for of, last in (("a2[1]", ["z2[1]", "a2[1]"]), ("z2[1]", ["a1[0]", "z2[1]"]), ("a1[0]", ["z1[0]", "a1[0]"])):
        n = nudge(model, examples, "w1[0,0]", 0.05, of=of)
        assert [step.node for step in n.chain][-2:] == last
        assert n.derivative == explain(model, examples, "w1[0,0]", of=of).value
        assert n.actual == pytest.approx(n.predicted, rel=0.2)
    assert [step.node for step in nudge(model, examples, "z1[0]", 0.1, of="z1[0]").chain] == ["z1[0]"]
    before = nudge(model, examples, "w2[0,0]", 0.1, of="a1[0]")
    assert (before.predicted, before.actual) == (0, 0)
    assert "Nothing moves: a1[0] does not depend on w2[0,0] here." in before.text()


# the remainder -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", SMOOTH)
def test_half_the_nudge_leaves_a_quarter_of_the_remainder(case: str) -> None:
    """remainder = c₂h² + c₃h³ + …: with h = 2⁻¹⁰, c₃h/c₂ is a few hundredths unless c₂ is nearly 0 by chance."""
    model, examples = CASES[case]
    ratios: list[float] = []
    for name in _names(model.network, "wb"):
        n = nudge(model, examples, name, 2.0**-10)
        assert not any(trial.kinked for trial in n.trials)
        if all(trial.shows and trial.rounding < abs(trial.remainder) / 100 for trial in n.trials):
            h, half, quarter = (trial.remainder for trial in n.trials)
            ratios += [h / half, half / quarter]
            assert n.second_order == n.trials[2].over_square
    assert len(ratios) >= 4
    assert np.median(ratios) == pytest.approx(4, abs=0.05)


def test_the_remainder_of_a_linear_neuron_is_exactly_x_squared_h_squared() -> None:
    problem = golden("one_neuron_linear")  # C = (wx + b − y)² with x = 2.1
    for by in (0.2, -3.0, 1e-3):
        n = nudge(problem.model, problem.examples, "w1[0,0]", by)
        for trial in n.trials:
            assert trial.remainder == pytest.approx(2.1**2 * trial.by**2, abs=trial.rounding, rel=EXACT)
            assert trial.over_square == pytest.approx(4.41, abs=trial.rounding / trial.by**2, rel=EXACT)
    assert "about 4.41·h², and 4.41 estimates ½ ∂²C/∂w1[0,0]²" in n.text()


def test_a_penalty_changes_by_its_own_parabola() -> None:
    model, examples = random_problem(20, (2, 2, 1), "tanh", "squared-error", l1=0.25, l2=0.5)
    w = float(model.parameters.w[1][1, 0])
    by = 0.5 * w  # away from 0
    n = nudge(model, examples, "w1[1,0]", by)
    penalty = n.chain[-2]
    assert penalty.predicted == pytest.approx(by * (0.25 * np.sign(w) + 2 * 0.5 * w), rel=EXACT)
    assert penalty.change - penalty.predicted == pytest.approx(0.5 * by**2, rel=EXACT)
    assert not nudge(model, examples, "b1[1]", by).penalty
    assert not nudge(model, examples, "w1[1,0]", by, example=0).penalty


@each_case
@pytest.mark.parametrize("exponent", [-40, -44, -48])
def test_a_remainder_that_is_rounding_is_within_its_bound_and_is_not_shown(case: str, exponent: int) -> None:
    """With so small an h the true remainder, of the order of h², is below 1e-23, and the bound not much above eps.

    Some hundred roundings of 1.1e-16 each, of costs of up to 100 and derivatives of that order, are some 1e-12.
    """
    model, examples = CASES[case]
    for name in _names(model.network):
        for i in (None, 0):
            n = nudge(model, examples, name, 2.0**exponent, i)
            for trial in n.trials:
                assert abs(trial.remainder) <= trial.rounding < 1e-10
            assert n.second_order is None
            assert "No remainder shows" in n.text() or "Nothing moves" in n.text()


@each_case
def test_the_curve_passes_through_before_and_after(case: str) -> None:
    for n in _nudges(case):
        x, y = zip(*n.curve, strict=True)
        assert len(x) == 61
        assert list(x) == sorted(x)
        reach = 3 * n.by
        assert (x[0], x[-1]) == pytest.approx((n.wrt_before - reach, n.wrt_before + reach), rel=EXACT, abs=EXACT)
        assert y[30] == pytest.approx(n.value_before, rel=EXACT, abs=EXACT)
        assert y[40] == pytest.approx(n.value_after, rel=EXACT, abs=EXACT)


# kinks ---------------------------------------------------------------------------------------------


def _one(activation: Sequence[str], cost: str, w: Sequence[float], x: float, y: float, **penalties: float) -> Problem:
    """A chain of single neurons without biases."""
    network = Network([1] * (len(w) + 1), activation, cost, **penalties)
    arrays: dict[str, Any] = {f"w{l}": [[value]] for l, value in enumerate(w, 1)}
    arrays |= {f"b{l}": [0.0] for l in range(1, len(w) + 1)}
    model = Model(ParameterVector.from_arrays(network, arrays))
    return model, model.examples([[x]], [[y]])


def test_a_kink_on_the_way_is_told_with_where_it_is() -> None:
    model, examples = _one(["relu", "identity"], "squared-error", [-0.3, 1.0], 2.0, 1.0)
    n = nudge(model, examples, "w1[0,0]", 0.5)
    assert n.predicted == 0
    assert n.actual == pytest.approx((0.2 * 2 - 1) ** 2 - 1)
    assert [trial.kinked for trial in n.trials] == [True, False, False]
    text = " ".join(n.text().split())
    assert "note: z1[0] crosses 0, where relu has a kink: the tangent holds only up to there, w1[0,0]" in text
    assert float(re.findall(r"w1\[0,0\] = (\S+)", text)[-1]) == pytest.approx(0, abs=1e-15)
    assert "across a kink" not in nudge(model, examples, "w1[0,0]", 0.2).text()


def test_a_kink_to_start_from_is_told() -> None:
    model, examples = _one(["relu", "identity"], "squared-error", [0.0, 1.0], 2.0, 1.0, l1=0.5)
    for by, crossed in ((0.1, True), (-0.1, False)):
        n = nudge(model, examples, "w1[0,0]", by)
        notes = " ".join(n.notes)
        assert "z1[0] is exactly 0, where relu has no derivative" in notes
        assert "w1[0,0] is exactly 0, where |w1[0,0]| has no derivative: 0 is taken" in notes
        assert ("z1[0] crosses 0" in notes) == crossed
        assert "w1[0,0] crosses 0, where |w| of the penalty has a kink" in notes
        assert n.second_order is None


def test_the_kink_of_an_absolute_weight_holds_up_to_0() -> None:
    model, examples = _one(["identity"], "squared-error", [0.5], 2.0, 1.0, l1=0.5)
    up_to = nudge(model, examples, "w1[0,0]", -0.5)
    assert up_to.notes == ()
    assert up_to.second_order == pytest.approx(4)
    beyond = nudge(model, examples, "w1[0,0]", -1.0)
    assert "w1[0,0] crosses 0, where |w| of the penalty has a kink" in beyond.notes[0]
    assert [trial.kinked for trial in beyond.trials] == [True, False, False]


def test_hubers_bend_is_told() -> None:
    model, examples = _one(["identity"], "huber", [0.5], 1.0, 0.0)
    n = nudge(model, examples, "w1[0,0]", 0.8)
    assert "|a − y| of output 0 crosses 1, where huber turns from a parabola into a line" in n.notes[0]
    assert "w1[0,0] = 1" in n.notes[0]
    assert n.trials[1].over_square == pytest.approx(0.5)


def test_over_several_examples_the_kinks_are_counted() -> None:
    model, _ = _one(["relu", "identity"], "squared-error", [0.1, 1.0], 1.0, 1.0)
    examples = model.examples([[1.0], [2.0], [-1.0]], [[1.0]] * 3)
    note = nudge(model, examples, "b1[0]", -0.15).notes[0]
    assert note.startswith("z1[0] crosses 0, where relu has a kink, in 1 of 3 examples")


# what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [0, 0.0, nan, inf, -inf, "0.1", None, True, 10**400])
def test_h_is_a_finite_number_other_than_0(by: Any) -> None:
    model, examples = CASES["linear"]
    with pytest.raises(InputError, match=r"by: .* is not how far to move it: a finite number other than 0"):
        nudge(model, examples, "w1[0,0]", by)


def test_an_h_that_does_not_change_the_parameter_is_refused() -> None:
    model, examples = _one(["identity"], "squared-error", [1.0], 2.0, 1.0)
    for name in ("w1[0,0]", "x[0]", "a1[0]", "z1[0]"):
        with pytest.raises(InputError, match=r"by: 1e-30 is too small to change .* take at least [24]e-16"):
            nudge(model, examples, name, 1e-30)
    assert nudge(model, examples, "b1[0]", 1e-30).wrt_after == 1e-30


def test_an_h_that_leads_nowhere_is_refused() -> None:
    model, examples = _one(["identity"], "squared-error", [1e308], 0.0, 1.0)
    with pytest.raises(InputError, match=r"too large: w1\[0,0\] would be 1e\+308 plus that"):
        nudge(model, examples, "w1[0,0]", 1.7e308)
    model, examples = _one(["sigmoid"], "binary-cross-entropy", [1.0], 2.0, 1.0)
    with pytest.raises(InputError, match="where binary-cross-entropy is not defined"):
        nudge(model, examples, "a1[0]", 0.5)


def test_what_does_not_exist_is_refused() -> None:
    model, examples = CASES["tanh, depth 2"]
    for name in ("w2[2,0]", "z0[0]", "q", ""):
        with pytest.raises(NotationError):
            nudge(model, examples, name, 0.1)
    with pytest.raises(InputError, match="there are 4 examples, 0 to 3"):
        nudge(model, examples, "w1[0,0]", 0.1, 4)


def test_nothing_is_changed_by_a_nudge() -> None:
    model, examples = CASES["depth 5"]
    arrays = [model.parameters.vector, examples.a0, examples.Y]
    copies = [array.copy() for array in arrays]
    _nudges("depth 5")
    assert all((array == copy).all() for array, copy in zip(arrays, copies, strict=True))


def test_a_float32_model_is_read_in_float64() -> None:
    model, examples = CASES["tanh, depth 2"]
    small = replace(model, parameters=model.parameters.astype(np.float32))
    large = replace(model, parameters=small.parameters.astype(np.float64))
    assert nudge(small, examples, "w1[0,0]", 1e-6) == nudge(large, examples, "w1[0,0]", 1e-6)


def test_an_alias_names_the_parameter() -> None:
    problem = golden("mazur")
    n = nudge(problem.model, problem.examples, "w5", 0.1, aliases={"w5": "w2.0.0"})
    assert n.wrt == "w2[0,0]"


# what is shown -------------------------------------------------------------------------------------


def test_a_step_of_gradient_descent_lowers_mazurs_cost_by_about_half_the_squared_slope() -> None:
    problem = golden("mazur")
    slope = 0.08216704056423077  # the file's
    n = nudge(problem.model, problem.examples, "w2[0,0]", -0.5 * slope)
    assert n.predicted == pytest.approx(-0.5 * slope**2, rel=EXACT)
    assert n.wrt_after == pytest.approx(0.35891648, rel=1e-8)
    assert n.value_before == pytest.approx(0.2983711087600027, rel=EXACT)
    assert n.text().startswith("lower w2[0,0] by 0.0410835203:\nC falls by 0.003386 (the tangent predicts 0.003376)")


def _tables(text: str) -> list[list[list[str]]]:
    """The cells of the lines of the two tables."""
    tables: list[list[list[str]]] = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line.startswith("  ")]
        tables += [[re.split(r"\s{2,}", line.strip()) for line in lines]] if lines else []
    return tables


@each_case
@pytest.mark.parametrize("by", [0.7, -1e-3])
def test_printed_predictions_and_differences_add_up_exactly_to_the_printed_changes(case: str, by: float) -> None:
    for n in _nudges(case, by):
        chain, *trials = _tables(n.text())
        for cells in chain[1:]:
            if not cells[0].startswith("…"):
                predicted, actual, differs = map(Decimal, cells[1:4])
                assert predicted + differs == actual
        for cells in (cells for table in trials for cells in table[1:]):
            if "rounding" not in cells:
                predicted, actual, remainder = map(Decimal, cells[1:4])
                assert predicted + remainder == actual
        if n.penalty:
            names = [cells[0] for cells in chain]
            at = names.index("penalty") - 1
            for column in (1, 2):
                parts = [Decimal(cells[column]) for cells in chain[at:]]
                assert sum(parts[:-1]) == parts[-1]


@cache
def _digits() -> Problem:
    table = read_table("digits")
    model = train(table, Settings(hidden=(16, 12), epochs=2)).model
    return model, model.examples_of(table)


def _too_wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if width(line) > 80]


@each_case
@pytest.mark.parametrize("by", [12.3456789012, -0.0123456789, 1.23456e-7])
def test_nudges_fit_80_columns(case: str, by: float) -> None:
    model, examples = CASES[case]
    for name in _names(model.network, "wbzx"):
        assert _too_wide(nudge(model, examples, name, by).text()) == []


@pytest.mark.parametrize("name", sorted(GOLDENS))
def test_nudges_of_the_goldens_fit_80_columns(name: str) -> None:
    problem = golden(name)
    for wrt in _names(problem.model.network, "wbz"):
        assert _too_wide(nudge(problem.model, problem.examples, wrt, 0.25).text()) == []


def test_nudges_of_digits_fit_80_columns_and_name_the_pixel() -> None:
    model, examples = _digits()
    for i in (None, 5):
        for name in ("w1[3,20]", "w3[7,11]", "b2[1]", "x[20]", "z2[4]"):
            text = nudge(model, examples, name, -0.3, i).text()
            assert _too_wide(text) == []
            assert ("x[20] is pixel20" in text) == ("20" in name)


@each_case
def test_the_json_has_the_contracts_keys_at_full_precision(case: str) -> None:
    for n in _nudges(case):
        record = json.loads(json_text(n.json(), "utf-8"))
        assert record.keys() >= {"of", "wrt", "by", "predicted", "actual", "chain", "remainder", "trials", "curve"}
        assert (record["predicted"], record["actual"]) == (n.predicted, n.actual)
        assert [(s["node"], s["change"], s["predicted"]) for s in record["chain"]] == [
            (s.node, s.change, s.predicted) for s in n.chain
        ]
        assert [tuple(point) for point in record["curve"]] == list(n.curve)


def test_what_overflows_is_said_to_be_beyond_float64() -> None:
    model, examples = _one(["identity", "exp"], "squared-error", [1.0, 1000.0], 1.0, 0.0)
    n = nudge(model, examples, "w1[0,0]", 0.5)
    assert "Beyond what float64 can hold." in str(n)
    assert json.loads(json_text(n.json(), "utf-8"))["actual"] is None
    pytest.importorskip("matplotlib")
    assert n.svg()


# the picture ---------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("of", "by"), [("C", 0.1), ("C", -2.0), ("a2[0]", 1e-9)])
def test_the_picture_is_svg_with_title_and_description_and_always_the_same(of: str, by: float) -> None:
    pytest.importorskip("matplotlib")
    problem = golden("mazur")
    n = nudge(problem.model, problem.examples, "w1[0,0]", by, of=of)
    root = ElementTree.fromstring(n.svg())
    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == f"{of} along w1[0,0], and its tangent"
    description = root.findtext(".//{http://purl.org/dc/elements/1.1/}description")
    assert description is not None
    assert description.startswith(f"{'raise' if by > 0 else 'lower'} w1[0,0] by ")
    assert n.svg() == n.svg()


@pytest.mark.parametrize(("kind", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_the_picture_comes_in_every_kind(kind: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    n = _nudges("relu, depth 3")[0]
    assert n.picture(kind).startswith(start)
    assert n.picture(kind) == n.picture(kind)


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> None:
        return None

    monkeypatch.setattr(plot, "find_spec", none)
    with pytest.raises(MissingExtraError, match=r"chainrule\[plots\]"):
        _nudges("linear")[0].svg()
    assert "<img" not in _nudges("linear")[0].html()


def test_a_notebook_shows_picture_and_text() -> None:
    pytest.importorskip("matplotlib")
    n = _nudges("linear")[0]
    page = vars(type(n))["_repr_html_"](n)
    assert page == n.html()
    assert "data:image/svg+xml;base64," in page
    assert n.text().splitlines()[-1].replace("<", "&lt;") in page
