"""Every sentence about a factor is true of its number."""

import re
from collections.abc import Callable
from math import inf, isclose, log10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.calculus.activation import ACTIVATIONS, Activation
from chainrule.insight.explanation import Factor
from chainrule.insight.meaning import (
    CANCELS,
    LARGE,
    SATURATED,
    SMALL,
    coupled,
    error,
    incoming,
    itself,
    reason,
    slope,
    whole,
)

ELEMENTWISE = [σ for σ in ACTIVATIONS.values() if σ.elementwise]
SMOOTH = [σ for σ in ELEMENTWISE if not σ.kinks and σ.name not in ("identity", "exp")]
numbers = st.floats(-1e6, 1e6)
each_activation = pytest.mark.parametrize("σ", ELEMENTWISE, ids=lambda σ: σ.name)


def _value(σ: Activation, z: float) -> float:
    return float(σ.derivative(np.array([z]))[0])


def _percent(sentence: str) -> float:
    found = re.search(r"([0-9.e-]+) %", sentence)
    assert found, sentence
    return float(found[1]) / 100


def _near(printed: float, exact: float) -> bool:
    """Two digits: half a unit in the second of at least 10."""
    return isclose(printed, exact, rel_tol=0.05, abs_tol=0)


# σ′ ------------------------------------------------------------------------------------------------


@each_activation
def test_the_steepest_slope_is_the_largest_there_is(σ: Activation) -> None:
    if σ.steepest == inf:
        assert _value(σ, 700.0) > 1e300
        return
    slopes = np.abs(σ.derivative(np.linspace(-50, 50, 2_000_001)))  # 5e-5 apart: within (5e-5)² of the top
    assert slopes.max() <= σ.steepest * (1 + 1e-10)  # the table has eleven digits
    assert slopes.max() == pytest.approx(σ.steepest, rel=1e-8)


@each_activation
@settings(max_examples=200, deadline=None)
@given(z=st.floats(-40, 40))
def test_a_slope_is_called_what_it_is(σ: Activation, z: float) -> None:
    value = _value(σ, z)
    sentence = slope(σ, z, value)
    if σ.name == "identity":
        assert "passes everything" in sentence
    elif σ.kinks:
        assert ("is on and passes everything" in sentence) == (z > 0)
        assert ("is off" in sentence) == (z <= 0)
        assert ("passes nothing" in sentence) == (value == 0)
        assert "%" not in sentence or _near(_percent(sentence), value)
    elif σ.name == "exp":
        assert "grows without bound" in sentence
    else:
        share = abs(value) / σ.steepest
        assert _near(_percent(sentence), share) or share == 0
        assert ("saturated" in sentence or "flat" in sentence) == (share < SATURATED)
        assert "saturated" not in sentence or σ.name in ("sigmoid", "tanh")
        if value < 0:
            assert σ.value(np.array([z + 1e-6]))[0] <= σ.value(np.array([z]))[0]
        assert ("negative" in sentence) == (value < 0 and share >= SATURATED)


# a of the layer before -----------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(a=numbers | st.just(0.0), l=st.integers(0, 3), standardised=st.booleans())
def test_an_incoming_number_is_called_what_it_is(a: float, l: int, standardised: bool) -> None:
    for activation in ("sigmoid", "tanh", "relu", "gelu", None):
        bounded = activation in ("sigmoid", "tanh")
        value = float(np.tanh(a)) if l and bounded else a
        sentence = incoming(value, l, 3, activation if l else None, standardised)
        assert ("makes no difference" in sentence) == (value == 0)
        assert ("at its mean" in sentence) == (value == 0 and not l and standardised)
        if not value:
            continue
        if l and bounded:
            assert _near(_percent(sentence), abs(value))
        elif not l and standardised:
            printed = float(sentence.split()[3])
            assert _near(printed, abs(a))
            assert ("above" in sentence) == (a > 0)
        else:
            assert ("small" in sentence) == (abs(a) < SMALL)
            assert ("large" in sentence) == (abs(a) > LARGE)
        assert (f"neuron 3 of layer {l}" in sentence) == (l > 0)


# the outputs ---------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(a=numbers, y=numbers)
def test_an_error_has_its_size_and_its_side(a: float, y: float) -> None:
    for cost in ("squared-error", "huber", "cross-entropy", "binary-cross-entropy", "poisson"):
        sentence = error(a, y, cost)
        assert ("exactly right" in sentence) == (a == y)
        if a != y:
            assert ("too high" in sentence) == (a > y)
            assert ("too low" in sentence) == (a < y)
            assert float(sentence.split()[3]) == pytest.approx(abs(a - y), rel=5.1e-3)
            assert ("probability" in sentence) == ("entropy" in cost)


