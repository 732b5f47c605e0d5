"""Each activation σ beside its derivative σ′, its formula, what happens at a kink, and its source.

The forms are the accurate ones, not the textbook ones: σ′(z) = σ(z)·σ(−z) keeps its digits where
a(1 − a) has lost them all, because 1 − a rounds to 0 once a is near 1. Each function takes an array of
any shape, float32 or float64, returns the same shape and dtype, and neither overflows on the way nor warns
(``exp`` itself becomes ∞ where e^z is larger than the dtype holds).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.polynomial.chebyshev import chebval

from chainrule.calculus.arrays import Array

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Activation:
    """One σ with its σ′, both as functions of z.

    ``log`` and ``log_derivative`` are ln σ(z) and (ln σ)′(z), for the activations that a logarithmic cost
    goes with; ``kinks`` are the z at which σ′ jumps, ``at_kink`` says which value is taken there; ``steepest`` is
    the largest |σ′(z)| there is.
    """

    name: str
    value: Function
    derivative: Function
    formula: str
    derivative_formula: str
    source: str
    elementwise: bool = True
    log: Function | None = None
    log_derivative: Function | None = None
    kinks: tuple[float, ...] = ()
    at_kink: str = ""
    steepest: float = 1.0


# identity ------------------------------------------------------------------------------------------


def identity(z: Array) -> Array:
    """σ(z) = z."""
    return z.copy()


def identity_derivative(z: Array) -> Array:
    """σ′(z) = 1."""
    return np.ones_like(z)


# sigmoid -------------------------------------------------------------------------------------------


def sigmoid(z: Array) -> Array:
    """σ(z) = 1/(1 + e^(−z)), with e^(−|z|) so that nothing overflows."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z: Array) -> Array:
    """σ′(z) = σ(z)·σ(−z) = e/(1 + e)² with e = e^(−|z|)."""
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def log_sigmoid(z: Array) -> Array:
    """ln σ(z) = −softplus(−z)."""
    return -softplus(-z)


def log_sigmoid_derivative(z: Array) -> Array:
    """(ln σ)′(z) = 1 − σ(z) = σ(−z)."""
    return sigmoid(-z)


# tanh ----------------------------------------------------------------------------------------------


def tanh(z: Array) -> Array:
    """σ(z) = tanh z."""
    return np.tanh(z)


def tanh_derivative(z: Array) -> Array:
    """σ′(z) = sech² z, with sech z = 2e/(1 + e²) and e = e^(−|z|)."""
    e = np.exp(-np.abs(z))
    sech = 2 * e / (1 + e * e)
    return sech * sech


# relu and leaky-relu -------------------------------------------------------------------------------


def relu(z: Array) -> Array:
    """σ(z) = max(z, 0)."""
    return np.maximum(z, z.dtype.type(0))


def relu_derivative(z: Array) -> Array:
    """σ′(z) = 1 for z > 0, else 0; so σ′(0) = 0, the derivative from the left."""
    return (z > 0).astype(z.dtype)


LEAK = 0.01


def leaky_relu(z: Array) -> Array:
    """σ(z) = z for z > 0, else 0.01·z."""
    return np.where(z > 0, z, z * z.dtype.type(LEAK))


def leaky_relu_derivative(z: Array) -> Array:
    """σ′(z) = 1 for z > 0, else 0.01; so σ′(0) = 0.01, the derivative from the left."""
    return np.where(z > 0, 1, LEAK).astype(z.dtype)


# elu -----------------------------------------------------------------------------------------------


