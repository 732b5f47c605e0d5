"""C and ∇C with mpmath, from textbook forms: with 1,100 digits even 1 − tanh 700 keeps 500 of them.

The derivative of a function of one number, σ(z) or C_i(z), is a central difference with h = 1e-400, so no derivative
is written down here either. What is left out is of relative order h², what is rounded of relative order 1e-700.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from chainrule.calculus.network import ParameterVector

Array = np.ndarray[Any, Any]

mp: Any = import_module("mpmath").mp  # mpmath has no types
DIGITS = 1100
STEP_DIGITS = 400


def exact(x: Any) -> Any:
    """A float of any width as mpmath's number, digit for digit."""
    mantissa, exponent = np.frexp(np.longdouble(x))
    high = float(mantissa)
    return mp.ldexp(mp.mpf(high) + mp.mpf(float(mantissa - high)), int(exponent))


def rounded(x: Any) -> Any:
    """mpmath's number as a longdouble."""
    return np.longdouble(mp.nstr(x, 25))


def difference(f: Callable[[Any], Any], x: Any) -> Any:
    """f′(x)."""
    h = mp.mpf(10) ** -STEP_DIGITS
    return (f(x + h) - f(x - h)) / (2 * h)


VALUES: Mapping[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": lambda z: (mp.exp(2 * z) - 1) / (mp.exp(2 * z) + 1),
    "relu": lambda z: max(z, mp.mpf(0)),
    "leaky-relu": lambda z: z if z > 0 else mp.mpf(0.01) * z,
    "elu": lambda z: z if z > 0 else mp.exp(z) - 1,
    "softplus": lambda z: mp.log(1 + mp.exp(z)),
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "gelu": lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2,
    "exp": mp.exp,
}


def softmax(z: Sequence[Any]) -> list[Any]:
    e = [mp.exp(z_j) for z_j in z]
    return [e_j / sum(e) for e_j in e]


def cost(name: str, activation: str, z: Sequence[Any], y: Sequence[Any]) -> Any:
    """C_i from the last layer's z."""
    a = softmax(z) if activation == "softmax" else [VALUES[activation](z_j) for z_j in z]
    pairs = list(zip(a, y, strict=True))
    match name:
        case "cross-entropy":
            return -sum(y_j * mp.log(a_j) for a_j, y_j in pairs)
        case "binary-cross-entropy":
            return -sum(y_j * mp.log(a_j) + (1 - y_j) * mp.log(1 - a_j) for a_j, y_j in pairs)
        case "poisson":
            return sum(a_j - y_j * mp.log(a_j) for a_j, y_j in pairs)
        case "huber":
            return sum(r * r / 2 if r <= 1 else r - mp.mpf(0.5) for r in (abs(a_j - y_j) for a_j, y_j in pairs))
        case _:
            scale = {"squared-error": 1, "half-squared-error": 2, "mean-squared-error": len(a)}[name]
            return sum((a_j - y_j) ** 2 for a_j, y_j in pairs) / scale


def cost_gradient(name: str, activation: str, z: Sequence[Any], y: Sequence[Any]) -> list[Any]:
    """∂C_i/∂z of the last layer."""
    return [
        difference(lambda t, j=j: cost(name, activation, [*z[:j], t, *z[j + 1 :]], y), z_j) for j, z_j in enumerate(z)
    ]


def multiprecision(parameters: ParameterVector, X: Array, Y: Array, weights: Array | None) -> tuple[Any, Array]:
    """C and ∇C, computed with 1,100 digits and rounded to longdouble; ∇C flat in the article's order."""
    with mp.workdps(DIGITS):
        network, L = parameters.network, len(parameters.network.sizes) - 1
        w = {l: [[exact(x) for x in row] for row in parameters.w[l]] for l in range(1, L + 1)}
        b = {l: [exact(x) for x in parameters.b[l]] for l in range(1, L + 1)}
        l1, l2 = mp.mpf(network.l1), mp.mpf(network.l2)
        total = mp.mpf(len(X)) if weights is None else sum(exact(s) for s in weights)

        C = sum(l1 * abs(x) + l2 * x * x for l in w for row in w[l] for x in row)
        dw = {l: [[l1 * mp.sign(x) + 2 * l2 * x for x in row] for row in w[l]] for l in w}
        db = {l: [mp.mpf(0) for _ in b[l]] for l in b}
        for i in range(len(X)):
            share = (1 if weights is None else exact(weights[i])) / total
            a, z, y = {0: [exact(x) for x in X[i]]}, dict[int, list[Any]](), [exact(x) for x in Y[i]]
            for l in w:
                z[l] = [_dot(row, a[l - 1]) + b_j for row, b_j in zip(w[l], b[l], strict=True)]
                if l < L:
                    a[l] = [VALUES[network.activation[l - 1]](z_j) for z_j in z[l]]
            C += share * cost(network.cost, network.activation[-1], z[L], y)
            δ = [share * d for d in cost_gradient(network.cost, network.activation[-1], z[L], y)]
            for l in reversed(w):
                for j, δ_j in enumerate(δ):
                    db[l][j] += δ_j
                    dw[l][j] = [d + δ_j * a_k for d, a_k in zip(dw[l][j], a[l - 1], strict=True)]
                if l > 1:
                    σ = VALUES[network.activation[l - 2]]
                    columns = zip(*w[l], strict=True)
                    δ = [_dot(column, δ) * difference(σ, z_k) for column, z_k in zip(columns, z[l - 1], strict=True)]
        flat = [x for l in w for x in (*(x for row in dw[l] for x in row), *db[l])]
        return rounded(C), np.array([rounded(x) for x in flat])


def _dot(p: Sequence[Any], q: Sequence[Any]) -> Any:
    return sum((x * y for x, y in zip(p, q, strict=True)), mp.mpf(0))
