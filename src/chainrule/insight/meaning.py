"""One plain sentence for a factor: what its number means for this neuron and this example."""

from collections.abc import Sequence
from math import inf, isfinite, log10

import numpy as np

from chainrule.calculus.activation import Activation
from chainrule.calculus.arrays import Array
from chainrule.insight.explanation import Factor
from chainrule.render.numbers import significant

SATURATED = 0.05
"""Below this share of its maximum, σ′ lets next to nothing pass."""

SMALL, LARGE = 0.1, 10.0
"""What is called a small and a large number."""

ORDER = 1.0
"""By how many powers of ten a factor must pull the product to be named as its reason."""

CANCELS = 0.5
"""From this share on, it is worth telling that the terms of a sum cancel."""

AFTERWARDS = "what comes after has no influence"
"""The derivative of a node by one that comes after it."""

_BOUNDED = ("sigmoid", "tanh")
_PROBABLE = ("cross-entropy", "binary-cross-entropy")
_FRACTIONS = {0.25: "¼", 1.0: "1"}


def slope(σ: Activation, z: float, value: float) -> str:
    """∂a/∂z = σ′(z)."""
    if σ.name == "identity":
        return "the neuron is linear: it passes everything on"
    if σ.kinks:  # relu and leaky-relu
        if value == 1:
            return "z is positive: the neuron is on and passes everything"
        return f"z is not positive: the neuron is off and passes {_percent(value) if value else 'nothing'}"
    if σ.name == "exp":
        return "e^z is its own slope: it grows without bound"
    share = abs(value) / σ.steepest
    largest = _FRACTIONS.get(σ.steepest) or significant(σ.steepest, 3)
    sentence = f"{_percent(share)} of its maximum {largest}"
    if share < SATURATED:
        return f"{sentence}: this neuron " + ("is saturated" if σ.name in _BOUNDED else "is flat here")
    return f"{sentence}, and negative: here a falls as z rises" if value < 0 else sentence


def incoming(a: float, l: int, k: int, activation: str | None, standardised: bool) -> str:
    """∂z/∂w = a of neuron k of the layer l before, whose activation has this name; of input k where l is 0."""
    if l == 0:
        if a == 0:
            where = "at its mean" if standardised else "0"
            return f"the input is {where}: here the weight makes no difference"
        if standardised:
            side = "above" if a > 0 else "below"
            return f"the input is {significant(abs(a), 2)} standard deviations {side} its mean"
        return (
            "the input is small" if abs(a) < SMALL else "the input is large" if abs(a) > LARGE else "the input itself"
        )
    neuron = f"neuron {k} of layer {l}"
    if a == 0:
        return f"{neuron} is silent: here the weight makes no difference"
    if activation in _BOUNDED:
        return f"{neuron} is at {_percent(abs(a))} of its maximum 1"
    size = "small output" if abs(a) < SMALL else "large output" if abs(a) > LARGE else "output"
    return f"the {size} of {neuron}"


def error(a: float, y: float, cost: str) -> str:
    """∂C/∂a of an output, or ∂C/∂z where the two go together."""
    if a == y:
        return "the output is exactly right"
    what = "probability" if cost in _PROBABLE else "output"
    return f"the {what} is {significant(abs(a - y), 3)} too {'high' if a > y else 'low'}"


def itself(same: bool) -> str:
    """∂a/∂a or ∂z/∂z within one layer."""
    return "it is what is differentiated" if same else "another node of the same layer has no part in it"


def coupled(value: float, of: str) -> str:
    """∂a_m/∂z_j under softmax."""
    does = "raises" if value > 0 else "lowers" if value < 0 else "does nothing to"
    return f"softmax couples the outputs: raising this z {does} {of}"


def whole(terms: Array, layer: int) -> str:
    """A derivative that is a sum over a layer, from the terms of its neurons."""
    sizes = np.abs(terms)
    size = float(sizes.sum())
    if not isfinite(size):
        return "beyond what float64 can hold"
    if not size:
        return "nothing passes: every term is 0"
    if len(terms) == 1:
        return f"all of it through the one neuron of layer {layer}"
    largest = int(sizes.argmax())
    share, cancelled = float(sizes[largest]) / size, 1 - abs(float(terms.sum())) / size
    sentence = f"the largest of {len(terms)} terms, through neuron {largest}, is {_percent(share)} of their sizes"
    return f"{sentence}; {_percent(cancelled)} cancels" if cancelled >= CANCELS else sentence


def reason(factors: Sequence[Factor], value: float) -> str:
    """Which factors make the product as small or as large as it is; nothing where none stands out."""
    if len(factors) < 2:
        return ""
    if not value:
        zero = next((factor.symbol for factor in factors if not factor.value), None)
        return f"0 because {zero} is 0" if zero else "0 because the product is smaller than float64 can hold"
    small = abs(value) < 1
    pulls = {
        f.symbol: abs(log10(abs(f.value))) for f in factors if 0 < abs(f.value) < inf and (abs(f.value) < 1) == small
    }
    first, *others = sorted(pulls, key=lambda symbol: -pulls[symbol]) or [""]
    if pulls.get(first, 0) < ORDER:
        return ""
    what = "small" if small else "large"
    if pulls[first] * 2 >= sum(pulls.values()):
        return f"{what} mostly because of {first}"
    return f"{what} because of {first} and {others[0]}"


def _percent(share: float) -> str:
    return f"{significant(100 * share, 2)} %"
