"""bench: what a step needs, counted by hand; what the machine can do; figures that make sense, and no time asserted."""

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from math import isfinite
from typing import Any

import numpy as np
import pytest
from bad_input.calls import call
from given import process

import chainrule
from chainrule.calculus.cost import COSTS
from chainrule.engines import engine
from chainrule.engines.limits import Limit, least_seconds, memory, products, step_bytes, step_flops
from chainrule.engines.machine import processors, threads
from chainrule.training.bench import ROUNDS, SLICE_SECONDS, Bench, Times, Turn, made_up
from chainrule.training.bench_text import duration, rate

compiled = pytest.mark.skipif(find_spec("chainrule.engines._native") is None, reason="the engine is not compiled here")
ENGINES = ["reference", pytest.param("native", marks=compiled)]

FIGURES = ("seconds_per_step", "examples_per_second", "flops_per_second", "limit_seconds", "share_of_limit", "seconds")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses, and arrays of 32 MiB where the cache would ask for larger ones."""
    monkeypatch.setattr("chainrule.training.bench._PAUSE", 0.0)
    monkeypatch.setattr("chainrule.engines.limits.cache_bytes", lambda: 2**20)


# what a step needs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "batch", "flops"),
    [
        ((3, 1), 1, 12),  # 3 products and sums forward, 3 for ∇w, and nobody needs ∂C/∂x
        ((3, 1), 10, 120),
        ((2, 3, 2), 4, 240),  # 6 weights a layer: forward and ∇w of both, ∂C/∂a of the hidden one
        ((64, 64, 32, 10), 32, 64 * (2 * 4096 + 3 * (2048 + 320))),
    ],
)
def test_the_flops_of_a_step_are_those_of_its_products(sizes: tuple[int, ...], batch: int, flops: int) -> None:
    assert step_flops(sizes, batch) == flops


@pytest.mark.parametrize(
    ("cache", "moments", "moved"),
    [
        (10_000, 2, 0),  # everything fits: 17 parameters with two moments are 204 bytes, 100 rows 1,600
        (3_200, 2, 0),  # in half of the cache, just
        (3_199, 2, 64),  # the rows do not: 4 of 16 bytes are read
        (408, 2, 64),
        (407, 2, 64 + 408),  # nor do the parameters and moments: read and written
        (407, 0, 64),
        (100, 0, 64 + 136),
    ],
)
def test_bytes_that_a_step_moves_are_those_that_the_cache_cannot_hold(cache: int, moments: int, moved: int) -> None:
    assert step_bytes((2, 3, 2), batch=4, rows=100, n_moments=moments, itemsize=4, cache=cache) == moved


def test_the_limit_is_that_of_arithmetic_or_of_memory() -> None:
    assert least_seconds(flops=100, moved=10, peak=50, bandwidth=10) == 2
    assert least_seconds(flops=100, moved=90, peak=50, bandwidth=10) == 9
    assert least_seconds(flops=100, moved=0, peak=50, bandwidth=10) == 2


# what the machine can do ---------------------------------------------------------------------------


def test_a_limit_is_the_fastest_of_at_least_three_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    lasts = iter([3.0, 0.5, 2.0])
    now = 0.0

    def run() -> None:
        nonlocal now
        now += next(lasts)

    monkeypatch.setattr("chainrule.engines.limits.perf_counter", lambda: now)
    limit = Limit("copy", 10, run)
    limit.measure(0)
    assert limit.rate == 20
    assert list(lasts) == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ENGINES)
def test_the_peak_is_that_of_whole_products(name: str, dtype: str) -> None:
    limits = products(dtype, engine(name), seconds=0.001)
    assert [limit.name for limit in limits] == ["NumPy's BLAS", "native engine"][: 1 + (name == "native")]
    for limit, bias in zip(limits, (0, 0.5), strict=False):
        n = round((limit.amount / 2) ** (1 / 3))
        assert limit.amount == 2 * n**3
        product: Any = limit.run()
        assert product.dtype == dtype
        assert np.array_equal(product, np.full((n, n), n * 0.125 + bias))
        assert 0 < limit.rate < float("inf")


@pytest.mark.parametrize("n_threads", [1, 3])
def test_memory_is_copied_added_and_summed_whole(n_threads: int) -> None:
    limits = {limit.name: limit for limit in memory(n_threads, 0.001)}
    n = limits["sum"].amount / 4
    assert [limits[name].amount / 4 for name in ("copy", "add", "sum")] == [2 * n, 3 * n, n]
    parts: Any = limits["sum"].run()
    assert len(parts) == n_threads
    assert sum(parts) == n  # of ones
    assert all(limit.rate > 0 for limit in limits.values())


@pytest.mark.parametrize(("wanted", "told"), [("1", 1), ("", None), ("many", None), ("0", None), ("100000", None)])
def test_the_reference_engine_has_the_threads_of_blas(
    wanted: str, told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", wanted)
    assert threads(engine("reference")) == (told or processors())


# turns and made-up data ----------------------------------------------------------------------------


def test_a_turn_lasts_long_enough_and_starts_where_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    now, log = 0.0, [0]

    def run(n: int) -> None:
        nonlocal now
        now += n * 0.001
        log.append(n)

    monkeypatch.setattr("chainrule.training.bench.perf_counter", lambda: now)
    turn = Turn(lambda: log.append(0), run)
    turn.take(SLICE_SECONDS)
    turn.take(SLICE_SECONDS)
    assert turn.times == pytest.approx([0.001, 0.001])
    assert turn.calls * 0.001 >= SLICE_SECONDS
    assert log[-3:] == [0, 1, turn.calls]


@pytest.mark.parametrize("cost", COSTS)
def test_made_up_targets_are_such_as_the_cost_takes(cost: str) -> None:
    output = (COSTS[cost].activations or ("identity",))[0]
    network = chainrule.Network((5, 4, 3), ("tanh", output), cost)
    state = made_up(network, chainrule.Optimizer("sgd"), 7, "float64")
    assert (state.X.dtype, state.Y.dtype) == (np.float64, np.float64)
    assert len(state.X) % 7 == 0
    if cost == "cross-entropy":
        assert (state.Y.sum(axis=1) == 1).all()
    if cost.endswith("cross-entropy"):
        assert set(np.unique(state.Y)) == {0, 1}
    assert np.isfinite(engine().data_cost(state.parameters, state.X, state.Y))


@pytest.mark.parametrize(
    ("width", "batch", "rows"), [(9, 32, 20_000), (9, 25_000, 25_000), (2**20, 3, 15), (2**24, 2, 2)]
)
def test_made_up_data_is_whole_batches_and_not_too_much(
    width: int, batch: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, ...]] = []

    class Shapes:
        """A generator that notes what is asked of it."""

        def standard_normal(self, shape: tuple[int, ...], dtype: type) -> Any:
            made.append(shape)
            return np.broadcast_to(dtype(0), shape)

    def shapes(seed: int) -> Shapes:
        return Shapes()

    monkeypatch.setattr("chainrule.training.bench.np.random.default_rng", shapes)
    monkeypatch.setattr("chainrule.training.bench.TrainingState", lambda *_, **__: None)  # pyright: ignore
    monkeypatch.setattr("chainrule.training.bench.initial_parameters", lambda *_: None)  # pyright: ignore
    made_up(chainrule.Network((width, 1), "identity", "huber"), chainrule.Optimizer(), batch, "float32")
    assert made[0] == (rows, width)


# the figures ---------------------------------------------------------------------------------------


def _bench(step: tuple[float, ...], reference: tuple[float, ...] | None = None, **changes: Any) -> Bench:
    given: dict[str, Any] = {
        "network": chainrule.Network((2, 3, 2), "sigmoid", "squared-error"),
        "optimizer": "sgd",
        "batch_size": 4,
        "dtype": "float32",
        "examples": 400,
        "engine": "native",
        "instruction_set": "avx2",
        "threads": 2,
        "gradient": Times((1.0, 1.0, 1.0)),
        "flops": 240,
        "bytes": 0,
        "peaks": {"NumPy's BLAS": 100.0, "native engine": 120.0},
        "bandwidth": 10.0,
        "cache": 2**20,
        "seconds": 1.0,
    }
    return Bench(step=Times(step), reference=None if reference is None else Times(reference), **given | changes)


def test_the_share_is_the_limit_by_the_median_step() -> None:
    b = _bench((4.0, 5.0, 4.5), (9.0, 20.0, 18.0))
    assert (b.step.median, b.step.least, b.step.most) == (4.5, 4, 5)
    assert (b.peak, b.limit, b.share_of_limit) == (120, 2, 2 / 4.5)
    assert (b.examples_per_second, b.flops_per_second) == (4 / 4.5, 240 / 4.5)
    assert b.times_reference == 4  # the median of 9/4, 20/5 and 18/4.5
    assert _bench((4.0,), bytes=30).limit == 3


def test_doubtful_figures_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert _bench((4.0, 5.0)).notes == []
    assert "the rounds differ much" in _bench((4.0, 7.0)).text()
    assert "the limit was measured too low" in _bench((1.0, 1.1)).text()
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert "OPENBLAS_CORETYPE is Haswell" in _bench((4.0, 5.0)).json()["notes"][0]


@pytest.mark.parametrize("depth", [1, 2, 60])
def test_the_text_fits_80_columns(depth: int) -> None:
    network = chainrule.Network([1000] * (depth + 1), "leaky-relu", "half-squared-error")
    times = (1e-7, 123.4)
    changes: dict[str, Any] = {"network": network, "batch_size": 2**24, "examples": 2**24, "bytes": 10**12}
    lines = _bench(times, times, threads=1024, **changes).text().splitlines()
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize(
    ("show", "value", "shown"),
    [
        (duration, 3.21e-7, "321 ns"),
        (duration, 1.234e-5, "12.3 µs"),
        (duration, 0.0123, "12.3 ms"),
        (duration, 61.25, "61.2 s"),
        (rate, 978_944, "979 k"),
        (rate, 41.23e9, "41.2 G"),
        (rate, 12, "12.0 "),
    ],
)
def test_figures_have_a_unit_and_as_many_digits_as_mean_something(
    show: Callable[[float], str], value: float, shown: str
) -> None:
    assert show(value) == shown


@pytest.mark.parametrize("name", ENGINES)
def test_a_measurement_has_positive_figures(name: str) -> None:
    rounds: list[tuple[int, int]] = []
    network = chainrule.Network((4, 16, 16, 2), "tanh", "squared-error")
    optimizer = chainrule.Optimizer("momentum")
    measured = chainrule.bench(
        network, optimizer, 8, "float64", 0.01, name, lambda done, all_: rounds.append((done, all_))
    )
    record = measured.json()
    assert rounds == [(i + 1, ROUNDS) for i in range(ROUNDS)]
    assert all(isfinite(record[key]) and record[key] > 0 for key in FIGURES)
    assert all(time > 0 for time in (*measured.step.rounds, *measured.gradient.rounds))
    assert (record["engine"], record["flops"], record["dtype"]) == (name, step_flops(network.sizes, 8), "float64")
    assert (measured.reference is None) == (measured.times_reference is None) == (name == "reference")


def test_the_command_prints_one_object_with_the_agreed_keys() -> None:
    result = call("bench", "3-5-1", "--batch-size", "4", "--seconds", "0.01", "--json")
    assert (result.code, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    assert record.keys() >= {"shape", "seconds_per_step", "share_of_limit", "threads"}
    assert record["shape"] == [3, 5, 1]
    assert (record["activation"], record["cost"]) == (["relu", "identity"], "squared-error")
    assert record["threads"] == threads(engine())
    assert all(isfinite(record[key]) and record[key] > 0 for key in FIGURES)


def test_a_named_engine_that_is_missing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chainrule.engines._native", None)
    result = call("bench", "2,3,2", "--engine", "native")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith("chainrule: error: engine: the native engine is missing, for it was not compiled")
    assert result.stderr.endswith("or choose the reference engine\n")


def test_the_command_prints_a_table_where_the_terminal_is_ascii_too() -> None:
    options = ("--activation", "tanh", "--optimizer", "sgd", "--threads", "1", "--seconds", "0.01")
    result = process("bench", "4,3,2", *options, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "4-3-2 (tanh, softmax; cross-entropy)" in result.stdout
    assert "up to 1 thread;" in result.stdout
    assert "share of the limit" in result.stdout
    assert "?" not in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
