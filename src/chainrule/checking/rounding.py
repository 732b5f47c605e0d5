"""What a correct forward pass may err by: a running error analysis, entry by entry.

Every product of n terms may be off by about √n·u of the sum of their sizes (Higham, Mary, A New Approach to
Probabilistic Rounding Error Analysis, SIAM J. Sci. Comput. 2019); an error in z moves a and σ′ by as much as it moves
the functions themselves, so that a relu may fall on either side where z is lost in rounding. The textbook forms a(1 −
a), 1 − a² and their like lose digits where a comes near a constant: what they lose is allowed for, since they are not
wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.calculus.trace import Trace
from chainrule.checking.arithmetic import FEW, Arithmetic, arithmetic_of


@dataclass(frozen=True)
class Rounding:
    """Bounds of absolute errors: of every z[l], a[l], σ′(z[l]); of ∂C/∂a and ∂C/∂z of the last layer; (examples, n_l)
    each."""

    arithmetic: Arithmetic
    z: Mapping[int, Array]
    a: Mapping[int, Array]
    slope: Mapping[int, Array]
    dC_da: Array
    output: Array

    @property
    def u(self) -> float:
        """The unit roundoff of a function's value."""
        return self.arithmetic.u

    @property
    def tiny(self) -> float:
        """What is below it may be 0 instead."""
        return self.arithmetic.tiny

    def sum(self, n: int) -> float:
        """What a sum of n products may be off by, of the sum of their sizes."""
        return self.arithmetic.sum(n)


_VALUE_LOSES: Mapping[str, Callable[[Array, Array], Array]] = {
    "tanh": lambda z, a: np.ones_like(a),  # by way of e^z − e^(−z)
    "elu": lambda z, a: np.ones_like(a),
    "softplus": lambda z, a: np.ones_like(a),
    "gelu": lambda z, a: np.abs(z),
}
_SLOPE_LOSES: Mapping[str, Callable[[Array, Array], Array]] = {
    "sigmoid": lambda z, a: a,  # a(1 − a)
    "tanh": lambda z, a: np.ones_like(a),  # 1 − a²
    "elu": lambda z, a: np.ones_like(a),  # a + 1
    "softplus": lambda z, a: np.ones_like(a),  # 1 − e^(−a)
    "silu": lambda z, a: 1 + np.abs(z),
    "gelu": lambda z, a: 1 + np.abs(z),
}


_LINEAR = 20.0
"""PyTorch's softplus is z where z > 20: the value lacks ln(1 + e^(−z)) there, and its slope 1/(1 + e^z)."""


def rounding_of(p: ParameterVector, trace: Trace, Y: Array, u: float) -> Rounding:
    """The bounds for arithmetic with unit roundoff u, to which parameters and inputs have been rounded first."""
    arithmetic = arithmetic_of(u)
    u, tiny = arithmetic.u, arithmetic.tiny
    z: dict[int, Array] = {}
    a: dict[int, Array] = {0: u * np.abs(trace.a[0])}
    slope: dict[int, Array] = {}
    for l in p.network.layers:
        W, before = np.abs(p.w[l]), np.abs(trace.a[l - 1])
        terms = before @ W.T + np.abs(p.b[l])
        z[l] = a[l - 1] @ W.T + arithmetic.sum(W.shape[1]) * terms + tiny
        σ, name, z_l, a_l = p.network.σ(l), p.network.activation[l - 1], trace.z[l], trace.a[l]
        loses = _VALUE_LOSES.get(name)
        own = FEW * u * (np.abs(a_l) + (0 if loses is None else loses(z_l, a_l)))
        if σ.elementwise:
            a[l] = _moves(σ.value, z_l, a_l, z[l]) + own + tiny
            s = σ.derivative(z_l)
            loses = _SLOPE_LOSES.get(name)
            own = FEW * u * (np.abs(s) if loses is None else np.abs(s) + loses(z_l, a_l))
            slope[l] = _moves(σ.derivative, z_l, s, z[l]) + own + tiny
            if name == "softplus":
                lacks = np.where(z_l + z[l] > _LINEAR, np.exp(-np.abs(z_l - z[l])), 0)  # more than either
                a[l], slope[l] = a[l] + lacks, slope[l] + lacks
        else:  # softmax: ∂a_j = a_j(∂z_j − Σ_k a_k ∂z_k)
            a[l] = 2 * a_l * (z[l] + (a_l * z[l]).sum(axis=1, keepdims=True)) + own * a_l.shape[1] + tiny
    of_a = a[p.network.depth]
    of_dC_da = _of_dC_da(p, trace, Y, of_a, u)
    return Rounding(arithmetic, z, a, slope, of_dC_da, _of_output(p, trace, Y, of_a, of_dC_da, slope, u) + tiny)


def _moves(f: Callable[[Array], Array], z: Array, value: Array, error: Array) -> Array:
    """By how much f moves when z does."""
    return np.maximum(np.abs(f(z + error) - value), np.abs(f(z - error) - value))


def _of_dC_da(p: ParameterVector, trace: Trace, Y: Array, of_a: Array, u: float) -> Array:
    L, cost = p.network.depth, p.network.C
    a, dC_da = trace.a[L], np.abs(cost.dC_da(trace.z[L], Y, p.network.σ(L)))
    match cost.name:
        case "cross-entropy":
            return _of_quotient(dC_da, a, of_a, u)  # y/a
        case "binary-cross-entropy":  # 1 − a is rounded by itself
            one, other = np.where(Y > 0, Y / a, 0), np.where(Y < 1, (1 - Y) / (1 - a), 0)
            return _of_quotient(one, a, of_a, u) + _of_quotient(other, 1 - a, of_a + u, u)
        case "poisson":  # y/a is at most |1 − y/a| + 1
            return _of_quotient(np.where(Y == 0, 0, dC_da + 1), a, of_a, u) + FEW * u
        case _:
            scale = {"squared-error": 2, "mean-squared-error": 2 / Y.shape[1]}.get(cost.name, 1)
            return scale * (of_a + FEW * u * (np.abs(a) + np.abs(Y)))


def _of_quotient(quotient: Array, a: Array, of_a: Array, u: float) -> Array:
    """y/a is off by y·e/(a(a − e)) when a is off by e."""
    least = np.maximum(np.abs(a) - of_a, np.finfo(np.float64).tiny)
    return quotient * (of_a / least + FEW * u)


def _of_output(
    p: ParameterVector, trace: Trace, Y: Array, a: Array, of_dC_da: Array, slope: Mapping[int, Array], u: float
) -> Array:
    L, cost, σ = p.network.depth, p.network.C, p.network.σ(p.network.depth)
    if cost.name in ("cross-entropy", "binary-cross-entropy"):
        return a + (FEW + Y.shape[1]) * u * (np.abs(trace.a[L]) + np.abs(Y))
    s = np.abs(σ.derivative(trace.z[L]))
    dC_da = np.abs(cost.dC_da(trace.z[L], Y, σ))
    return of_dC_da * (s + slope[L]) + dC_da * slope[L] + FEW * u * dC_da * s
