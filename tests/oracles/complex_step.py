"""C and ∇C by the complex step: ∂C/∂p = Im C(p + ih)/h, one perturbed set of parameters for every p.

No derivative is written down here, so none can be wrong. In 80-bit arithmetic h can be 2⁻⁵⁰⁰⁰: whatever enters in
order h² is lost below the last digit even where e^700 multiplies it, and e^±1400 is still an ordinary number. Im
carries the derivative alone, so a form is accurate here if its imaginary part subtracts nothing nearly equal.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.calculus.network import ParameterVector

Array = np.ndarray[Any, Any]

WIDE = np.finfo(np.longdouble).nmant >= 63 and np.finfo(np.longdouble).maxexp >= 16384
"""Whether longdouble is wide enough for all this; it is on Linux."""

STEP = np.longdouble(2) ** -5000
_PI = np.longdouble("3.14159265358979323846264338327950288")


def log1p(u: Array) -> Array:
    """ln(1 + u), from |1 + u|² = 1 + (a(2 + a) + b²); for Re u ≥ 0, where nothing cancels."""
    a, b = u.real, u.imag
    return np.log1p(a * (2 + a) + b * b) / 2 + 1j * np.arctan2(b, 1 + a)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def tanh(z: Array) -> Array:
    sign = _sign(z)
    e = np.exp(-2 * sign * z)
    return sign * -np.expm1(-2 * sign * z) / (1 + e)


def softplus(z: Array) -> Array:
    sign = _sign(z)
    return np.where(sign > 0, z, 0) + log1p(np.exp(-sign * z))


def normal_cdf(z: Array) -> Array:
    """Φ(z) = erfc(−z/√2)/2."""
    sign = _sign(z)
    x = sign * z * np.sqrt(np.longdouble(0.5))
    tail: Array = np.empty_like(x)
    near = x.real < 1
    tail[near] = (1 - _erf_series(x[near])) / 2
    tail[~near] = _erfc_trapezoid(x[~near]) / 2
    return np.where(sign > 0, 1 - tail, tail)


def _erf_series(x: Array) -> Array:
    """erf(x) = (2/√π)·e^(−x²)·Σ 2ⁿ x^(2n+1)/(2n+1)!!, for Re x < 1: every term positive, the 30th below 1e-30."""
    total = x
    term = x
    for n in range(1, 30):
        term = term * 2 * x * x / (2 * n + 1)
        total = total + term
    return 2 / np.sqrt(_PI) * np.exp(-x * x) * total


def _erfc_trapezoid(x: Array) -> Array:
    """erfc(x) for Re x ≥ 1 by the trapezoidal rule with step 0.4; what it leaves out is below e^(−(π/0.4)²) = 2e-27.

    Chiarella, Reichel, On the evaluation of integrals related to the error function, Math. Comp. 22 (1968).
    """
    h = np.longdouble("0.4")
    square = x * x
    total = 1 / (2 * square)
    for k in range(1, 18):
        total = total + np.exp(-((k * h) ** 2)) / (square + (k * h) ** 2)
    pole = np.where(x.real < _PI / h, 2 / (1 - np.exp(2 * _PI / h * x)), 0)  # lies within the contour only there
    return 2 * h / _PI * x * np.exp(-square) * total + pole


def log_softmax(z: Array) -> Array:
    """z_j − z_m − ln(1 + Σ_{k≠m} e^(z_k − z_m)), m the largest."""
    m = np.argmax(z.real, axis=-1)[..., None]
    below = z - np.take_along_axis(z, m, axis=-1)
    e = np.exp(below)
    np.put_along_axis(e, m, 0, axis=-1)
    return below - log1p(e.sum(axis=-1, keepdims=True))


def _sign(z: Array) -> Array:
    return np.where(z.real < 0, -1, 1)


VALUES: Mapping[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "leaky-relu": lambda z: np.where(z.real > 0, z, np.longdouble(0.01) * z),
    "elu": lambda z: np.where(z.real > 0, z, np.expm1(np.where(z.real > 0, 0, z))),
    "softplus": softplus,
    "silu": lambda z: z * sigmoid(z),
    "gelu": lambda z: z * normal_cdf(z),
    "exp": np.exp,
}


def huber(r: Array) -> Array:
    return np.where(np.abs(r.real) <= 1, r * r / 2, _sign(r) * r - np.longdouble(0.5))


def cost(name: str, activation: str, z: Array, y: Array) -> Array:
    """C_i from the last layer's z (…, examples, n_L)."""
    match name:
        case "cross-entropy":
            each = -y * log_softmax(z)
        case "binary-cross-entropy":
            each = y * softplus(-z) + (1 - y) * softplus(z)
        case "poisson":
            each = VALUES[activation](z) - y * (z if activation == "exp" else np.log(softplus(z)))
        case "huber":
            each = huber(VALUES[activation](z) - y)
        case _:
            scale = {"squared-error": 1, "half-squared-error": 2, "mean-squared-error": y.shape[-1]}[name]
            each = (VALUES[activation](z) - y) ** 2 / np.longdouble(scale)
    return each.sum(axis=-1)


def penalty(w: Array, l1: float, l2: float) -> Array:
    """l1·Σ|w| + l2·Σw² of weights (…, n_l, n_{l−1})."""
    return (np.longdouble(l1) * np.sign(w.real) * w + np.longdouble(l2) * w * w).sum(axis=(-2, -1))


def shares(n: int, weights: Array | None) -> Array:
    """s_i/Σs."""
    s = np.ones(n, np.longdouble) if weights is None else weights.astype(np.longdouble)
    return s / s.sum()


def complex_step(parameters: ParameterVector, X: Array, Y: Array, weights: Array | None) -> tuple[Any, Array]:
    """C and ∇C in longdouble, ∇C flat in the article's order."""
    network = parameters.network
    layers = range(1, len(network.sizes))
    w, b = ({l: part[l].astype(np.clongdouble) for l in layers} for part in (parameters.w, parameters.b))
    y, share = Y.astype(np.longdouble), shares(len(X), weights)

    def data_cost(z: Array, l: int) -> Array:
        """From layer l's z to the average of the C_i."""
        for m in layers[l:]:
            z = VALUES[network.activation[m - 2]](z) @ w[m].T + b[m]
        return cost(network.cost, network.activation[-1], z, y) @ share

    entries: list[Array] = []
    C, a = np.zeros((), np.longdouble), X.astype(np.clongdouble)
    for l in layers:
        n_w, n_b = w[l].size, b[l].size
        w_stack, b_stack = np.tile(w[l], (n_w + n_b, 1, 1)), np.tile(b[l], (n_w + n_b, 1))
        w_stack.reshape(n_w + n_b, n_w)[range(n_w), range(n_w)] += 1j * STEP
        b_stack[range(n_w, n_w + n_b), range(n_b)] += 1j * STEP
        stack = data_cost(a @ w_stack.transpose(0, 2, 1) + b_stack[:, None, :], l)
        stack = stack + penalty(w_stack, network.l1, network.l2)
        entries.append(np.imag(stack) / STEP)
        C = C + penalty(w[l], network.l1, network.l2).real
        z = a @ w[l].T + b[l]
        if l == layers[-1]:
            C = C + data_cost(z, l).real
        else:
            a = VALUES[network.activation[l - 1]](z)
    return C, np.concatenate(entries)
