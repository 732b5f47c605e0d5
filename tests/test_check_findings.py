"""What the findings of ``chainrule.check`` say: in which layers, by which factor, where to look, what is beyond it."""

from collections.abc import Callable
from dataclasses import replace
from time import process_time
from typing import Any

import numpy as np
import pytest
from oracles.planted import Array, Gradient, Planted, Problem, backprop, random_problem

import chainrule as cr
from chainrule.checking.check import check_examples


def checked(q: Problem, given: Any, **options: Any) -> cr.Verdict:
    network = cr.Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
    arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
    model = cr.Model(cr.ParameterVector.from_arrays(network, arrays))
    return cr.check(model, q.X, q.Y, given, q.s, **options)


# in one layer only, and in every layer -------------------------------------------------------------


def deep(L: int, *, square: bool, seed: int = 0, cost: str = "half-squared-error") -> Problem:
    """L layers of tanh, an output of sigmoid or softmax, 7 examples."""
    random = np.random.default_rng([L, seed])
    sizes = [4] * (L + 1) if square else [4, *(int(k) for k in random.integers(2, 6, L - 1)), 3]
    w = {l: random.normal(0, 0.8, (sizes[l], sizes[l - 1])) for l in range(1, L + 1)}
    b = {l: random.normal(0, 0.3, sizes[l]) for l in range(1, L + 1)}
    last = "softmax" if cost == "cross-entropy" else "sigmoid"
    Y = np.eye(sizes[-1])[random.integers(sizes[-1], size=7)]
    return Problem(["", *["tanh"] * (L - 1), last], cost, w, b, random.normal(size=(7, 4)), Y)


@pytest.mark.parametrize("L", range(2, 7))
@pytest.mark.parametrize(
    ("c", "name"), [(2.0, "stray-factor"), (-1.0, "sign"), (7.0, "mean-missing"), (1 / 7, "mean-squared")]
)
def test_a_factor_of_dw_and_db_of_one_layer_is_one_mistake_in_that_layer(L: int, c: float, name: str) -> None:
    q = deep(L, square=False)
    for l in range(2, L + 1):
        (finding,) = checked(q, {key: c * g if key[1:] == str(l) else g for key, g in backprop(q).items()}).findings
        assert (finding.bug, finding.layer, finding.parameters) == (name, l, (f"w{l}", f"b{l}")), f"layer {l} of {L}"


@pytest.mark.parametrize("L", range(2, 7))
def test_a_factor_of_the_sums_alone_is_named_where_there_is_a_penalty(L: int) -> None:
    q = replace(deep(L, square=False), l2=0.05)
    right, data = backprop(q), backprop(replace(q, l2=0.0))
    for l in range(2, L + 1):
        for letters in ("w", "wb"):
            sums = {f"{letter}{l}": 3 * data[f"{letter}{l}"] for letter in letters}
            sums[f"w{l}"] = sums[f"w{l}"] + right[f"w{l}"] - data[f"w{l}"]
            (finding,) = checked(q, right | sums).findings
            assert (finding.bug, finding.layer) == ("stray-factor", l), f"layer {l} of {L}"


EVERYWHERE: list[tuple[str, Any]] = [
    ("missing-slope", None),
    ("slope-twice", None),
    ("slope-by-anothers-form", "sigmoid"),
    ("slope-of-another-activation", "relu"),
    ("transposed-weight", None),
    ("next-activation", None),
    ("bias-not-summed", "not shared"),
    ("bias-summed", None),
    ("transposed-result", None),
    ("column-major", None),
    ("stray-factor", ("b", 2.0)),
    ("stray-factor", ("w", 7.0)),
    ("stray-factor", ("b", 7.0)),
    ("stray-factor-in-delta", 1 / 7),
]


@pytest.mark.parametrize("L", range(3, 7))
@pytest.mark.parametrize(("name", "how"), EVERYWHERE)
def test_a_mistake_in_every_layer_is_one_finding_that_says_so(L: int, name: str, how: Any) -> None:
    q = deep(L, square=True, cost="cross-entropy")
    verdict = checked(q, backprop(q, Planted(name, None, how)))
    (finding,) = verdict.findings
    assert name in (finding.bug, *finding.equally), str(verdict)
    assert finding.layer is None
    assert finding.says.startswith(("in every layer: ", "in every hidden layer: ")), finding.says
    assert ", and so in every " in finding.fix or "# and so in every " in finding.fix


