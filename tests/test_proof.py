"""The programs that recompute a derivative: they agree with what is right, with nothing wrong, and need only Python."""

import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from decimal import localcontext
from pathlib import Path

import numpy as np
import pytest
from given import GOLDENS, golden, random_problem
from oracles.networks import LAST, random_case

from chainrule import Examples, Model, Network, ParameterVector, explain
from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.cost import COSTS
from chainrule.errors import InputError
from chainrule.insight.proof import MAX_NUMBERS, proof
from chainrule.insight.question import question
from chainrule.model.encoding import InputColumn, Inputs, Target

PAIRS = [(cost, last) for cost, outputs in LAST.items() for last in outputs]


def _executed(program: str) -> tuple[int, str]:
    """The exit code of a program and what it prints, without the start of a process."""
    out = io.StringIO()
    with localcontext(), redirect_stdout(out), redirect_stderr(io.StringIO()), pytest.raises(SystemExit) as end:
        exec(compile(program, "proof", "exec"), {"__name__": "__main__"})
    assert isinstance(end.value.code, int)
    return end.value.code, out.getvalue()


def _run(
    model: Model, examples: Examples, wrt: str, of: str = "C", example: int | None = None, claim: float | None = None
) -> tuple[int, str]:
    """The program for a derivative, with the value that is explained or with another claim."""
    value = explain(model, examples, wrt, of=of, example=example).value if claim is None else claim
    return _executed(proof(question(model, examples, wrt, of, example), value))


def _assert_agrees(model: Model, examples: Examples, wrt: str, of: str = "C", example: int | None = None) -> None:
    """The true value is agreed with, and values that are wrong by little or much are not."""
    code, out = _run(model, examples, wrt, of, example)
    assert code == 0, (wrt, of, example, out)
    assert "AGREES" in out
    value = explain(model, examples, wrt, of=of, example=example).value
    for claim in (value * 1.001, -value, 0.0) if value else (1e-300,):
        code, out = _run(model, examples, wrt, of, example, claim)
        assert code == 1, (wrt, of, example, claim, out)
        assert "DIFFERS" in out


def _model(
    sizes: Sequence[int], activation: str | Sequence[str], numbers: Sequence[float], cost: str = "squared-error"
) -> Model:
    return Model(ParameterVector(Network(sizes, activation, cost), np.array(numbers, dtype=float)))


# what it needs, and how it reads -------------------------------------------------------------------


def test_a_program_needs_nothing_but_python_and_prints_ascii(tmp_path: Path) -> None:
    problem = golden("mazur")
    value = explain(problem.model, problem.examples, "w1[0,0]").value
    for claim, code in (value, 0), (value * 1.001, 1):
        path = tmp_path / "proof.py"
        path.write_text(proof(question(problem.model, problem.examples, "w1[0,0]"), claim), encoding="utf-8")
        # -I and -S leave out the environment and every installed package
        ran = subprocess.run([sys.executable, "-I", "-S", path], capture_output=True, encoding="ascii", check=False)
        assert (ran.returncode, ran.stderr) == (code, "")
        assert "0.036350306393144682" in ran.stdout  # the page's .036350306, the first of three factors


def test_a_program_is_short_and_always_the_same() -> None:
    problem = golden("mazur")
    asked = question(problem.model, problem.examples, "w1[0,0]")
    program = proof(asked, 0.1)
    assert program == proof(asked, 0.1) == proof(asked, np.float64(0.1))
    assert sum(1 for line in program.splitlines() if line.strip()) <= 92
    assert {line for line in program.splitlines() if "import" in line} == {
        "import sys",
        "from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext, setcontext",
        "from math import prod",
    }


@pytest.mark.parametrize("seed", range(6))
def test_no_line_is_too_long_to_read(seed: int) -> None:
    case = random_case(seed)
    model = Model(case.parameters)
    examples = model.examples(case.X, case.Y, case.weights)
    for of, wrt in ("C", "w1[0,0]"), ("C", "aL[0]"), ("zL[0]", "x[0]"):
        program = proof(question(model, examples, wrt, of), 1.0)
        assert max(map(len, program.splitlines())) <= 120


def test_only_what_the_network_has_is_in_its_program() -> None:
    model, examples = random_problem(0, (2, 2, 2), ("relu", "identity"), "half-squared-error")
    program = proof(question(model, examples, "w1[0,0]"), 1.0)
    assert "def relu(" in program
    assert not any(
        f"def {name.replace('-', '_')}(" in program for name in ACTIVATIONS if name not in ("relu", "identity")
    )


