"""check_function never calls a right gradient wrong nor a wrong one right, and names what can be named."""

import json
import math
import time
from functools import cache
from typing import Any

import numpy as np
import pytest
from functions import Fn, Function, hundred, scatter
from functions_blind import hundred_more

import chainrule
from chainrule import FunctionVerdict, check_function
from chainrule.checking.slope import ladder, slope
from chainrule.errors import InputError

FUNCTIONS = hundred()
SETS = {"first": FUNCTIONS, "blind": hundred_more()}
EVERY = [f for functions in SETS.values() for f in functions]


def verdict(f: Function, times: Any = 1.0) -> FunctionVerdict:
    return check_function(f.cost, lambda x: f.shaped(f.right(x) * times), f.x)


def mistakes(f: Function, long: bool) -> list[Any]:
    """Factors that make one entry or all wrong: by 0.1 %; in the long form in sign and twofold, too."""
    exact = f.right(f.x)
    there = [i for i in np.flatnonzero(exact).tolist() if i not in f.kinks]
    if not there or f.zero:
        return []
    sizes = np.abs(exact[there])
    found: list[Any] = [1.001, 0.999, -1.0, 2.0, 0.5] if long else [0.999]
    for i in {there[int(sizes.argmax())], there[int(sizes.argmin())], there[len(there) // 2]}:
        for factor in (1.001, 0.999, -1.0) if long else (1.001,):
            times = np.ones(exact.size)
            times[i] = factor
            found.append(times)
    return found


@pytest.mark.parametrize("name", SETS)
def test_there_are_a_hundred_functions(name: str) -> None:
    assert len({f.name for f in SETS[name]}) >= 100


@pytest.mark.parametrize("f", EVERY, ids=lambda f: f.name)
def test_a_right_gradient_is_never_called_wrong(f: Function) -> None:
    for found in (check_function(f.cost, f.gradient, f.x), check_function(f.cost, f.gradient(f.x), f.x)):
        assert found.ok is not False, found.text()
        assert found.ok or found.reason


@pytest.fixture(scope="module")
def long(pytestconfig: pytest.Config) -> bool:
    """Whether everything is tried: --networks 1000."""
    return pytestconfig.option.networks >= 1000


@cache
def verdicts_on_mistakes(name: str, at: int, long: bool) -> list[tuple[Any, FunctionVerdict]]:
    f = SETS[name][at]
    return [(times, verdict(f, times)) for times in mistakes(f, long)]


@pytest.mark.parametrize(
    ("name", "at"), [(name, at) for name, fs in SETS.items() for at in range(len(fs))], ids=[f.name for f in EVERY]
)
def test_a_gradient_that_is_wrong_by_a_thousandth_is_never_called_right(name: str, at: int, long: bool) -> None:
    for times, found in verdicts_on_mistakes(name, at, long):
        assert found.ok is not True, (times, found.text())
        assert found.ok is False or found.reason


@pytest.mark.parametrize("name", SETS)
def test_at_most_five_in_a_hundred_functions_are_undecided(name: str, long: bool) -> None:
    for seed in (1, 2, 3) if long else (1,):
        undecided: dict[str, str] = {}
        for f in SETS[name]:
            found = check_function(f.cost, f.gradient, f.x, seed=seed)
            assert found.ok is not False, found.text()
            if found.ok is None:
                undecided[f.name] = found.reason
        assert len(undecided) <= 5, undecided


@pytest.mark.parametrize("name", SETS)
def test_at_most_five_in_a_hundred_functions_leave_a_wrong_gradient_undecided(name: str, long: bool) -> None:
    undecided = {
        f.name
        for at, f in enumerate(SETS[name])
        if any(found.ok is None for _, found in verdicts_on_mistakes(name, at, long))
    }
    assert len(undecided) <= 5, undecided


def test_a_wrong_slope_where_the_right_one_is_0_is_caught() -> None:
    for f in EVERY:
        if f.zero:
            assert verdict(f).ok, f.name
            assert check_function(f.cost, f.shaped(f.right(f.x) + 1e-3), f.x).ok is False, f.name


# the slope of one line --------------------------------------------------------------------------------


def line(f: Fn, x: float) -> Any:
    return slope(lambda t: float(f(x + t)), float(f(x)), 1.0, ladder(0))


def test_the_error_estimate_covers_the_error() -> None:
    lines: list[tuple[Fn, Fn]] = [
        (math.exp, math.exp),
        (math.sin, math.cos),
        (lambda x: math.sin(1e5 * x), lambda x: 1e5 * math.cos(1e5 * x)),
        (lambda x: 1 / (1 + 2500 * x * x), lambda x: -5000 * x / (1 + 2500 * x * x) ** 2),
        (lambda x: math.exp(x) + 1e-6 * scatter(np.array(x)), math.exp),
        (lambda x: round(math.exp(x), 6), math.exp),
        (lambda x: float(np.exp(np.float32(x))), math.exp),
    ]
    for f, slope_of in lines:
        for x in np.random.default_rng(3).uniform(0.3, 2, 40).tolist():
            found = line(f, x)
            rounding = 1e5 * 1e5 * 2.0**-52 if abs(found.value) > 100 else 0  # of 1e5·x, in the slope itself
            assert abs(found.value - slope_of(x)) <= found.error + rounding + 1e-15, (x, found)


def test_a_kink_has_a_slope_on_either_side() -> None:
    found = line(lambda x: abs(x - 1) + 2 * x, 1.0)
    assert found.kink
    assert found.left == pytest.approx(1)
    assert found.right == pytest.approx(3)


def test_what_has_no_slope_is_told() -> None:
    assert "jumps" in line(lambda x: x >= 1, 1.0).why
    assert "vertical" in line(lambda x: np.cbrt(x - 1), 1.0).why
    assert "noise" in line(lambda x: 1e-3 * x + 1e-3 * scatter(np.array(x)), 1.0).why


# kinks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-1.0, -0.3, 0.0, 1.0])
def test_every_value_between_the_slopes_of_a_kink_is_right(value: float) -> None:
    found = check_function(lambda x: np.abs(x).sum(), np.array([value, 1.0]), np.array([0.0, 2.0]))
    assert found.ok
    assert "kink" in next(entry.why for entry in found.entries if entry.name == "x[0]")


@pytest.mark.parametrize("value", [-1.001, 1.001, 3.0])
def test_a_value_beyond_the_slopes_of_a_kink_is_wrong(value: float) -> None:
    found = check_function(lambda x: np.abs(x).sum(), np.array([value, 1.0]), np.array([0.0, 2.0]))
    assert found.ok is False
    assert [entry.name for entry in found.worst if entry.status == "wrong"] == ["x[0]"]


def test_a_complex_step_that_an_abs_breaks_is_not_believed() -> None:
    x = np.array([1.0, -2.0, 3.0])
    right = 2 * x + 1e-3 * np.sign(x)
    found = check_function(lambda x: (x**2 + 1e-3 * np.abs(x)).sum(), right, x)
    assert found.ok
    assert "complex" not in found.oracle
    assert check_function(lambda x: (x**2 + 1e-3 * np.abs(x)).sum(), 2 * x, x).ok is False


# names ------------------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(2)
SQUARE, WIDE = RANDOM.normal(size=(4, 4)), RANDOM.normal(size=(3, 5))
MIX = RANDOM.normal(size=(3, 5, 3, 5))


def cost_of(W: Any) -> Any:
    return np.sin(W).sum() + (W[0] @ W[1]) ** 2 / 2


def right(W: Any) -> Any:
    d = np.cos(W)
    d[0] += (W[0] @ W[1]) * W[1]
    d[1] += (W[0] @ W[1]) * W[0]
    return d


def bugs(given: Any, x: Any, cost: Any = cost_of) -> list[str]:
    found = check_function(cost, given, x)
    assert found.ok is False, found.text()
    return [finding.bug for finding in found.findings]


WHOLE: list[tuple[Fn, str]] = [
    (lambda d: 2 * d, "a constant factor of 2"),
    (lambda d: d / 2, "a constant factor of 1/2"),
    (lambda d: 4 * d, "a constant factor of 4"),
    (lambda d: d / 12, "a constant factor of 1/12"),
    (lambda d: 1.7 * d, "a constant factor of 1.7"),
    (lambda d: -d, "wrong sign"),
    (lambda d: 0 * d, "all zeros"),
    (lambda d: d.T, "transposed"),
    (lambda d: np.flip(d, 0), "axis 0 backwards"),
    (lambda d: np.roll(d, 1, 1), "axis 1 shifted by 1"),
    (lambda d: np.abs(d), "the sign is lost"),
    (lambda d: d.ravel()[np.random.default_rng(0).permutation(16)].reshape(4, 4), "permuted"),
    (lambda d: d + 0.3 * SQUARE, "the penalty 0.15·Σx² is too much"),
    (lambda d: d - 0.1 * SQUARE, "the penalty 0.05·Σx², or half of 0.1·Σx², is missing"),
    (lambda d: d - 0.01 * np.sign(SQUARE), "the penalty 0.01·Σ|x| is missing"),
    (lambda d: np.broadcast_to(d / 7, (7, 4, 4)), "an unsummed broadcast axis: axis 0"),
    (lambda d: d.ravel(), "another shape, the same numbers"),
]


@pytest.mark.parametrize(("given", "bug"), WHOLE)
def test_a_mistake_in_all_of_an_array_is_named(given: Any, bug: str) -> None:
    assert bugs(given(right(SQUARE)), SQUARE) == [bug]


CHANGES: list[Fn] = [
    *(lambda d, c=c: c * d for c in (2, 1 / 2, -1, -1 / 2, 1 / 3, -3, 1 / 1000, 3, 1.7, -0.003)),
    lambda d: d + 0.3 * SQUARE,
    lambda d: d - 0.3 * SQUARE,
    lambda d: d - 0.01 * np.sign(SQUARE),
    lambda d: d.T,
    lambda d: np.roll(d, 1, 1),
    lambda d: d.ravel(),
]


@pytest.mark.parametrize("given", CHANGES)
def test_the_change_is_python_that_makes_the_gradient_right(given: Fn) -> None:
    found = check_function(cost_of, given(right(SQUARE)), SQUARE)
    variables: dict[str, Any] = {"np": np, "x": SQUARE, "dx": given(right(SQUARE))}
    exec(found.findings[0].fix, variables)
    assert check_function(cost_of, variables["dx"], SQUARE).ok, found.text()


def test_the_change_of_one_number_in_an_array_is_python() -> None:
    variables = {"dx": np.array([4.0])}
    exec(check_function(lambda x: x**2, variables["dx"], 2.0).findings[0].fix, variables)
    assert np.shape(variables["dx"]) == ()


def test_a_transposed_array_of_another_shape_is_named() -> None:
    assert bugs(right(WIDE).T, WIDE) == ["transposed"]


def test_numbers_in_another_memory_order_are_named() -> None:
    incoming = np.asfortranarray(right(WIDE))
    read = np.frombuffer(incoming.tobytes("A")).reshape(WIDE.shape)
    assert bugs(read, WIDE) == ["read in another memory order: an incoming gradient that is not contiguous"]
    back = right(WIDE).reshape(WIDE.shape[::-1]).T
    assert bugs(back, WIDE) == ["read in another memory order: an incoming gradient that is not contiguous"]


def test_a_mean_over_an_axis_that_was_not_taken_is_named() -> None:
    given = np.broadcast_to(right(SQUARE), (7, 4, 4)) + np.arange(-3, 4)[:, None, None]
    found = check_function(cost_of, given, SQUARE)
    assert found.findings[0].bug == "an unsummed broadcast axis: axis 0"
    assert "mean" in found.findings[0].fix


def test_a_factor_in_one_array_of_several_is_named_there() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(8, 3)), rng.normal(size=8)
    at = {"w": rng.normal(size=3), "b": np.array(0.3)}

    def cost(p: Any) -> Any:
        return ((X @ p["w"] + p["b"] - y) ** 2).mean()

    def gradient(p: Any) -> Any:
        r = X @ p["w"] + p["b"] - y
        return {"w": 2 * X.T @ r / 8, "b": 2 * r.sum()}

    found = check_function(cost, gradient, at)
    assert found.ok is False
    assert [(finding.bug, finding.arrays) for finding in found.findings] == [("a constant factor of 8", ("b",))]
    assert (found.status["w"] == "right").all()


def test_exchanged_arrays_are_named() -> None:
    at = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([0.5, -1.0, 2.0])}
    found = check_function(lambda p: (p["a"] ** 3 + p["b"] ** 2).sum(), {"a": 2 * at["b"], "b": 3 * at["a"] ** 2}, at)
    assert {finding.bug for finding in found.findings} == {"this is the gradient of b", "this is the gradient of a"}