@pytest.mark.parametrize("L", range(3, 7))
def test_a_mean_that_is_taken_in_every_hidden_layer_again_is_one_finding(L: int) -> None:
    q = deep(L, square=False)
    wrong: Gradient = {name: g / 7.0 ** (L - int(name[1:])) for name, g in backprop(q).items()}
    (finding,) = checked(q, wrong).findings
    assert (finding.bug, finding.layer) == ("stray-factor-in-delta", None)
    assert finding.says.startswith("in every hidden layer: δ[l] has a factor 1/n too many")


def from_another_layer(q: Problem, L: int, weight: int, slope: int) -> dict[str, Array]:
    """∇C with the weights, and σ′, of so many layers further on wherever there are such of the same shape."""
    z: dict[int, Array] = {}
    a: dict[int, Array] = {0: q.X}
    for l in range(1, L + 1):
        z[l] = a[l - 1] @ q.w[l].T + q.b[l]
        a[l] = np.tanh(z[l]) if l < L else np.exp(z[l]) / np.exp(z[l]).sum(axis=1, keepdims=True)
    g: dict[str, Array] = {}
    d = a[L] - q.Y
    for l in range(L, 0, -1):
        g[f"w{l}"], g[f"b{l}"] = d.T @ a[l - 1] / len(q.X), d.mean(axis=0)
        d = (d @ q.w[l + weight if 1 <= l + weight <= L else l]) / np.cosh(z.get(l - 1 + slope, z[max(l - 1, 1)])) ** 2
    return g


@pytest.mark.parametrize(("weight", "slope"), [(-1, 0), (1, 0), (0, 1), (0, -1)])
def test_another_layers_weights_or_slope_in_every_layer_are_one_finding(weight: int, slope: int) -> None:
    q = deep(6, square=True, cost="cross-entropy")
    assert checked(q, from_another_layer(q, 6, 0, 0)).ok
    verdict = checked(q, from_another_layer(q, 6, weight, slope))
    (finding,) = verdict.findings
    assert finding.bug == ("weight-of-wrong-layer" if weight else "slope-of-wrong-layer"), str(verdict)
    assert finding.layer is None


@pytest.mark.parametrize("of", [np.sum, np.mean])
def test_biases_that_are_one_number_in_every_layer_are_one_finding(of: Callable[[Array], float]) -> None:
    q = deep(5, square=False)
    g = {k: v if k[0] == "w" else np.full(v.shape, of(v)) for k, v in backprop(q).items()}
    (finding,) = checked(q, g).findings
    assert (finding.bug, finding.layer) == ("bias-summed-over-all", None)


# in the last layer of a logarithmic cost ------------------------------------------------------------


def test_a_slope_that_is_missing_where_a_minus_y_needs_none_is_named() -> None:
    """dZ = dA = −Y/A + (1 − Y)/(1 − A), and no σ′ after it."""
    q = deep(3, square=False, cost="binary-cross-entropy")
    (finding,) = checked(q, backprop(q, Planted("missing-slope", 3))).findings
    assert (finding.bug, finding.layer) == ("missing-slope", 3)
    assert finding.fix == "δ3 = a3 - Y    # σ = sigmoid"
    wrong = backprop(q, Planted("slope-in-part", 3))
    beside_noise = checked(q, wrong | {"w1": wrong["w1"] + np.random.default_rng(0).normal(size=wrong["w1"].shape)})
    assert [finding.bug for finding in beside_noise.findings] == ["slope-in-part", None]
    q = deep(1, square=False, cost="binary-cross-entropy")
    (finding,) = checked(q, backprop(q, Planted("missing-slope", 1))).findings
    assert finding.evidence.startswith("yours = exact ÷ σ′(z1), example by example, in all ")


def test_a_softmax_jacobian_that_is_missing_is_named() -> None:
    q = deep(3, square=False, cost="cross-entropy")
    (finding,) = checked(q, backprop(q, Planted("softmax-missing", 3))).findings
    assert (finding.bug, finding.layer) == ("softmax-missing", 3)
    assert finding.fix.startswith("δ3 = a3 - Y    # ")


# what a verdict says besides ------------------------------------------------------------------------


@pytest.mark.parametrize("L", range(2, 5))
def test_where_nothing_explains_it_is_said_where_to_look(L: int) -> None:
    q = deep(L, square=False)
    random = np.random.default_rng(L)
    right = backprop(q)
    for l in range(1, L + 1):
        wrong: Gradient = {key: g + random.normal(size=g.shape) if int(key[1:]) <= l else g for key, g in right.items()}
        (note,) = checked(q, wrong).notes
        if l < L:
            assert note == f"everything after layer {l} agrees, and nothing before: look at δ{l}"
        else:
            assert note.startswith("nothing agrees: the forward pass, the data or the parameters seem to be others")
    assert checked(q, right | {"b1": right["b1"] + 1}).notes == ()


