"""READ THIS FIRST: the article on one screen.

Everything else in the package runs this calculation faster, shows it, checks it, or feeds it. A letter here is
the article's letter; rows of z[l] and a[l] are the training examples, so "for every example" is left unsaid.
The index that the article sums over is the one that the matrix product sums over.
"""

from dataclasses import dataclass

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares, penalty, penalty_derivative
from chainrule.calculus.network import ParameterVector


@dataclass(frozen=True)
class Trace:
    """Every z[l] (examples, n_l) for l = 1..L, and every a[l] for l = 0..L; a[0] is what enters layer 1."""

    z: dict[int, Array]
    a: dict[int, Array]


@dataclass(frozen=True)
class Deltas:
    """∂C_i/∂z[l] and ∂C_i/∂a[l] of each example by itself: (examples, n_l), before weights and the average.

    ``dC_da`` holds the layers that were asked for; see :func:`backward`.
    """

    dC_dz: dict[int, Array]
    dC_da: dict[int, Array]


def forward(parameters: ParameterVector, X: Array) -> Trace:
    """From the input (examples, n_0) to every z and a."""
    network, w, b = parameters.network, parameters.w, parameters.b
    z: dict[int, Array] = {}
    a: dict[int, Array] = {0: X}
    for l in network.layers:
        z[l] = a[l - 1] @ w[l].T + b[l]  #       z_j⁽ˡ⁾ = Σ_k w_jk⁽ˡ⁾ a_k⁽ˡ⁻¹⁾ + b_j⁽ˡ⁾
        a[l] = network.σ(l).value(z[l])  #       a_j⁽ˡ⁾ = σ(z_j⁽ˡ⁾)
    return Trace(z, a)


def costs(parameters: ParameterVector, trace: Trace, Y: Array) -> Array:
    """C_i of each example (examples,): summed over the outputs, no penalty, no weight."""
    network, L = parameters.network, parameters.network.depth
    return network.C.value(trace.z[L], Y, network.σ(L))  #            C_i = Σ_j (a_j⁽ᴸ⁾ − y_j)²


def backward(parameters: ParameterVector, trace: Trace, Y: Array, with_dC_da: bool = False) -> Deltas:
    """The recursion, from the last layer to the first; ``with_dC_da`` also keeps ∂C_i/∂a of layers 0..L."""
    network, w, z, L = parameters.network, parameters.w, trace.z, parameters.network.depth
    dC_dz: dict[int, Array] = {L: network.C.delta(z[L], Y, network.σ(L))}  # 2(a_j⁽ᴸ⁾ − y_j) σ′(z_j⁽ᴸ⁾)
    dC_da: dict[int, Array] = {L: network.C.dC_da(z[L], Y, network.σ(L))} if with_dC_da else {}
    for l in reversed(range(0 if with_dC_da else 1, L)):
        dC_da_l = dC_dz[l + 1] @ w[l + 1]  #     ∂C/∂a_k⁽ˡ⁾ = Σ_j w_jk⁽ˡ⁺¹⁾ σ′(z_j⁽ˡ⁺¹⁾) ∂C/∂a_j⁽ˡ⁺¹⁾
        if with_dC_da:
            dC_da[l] = dC_da_l
        if l > 0:
            dC_dz[l] = network.σ(l).derivative(z[l]) * dC_da_l  #            σ′(z_j⁽ˡ⁾) ∂C/∂a_j⁽ˡ⁾
    return Deltas(dC_dz, dC_da)


def gradient(
    parameters: ParameterVector, X: Array, Y: Array, weights: Array | None = None
) -> tuple[float, ParameterVector]:
    """C and ∇C, in the parameters' own layout and dtype: the averages over the examples, plus the penalties.

    X is (examples, n_0), Y is (examples, n_L), weights are s_i ≥ 0: C = Σ s_i C_i/Σ s_i + l1·Σ|w| + l2·Σw².
    """
    network, w = parameters.network, parameters.w
    trace = forward(parameters, X)
    deltas = backward(parameters, trace, Y)
    share = example_shares(len(X), weights, X.dtype)  #                          1/n, or s_i/Σs
    C = float(share @ costs(parameters, trace, Y))
    nabla_C = ParameterVector(network, np.empty_like(parameters.vector))
    for l in network.layers:
        δ = share[:, None] * deltas.dC_dz[l]
        nabla_C.w[l][:] = δ.T @ trace.a[l - 1]  #  ∂C/∂w_jk⁽ˡ⁾ = a_k⁽ˡ⁻¹⁾ σ′(z_j⁽ˡ⁾) ∂C/∂a_j⁽ˡ⁾
        nabla_C.b[l][:] = δ.sum(axis=0)  #         ∂C/∂b_j⁽ˡ⁾  =          σ′(z_j⁽ˡ⁾) ∂C/∂a_j⁽ˡ⁾
        if network.l1 or network.l2:
            C += penalty(w[l], network.l1, network.l2)
            nabla_C.w[l][:] += penalty_derivative(w[l], network.l1, network.l2)
    return C, nabla_C
