"""Gradients of single examples, from the trace and the deltas, without ever holding examples × parameters.

∂C_i/∂w_jk = δ_ij a_ik is a product of two numbers, so one parameter's column costs (examples,), and the norm
of an example's whole ∂C_i/∂W is ‖δ_i‖·‖a_i‖ (Goodfellow, Efficient Per-Example Gradient Computations,
arXiv:1510.01799). Example weights and penalties are not in these figures: they belong to the average.
"""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, layout
from chainrule.calculus.trace import Deltas, Trace


def weight_gradients(trace: Trace, deltas: Deltas, l: int, j: int, k: int) -> Array:
    """∂C_i/∂w_jk⁽ˡ⁾ of every example, (examples,)."""
    return deltas.dC_dz[l][:, j] * trace.a[l - 1][:, k]


def bias_gradients(deltas: Deltas, l: int, j: int) -> Array:
    """∂C_i/∂b_j⁽ˡ⁾ of every example, (examples,)."""
    return deltas.dC_dz[l][:, j]


def gradient_norms(trace: Trace, deltas: Deltas) -> Array:
    """‖∇C_i‖ over all weights and biases, (examples,): √Σ_l ‖δ_i⁽ˡ⁾‖²(‖a_i⁽ˡ⁻¹⁾‖² + 1)."""
    return np.sqrt(np.square(layer_gradient_norms(trace, deltas)).sum(axis=1))


def layer_gradient_norms(trace: Trace, deltas: Deltas) -> Array:
    """‖∂C_i/∂(w⁽ˡ⁾, b⁽ˡ⁾)‖ of each layer, (examples, L)."""
    norms = [
        np.linalg.norm(δ, axis=1) * np.hypot(np.linalg.norm(trace.a[l - 1], axis=1), 1)
        for l, δ in sorted(deltas.dC_dz.items())
    ]
    return np.stack(norms, axis=1)


def gradients(network: Network, trace: Trace, deltas: Deltas) -> Array:
    """All of them, (examples, parameters), each row in the article's order.

    This is the large array that the other functions avoid: examples × parameters numbers.
    """
    n = len(trace.a[0])
    rows = np.empty((n, network.n_parameters), trace.a[0].dtype)
    for block in layout(network):
        l = block.layer
        part = deltas.dC_dz[l]
        if block.name.startswith("w"):
            part = part[:, :, None] * trace.a[l - 1][:, None, :]
        rows[:, block.start : block.stop] = part.reshape(n, -1)
    return rows