def test_a_wrong_sign_in_some_entries_is_named() -> None:
    given = right(SQUARE)
    given[1, :2] *= -1
    assert bugs(given, SQUARE) == ["wrong sign in some entries"]


def test_overwriting_where_terms_should_add_up_is_named() -> None:
    x = np.array([0.5, -1.0, 2.0])
    terms: list[Fn] = [lambda x: np.sin(x).sum(), lambda x: (x**3).sum(), lambda x: np.exp(x).sum()]
    found = check_function(lambda x: sum(t(x) for t in terms), np.exp(x), x, terms=terms)
    assert [finding.bug for finding in found.findings] == ["overwritten for accumulated"]
    found = check_function(lambda x: sum(t(x) for t in terms), np.exp(x) + np.cos(x), x, terms=terms)
    assert [finding.bug for finding in found.findings] == ["term 1 is missing"]


def test_an_error_without_a_system_gets_no_name() -> None:
    given = right(SQUARE)
    given[2, 3] *= 1.01
    assert bugs(given, SQUARE) == []
    assert bugs(right(SQUARE) + np.random.default_rng(0).normal(size=(4, 4)), SQUARE) == []


def test_a_buffer_that_is_never_zeroed_is_told() -> None:
    x = np.array([1.0, 2.0])
    buffer = np.zeros(2)

    def gradient(x: Any) -> Any:
        buffer[:] += 2 * x
        return buffer

    found = check_function(lambda x: x @ x, gradient, x)
    assert found.ok
    assert "never zeroed" in found.text()


