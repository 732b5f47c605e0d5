"""A derivative from values alone, by a complex step: ∂f/∂p = Im f(p + ih)/h.

Nothing here knows a derivative, and nothing of :mod:`chainrule.calculus.gradient` is imported: explanations are checked
against this. Every function is in a form that holds for complex numbers and cancels nothing, so that with a tiny h only
rounding is left (Squire, Trapp, Using Complex Variables to Estimate Derivatives of Real Functions, SIAM Review 1998).
"""

from collections.abc import Callable, Mapping

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.calculus.notation import Quantity

STEP = 2.0**-100
"""h: its square is far below the last digit of anything."""

SMALLEST = float(np.finfo(np.float64).tiny) / STEP
"""A derivative below this, times h, is no longer a normal number: nothing can be said of it."""


def complex_step(p: ParameterVector, a0: Array, Y: Array, q: Quantity, of: Quantity | None = None) -> Array:
    """∂of_i/∂q of every example, (examples,): of the cost C_i, or of an activation or pre-activation.

    a0 (examples, n_0) and Y (examples, n_L) are float64. Only what comes after q is computed with complex numbers.
    """
    with np.errstate(all="ignore"):  # what overflows is for the caller to see
        return _complex_step(p, a0, Y, q, of)


def _complex_step(p: ParameterVector, a0: Array, Y: Array, q: Quantity, of: Quantity | None) -> Array:
    network, j = p.network, q.j
    if of is not None and of.layer < q.layer:
        return np.zeros(len(a0))
    output = q.letter == "a" and q.layer == network.depth
    before, z, a = a0, a0, a0
    for l in range(1, q.layer + 1):
        before, z = a, a @ p.w[l].T + p.b[l]
        a = network.σ(l).value(z)
    h = np.full(len(a0), STEP)
    if q.letter in "ax":
        if output and network.C.canonical:  # the cost takes ln a, and maybe ln(1 − a): h has to be small beside them
            least = a[:, j] * (network.σ(q.layer).value(-z[:, j]) if network.cost == "binary-cross-entropy" else 1)
            h *= np.where((least > 0) & (least < 1), least, 1)
        a = a.astype(np.complex128)
        a[:, j] += 1j * h
    else:
        times = before[:, q.k] if q.k is not None else np.ones(len(a0))
        h /= np.maximum(np.abs(times), 1)  # so that z moves by STEP at most
        z = z.astype(np.complex128)
        z[:, j] += 1j * h * times
        if network.σ(q.layer).elementwise:
            a = a.astype(np.complex128)
            a[:, j] = _VALUES[network.activation[q.layer - 1]](z[:, j])
        else:
            a = _softmax(z)
    moved = slice(j, j + 1)  # so far one neuron alone has moved
    for l in range(q.layer + 1, (network.depth if of is None else of.layer) + 1):
        z = _product(a, p.w[l], moved) + p.b[l]
        a = _VALUES[network.activation[l - 1]](z)
        moved = slice(None)
    if of is not None:
        return np.imag(z if of.letter == "z" else a)[:, of.j] / h
    C = _cost_of_outputs(network, z, a, Y) if output else _cost(network, z, a, Y)
    return np.imag(C) / h


def penalty_step(p: ParameterVector, q: Quantity) -> float:
    """∂(l1·Σ|w| + l2·Σw²)/∂q of a weight q, by the same step."""
    w = complex(p.w[q.layer][q.j, q.k]) + 1j * STEP
    sign = (w.real > 0) - (w.real < 0)
    return (p.network.l1 * sign * w + p.network.l2 * w * w).imag / STEP


def _product(a: Array, w: Array, moved: slice) -> Array:
    """a·wᵀ in two real products; only the columns ``moved`` of a have an imaginary part."""
    return np.real(a) @ w.T + 1j * (np.imag(a)[:, moved] @ w[:, moved].T)


# functions of complex numbers ----------------------------------------------------------------------


def _log1p(z: Array) -> Array:
    """ln(1 + z) for Re z ≥ 0, from |1 + z|² = 1 + x(2 + x) + y²."""
    x, y = np.real(z), np.imag(z)
    return np.log1p(x * (2 + x) + y * y) / 2 + 1j * np.arctan2(y, 1 + x)


def _sign(z: Array) -> Array:
    """What makes the real part of sign·z positive."""
    return np.where(np.real(z) > 0, 1.0, -1.0)


def _sigmoid(z: Array) -> Array:
    e = np.exp(-_sign(z) * z)
    return np.where(np.real(z) > 0, 1, e) / (1 + e)


def _tanh(z: Array) -> Array:
    """(sinh 2x + i sin 2y)/(cosh 2x + cos 2y), above and below times 2e^(−2|x|)."""
    x, y = np.abs(np.real(z)), 2 * np.imag(z)
    e = np.exp(-2 * x)
    below = 1 + e * e + 2 * e * np.cos(y)
    return np.copysign(np.expm1(-4 * x), np.real(z)) / below + 1j * (2 * e * np.sin(y) / below)


def _expm1(z: Array) -> Array:
    x, y = np.real(z), np.imag(z)
    return np.expm1(x) * np.cos(y) - 2 * np.sin(y / 2) ** 2 + 1j * (np.exp(x) * np.sin(y))


def _softplus(z: Array) -> Array:
    return np.where(np.real(z) > 0, z, 0) + _log1p(np.exp(-_sign(z) * z))


