"""What hints and answers say of each mistake, with the symbols of the article.

In them {l} is the layer, {before} and {after} its neighbours, {L} the last layer, {n} the number of examples.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.checking.puzzles.program import Program, Swap


@dataclass(frozen=True)
class Teaching:
    """Where to look, in words after "look at"; why the right line is right; the place, unless that is layer {l}."""

    look: str
    why: str
    place: str = ""


_AT_ALL = "not in one layer: it is in what the whole gradient has in common"
_TARGETS = "not in one layer: it is in what the outputs are compared with"
_PENALTY = "not in one layer: it is in the penalty"
_SHARES = "not in one layer: it is in what each example counts for"

_THROUGH = "on the way back through layer {l}"

_SLOPE = "σ′(z{l}) = ∂a{l}/∂z{l} is a factor of ∂C/∂z{l} = ∂C/∂a{l} · σ′(z{l})"
_MEAN = "C is a mean over {n} examples, so ∂C/∂w is the sum of ∂C_i/∂w over the examples, divided by {n}, once"
_W = "z{l} = a{before}·w{l}ᵀ + b{l}, so ∂z{l}/∂w{l} is a{before}, what came in"
_BACK = "a{before}[k] reaches C through every z{l}[j], so ∂C/∂a{before}[k] = Σ_j w{l}[j,k] · ∂C/∂z{l}[j]"
_NO_CONSTANT = (
    "∂C/∂z{l}[k] = (Σ_j w{after}[j,k] · ∂C/∂z{after}[j]) · σ′(z{l}[k]) is made of weights and derivatives; there is no "
    "constant of its own in it, "
)
_B = "∂z{l}/∂b{l} is 1 in every example, so ∂C/∂b{l} is the mean of ∂C_i/∂z{l} over the examples i, a number a neuron"
_TARGET = "∂C_i/∂a{L} compares the outputs of example i with y of the same example i and the same output"
_LOGARITHMIC = "σ′(z{L}) cancels against the denominator of ∂C/∂a{L}, so ∂C/∂z{L} = a{L} − y is all of it"
_SOFTMAX = (
    "with softmax every a{L}[j] depends on every z{L}[k]: ∂a[j]/∂z[k] = a[j]·([j = k] − a[k]). Multiplied by "
    "∂C/∂a[j] = −y[j]/a[j] and summed over j, that is a[k] − y[k]"
)
_SHARE = "C = Σ_i s_i·C_i / Σ_i s_i, so example i counts for s_i / Σs in every ∂C/∂w and ∂C/∂b, once"
_PENALISED = "C has l2·Σw² besides the mean over the examples; by w that is 2·l2·w, not divided by n, and 0 by b"

TEACHING: Mapping[str, Teaching] = {
    "missing-slope": Teaching("∂a{l}/∂z{l}, how a{l} moves with z{l}", _SLOPE + "; without it this is ∂C/∂a{l}"),
    "squared-error-as-cross-entropy": Teaching(
        "∂a{l}/∂z{l}: does it cancel with this cost?",
        "σ′(z{l}) cancels with cross-entropy alone; with a squared error ∂C/∂z{l} = ∂C/∂a{l} · σ′(z{l}), both factors",
    ),
    "activation-for-slope": Teaching("∂a{l}/∂z{l}: is it σ or σ′?", _SLOPE + ", and a{l} is σ(z{l}), not its slope"),
    "slope-twice": Teaching("∂a{l}/∂z{l}: how often is it there?", _SLOPE + ", one for one activation, not squared"),
    "slope-of-a": Teaching(
        "∂a{l}/∂z{l}: at which point is the slope taken?", _SLOPE + ", the slope where σ was used: at z{l}, not at a{l}"
    ),
    "slope-by-anothers-form": Teaching(
        "∂a{l}/∂z{l}: of which activation is it?",
        _SLOPE + ". By way of a it is a·(1 − a) for the sigmoid and 1 − a² for tanh: layer {l} has {σ}",
    ),
    "slope-of-another-activation": Teaching(
        "∂a{l}/∂z{l}: of which activation is it?", _SLOPE + ", with the σ of the way forward: layer {l} has {σ}"
    ),
    "slope-of-wrong-layer": Teaching(
        "∂a{l}/∂z{l}: of which layer is it?", _SLOPE + ", taken where layer {l} was on the way forward"
    ),
    "mask-of-gradient": Teaching(
        "∂a{l}/∂z{l}: what decides whether relu lets something back?",
        _SLOPE + ", and relu′ is 1 where z{l} > 0. The sign of what comes back has nothing to do with it",
    ),
    "mean-missing": Teaching("the mean over the examples", _MEAN, _AT_ALL),
    "mean-squared": Teaching("the mean over the examples", _MEAN, _AT_ALL),
    "mean-over-outputs": Teaching(
        "the mean: what is counted?", _MEAN + ". Over the outputs C is a sum: they are not counted", _AT_ALL
    ),
    "wrong-count": Teaching("the mean: what is counted?", _MEAN, _AT_ALL),
    "sign": Teaching(
        "∂C/∂a{L}, the first factor", "where an output is above its y, raising it raises C: a − y, not y − a", _AT_ALL
    ),
    "sign-of-layer": Teaching("the sign of ∂C/∂z{l}", _NO_CONSTANT + "no minus either"),
    "cost-scale": Teaching(
        "∂C/∂a{L}, the first factor: of exactly this cost?", "with C_i = {cost}, ∂C_i/∂a{L}[j] is {dC_da}", _AT_ALL
    ),
    "bias-summed": Teaching("∂C/∂b: a sum or a mean?", _B),
    "bias-over-wrong-axis": Teaching("∂C/∂b{l}: over what is it summed?", _B + ". Rows of δ{l} are examples: axis 0"),
    "bias-not-summed": Teaching("∂C/∂b{l}: how many numbers should it have?", _B),
    "stray-factor": Teaching("the mean over the examples, in each array by itself", _MEAN),
    "stray-factor-in-delta": Teaching("constant factors of ∂C/∂z{l}", _NO_CONSTANT + "not even that of the cost"),
    "transposed-result": Teaching(
        "∂C/∂w{l}: what do its rows stand for?",
        "∂C/∂w{l}[j,k] = ∂C/∂z{l}[j] · a{before}[k]: like w{l} it has a row for each neuron j of layer {l}",
    ),
    "column-major": Teaching(
        "∂C/∂w{l}: is each number at its place?",
        "∂C/∂w{l}[j,k] = ∂C/∂z{l}[j] · a{before}[k] is the transpose of a{before}ᵀ·δ{l}. A reshape gives it the right "
        "shape and leaves the numbers in the order in which they were",
    ),
    "z-for-activation": Teaching("∂z{l}/∂w{l}, what came into layer {l}", _W + ": after σ, not before"),
    "next-activation": Teaching("∂z{l}/∂w{l}, what came into layer {l}", _W + ", not a{l}, what went out"),
    "input-for-activation": Teaching("∂z{l}/∂w{l}, what came into layer {l}", _W + ". X came into layer 1 alone"),
    "delta-of-next-layer": Teaching(
        "∂C/∂z{l}: of which layer is it?", "∂C/∂w{l} = ∂C/∂z{l} · ∂z{l}/∂w{l}: both factors are of layer {l}"
    ),
    "transposed-weight": Teaching(
        "∂z{l}/∂a{before}: over which index of w{l} is summed?", _BACK + ": over the rows j of w{l}", _THROUGH
    ),
    "weight-of-wrong-layer": Teaching(
        "∂z{l}/∂a{before}: whose weights are they?",
        _BACK + ", by the weights that led forward from a{before} to z{l}",
        _THROUGH,
    ),
    "layers-reversed": Teaching(
        "which gradient belongs to which layer",
        "the way back finds ∂C/∂w{L} first and ∂C/∂w1 last; ∇C has them in the order of the layers",
        "in no layer: each gradient is right by itself",
    ),
    "forward-without-bias": Teaching(
        "z on the way forward", "z = a·wᵀ + b in every layer: the slopes are taken there", "on the way forward"
    ),
    "examples-as-columns": Teaching(
        "what enters layer 1",
        "a row of X is an example, and z1 = X·w1ᵀ + b1 has a row for each. X is square, so its transpose fits as well",
        "on the way forward, where it begins",
    ),
    "labels-shifted": Teaching("which y belongs to which example", _TARGET, _TARGETS),
    "labels-permuted": Teaching("which y belongs to which example", _TARGET, _TARGETS),
    "classes-permuted": Teaching(
        "which y belongs to which output", _TARGET + ". The labels count from 0, as the columns of Y do", _TARGETS
    ),
    "labels-not-one-hot": Teaching(
        "what y is for an output", "y[j] is 1 for the output that the label names, 0 for all others", _TARGETS
    ),
    "softmax-twice": Teaching("∂C/∂a{L}, before softmax is gone back through", _SOFTMAX + ". It is ∂C/∂z{L} already"),
    "softmax-diagonal": Teaching("∂a{L}/∂z{L}, how every output moves with every z", _SOFTMAX),
    "softmax-slope": Teaching("∂a{L}/∂z{L}: what is left of it?", _SOFTMAX + ": no a·(1 − a) is left"),
    "cross-entropy-as-squared-error": Teaching("∂a{L}/∂z{L}: what is left of it?", "with this cost " + _LOGARITHMIC),
    "penalty-missing": Teaching("the penalty in ∂C/∂w, layer by layer", _PENALISED),
    "penalty-scaled": Teaching("the constant factor of the penalty's derivative", _PENALISED, _PENALTY),
    "penalty-on-biases": Teaching("what is penalised", _PENALISED, _PENALTY),
    "penalty-of-the-other-kind": Teaching(
        "the derivative of w²", _PENALISED + ". The sign of w is the derivative of |w|, of the other penalty", _PENALTY
    ),
    "weights-ignored": Teaching("the examples' weights s", _SHARE, _SHARES),
    "weights-twice": Teaching("the examples' weights s: how often are they there?", _SHARE, _SHARES),
    "weights-not-normalised": Teaching("the examples' weights s: do the shares add up to 1?", _SHARE, _SHARES),
    "updated-weights": Teaching(
        "∂z{l}/∂a{before}: when was that weight in use?",
        _BACK + ", with the w{l} of the way forward. All of ∇C is taken at one point; then every weight moves",
        _THROUGH,
    ),
    "one-example": Teaching(
        "what becomes of an example's gradient when the next one comes", _MEAN + ": none may overwrite another", _AT_ALL
    ),
}  # fmt: skip


def words(program: Program, swap: Swap) -> dict[str, object]:
    """What the texts are filled in with."""
    network = program.network
    L = network.depth
    l = L if swap.layer is None else swap.layer
    cost = network.C
    dC_da = cost.dC_da_formula.format(a=f"a{L}[j]", y="y[j]")
    return {
        "l": l, "before": l - 1, "after": l + 1, "L": L, "n": program.examples, "σ": network.activation[l - 1],
        "cost": cost.formula.format(a=f"a{L}", y="y"), "dC_da": dC_da,
    }  # fmt: skip