# every kind of network, every kind of question -----------------------------------------------------


@pytest.mark.parametrize("name", GOLDENS)
def test_every_parameter_of_a_golden_agrees(name: str) -> None:
    problem = golden(name)
    for parameter, array in problem.model.parameters:
        for at in np.ndindex(array.shape):
            _assert_agrees(problem.model, problem.examples, f"{parameter}[{','.join(map(str, at))}]")


@pytest.mark.parametrize(("cost", "last"), PAIRS)
def test_every_cost_with_every_output_agrees(cost: str, last: str) -> None:
    hidden = list(ACTIVATIONS)[(PAIRS.index((cost, last)) * 3) % 10]
    model, examples = random_problem(7, (2, 3, 2), (hidden, last), cost, n=2, l1=0.02, l2=0.03, weighted=True)
    for wrt, example in ("w1[1,0]", None), ("w2[1,2]", 1), ("a2[0]", 0), ("z2[1]", None):
        _assert_agrees(model, examples, wrt, example=example)


def test_every_pair_of_cost_and_output_is_tried() -> None:
    pairs = {(cost.name, name) for cost in COSTS.values() for name in ACTIVATIONS if cost.goes_with(name)}
    assert set(PAIRS) == pairs


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_every_hidden_activation_agrees(name: str) -> None:
    model, examples = random_problem(8, (2, 3, 3, 2), (name, name, "sigmoid"), "squared-error")
    for wrt in "w1[2,1]", "b1[0]", "z1[1]", "a1[1]", "a0[1]", "x[0]":
        _assert_agrees(model, examples, wrt, example=0)


def _questions() -> Iterator[tuple[str, str]]:
    for of in "a1[0]", "z1[1]", "a2[2]", "z2[0]", "a0[1]":
        for wrt in "w1[1,0]", "w2[0,1]", "b2[2]", "a0[1]", "x[1]", "a1[0]", "z1[0]", "z1[1]", "z2[0]", "a2[2]":
            yield of, wrt


@pytest.mark.parametrize("last", ["softmax", "sigmoid"])
@pytest.mark.parametrize(("of", "wrt"), list(_questions()))
def test_derivatives_of_neurons_agree(of: str, wrt: str, last: str) -> None:
    cost = "cross-entropy" if last == "softmax" else "binary-cross-entropy"
    model, examples = random_problem(9, (2, 2, 3), ("silu", last), cost, n=2, weighted=True)
    _assert_agrees(model, examples, wrt, of, example=1)
    code, out = _run(model, examples, wrt, of)
    assert code == 0, out


@pytest.mark.parametrize("l1", [0.0, 0.3])
@pytest.mark.parametrize("l2", [0.0, 0.2])
@pytest.mark.parametrize("n", [1, 3])
def test_the_penalty_and_the_weights_count(l1: float, l2: float, n: int) -> None:
    model, examples = random_problem(10, (2, 3, 1), ("elu", "tanh"), "huber", n=n, l1=l1, l2=l2, weighted=True)
    for wrt in "w1[0,1]", "b1[0]", "a1[0]":
        _assert_agrees(model, examples, wrt)
    if n == 1 and (l1 or l2):
        assert "the penalty's own share" in _run(model, examples, "w1[0,1]")[1]


def test_an_input_counts_before_its_scaling() -> None:
    model, examples = _labelled(["height", "width"], ["yes", "no"])
    for example in None, 0:
        _assert_agrees(model, examples, "x[1]", example=example)
        inner = explain(model, examples, "a0[1]", example=example).value
        assert explain(model, examples, "x[1]", example=example).value == pytest.approx(inner / 40)


@pytest.mark.parametrize("seed", range(16))
def test_random_networks_agree(seed: int) -> None:
    case = random_case(seed)
    random = np.random.default_rng(seed)
    model = Model(case.parameters)
    examples = model.examples(case.X, case.Y, case.weights)
    sizes = case.network.sizes
    l = int(random.integers(1, len(sizes)))
    j, k = int(random.integers(sizes[l])), int(random.integers(sizes[l - 1]))
    i = int(random.integers(len(examples)))
    # of the claims only the true one: the harshest of these networks are uncertain by a thousandth, and say so
    for wrt, of in (f"w{l}[{j},{k}]", f"C[{i}]"), (f"z{l}[{j}]", f"C[{i}]"), (f"a{l - 1}[{k}]", f"a{l}[{j}]"):
        code, out = _run(model, examples, wrt, of, i)
        assert code == 0, (case, wrt, of, out)


