"""Where training starts from."""

import numpy as np

from chainrule.calculus.network import Network, ParameterVector
from chainrule.engines.random import Purpose, generator

_HALF_OPEN = frozenset({"relu", "leaky-relu", "elu", "softplus", "silu", "gelu"})
"""Activations that let about half of their inputs through; they need twice the variance."""


def initial_parameters(
    network: Network, seed: int, dtype: np.dtype[np.floating] | type = np.float32
) -> ParameterVector:
    """Weights drawn so that neither a nor ∂C/∂a grows or shrinks from layer to layer; biases 0.

    Normal with variance 2/n_{l−1} for relu and its kin (He et al., arXiv:1502.01852), uniform with variance
    2/(n_{l−1} + n_l) for the others (Glorot, Bengio, AISTATS 2010).
    """
    parameters = ParameterVector.zeros(network, dtype)
    random = generator(seed, Purpose.PARAMETERS)
    for l in network.layers:
        n_in, n_out = network.sizes[l - 1], network.sizes[l]
        if network.activation[l - 1] in _HALF_OPEN:
            parameters.w[l][:] = random.normal(0, np.sqrt(2 / n_in), (n_out, n_in))
        else:
            bound = np.sqrt(6 / (n_in + n_out))
            parameters.w[l][:] = random.uniform(-bound, bound, (n_out, n_in))
    return parameters
