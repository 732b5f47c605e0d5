"""The compiled engine computes what the reference engine does: every instruction set, every size, to the rounding; and
its own bits do not depend on how the work is cut.

``pytest tests/test_native.py --networks 10000`` tries that many random networks; the default is 300.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from given import bits, compiled, targets
from oracles.networks import LAST, Case, random_case
from oracles.terms import (
    EPS32,
    EPS64,
    KINKED,
    ROUNDINGS,
    SLOPES,
    Terms,
    cost_terms,
    faults,
    prediction_terms,
    roundings,
    terms,
)

from chainrule import Network, Optimizer, ParameterVector, initial_parameters
from chainrule.calculus.gradient import gradient
from chainrule.engines import reference
from chainrule.engines.optimizer import METHODS
from chainrule.engines.state import TrainingState
from chainrule.errors import InputError

pytest.importorskip("chainrule.engines._native", reason="the engine is not compiled here")

from chainrule.engines import native

Array = np.ndarray[Any, Any]
Dtype = type[np.floating[Any]]

pytestmark = compiled

DTYPES = (np.float32, np.float64)
EPS = {np.float32: EPS32, np.float64: EPS64}
THREADS = (1, 2, 3, 4)
CHUNK = 50

both_dtypes = pytest.mark.parametrize("dtype", DTYPES)


def use(monkeypatch: pytest.MonkeyPatch, *, isa: str | None = None, threads: int | None = None) -> None:
    """Have the engine work with this instruction set, and offer it so many threads."""
    if isa is not None:
        monkeypatch.setattr(native, "INSTRUCTION_SET", isa)
    if threads is not None:
        monkeypatch.setattr(native, "threads", lambda: threads)


def chain(network: Network, dtype: Dtype) -> Any:
    """The engine's own object for a network."""
    chain = native._chain(network, np.dtype(dtype).char, native.INSTRUCTION_SET)  # pyright: ignore[reportPrivateUsage]
    chain.insist()  # on several threads, also on a machine that others keep busy
    return chain


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeds" in metafunc.fixturenames:
        n: int = metafunc.config.option.networks
        chunks = [range(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]
        metafunc.parametrize("seeds", chunks, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")


# ∇C ------------------------------------------------------------------------------------------------


def wide(array: Array | None) -> Array | None:
    return None if array is None else array.astype(np.float64)


def reference_gradient(case: Case) -> tuple[float, Array]:
    """C and ∇C of the same numbers in float64."""
    X, Y = case.X.astype(np.float64), case.Y.astype(np.float64)
    C, nabla_C = gradient(case.parameters.astype(np.float64), X, Y, wide(case.weights))
    return C, nabla_C.vector


def gradient_faults(case: Case, limits: Terms | None = None) -> Iterator[str]:
    """What is wrong with the engine's C and ∇C, for every instruction set: more than rounding, or other bits where the
    memory that it works in was full of NaN."""
    dtype: Dtype = case.X.dtype.type
    C_ref, nabla_C_ref = reference_gradient(case)
    limits = limits or terms(case.parameters, case.X, case.Y, case.weights)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for isa in native.INSTRUCTION_SETS:
            use(monkeypatch, isa=isa)
            native.gradient(case.parameters, case.X, case.Y, case.weights)
            chain(case.network, dtype).poison()
            C, nabla_C = native.gradient(case.parameters, case.X, case.Y, case.weights)
            again, nabla_C_again = native.gradient(case.parameters, case.X, case.Y, case.weights)
            if (C, nabla_C.vector.tobytes()) != (again, nabla_C_again.vector.tobytes()):
                yield f"{isa}: {case}: the bits depend on what was in memory"
            for fault in faults(C, nabla_C.vector, C_ref, nabla_C_ref, limits, EPS[dtype]):
                yield f"{isa}: {case}: {fault}"


@both_dtypes
def test_the_gradient_is_the_reference_s_but_for_rounding(seeds: range, dtype: Dtype) -> None:
    found = [fault for seed in seeds for fault in gradient_faults(random_case(seed, dtype, within_reach=False))]
    assert not found, "\n".join(found)


def large_case(
    seed: int,
    sizes: tuple[int, ...],
    activation: str,
    cost: str,
    n: int,
    dtype: Dtype,
    *,
    penalties: bool = False,
    weighted: bool = False,
    last: str | None = None,
) -> Case:
    """A network whose z are of the order of 1, with n examples."""
    random = np.random.default_rng(seed)
    last = last or LAST[cost][0]
    l1, l2 = (0.01, 0.02) if penalties else (0.0, 0.0)
    network = Network(sizes, [*[activation] * (len(sizes) - 2), last], cost, l1, l2)
    parameters = ParameterVector.zeros(network, dtype)
    for l in network.layers:
        parameters.w[l][:] = random.normal(0, sizes[l - 1] ** -0.5, parameters.w[l].shape)
        parameters.b[l][:] = random.normal(0, 0.5, parameters.b[l].shape)
    X: Array = random.normal(size=(n, sizes[0])).astype(dtype)
    weights: Array | None = None
    if weighted:
        weights = (random.uniform(0.1, 3, n) * (random.random(n) < 0.9)).astype(dtype)
        weights[n // 2] = 1
    return Case(seed, parameters, X, targets(random, cost, (n, sizes[-1])).astype(dtype), weights)


def away_from_kinks(*arguments: Any, **settings: Any) -> tuple[Case, Terms]:
    """The first large_case whose z are all so far from kinks that rounding does not decide the side, and its terms."""
    for seed in range(200):
        case = large_case(seed, *arguments, **settings)
        limits = terms(case.parameters, case.X, case.Y, case.weights)
        # z sums n_in products and b, each rounded by at most eps; twice that for a, which is rounded too
        if limits.kink_distance > 2 * (max(case.network.sizes) + 8) * EPS[case.X.dtype.type]:
            return case, limits
    raise AssertionError


# Every case has more than 32K entries in its parameters, in its inputs, or in a layer's activations. A sum over n
# examples is of at most n/32 of them in a row, or of n where n is below 1,000 anyway: fewer roundings than ROUNDINGS.
LARGE = {
    "weights": ((300, 200, 150, 7), "gelu", "cross-entropy", 110),
    "inputs": ((90, 20, 3), "tanh", "squared-error", 700),
    "a layer too large for panels": ((410, 340, 5), "tanh", "huber", 30),
    "one wide layer": ((3, 6000, 2), "silu", "huber", 9),
    "one wide output": ((5, 4, 9000), "softplus", "poisson", 6),
    "wide softmax": ((5, 4, 400), "softplus", "cross-entropy", 90),
    "groups": ((4, 32, 16, 4), "tanh", "cross-entropy", 10_000),
    "few groups": ((4, 8, 4), "sigmoid", "binary-cross-entropy", 4_500),
    "groups of one input": ((1, 5, 1), "softplus", "poisson", 20_011),
    "deep": ((60, *[60] * 12, 3), "elu", "mean-squared-error", 70),
}


@pytest.mark.parametrize(("dtype", "special"), [(np.float32, True), (np.float64, False)], ids=["float32", "float64"])
@pytest.mark.parametrize("name", LARGE)
def test_large_gradients_are_the_reference_s_but_for_rounding(name: str, dtype: Dtype, special: bool) -> None:
    """In float32 with penalties and weights, in float64 without."""
    case = large_case(1, *LARGE[name], dtype, penalties=special, weighted=special)
    most = max(case.network.n_parameters, *(len(case.X) * n for n in case.network.sizes))
    assert most > 32_768
    found = list(gradient_faults(case))
    assert not found, "\n".join(found)


def exact_case(seed: int, sizes: tuple[int, ...], n: int, cost: str, last: str = "identity") -> Case:
    """Numbers so short, and so many examples, that float64 rounds nothing; and no z is 0.

    X and w are small whole numbers, the biases of layer l odd multiples of 2⁻ˡ, so that z is an odd multiple too; n is
    a power of 2. An entry of ∇C is then a multiple of 2^−(2L + 2)/n, and far below 2^53 of them.
    """
    random = np.random.default_rng(seed)
    network = Network(sizes, [*["relu"] * (len(sizes) - 2), last], cost, l1=0.25, l2=0.5)
    parameters = ParameterVector.zeros(network)
    for l in network.layers:
        parameters.w[l][:] = random.integers(-1, 2, parameters.w[l].shape)
        parameters.b[l][:] = (2 * random.integers(-4, 4, parameters.b[l].shape) + 1) * 0.5**l
    X, Y = random.integers(-2, 3, (n, sizes[0])), random.integers(-2, 3, (n, sizes[-1]))
    return Case(seed, parameters, X.astype(np.float64), Y.astype(np.float64), None)


@pytest.mark.parametrize(
    ("sizes", "n", "cost", "last"),
    [
        ((300, 200, 150, 7), 256, "half-squared-error", "identity"),
        ((90, 33, 3), 1024, "squared-error", "relu"),
        ((5, 31, 17, 2), 16_384, "huber", "identity"),
        ((1, 1, 1), 65_536, "squared-error", "identity"),
        ((129, 65, 63), 1, "squared-error", "identity"),
    ],
)
def test_where_nothing_is_rounded_the_gradient_is_the_reference_s_to_the_bit(
    sizes: tuple[int, ...], n: int, cost: str, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = exact_case(2, sizes, n, cost, last)
    C_ref, nabla_C_ref = reference_gradient(case)
    assert np.count_nonzero(nabla_C_ref) > nabla_C_ref.size / 4
    for isa, threads in product(native.INSTRUCTION_SETS, (1, 3)):
        use(monkeypatch, isa=isa, threads=threads)
        C, nabla_C = native.gradient(case.parameters, case.X, case.Y)
        assert C_ref == C
        assert (nabla_C.vector == nabla_C_ref).all()


WIDTHS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
"""Around every width of a panel, in both dtypes."""

BATCHES = (1, 2, 5, 7, 8, 9, 63, 64, 65)


def three_widths(at: int, batch: int) -> tuple[int, int, int]:
    """Sizes of which each takes every value, and never the same three again."""
    first, second, third = (WIDTHS[i % len(WIDTHS)] for i in (at, 3 * at + 5 * batch, 5 * at + 2 * batch))
    return first, second, third


@both_dtypes
@pytest.mark.parametrize("width", WIDTHS)
def test_every_width_of_a_layer_goes_with_every_number_of_rows(width: int, dtype: Dtype) -> None:
    at, found = WIDTHS.index(width), list[str]()
    for batch, n in enumerate(BATCHES):
        activation = list(SLOPES)[(at + batch) % len(SLOPES)]
        case, limits = away_from_kinks(
            three_widths(at, batch),
            activation,
            "squared-error",
            n,
            dtype,
            penalties=batch % 2 == 0,
            weighted=batch % 3 == 0,
        )
        found += gradient_faults(case, limits)
    assert not found, "\n".join(found)


def test_each_layer_has_had_each_width() -> None:
    sizes = [three_widths(at, batch) for at, batch in product(range(len(WIDTHS)), range(len(BATCHES)))]
    assert [set(seen) for seen in zip(*sizes, strict=True)] == 3 * [set(WIDTHS)]
    assert len(set(sizes)) == len(sizes)


OUTPUTS = [(cost, last) for cost, lasts in LAST.items() for last in lasts]


@both_dtypes
@pytest.mark.parametrize(("cost", "last"), OUTPUTS)
def test_every_activation_goes_with_every_cost_that_it_may(cost: str, last: str, dtype: Dtype) -> None:
    hidden = "tanh" if last == "softmax" else last
    found: list[str] = []
    for weighted in (False, True):
        case, limits = away_from_kinks((9, 21, 11), hidden, cost, 37, dtype, weighted=weighted, last=last)
        found += gradient_faults(case, limits)
    assert not found, "\n".join(found)


def test_a_planted_fault_is_found() -> None:
    case = large_case(1, (5, 4, 2), "tanh", "squared-error", 6, np.float64)
    limits = terms(case.parameters, case.X, case.Y, None)
    C_ref, nabla_C_ref = reference_gradient(case)
    C, nabla_C = native.gradient(case.parameters, case.X, case.Y)
    nabla_C.vector[7] *= 1 + 1e-9
    assert faults(C * (1 + 1e-9), nabla_C.vector, C_ref, nabla_C_ref, limits, EPS64)


# a⁽ᴸ⁾ and C without ∇C -----------------------------------------------------------------------------


ROWS = (1, 2, 63, 64, 65, 121, 130, 1000)


@both_dtypes
@pytest.mark.parametrize(("cost", "last"), OUTPUTS)
def test_predictions_and_costs_are_the_reference_s_but_for_rounding(
    cost: str, last: str, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = "gelu" if last in ("softmax", "exp") else last  # e^(e^z) would leave float32
    case = large_case(1, (6, 10, 5), hidden, cost, max(ROWS), dtype, last=last)
    limits, parameters = prediction_terms(case.parameters, case.X), case.parameters.astype(np.float64)
    X, Y = case.X.astype(np.float64), case.Y.astype(np.float64)
    each = cost_terms(case.parameters, case.X, case.Y)
    for isa, (i, n) in product(native.INSTRUCTION_SETS, enumerate(ROWS)):
        use(monkeypatch, isa=isa, threads=THREADS[i % len(THREADS)])
        a = native.predict(case.parameters, case.X[:n])
        assert a.dtype == dtype
        assert (roundings(a, reference.predict(parameters, X[:n]), limits[:n], EPS[dtype]) <= ROUNDINGS).all()
        C = native.data_cost(case.parameters, case.X[:n], case.Y[:n])
        C_ref = reference.data_cost(parameters, X[:n], Y[:n])
        assert roundings(np.array(C), np.array(C_ref), each[:n].mean(), EPS[dtype]) <= ROUNDINGS


# bits ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A stretch of training, made anew each time it is asked for."""

    sizes: tuple[int, ...]
    activation: str
    cost: str
    n: int
    batch_size: int
    steps: int
    most_threads: int

    def state(self, optimizer: str, dtype: Dtype, special: bool = False) -> TrainingState:
        """``special``: with penalties that are shared, and weights that leave out many examples and a whole batch."""
        case = self.case(dtype, special)
        made = TrainingState(
            case.parameters.copy(),
            Optimizer(optimizer, 0.02, epsilon_hat=special),
            case.X,
            case.Y,
            self.batch_size,
            5,
            None if case.weights is None else case.weights.copy(),
            shared_penalty=special,
        )
        if made.weights is not None and made.steps_per_epoch > 2:
            made.weights[made.order[self.batch_size : 2 * self.batch_size]] = 0
        return made

    @cache  # noqa: B019
    def case(self, dtype: Dtype, special: bool) -> Case:
        return large_case(3, self.sizes, self.activation, self.cost, self.n, dtype, penalties=special, weighted=special)


# One for each way in which the engine cuts a step for threads.
RUNS = {
    "small": Run((3, 4, 2), "tanh", "squared-error", 23, 5, 12, 1),
    "groups of rows": Run((30, 40, 10), "gelu", "cross-entropy", 700, 300, 7, 4),
    "groups of blocks": Run((4, 32, 16, 4), "tanh", "cross-entropy", 5000, 2400, 5, 4),
    "groups of blocks, one batch": Run((4, 16, 4), "tanh", "cross-entropy", 4000, 2**40, 4, 4),
    "parts of the gradient": Run((130, 260, 10), "relu", "cross-entropy", 450, 200, 4, 4),
    "parts of large layers, one batch": Run((410, 340, 5), "relu", "cross-entropy", 160, 160, 4, 4),
}

runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
plain_and_special = pytest.mark.parametrize("special", [False, True], ids=["plain", "penalties, weights"])


@runs
@both_dtypes
def test_the_runs_below_take_several_threads_where_they_are_offered(run: Run, dtype: Dtype) -> None:
    network = run.state("sgd", dtype).parameters.network
    used = [chain(network, dtype).threads_used(min(run.batch_size, run.n), offered) for offered in THREADS]
    assert used[0] == 1
    assert used == sorted(used)
    assert 1 < used[-1] <= run.most_threads or used[-1] == run.most_threads == 1


def in_slices(state: TrainingState, steps: int) -> None:
    for n in (1, 0, 2, steps - 3):
        native.run(state, n)


def one_by_one(state: TrainingState, steps: int) -> None:
    for step in range(steps):
        native.steps(state, 1, fused=step % 2 == 0)


def unfused(state: TrainingState, steps: int) -> None:
    native.steps(state, steps, fused=False)


WAYS = ((1, unfused), (1, one_by_one), (2, native.run), (3, in_slices), (4, unfused), (4, one_by_one))


@runs
@plain_and_special
@both_dtypes
@pytest.mark.parametrize("optimizer", METHODS)
def test_threads_slices_and_unfused_updates_change_no_bit(
    run: Run, special: bool, dtype: Dtype, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for isa in native.INSTRUCTION_SETS:
        use(monkeypatch, isa=isa, threads=1)
        state = run.state(optimizer, dtype, special)
        start = state.parameters.vector.copy()
        native.run(state, run.steps)
        wanted = bits(state)
        assert not (state.parameters.vector == start).all()
        assert np.isfinite(state.parameters.vector).all()
        for threads, go in WAYS if isa == native.INSTRUCTION_SETS[-1] else WAYS[3:5]:
            use(monkeypatch, threads=threads)
            state = run.state(optimizer, dtype, special)
            go(state, run.steps)
            assert bits(state) == wanted, f"{isa}, {threads} threads: {go.__name__}"
            chain(state.parameters.network, dtype).poison()


@runs
@plain_and_special
@both_dtypes
def test_threads_change_no_bit_of_a_gradient_a_prediction_or_a_cost(
    run: Run, special: bool, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = run.state("sgd", dtype, special)
    p, X, Y, weights = state.parameters, state.X, state.Y, state.weights
    for isa in native.INSTRUCTION_SETS:
        found: set[tuple[Any, ...]] = set()
        for threads in THREADS:
            use(monkeypatch, isa=isa, threads=threads)
            C, nabla_C = native.gradient(p, X, Y, weights)
            found.add((C, nabla_C.vector.tobytes(), native.predict(p, X).tobytes(), native.data_cost(p, X, Y)))
        assert len(found) == 1, isa


@both_dtypes
def test_a_batch_of_the_rows_as_they_lie_is_the_same_to_the_bit_as_in_an_order_that_says_so(
    dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying, ordered = (RUNS["groups of blocks, one batch"].state("adam", dtype) for _ in range(2))
    native.run(lying, 3)
    monkeypatch.setattr(TrainingState, "in_natural_order", False)
    native.run(ordered, 3)
    assert bits(ordered) == bits(lying)


@both_dtypes
def test_an_order_of_one_batch_is_the_order_in_which_rows_are_added_up(dtype: Dtype) -> None:
    run = RUNS["groups of blocks, one batch"]
    turned, lying = (run.state("sgd", dtype) for _ in range(2))
    turned.order = np.arange(run.n)[::-1]
    lying.X, lying.Y = lying.X[::-1], lying.Y[::-1]
    native.run(turned, 1)
    native.run(lying, 1)
    assert bits(turned) == bits(lying)


# numbers that are none -----------------------------------------------------------------------------


@both_dtypes
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_no_number_spoils_its_own_prediction_alone(
    value: float, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = large_case(1, (5, 9, 3), "tanh", "cross-entropy", 70, dtype)
    for isa in native.INSTRUCTION_SETS:
        use(monkeypatch, isa=isa)
        clean = native.predict(case.parameters, case.X)
        for row in (0, 1, 7, 63, 64, 69):
            X = case.X.copy()
            X[row] = value
            a = native.predict(case.parameters, X)
            others = np.arange(len(X)) != row
            assert a[others].tobytes() == clean[others].tobytes()
        p = case.parameters.copy()
        p.w[1][:] = np.nan
        assert np.isnan(native.predict(p, case.X)).all()


@both_dtypes
def test_a_neuron_that_is_no_number_spoils_its_own_output_alone(dtype: Dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    case = large_case(1, (5, 9, 7), "tanh", "squared-error", 70, dtype)
    for isa in native.INSTRUCTION_SETS:
        use(monkeypatch, isa=isa)
        clean = native.predict(case.parameters, case.X)
        for j in range(7):
            p = case.parameters.copy()
            p.b[2][j] = np.nan
            a, others = native.predict(p, case.X), np.arange(7) != j
            assert np.isnan(a[:, j]).all()
            assert a[:, others].tobytes() == clean[:, others].tobytes()
            C, nabla_C = native.gradient(p, case.X, case.Y)
            assert np.isnan(C)
            assert np.isnan(nabla_C.w[2][j]).all()
            assert np.isfinite(nabla_C.w[2][others]).all()


@both_dtypes
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("activation", [*KINKED, "tanh", "gelu", "exp", "softplus", "silu"])
def test_what_is_no_number_goes_in_and_comes_out(
    value: float, activation: str, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NaN in, NaN out: none is lost in a maximum, a clamp or a table."""
    case = large_case(1, (5, 9, 3), activation, "cross-entropy", 20, dtype)
    case.X[11, 2] = value
    with np.errstate(all="ignore"):
        C_ref, nabla_C_ref = reference_gradient(case)
    for isa in native.INSTRUCTION_SETS:
        use(monkeypatch, isa=isa)
        C, nabla_C = native.gradient(case.parameters, case.X, case.Y)
        if np.isnan(value):
            assert np.isnan(C)
            assert (np.isnan(nabla_C.vector) >= np.isnan(nabla_C_ref)).all()
        else:
            assert np.isfinite(C) <= np.isfinite(C_ref)
        state = TrainingState(case.parameters.copy(), Optimizer("adam"), case.X, case.Y, 7, 0)
        native.run(state, 6)
        assert state.step == 6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_is_predicted_alike_whatever_rows_are_beside_it(dtype: Dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit from five rows on; fewer go through a large network as dot products, within their rounding."""
    network = Network((600, 700, 3), ("relu", "softmax"), "cross-entropy")
    p = initial_parameters(network, 1, dtype)
    X = np.random.default_rng(1).normal(size=(700, 600))
    for isa in native.INSTRUCTION_SETS:
        use(monkeypatch, isa=isa)
        a = native.predict(p, X)
        assert a.dtype == dtype
        for n in (5, 6, 15, 31, 33, 64, 65, 127, 128, 200):
            assert native.predict(p, X[:n]).tobytes() == a[:n].tobytes()
        for n in (1, 2, 3, 4):
            # 700 products a sum, each rounded once, of numbers whose absolute values sum to less than 100
            assert np.abs(native.predict(p, X[:n]) - a[:n]).max() <= 700 * 100 * EPS[dtype]
    for rows in (X[:1, :7], X[0], X[:1] + 0j, np.array([["a"] * 600])):
        with pytest.raises(InputError):
            native.predict(p, rows)


def test_padding_has_no_part_in_the_penalty_where_epsilon_is_too_small_for_the_type() -> None:
    network = Network((3, 5, 2), "tanh", "squared-error", l2=0.1)
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(3, 3)).astype(np.float32), random.normal(size=(3, 2)).astype(np.float32)
    state = TrainingState(initial_parameters(network, 1), Optimizer("adam", 0.01, epsilon=1e-50), X, Y, 3, 0)
    native.run(state, 3)
    assert np.isfinite(state.costs).all()


@both_dtypes
def test_padding_has_no_part_in_the_penalty_where_weights_become_infinite(dtype: Dtype) -> None:
    """A neuron that is padding is 0·∞ then, but each real one is ∞ and so is the cost, however the steps are sliced."""
    network = Network((9, 3), "leaky-relu", "huber", l1=0.01, l2=0.01)
    random = np.random.default_rng(0)
    X, Y = random.normal(size=(8, 9)).astype(dtype), random.normal(size=(8, 3)).astype(dtype)
    X[2, 5] = np.inf
    at_once, one_by_one = (
        TrainingState(initial_parameters(network, 1, dtype), Optimizer("sgd"), X, Y, 4, 0) for _ in range(2)
    )
    for state in (at_once, one_by_one):
        state.order = np.arange(8)
    native.run(at_once, 2)
    for _ in range(2):
        native.run(one_by_one, 1)
    assert at_once.costs == one_by_one.costs == [np.inf]


@both_dtypes
def test_squares_that_overflow_are_no_part_of_a_penalty_on_sizes_alone(dtype: Dtype) -> None:
    network = Network((2, 2), "identity", "squared-error", l1=1.0)
    p = ParameterVector.zeros(network, dtype)
    p.vector[:4] = np.sqrt(np.finfo(dtype).max) * 4
    X = np.zeros((1, 2), dtype)
    assert native.gradient(p, X, X)[0] == pytest.approx(4 * float(p.vector[0]), rel=4 * EPS[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", [1, 512])
def test_training_makes_no_number_below_the_smallest_normal_one_and_predictions_do(
    dtype: type[np.floating[Any]], rows: int
) -> None:
    """A weight that nothing but a penalty moves is halved in each step: it is 0 after the smallest normal one."""
    exponent = -np.finfo(dtype).minexp
    network = Network((1, 1), "exp", "squared-error", l2=0.5)
    p = ParameterVector.from_arrays(network, {"w1": [[1.0]], "b1": [0.0]}, dtype)
    state = TrainingState(p, Optimizer("sgd", 0.5), np.zeros((rows, 1), dtype), np.ones((rows, 1), dtype), rows, seed=0)
    native.run(state, exponent)
    assert p.vector.tolist() == [float(np.finfo(dtype).tiny), 0.0]
    native.run(state, 1)
    assert p.vector.tolist() == [0.0, 0.0]
    p.b[1][:] = np.log(np.finfo(dtype).tiny) - 2
    assert 0 < native.predict(p, state.X)[0, 0] < np.finfo(dtype).tiny
