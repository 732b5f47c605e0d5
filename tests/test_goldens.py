"""The worked examples that others have published come out to the digits that they printed."""

from collections.abc import Callable
from decimal import Decimal
from math import exp, prod
from typing import Any

import numpy as np
import pytest
from given import GOLDENS, expected, golden

from chainrule import Model, Optimizer, ParameterVector, Problem, explain, gradient
from chainrule.calculus.gradient import backward, forward
from chainrule.engines.reference import run
from chainrule.engines.state import TrainingState

EPS = float(np.finfo(np.float64).eps)


@pytest.mark.parametrize("name", GOLDENS)
def test_cost_and_gradient_are_those_of_an_independent_autodiff(name: str) -> None:
    problem, figures = golden(name), expected(name)
    C, nabla_C = gradient(problem.model, problem.examples)
    wanted = ParameterVector.from_arrays(problem.model.network, _floats(figures["gradient"]))
    # two float64 computations of a few dozen operations each
    assert float(figures["cost"]) == pytest.approx(C, rel=1e-12, abs=0)
    assert np.linalg.norm(nabla_C.vector - wanted.vector) <= 1e-12 * np.linalg.norm(wanted.vector)


# the published figures -----------------------------------------------------------------------------


def _mazur() -> dict[str, Any]:
    problem = golden("mazur")
    model, examples = problem.model, problem.examples
    trace = forward(model.parameters, examples.a0)
    w2_00, w1_00 = (explain(model, examples, name) for name in ("w2[0,0]", "w1[0,0]"))
    stepped = _one_step(problem, float(expected("mazur")["published"]["learning_rate"]), biases_too=False)
    return {
        "cost": gradient(model, examples)[0],
        "z1": trace.z[1][0],
        "a1": trace.a[1][0],
        "z2_0": trace.z[2][0, 0],
        "a2": trace.a[2][0],
        "factors_of_w2_00": [factor.value for factor in w2_00.factors],
        "dC_dw2_00": w2_00.value,
        "paths_into_a1_0": [term.value for term in w1_00.terms],
        "dC_dw1_00": w1_00.value,
        "w_after_one_step_biases_frozen": np.concatenate([w.ravel() for w in stepped.parameters.w.values()]),
        "cost_after_one_simultaneous_step_biases_frozen": gradient(stepped, examples)[0],
    }


def _karpathy_neuron() -> dict[str, Any]:
    """The lecture derives the activation itself."""
    problem = golden("karpathy_neuron")

    def da(wrt: str) -> float:
        return explain(problem.model, problem.examples, wrt, of="a1[0]").value

    a1 = forward(problem.model.parameters, problem.examples.a0).a[1][0, 0]
    return {"a1": a1, "da_dx": [da("x[0]"), da("x[1]")], "da_dw": [da("w1[0,0]"), da("w1[0,1]")]}


def _nielsen_saturation() -> dict[str, Any]:
    problem = golden("nielsen_saturation")
    start, end = _nielsen_run(problem, problem.model.parameters)
    stuck_start, stuck_end = _nielsen_run(problem, ParameterVector(problem.model.network, np.array([2.0, 2.0])))
    return {
        "a_start": start,
        "a_after_300_epochs": end,
        "a_start_from_2_2": stuck_start,
        "a_after_300_epochs_from_2_2": stuck_end,
    }


def _nielsen_run(problem: Problem, start: ParameterVector) -> tuple[float, float]:
    X = problem.examples.a0
    state = TrainingState(start.copy(), Optimizer("sgd", 0.15), X, problem.examples.Y, batch_size=1, seed=0)
    run(state, 300)
    before, after = (float(forward(parameters, X).a[1][0, 0]) for parameters in (start, state.parameters))
    return before, after


def _one_neuron_linear() -> dict[str, Any]:
    problem = golden("one_neuron_linear")
    dC_dw, dC_db = gradient(problem.model, problem.examples)[1].vector
    stepped = _one_step(problem, 0.01, biases_too=True)
    return {"dC_dw": dC_dw, "dC_db": dC_db, "after_one_step_lr_0_01": stepped.parameters.vector}


OURS: dict[str, Callable[[], dict[str, Any]]] = {
    "mazur": _mazur,
    "karpathy_neuron": _karpathy_neuron,
    "nielsen_saturation": _nielsen_saturation,
    "one_neuron_linear": _one_neuron_linear,
}


@pytest.mark.parametrize("name", [name for name in GOLDENS if "published" in expected(name)])
def test_every_published_figure_comes_out_as_it_is_printed(name: str) -> None:
    published = {
        key: value
        for key, value in expected(name)["published"].items()
        if not key.startswith("note") and key != "learning_rate"
    }
    ours = OURS[name]()
    assert ours.keys() == published.keys()
    wrong = {key: (ours[key], value) for key, value in published.items() if not _all_as_printed(ours[key], value)}
    assert not wrong


def test_a_figure_that_is_off_in_its_last_printed_digit_is_noticed() -> None:
    assert _as_printed(0.2983711087, Decimal("0.298371109"))
    assert not _as_printed(0.2983711087, Decimal("0.298371108"))
    assert not _as_printed(0.2983711087, Decimal("0.298371110"))


def test_mazurs_next_cost_needs_output_weights_updated_too_early() -> None:
    problem = golden("mazur")
    wrong = problem.model.parameters.copy()
    trace = forward(wrong, problem.examples.a0)
    delta2 = backward(wrong, trace, problem.examples.Y).dC_dz[2]
    wrong.w[2][:] -= 0.5 * delta2.T @ trace.a[1]
    delta1 = wrong.network.σ(1).derivative(trace.z[1]) * (delta2 @ wrong.w[2])  # these should be the old weights
    wrong.w[1][:] -= 0.5 * delta1.T @ trace.a[0]

    page = Decimal("0.291027924")
    simultaneous = _one_step(problem, 0.5, biases_too=False)
    assert _as_printed(gradient(Model(wrong), problem.examples)[0], page)
    assert not _as_printed(gradient(simultaneous, problem.examples)[0], page)