def differences(q: Problem, h: float, *, central: bool) -> Gradient:
    """∇C by finite differences of the cost."""
    network = cr.Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
    arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
    at = cr.ParameterVector.from_arrays(network, arrays)
    examples = cr.Model(at).examples(q.X, q.Y, q.s)
    found = cr.ParameterVector.zeros(network)
    for i in range(network.n_parameters):
        C: list[float] = []
        for step in (h, -h if central else 0.0):
            moved = at.copy()
            moved.vector[i] += step
            C.append(cr.gradient(cr.Model(moved), examples)[0])
        found.vector[i] = (C[0] - C[1]) / (2 * h if central else h)
    return found.arrays()


@pytest.mark.parametrize(("h", "central"), [(1e-5, True), (1e-6, False)])
def test_finite_differences_are_wrong_in_float64_and_said_to_be_as_good_as_they_are(h: float, central: bool) -> None:
    for seed in range(10):
        cost = ["half-squared-error", "binary-cross-entropy", "cross-entropy"][seed % 3]
        q = replace(deep(1 + seed % 3, square=False, seed=seed, cost=cost), l2=0.01 * (seed % 2))
        given = differences(q, h, central=central)
        verdict = checked(q, given)
        (finding,) = verdict.findings
        assert (finding.bug, finding.layer, verdict.notes) == (None, None, ())
        assert finding.parameters == verdict.wrong == tuple(verdict.worst)
        assert finding.says.startswith(f"every array agrees to {max(verdict.worst.values()):.0e} of its largest entry")
        yours, exact = finding.evidence.split(": yours ")[1].split(", exact ")
        assert yours != exact
        right = checked(q, given, precision="float32").ok
        assert ("--precision float32" in finding.fix) == right
        assert right or not central


@pytest.mark.parametrize(("h", "central"), [(1e-5, True), (1e-6, False)])
def test_nobody_who_has_finite_differences_is_told_that_nothing_agrees(h: float, central: bool) -> None:
    for seed in range(10):
        q = random_problem(np.random.default_rng([seed, 78]), tiny=True)
        verdict = checked(q, differences(q, h, central=central))
        assert not any(note.startswith("nothing agrees") for note in verdict.notes), str(verdict)
        assert "= 1 × exact" not in verdict.text()
        for finding in verdict.findings:
            _, _, numbers = (finding.says + finding.evidence).partition(": yours ")
            yours, _, exact = numbers.partition(", exact ")
            assert yours != exact, str(verdict)


@pytest.mark.parametrize("off", [1e-9, 1e-7])
def test_noise_in_one_entry_is_no_finite_difference(off: float) -> None:
    q = deep(3, square=False)
    given = backprop(q)
    given["w2"][1, 0] += off * np.abs(given["w2"]).max()
    (finding,) = checked(q, given).findings
    assert (finding.bug, finding.parameters) == (None, ("w2",))
    assert finding.says.startswith("dw2 is wrong in w2[1,0]; ")


def test_entries_that_are_not_finite_are_the_evidence() -> None:
    q = deep(3, square=False)
    given = backprop(q)
    given["w2"][1, 0], given["w2"][0, 1], given["w2"][0, 0] = np.nan, np.nan, -np.inf
    given["b1"][:] = np.inf
    given["w1"] += 1
    w1, b1, w2 = checked(q, given).findings
    assert w1.evidence == "mistakes are looked for only where all is finite; db1, dw2 are not"
    assert b1.evidence == "every entry is ∞"
    assert w2.evidence == "w2[0,1] and w2[1,0] are NaN; w2[0,0] is −∞"
    (one,) = checked(q, backprop(q) | {"b3": np.array([np.nan, *backprop(q)["b3"][1:]])}).findings
    assert one.evidence == "b3[0] is NaN"
    notes = checked(q, {name: g * np.nan for name, g in given.items()}).notes
    assert not any(note.startswith("nothing agrees") for note in notes)


