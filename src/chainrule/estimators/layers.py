"""scikit-learn's ``coefs_`` and ``intercepts_`` as a parameter vector, and the random one that training starts from.

``coefs_[l]`` is w[l + 1] transposed: ``coefs_[0][20, 3]`` is w1[3,20]. ``intercepts_[l]`` is b[l + 1].
"""

import re
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.errors import InputError

_ACTIVATION = MappingProxyType({"logistic": "sigmoid"})
"""What scikit-learn calls otherwise."""

_COST = MappingProxyType({"squared_error": "half-squared-error", "huber": "huber", "poisson": "poisson"})
_LOG_LOSS = MappingProxyType({"softmax": "cross-entropy", "logistic": "binary-cross-entropy"})


def activations(given: str | Sequence[str], n_hidden: int) -> tuple[str, ...]:
    """The name of each hidden layer's activation, from one for all or one for each. Raises InputError."""
    names = (given,) * n_hidden if isinstance(given, str) else tuple(given)
    if len(names) != n_hidden:
        raise InputError(
            f"activation: {len(names)} names for {n_hidden} hidden layers; give one for all, or one for each"
        )
    return names


def in_notation(target: str) -> str:
    """``coefs_[0][20, 3]`` and ``intercepts_[0][3]`` as ``w1[3,20]`` and ``b1[3]``; any other text as it is."""
    if found := re.fullmatch(r"\s*coefs_\[(\d+)\]\[(\d+)(?:\]\[|\s*,\s*)(\d+)\]\s*", target):
        l, k, j = map(int, found.groups())
        return f"w{l + 1}[{j},{k}]"
    if found := re.fullmatch(r"\s*intercepts_\[(\d+)\]\[(\d+)\]\s*", target):
        l, j = map(int, found.groups())
        return f"b{l + 1}[{j}]"
    return target


def network_of(
    sizes: Sequence[int], activation: str | Sequence[str], out_activation: str, loss: str, l2: float = 0.0
) -> Network:
    """The network of these layer sizes, with scikit-learn's names for activations and the loss."""
    names = [*activations(activation, len(sizes) - 2), out_activation]
    cost = _LOG_LOSS[out_activation] if loss == "log_loss" else _COST[loss]
    return Network(sizes, [_ACTIVATION.get(name, name) for name in names], cost, l2=l2)


def drawn(
    network: Network, activation: str | Sequence[str], random: np.random.RandomState, dtype: np.dtype
) -> ParameterVector:
    """Parameters uniform within ±√(6/(n_in + n_out)), with "logistic" ±√(2/(n_in + n_out)), biases too.

    Glorot, Bengio, Understanding the Difficulty of Training Deep Feedforward Neural Networks, AISTATS 2010. The numbers
    are drawn in scikit-learn's order, so that it starts from the same ones; the output layer's as the last hidden's.
    """
    parameters = ParameterVector.zeros(network, dtype)
    names = [activation] * network.depth if isinstance(activation, str) else [*activation, *activation[-1:]]
    for l, name in zip(network.layers, names or ["identity"], strict=True):
        n_in, n_out = network.sizes[l - 1], network.sizes[l]
        bound = np.sqrt((2.0 if name in ("logistic", "sigmoid") else 6.0) / (n_in + n_out))
        parameters.w[l][...] = random.uniform(-bound, bound, (n_in, n_out)).T
        parameters.b[l][...] = random.uniform(-bound, bound, n_out)
    return parameters


def sizes_of(coefs: Sequence[Array]) -> tuple[int, ...]:
    """The layer sizes that arrays like ``coefs_`` have."""
    return (coefs[0].shape[0], *(coef.shape[1] for coef in coefs))


def packed(network: Network, coefs: Sequence[Array], intercepts: Sequence[Array], dtype: np.dtype) -> ParameterVector:
    """A new parameter vector with what is in ``coefs`` and ``intercepts``."""
    parameters = ParameterVector.zeros(network, dtype)
    for l, coef, intercept in zip(network.layers, coefs, intercepts, strict=True):
        parameters.w[l][...] = coef.T
        parameters.b[l][...] = intercept
    return parameters


def unpacked(parameters: ParameterVector) -> tuple[list[Array], list[Array]]:
    """``coefs_`` and ``intercepts_``, views into the vector."""
    layers = parameters.network.layers
    return [parameters.w[l].T for l in layers], [parameters.b[l] for l in layers]


def is_finite(parameters: ParameterVector) -> bool:
    """Whether every parameter is a number."""
    return bool(np.isfinite(parameters.vector).all())
