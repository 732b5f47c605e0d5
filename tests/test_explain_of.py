"""Derivatives of any activation or z, and with respect to any of them or a raw input, against complex steps of ours."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from bad_input.calls import call
from given import GOLDENS, golden, random_problem
from numpy.typing import NDArray
from oracles.complex_step import STEP, VALUES, log_softmax

from chainrule import Examples, Model, Network, ParameterVector, Settings, explain, read_table, train
from chainrule.calculus.gradient import forward
from chainrule.calculus.notation import Quantity
from chainrule.errors import NotationError
from chainrule.insight.chain import Chain
from chainrule.insight.check import complex_step
from chainrule.insight.explain import Check
from chainrule.insight.explanation_words import AGREES
from chainrule.insight.question import question

Array = NDArray[Any]

NETWORKS: dict[str, tuple[Sequence[int], str | Sequence[str], str]] = {
    "one layer": ((3, 2), "tanh", "squared-error"),
    "softmax": ((2, 3, 3), ("gelu", "softmax"), "cross-entropy"),
    "poisson": ((2, 3, 2, 2), ("silu", "elu", "softplus"), "poisson"),
    "deep": ((2, 2, 3, 2, 2, 1), ("sigmoid", "tanh", "softplus", "leaky-relu", "sigmoid"), "binary-cross-entropy"),
}


def _quantities(model: Model, letters: str) -> list[Quantity]:
    sizes = model.network.sizes
    found = [
        Quantity(letter, l, j) for letter in letters if letter in "az" for l, n in enumerate(sizes) for j in range(n)
    ]
    found += [Quantity("x", 0, k) for k in range(sizes[0]) if "x" in letters]
    for l in model.network.layers if "w" in letters else ():
        found += [Quantity("w", l, j, k) for j, k in product(range(sizes[l]), range(sizes[l - 1]))]
        found += [Quantity("b", l, j) for j in range(sizes[l])]
    return [q for q in found if q.letter != "z" or q.layer]


def _derivative(model: Model, examples: Examples, of: Quantity, q: Quantity) -> Array:
    """∂of/∂q of every example by a complex step in extended precision."""
    a = examples.a0.astype(np.clongdouble)
    for l in range(model.network.depth + 1):
        if l:
            w, b = (part[l].astype(np.clongdouble) for part in (model.parameters.w, model.parameters.b))
            if (q.letter, q.layer) in (("w", l), ("b", l)):
                (w if q.k is not None else b)[(q.j, q.k) if q.k is not None else q.j] += 1j * STEP
            z = a @ w.T + b
            if (q.letter, q.layer) == ("z", l):
                z[:, q.j] += 1j * STEP
            if (of.letter, of.layer) == ("z", l):
                return np.imag(z[:, of.j]) / STEP
            name = model.network.activation[l - 1]
            a = np.exp(log_softmax(z)) if name == "softmax" else VALUES[name](z)
        if q.letter in "ax" and q.layer == l:
            a[:, q.j] += 1j * STEP
        if (of.letter, of.layer) == ("a", l):
            return np.imag(a[:, of.j]) / STEP
    raise AssertionError(of)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_derivative_of_any_neuron_is_what_a_complex_step_gives(name: str) -> None:
    model, examples = random_problem(3, *NETWORKS[name], n=3, weighted=True)
    assert examples.weights is not None
    for of, q in product(_quantities(model, "az"), _quantities(model, "wazx")):
        each = _derivative(model, examples, of, q).astype(float)
        shares = examples.weights / examples.weights.sum()
        # a sum of a few products of numbers near 1, each rounded a few times: 100 ε covers depth 5
        tolerance = 100 * np.finfo(float).eps * max(1, float(np.abs(each).max()))
        averaged = explain(model, examples, str(q), of=str(of))
        assert averaged.value == pytest.approx(float(shares @ each), abs=tolerance), (of, q)
        one = explain(model, examples, str(q), example=1, of=str(of))
        assert one.value == pytest.approx(float(each[1]), abs=tolerance), (of, q)
        assert np.prod([factor.value for factor in one.factors]) == pytest.approx(one.value, abs=tolerance)
        if one.summed is not None:
            assert sum(term.value for term in one.terms) == pytest.approx(one.summed.value, abs=tolerance)
        for explanation in (averaged, one):
            assert explanation.check is not None
            assert explanation.check.value == pytest.approx(explanation.value, abs=tolerance)


def test_the_check_would_notice_a_wrong_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.calculus import gradient

    problem = golden("article_layers")
    right = explain(problem.model, problem.examples, "w1[0,0]", example=0)
    propagate = gradient.propagate

    def off(*arguments: Any) -> Any:
        deltas = propagate(*arguments)
        deltas.dC_dz[1] *= 1.001
        return deltas

    monkeypatch.setattr(gradient, "propagate", off)
    wrong = explain(problem.model, problem.examples, "w1[0,0]", example=0)
    assert right.check is not None
    assert wrong.check is not None
    assert right.check.difference < 1e-14
    assert 1e-4 < wrong.check.difference <= 0.001 * (1 + 1e-9)  # the terms' sizes are at least the size of their sum


def test_a_mistake_is_noticed_where_terms_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    """In wide layers, the ways to the cost are many and mostly cancel."""
    model, examples = random_problem(4, (8, 40, 40, 40, 3), ("tanh", "tanh", "tanh", "identity"), "squared-error", n=20)

    def off(*arguments: Any) -> Any:
        return complex_step(*arguments) * 1.001

    monkeypatch.setattr("chainrule.insight.explain.complex_step", off)
    for target in ("x.0", "w1.3.2", "b2.1", "w4.0.9"):
        check = explain(model, examples, target).check
        assert check is not None
        assert check.difference > 100 * AGREES, target


NEARLY_FITTED = [
    ("squared-error", "identity"),
    ("mean-squared-error", "sigmoid"),
    ("huber", "identity"),
    ("cross-entropy", "softmax"),
    ("binary-cross-entropy", "sigmoid"),
    ("poisson", "softplus"),
]


@pytest.mark.parametrize("apart", [1e-3, 1e-6, 1e-9, 1e-12, 0.0])
@pytest.mark.parametrize(("cost", "last"), NEARLY_FITTED)
def test_the_check_agrees_where_the_outputs_are_all_but_right(cost: str, last: str, apart: float) -> None:
    """a − y then has few digits or none, and so has all that it is a factor of."""
    model, drawn = random_problem(5, (3, 4, 4, 2), ("tanh", "silu", last), cost, n=3)
    a = forward(model.parameters, drawn.a0).a[3]
    Y = a * (1 + apart * np.array([[1.0, -1.0], [-0.5, 0.7], [0.3, -0.9]]))
    if last == "softmax":
        Y /= Y.sum(axis=1, keepdims=True)
    examples = model.examples(drawn.a0, Y)
    for target, i in product(("x.0", "w1.0.0", "a1.1", "b2.3", "z2.0", "w3.1.2", "z3.1", "a3.0"), (None, 1)):
        check = explain(model, examples, target, i).check
        assert check is not None
        assert check.difference < 1e-14, (
            target,
            i,
        )  # some dozen operations of 1.1e-16, beside terms whose sizes sum to 1


def test_a_difference_is_relative_to_the_sizes_of_all_ways_to_the_cost() -> None:
    model, examples = random_problem(6, (2, 3, 4, 2), ("tanh", "sigmoid", "identity"), "half-squared-error", n=3)
    trace = forward(model.parameters, examples.a0)
    w = model.parameters.w
    slopes = {1: 1 - trace.a[1] ** 2, 2: trace.a[2] * (1 - trace.a[2])}
    ways = [
        np.abs(trace.a[0][:, 1] * slopes[1][:, 2] * w[2][j, 2] * slopes[2][:, j] * w[3][m, j] * end[:, m])
        for j, m, end in product(range(4), range(2), (trace.a[3], examples.Y))
    ]
    sizes = Chain(question(model, examples, "w1[2,1]")).sizes()
    assert sizes == pytest.approx(np.sum(ways, axis=0), rel=1e-12)


def test_each_factor_within_the_layer_of_what_is_differentiated_says_what_it_is() -> None:
    softmax, examples = random_problem(7, (2, 3, 3), ("sigmoid", "softmax"), "cross-entropy")
    said = {
        ("w2.1.0", "z2.1"): "it is what is differentiated",
        ("b2.0", "z2.1"): "another node of the same layer has no part in it",
        ("a1.0", "a1.1"): "another node of the same layer has no part in it",
        ("a1.0", "z1.0"): "what comes after has no influence",
        ("b2.0", "a1.0"): "what comes after has no influence",
        ("z2.1", "a2.1"): "softmax couples the outputs: raising this z raises a2[1]",
        ("z2.0", "a2.1"): "softmax couples the outputs: raising this z lowers a2[1]",
        ("z1.0", "a1.1"): "another node of the same layer has no part in it",
        ("x.1", "a0.1"): "it is what is differentiated",
    }
    for (target, of), meaning in said.items():
        e = explain(softmax, examples, target, 0, of=of)
        assert e.factors[0].meaning == meaning, (target, of)
        assert bool(e.value) == (not meaning.endswith(("no part in it", "no influence")))
    (slope,) = explain(softmax, examples, "z1.0", 0, of="a1.0").factors
    assert slope.meaning.endswith("of its maximum ¼")


def test_a_sum_over_the_outputs_of_softmax_has_the_formula_of_every_row() -> None:
    model, examples = random_problem(8, (2, 3, 4), ("tanh", "softmax"), "cross-entropy")
    a = forward(model.parameters, examples.a0).a[2][0]
    (opened,) = explain(model, examples, "a1.0", 0, of="a2.3").sums
    assert opened.last == "a2[3]·([j = 3] − a2[j])"
    values = [term.factors[-1].value for term in opened.terms]
    assert values == pytest.approx([a[3] * ((j == 3) - a[j]) for j in range(4)], rel=1e-12)


def test_karpathys_neuron_has_the_published_sensitivities_of_its_activation() -> None:
    problem = golden("karpathy_neuron")
    values = {
        name: explain(problem.model, problem.examples, name, of="a1[0]").value for name in ("x.0", "x.1", "w1.0.0")
    }
    assert values == pytest.approx(
        {"x.0": -1.5000003851533106, "x.1": 0.5000001283844369, "w1.0.0": 1.0000002567688737}
    )


def test_a_scaled_input_has_its_scale_as_one_more_factor() -> None:
    table = read_table("digits")
    model = train(table, Settings(hidden=(4,), epochs=1)).model
    assert model.inputs is not None
    examples = model.examples_of(table)
    at_a0, at_x = (explain(model, examples, name, example=0) for name in ("a0[20]", "x[20]"))
    assert at_x.factors[-1].value == 1 / model.inputs.scale[20]
    assert at_x.value == pytest.approx(at_a0.value / model.inputs.scale[20], rel=1e-15)
    assert at_x.check is not None
    assert at_x.check.difference < 1e-12


@pytest.mark.parametrize("of", ["C[1]", "C.1"])
def test_the_cost_of_one_example_is_that_examples(of: str) -> None:
    problem = golden("article_chain")
    named = explain(problem.model, problem.examples, "w1.0.0", of=of)
    assert named == explain(problem.model, problem.examples, "w1.0.0", example=1)


@pytest.mark.parametrize("of", ["w1[0,0]", "x[0]", "a9[0]", "D", "C[1,2]"])
def test_what_has_no_derivative_to_explain_is_refused(of: str) -> None:
    problem = golden("article_chain")
    with pytest.raises(NotationError, match=r".+"):
        explain(problem.model, problem.examples, "w1.0.0", of=of)


def test_two_different_examples_are_refused() -> None:
    problem = golden("article_chain")
    with pytest.raises(NotationError, match="one example"):
        explain(problem.model, problem.examples, "w1.0.0", example=2, of="C[1]")


def test_the_command_line_takes_a_node_and_prints_the_check() -> None:
    result = call("explain", str(GOLDENS["karpathy_neuron"]), "x.0", "--of", "a1.0")
    assert result.code == 0
    assert "∂a1[0]/∂x[0] = -1.5000004" in result.stdout
    assert "checked: complex step agrees" in result.stdout
    record = json.loads(call("explain", str(GOLDENS["karpathy_neuron"]), "x.0", "--of", "a1.0", "--json").stdout)
    assert record["of"] == "a1[0]"
    assert record["check"]["difference"] < 1e-15


def test_a_kink_in_a_later_layer_is_noted_too() -> None:
    network = Network((1, 1, 1, 1), ("sigmoid", "relu", "relu"), "squared-error")
    arrays = {"w1": [[1.0]], "b1": [0.0], "w2": [[1.0]], "b2": [0.0], "w3": [[1.0]], "b3": [-0.5]}
    model = Model(ParameterVector.from_arrays(network, arrays))
    examples = model.examples([[0.0], [1.0]], [[1.0], [1.0]])  # σ(0) = ½, so that z3 = 0 in the first
    (note,) = explain(model, examples, "w1[0,0]", example=0).notes
    assert note.startswith("z3[0] is exactly 0, where relu has no derivative")
    assert explain(model, examples, "w1[0,0]", example=1).notes == ()
    assert explain(model, examples, "w1[0,0]").notes[0].startswith("1 of the examples take a derivative at a kink")


def test_a_check_that_differs_is_not_said_to_agree() -> None:
    problem = golden("article_layers")
    right = explain(problem.model, problem.examples, "w1[0,0]")
    wrong = replace(right, check=Check("complex step", right.value * 1.001, 0.001))
    assert "agrees within 1e-15" in right.text()
    assert "agrees" not in wrong.text()
    assert "differs, it gives" in wrong.text()


def test_a_derivative_too_small_to_check_is_not_checked() -> None:
    network = Network((1, 1), "sigmoid", "squared-error")
    model = Model(ParameterVector.from_arrays(network, {"w1": [[700.0]], "b1": [0.0]}))
    explanation = explain(model, model.examples([[1.0]], [[0.0]]), "w1[0,0]")
    assert explanation.value > 0
    assert explanation.check is None
    assert "not checked: float64 cannot hold" in explanation.text()
