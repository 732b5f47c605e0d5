"""The compiled engine's face: the reference engine's functions, with arrays made ready for C++."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache, lru_cache

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import COSTS, example_shares
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checks import known, require, shown, whole_number
from chainrule.engines import _native
from chainrule.engines.optimizer import METHODS
from chainrule.engines.random import dropout_key
from chainrule.engines.state import TrainingState
from chainrule.errors import InputError

NAME = "native"

THREADS_VARIABLE = "CHAINRULE_THREADS"
INSTRUCTION_SETS = tuple(_native.instruction_sets())
"""What was compiled and this machine can run, the best last."""

INSTRUCTION_SET = known(
    "CHAINRULE_INSTRUCTION_SET", os.environ.get("CHAINRULE_INSTRUCTION_SET") or INSTRUCTION_SETS[-1], INSTRUCTION_SETS
)

# The numbers by which C++ knows the names: their places in the tables, which its enumerations repeat.
_ACTIVATION = {name: i for i, name in enumerate(ACTIVATIONS)}
_COST = {name: i for i, name in enumerate(COSTS)}
_METHOD = {name: i for i, name in enumerate(METHODS)}

_INDEX = np.dtype(np.int64)


@cache
def threads() -> int:
    """How many threads it may use: those of CHAINRULE_THREADS, or one for each usable processor.

    Without CHAINRULE_THREADS these are no more than OMP_NUM_THREADS says, by which joblib divides the processors among
    its workers. It is read once, when it is first asked for. Small networks use one thread; the results are the same to
    the bit for any number. Raises InputError for a CHAINRULE_THREADS that is no number of threads.
    """
    wanted = os.environ.get(THREADS_VARIABLE)
    if not wanted:
        most = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]  # a list has one for each level of nesting
        processors = _native.processors()
        return max(1, min(processors, int(most[:6]))) if most.isascii() and most.isdigit() else processors
    fits = wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:6]) <= 1024
    require(fits, THREADS_VARIABLE, wanted, "a number of threads, from 1 to 1024")
    return int(wanted)


def predict(parameters: ParameterVector, X: Array) -> Array:
    """a⁽ᴸ⁾ for each row of X, (examples, n_L), in the parameters' dtype. Raises InputError for rows that do not fit."""
    network, vector = parameters.network, parameters.vector
    chain = _chain(network, vector.dtype.char, INSTRUCTION_SET)
    try:
        a = np.empty((len(X), network.sizes[-1]), vector.dtype)
        chain.predict(vector, X, a, threads())
    except (ValueError, TypeError, BufferError):  # they are not as C++ takes them
        with _refusals():
            vector, X = _ready("parameters", vector, vector.dtype), _ready("X", X, vector.dtype)
            if X.shape != (len(X), network.sizes[0]):
                raise InputError(f"X: shape {X.shape}, expected (n, {network.sizes[0]})") from None
            a = np.empty((len(X), network.sizes[-1]), vector.dtype)
            if len(X):
                chain.predict(vector, X, a, threads())
    return a


def data_cost(parameters: ParameterVector, X: Array, Y: Array) -> float:
    """The mean of C_i over the rows of X and Y, without penalties. Raises InputError for arrays that do not fit."""
    dtype = parameters.vector.dtype
    with _refusals():
        X, Y = _ready("X", X, dtype), _ready("Y", Y, dtype)
        chain = _chain(parameters.network, dtype.char, INSTRUCTION_SET)
        return chain.data_cost(_ready("parameters", parameters.vector, dtype), X, Y, threads())


def gradient(
    parameters: ParameterVector, X: Array, Y: Array, weights: Array | None = None
) -> tuple[float, ParameterVector]:
    """C and ∇C, in the parameters' layout and dtype, as :func:`chainrule.calculus.gradient.gradient` gives them.

    Raises InputError for arrays that do not fit the network, and for weights that are no weights.
    """
    vector, dtype = parameters.vector, parameters.vector.dtype
    nabla_C = np.empty_like(vector)
    chain = _chain(parameters.network, dtype.char, INSTRUCTION_SET)
    if weights is not None:
        X, weights = _ready("X", X, dtype), _ready("weights", weights, dtype)
        example_shares(len(X), weights)  # as C++ gets them: in float32 some are 0 or infinite that were not
    try:
        C = chain.gradient(vector, X, Y, weights, nabla_C, threads())
    except (ValueError, TypeError, BufferError):  # they are not as C++ takes them
        with _refusals():
            vector, X, Y = _ready("parameters", vector, dtype), _ready("X", X, dtype), _ready("Y", Y, dtype)
            C = chain.gradient(vector, X, Y, weights, nabla_C, threads())
    return C, ParameterVector(parameters.network, nabla_C)