# many parameters -----------------------------------------------------------------------------------------


def large(n: int) -> tuple[Fn, Fn, Any]:
    rng = np.random.default_rng(4)
    c = rng.normal(size=n)
    return (lambda x: (np.sin(x) * c + x**2).sum()), (lambda x: np.cos(x) * c + 2 * x), rng.normal(size=n)


@pytest.mark.parametrize("n", [65, 100_000])
def test_many_entries_take_few_evaluations(n: int) -> None:
    cost, gradient, x = large(n)
    start = time.perf_counter()
    found = check_function(cost, gradient, x)
    assert found.ok, found.text()
    assert found.count("right") == n
    assert found.evaluations < 200
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0])
def test_one_wrong_entry_of_100000_is_found_in_few_evaluations(factor: float) -> None:
    cost, gradient, x = large(100_000)
    given = gradient(x)
    given[31_415] *= factor
    found = check_function(cost, given, x)
    assert found.ok is False
    assert [entry.name for entry in found.worst if entry.status == "wrong"] == ["x[31415]"]
    assert found.count("right") == 99_999
    assert found.evaluations < 1000


def test_one_wrong_entry_of_many_is_found_by_real_values_alone() -> None:
    cost, gradient, x = large(20_000)
    given = gradient(x)
    largest = int(np.abs(given).argmax())
    given[largest] *= 1.001
    found = check_function(lambda x: float(cost(np.asarray(x, dtype=float))), given, x)
    assert found.ok is False
    assert f"x[{largest}]" in [entry.name for entry in found.worst if entry.status == "wrong"]
    assert found.evaluations < 10_000