# saturation, and numbers that are tiny or 0 --------------------------------------------------------


@pytest.mark.parametrize("z", [-700, -300, -40, 40, 300, 700])
@pytest.mark.parametrize(
    ("cost", "last"), [("huber", "sigmoid"), ("binary-cross-entropy", "sigmoid"), ("poisson", "softplus")]
)
def test_a_saturated_output_agrees(z: float, cost: str, last: str) -> None:
    model = _model((1, 1), last, [z, 0.0], cost)
    for y in (0.2, 0.7) if cost == "huber" else (0.0, 1.0):
        examples = model.examples([[1.0]], [[y]])
        for wrt in "w1[0,0]", "a1[0]":
            _assert_agrees(model, examples, wrt)


@pytest.mark.parametrize("z", [40, 300, 700])
def test_what_floats_cannot_hold_is_allowed_for(z: float) -> None:
    model = _model((1, 1), "sigmoid", [z, 0.0])
    examples = model.examples([[1.0]], [[1.0]])  # 1 − σ(40) = 4e-18 is 0 in floats
    for wrt in "w1[0,0]", "a1[0]":
        assert explain(model, examples, wrt).value == 0.0
        code, out = _run(model, examples, wrt)
        assert code == 0, out
        assert _run(model, examples, wrt, claim=1e-15)[0] == 1


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "elu", "softplus", "silu", "gelu"])
@pytest.mark.parametrize("z", [-300, -36, 1e-200, 30])
def test_a_saturated_hidden_neuron_agrees(name: str, z: float) -> None:
    model = _model((1, 1, 1), (name, "sigmoid"), [z, 0.0, 1.5, 0.5])
    _assert_agrees(model, model.examples([[1.0]], [[0.3]]), "w1[0,0]")


def test_a_softmax_of_all_certainty_agrees() -> None:
    model = _model((1, 2), "softmax", [300.0, -300.0, 0.0, 0.0], "cross-entropy")
    for y in [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]:
        examples = model.examples([[1.0]], [y])
        for wrt in "w1[0,0]", "z1[1]", "a1[1]":
            _assert_agrees(model, examples, wrt)
    _assert_agrees(model, model.examples([[1.0]], [[1.0, 0.0]]), "z1[0]", of="a1[1]")


@pytest.mark.parametrize("size", [1e-250, 1e-150, 1e150])
def test_tiny_and_huge_derivatives_agree(size: float) -> None:
    model = _model((1, 1, 1), ("identity", "tanh"), [0.7, 0.2, 0.3, 0.1])
    _assert_agrees(model, model.examples([[1.0]], [[0.5]]), "w1[0,0]")
    scaled = _model((1, 1, 1), ("identity", "identity"), [size, 0.0, 0.5, 0.5])
    _assert_agrees(scaled, scaled.examples([[1.0]], [[0.9]]), "b1[0]")
    examples = scaled.examples([[size]], [[0.9]])
    if size < 1:
        _assert_agrees(scaled, examples, "w1[0,0]")


def test_a_derivative_of_0_agrees_where_the_target_is_met() -> None:
    model = _model((1, 1), "identity", [2.0, 0.0])
    _assert_agrees(model, model.examples([[1.0]], [[2.0]]), "w1[0,0]")  # C = h²: the slopes are h and −h


def test_what_cancels_in_decimals_need_not_in_floats() -> None:
    model = Model(ParameterVector.zeros(Network([2, 3, 5], ["tanh", "softmax"], "cross-entropy")))
    model.parameters.w[2][:] = 0.1
    examples = model.examples(np.ones((5, 2)), np.eye(5))
    for wrt in "b2[0]", "w1[0,0]", "a1[1]":
        code, out = _run(model, examples, wrt)
        assert code == 0, out


def test_a_claim_that_is_no_number_differs() -> None:
    problem = golden("mazur")
    for claim in float("nan"), float("inf"):
        assert _run(problem.model, problem.examples, "w1[0,0]", claim=claim)[0] == 1