def run(state: TrainingState, n_steps: int) -> None:
    """Make n_steps updates, in place. However the steps are sliced into calls, the bits come out the same.

    No other thread may change the state or its arrays meanwhile. Raises InputError, with nothing changed, for a state
    whose arrays do not fit together, as far as these steps take them.
    """
    steps(state, n_steps)


def steps(state: TrainingState, n_steps: int, *, fused: bool = True) -> None:
    """:func:`run`; ``fused`` False computes the whole gradient before it changes a parameter, to the same bits."""
    p, o, dtype, L = state.parameters, state.optimizer, state.parameters.vector.dtype, state.parameters.network.depth
    X, Y = _ready("X", state.X, dtype), _ready("Y", state.Y, dtype)
    weights = None if state.weights is None else _ready("weights", state.weights, dtype)
    rows = len(_ready("order", state.order, _INDEX))
    batch_size = min(state.batch_size, max(rows, len(X)))
    _check_state(state, X, Y, weights, rows)
    whole_number("steps", n_steps, "a whole number", lambda n: True)
    moment1, moment2 = (*state.moments, None, None)[:2]
    dropout = np.array(state.dropout, np.float64) if state.dropout else None
    key = dropout_key(state.seed) if state.dropout else 0
    chain = _chain(p.network, dtype.char, INSTRUCTION_SET)
    while n_steps > 0:
        # an epoch of one batch in the rows' own order is like any other: many of them in one call
        whole = state.steps_per_epoch == 1 and state.cursor == 0 and state.next_order is None and state.in_natural_order
        order = None if whole else _ready("order", state.order, _INDEX)
        n = n_steps if whole else min(n_steps, state.steps_left_in_epoch)
        cost, weight, squares = np.empty(n), np.empty(n), np.empty((n, L)) if state.note_norms else None
        with _refusals():
            chain.run(
                p.vector, moment1, moment2, X, Y, weights, order, state.cursor, batch_size, state.step, n,
                _METHOD[o.name], state.rates_of(n), o.momentum, o.beta1, o.beta2, o.epsilon, o.epsilon_hat, o.rho,
                o.weight_decay, fused, state.shared_penalty, dropout, key, state.clip_norm or 0.0, cost, weight,
                squares, threads(),
            )  # fmt: skip
        state.advance(cost, weight, squares)
        n_steps -= n


def _check_state(state: TrainingState, X: Array, Y: Array, weights: Array | None, rows: int) -> None:
    """Raise InputError for arrays that do not fit together; what is wrong is put into words only then."""
    vector, dtype = state.parameters.vector, state.parameters.vector.dtype
    if not 0 <= state.cursor < rows:
        raise InputError(f"cursor: {state.cursor} is not a place in an order of {rows} examples")
    if state.order.dtype.kind not in "iu":
        raise InputError(f"order: {state.order.dtype} is not a type of whole numbers")
    if len(Y) != len(X):
        raise InputError(f"Y: {len(Y)} is not as many rows as X has, {len(X)}")
    if weights is not None:
        example_shares(len(X), weights)
    if len(state.moments) != state.optimizer.n_moments:
        n, name = state.optimizer.n_moments, state.optimizer.name
        raise InputError(f"moments: {len(state.moments)} is not the {n} of {name}")
    for i, array in enumerate((vector, *state.moments)):
        flags = array.flags
        if not (flags.c_contiguous and flags.writeable and flags.aligned and array.dtype == dtype):
            what = f"moments[{i - 1}]" if i else "parameters"
            raise InputError(f"{what}: {array.dtype} is not a writeable, aligned, contiguous array of {dtype}")


@contextmanager
def _refusals() -> Generator[None]:
    """What C++ refuses is an InputError."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from None


@lru_cache(maxsize=16)
def _chain(network: Network, char: str, instruction_set: str) -> "_native.Chain32 | _native.Chain64":
    """The compiled plan of a network, with the memory that it works in."""
    Chain = _native.Chain32 if char == "f" else _native.Chain64
    activation = [_ACTIVATION[name] for name in network.activation]
    try:
        return Chain(list(network.sizes), activation, _COST[network.cost], network.l1, network.l2, instruction_set)
    except ValueError as error:
        raise InputError(f"{shown(instruction_set)}: {error}") from None


def _ready(what: str, array: Array, dtype: np.dtype) -> Array:
    """The array as C++ takes it; itself where it already is: contiguous, aligned and of this dtype.

    Raises InputError for what is no array of numbers.
    """
    given = array
    try:
        array = np.asarray(array)
    except (ValueError, TypeError):  # rows of different lengths, for one
        array = np.empty(())
    require(array.ndim > 0, what, given, "an array of numbers")
    require(array.dtype.kind in "iufb", what, array.dtype, "a type of numbers")
    flags = array.flags
    if flags.c_contiguous and flags.aligned and array.dtype == dtype:
        return array
    return np.require(array, dtype, ["C", "A"])
