"""Each cost C beside its derivatives, the average over the examples, and the penalties.

A cost is the sum over the outputs of one example; the scale is in its name. ``value`` and ``delta`` read z
rather than a wherever a alone would lose digits: σ(z) − 1 is −σ(−z), and ln softmax is never ln of a
rounded probability. The only division by the number of examples is :func:`example_shares`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS, Activation, sum_of_others
from chainrule.calculus.arrays import Array
from chainrule.errors import InputError

OutputFunction = Callable[[Array, Array, Activation], Array]
"""(z, y, σ) of the last layer, z and y (examples, n_L), to an array of one number an output or an example."""


@dataclass(frozen=True)
class Cost:
    """One cost: C_i (examples,), ∂C_i/∂a and ∂C_i/∂z (examples, n_L), all from (z, y, σ) of the last layer.

    ``activations`` are the output activations that it goes with; empty means any element-wise one.
    ``targets`` says in words which y it accepts, ``accepts`` tells which y those are, entry by entry.
    """

    name: str
    value: OutputFunction
    dC_da: OutputFunction
    delta: OutputFunction
    formula: str
    dC_da_formula: str
    activations: tuple[str, ...] = ()
    targets: str = "any numbers"
    accepts: Callable[[Array], Array] = np.isfinite

    def goes_with(self, activation: str) -> bool:
        """Whether the output layer may have this activation."""
        return activation in self.activations if self.activations else ACTIVATIONS[activation].elementwise

    @property
    def canonical(self) -> str | None:
        """The output activation with which ∂C/∂z_j = a_j − y_j, of the logarithmic costs."""
        return self.activations[0] if self.activations else None


def _by_the_chain_rule(dC_da: OutputFunction) -> OutputFunction:
    """∂C/∂z_j = ∂C/∂a_j · σ′(z_j)."""
    return lambda z, y, σ: dC_da(z, y, σ) * σ.derivative(z)


# the squared errors --------------------------------------------------------------------------------


def squared_error(z: Array, y: Array, σ: Activation) -> Array:
    """C = Σ_j (a_j − y_j)²."""
    return ((σ.value(z) - y) ** 2).sum(axis=1)


def squared_error_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = 2(a_j − y_j)."""
    return 2 * (σ.value(z) - y)


def half_squared_error(z: Array, y: Array, σ: Activation) -> Array:
    """C = ½ Σ_j (a_j − y_j)²."""
    return squared_error(z, y, σ) / 2


def half_squared_error_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = a_j − y_j."""
    return σ.value(z) - y


def mean_squared_error(z: Array, y: Array, σ: Activation) -> Array:
    """C = (1/n_L) Σ_j (a_j − y_j)²."""
    return squared_error(z, y, σ) / y.shape[1]


def mean_squared_error_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = (2/n_L)(a_j − y_j)."""
    return squared_error_dC_da(z, y, σ) / y.shape[1]


# huber ---------------------------------------------------------------------------------------------


def huber(z: Array, y: Array, σ: Activation) -> Array:
    """C = Σ_j h(a_j − y_j) with h(r) = ½r² for |r| ≤ 1, else |r| − ½."""
    r = np.abs(σ.value(z) - y)
    within = np.minimum(r, 1)
    return (within * within / 2 + (r - within)).sum(axis=1)


def huber_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = a_j − y_j, held to [−1, 1]; both sides meet at |a_j − y_j| = 1."""
    return np.clip(σ.value(z) - y, -1, 1)


# the logarithmic costs -----------------------------------------------------------------------------


def _log(z: Array, σ: Activation) -> Array:
    assert σ.log is not None, f"{σ.name} is not the output activation of a logarithmic cost"
    return σ.log(z)


def cross_entropy(z: Array, y: Array, σ: Activation) -> Array:
    """C = −Σ_j y_j ln a_j."""
    return -_product(y, _log(z, σ)).sum(axis=1)


def cross_entropy_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = −y_j/a_j."""
    with np.errstate(over="ignore"):
        return -_product(y, np.exp(-_log(z, σ)))


