"""What a step may be told beside its method: other learning rates, what to drop, how long ∇C may be, what to note."""

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from given import ENGINES, compiled
from numpy.typing import NDArray

from chainrule import Network, Optimizer, ParameterVector, initial_parameters
from chainrule.calculus.gradient import gradient
from chainrule.engines import engine
from chainrule.engines.random import dropout_key, kept, philox
from chainrule.engines.state import TrainingState
from chainrule.errors import InputError

Array = NDArray[Any]

NETWORK = Network((5, 7, 6, 3), ("tanh", "sigmoid", "identity"), "squared-error", l2=0.01)
N, BATCH, SEED = 23, 5, 4
DROPOUT = (0.2, 0.5, 0.4)
ROUNDINGS = 200 * np.finfo(np.float64).eps
"""A path through the network has some thirty products, sums of 5 to 7 terms and functions of a few roundings each."""


@pytest.fixture(scope="module", params=ENGINES)
def each_engine(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHAINRULE_ENGINE", request.param)
        yield engine()


def _state(optimizer: Optimizer | None = None, **more: Any) -> TrainingState:
    random = np.random.default_rng(1)
    X, Y = random.normal(size=(N, 5)), random.normal(size=(N, 3))
    more = {"batch_size": BATCH, "seed": SEED} | more
    return TrainingState(
        initial_parameters(NETWORK, 2, np.float64), optimizer or Optimizer("sgd", 0.1), more.pop("X", X), Y, **more
    )


# what is dropped -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        (0, [0, 0, 0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (2**64 - 1, [2**32 - 1] * 4, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            0x299F31D0A4093822,
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(key: int, counter: list[int], words: list[int]) -> None:
    """From kat_vectors of the Random123 library, philox4x32 with 10 rounds."""
    assert [int(word) for word in philox(key, *map(np.uint64, counter))] == words


def test_what_is_dropped_is_the_share_that_was_asked_for() -> None:
    for p in (0.1, 0.5, 0.9):
        share = kept(dropout_key(3), p, 7, 1, 400, 301).mean()
        assert share == pytest.approx(1 - p, abs=6 * np.sqrt(p * (1 - p) / (400 * 301)))
    assert kept(1, 0.0, 0, 0, 50, 50).all()


def test_what_is_dropped_depends_on_key_step_layer_row_and_neuron_alone() -> None:
    first = kept(9, 0.5, 3, 1, 40, 50)
    assert np.array_equal(kept(9, 0.5, 3, 1, 13, 22), first[:13, :22])
    others = [kept(8, 0.5, 3, 1, 40, 50), kept(9, 0.5, 4, 1, 40, 50), kept(9, 0.5, 3, 2, 40, 50)]
    # of 2,000 entries that have nothing to do with one another, half are the same
    shares = [(first == other).mean() for other in others] + [(first[1:] == first[:-1]).mean()]
    assert shares == pytest.approx([0.5] * 4, abs=6 * np.sqrt(0.25 / 1950))


def _cost(p: Array, X: Array, Y: Array, masks: list[Array]) -> Any:
    """C with the entries of each a multiplied by a mask, also of complex parameters."""
    a, at, penalties = X * masks[0], 0, 0
    for l, (n_in, n_out) in enumerate(zip(NETWORK.sizes[:-1], NETWORK.sizes[1:], strict=True), 1):
        w = p[at : at + n_in * n_out].reshape(n_out, n_in)
        b = p[at + n_in * n_out : at + (n_in + 1) * n_out]
        at += (n_in + 1) * n_out
        z = a @ w.T + b
        a = np.tanh(z) * masks[1] if l == 1 else masks[2] / (1 + np.exp(-z)) if l == 2 else z
        penalties += NETWORK.l2 * (w * w).sum()
    return ((a - Y) ** 2).sum() / len(X) + penalties


def test_a_step_with_dropout_follows_the_gradient_of_the_network_without_what_is_dropped(
    each_engine: ModuleType,
) -> None:
    state = _state(dropout=DROPOUT)
    for step in range(7):  # the fifth batch has three rows
        batch = state.order[state.cursor : state.cursor + BATCH]
        masks = [
            kept(dropout_key(SEED), p, step, l, len(batch), NETWORK.sizes[l]) / (1 - p) for l, p in enumerate(DROPOUT)
        ]
        p = state.parameters.vector.copy()
        X, Y = state.X[batch], state.Y[batch]
        g = np.array([_cost(p + 1e-30j * unit, X, Y, masks).imag / 1e-30 for unit in np.eye(len(p))])
        each_engine.run(state, 1)
        assert state.parameters.vector == pytest.approx(p - 0.1 * g, rel=ROUNDINGS, abs=ROUNDINGS)
        assert np.abs(g - gradient(ParameterVector(NETWORK, p), X, Y)[1].vector).max() > 0.01


def test_dropout_cuts_into_no_other_random_number_and_not_into_predictions(each_engine: ModuleType) -> None:
    state, plain = _state(dropout=DROPOUT), _state()
    for each in (state, plain):
        each_engine.run(each, 5)
    assert np.array_equal(state.order, plain.order)
    X = state.X[:3]
    whole = each_engine.predict(state.parameters, state.X)
    assert each_engine.predict(state.parameters, X) == pytest.approx(whole[:3], rel=ROUNDINGS)
    none = _state(dropout=(0.0, 0.0, 0.0))
    each_engine.run(none, 5)
    assert np.array_equal(none.parameters.vector, plain.parameters.vector)


# the rest ------------------------------------------------------------------------------------------


def _falling(step: int, n: int) -> Array:
    return 0.02 / np.arange(step + 1, step + n + 1)


@pytest.mark.parametrize("method", ["sgd", "nesterov", "adam", "adamw", "rmsprop"])
def test_each_step_has_its_own_learning_rate(each_engine: ModuleType, method: str) -> None:
    state = _state(Optimizer(method, 0.01), rates=_falling)
    by_hand = _state(Optimizer(method, 0.01))
    each_engine.run(state, 8)
    for step in range(8):
        by_hand.optimizer = replace(by_hand.optimizer, lr=0.02 / (step + 1))
        each_engine.run(by_hand, 1)
    assert np.array_equal(state.parameters.vector, by_hand.parameters.vector)


def test_a_gradient_that_is_too_long_is_shortened_and_another_is_left_alone(each_engine: ModuleType) -> None:
    long, short, plain = _state(clip_norm=0.25), _state(clip_norm=1e6), _state()
    before = plain.parameters.vector.copy()
    for state in (long, short, plain):
        each_engine.run(state, 1)
    assert np.array_equal(short.parameters.vector, plain.parameters.vector)
    step, whole = (state.parameters.vector - before for state in (long, plain))
    # the difference of two parameters of up to 1 has their roundings
    assert np.linalg.norm(step) == pytest.approx(0.1 * 0.25, rel=1e-12)
    assert step * np.linalg.norm(whole) == pytest.approx(whole * np.linalg.norm(step), abs=1e-14)


@pytest.mark.parametrize("clip_norm", [None, 0.3])
@pytest.mark.parametrize("batch_size", [BATCH, N])
def test_the_norms_that_are_noted_are_those_of_the_gradients(
    each_engine: ModuleType, clip_norm: float | None, batch_size: int
) -> None:
    state = _state(note_norms=True, clip_norm=clip_norm, batch_size=batch_size)
    sums: list[Array] = []
    for _ in range(3):
        squares: list[list[float]] = []
        for _ in range(state.steps_per_epoch):
            batch = state.order[state.cursor : state.cursor + batch_size]
            g = gradient(state.parameters, state.X[batch], state.Y[batch])[1]
            squares.append([float((g.w[l] ** 2).sum() + (g.b[l] ** 2).sum()) for l in NETWORK.layers])
            each_engine.run(state, 1)
        sums.append(np.sqrt(np.mean(squares, axis=0)))
    assert len(state.gradient_norms) == 3
    assert np.array(state.gradient_norms) == pytest.approx(np.array(sums), rel=ROUNDINGS)


def test_the_first_step_whose_cost_is_no_number_is_noted(each_engine: ModuleType) -> None:
    state = _state()
    assert state.bad_step is None
    X = state.X.copy()
    X[state.order[BATCH * 3 + 1]] = np.inf
    state = _state(X=X)
    each_engine.run(state, 3)
    assert state.bad_step is None
    with np.errstate(invalid="ignore"):
        each_engine.run(state, 8)
    assert state.bad_step == 3


def _rising(step: int, n: int) -> Array:
    return np.arange(step, step + n) / 1000


OPTIONS: dict[str, Any] = {"dropout": DROPOUT, "clip_norm": 0.4, "note_norms": True}


@pytest.mark.parametrize("method", ["nesterov", "adamw"])
def test_slices_change_no_bit(each_engine: ModuleType, method: str) -> None:
    whole, sliced = (_state(Optimizer(method, 0.01), rates=_rising, **OPTIONS) for _ in range(2))
    each_engine.run(whole, 17)
    for n in (1, 4, 2, 3, 7):
        each_engine.run(sliced, n)
    for one, other in zip(
        (whole.parameters.vector, *whole.moments, *whole.gradient_norms, np.array(whole.costs)),
        (sliced.parameters.vector, *sliced.moments, *sliced.gradient_norms, np.array(sliced.costs)),
        strict=True,
    ):
        assert np.array_equal(one, other)


@compiled
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(5, 7, 3), (40, 33, 64, 10), (300, 200, 150, 4), (3, 500, 2)])
def test_the_native_engine_does_as_the_reference(sizes: tuple[int, ...], dtype: type[np.floating[Any]]) -> None:
    """Whether weights lie in panels or not, in one group of rows or in several, in one thread or in more."""
    random = np.random.default_rng(5)
    L = len(sizes) - 1
    network = Network(sizes, ["tanh"] * (L - 1) + ["softmax"], "cross-entropy", l2=1e-3)
    X = random.normal(size=(203, sizes[0])).astype(dtype)
    Y = np.eye(sizes[-1], dtype=dtype)[random.integers(sizes[-1], size=203)]
    dropout = (0.1, *[0.5] * (L - 1))
    for method in ("sgd", "adamw", "rmsprop"):
        for batch_size in (7, 200):
            found: list[TrainingState] = []
            for name in ("reference", "native"):
                p = initial_parameters(network, 0, np.dtype(dtype))
                o = Optimizer(method, 0.003, epsilon=1e-3)
                state = TrainingState(p, o, X, Y, batch_size, 3, dropout=dropout, clip_norm=0.05, note_norms=True)
                engine(name).run(state, 2 * state.steps_per_epoch + 1)
                found.append(state)
            one, other = found
            # 61 steps of sums of up to 300 terms; no step is longer than 3·lr·√n and an error grows by less than e
            assert np.abs(one.parameters.vector - other.parameters.vector).max() <= 300 * np.finfo(dtype).eps
            assert np.array(one.gradient_norms) == pytest.approx(
                np.array(other.gradient_norms), rel=2000 * float(np.finfo(dtype).eps)
            )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": (0.5,)}, r"dropout: \(0.5,\) is not a probability for each of the layers 0 to 2"),
        ({"dropout": (0.0, 1.0, 0.0)}, "dropout: 1.0 is not a probability of at least 0 and below 1"),
        ({"dropout": (0.0, float("nan"), 0.0)}, "dropout: nan is not a probability"),
        ({"clip_norm": 0.0}, "clip norm: 0.0 is not the most that ∇C may be long"),
        ({"clip_norm": "1"}, "clip norm: '1' is not"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _state(**options)


@pytest.mark.parametrize("constant", ["momentum", "rho", "weight_decay"])
def test_constants_that_cannot_be_are_refused(constant: str) -> None:
    changes: dict[str, Any] = {constant: -0.1}
    with pytest.raises(InputError, match=f"{constant.replace('_', ' ')}: -0.1 is not a number"):
        Optimizer("adam", **changes)
