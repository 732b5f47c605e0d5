"""READ THIS FIRST: the article on one screen.

Everything else in the package runs this calculation faster, shows it, checks it, or feeds it. The letters are the
article's. A row of z[l] or a[l] is one training example, so "for each example" is left unsaid; the index that the
article sums over is the one that the matrix product sums over.
"""

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty, penalty_derivative
from chainrule.calculus.network import ParameterVector
from chainrule.calculus.trace import Deltas, Trace


def forward(p: ParameterVector, X: Array) -> Trace:
    """Every z and a, from the input X (examples, n_0)."""
    z: dict[int, Array] = {}
    a: dict[int, Array] = {0: X}
    for l in p.network.layers:
        z[l] = a[l - 1] @ p.w[l].T + p.b[l]  #      z_j⁽ˡ⁾ = Σ_k w_jk⁽ˡ⁾ a_k⁽ˡ⁻¹⁾ + b_j⁽ˡ⁾
        a[l] = p.network.σ(l).value(z[l])  #        a_j⁽ˡ⁾ = σ(z_j⁽ˡ⁾)
    return Trace(z, a)


def costs(p: ParameterVector, trace: Trace, Y: Array) -> Array:
    """C_i of each example, (examples,): summed over the outputs; no weight, no penalty."""
    L = p.network.depth
    return p.network.C.value(trace.z[L], Y, p.network.σ(L))  #      C_i = Σ_j (a_j⁽ᴸ⁾ − y_j)²


def backward(p: ParameterVector, trace: Trace, Y: Array) -> Deltas:
    """∂C_i/∂z of every layer."""
    L = p.network.depth
    δ = p.network.C.delta(trace.z[L], Y, p.network.σ(L))  #         ∂C/∂z_j⁽ᴸ⁾ = 2(a_j⁽ᴸ⁾ − y_j) σ′(z_j⁽ᴸ⁾)
    return propagate(p, trace, L, δ)


def propagate(p: ParameterVector, trace: Trace, top: int, δ: Array) -> Deltas:
    """The recursion, from the layer ``top``, whose ∂C_i/∂z is δ, to the first."""
    dC_dz = {top: δ}
    for l in reversed(range(1, top)):
        dC_da = dC_dz[l + 1] @ p.w[l + 1]  #        ∂C/∂a_k⁽ˡ⁾ = Σ_j w_jk⁽ˡ⁺¹⁾ σ′(z_j⁽ˡ⁺¹⁾) ∂C/∂a_j⁽ˡ⁺¹⁾
        dC_dz[l] = p.network.σ(l).derivative(trace.z[l]) * dC_da
    return Deltas(dC_dz)


def sensitivity(p: ParameterVector, trace: Trace, deltas: Deltas, Y: Array, l: int) -> Array:
    """∂C_i/∂a of layer l, (examples, n_l), l = 0..L: the article's brace with its two cases."""
    if l == p.network.depth:
        return p.network.C.dC_da(trace.z[l], Y, p.network.σ(l))  #  2(a_j⁽ᴸ⁾ − y_j)
    return deltas.dC_dz[l + 1] @ p.w[l + 1]  #      or Σ_j w_jk⁽ˡ⁺¹⁾ σ′(z_j⁽ˡ⁺¹⁾) ∂C/∂a_j⁽ˡ⁺¹⁾


def gradient(p: ParameterVector, X: Array, Y: Array, weights: Array | None = None) -> tuple[float, ParameterVector]:
    """C and ∇C, in the parameters' layout and dtype: averages over the examples, with the penalties.

    X (examples, n_0), Y (examples, n_L), weights s_i ≥ 0 or None: C = Σ s_i C_i/Σ s_i + l1·Σ|w| + l2·Σw².
    """
    trace = forward(p, X)
    return averages(p, trace, backward(p, trace, Y), Y, weights)


def averages(
    p: ParameterVector, trace: Trace, deltas: Deltas, Y: Array, weights: Array | None
) -> tuple[float, ParameterVector]:
    """C and ∇C from the examples' z, a and ∂C_i/∂z."""
    l1, l2 = p.network.l1, p.network.l2
    share = example_shares(len(Y), weights, trace.a[0].dtype)  #   1/n, or s_i/Σs
    C = float(share @ costs(p, trace, Y)) + sum(penalty(w, l1, l2) for w in p.w.values())
    nabla_C = ParameterVector(p.network, np.empty_like(p.vector))
    for l in p.network.layers:
        δ = share[:, None] * deltas.dC_dz[l]
        nabla_C.w[l][:] = δ.T @ trace.a[l - 1]  #   ∂C/∂w_jk⁽ˡ⁾ = a_k⁽ˡ⁻¹⁾ σ′(z_j⁽ˡ⁾) ∂C/∂a_j⁽ˡ⁾
        nabla_C.b[l][:] = δ.sum(axis=0)  #          ∂C/∂b_j⁽ˡ⁾  =          σ′(z_j⁽ˡ⁾) ∂C/∂a_j⁽ˡ⁾
        nabla_C.w[l][:] += penalty_derivative(p.w[l], l1, l2)
    return C, nabla_C