def elu(z: Array) -> Array:
    """σ(z) = z for z > 0, else e^z − 1."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def elu_derivative(z: Array) -> Array:
    """σ′(z) = 1 for z > 0, else e^z; both sides meet in σ′(0) = 1."""
    return np.exp(np.minimum(z, 0))


# softplus ------------------------------------------------------------------------------------------


def softplus(z: Array) -> Array:
    """σ(z) = ln(1 + e^z) = max(z, 0) + ln(1 + e^(−|z|)).

    Its derivative is :func:`sigmoid`.
    """
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def log_softplus(z: Array) -> Array:
    """ln softplus(z); for z < 0 it is z + ln(ln(1 + e)/e) with e = e^z, where e alone may underflow."""
    e = np.exp(-np.abs(z))
    return np.where(z > 0, np.log(softplus(np.maximum(z, 0))), np.minimum(z, 0) + np.log(_log1p_ratio(e)))


def log_softplus_derivative(z: Array) -> Array:
    """(ln softplus)′(z) = σ(z)/softplus(z); for z < 0 it is 1/((1 + e)·(ln(1 + e)/e)) with e = e^z."""
    e = np.exp(-np.abs(z))
    positive = 1 / ((1 + e) * softplus(np.maximum(z, 0)))
    return np.where(z > 0, positive, 1 / ((1 + e) * _log1p_ratio(e)))


def _log1p_ratio(e: Array) -> Array:
    """ln(1 + e)/e, which is 1 where e has underflowed to 0."""
    safe = np.where(e == 0, 1, e)
    return np.where(e == 0, e.dtype.type(1), np.log1p(safe) / safe)


# silu ----------------------------------------------------------------------------------------------


def silu(z: Array) -> Array:
    """σ(z) = z/(1 + e^(−z))."""
    return z * sigmoid(z)


def silu_derivative(z: Array) -> Array:
    """σ′(z) = s(z)·(1 + z·s(−z)), s the sigmoid."""
    return sigmoid(z) * (1 + z * sigmoid(-z))


# gelu ----------------------------------------------------------------------------------------------

# P in erfc(x) = t·exp(−x² + P(t)), t = 2/(2 + x), x ≥ 0, as a Chebyshev series in 2t − 1. The form is that of
# Press et al., Numerical Recipes, 3rd ed., section 6.2.2; the coefficients are ours, from 50-digit arithmetic
# at the 28 Chebyshev nodes; the first one left out is below 1e-16.
_ERFC_SERIES = (
    -6.51326859890854704e-01, 6.41969792356490210e-01, 1.94764732041858360e-02, -9.56151478680863226e-03,
    -9.46595344482036916e-04, 3.66839497852761447e-04, 4.25233248069077689e-05, -2.02785781125342418e-05,
    -1.62429000464702561e-06, 1.30365583558052324e-06, 1.56264417220661419e-08, -8.52380959149265415e-08,
    6.52905443909885149e-09, 5.05934349555146930e-09, -9.91364156493033066e-10, -2.27365122293183597e-10,
    9.64679110201552702e-11, 2.39403808303911459e-12, -6.88602752649755322e-12, 8.94487927309072228e-13,
    3.13092139934296217e-13, -1.12708223613671147e-13, 3.81090525509781293e-16, 7.10609761363024606e-15,
    -1.52302820144840162e-15, -9.45749459466481225e-17, 1.21023719704042821e-16, -2.81666314650695519e-17,
)  # fmt: skip


def _gauss(u: Array) -> Array:
    """e^(−u²/2), from a head of u whose square is exact, since rounding u² would cost u²/2 ulp."""
    u = np.minimum(np.abs(u), 64)  # far beyond the last u whose e^(−u²/2) is not 0
    head = np.round(u * 16) / 16
    return np.exp(-head * head / 2) * np.exp(-(u - head) * (u + head) / 2)


def normal_cdf(z: Array) -> Array:
    """Φ(z) = erfc(−z/√2)/2, the normal distribution function, to full relative accuracy in both tails."""
    z64 = z.astype(np.float64)
    u: Array = np.abs(z64)
    t = 2 / (2 + u * np.sqrt(0.5))
    series: Array = cast("Array", chebval(2 * t - 1, _ERFC_SERIES))
    tail: Array = t * np.exp(series) * _gauss(u) / 2
    return np.where(z64 > 0, 1 - tail, tail).astype(z.dtype)


def normal_density(z: Array) -> Array:
    """φ(z) = e^(−z²/2)/√(2π)."""
    return (_gauss(z.astype(np.float64)) / np.sqrt(2 * np.pi)).astype(z.dtype)


def gelu(z: Array) -> Array:
    """σ(z) = z·Φ(z), Φ the normal distribution function (not the tanh approximation)."""
    return z * normal_cdf(z)


def gelu_derivative(z: Array) -> Array:
    """σ′(z) = Φ(z) + z·φ(z)."""
    return normal_cdf(z) + z * normal_density(z)


# exp -----------------------------------------------------------------------------------------------


def exp(z: Array) -> Array:
    """σ(z) = e^z, its own derivative; ∞ where the dtype cannot hold it."""
    with np.errstate(over="ignore"):
        return np.exp(z)


# softmax -------------------------------------------------------------------------------------------


def softmax(z: Array) -> Array:
    """a_j = e^(z_j)/Σ_k e^(z_k) over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_jacobian(z: Array) -> Array:
    """∂a_j/∂z_k = a_j·([j = k] − a_k), with 1 − a_j taken as the sum of the other a; (…, n, n)."""
    a = softmax(z)
    jacobian = -a[..., :, None] * a[..., None, :]
    each = range(a.shape[-1])
    jacobian[..., each, each] = a * sum_of_others(a)
    return jacobian


