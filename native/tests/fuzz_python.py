"""What must hold for the compiled engine whatever arrays Python gives it.

A call either answers as on plain arrays with the same numbers, to the bit, and as the reference engine does but for
rounding, by the bounds of tests/oracles/terms.py; or it refuses: ``native`` with a ChainruleError, the module beneath
with a ValueError, TypeError or BufferError, both with a MemoryError where an array claims more than there is. It never
crashes, writes beside an array, or changes anything when it refuses.

    python native/tests/fuzz_python.py [--seconds S] [--seed N] [--case I]

tries the cases that follow from the seed for S seconds, or only the I-th of them.
"""

import argparse
import copy
import faulthandler
import mmap
import os
import resource
import struct
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chainrule import ChainruleError, Network, Optimizer, ParameterVector, initial_parameters
from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.cost import COSTS
from chainrule.engines import _native, native, reference
from chainrule.engines.optimizer import METHODS
from chainrule.engines.state import TrainingState

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from oracles.terms import ROUNDINGS, Terms, cost_terms, faults, prediction_terms, roundings, terms

Array = np.ndarray[Any, Any]
Random = np.random.Generator

CANARY = 0xA5
REFUSALS = (
    ValueError,
    TypeError,
    BufferError,
    OverflowError,
    MemoryError,
)  # of the module; an integer may be too large
GIBIBYTES = 12  # of address space, so that an array that claims more is refused and not waited for


class Failed(Exception):  # noqa: N818
    """Something that must hold does not."""


