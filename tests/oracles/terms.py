"""How far rounding may move C and each entry of ∇C: Σ|terms over all paths|, and the comparisons made with it.

An entry of ∇C is a sum over paths through the network, and a gradient that rounds every factor and every partial sum
is off by at most a modest multiple of eps·Σ|terms|. :func:`terms` is the backward recursion with absolute values
everywhere; a subtraction inside a factor, such as a − y, counts each of its terms. Two more things move an entry:

*z is itself rounded.* z_j = Σ_k w_jk a_k + b_j is off by eps·E(z_j), where E(z_j) = Σ_k |w_jk|(|a_k| + E(a_k)) + |b_j|
and E(a) = |σ′(z)|·E(z) is how far the error of the layer below reaches: again Σ|terms over all paths|, of z. To first
order that moves σ′(z) by |σ″(z)|·E(z), ∂C/∂z of the last layer by its own derivative times E(z), and a by E(a). The
paths that go through one such factor are summed beside the others, as ``through_z``.

*Numbers underflow.* Each operation is exact to eps·|result| + η with η the smallest subnormal, which is eps·(|result| +
tiny) with tiny = η/eps the smallest normal number. So every magnitude below has tiny added where it is rounded, and
what underflow loses passes through the later factors as everything else does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.network import ParameterVector

from .complex_step import VALUES, cost, log_softmax, normal_cdf, penalty, shares

Array = np.ndarray[Any, Any]

EPS64, EPS32 = float(np.finfo(np.float64).eps), float(np.finfo(np.float32).eps)
NORMWISE = 1e-12
ROUNDINGS = 1000
"""How many eps of Σ|terms| a value may be off: every formula in the package rounds far fewer times on each path."""


@dataclass(frozen=True)
class Terms:
    """Σ|terms| of C and of each entry of ∇C, with the part ``through_z`` apart, and three facts about the calculation.

    ``largest`` is the largest number that it may meet, ``largest_E`` the largest E(z), ``kink_distance`` the smallest
    distance of any z (and of huber's |r| from 1) from a kink, in units of its E.
    """

    cost_paths: Any
    cost_through_z: Any
    gradient_paths: Array
    gradient_through_z: Array
    largest: Any
    largest_E: Any
    kink_distance: Any

    @property
    def cost(self) -> Any:
        return self.cost_paths + self.cost_through_z

    @property
    def gradient(self) -> Array:
        return self.gradient_paths + self.gradient_through_z


def normwise_error(gradient: Array, reference: Array) -> float:
    """‖gradient − reference‖/‖reference‖; 0 where both are 0."""
    scale = np.abs(reference).max()
    if scale == 0:
        return float(np.abs(gradient).max())
    return float(np.linalg.norm((gradient - reference) / scale) / np.linalg.norm(reference / scale))


def roundings(value: Array, reference: Array, terms: Array, eps: float) -> Array:
    """|value − reference| in units of eps·Σ|terms|; no entry may be above ROUNDINGS."""
    return np.abs(value.astype(np.longdouble) - reference) / (np.longdouble(eps) * terms)


def faults(C: float, nabla_C: Array, C_ref: Any, nabla_C_ref: Array, limits: Terms, eps: float) -> list[str]:
    """What is wrong with C and ∇C, in words; nothing if they are within their bounds."""
    found: list[str] = []
    off = float(roundings(np.array(C), C_ref, limits.cost, eps))
    if not off <= ROUNDINGS:
        found.append(f"C is {C}, not {C_ref}: {off:.3g} roundings")
    each = roundings(nabla_C, nabla_C_ref, limits.gradient, eps)
    if not (each <= ROUNDINGS).all():
        k = int(np.argmax(np.where(np.isnan(each), np.inf, each)))
        found.append(f"entry {k} of ∇C is {nabla_C[k]}, not {nabla_C_ref[k]}: {each[k]:.3g} roundings")
    return found


def reachable(nabla_C_ref: Array, limits: Terms) -> bool:
    """Whether float64 determines ∇C to 1e-12 of its norm: it does not where one eps of every term makes more."""
    return normwise_error(nabla_C_ref + EPS64 * limits.gradient, nabla_C_ref) <= NORMWISE


def normwise_faults(nabla_C: Array, nabla_C_ref: Array) -> list[str]:
    """Whether ∇C is off by more than 1e-12 of its norm."""
    error = normwise_error(nabla_C, nabla_C_ref)
    return [] if error <= NORMWISE else [f"∇C is off by {error:.3g} of its norm"]


# |σ′| with every term of it in absolute value, and |σ″| ---------------------------------------------


def _s(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def _bell(z: Array) -> Array:
    return _s(z) * _s(-z)


def _density(z: Array) -> Array:
    return np.exp(-z * z / 2) / np.sqrt(2 * np.longdouble(np.pi))


def _cdf(z: Array) -> Array:
    return normal_cdf(z + 0j).real


SLOPES: Mapping[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "identity": (np.ones_like, np.zeros_like),
    "sigmoid": (_bell, lambda z: _bell(z) * np.abs(np.tanh(z / 2))),
    "tanh": (lambda z: 1 / np.cosh(z) ** 2, lambda z: 2 * np.abs(np.tanh(z)) / np.cosh(z) ** 2),
    "relu": (lambda z: np.where(z > 0, 1, np.longdouble(0)), np.zeros_like),
    "leaky-relu": (lambda z: np.where(z > 0, 1, np.longdouble(0.01)), np.zeros_like),
    "elu": (lambda z: np.exp(np.minimum(z, 0)), lambda z: np.where(z > 0, 0, np.exp(np.minimum(z, 0)))),
    "softplus": (_s, _bell),
    "silu": (
        lambda z: _s(z) * (1 + np.abs(z) * _s(-z)),
        lambda z: _bell(z) * np.abs(2 - z * np.tanh(z / 2)),
    ),
    "gelu": (
        lambda z: _cdf(z) + np.abs(z) * _density(z),
        lambda z: _density(z) * np.abs(2 - z * z),
    ),
    "exp": (np.exp, np.exp),
}

KINKED = ("relu", "leaky-relu", "elu")
"""Where σ′ or σ″ jumps at 0, so that a first-order statement needs z to be away from it."""


def value(activation: str, z: Array) -> Array:
    """σ(z) of real z."""
    return VALUES[activation](z + 0j).real


# the last layer ------------------------------------------------------------------------------------


def last_layer(name: str, activation: str, z: Array, y: Array, E: Array) -> tuple[Array, Array, Array]:
    """Σ|terms| of C_i, of ∂C_i/∂z, and of ∂C_i/∂z through z."""
    if name == "cross-entropy":
        a = np.exp(log_softmax(z + 0j).real)
        rest = 1 - np.eye(y.shape[1], dtype=np.longdouble)  # v @ rest is Σ_{k≠j} v_k
        relative = (a @ rest) * E + (a * E) @ rest  #          E(a)/a
        δ = a * (y @ rest) + y * (a @ rest)
        through_z = a * relative * (y @ rest) + y * ((a * relative) @ rest)
        return cost(name, activation, z + 0j, y).real, δ, through_z
    if name == "binary-cross-entropy":
        return cost(name, activation, z + 0j, y).real, (1 - y) * _s(z) + y * _s(-z), _bell(z) * E
    slope, curvature = (f(z) for f in SLOPES[activation])
    a = value(activation, z)
    if name == "poisson":
        log_slope, log_curvature = (1, 0) if activation == "exp" else (_s(z) / a, slope / a * (_s(-z) - _s(z) / a))
        return (
            (a + y * np.abs(np.log(a))).sum(axis=1),
            slope + y * log_slope,
            (curvature + y * np.abs(log_curvature)) * E,
        )
    r = np.abs(a) + np.abs(y)
    if name == "huber":
        held = np.abs(a - y) > 1
        C = np.where(held, r + 0.5, r * r / 2).sum(axis=1)
        dC_da, d2C_da2 = np.where(held, 1, r), np.where(held, 0, 1)
    else:
        scale = {"squared-error": 2, "half-squared-error": 1, "mean-squared-error": 2 / np.longdouble(y.shape[1])}[name]
        C, dC_da, d2C_da2 = scale * (r * r / 2).sum(axis=1), scale * r, scale
    return C, dC_da * slope, (d2C_da2 * slope * slope + dC_da * curvature) * E


# the whole network ---------------------------------------------------------------------------------


def layer_z(w: Array, b: Array, a: Array, E_a: Array, tiny: float) -> tuple[Array, Array]:
    """z of one layer and its Σ|terms over all paths| E(z)."""
    return a @ w.T + b, (np.abs(a) + E_a) @ np.abs(w).T + np.abs(b) + (w.shape[1] + 1) * np.longdouble(tiny)


def layer_a(activation: str, z: Array, E_z: Array, tiny: float) -> tuple[Array, Array]:
    """a of one layer and how far the rounding of z reaches into it, E(a)."""
    return value(activation, z), SLOPES[activation][0](z) * E_z + np.longdouble(tiny)


def terms(parameters: ParameterVector, X: Array, Y: Array, weights: Array | None) -> Terms:
    """Σ|terms over all paths| of C and of every entry of ∇C, in the dtype of X; ∇C's flat in the article's order."""
    network, L = parameters.network, len(parameters.network.sizes) - 1
    tiny = float(np.finfo(X.dtype).tiny)
    w, b = ({l: part[l].astype(np.longdouble) for l in range(1, L + 1)} for part in (parameters.w, parameters.b))
    y, share = Y.astype(np.longdouble), shares(len(X), weights)
    largest, distances = [np.abs(X).max(), np.abs(Y).max()], [np.longdouble(np.inf)]

    a, E_a = {0: X.astype(np.longdouble)}, {0: np.zeros(X.shape, np.longdouble)}
    z, E_z = dict[int, Array](), dict[int, Array]()
    for l in w:
        z[l], E_z[l] = layer_z(w[l], b[l], a[l - 1], E_a[l - 1], tiny)
        largest += [E_z[l].max(), np.square(w[l]).max()]
        activation = network.activation[l - 1]
        if activation in KINKED:
            distances.append((np.abs(z[l]) / E_z[l]).min())
        if activation != "softmax":
            a[l], E_a[l] = layer_a(activation, z[l], E_z[l], tiny)
            largest.append(np.abs(a[l]).max())
    if network.cost == "huber":
        distances.append((np.abs(np.abs(a[L] - y) - 1) / (E_a[L] + np.abs(a[L]) + np.abs(y))).min())

    C, M, K = last_layer(network.cost, network.activation[-1], z[L], y, E_z[L])
    C_through_z = share @ (M * E_z[L]).sum(axis=1)
    largest.append(C.max())
    C = share @ C + sum(penalty(w[l], network.l1, network.l2) for l in w)
    M = M + tiny
    gradient: list[Array] = []
    through_z: list[Array] = []
    for l in reversed(w):
        largest.append(M.max())
        own, other = (share[:, None] * M + tiny).T, (share[:, None] * K).T
        penalty_terms = network.l1 + 2 * np.longdouble(network.l2) * np.abs(w[l]) if network.l1 or network.l2 else 0
        gradient[:0] = [(own @ np.abs(a[l - 1]) + penalty_terms + tiny).ravel(), own.sum(axis=1)]
        through_z[:0] = [(other @ np.abs(a[l - 1]) + own @ E_a[l - 1]).ravel(), other.sum(axis=1)]
        largest += [gradient[0].max(), gradient[1].max()]
        if l > 1:
            slope, curvature = (f(z[l - 1]) for f in SLOPES[network.activation[l - 2]])
            M, K = M @ np.abs(w[l]) + len(b[l]) * np.longdouble(tiny), K @ np.abs(w[l])
            largest.append(M.max())
            M, K = (slope + tiny) * M + tiny, slope * K + curvature * E_z[l - 1] * M
    return Terms(
        cost_paths=C + tiny,
        cost_through_z=C_through_z,
        gradient_paths=np.concatenate(gradient),
        gradient_through_z=np.concatenate(through_z),
        largest=max(largest),
        largest_E=max(E.max() for E in E_z.values()),
        kink_distance=min(distances),
    )


# a⁽ᴸ⁾ and C without ∇C -----------------------------------------------------------------------------


def last_z(parameters: ParameterVector, X: Array) -> tuple[Array, Array]:
    """z of the last layer and its E(z)."""
    network, tiny = parameters.network, float(np.finfo(X.dtype).tiny)
    a, E = X.astype(np.longdouble), np.zeros(X.shape, np.longdouble)
    for l in network.layers:
        z, E_z = layer_z(parameters.w[l].astype(np.longdouble), parameters.b[l].astype(np.longdouble), a, E, tiny)
        if l == network.depth:
            return z, E_z
        a, E = layer_a(network.activation[l - 1], z, E_z, tiny)
    raise AssertionError


def prediction_terms(parameters: ParameterVector, X: Array) -> Array:
    """Σ|terms over all paths| of each a⁽ᴸ⁾: its own size, and how far the rounding of z reaches into it."""
    activation, tiny = parameters.network.activation[-1], float(np.finfo(X.dtype).tiny)
    z, E_z = last_z(parameters, X)
    if activation == "softmax":
        a = np.exp(z - z.max(axis=1, keepdims=True))
        a = a / a.sum(axis=1, keepdims=True)
        # ln a_j = z_j − ln Σe^z, in which z_k counts for a_k
        E = a * (E_z + (a * E_z).sum(axis=1, keepdims=True))
    else:
        a, E = layer_a(activation, z, E_z, tiny)
    return np.abs(a) + E + np.longdouble(tiny)


def cost_terms(parameters: ParameterVector, X: Array, Y: Array) -> Array:
    """Σ|terms| of each C_i: its own terms, and how far the rounding of z reaches into it."""
    network = parameters.network
    z, E_z = last_z(parameters, X)
    C, M, _ = last_layer(network.cost, network.activation[-1], z, Y.astype(np.longdouble), E_z)
    return np.abs(C) + (M * E_z).sum(axis=1) + np.longdouble(np.finfo(X.dtype).tiny)