def log_softmax(z: Array) -> Array:
    """ln a_j = z_j − ln Σ_k e^(z_k); the largest term is taken out as ln(1 + the others)."""
    shifted = z - z.max(axis=-1, keepdims=True)
    e = np.exp(shifted)
    top = z.argmax(axis=-1)[..., None]
    others = np.take_along_axis(sum_of_others(e), top, axis=-1)
    return shifted - np.log1p(others)


def sum_of_others(a: Array) -> Array:
    """Σ_{k≠j} a_k for each j over the last axis: from the left and from the right, never a difference."""
    others = np.zeros_like(a)
    others[..., 1:] += np.cumsum(a[..., :-1], axis=-1)
    others[..., :-1] += np.cumsum(a[..., :0:-1], axis=-1)[..., ::-1]
    return others


# the table -----------------------------------------------------------------------------------------

ACTIVATIONS: Mapping[str, Activation] = MappingProxyType({
    activation.name: activation
    for activation in (
        Activation(
            "identity", identity, identity_derivative, "z", "1", source="a linear neuron",
        ),
        Activation(
            "sigmoid", sigmoid, sigmoid_derivative, "1/(1 + e^(−z))", "σ(z)·σ(−z)",
            log=log_sigmoid, log_derivative=log_sigmoid_derivative,
            steepest=0.25, source="the article's σ",
        ),
        Activation(
            "tanh", tanh, tanh_derivative, "tanh z", "1/cosh² z",
            source="LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998, section 4.4",
        ),
        Activation(
            "relu", relu, relu_derivative, "max(z, 0)", "1 if z > 0 else 0",
            kinks=(0.0,), at_kink="σ′(0) = 0, the derivative from the left",
            source="Nair, Hinton, Rectified Linear Units Improve Restricted Boltzmann Machines, ICML 2010",
        ),
        Activation(
            "leaky-relu", leaky_relu, leaky_relu_derivative, "z if z > 0 else 0.01·z", "1 if z > 0 else 0.01",
            kinks=(0.0,), at_kink="σ′(0) = 0.01, the derivative from the left",
            source="Maas, Hannun, Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013",
        ),
        Activation(
            "elu", elu, elu_derivative, "z if z > 0 else e^z − 1", "1 if z > 0 else e^z",
            source="Clevert, Unterthiner, Hochreiter, arXiv:1511.07289, with its α = 1",
        ),
        Activation(
            "softplus", softplus, sigmoid, "ln(1 + e^z)", "1/(1 + e^(−z))",
            log=log_softplus, log_derivative=log_softplus_derivative,
            source="Dugas et al., Incorporating Second-Order Functional Knowledge, NIPS 2000",
        ),
        Activation(
            "silu", silu, silu_derivative, "z/(1 + e^(−z))", "s(z)·(1 + z·s(−z)), s = sigmoid",
            steepest=1.0998393201,  # at z = 2.39936, where σ″ = 0
            source="Elfwing, Uchibe, Doya, arXiv:1702.03118",
        ),
        Activation(
            "gelu", gelu, gelu_derivative, "z·Φ(z)", "Φ(z) + z·φ(z)",
            steepest=1.1289041452,  # at z = √2, where σ″ = (2 − z²)·φ(z) = 0
            source="Hendrycks, Gimpel, arXiv:1606.08415, the exact form",
        ),
        Activation(
            "exp", exp, exp, "e^z", "e^z", steepest=inf,
            log=identity, log_derivative=identity_derivative,
            source="the inverse of the log link: McCullagh, Nelder, Generalized Linear Models, 1989",
        ),
        Activation(
            "softmax", softmax, softmax_jacobian, "e^(z_j)/Σ_k e^(z_k)", "a_j·([j = k] − a_k)",
            log=log_softmax, elementwise=False,
            source="Bridle, Probabilistic Interpretation of Feedforward Classification Network Outputs, 1990",
        ),
    )
})  # fmt: skip