def cross_entropy_delta(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂z_j = a_j − y_j, as a_j·Σ_{k≠j} y_k − y_j·Σ_{k≠j} a_k, which cancels nothing when y is one-hot."""
    a = σ.value(z)
    return a * sum_of_others(y) - y * sum_of_others(a)


def binary_cross_entropy(z: Array, y: Array, σ: Activation) -> Array:
    """C = −Σ_j (y_j ln a_j + (1 − y_j) ln(1 − a_j)), where 1 − σ(z) = σ(−z)."""
    return -(y * _log(z, σ) + (1 - y) * _log(-z, σ)).sum(axis=1)


def binary_cross_entropy_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = −y_j/a_j + (1 − y_j)/(1 − a_j)."""
    with np.errstate(over="ignore"):
        return _product(1 - y, np.exp(-_log(-z, σ))) - _product(y, np.exp(-_log(z, σ)))


def binary_cross_entropy_delta(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂z_j = a_j − y_j, as (1 − y_j)·σ(z_j) − y_j·σ(−z_j)."""
    return (1 - y) * σ.value(z) - y * σ.value(-z)


def poisson(z: Array, y: Array, σ: Activation) -> Array:
    """C = Σ_j (a_j − y_j ln a_j)."""
    return (σ.value(z) - y * _log(z, σ)).sum(axis=1)


def poisson_dC_da(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂a_j = 1 − y_j/a_j."""
    with np.errstate(over="ignore"):
        return 1 - _product(y, np.exp(-_log(z, σ)))


def poisson_delta(z: Array, y: Array, σ: Activation) -> Array:
    """∂C/∂z_j = σ′(z_j) − y_j·(ln σ)′(z_j); e^z − y for exp."""
    assert σ.log_derivative is not None, f"{σ.name} is not an output activation of the poisson cost"
    return σ.derivative(z) - y * σ.log_derivative(z)


def _product(y: Array, f: Array) -> Array:
    """y·f where y = 0 gives 0 even if f is infinite, as lim p→0 of p·ln p does."""
    return np.where(y == 0, y.dtype.type(0), y * np.where(y == 0, y.dtype.type(0), f))


def _is_probability(y: Array) -> Array:
    return (y >= 0) & (y <= 1)


def _is_count(y: Array) -> Array:
    return np.isfinite(y) & (y >= 0)


# the table -----------------------------------------------------------------------------------------

COSTS: Mapping[str, Cost] = MappingProxyType({
    cost.name: cost
    for cost in (
        Cost(
            "squared-error", squared_error, squared_error_dC_da, _by_the_chain_rule(squared_error_dC_da),
            "Σ_j (a_j − y_j)²", "2({a} − {y})",
        ),
        Cost(
            "half-squared-error", half_squared_error, half_squared_error_dC_da,
            _by_the_chain_rule(half_squared_error_dC_da),
            "½ Σ_j (a_j − y_j)²", "{a} − {y}",
        ),
        Cost(
            "mean-squared-error", mean_squared_error, mean_squared_error_dC_da,
            _by_the_chain_rule(mean_squared_error_dC_da),
            "(1/n_L) Σ_j (a_j − y_j)²", "(2/n_L)({a} − {y})",
        ),
        Cost(
            "huber", huber, huber_dC_da, _by_the_chain_rule(huber_dC_da),
            "Σ_j h(a_j − y_j), h(r) = ½r² if |r| ≤ 1 else |r| − ½", "{a} − {y}, held to [−1, 1]",
        ),
        Cost(
            "cross-entropy", cross_entropy, cross_entropy_dC_da, cross_entropy_delta,
            "−Σ_j y_j ln a_j", "−{y}/{a}",
            activations=("softmax",),
            targets="probabilities that sum to 1 in every example", accepts=_is_probability,
        ),
        Cost(
            "binary-cross-entropy", binary_cross_entropy, binary_cross_entropy_dC_da,
            binary_cross_entropy_delta,
            "−Σ_j (y_j ln a_j + (1 − y_j) ln(1 − a_j))", "−{y}/{a} + (1 − {y})/(1 − {a})",
            activations=("sigmoid",),
            targets="probabilities, from 0 to 1", accepts=_is_probability,
        ),
        Cost(
            "poisson", poisson, poisson_dC_da, poisson_delta,
            "Σ_j (a_j − y_j ln a_j)", "1 − {y}/{a}",
            activations=("exp", "softplus"),
            targets="numbers that are not negative", accepts=_is_count,
        ),
    )
})  # fmt: skip


# the average over the examples ---------------------------------------------------------------------


def example_shares(n: int, weights: Array | None = None, dtype: np.dtype[np.floating] | type = np.float64) -> Array:
    """s_i/Σs for each of n examples, (n,): what example i counts for in C = Σ_i s_i C_i/Σ_i s_i.

    Without weights every share is 1/n. Raises InputError for weights that are negative, not finite, all 0, or
    of another length.
    """
    if weights is None:
        return np.full(n, 1 / n, dtype)
    s = np.asarray(weights)
    if s.shape != (n,):
        raise InputError(f"weights: shape {s.shape}, expected ({n},), one weight for each example")
    bad = ~np.isfinite(s) | (s < 0)
    if bad.any():
        i = int(bad.argmax())
        raise InputError(f"weights: the weight of example {i} is {s[i]}; weights are finite and not negative")
    if not s.any():
        raise InputError("weights: every weight is 0; at least one example has to count")
    s = s.astype(np.float64) / s.max()  # so that the sum cannot overflow
    return (s / s.sum()).astype(dtype)


# the penalties -------------------------------------------------------------------------------------


def penalty(w: Array, l1: float, l2: float) -> float:
    """l1·Σ|w| + l2·Σw² of one layer's weights."""
    return (l1 and l1 * float(np.abs(w).sum())) + (l2 and l2 * float(np.square(w).sum()))


def penalty_derivative(w: Array, l1: float, l2: float) -> Array:
    """∂/∂w of the penalty: l1·sign(w) + 2·l2·w; sign(0) = 0."""
    return w.dtype.type(l1) * np.sign(w) + w.dtype.type(2 * l2) * w


# the targets ---------------------------------------------------------------------------------------


def check_targets(cost: Cost, Y: Array) -> None:
    """Raise InputError, naming the first entry at fault, unless the cost can take these targets (examples, n_L)."""
    bad = ~cost.accepts(Y)
    if bad.any():
        i, j = (int(at) for at in np.unravel_index(int(bad.argmax()), Y.shape))
        raise InputError(f"y of example {i}: y[{j}] is {Y[i, j]:g}; {cost.name} takes {cost.targets}")
    if cost.name == "cross-entropy":
        total = Y.sum(axis=1)
        off = np.abs(total - 1) > Y.shape[1] * np.finfo(np.float32).eps
        if off.any():
            i = int(off.argmax())
            raise InputError(f"y of example {i}: its entries sum to {total[i]:g}; {cost.name} takes {cost.targets}")