def test_arrays_that_rounding_may_make_up_are_said_to_be_beyond_judgement() -> None:
    q = deep(3, square=False)
    q = replace(q, w={**q.w, 1: 60 * q.w[1]}, b={**q.b, 1: q.b[1] + 300})  # tanh of z1 is 1 to all digits
    verdict = checked(q, backprop(q))
    assert verdict.ok
    assert verdict.notes == (
        "w1, b1: as small as what rounding may do to them, as where neurons are saturated; they cannot be judged, and "
        "are right only as far as that",
    )
    assert checked(deep(3, square=False), backprop(deep(3, square=False))).notes == ()


DISTORTED: dict[str, Callable[[Array], Array]] = {
    "its sign": np.sign,
    "rounded": lambda g: np.round(g, 1),
    "its share of the sum": lambda g: g / np.abs(g).sum(),
}


@pytest.mark.parametrize("what", DISTORTED)
def test_three_mistakes_are_no_explanation_of_what_one_function_does(what: str, pytestconfig: pytest.Config) -> None:
    for seed in range(20 if pytestconfig.option.networks >= 1000 else 8):
        q = random_problem(np.random.default_rng([seed, 77]), square=False)
        if q.L > 2 and min(q.sizes) > 1:
            verdict = checked(q, {name: DISTORTED[what](g) for name, g in backprop(q).items()})
            assert len([finding for finding in verdict.findings if finding.bug]) < 3, str(verdict)


def test_a_finding_has_its_factor() -> None:
    q = deep(3, square=False)
    right = backprop(q)
    for c, wrong in (
        (0.5, {**right, "w2": 0.5 * right["w2"]}),
        (1 / 7, {**right, "w2": right["w2"] / 7, "b2": right["b2"] / 7}),
        (-1.0, {name: -g for name, g in right.items()}),
        (None, backprop(q, Planted("missing-slope", 1))),
    ):
        (finding,) = checked(q, wrong).findings
        assert finding.factor == (c if c is None else pytest.approx(c, rel=1e-9))
        assert finding.json()["factor"] == finding.factor


@pytest.mark.parametrize("size", [1e-6, 1e-8, 1e-10])
def test_noise_in_every_entry_is_no_float32_calculation(size: float) -> None:
    q, random = deep(3, square=False), np.random.default_rng(1)
    noisy: dict[str, Array] = {name: g * (1 + size * random.normal(size=g.shape)) for name, g in backprop(q).items()}
    verdict = checked(q, noisy)
    assert {finding.bug for finding in verdict.findings} == {None}
    assert set(verdict.wrong) == set(noisy)
    fits = checked(q, noisy, precision="float32").ok
    assert any("precision float32" in finding.fix for finding in verdict.findings) == fits


@pytest.mark.parametrize("letter", "wb")
def test_arrays_in_float32_beside_others_are_judged_as_far_as_their_digits_go(letter: str) -> None:
    q = deep(3, square=False)
    mixed = {name: g.astype(np.float32) if name[0] == letter else g for name, g in backprop(q).items()}
    assert checked(q, mixed).ok
    assert not checked(q, mixed | {f"{letter}2": mixed[f"{letter}2"] * np.float32(1 + 1e-6)}).ok
    other = next(name for name in mixed if name[0] != letter)
    assert not checked(q, mixed | {other: mixed[other] * (1 + 1e-9)}).ok


def test_the_evidence_of_mistakes_that_overlap_is_what_they_give_together() -> None:
    q = deep(3, square=False)
    g = backprop(q)
    verdict = checked(q, g | {"b1": -g["b1"], "b2": 2 * g["b2"], "w1": 9 * g["w1"]})
    for finding in verdict.findings:
        if finding.factor is not None and "exact" in finding.evidence:
            assert all(np.allclose(verdict.given[name], finding.factor * g[name]) for name in finding.parameters)
    four = checked(q, g | {"b1": -g["b1"], "b2": 2 * g["b2"], "w1": 9 * g["w1"], "w3": 3 * g["w3"]})
    assert [finding.evidence.split(" in all")[0] for finding in four.findings] == [
        f"yours = {c} × exact" for c in (9, -1, 2, 3)
    ]


def test_a_short_number_in_place_of_one_entry_is_not_called_clipped() -> None:
    q = replace(deep(2, square=False), Y=np.eye(3)[[0] * 7])
    g = backprop(q)
    for name in g:
        for entry in np.ndindex(g[name].shape):
            wrong = g[name].copy()
            wrong[entry] = float(f"{0.5 * wrong[entry]:.2g}")
            assert {finding.bug for finding in checked(q, g | {name: wrong}).findings} == {None}, (name, entry)