def must(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


# arrays --------------------------------------------------------------------------------------------


def fenced(array: Array) -> tuple[Array, Callable[[], bool]]:
    """A copy in the middle of some memory, and a question whether something was written beside it."""
    memory = np.full(array.nbytes + 128, CANARY, np.uint8)
    inside = memory[64 : 64 + array.nbytes].view(array.dtype).reshape(array.shape)
    inside[...] = array
    return inside, lambda: bool((memory[:64] == CANARY).all() and (memory[-64:] == CANARY).all())


def strided(random: Random, array: Array) -> Array:
    step = int(random.integers(2, 4))
    wide: Array = np.full(tuple(step * n for n in array.shape), np.nan, array.dtype)
    steps = tuple(slice(None, None, step) for _ in array.shape)
    wide[steps] = array
    return wide[steps]


def reversed_(random: Random, array: Array) -> Array:
    steps = tuple(slice(None, None, int(random.choice([1, -1]))) for _ in array.shape)
    return np.ascontiguousarray(array[steps])[steps]


def misaligned(random: Random, array: Array) -> Array:
    memory = bytearray(int(random.integers(1, 8))) + array.tobytes()
    return np.frombuffer(memory, np.uint8, offset=len(memory) - array.nbytes).view(array.dtype).reshape(array.shape)


def read_only(random: Random, array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def byte_swapped(random: Random, array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder())


class Subclass(np.ndarray[Any, Any]):
    pass


def subclass(random: Random, array: Array) -> Array:
    return array.view(Subclass)


def in_fortran_order(random: Random, array: Array) -> Array:
    return np.asfortranarray(array)


def longer(random: Random, array: Array) -> Array:
    return array.astype(np.longdouble)


Layout = Callable[[Random, Array], Array]

LAYOUTS: Sequence[Layout] = (
    strided,
    reversed_,
    in_fortran_order,
    misaligned,
    read_only,
    byte_swapped,
    longer,
    subclass,
)
"""The same numbers in another way."""


def another_shape(random: Random, array: Array) -> Any:
    shapes: Sequence[Callable[[], Array]] = (
        lambda: array[0] if len(array) else array,
        lambda: array.reshape(-1),
        lambda: array[None],
        lambda: array[:0],
        lambda: array[: int(random.integers(len(array) + 1))],
        lambda: array[..., :0],
        lambda: array[..., 1:],
        lambda: np.concatenate([array, array], axis=-1),
        lambda: array.T,
        lambda: np.array(1.5, array.dtype),
        lambda: np.empty((0,) * int(random.integers(1, 6)), array.dtype),
    )
    return shapes[random.integers(len(shapes))]()


def claiming_more(random: Random, array: Array) -> Any:
    """A few numbers that look like many: rows that repeat, or more of them than any memory has."""
    if not array.ndim or not array.size:
        return np.empty((2**61, 0), np.int8)
    most = 2**62 // array[:1].nbytes
    n = int(random.choice([2, 1000, min(2**45, most), most]))
    strides = (0, *array.strides[1:]) if random.integers(2) else (0,) * array.ndim
    return as_strided(array, (n, *array.shape[1:]), strides, writeable=False)


def another_type(random: Random, array: Array) -> Any:
    name = random.choice(
        ["i1", "u8", "i4", "?", "f2", "f4", "f8", "c8", "c16", "O", "S8", "U4", "M8[s]", "m8[s]", "V8"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return array.astype(name)
        except (TypeError, ValueError):
            return np.zeros(array.shape, name)


def no_array(random: Random, array: Array) -> Any:
    small = array[:3]
    others: Sequence[Callable[[], Any]] = (
        lambda: None, lambda: 3, lambda: float("nan"), lambda: np.float32(1), lambda: "text", lambda: b"bytes", list,
        dict, lambda: [object()], lambda: range(5), lambda: small.tolist(), lambda: array.tobytes(),
        lambda: memoryview(array), lambda: bytearray(array.tobytes()),
        lambda: np.array([small, None], object), object, lambda: Ellipsis,
    )  # fmt: skip
    return others[random.integers(len(others))]()


HOSTILE: Sequence[Callable[[Random, Array], Any]] = (
    another_shape,
    another_shape,
    claiming_more,
    another_type,
    no_array,
)


def numbers_among_hostile(random: Random, array: Array) -> Array:
    array = array.copy()
    flat = array.reshape(-1)
    for _ in range(int(random.integers(1, 4))):
        if flat.size:
            flat[random.integers(flat.size)] = random.choice([np.nan, np.inf, -np.inf, 0, 1e30, -1e30, 1e-44])
    return array


class Given:
    """An argument: what is passed, whether it has the same numbers as the plain array, and what it was."""

    def __init__(self, random: Random, plain: Array, hostility: float) -> None:
        self.plain = plain
        self.value: Any = plain.copy()
        self.same = True
        self.how = "plain"
        if random.random() < 0.4 and plain.dtype.kind == "f":
            layout = LAYOUTS[random.integers(len(LAYOUTS))]
            self.value, self.how = layout(random, plain), layout.__name__
        if random.random() < hostility:
            change = HOSTILE[random.integers(len(HOSTILE))]
            self.value, self.same, self.how = change(random, self.value), False, f"{self.how}, {change.__name__}"
        self.before = _content(self.value)

    def unchanged(self) -> bool:
        return _content(self.value) == self.before

    def __repr__(self) -> str:
        value = self.value
        if isinstance(value, np.ndarray):
            return f"{self.how}: {value.dtype} {value.shape} strides {value.strides}"
        return f"{self.how}: {type(value).__name__}"


def _content(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.size > 10**6:
            return value.shape
        return repr(value.tolist()) if value.dtype.hasobject else (str(value.dtype), value.shape, value.tobytes())
    return None if value is None else repr(value)[:1000] if not isinstance(value, memoryview) else value.tobytes()


# networks ------------------------------------------------------------------------------------------


def random_network(random: Random) -> Network:
    sizes = [int(random.choice([1, 2, 3, 4, 5, 8, 9, 16, 17, 33])) for _ in range(random.integers(2, 5))]
    cost = str(random.choice(list(COSTS)))
    endings = [name for name in ACTIVATIONS if COSTS[cost].goes_with(name)]
    hidden = [name for name, σ in ACTIVATIONS.items() if σ.elementwise and name != "exp"]
    names = [str(random.choice(hidden)) for _ in sizes[2:]] + [str(random.choice(endings))]
    l1, l2 = random.choice([0.0, 0.01], 2).tolist()
    return Network(sizes, names, cost, l1, l2)


def targets(random: Random, cost: str, shape: tuple[int, int]) -> Array:
    match cost:
        case "cross-entropy":
            return np.eye(shape[1])[random.integers(shape[1], size=shape[0])]
        case "binary-cross-entropy" | "poisson":
            return random.integers(2, size=shape).astype(np.float64)
        case _:
            return random.normal(size=shape)


class Case:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.network = random_network(random)
        self.dtype = np.dtype(random.choice(["f4", "f8"]))
        n = self.n = int(random.choice([1, 2, 5, 8, 30, 70, 130]))
        self.p = initial_parameters(self.network, int(random.integers(1000)), self.dtype)
        self.X: Array = random.normal(size=(n, self.network.sizes[0])).astype(self.dtype)
        self.Y = targets(random, self.network.cost, (n, self.network.sizes[-1])).astype(self.dtype)
        self.weights: Array | None = random.uniform(0.1, 2, n).astype(self.dtype) if random.integers(2) else None
        if random.random() < 0.1:
            self.X = numbers_among_hostile(random, self.X)
        self.hostility = float(random.choice([0, 0.3, 0.7]))

    def given(self, plain: Array) -> Given:
        return Given(self.random, plain, self.hostility)

    def array(self, plain: Array) -> Array:
        """The same, but an array in any case."""
        value = self.given(plain).value
        return value if isinstance(value, np.ndarray) else np.zeros(3, np.complex64)


def promised(p: ParameterVector, X: Array, Y: Array, weights: Array | None) -> Terms | None:
    """Σ|terms|, unless more than the first order of rounding counts, the cost does not take the targets, or an
    output whose logarithm it takes is too small even for a long double."""
    number = np.finfo(X.dtype)
    if not COSTS[p.network.cost].accepts(Y).all():
        return None
    limits = terms(p, X, Y, weights)
    first_order = limits.largest < number.max / 1e4 and limits.largest_E < 0.01 / number.eps
    # a sum of n_in products and b, each rounded by at most eps, of a that are rounded too; and twice that
    decided = limits.kink_distance > 2 * (max(p.network.sizes) + 8) * number.eps
    known = np.isfinite(limits.cost) and np.isfinite(limits.gradient).all()
    return limits if first_order and decided and known else None


def wide(array: Any) -> Any:
    return None if array is None else array.astype(np.float64)


# chainrule.engines.native --------------------------------------------------------------------------


def of_the_face(case: Case) -> str:
    """One call of gradient, predict or data_cost."""
    what = str(case.random.choice(["gradient", "predict", "data_cost"]))
    X, Y = case.given(case.X), case.given(case.Y)
    weights = None if case.weights is None or what != "gradient" else case.given(case.weights)
    others = {"gradient": [Y], "predict": [], "data_cost": [Y]}[what]
    arguments = [X, *others, *([weights] if weights else [])]
    p_before = case.p.vector.tobytes()
    note(f"{what} of {case.network}, {case.dtype}, {arguments}")
    try:
        got = getattr(native, what)(case.p, *(given.value for given in arguments))
    except (ChainruleError, MemoryError) as error:
        must(not all(given.same for given in arguments), f"refused without need: {error}")
        got = None
    must(
        all(given.unchanged() for given in arguments) and case.p.vector.tobytes() == p_before, "an argument was changed"
    )
    if got is None:
        return f"{what}: refused"
    if weights is not None and weights.value is None:  # which is an answer, too
        arguments.remove(weights)
        weights = None
    plain = [given.plain for given in arguments]
    if not all(given.same for given in arguments):
        try:  # what was taken has to be what NumPy makes of it
            plain = [np.require(given.value, case.dtype, ["C", "A"]) for given in arguments]
        except (TypeError, ValueError) as error:
            raise Failed(f"taken, though NumPy cannot: {error}") from None
        shapes = [
            (len(plain[0]), case.network.sizes[0]),
            *([(len(plain[0]), case.network.sizes[-1])] if others else []),
        ]
        shapes += [(len(plain[0]),)] if weights else []
        must([array.shape for array in plain] == shapes, "taken in a shape that is not the network's")
        if len(plain[0]) == 0:
            return f"{what}: of no rows"
    expected = getattr(native, what)(case.p, *plain)
    must(_bits_of(got) == _bits_of(expected), "not as for plain arrays")
    return f"{what}: answered" + as_the_reference(what, case.p, got, *plain)


def as_the_reference(
    what: str, p: ParameterVector, got: Any, X: Array, Y: Array | None = None, weights: Array | None = None
) -> str:
    """Whether an answer to plain arrays is that of the reference engine in float64, but for rounding."""
    any_targets = np.zeros((len(X), p.network.sizes[-1]), X.dtype)
    limits = promised(p, X, any_targets if Y is None else Y, weights)
    if limits is None:
        return ", nothing promised"
    p_wide, eps = p.astype(np.float64), float(np.finfo(X.dtype).eps)
    match what:
        case "gradient":
            C, g = reference.gradient(p_wide, wide(X), wide(Y), wide(weights))
            found = faults(got[0], got[1].vector, C, g.vector, limits, eps)
        case "predict":
            each = roundings(got, reference.predict(p_wide, wide(X)), prediction_terms(p, X), eps)
            found = [] if (each <= ROUNDINGS).all() else [f"{each.max():.3g} roundings"]
        case _:
            C = reference.data_cost(p_wide, wide(X), wide(Y))
            off = roundings(np.array(got), np.array(C), cost_terms(p, X, Y).mean(), eps)
            found = [] if off <= ROUNDINGS else [f"{off:.3g} roundings"]
    must(not found, f"not as the reference engine: {found}")
    return ""


def _bits_of(answer: Any) -> Any:
    """An answer of one of the three; every NaN is like any other."""
    if isinstance(answer, tuple):
        return [*map(_bits_of, answer)]
    array = np.array(answer.vector if isinstance(answer, ParameterVector) else answer)
    array[np.isnan(array)] = np.nan
    return array.tobytes()


def of_training(case: Case) -> str:
    """A run of a state, some of whose arrays were exchanged after it was made."""
    random, n = case.random, case.n
    optimizer = Optimizer(str(random.choice(list(METHODS))), 0.01)
    batch_size = int(random.integers(1, n + 3))
    state = TrainingState(case.p, optimizer, case.X, case.Y, batch_size, 0, case.weights)
    plainly = bool(random.integers(2))  # by the method alone
    if not plainly:
        state.dropout = tuple(random.choice([0.0, 0.2, 0.9]) for _ in case.network.activation)
        state.clip_norm = float(random.choice([1e-3, 1.0, 1e3])) if random.integers(2) else None
        state.note_norms = bool(random.integers(2))
    n_steps = int(random.choice([0, 1, 3, state.steps_left_in_epoch + 1]))
    exchanged = random.random() < case.hostility
    if exchanged:
        match random.integers(8):
            case 0:
                state.order = _order(random, n)
            case 1:
                state.cursor = int(random.integers(-2, n + 3))
            case 2:
                state.moments = tuple(case.array(moment) for moment in state.moments)
            case 3:
                state.moments = state.moments[1:] if random.integers(2) else (*state.moments, case.p.vector.copy())
            case 4:
                state.weights = case.array(random.uniform(0.1, 2, n).astype(case.dtype))
            case 5:
                state.parameters.vector = (misaligned, read_only)[random.integers(2)](random, case.p.vector)
            case _:
                state.X, state.Y = case.array(case.X), case.array(case.Y)
    note(f"{n_steps} steps of {batch_size} by {optimizer.name} of {case.network}, {case.dtype}: {_shape(state)}")
    before, twin = _bits(state), copy.copy(state)
    twin.parameters = ParameterVector(state.parameters.network, np.array(state.parameters.vector))
    twin.moments = tuple(m if m.size > 10**6 else copy.deepcopy(m) for m in state.moments)
    twin.costs, twin.gradient_norms = state.costs.copy(), state.gradient_norms.copy()
    try:
        native.run(state, n_steps)
    except (ChainruleError, MemoryError):
        must(exchanged, "refused without need")
        must(_bits(state) == before, "changed by a run that was refused")
        return "run: refused"
    plain, theirs = _plain(twin, case.dtype), _plain(twin, case.dtype)
    for step in range(n_steps):
        before_step = _plain(plain, case.dtype)
        native.run(plain, 1)
        # the others' first steps divide a gradient by its own size
        if step < 3 and plainly and optimizer.name in ("sgd", "momentum", "nesterov"):
            as_a_step_of_the_reference(before_step, plain)
    must(_result(state) == _result(plain), "not as for plain arrays, a step at a time")
    reference.run(theirs, n_steps)
    must(
        (state.step, state.epoch, state.cursor) == (theirs.step, theirs.epoch, theirs.cursor),
        "at another step than the reference engine",
    )
    return "run: made"


def _plain(state: TrainingState, dtype: Any) -> TrainingState:
    """Another state with the same numbers, in plain arrays of that type."""
    other = copy.copy(state)
    other.X, other.Y = (np.array(array, dtype) for array in (state.X, state.Y))
    other.weights = None if state.weights is None else np.array(state.weights, dtype)
    other.order = np.array(state.order)
    other.parameters = ParameterVector(state.parameters.network, np.array(state.parameters.vector, dtype))
    other.moments = tuple(np.array(moment, dtype) for moment in state.moments)
    other.costs, other.gradient_norms = state.costs.copy(), state.gradient_norms.copy()
    return other


def _result(state: TrainingState) -> Any:
    arrays = (state.parameters.vector, *state.moments)
    costs = (state.running_cost, state.running_weight, *state.costs)
    norms = [*map(_bits_of, state.gradient_norms)]
    return [*map(_bits_of, arrays), state.order.tolist(), state.step, state.epoch, state.cursor, repr(costs), norms]


def as_a_step_of_the_reference(before: TrainingState, after: TrainingState) -> None:
    """Whether p and v are right but for rounding after a step by p − lr·g, p − lr·v or p − lr·(g + μv), v ← μv + g.

    What g is off by reaches v as it is, and p times at most lr·(1 + μ) < 2·lr; a dozen operations add their own.
    """
    batch = before.order[before.cursor : before.cursor + before.batch_size]
    X, Y, weights = before.X[batch], before.Y[batch], None if before.weights is None else before.weights[batch]
    if weights is not None and not weights.any():
        return
    limits = promised(before.parameters, X, Y, weights)
    if limits is None:
        return
    exact = _plain(before, np.float64)
    reference.run(exact, 1)
    eps, lr, g = float(np.finfo(X.dtype).eps), before.optimizer.rate, limits.gradient
    sizes = g + sum(np.abs(v) for v in before.moments)
    v_off = eps * (ROUNDINGS * g + 12 * sizes)
    p_off = 2 * lr * v_off + 12 * eps * np.abs(before.parameters.vector)
    must(
        bool((np.abs(after.parameters.vector - exact.parameters.vector) <= p_off).all()),
        "not a step of the reference's",
    )
    for got, v in zip(after.moments, exact.moments, strict=True):
        must(bool((np.abs(got - v) <= v_off).all()), "not the moments of the reference engine")


def _order(random: Random, n: int) -> Any:
    order = random.permutation(n)
    match random.integers(9):
        case 0:
            order[random.integers(n)] = random.choice([-1, -n, n, n + 1, 2**31, -(2**31), 2**62, -(2**63)])
        case 1:
            return order.astype(str(random.choice(["i1", "i4", "u8", "f8", "?", ">i8", "O"])))
        case 2:
            return order[: int(random.integers(0, n + 1))]
        case 3:
            return np.repeat(order, 2)[::2]
        case 4:
            return order[None]
        case 5:
            return order.astype(np.float64) + 0.5
        case 6:
            return np.broadcast_to(order[:1], (int(random.choice([1, n, 2 * n])),))
        case 7:
            return np.array([2**64 - 1] * n, np.uint64)
        case _:
            return np.concatenate([order, order])
    return order


def _shape(state: TrainingState) -> str:
    arrays = [state.parameters.vector, state.X, state.Y, state.weights, state.order, *state.moments]
    shown = [f"{a.dtype} {a.shape} {a.strides}" if isinstance(a, np.ndarray) else f"{type(a).__name__}" for a in arrays]
    return f"{shown}, cursor {state.cursor}"


def _bits(state: TrainingState) -> Any:
    arrays = (state.parameters.vector, *state.moments, state.X, state.Y, state.weights, state.order)
    return [*map(_content, arrays), state.step, state.epoch, state.cursor, repr(state.running_cost), state.costs.copy()]


# the module beneath --------------------------------------------------------------------------------


def of_the_module(case: Case) -> str:
    """One call of a Chain with anything at all."""
    random, network = case.random, case.network
    wild = random.random() < 0.2
    Chain = _native.Chain32 if case.dtype == np.float32 else _native.Chain64
    arguments: list[Any] = [
        list(network.sizes),
        [list(ACTIVATIONS).index(name) for name in network.activation],
        list(COSTS).index(network.cost),
        network.l1,
        network.l2,
        str(random.choice(native.INSTRUCTION_SETS)),
    ]
    if wild:
        others: list[list[Any]] = [
            [[], [5], [0, 3], [3, -1], [2**62, 2**62], [3, 2**63], [2**40, 2**40], "ab", None, 3, [1.5, 2]],
            [[], [99], [-1], [10, 10], None],
            [-1, 7, 2**40, None, 1.5],
            [None, "x", float("nan"), float("inf"), -1.0],
            [None, "x", float("nan"), 1e308],
            ["", "avx3", None, "baseline\0", 7],
        ]
        which = int(random.integers(len(others)))
        choices = others[which]
        arguments[which] = choices[int(random.integers(len(choices)))]
    note(f"Chain{case.dtype.itemsize * 8}{tuple(arguments)}")
    try:
        chain = Chain(*arguments)
    except REFUSALS:
        must(wild, "refused without need")
        return "Chain: refused"
    what = str(random.choice(["gradient", "run", "predict", "data_cost"]))
    size = network.n_parameters
    one = np.zeros(size, case.dtype)
    n_steps, batch_size = int(random.integers(0, 4)), int(random.integers(1, case.n + 2))
    integer = [-(2**63), -(2**31), -3, -1, 0, 1, 2, 3, 64, 2**20, 2**31 - 1, 2**31, 2**62, 2**63 - 1, 2**64]
    threads: Any = int(random.integers(1, 6))
    if random.random() < case.hostility / 2:
        threads = random.choice(np.array([*integer[:9], None, 1.5, 2**31, 2**64], object))
    fences: list[Callable[[], bool]] = []
    givens: list[Given] = []

    def array(plain: Array, out: bool = False) -> Any:
        given = case.given(plain)
        givens.append(given)
        if out and given.same and given.how == "plain":
            given.value, fence = fenced(plain)
            fences.append(fence)
        return given.value

    def number(usual: Any) -> Any:
        if random.random() < case.hostility / 6:
            return random.choice(np.array([*integer, None, 1.5, "3"], object))
        return usual

    weights = None if case.weights is None else array(case.weights)
    p, X, Y = array(case.p.vector, what == "run"), array(case.X), array(case.Y)
    match what:
        case "gradient":
            call: tuple[Any, ...] = (p, X, Y, weights, array(one, True), threads)
        case "predict":
            call = (p, X, array(np.zeros((case.n, network.sizes[-1]), case.dtype), True), threads)
        case "data_cost":
            call = (p, X, Y, threads)
        case _:
            method = int(random.integers(len(METHODS)))
            n_steps = min(n_steps, -(-case.n // batch_size))
            moments = [array(one, True) if i < METHODS[list(METHODS)[method]].n_moments else None for i in range(2)]
            order = (
                None
                if random.integers(2)
                else _order(random, case.n)
                if random.random() < case.hostility
                else random.permutation(case.n)
            )
            L = network.depth
            figures = array(np.zeros(n_steps), True), array(np.zeros(n_steps), True)
            squares = array(np.zeros((n_steps, L)), True) if random.integers(2) else None
            dropout = array(random.uniform(0, 1.02, L)) if random.integers(2) else None
            clip_norm = float(random.choice([0.0, 1e-3, 1.0, float("nan"), float("inf"), -1.0]))
            call = (
                p, *moments, X, Y, weights, order, number(0), number(batch_size), number(0), number(n_steps),
                number(method), array(np.full(n_steps, 0.01)), 0.9, 0.9, 0.999, 1e-8, bool(random.integers(2)), 0.9,
                0.01, bool(random.integers(2)), bool(random.integers(2)), dropout, number(7), clip_norm, *figures,
                squares, threads,
            )  # fmt: skip
    before = [_content(given.value) for given in givens]
    note(f"Chain.{what}, {network}, {case.dtype}, {givens}, {[c for c in call if not isinstance(c, np.ndarray)]}")
    try:
        getattr(chain, what)(*call)
    except REFUSALS:
        must([_content(given.value) for given in givens] == before, "changed by a call that was refused")
        return f"Chain.{what}: refused"
    must(all(fence() for fence in fences), "written beside an array")
    return f"Chain.{what}: answered"


# running -------------------------------------------------------------------------------------------

_note = ""


def note(text: str) -> None:
    """What is being tried, to be told if it fails."""
    global _note
    _note = text


def one_case(seed: int, i: int) -> str:
    random = np.random.default_rng([seed, i])
    kind = (of_the_face, of_training, of_the_module)[i % 3]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(Case(random))


def work(seed: int, first: int, seconds: float, only: int | None, at: mmap.mmap) -> int:
    """Cases until the time is over; how many failed."""
    outcomes: Counter[str] = Counter()
    failed = 0
    end = time.monotonic() + seconds
    i = first
    while time.monotonic() < end or only is not None:
        at[:8] = struct.pack("q", i)
        try:
            outcomes[one_case(seed, i)] += 1
        except Exception as error:
            failed += 1
            print(f"--seed {seed} --case {i}: {type(error).__name__}: {error}\n  {_note}", flush=True)
            if not isinstance(error, Failed):
                traceback.print_exc(limit=-3, file=sys.stdout)
        if only is not None:
            break
        i += 1
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:8} {outcome}")
    print(f"{outcomes.total()} passed, {failed} failed", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int)
    options = parser.parse_args()
    if "ASAN_OPTIONS" not in os.environ:  # the address sanitizer needs terabytes
        resource.setrlimit(resource.RLIMIT_AS, (GIBIBYTES << 30, GIBIBYTES << 30))
    faulthandler.enable()
    at = mmap.mmap(-1, 8)
    child = os.fork()
    if child == 0:
        os._exit(min(work(options.seed, options.case or 0, options.seconds, options.case, at), 100))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not 0 <= status <= 100:
        print(f"--seed {options.seed} --case {struct.unpack('q', at[:8])[0]}: died of {status}")
    return status != 0


if __name__ == "__main__":
    sys.exit(main())