def _log_softplus(z: Array) -> Array:
    """ln softplus(z); far to the left softplus(z) is e^z·(1 − e^z/2 + …), whose logarithm does not need e^z."""
    left = np.real(z) < -30
    e = np.exp(np.where(left, z, -30))
    return np.where(left, z - e / 2, np.log(_softplus(np.where(left, 0, z))))


# Q in Φ(−u) = t·exp(−u²/2 + Q)/2, t = 2/(2 + u/√2), Re u ≥ 0, in powers of 2t − 1; from 60-digit arithmetic at 48
# Chebyshev nodes. What is left out is below 1e-19, and below 1e-16 once differentiated.
_TAIL = (
    -6.7179408405669227e-1, 6.7264322397765679e-1, 4.7343306841904029e-2, -4.6895610231184383e-2,
    -9.8726893663603050e-3, 8.8249385574364143e-3, 1.7589335569301530e-3, -2.3458125077341765e-3,
    -1.4624685004028577e-4, 6.7367887469789577e-4, -9.3735154501734327e-5, -1.7430348847084768e-4,
    7.1401758522181222e-5, 3.1747647653648781e-5, -3.0190965134966212e-5, 1.2995036679511785e-7,
    8.5716290862714606e-6, -2.9307282809011828e-6, -1.2912059903152188e-6, 1.2229300168212341e-6,
    -1.3994055238725486e-7, -2.1982787598362247e-7, 1.2251876888465445e-7, -2.0638451030883766e-8,
    -1.5998416385740837e-8, 2.1408770229055900e-8, -7.4639543856039372e-9, -4.2725704312096965e-9,
    3.4075540215720349e-9, 1.1083884190040127e-11, -4.5344520858753970e-10, 7.9207970779436406e-11,
)  # fmt: skip


def _normal_cdf(z: Array) -> Array:
    """Φ(z), the form of Press et al., Numerical Recipes, 3rd ed., section 6.2.2, continued to complex numbers."""
    u = _sign(z) * z
    t = 2 / (2 + u * np.sqrt(0.5))
    v = 2 * t - 1
    Q = np.full_like(v, _TAIL[-1])
    for coefficient in _TAIL[-2::-1]:
        Q *= v
        Q += coefficient
    head = np.round(np.real(u) * 16) / 16  # its square is exact; rounding u² would cost u²/2 ulp of e^(−u²/2)
    tail: Array = t / 2 * np.exp(-head * head / 2) * np.exp(Q - (u - head) * (u + head) / 2)
    return np.where(np.real(z) > 0, 1 - tail, tail)


def _softmax(z: Array) -> Array:
    e = np.exp(z - np.real(z).max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


_VALUES: Mapping[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "relu": lambda z: np.where(np.real(z) > 0, z, 0),
    "leaky-relu": lambda z: np.where(np.real(z) > 0, z, 0.01 * z),
    "elu": lambda z: np.where(np.real(z) > 0, z, _expm1(np.where(np.real(z) > 0, 0, z))),
    "softplus": _softplus,
    "silu": lambda z: z * _sigmoid(z),
    "gelu": lambda z: z * _normal_cdf(z),
    "exp": np.exp,
    "softmax": _softmax,
}


def _cost(network: Network, z: Array, a: Array, y: Array) -> Array:
    """C_i, (examples,), from z where a has lost what the cost needs."""
    if network.cost == "cross-entropy":
        return _cross_entropy(z, y)
    if network.cost == "binary-cross-entropy":
        return (y * _softplus(-z) + (1 - y) * _softplus(z)).sum(axis=1)
    if network.cost == "poisson":
        return (a - y * (z if network.activation[-1] == "exp" else _log_softplus(z))).sum(axis=1)
    return _squares(network, a - y)


def _cost_of_outputs(network: Network, z: Array, a: Array, y: Array) -> Array:
    """C_i, (examples,), as a function of the outputs themselves; z, which is real, only tells the digits of 1 − a."""
    if network.cost == "cross-entropy":
        return -np.where(y == 0, 0, y * np.log(a)).sum(axis=1)
    if network.cost == "binary-cross-entropy":
        rest = network.σ(network.depth).value(-z) - 1j * np.imag(a)
        ones, zeros = np.where(y == 0, 0, y * np.log(a)), np.where(y == 1, 0, (1 - y) * np.log(rest))
        return -(ones + zeros).sum(axis=1)
    if network.cost == "poisson":
        return (a - np.where(y == 0, 0, y * np.log(a))).sum(axis=1)
    return _squares(network, a - y)


def _squares(network: Network, r: Array) -> Array:
    if network.cost == "huber":
        return np.where(np.abs(np.real(r)) <= 1, r * r / 2, r * np.sign(np.real(r)) - 0.5).sum(axis=1)
    scale = {"squared-error": 1, "half-squared-error": 2, "mean-squared-error": r.shape[1]}[network.cost]
    return (r * r).sum(axis=1) / scale


def _cross_entropy(z: Array, y: Array) -> Array:
    """Σ_t y_t·(ln Σ_j e^(z_j) − z_t), where ln Σ_j e^(z_j) = z_m + ln(1 + Σ_{j≠m} e^(z_j − z_m)), m the largest."""
    m = np.real(z).argmax(axis=1, keepdims=True)
    below = z - np.take_along_axis(z, m, axis=1)
    e = np.exp(below)
    np.put_along_axis(e, m, 0, axis=1)
    return (y * (_log1p(e.sum(axis=1, keepdims=True)) - below)).sum(axis=1)