def test_entries_that_were_not_looked_at_are_not_called_undecided() -> None:
    cost, gradient, x = large(500)
    rng = np.random.default_rng(5)
    given = gradient(x)
    given[rng.permutation(500)[:250]] *= rng.uniform(1.5, 3, 250)
    found = check_function(cost, given, x)
    unseen = found.count("not looked at")
    assert found.ok is False
    assert found.count("undecided") == 0
    assert 0 < unseen == 500 - found.count("right") - found.count("wrong")
    assert f"0 undecided, {unseen} not looked at" in found.text()
    looked = f"{len(found.entries)} of 500 entries were looked at one by one; {unseen} were not looked at"
    assert looked in found.notes[0]
    assert max(len(line) for line in found.text().splitlines()) <= 80
    each = check_function(lambda part: cost(np.concatenate([part, x[64:]])), given[:64], x[:64])
    assert each.count("not looked at") == 0  # as the note says


def test_a_mistake_in_all_of_a_large_array_is_named() -> None:
    rng = np.random.default_rng(6)
    W, V = rng.normal(size=(300, 300)), rng.normal(size=(300, 4))
    X = rng.normal(size=(5, 300))
    at = {"W": W / 20, "V": V}

    def cost(p: Any) -> Any:
        return (np.tanh(X @ p["W"]) @ p["V"]).sum()

    def gradient(p: Any) -> Any:
        a = np.tanh(X @ p["W"])
        return {"W": X.T @ ((1 - a * a) * p["V"].sum(axis=1)), "V": np.repeat(a.sum(axis=0)[:, None], 4, axis=1)}

    exact = gradient(at)
    assert check_function(cost, exact, at).ok
    for given, bug in (
        ({**exact, "W": exact["W"].T}, "transposed"),
        ({**exact, "W": exact["W"] / 5}, "a constant factor of 1/5"),
        ({**exact, "W": -exact["W"]}, "wrong sign"),
        ({**exact, "W": 0 * exact["W"]}, "all zeros"),
    ):
        found = check_function(cost, given, at)
        assert found.ok is False
        assert [(finding.bug, finding.arrays) for finding in found.findings] == [(bug, ("W",))], found.text()
        assert (found.status["V"] == "right").all()
        assert found.evaluations < 1500


