"""The gradient of a network some of whose numbers are dropped: every a_k⁽ˡ⁾ is r_k·a_k⁽ˡ⁾, with r_k 0 or 1/(1 − p).

Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, Dropout, JMLR 15, 2014; what is kept grows in training,
"inverted", so that nothing has to be done afterwards.
"""

from collections.abc import Mapping

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.gradient import averages
from chainrule.calculus.network import ParameterVector
from chainrule.calculus.trace import Deltas, Trace

Kept = Mapping[int, tuple[Array, float]]
"""Which entries of a⁽ˡ⁾ are kept, (examples, n_l), and p, for each layer that has some dropped."""


def forward(p: ParameterVector, X: Array, kept: Kept) -> Trace:
    """Every z and a, from the input X (examples, n_0)."""
    z: dict[int, Array] = {}
    a: dict[int, Array] = {0: _dropped(X, kept.get(0))}
    for l in p.network.layers:
        z[l] = a[l - 1] @ p.w[l].T + p.b[l]
        a[l] = _dropped(p.network.σ(l).value(z[l]), kept.get(l))
    return Trace(z, a)


def gradient(
    p: ParameterVector, X: Array, Y: Array, kept: Kept, weights: Array | None = None
) -> tuple[float, ParameterVector]:
    """C and ∇C, as :func:`chainrule.calculus.gradient.gradient` gives them."""
    L, trace = p.network.depth, forward(p, X, kept)
    z = trace.z
    dC_dz = {L: p.network.C.delta(z[L], Y, p.network.σ(L))}
    for l in reversed(range(1, L)):
        slope = _dropped(p.network.σ(l).derivative(z[l]), kept.get(l))
        dC_dz[l] = slope * (dC_dz[l + 1] @ p.w[l + 1])
    return averages(p, trace, Deltas(dC_dz), Y, weights)


def _dropped(a: Array, kept: tuple[Array, float] | None) -> Array:
    if kept is None:
        return a
    which, p = kept
    grown: Array = a * a.dtype.type(1 / (1 - p))
    return np.where(which, grown, np.zeros_like(a))
