"""``chainrule.check``: right gradients pass, wrong ones are caught, mistakes are named, noise is not."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from oracles import one_by_one
from oracles.networks import random_case
from oracles.planted import (
    Gradient,
    Planted,
    Problem,
    backprop,
    places,
    planted_in,
    random_pair,
    random_planted,
    random_problem,
)

import chainrule as cr
from chainrule.calculus.gradient import gradient as accurate_gradient
from chainrule.checking.mistake import catalogue

Array = np.ndarray[Any, Any]
MISTAKES = sorted(kind.name for kind in catalogue() if not kind.convention)


@pytest.fixture(scope="session")
def networks(request: pytest.FixtureRequest) -> int:
    return request.config.option.networks


def model_of(q: Problem) -> cr.Model:
    network = cr.Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
    arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
    return cr.Model(cr.ParameterVector.from_arrays(network, arrays))


def checked(q: Problem, given: Any, **options: Any) -> cr.Verdict:
    return cr.check(model_of(q), q.X, q.Y, given, q.s, **options)


def names_of(finding: cr.Finding) -> set[str | None]:
    return {finding.bug, *finding.equally}


# mistakes ------------------------------------------------------------------------------------------


@cache
def verdicts_on(name: str, count: int) -> list[tuple[str, cr.Verdict]]:
    """On a mistake in so many random networks where it can be made and changes the numbers."""
    found: list[tuple[str, cr.Verdict]] = []
    for seed in range(count):
        q, planted, wrong = random_planted(name, np.random.default_rng([seed, *map(ord, name)]))
        if seed % 2 and name in one_by_one.MISTAKES:
            wrong = one_by_one.one_by_one(q, planted)
        earlier = q.earlier if name in ("accumulated", "momentum") else None
        found.append((f"{planted} in {q}", checked(q, wrong, earlier=earlier)))
    return found


@pytest.mark.parametrize("name", sorted(one_by_one.MISTAKES))
def test_two_programs_that_make_the_same_mistake_get_the_same_numbers(name: str) -> None:
    for seed in range(10):
        q, planted, wrong = random_planted(name, np.random.default_rng([seed, 3, *map(ord, name)]))
        for g, other in zip(in_order(wrong), in_order(one_by_one.one_by_one(q, planted)), strict=True):
            assert g.shape == other.shape, planted
            assert np.abs(g - other).max() <= 1e-9 * (1 + np.abs(g).max()), f"{planted} in {q}"


def in_order(gradient: Gradient) -> list[Array]:
    """In the article's order."""
    return [gradient[name] for name in sorted(gradient, key=lambda name: (name[1:], name[0]))]