def test_the_gradient_of_a_network_is_right() -> None:
    network = chainrule.Network([4, 6, 3], activation=["tanh", "softmax"], cost="cross-entropy")
    rng = np.random.default_rng(8)
    X, Y = rng.normal(size=(10, 4)), np.eye(3)[rng.integers(0, 3, 10)]
    p = chainrule.initial_parameters(network, seed=1)

    from chainrule.calculus import gradient as calculus

    def cost(vector: Any) -> float:
        return calculus.gradient(chainrule.ParameterVector(network, vector), X, Y)[0]

    def gradient(vector: Any) -> Any:
        return calculus.gradient(chainrule.ParameterVector(network, vector), X, Y)[1].vector

    vector = p.vector.astype(np.float64)
    assert check_function(cost, gradient, vector).ok
    assert check_function(cost, lambda v: gradient(v) * 1.001, vector).ok is False


# costs that misbehave ---------------------------------------------------------------------------------------


def test_a_noisy_cost_is_told_with_the_size_of_its_noise() -> None:
    rng = np.random.default_rng(0)
    x = np.array([1.0, 2.0])
    found = check_function(lambda x: x @ x + 1e-7 * rng.random(), 2 * x, x)
    assert found.ok is not False
    assert 0 < found.noise <= 1e-7
    assert "noisy" in found.text()
    found = check_function(lambda x: float(np.sin(x).sum()) + 10 * rng.random(), np.cos(x), x)
    assert found.ok is None
    assert "noise" in found.reason