def test_weights_alone_may_be_clipped() -> None:
    q = deep(4, square=False)
    g = backprop(q)
    (finding,) = checked(q, {k: np.clip(v, -0.003, 0.003) if k[0] == "w" else v for k, v in g.items()}).findings
    assert (finding.bug, finding.layer) == ("clipped", None)
    assert "every dw" in finding.says


def test_float16_is_a_type_that_numbers_are_kept_in_and_no_arithmetic_unless_it_is_said_to_be() -> None:
    q = deep(2, square=False)
    half = {name: g.astype(np.float16) for name, g in backprop(q).items()}
    assert "judged as far as its digits go" in checked(q, half).notes[0]
    for wrong in ({**half, "w1": np.zeros_like(half["w1"])}, {**half, "b2": half["b2"] * np.float16(1.01)}):
        assert not checked(q, wrong).ok
    (finding,) = checked(q, {**half, "w1": np.zeros_like(half["w1"])}).findings
    assert finding.bug == "zeros-in-one"
    # a unit or two of float16 further off is right only for an arithmetic of float16
    off = {name: g * np.float16(1 + 2**-9) for name, g in half.items()}
    verdict = checked(q, off)
    assert not verdict.ok
    assert "precision float16 judges" in verdict.notes[0]
    assert checked(q, off, precision="float16").ok


@pytest.mark.parametrize("cost", ["binary-cross-entropy", "cross-entropy"])
def test_other_labels_are_no_mistake_that_explains_the_last_biases_alone(cost: str) -> None:
    """Sums of labels are whole numbers, which agree by chance."""
    agree = 0
    for seed in range(15):
        q, random = deep(2, square=False, seed=seed, cost=cost), np.random.default_rng(seed)
        other = replace(q, Y=np.eye(3)[random.integers(3, size=7)])
        mirrored = {tuple(q.Y.sum(axis=0)[list(order)]) for order in ((1, 0, 2), (2, 1, 0), (0, 2, 1))}
        agree += tuple(other.Y.sum(axis=0)) in mirrored
        for finding in checked(q, backprop(other)).findings:
            assert finding.bug is None or "w2" in finding.parameters, str(finding)
    assert agree > 1


# what it costs -------------------------------------------------------------------------------------


def large() -> Problem:
    """784-128-10 with 256 examples, a penalty and weights."""
    random = np.random.default_rng(0)
    w = {1: random.normal(0, 1 / 28, (128, 784)), 2: random.normal(0, 1 / 11, (10, 128))}
    b = {1: random.normal(0, 0.1, 128), 2: random.normal(0, 0.1, 10)}
    X = random.random((256, 784)) * (random.random((256, 784)) < 0.3)
    Y, s = np.eye(10)[random.integers(10, size=256)], random.uniform(0.5, 2, 256)
    return Problem(["", "relu", "softmax"], "cross-entropy", w, b, X, Y, s, 0.0, 0.01)


@pytest.mark.parametrize("wrong", ["everywhere", "three mistakes", "in one entry"])
def test_784_128_10_with_256_examples_is_checked_in_two_seconds_whatever_is_given(wrong: str) -> None:
    """Twice as long is allowed here, for a machine that does other things, too; of the processor's time."""
    q = large()
    random = np.random.default_rng(1)
    given: Gradient
    match wrong:
        case "everywhere":
            given = {name: g + random.normal(0, 0.01, g.shape) for name, g in backprop(q).items()}
        case "in one entry":
            given = backprop(q)
            given["w1"][3, 5] += 0.01
        case _:
            three = (
                Planted("weights-ignored"),
                Planted("stray-factor", 1, ("w", 2.0)),
                Planted("penalty-scaled", None, 0.5),
            )
            given = backprop(q, *three)
    started = process_time()
    verdict = checked(q, given)
    assert process_time() - started < 4
    assert len([finding for finding in verdict.findings if finding.bug]) == (3 if wrong == "three mistakes" else 0)


def test_how_far_the_search_is_can_be_watched() -> None:
    q = deep(3, square=False)
    network = cr.Network(q.sizes, q.f[1:], q.cost)
    arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
    model = cr.Model(cr.ParameterVector.from_arrays(network, arrays))
    seen: list[tuple[float, float]] = []
    noise: Gradient = {name: g + np.random.default_rng(0).normal(size=g.shape) for name, g in backprop(q).items()}
    check_examples(model, model.examples(q.X, q.Y), noise, watch=lambda done, of: seen.append((done, of)))
    assert len(seen) > 100
    assert {of for _, of in seen} == {6}
    assert min(done for done, _ in seen) == 0
    assert 5 < max(done for done, _ in seen) < 6