def _one_step(problem: Problem, rate: float, *, biases_too: bool) -> Model:
    """Every parameter moved at once, down the gradient where they all were."""
    moved = problem.model.parameters.copy()
    nabla_C = gradient(problem.model, problem.examples)[1]
    for l in moved.network.layers:
        moved.w[l][:] -= rate * nabla_C.w[l]
        moved.b[l][:] -= rate * nabla_C.b[l] * biases_too
    return Model(moved)


def _all_as_printed(ours: Any, printed: Any) -> bool:
    ours, printed = np.ravel(ours), np.ravel(printed)
    return len(ours) == len(printed) and all(_as_printed(*pair) for pair in zip(ours, printed, strict=True))


def _as_printed(value: float, printed: Decimal) -> bool:
    """Within half a unit of the last printed digit; where all of float64's were printed, rounding reaches it."""
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int)
    rounding = Decimal(16 * EPS * abs(value))  # a dozen operations of half an eps each
    return abs(Decimal(float(value)) - printed) <= Decimal("0.5").scaleb(exponent) + rounding


def _floats(record: dict[str, Any]) -> dict[str, Any]:
    return {name: np.array(values, dtype=np.float64).tolist() for name, values in record.items()}


# the article's two networks, by hand ---------------------------------------------------------------


def _σ(z: float) -> float:
    return 1 / (1 + exp(-z))


def _slope(z: float) -> float:
    return _σ(z) * (1 - _σ(z))


Chain = tuple[float, float, float]
"""∂z/∂w, ∂a/∂z, ∂C/∂a: the factors in the article's order."""


def _by_hand(problem: Problem, i: int) -> dict[str, Chain]:
    """Each derivative of C_i as the article writes it: index by index, without a matrix."""
    p, sizes = problem.model.parameters, problem.model.network.sizes
    L = len(sizes) - 1
    a: dict[int, list[float]] = {0: [float(x) for x in problem.examples.a0[i]]}
    y = [float(target) for target in problem.examples.Y[i]]
    z: dict[int, list[float]] = {}
    for l in range(1, L + 1):
        z[l] = [
            sum(float(p.w[l][j, k]) * a[l - 1][k] for k in range(sizes[l - 1])) + float(p.b[l][j])
            for j in range(sizes[l])
        ]
        a[l] = [_σ(each) for each in z[l]]
    dC_da = {L: [2 * (a[L][j] - y[j]) for j in range(sizes[L])]}
    for l in range(L, 1, -1):
        dC_da[l - 1] = [
            sum(float(p.w[l][j, k]) * _slope(z[l][j]) * dC_da[l][j] for j in range(sizes[l]))
            for k in range(sizes[l - 1])
        ]
    chains: dict[str, Chain] = {}
    for l in range(1, L + 1):
        for j in range(sizes[l]):
            for k in range(sizes[l - 1]):
                chains[f"w{l}[{j},{k}]"] = (a[l - 1][k], _slope(z[l][j]), dC_da[l][j])
        for j in range(sizes[l]):
            chains[f"b{l}[{j}]"] = (1.0, _slope(z[l][j]), dC_da[l][j])
    return chains


@pytest.mark.parametrize("name", ["article_chain", "article_layers"])
def test_each_factor_is_the_articles(name: str) -> None:
    problem = golden(name)
    for i in range(len(problem.examples)):
        for wrt, chain in _by_hand(problem, i).items():
            e = explain(problem.model, problem.examples, wrt, example=i)
            # moderate z: a dozen operations, and 1 − σ loses one digit at most
            assert [factor.value for factor in reversed(e.factors)] == pytest.approx(chain, rel=1e-13, abs=0)
            assert e.value == pytest.approx(prod(chain), rel=1e-13, abs=0)


@pytest.mark.parametrize("name", ["article_chain", "article_layers"])
def test_the_gradient_is_the_mean_of_the_articles_products_in_the_articles_order(name: str) -> None:
    problem = golden(name)
    n = len(problem.examples)
    products = [[prod(chain) for chain in _by_hand(problem, i).values()] for i in range(n)]
    by_hand = np.mean(products, axis=0)
    assert gradient(problem.model, problem.examples)[1].vector == pytest.approx(by_hand, rel=1e-12, abs=0)
    averaged = [explain(problem.model, problem.examples, wrt).value for wrt in _by_hand(problem, 0)]
    assert averaged == pytest.approx(list(by_hand), rel=1e-12, abs=0)


def test_in_the_article_s_chain_the_whole_path_multiplies_out() -> None:
    """∂C_i/∂w1 through all three layers: a0 σ′(z1) w2 σ′(z2) w3 σ′(z3) 2(a3 − y)."""
    problem = golden("article_chain")
    p = problem.model.parameters
    w1, b1, w2, b2, w3, b3 = (float(number) for number in p.vector)
    for i, (x, y) in enumerate(zip(problem.examples.a0[:, 0], problem.examples.Y[:, 0], strict=True)):
        z1 = w1 * float(x) + b1
        z2 = w2 * _σ(z1) + b2
        z3 = w3 * _σ(z2) + b3
        path = float(x) * _slope(z1) * w2 * _slope(z2) * w3 * _slope(z3) * 2 * (_σ(z3) - float(y))
        assert explain(problem.model, problem.examples, "w1[0,0]", example=i).value == pytest.approx(
            path, rel=1e-13, abs=0
        )
