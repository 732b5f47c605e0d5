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

    a0 (examples, n_0) and Y (examples, n_L) are float64. Only the layers after q are computed with complex numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is for the caller to see
        return _complex_step(p, a0, Y, q, of)


def _complex_step(p: ParameterVector, a0: Array, Y: Array, q: Quantity, of: Quantity | None) -> Array:
    network = p.network
    a: Array = a0
    z: Array = a0
    for l in range(network.depth + 1):
        if l > 0:
            z = _product(a, p.w[l]) + p.b[l]
            if l == q.layer and q.letter in "wbz":
                z = z.astype(np.complex128)
                z[:, q.j] += 1j * STEP * (a[:, q.k] if q.k is not None else 1)
            a = _value(network.activation[l - 1], z)
        if l == q.layer and q.letter in "ax":
            a = a.astype(np.complex128)
            a[:, q.j] += 1j * STEP
        if of is not None and of.layer == l:
            return np.imag(z if of.letter == "z" else a)[:, of.j] / STEP
    if of is not None:  # it comes before q
        return np.zeros(len(a0))
    if q.letter == "a" and q.layer == network.depth:
        return np.imag(_cost_of_outputs(network, a, Y)) / STEP
    return np.imag(_cost(network, z, a, Y)) / STEP


def penalty_step(p: ParameterVector, q: Quantity) -> float:
    """∂(l1·Σ|w| + l2·Σw²)/∂q of a weight q, by the same step."""
    w = complex(p.w[q.layer][q.j, q.k]) + 1j * STEP
    sign = (w.real > 0) - (w.real < 0)
    return (p.network.l1 * sign * w + p.network.l2 * w * w).imag / STEP


def _product(a: Array, w: Array) -> Array:
    """a·wᵀ, the parts of a complex a each by itself: two real products are faster than one complex."""
    if not np.iscomplexobj(a):
        return a @ w.T
    return np.real(a) @ w.T + 1j * (np.imag(a) @ w.T)


# functions of complex numbers ----------------------------------------------------------------------


def _log1p(z: Array) -> Array:
    """ln(1 + z) for Re z ≥ 0, from |1 + z|² = 1 + x(2 + x) + y²."""
    x, y = np.real(z), np.imag(z)
    return np.log1p(x * (2 + x) + y * y) / 2 + 1j * np.arctan2(y, 1 + x)


def _away_from_zero(z: Array) -> Array:
    """z with the sign that makes its real part positive."""
    return np.where(np.real(z) > 0, z, -z)


def _sigmoid(z: Array) -> Array:
    e = np.exp(-_away_from_zero(z))
    return np.where(np.real(z) > 0, 1, e) / (1 + e)


def _tanh(z: Array) -> Array:
    u = _away_from_zero(z)
    e = np.exp(-2 * u)
    t = -_expm1(-2 * u) / (1 + e)
    return np.where(np.real(z) > 0, t, -t)


def _expm1(z: Array) -> Array:
    x, y = np.real(z), np.imag(z)
    return np.expm1(x) * np.cos(y) - 2 * np.sin(y / 2) ** 2 + 1j * np.exp(x) * np.sin(y)


def _softplus(z: Array) -> Array:
    return np.where(np.real(z) > 0, z, 0) + _log1p(np.exp(-_away_from_zero(z)))


def _log_softplus(z: Array) -> Array:
    """ln softplus(z); far to the left softplus(z) is e^z·(1 − e^z/2 + …), whose logarithm does not need e^z."""
    left = np.real(z) < -30
    e = np.exp(np.where(left, z, -30))
    return np.where(left, z - e / 2, np.log(_softplus(np.where(left, 0, z))))


def _normal_cdf(z: Array) -> Array:
    """Φ(z): a series of positive terms near 0, a continued fraction farther out.

    Abramowitz, Stegun, Handbook of Mathematical Functions, 26.2.11 and 26.2.14.
    """
    u = _away_from_zero(z)
    near = np.real(u) < 2.5
    x = np.where(near, u, 0)
    term, series = x, x
    for k in range(1, 40):
        term = term * x * x / (2 * k + 1)
        series = series + term
    x = np.where(near, 2.5, u)
    fraction = x
    for k in range(120, 0, -1):
        fraction = x + k / fraction
    density: Array = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    upper: Array = np.where(near, 0.5 - density * series, density / fraction)
    return np.where(np.real(z) > 0, 1 - upper, upper)


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


def _value(activation: str, z: Array) -> Array:
    with np.errstate(all="ignore"):
        a = _VALUES[activation](z.astype(np.complex128))
    return a if np.iscomplexobj(z) else np.real(a)


def _cost(network: Network, z: Array, a: Array, y: Array) -> Array:
    """C_i, (examples,), from z where a has lost what the cost needs."""
    if network.cost == "cross-entropy":
        return sum((y[:, t] * _surprise(z, t) for t in range(z.shape[1])), np.zeros(len(z), np.complex128))
    if network.cost == "binary-cross-entropy":
        return (y * _softplus(-z) + (1 - y) * _softplus(z)).sum(axis=1)
    if network.cost == "poisson":
        return (a - y * (z if network.activation[-1] == "exp" else _log_softplus(z))).sum(axis=1)
    return _squares(network, a - y)


def _cost_of_outputs(network: Network, a: Array, y: Array) -> Array:
    """C_i, (examples,), as a function of the outputs themselves."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if network.cost == "cross-entropy":
            return -np.where(y == 0, 0, y * np.log(a)).sum(axis=1)
        if network.cost == "binary-cross-entropy":
            ones, zeros = np.where(y == 0, 0, y * np.log(a)), np.where(y == 1, 0, (1 - y) * np.log(1 - a))
            return -(ones + zeros).sum(axis=1)
        if network.cost == "poisson":
            return (a - np.where(y == 0, 0, y * np.log(a))).sum(axis=1)
    return _squares(network, a - y)


def _squares(network: Network, r: Array) -> Array:
    if network.cost == "huber":
        return np.where(np.abs(np.real(r)) <= 1, r * r / 2, r * np.sign(np.real(r)) - 0.5).sum(axis=1)
    scale = {"squared-error": 1, "half-squared-error": 2, "mean-squared-error": r.shape[1]}[network.cost]
    return (r * r).sum(axis=1) / scale


def _surprise(z: Array, t: int) -> Array:
    """−ln softmax_t(z) = softplus(ln Σ_{j≠t} e^(z_j) − z_t)."""
    others = np.delete(z, t, axis=1)
    if not others.shape[1]:
        return np.zeros(len(z), np.complex128)
    top = np.real(others).max(axis=1, keepdims=True)
    return _softplus(top[:, 0] + np.log(np.exp(others - top).sum(axis=1)) - z[:, t])
