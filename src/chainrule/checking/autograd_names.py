"""Mistakes in the backward of a custom autograd function that have a name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array

Named = tuple[str | None, str, str]
"""The mistake's name, None where it has none; what is wrong; what to change."""


@dataclass(frozen=True, eq=False)
class Wrong:
    """The gradient of one input that is wrong, what it should be, what may be off, and where that is sure."""

    input: int
    given: Array
    right: Array
    allowed: Array
    sure: Array

    def is_that(self, prediction: Array) -> bool:
        """Whether a prediction of what a mistake gives is what was given."""
        if prediction.shape != self.given.shape:
            return False
        there = self.sure & np.isfinite(prediction)
        loose = self.allowed + 1e-7 * np.abs(self.given)
        return bool(there.any()) and bool((np.abs(self.given - prediction) <= loose)[there].all())

    def without_name(self) -> Named:
        """For what nothing here explains."""
        return (
            None, f"the gradient of input {self.input} is wrong, in a way that has no name",
            "compare backward with forward",
        )  # fmt: skip


def named(
    wrong: Wrong, others: Mapping[int, Array], G: Sequence[Array], slope_of: Callable[[Sequence[Array]], Array]
) -> Named:
    """The mistake, of any function.

    ``others`` are the right gradients of the other inputs, ``slope_of`` differentiates ΣG·f for another G.
    """
    i, g, right, sure = wrong.input, wrong.given, wrong.right, wrong.sure
    if not g[sure].any():
        return "zeros", f"the gradient of input {i} is 0 everywhere", "return the gradient itself"
    if g.size > 1 and g.ndim == 2 and g.shape[0] == g.shape[1] and wrong.is_that(right.T):
        return "transposed", f"the gradient of input {i} is transposed", "return grad.T"
    for other, theirs in others.items():
        if wrong.is_that(theirs):
            return (
                "swapped",
                f"the gradient returned for input {i} is that of input {other}",
                "return the gradients in the order of forward's inputs",
            )
    slices = _slices(right.shape, G)
    if slices:
        for which in ("first", "last"):
            part = [np.where(_slice_mask(y.shape, right.shape, which), y, 0) for y in G]
            if wrong.is_that(slope_of(part)):
                return (
                    "unsummed-broadcast-axis",
                    f"input {i} was broadcast, and its gradient is that of the {which} slice alone",
                    "sum over the axes that were broadcast: grad.sum(0)",
                )
    c = float((g[sure] * right[sure]).sum() / (right[sure] ** 2).sum()) if right[sure].any() else 0.0
    if c and wrong.is_that(c * right) and int((right[sure] != 0).sum()) > 1:
        if abs(c + 1) < 1e-6:
            return "sign", f"the gradient of input {i} has the wrong sign", "return -grad"
        if slices and abs(c * slices - 1) < 1e-6:
            return (
                "broadcast-averaged",
                f"input {i} was broadcast, and its gradient is the mean over the {slices} slices, not the sum",
                "sum over the axes that were broadcast: grad.sum(0)",
            )
        nice = round(c) if abs(c) > 0.9 else c
        text = f"{nice}" if abs(c - nice) < 1e-6 and nice == round(nice) else f"{c:.6g}"
        return "constant-factor", f"the gradient of input {i} is {text} × what it should be", f"divide it by {text}"
    return wrong.without_name()


def of_elements(wrong: Wrong, G: Array, x: Array, y: Array) -> Named:
    """The mistake, where every entry of y may be σ of the same entry of x."""
    if wrong.is_that(G):
        return (
            "missing-slope",
            f"backward returns the gradient that comes in as it is: σ′, the slope by input {wrong.input}, is missing",
            "return grad_output * σ′(x)",
        )
    with np.errstate(all="ignore"):
        σ = next((τ for τ in ACTIVATIONS.values() if τ.elementwise and np.allclose(τ.value(x), y, 1e-9)), None)
        if σ and wrong.is_that(G * σ.derivative(y)):
            return "slope-of-a", f"{σ.name}′ is taken of the output, not of the input", "σ′(x), not σ′(σ(x))"
        if σ and wrong.is_that(G * σ.derivative(x) ** 2):
            return "slope-twice", f"{σ.name}′ is applied twice", "return grad_output * σ′(x), once"
        for τ in ACTIVATIONS.values():
            if τ.elementwise and τ is not σ and wrong.is_that(G * τ.derivative(x)):
                of = f", but forward is {σ.name}" if σ else ""
                return "slope-of-another-activation", f"backward is that of {τ.name}{of}", "σ′ of forward's own σ"
    return wrong.without_name()


def _slices(shape: tuple[int, ...], G: Sequence[Array]) -> int:
    """Into how many slices of the output an input was broadcast; 0 if it was not."""
    if len(G) != 1 or G[0].shape == shape or not G[0].size or len(shape) > G[0].ndim:
        return 0
    try:
        whole = np.broadcast_shapes(shape, G[0].shape)
    except ValueError:
        return 0
    size = int(np.prod(shape))
    return G[0].size // size if whole == G[0].shape and size else 0


def _slice_mask(whole: tuple[int, ...], shape: tuple[int, ...], which: str) -> Array:
    """Where an output belongs to the first or last slice along every axis that was broadcast."""
    padded = (1,) * (len(whole) - len(shape)) + tuple(shape)
    mask = np.ones(whole, bool)
    for axis, (n, m) in enumerate(zip(whole, padded, strict=True)):
        if n != m:
            line = np.arange(n) == (n - 1 if which == "last" else 0)
            mask &= line.reshape([-1 if a == axis else 1 for a in range(len(whole))])
    return mask