# kinks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["relu", "leaky-relu"])
@pytest.mark.parametrize("w", [3.0, -3.0])
@pytest.mark.parametrize("x", [[1.0, 1.0], [-1.0, -1.0]])
def test_at_a_kink_both_slopes_are_told_and_the_left_one_is_taken(name: str, w: float, x: list[float]) -> None:
    model = _model((2, 1, 1), (name, "sigmoid"), [0.25, -0.25, 0.0, w, 0.1])
    examples = model.examples([x], [[0.7]])
    assert "There is a KINK here" in _run(model, examples, "w1[0,0]")[1]
    for wrt in "w1[0,0]", "b1[0]", "x[1]", "z1[0]":
        code, out = _run(model, examples, wrt)
        assert code == 0, out
        right = explain(model, examples, "a1[0]").value * (x[0] if wrt.startswith("w") else 1)
        assert _run(model, examples, wrt, claim=right)[0] == 1  # the slope with z > 0
    assert "KINK" not in _run(model, examples, "w2[0,0]")[1]


def test_several_kinks_that_point_apart_agree() -> None:
    # z1 is (0, 0), and w1[.] = (1, −1): one neuron goes up and the other down whichever way x goes
    model = _model((1, 2, 1), ("relu", "identity"), [1.0, -1.0, 0.0, 0.0, 2.0, 5.0, 0.0])
    examples = model.examples([[0.0], [1.0]], [[1.0], [1.0]])
    _, out = _run(model, examples, "x[0]", of="a2[0]", example=0)
    assert "KINK" in out
    assert explain(model, examples, "x[0]", of="a2[0]", example=0).value == 0.0
    for example in None, 0:
        code, out = _run(model, examples, "x[0]", of="a2[0]", example=example)
        assert code == 0, out


def test_a_weight_of_0_takes_no_slope_of_its_size() -> None:
    network = Network([1, 1], "tanh", "squared-error", l1=0.5)
    model = Model(ParameterVector(network, np.array([0.0, 0.3])))
    examples = model.examples([[2.0]], [[1.0]])
    code, out = _run(model, examples, "w1[0,0]")
    assert (code, "There is a KINK here" in out) == (0, True)
    value = explain(model, examples, "w1[0,0]").value
    for claim in value + 0.5, value - 0.5:
        assert _run(model, examples, "w1[0,0]", claim=claim)[0] == 1


# what is not put into a program --------------------------------------------------------------------


def _labelled(names: Sequence[str], classes: Sequence[str]) -> tuple[Model, Examples]:
    bare, _ = random_problem(11, (2, 2, 2), ("tanh", "softmax"), "cross-entropy")
    columns = tuple(InputColumn(name) for name in names)
    inputs = Inputs(columns, np.array([170.0, 60.0]), np.array([10.0, 40.0]))
    target = Target((names[0],), tuple(classes), np.zeros(0), np.ones(0))
    model = Model(bare.parameters, inputs, target)
    return model, model.examples([[180.0, 90.0], [165.0, 20.0]], np.eye(2))


def test_labels_do_not_get_into_a_program() -> None:
    hostile = '"""\nraise SystemExit(7)\n$wrt #\\'
    model, examples = _labelled([hostile, "héight"], [hostile, "'''"])
    tame, _ = _labelled(["a", "b"], ["c", "d"])
    for wrt, example in ("x[0]", None), ("w1[0,0]", 1), ("w2[1,0]", None):
        assert proof(question(model, examples, wrt, example=example), 1.0) == proof(
            question(tame, examples, wrt, example=example), 1.0
        )


def test_a_program_of_too_many_numbers_is_refused_with_what_to_do() -> None:
    n = MAX_NUMBERS // 4
    model = _model((2, 1), "identity", [1.0, 1.0, 0.0])
    examples = model.examples(np.zeros((n, 2)), np.zeros((n, 1)))
    asked = question(model, examples, "w1[0,0]")
    with pytest.raises(InputError, match=r"2,000,003 numbers .* 500,000 examples.*--example I"):
        proof(asked, 0.0)
    proof(question(model, examples, "w1[0,0]", example=3), 0.0)


def test_a_large_network_comes_as_rows_of_text() -> None:
    model, examples = random_problem(12, (80, 80, 3), ("relu", "softmax"), "cross-entropy", n=2)
    model.parameters.vector[:] *= 0.2
    program = proof(question(model, examples, "w2[0,0]"), 1.0)
    assert max(map(len, program.splitlines())) <= 120
    _assert_agrees(model, examples, "w2[0,0]")
