"""The chain rule from the other end: how every z and a moves when one quantity does."""

import numpy as np

from chainrule.calculus.activation import softmax_jacobian
from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.calculus.notation import Quantity
from chainrule.calculus.trace import Trace


def tangent(p: ParameterVector, trace: Trace, q: Quantity) -> Trace:
    """∂z/∂q and ∂a/∂q of q's layer and of all after it, as a trace of the same shapes; q may be a weight, b, z or a.

    In each layer Σ_j ∂a_j/∂q · ∂C/∂a_j is ∂C/∂q: the derivative passes through every layer whole, and a term tells how
    much of it passes through neuron j.
    """
    dz: dict[int, Array] = {}
    da: dict[int, Array] = {}
    itself = np.zeros_like(trace.a[q.layer])
    itself[:, q.j] = 1 if q.k is None else trace.a[q.layer - 1][:, q.k]
    if q.letter == "a":
        da[q.layer] = itself
    else:
        dz[q.layer] = itself
        da[q.layer] = _through(p, trace, q.layer, itself)
    for l in range(q.layer + 1, p.network.depth + 1):
        dz[l] = da[l - 1] @ p.w[l].T
        da[l] = _through(p, trace, l, dz[l])
    return Trace(dz, da)


def _through(p: ParameterVector, trace: Trace, l: int, dz: Array) -> Array:
    """∂a/∂q from ∂z/∂q of layer l."""
    σ = p.network.σ(l)
    if σ.elementwise:
        return σ.derivative(trace.z[l]) * dz
    return (softmax_jacobian(trace.z[l]) @ dz[..., None])[..., 0]