@pytest.mark.parametrize("frequency", [3.0, 30.0, 300.0])
@pytest.mark.parametrize("digits", range(1, 5))
def test_an_oscillation_that_rounding_half_hides_is_never_misjudged(frequency: float, digits: int) -> None:
    for seed in range(3):
        x = np.random.default_rng(seed).uniform(0.3, 2, 2)
        right = frequency * np.cos(frequency * x) + np.array([1.0, 0.0])

        def cost(x: Any) -> float:
            return round(float(np.sin(frequency * x).sum() + x[0]), digits)

        assert check_function(cost, right, x, seed=seed).ok is not False
        assert check_function(cost, 1.001 * right, x, seed=seed).ok is not True
        assert check_function(cost, np.zeros(2), x, seed=seed).ok is not True
        assert check_function(cost, np.array([1.0, 0.0]), x, seed=seed).ok is not True


QUANTA = (1.0, 0.5, 0.3, 1 / 7, 0.1, 0.01, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
ROUNDED: list[tuple[Fn, Fn]] = [
    (lambda x: x @ np.arange(1, 4), lambda x: np.arange(1.0, 4.0)),
    (lambda x: (x**2).sum(), lambda x: 2 * x),
    (lambda x: np.exp(x).sum(), np.exp),
    (lambda x: np.sin(20 * x).sum(), lambda x: 20 * np.cos(20 * x)),
]


@pytest.mark.parametrize("rounded", [np.round, np.floor])
@pytest.mark.parametrize("q", QUANTA)
@pytest.mark.parametrize(("f", "right"), ROUNDED)
def test_of_a_cost_in_steps_a_right_gradient_is_never_wrong_and_a_wrong_one_never_right(
    f: Fn, right: Fn, q: float, rounded: Fn
) -> None:
    for seed in range(2):
        x = np.random.default_rng(seed).normal(size=3)

        def cost(x: Any) -> float:
            return float(rounded(f(x) / q) * q)

        found = check_function(cost, right, x, seed=seed)
        assert found.ok is not False, found.text()
        for times in (0.0, -1.0, 1.001, 2.0):
            assert check_function(cost, lambda x, c=times: c * right(x), x, seed=seed).ok is not True
        if q > 0.05:
            assert found.ok is None
            assert f"moves in steps of {q:.4g}" in found.reason, found.reason


def test_a_cost_that_is_0_beside_a_kink_does_not_move_in_steps() -> None:
    for x in (np.array([-1.0, 2.0]), np.array([-0.7, 0.4]), np.array([0.5])):
        found = check_function(lambda x: float(np.maximum(x, 0).sum()), lambda x: (x > 0) * 1.0, x)
        assert found.ok, found.text()
        assert check_function(lambda x: float(np.maximum(x, 0).sum()), lambda x: (x > 0) + 0.01, x).ok is False
    step = check_function(lambda x: float(np.tanh(1e9 * x).sum()), np.array([1e9]), np.array([0.0]))
    assert step.ok, step.text()


def test_a_cost_that_changes_its_argument_is_told_and_does_no_harm() -> None:
    x = np.array([1.0, 2.0])

    def cost(x: Any) -> Any:
        x *= 2
        return (x @ x) / 4

    found = check_function(cost, 2 * x, x)
    assert found.ok
    assert "changes its argument" in found.text()
    assert x.tolist() == [1.0, 2.0]


def test_the_edge_of_a_domain_is_told() -> None:
    found = check_function(lambda x: math.sqrt(x[0]) + x[1], np.array([7.0, 1.0]), np.array([0.0, 1.0]))
    assert found.ok is None
    assert "vertical" in found.reason
    found = check_function(lambda x: float(x[0]) if x[0] == 1 else math.nan, np.array([1.0]), np.array([1.0]))
    assert found.ok is None
    assert "not finite" in found.reason


def test_nan_in_a_gradient_is_wrong_and_said_to_be() -> None:
    found = check_function(lambda x: x @ x, np.array([2.0, np.nan]), np.array([1.0, 2.0]))
    assert found.ok is False
    assert "not a finite number" in found.text()


REFUSED: list[tuple[Fn | float, Fn | list[Any] | dict[str, Any], Any, str]] = [
    (1.0, [1.0], [1.0], "cost: 1.0 is not a function"),
    (lambda x: None, [1.0], [1.0], "is a return missing"),
    (lambda x: x, [1.0], [1.0], "sum or average it"),
    (lambda x: "a", [1.0], [1.0], "is not a number"),
    (lambda x: True, [1.0], [1.0], "is not a number"),
    (lambda x: 1j, [1.0], [1.0], "complex at a real argument"),
    (lambda x: math.nan, [1.0], [1.0], "a finite number"),
    (lambda x: x[7], [1.0], [1.0], r"cost\(at\) raised IndexError"),
    (lambda x: 1 / 0, [1.0], [1.0], r"cost\(at\) raised ZeroDivisionError"),
    (lambda x: x.sum() if x[0] == 1 else x["b"], [1.0, 1.0], [1.0, 1.0], r"with x\[0\] moved by"),
    (lambda x: x.sum(), [1.0, 2.0], [1.0, 2.0, 3.0], "has shape"),
    (lambda x: x.sum(), {"x": [1.0]}, [1.0], "one array"),
    (lambda x: x.sum(), lambda x: None, [1.0], "is a return missing"),
    (lambda x: x.sum(), lambda x: x[7], [1.0], r"gradient\(at\) raised IndexError"),
    (lambda x: x.sum(), ["a"], [1.0], "not an array of numbers"),
    (lambda x: x.sum(), [1.0], ["a"], "not a number"),
    (lambda x: x.sum(), [1.0], [math.inf], "finite"),
    (lambda x: x.sum(), [], [], "at least one number"),
    (lambda p: 1.0, {"weight": [1.0]}, {"weights": [1.0]}, "Did you mean 'weights'"),
    (lambda p: 1.0, {"a": [1.0]}, {"a": [1.0], "b": [1.0]}, "'b' is missing"),
    (lambda p: 1.0, [1.0], {"a": [1.0]}, "is not a mapping"),
]


@pytest.mark.parametrize(("cost", "gradient", "at", "words"), REFUSED)
def test_what_cannot_be_checked_is_refused_with_the_reason(cost: Any, gradient: Any, at: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_function(cost, gradient, at)


# the verdict ----------------------------------------------------------------------------------------------


def test_a_verdict_is_true_only_where_it_is_right() -> None:
    x = np.array([1.0, 2.0])
    assert check_function(lambda x: x @ x, 2 * x, x)
    assert not check_function(lambda x: x @ x, 3 * x, x)
    undecided = check_function(lambda x: float(x @ x) + 1e30, 2 * x, x)
    assert undecided.ok is None
    assert bool(undecided) is False
    assert str(undecided).startswith("undecided: ")


def test_the_json_has_the_verdict_and_the_entries_that_are_not_right() -> None:
    x = np.array([1.0, 2.0])
    found = json.loads(json.dumps(check_function(lambda x: x @ x, np.array([2.0, 4.1]), x).json()))
    assert found["ok"] is False
    assert found["counts"] == {"right": 1, "wrong": 1, "undecided": 0, "not looked at": 0}
    assert [entry["name"] for entry in found["entries"]] == ["x[1]"]


def test_the_same_seed_gives_the_same_verdict() -> None:
    cost, gradient, x = large(500)
    given = gradient(x) * 1.001
    assert check_function(cost, given, x, seed=3).text() == check_function(cost, given, x, seed=3).text()