# sums and products ---------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(terms=st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=1, max_size=6))
def test_a_sum_names_its_largest_term_and_what_cancels(terms: list[float]) -> None:
    sentence = whole(np.array(terms), 2)
    size = sum(map(abs, terms))
    if not size:
        assert sentence == "nothing passes: every term is 0"
    elif len(terms) == 1:
        assert sentence == "all of it through the one neuron of layer 2"
    else:
        named = re.search(r"largest of (\d+) terms, through neuron (\d+)", sentence)
        assert named
        assert int(named[1]) == len(terms)
        assert abs(terms[int(named[2])]) == max(map(abs, terms))
        assert _near(_percent(sentence), max(map(abs, terms)) / size)
        cancelled = 1 - abs(sum(terms)) / size
        if abs(cancelled - CANCELS) > 1e-9:
            assert ("cancels" in sentence) == (cancelled > CANCELS)
        if "cancels" in sentence:
            assert _near(_percent(sentence.partition("; ")[2]), cancelled)


@pytest.mark.parametrize("term", [inf, -inf, np.nan])
def test_a_sum_that_overflows_is_said_to_do_so(term: float) -> None:
    assert whole(np.array([term, 1.0]), 2) == "beyond what float64 can hold"


@settings(max_examples=500, deadline=None)
@given(values=st.lists(st.floats(-1e3, 1e3) | st.just(0.0), min_size=1, max_size=4))
def test_a_reason_names_a_factor_that_is_the_reason(values: list[float]) -> None:
    factors = [Factor(f"f{at}", "", value) for at, value in enumerate(values)]
    value = float(np.prod(values))
    sentence = reason(factors, value)
    named = re.search(r"f(\d)", sentence)
    if "0 because f" in sentence:
        assert named
        assert values[int(named[1])] == 0
    elif "small" in sentence and named:
        least = values[int(named[1])]
        assert abs(least) == min(map(abs, values)) <= SMALL * (1 + 1e-15)  # its logarithm is rounded
        assert abs(value) < 1
    elif "large" in sentence:
        assert named
        assert abs(values[int(named[1])]) == max(map(abs, values)) >= LARGE * (1 - 1e-15)
        assert abs(value) >= 1
    assert sentence or len(values) < 2 or value
    if named and value:
        same_way = [abs(log10(abs(x))) for x in values if x and (abs(x) < 1) == (abs(value) < 1)]
        pull = abs(log10(abs(values[int(named[1])])))
        assert ("mostly" in sentence) == (2 * pull >= sum(same_way))


def test_a_product_that_overflows_has_no_reason() -> None:
    assert reason([Factor("f0", "", inf), Factor("f1", "", 0.5)], inf) == ""


def test_softmax_moves_an_output_the_way_its_sentence_says() -> None:
    assert coupled(0.2, "a2[1]").endswith("raising this z raises a2[1]")
    assert coupled(-0.2, "a2[1]").endswith("raising this z lowers a2[1]")
    assert coupled(0.0, "a2[1]").endswith("raising this z does nothing to a2[1]")


SENTENCES: list[Callable[[float], str]] = [
    *(lambda x, σ=σ: slope(σ, x, _value(σ, x)) for σ in ELEMENTWISE),
    *(lambda x, l=l, s=s: incoming(x, l, 0, "relu", s) for l in (0, 1) for s in (True, False)),
    lambda x: error(x, 0.5, "cross-entropy"),
    lambda x: whole(np.array([x, 1.0, -x]), 1),
    lambda x: coupled(x, "a2[1]"),
    lambda x: itself(x > 0),
]


@pytest.mark.parametrize("x", [-1e9, -30.0, -1.0, -0.5, -1e-8, 0.0, 1e-8, 0.05, 1.0, 3.0, 30.0, 1e9])
def test_sentences_are_short_and_plain(x: float) -> None:
    for sentence in (say(x) for say in SENTENCES):
        assert 0 < len(sentence) <= 90, sentence
        assert not re.search(
            r"nan|inf|  |\.$|None|\b1 standard deviations|100 % of its maximum.*(saturated|flat)", sentence
        )
        assert sentence[0].islower() or sentence[0].isdigit(), sentence