def times(networks: int) -> int:
    """20 networks a mistake in the long form, --networks 2000."""
    return min(20, max(3, networks // 100))


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_of_the_catalogue_is_caught_and_named(name: str, networks: int) -> None:
    verdicts = verdicts_on(name, times(networks))
    missed = [what for what, verdict in verdicts if verdict.ok]
    assert not missed
    others = [(what, verdict) for what, verdict in verdicts if name not in names_of(verdict.findings[0])]
    assert len(others) <= 1, others


def test_the_right_class_is_first_in_98_of_100(networks: int) -> None:
    verdicts = [(name, verdict) for name in MISTAKES for _, verdict in verdicts_on(name, times(networks))]
    named = sum(len(verdict.findings) == 1 and name in names_of(verdict.findings[0]) for name, verdict in verdicts)
    first = sum(verdict.findings[0].bug == name for name, verdict in verdicts if verdict.findings)
    print(
        f"\n{len(verdicts)} mistakes: class first {named / len(verdicts):.2%}, name first {first / len(verdicts):.2%}"
    )
    assert named >= 0.98 * len(verdicts)


def test_two_mistakes_in_different_layers_are_both_named(networks: int) -> None:
    count, both = max(20, networks // 10), 0
    for seed in range(count):
        q, pair, wrong = random_pair(MISTAKES, np.random.default_rng([seed, 5]))
        verdict = checked(q, wrong, earlier=q.earlier)
        assert not verdict.ok, (pair, str(q))
        both += all(any(planted.name in names_of(finding) for finding in verdict.findings) for planted in pair)
    print(f"\nboth named in {both} of {count}")
    assert both >= 0.8 * count


# right gradients -----------------------------------------------------------------------------------


def network_of(seed: int) -> Problem:
    """Harsh networks and harmless ones in turn."""
    if seed % 2:
        return random_problem(np.random.default_rng([seed, 9]))
    case = random_case(seed // 2, within_reach=False)
    network, p = case.network, case.parameters
    activations = ["", *network.activation]
    return Problem(
        activations, network.cost, dict(p.w), dict(p.b), case.X, case.Y, case.weights, network.l1, network.l2
    )


def rows(q: Problem, order: Array) -> Problem:
    return replace(q, X=q.X[order], Y=q.Y[order], s=None if q.s is None else q.s[order])


def by_parts(q: Problem, size: int) -> Gradient:
    """The sum of the gradients of a few examples each, weighted by their shares."""
    share = np.full(q.n, 1 / q.n) if q.s is None else q.s / q.s.sum()
    total = {name: np.zeros_like(g) for name, g in backprop(q).items()}
    data = replace(q, l1=0.0, l2=0.0)
    for at in range(0, q.n, size):
        some = np.arange(at, min(at + size, q.n))
        if share[some].sum() > 0:
            part = backprop(replace(rows(data, some), s=share[some]))
            total = {name: g + share[some].sum() * part[name] for name, g in total.items()}
    for l, w in q.w.items():
        total[f"w{l}"] = total[f"w{l}"] + q.l1 * np.sign(w) + 2 * q.l2 * w
    return total


def float32(q: Problem) -> Problem:
    def short(a: Array) -> Array:
        return a.astype(np.float32)

    w, b = ({l: short(p) for l, p in ps.items()} for ps in (q.w, q.b))
    return replace(q, w=w, b=b, X=short(q.X), Y=short(q.Y), s=None if q.s is None else short(q.s))


def right_gradients(q: Problem, seed: int) -> dict[str, Gradient]:
    p = model_of(q).parameters
    single = backprop(float32(q))
    return {
        "accurate": accurate_gradient(p, q.X, q.Y, q.s)[1].arrays(),
        "textbook": backprop(q),
        "float32": single,
        "float32 read as float64": {name: g.astype(np.float64) for name, g in single.items()},
        "reversed": backprop(rows(q, np.arange(q.n)[::-1])),
        "permuted": backprop(rows(q, np.random.default_rng(seed).permutation(q.n))),
        "one by one": by_parts(q, 1),
        "in blocks": by_parts(q, 3),
    }


def test_a_right_gradient_is_never_called_wrong(networks: int) -> None:
    judged = 0
    for seed in range(networks):
        q = network_of(seed)
        with np.errstate(all="ignore"):
            ways = right_gradients(q, seed)
        for way, g in ways.items():
            # textbook forms overflow: e^z of the softplus, say, or float32 altogether
            if all(np.isfinite(array).all() for array in g.values()):
                verdict = checked(q, g)
                assert verdict.ok, f"seed {seed}, {way}: {q}\n{verdict}"
                judged += 1
    assert judged > 6 * networks


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1.0, 1e8, 1e100])
@pytest.mark.parametrize("activation", ["identity", "relu", "leaky-relu", "tanh", "sigmoid", "softplus"])
def test_right_gradients_at_extreme_scales_pass(activation: str, scale: float) -> None:
    random = np.random.default_rng(3)
    sizes = [3, 4, 4, 2]
    w = {l: scale ** (1 / 3) * random.normal(size=(sizes[l], sizes[l - 1])) for l in (1, 2, 3)}
    b = {l: np.zeros(sizes[l]) for l in (1, 2, 3)}
    X = random.normal(size=(5, 3)) * (random.random((5, 3)) < 0.6)
    q = Problem(["", activation, activation, "identity"], "half-squared-error", w, b, X, random.normal(size=(5, 2)))
    with np.errstate(all="ignore"):
        for way, g in right_gradients(q, 0).items():
            if all(np.isfinite(array).all() for array in g.values()):
                assert checked(q, g).ok, f"{way}: {checked(q, g)}"


@pytest.mark.parametrize("z", [30.0, 100.0, 700.0])
def test_saturated_outputs_pass_in_textbook_forms(z: float) -> None:
    sizes = [2, 3, 3]
    random = np.random.default_rng(1)
    w = {1: z * random.normal(size=(3, 2)), 2: z / 3 * random.normal(size=(3, 3))}
    b = {1: np.zeros(3), 2: np.zeros(3)}
    for cost, last, Y in (
        ("cross-entropy", "softmax", np.eye(3)[random.integers(3, size=8)]),
        ("binary-cross-entropy", "sigmoid", random.integers(2, size=(8, 3)).astype(float)),
        ("squared-error", "tanh", random.normal(size=(8, 3))),
    ):
        q = Problem(["", "tanh", last], cost, w, b, random.normal(size=(8, sizes[0])), Y)
        with np.errstate(all="ignore"):
            for way, g in right_gradients(q, 0).items():
                assert checked(q, g).ok, f"{way}: {checked(q, g)}"


def test_a_right_gradient_that_a_threshold_of_finite_differences_fails_is_right() -> None:
    """A central difference with step 1e-7 and a threshold of 1e-7 calls this wrong, since C is large: it is right."""
    random = np.random.default_rng(4)
    w, b = {1: random.normal(size=(2, 3))}, {1: random.normal(size=2)}
    q = Problem(["", "identity"], "squared-error", w, b, random.normal(size=(4, 3)), 1e3 + random.normal(size=(4, 2)))

    def cost(w11: float) -> float:
        changed = w[1].copy()
        changed[0, 0] = w11
        return float(((q.X @ changed.T + b[1] - q.Y) ** 2).sum(axis=1).mean())

    given = backprop(q)
    h = 1e-7
    numerical = (cost(w[1][0, 0] + h) - cost(w[1][0, 0] - h)) / (2 * h)
    given_entry = given["w1"][0, 0]
    assert abs(numerical - given_entry) / (abs(numerical) + abs(given_entry)) > 1e-7
    assert checked(q, given).ok


# errors that are small -----------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["identity", "relu", "leaky-relu", "sigmoid"])
def test_an_error_of_1e_9_of_the_sum_of_the_terms_is_caught(activation: str, networks: int) -> None:
    for seed in range(max(30, networks // 10)):
        random = np.random.default_rng([seed, 4])
        q = replace(random_problem(random), s=None, cost="half-squared-error")
        # weights of a size that leaves sigmoids unsaturated, so that a(1 − a) loses nothing
        q = replace(q, f=["", *[activation] * (q.L - 1), "identity"], Y=random.normal(size=(q.n, q.sizes[-1])))
        given, terms = backprop(q), sum_of_terms(q)
        name = str(random.choice(list(given)))
        g, size = given[name].copy(), terms[name]
        at = np.unravel_index(int(random.integers(g.size)), g.shape)
        if size[at] > 0:
            g[at] += random.choice([-1, 1]) * 1e-9 * size[at]
            verdict = checked(q, {**given, name: g})
            assert verdict.wrong == (name,), f"seed {seed}: {name}{at} of {q}"
            assert verdict.findings[0].bug is None


def sum_of_terms(q: Problem) -> Gradient:
    """Σ|terms| of each entry: of the sum over the examples, and of the penalty."""
    each = [backprop(replace(rows(q, np.array([i])), l1=0.0, l2=0.0)) for i in range(q.n)]
    return {name: np.mean([np.abs(g[name]) for g in each], axis=0) for name in each[0]}


# noise ---------------------------------------------------------------------------------------------


def with_noise(q: Problem, kind: str, random: np.random.Generator) -> tuple[Gradient, set[str]]:
    """Wrong numbers without any reason, and in which arrays."""
    given = {name: g.copy() for name, g in backprop(q).items()}
    name = str(random.choice(list(given)))
    size = 10 ** random.uniform(-4, 1)

    def noisy(g: Array) -> Array:
        scale: Array = size * (np.abs(g) + 0.1 * np.abs(g).max() + 1e-3)
        return random.normal(g, scale)

    g, at = given[name], int(random.integers(len(given[name])))
    match kind:
        case "entry":
            place = np.unravel_index(int(random.integers(g.size)), g.shape)
            g[place] = noisy(g)[place]
            return given, {name}
        case "row":
            g[at] = noisy(g)[at]
            return given, {name}
        case "layer":
            names = {f"w{name[1:]}", f"b{name[1:]}"}
        case _:
            names = set(given)
    return given | {each: noisy(given[each]) for each in names}, names


@pytest.mark.parametrize("kind", ["entry", "row", "layer", "all"])
def test_what_nothing_explains_is_caught_and_located_and_gets_no_name(kind: str, networks: int) -> None:
    for seed in range(max(40, networks // 8)):
        random = np.random.default_rng([seed, *map(ord, kind)])
        q = random_problem(random, tiny=seed % 2 == 0)
        given, names = with_noise(q, kind, random)
        verdict = checked(q, given)
        assert set(verdict.wrong) == names, f"seed {seed}: {q}\n{verdict}"
        assert [finding.bug for finding in verdict.findings] == [None] * len(names), f"seed {seed}: {q}\n{verdict}"


def test_the_entry_the_row_and_the_column_are_named() -> None:
    q = random_problem(np.random.default_rng(12), square=False)
    while min(q.sizes) < 3 or q.L < 2:
        q = random_problem(np.random.default_rng(q.n + q.L * 100), square=False)
    right = backprop(q)
    for places_, said in (
        (np.s_[1, 2], "w2[1,2]"),
        (np.s_[1, :], "only row 1 of dw2 is wrong, neuron 1"),
        (np.s_[:, 2], "only column 2 of dw2 is wrong, input 2"),
        (np.s_[:, :], "every entry of dw2 is wrong"),
    ):
        w2 = right["w2"].copy()
        w2[places_] += np.random.default_rng(0).uniform(1, 2, w2[places_].shape)
        (finding,) = checked(q, {**right, "w2": w2}).findings
        assert (finding.parameters, finding.bug) == (("w2",), None)
        assert said in finding.says


def square_of_three_layers() -> Problem:
    random = np.random.default_rng(8)
    while True:
        q = random_problem(random, square=True)
        if q.L == 3 and q.sizes[0] >= 3 and q.n > 1 and q.f[1] not in ("identity", "relu"):
            return q


def test_a_mistake_is_named_beside_noise_in_other_arrays() -> None:
    q = square_of_three_layers()
    wrong = backprop(q, Planted("missing-slope", 1))
    wrong["b3"] = wrong["b3"] + np.random.default_rng(8).normal(size=wrong["b3"].shape)
    verdict = checked(q, wrong)
    assert {finding.bug: finding.parameters for finding in verdict.findings} == {
        "missing-slope": ("w1", "b1"),
        None: ("b3",),
    }


def test_no_name_is_given_that_would_make_a_right_array_wrong() -> None:
    q = square_of_three_layers()
    right = backprop(q)
    (finding,) = checked(q, {**right, "b1": right["b2"]}).findings
    assert (finding.parameters, finding.bug) == (("b1",), None)
    assert finding.evidence == "it is the same as db2"
    (finding,) = checked(q, {**right, "w2": np.full_like(right["w2"], 0.5)}).findings
    assert finding.evidence == "every entry is 0.5"


def test_the_evidence_says_how_yours_follows_and_what_agrees() -> None:
    q = square_of_three_layers()
    (finding,) = checked(q, backprop(q, Planted("missing-slope", 1))).findings
    assert finding.evidence.startswith("yours = exact ÷ σ′(z1), example by example, in all ")
    assert finding.evidence.endswith("; everything after layer 1 agrees")
    (finding,) = checked(q, backprop(q, Planted("stray-factor", 2, ("w", 2.0)))).findings
    assert finding.evidence.startswith("yours = 2 × exact in all ")
    assert "; w1, b1, b2 are right; everything after layer 2 agrees" in finding.evidence


# cases that people had -----------------------------------------------------------------------------


def small(activation: str = "tanh") -> Problem:
    random = np.random.default_rng(2)
    w = {1: random.normal(size=(4, 3)), 2: random.normal(size=(2, 4))}
    b = {1: random.normal(size=4), 2: random.normal(size=2)}
    X, Y = random.normal(size=(6, 3)), random.integers(2, size=(6, 2)).astype(float)
    return Problem(["", activation, "sigmoid"], "binary-cross-entropy", w, b, X, Y)


def test_a_stray_2_in_dw2_and_4_over_m_in_db1_are_named_in_one_verdict() -> None:
    """The two mistakes planted in a well-known programming exercise on gradient checking."""
    q = small()
    right = backprop(q)
    # db1 = 4/m · Σ δ, where 1/m · Σ δ is right
    verdict = checked(q, {**right, "w2": 2 * right["w2"], "b1": 4 * right["b1"]})
    assert {finding.parameters: finding.bug for finding in verdict.findings} == {
        ("w2",): "stray-factor",
        ("b1",): "stray-factor",
    }
    text = str(verdict)
    assert "dw2 is 2 × what it should be" in text
    assert "db1 is 4 × what it should be" in text


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_relu_at_exactly_0_is_right_with_each_convention(slope: float) -> None:
    q = small("relu")
    q = replace(q, b={1: np.zeros(4), 2: q.b[2]}, X=np.vstack([q.X, np.zeros((2, 3))]), Y=np.vstack([q.Y, q.Y[:2]]))
    given = backprop(q, *([Planted("kink-convention", 1, slope)] if slope else []))
    assert (slope == 0) == all((g == backprop(q)[name]).all() for name, g in given.items())
    verdict = checked(q, given)
    assert verdict.ok, str(verdict)
    assert bool(verdict.notes) == (slope != 0)
    assert all(f"the slope {slope:g} was taken" in note for note in verdict.notes)


def test_kinks_in_random_networks_are_conventions(networks: int) -> None:
    for seed in range(max(20, networks // 10)):
        random = np.random.default_rng([seed, 6])
        q = random_problem(random)
        q = replace(q, f=["", *(str(random.choice(["relu", "leaky-relu"])) for _ in q.f[2:]), q.f[-1]])
        whole = {l: np.round(w * 2) for l, w in q.w.items()}
        q = replace(q, w=whole, b={l: np.round(b) for l, b in q.b.items()}, X=np.round(q.X * 2))
        for planted in places("kink-convention", q, random):
            with np.errstate(all="ignore"):
                given = backprop(q, planted)
            if all(np.isfinite(g).all() for g in given.values()):
                assert checked(q, given).ok, f"seed {seed}: {planted} in {q}"


# what is given -------------------------------------------------------------------------------------


def with_(changes: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {**backprop(small()), **changes}
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"w1": None}, r"'w1' missing; expected w1 \(4, 3\)"),
        ({"w1": None, "W1": np.ones((4, 3))}, "Did you mean 'w1'"),
        ({"w2": None, "dW2": np.ones((2, 4))}, "Did you mean 'w2'"),
        ({"w0": np.ones((4, 3))}, "Layers count from 1"),
        ({"w3": np.ones((4, 3))}, "w3"),
        ({"w1": np.ones((4, 4))}, "is the bias among the weights"),
        ({"w1": np.ones((6, 4, 3))}, "One gradient for each example"),
        ({"w1": np.ones(12)}, r"w1\.reshape\(\(4, 3\)\)"),
        ({"b1": np.ones(9)}, r"expected \(4,\)"),
        ({"b1": np.ones((0,))}, r"expected \(4,\)"),
        ({"w1": []}, r"expected \(4, 3\)"),
        ({"w1": "nothing"}, "w1: not an array of numbers"),
        ({"w1": [[1, 2, 3], [4]]}, "w1: not an array of numbers"),
        ({"w1": None, "b1": None, "w2": None, "b2": None}, "missing"),
        ({"b1": np.array([1j, 0, 0, 0])}, "b1: not an array of numbers"),
    ],
)
def test_wrong_keys_and_shapes_are_told_with_the_likely_remedy(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(cr.ChainruleError, match=told):
        checked(small(), with_(changes))


WRONG_BIASES: list[tuple[Callable[[Array], Any], str]] = [
    (lambda δ: δ.sum(), "bias-summed-over-all"),
    (lambda δ: [δ.mean()], "bias-summed-over-all"),
    (lambda δ: [[δ.sum() / 6]], "bias-summed-over-all"),
    (lambda δ: δ.sum(axis=1), "bias-over-wrong-axis"),
    (lambda δ: δ.sum(axis=1, keepdims=True) / 6, "bias-over-wrong-axis"),
    (lambda δ: δ.T.sum(axis=0, keepdims=True), "bias-over-wrong-axis"),
    (lambda δ: δ.mean(axis=1, keepdims=True), "bias-over-wrong-axis"),
    (lambda δ: δ, "bias-not-summed"),
    (lambda δ: δ.T, "bias-not-summed"),
    (lambda δ: δ.T / 6, "bias-not-summed"),
    (lambda δ: δ.sum(axis=0, keepdims=True).T, "bias-summed"),
]


@pytest.mark.parametrize(("form", "name"), WRONG_BIASES)
def test_biases_of_a_wrong_shape_are_named_and_told_the_right_line(form: Callable[[Array], Any], name: str) -> None:
    q = small()
    z = np.tanh(q.X @ q.w[1].T + q.b[1])
    a = 1 / (1 + np.exp(-(z @ q.w[2].T + q.b[2])))
    (finding,) = checked(q, with_({"b1": form(((a - q.Y) @ q.w[2]) * (1 - z * z))})).findings
    assert (finding.bug, finding.parameters) == (name, ("b1",))
    assert finding.fix.startswith("db1 = δ1.sum(axis=0) / 6")


@pytest.mark.parametrize("given", [None, 5, [1, 2], "w1"])
def test_what_is_no_table_is_refused(given: Any) -> None:
    with pytest.raises(cr.ChainruleError, match="gradients"):
        checked(small(), given)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_a_finding_that_says_where(bad: float) -> None:
    w2 = backprop(small())["w2"].copy()
    w2[1, 3] = bad
    (finding,) = checked(small(), with_({"w2": w2})).findings
    assert (finding.parameters, finding.bug, finding.says) == (("w2",), None, "dw2 is not finite in w2[1,3]")


def test_zeros_constants_and_copies_never_pass() -> None:
    q = square_of_three_layers()
    right = backprop(q)
    for given in (
        {name: np.zeros_like(g) for name, g in right.items()},
        {name: np.full_like(g, 0.5) for name, g in right.items()},
        {name: right[f"{name[0]}1"] for name in right},
        {name: right[f"{name[0]}{q.L}"] for name in right},
    ):
        assert not checked(q, given).ok


def test_a_gradient_may_be_given_in_any_form() -> None:
    q = small()
    right = backprop(q)
    frozen = {name: g.copy() for name, g in right.items()}
    for g in frozen.values():
        g.flags.writeable = False
    network = model_of(q).network
    for given in (
        {name: g.tolist() for name, g in right.items()},
        {name: np.asfortranarray(g) for name, g in right.items()},
        {name: np.repeat(g, 2, axis=0)[::2] for name, g in right.items()},
        {name: g[:, None] if g.ndim == 1 else g for name, g in right.items()},
        frozen,
        cr.ParameterVector.from_arrays(network, right),
        dict(reversed(right.items())),
        {name: g.astype(np.longdouble) for name, g in right.items()},
    ):
        assert checked(q, given).ok
    for short in ("float16", "float32"):
        verdict = checked(q, {name: g.astype(short) for name, g in right.items()})
        assert verdict.ok
        assert verdict.precision == short


def test_whole_numbers_are_a_gradient_too() -> None:
    q = Problem(
        ["", "identity"], "half-squared-error", {1: np.array([[1.0, 2]])}, {1: np.zeros(1)}, np.eye(2), np.ones((2, 1))
    )
    assert checked(replace(q, X=2 * q.X), {"w1": np.array([[1, 3]]), "b1": [2]}).ok
    assert not checked(replace(q, X=2 * q.X), {"w1": np.array([[1, 4]]), "b1": [2]}).ok


def test_a_gradient_that_overflows_is_told() -> None:
    q = small("exp")
    with pytest.raises(cr.ChainruleError, match=r"∂C/∂b1 is not finite|∂C/∂.* is not finite"):
        checked(replace(q, w={1: 1e3 * np.abs(q.w[1]), 2: 1e300 * q.w[2]}, X=np.abs(q.X)), backprop(small()))


def test_a_mistake_in_float32_is_named_too(networks: int) -> None:
    named = count = 0
    for seed in range(max(40, networks // 10)):
        random = np.random.default_rng([seed, 7])
        name = str(random.choice(["missing-slope", "mean-missing", "sign-of-layer", "bias-summed", "z-for-activation"]))
        q, planted, wrong = random_planted(name, random)
        single = planted_in(float32(q), planted)
        if single is not None and max(float(np.abs(single[key] - g).max()) for key, g in backprop(q).items()) > 1e-2:
            verdict = checked(q, {key: g.astype(np.float32) for key, g in wrong.items()})
            assert not verdict.ok
            assert verdict.precision == "float32"
            count, named = count + 1, named + (name in names_of(verdict.findings[0]))
    assert named >= 0.95 * count


def test_a_mistake_that_another_undoes_explains_nothing() -> None:
    network = cr.Network([2, 2, 2, 1], "sigmoid", "squared-error")
    p = cr.ParameterVector(network, np.random.default_rng(0).normal(size=network.n_parameters))
    p.b[1][:], p.b[2][:] = [40, 39], [39, 41]  # so saturated that w1's gradient is as good as 0, whatever δ is
    model = cr.Model(p)
    X, Y = np.array([[1.0, -2.0], [0.5, 1.5]]), np.array([[0.2], [0.9]])
    gradient = cr.gradient(model, model.examples(X, Y))[1]
    gradient.b[1][:] = gradient.b[2]
    verdict = cr.check(model, X, Y, gradient)
    assert verdict.wrong == ("b1",)
    assert [finding.bug for finding in verdict.findings] == [None]
    assert "the same as db2" in verdict.text()
