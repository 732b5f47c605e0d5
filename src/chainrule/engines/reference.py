"""The reference engine: the article in NumPy, plain and permanent. What any faster engine is held to."""

import numpy as np

from chainrule.calculus import dropout
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares
from chainrule.calculus.gradient import costs, forward, gradient
from chainrule.calculus.network import ParameterVector
from chainrule.engines.state import TrainingState

NAME = "reference"

_ROWS = 4096


def predict(parameters: ParameterVector, X: Array) -> Array:
    """a⁽ᴸ⁾ for each row of X, (examples, n_L), a block of rows at a time so that no whole trace is held."""
    L = parameters.network.depth
    blocks = [forward(parameters, X[i : i + _ROWS]).a[L] for i in range(0, len(X), _ROWS)]
    return np.concatenate(blocks) if blocks else np.empty((0, parameters.network.sizes[L]), X.dtype)


def data_cost(parameters: ParameterVector, X: Array, Y: Array) -> float:
    """The mean of C_i over the rows of X and Y, without penalties, a block of rows at a time."""
    share = example_shares(len(X))
    starts = range(0, len(X), _ROWS)
    blocks = (costs(parameters, forward(parameters, X[i : i + _ROWS]), Y[i : i + _ROWS]) for i in starts)
    return sum(float(share[i : i + _ROWS] @ block) for i, block in zip(starts, blocks, strict=True))


def run(state: TrainingState, n_steps: int) -> None:
    """Make n_steps updates, in place. However the steps are sliced into calls, the bits come out the same."""
    for _ in range(n_steps):
        batch = state.order[state.cursor : state.cursor + state.batch_size]
        weights = None if state.weights is None else state.weights[batch]
        weight = float(len(batch)) if weights is None else float(weights.sum(dtype=np.float64))
        C, squares = 0.0, np.zeros(state.parameters.network.depth)
        if weight > 0:
            C, g = _gradient(state, state.penalised(weight), batch, weights)
            squares = np.array([_squares(g.w[l]) + _squares(g.b[l]) for l in g.network.layers])
            norm = np.sqrt(squares.sum())
            if state.clip_norm is not None and norm > state.clip_norm:
                g.vector[:] *= g.vector.dtype.type(state.clip_norm / norm)
            lr = float(state.rates_of(1)[0])
            state.optimizer.update(state.parameters, g.vector, state.moments, state.step + 1, lr)
        state.advance(np.array([C]), np.array([weight]), squares[None, :])


def _gradient(
    state: TrainingState, parameters: ParameterVector, batch: Array, weights: Array | None
) -> tuple[float, ParameterVector]:
    """C and ∇C of a batch, with what this step drops."""
    X, Y = state.X[batch], state.Y[batch]
    if not state.dropout:
        return gradient(parameters, X, Y, weights)
    return dropout.gradient(parameters, X, Y, state.kept(len(batch)), weights)


def _squares(array: Array) -> float:
    return float(np.square(array, dtype=np.float64).sum())
