"""Whatever arrays it gets, whoever calls it, whenever the process forks or ends: the compiled engine answers rightly
or refuses clearly, and what it refuses has changed nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from given import bits, process

from chainrule import Network, Optimizer, ParameterVector, initial_parameters
from chainrule.engines import reference
from chainrule.engines.state import TrainingState
from chainrule.errors import InputError

pytest.importorskip("chainrule.engines._native", reason="the engine is not compiled here")

from chainrule.engines import native

Array = np.ndarray[Any, Any]
Dtype = type[np.floating[Any]]

N = 23
NETWORK = Network((3, 4, 2), "tanh", "squared-error", l1=0.001, l2=0.01)

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def examples(dtype: Dtype) -> tuple[ParameterVector, Array, Array, Array]:
    random = np.random.default_rng(5)
    X, Y = random.normal(size=(N, 3)).astype(dtype), random.normal(size=(N, 2)).astype(dtype)
    return initial_parameters(NETWORK, 7, dtype), X, Y, random.uniform(0.5, 2, N).astype(dtype)


def state(dtype: Dtype = np.float64, batch_size: int = 5, optimizer: str = "adam") -> TrainingState:
    parameters, X, Y, weights = examples(dtype)
    return TrainingState(parameters, Optimizer(optimizer, 0.05), X, Y, batch_size, 0, weights)


# arrays as they come -------------------------------------------------------------------------------


def strided(array: Array) -> Array:
    wide: Array = np.full((*array.shape[:-1], 2 * array.shape[-1]), np.nan, array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


def misaligned(array: Array) -> Array:
    moved = np.frombuffer(b"x" + array.tobytes(), np.uint8, offset=1).view(array.dtype).reshape(array.shape)
    assert not moved.flags.aligned
    return moved


def read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "strided": strided,
    "reversed": lambda array: array[::-1].copy()[::-1],
    "Fortran order": np.asfortranarray,
    "misaligned": misaligned,
    "read-only": read_only,
    "the other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "longdouble": lambda array: array.astype(np.longdouble),
}

layouts = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())


@layouts
@both_dtypes
def test_examples_in_any_layout_give_the_same_bits(layout: Callable[[Array], Array], dtype: Dtype) -> None:
    p, X, Y, weights = examples(dtype)
    C, nabla_C = native.gradient(p, X, Y, weights)
    C_got, nabla_C_got = native.gradient(p, layout(X), layout(Y), layout(weights))
    assert (C_got, nabla_C_got.vector.tobytes()) == (C, nabla_C.vector.tobytes())
    assert native.predict(p, layout(X)).tobytes() == native.predict(p, X).tobytes()
    assert native.data_cost(p, layout(X), layout(Y)) == native.data_cost(p, X, Y)
    plain, other = state(dtype), state(dtype)
    other.X, other.Y, other.weights, other.order = layout(X), layout(Y), layout(weights), other.order.astype(np.int32)
    native.run(plain, 3)
    native.run(other, 3)
    assert bits(other)[:3] == bits(plain)[:3]


@both_dtypes
def test_parameters_in_memory_of_any_alignment_can_be_read_even_where_they_cannot_be_written(dtype: Dtype) -> None:
    p, X, Y, weights = examples(dtype)
    for layout in (misaligned, read_only):
        other = ParameterVector(NETWORK, layout(p.vector))
        assert native.gradient(other, X, Y, weights)[1].vector.tobytes() == (
            native.gradient(p, X, Y, weights)[1].vector.tobytes()
        )
        assert native.predict(other, X).tobytes() == native.predict(p, X).tobytes()


@both_dtypes
@pytest.mark.parametrize("kind", [np.int8, np.uint64, np.bool_, np.float16])
def test_numbers_of_another_type_are_taken_as_what_they_are(kind: type[np.generic], dtype: Dtype) -> None:
    p, X, Y, _ = examples(dtype)
    X, Y = np.abs(X * 3).astype(kind), np.abs(Y * 3).astype(kind)
    C, nabla_C = native.gradient(p, X, Y)
    C_same, same = native.gradient(p, X.astype(dtype), Y.astype(dtype))
    assert (C, nabla_C.vector.tobytes()) == (C_same, same.vector.tobytes())


# arrays that are refused ---------------------------------------------------------------------------


def wrong_examples() -> dict[str, tuple[Array, Array]]:
    _, X, Y, _ = examples(np.float64)
    return {
        "no rows": (X[:0], Y[:0]),
        "an input too few": (X[:, :2], Y),
        "an input too many": (np.hstack([X, X[:, :1]]), Y),
        "an output too few": (X, Y[:, :1]),
        "rows without targets": (X, Y[:5]),
        "targets without rows": (X[:5], Y),
        "one row alone": (X[0], Y[0]),
        "a batch of batches": (X[None], Y[None]),
        "targets in one dimension": (X, Y[:, 0]),
    }


@pytest.mark.parametrize("kind", wrong_examples())
def test_examples_that_do_not_fit_the_network_are_refused(kind: str) -> None:
    X, Y = wrong_examples()[kind]
    p = examples(np.float64)[0]
    for refuse in (lambda: native.gradient(p, X, Y), lambda: native.data_cost(p, X, Y)):
        with pytest.raises(InputError, match=r"^[XY]: "):
            refuse()
    if X.shape[1:] != (3,):
        with pytest.raises(InputError, match=r"^X: "):
            native.predict(p, X)


NO_NUMBERS: dict[str, tuple[Any, str]] = {
    "a number": (3, "3 is not an array of numbers"),
    "a number of NumPy's": (np.float32(1), r"np\.float32\(1\.0\) is not an array of numbers"),
    "nothing": (..., "Ellipsis is not an array of numbers"),
    "rows of different lengths": ([[1.0, 2.0], [3.0]], r"\[\[1\.0, 2\.0\], \[3\.0\]\] is not an array of numbers"),
    "texts": (np.full(N, "a"), r"dtype\('<U1'\) is not a type of numbers"),
    "dates": (np.zeros(N, "M8[s]"), r"dtype\('<M8\[s\]'\) is not a type of numbers"),
    "complex numbers": (np.zeros((N, 3), np.complex64), r"dtype\('complex64'\) is not a type of numbers"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_what_is_no_array_of_numbers_is_refused_by_name(kind: str) -> None:
    value, message = NO_NUMBERS[kind]
    p, X, Y, weights = examples(np.float64)
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("X", lambda: native.predict(p, value)),
        ("X", lambda: native.data_cost(p, value, Y)),
        ("Y", lambda: native.data_cost(p, X, value)),
        ("X", lambda: native.gradient(p, value, Y)),
        ("Y", lambda: native.gradient(p, X, value)),
        ("X", lambda: native.gradient(p, value, Y, weights)),
        ("weights", lambda: native.gradient(p, X, Y, value)),
    ]
    for what in ("X", "Y", "weights"):
        made = state()
        setattr(made, what, value)
        calls.append((what, lambda made=made: native.run(made, 3)))
    for what, call in calls:
        with pytest.raises(InputError, match=f"^{what}: {message}$"):
            call()


def test_no_rows_have_no_predictions() -> None:
    p, X, _, _ = examples(np.float64)
    assert native.predict(p, X[:0]).shape == (0, 2)


def wrong_weights() -> dict[str, Array]:
    ones = np.ones(N)
    return {
        "negative": -ones,
        "NaN": np.where(np.arange(N) == 4, np.nan, 1),
        "infinite": np.where(np.arange(N) == 4, np.inf, 1),
        "all 0": 0 * ones,
        "too few": ones[:3],
        "too many": np.ones(N + 1),
        "in two dimensions": ones[:, None],
    }


@pytest.mark.parametrize("kind", wrong_weights())
def test_weights_that_are_none_are_refused(kind: str) -> None:
    p, X, Y, _ = examples(np.float64)
    with pytest.raises(InputError, match="weight"):
        native.gradient(p, X, Y, wrong_weights()[kind])


@pytest.mark.parametrize("scale", [1e307, 5e-324, 1e-300])
def test_weights_of_any_size_are_shares(scale: float) -> None:
    p, X, Y, _ = examples(np.float64)
    C, nabla_C = native.gradient(p, X, Y, np.full(N, scale))
    C_plain, plain = native.gradient(p, X, Y)
    # 23 equal shares of 1, each rounded once or twice more
    eps = float(np.finfo(np.float64).eps)
    assert abs(C - C_plain) <= 4 * N * eps * C_plain
    assert np.abs(nabla_C.vector - plain.vector).max() <= 4 * N * eps * np.abs(plain.vector).max()


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_weights_that_float32_does_not_have_are_refused(size: float) -> None:
    p, X, Y, _ = examples(np.float32)
    with np.errstate(over="ignore"), pytest.raises(InputError, match="weight"):
        native.gradient(p, X, Y, np.full(N, size))


def spoil(**changes: Any) -> Callable[[TrainingState], None]:
    def change(state: TrainingState) -> None:
        for name, value in changes.items():
            setattr(state, name, value)

    return change


def _frozen(state: TrainingState) -> None:
    state.parameters.vector.flags.writeable = False


def _frozen_moment(state: TrainingState) -> None:
    state.moments[1].flags.writeable = False


def _misaligned(state: TrainingState) -> None:
    raw = np.zeros(state.parameters.vector.nbytes + 1, np.uint8)[1:].view(np.float64)
    raw[:] = state.parameters.vector
    state.parameters = ParameterVector(NETWORK, raw)


ORDER = np.arange(N)
ZEROS = np.zeros(NETWORK.n_parameters)

WRONG_STATES: dict[str, tuple[Callable[[TrainingState], None], str]] = {
    "read-only parameters": (_frozen, "^parameters: .* writeable"),
    "misaligned parameters": (_misaligned, "^parameters: .* aligned"),
    "a read-only moment": (_frozen_moment, r"^moments\[1\]: .* writeable"),
    "moments of another dtype": (spoil(moments=(ZEROS.astype(np.float32),) * 2), r"^moments\[0\]"),
    "moments of another length": (spoil(moments=(ZEROS[:5], ZEROS[:5])), "^moments"),
    "moments with gaps": (spoil(moments=(np.zeros(2 * len(ZEROS))[::2],) * 2), r"^moments\[0\]"),
    "no moments": (spoil(moments=()), "^moments: 0 "),
    "one moment for two": (spoil(moments=(ZEROS,)), "^moments: 1 "),
    "an empty order": (spoil(order=ORDER[:0]), "^cursor: 0 is not a place in an order of 0"),
    "a negative index": (spoil(order=np.where(ORDER == 19, -1, ORDER)), "^order: .* no row"),
    "an index beyond the rows": (spoil(order=np.where(ORDER == 19, N, ORDER)), "^order: .* no row"),
    "an index that wraps": (spoil(order=np.where(ORDER == 3, 2**64 - 1, ORDER.astype(np.uint64))), "^order: .* no row"),
    "an order of floats": (spoil(order=ORDER + 0.5), "^order: .* whole numbers"),
    "an order of truths": (spoil(order=ORDER > 3), "^order: .* whole numbers"),
    "an order in two dimensions": (spoil(order=ORDER[:, None]), "^order"),
    "a cursor at the end": (spoil(cursor=N), "^cursor"),
    "a cursor far beyond the end": (spoil(cursor=10**20), "^cursor"),
    "a negative cursor": (spoil(cursor=-1), "^cursor"),
    "a negative step": (spoil(step=-5), "first_step"),
    "an input too few": (spoil(X=np.zeros((N, 2))), "^X"),
    "targets without rows": (spoil(X=np.zeros((5, 3)), order=ORDER[:5]), "^Y"),
    "no rows": (spoil(X=np.zeros((0, 3))), "."),
    "weights of another length": (spoil(weights=np.ones(3)), "^weights"),
}


@pytest.mark.parametrize("batch_size", [5, N])
@pytest.mark.parametrize("kind", WRONG_STATES)
def test_a_state_that_does_not_fit_together_is_refused_and_left_as_it_was(kind: str, batch_size: int) -> None:
    change, message = WRONG_STATES[kind]
    made = state(batch_size=batch_size)
    change(made)
    before = bits(made)
    with pytest.raises(InputError, match=message):
        native.run(made, 4)
    assert bits(made) == before


@pytest.mark.parametrize("batch_size", [N, N + 1, 1000, 2**31, 2**62, 2**63, 2**80])
def test_a_batch_size_beyond_the_examples_is_all_of_them(batch_size: int) -> None:
    all_, more = state(batch_size=N), state(batch_size=batch_size)
    native.run(all_, 4)
    native.run(more, 4)
    assert bits(more) == bits(all_)


@pytest.mark.parametrize("n_steps", [0, -1, np.int64(0)])
def test_no_steps_change_nothing(n_steps: int) -> None:
    made = state()
    before = bits(made)
    native.run(made, n_steps)
    assert bits(made) == before


@both_dtypes
@pytest.mark.parametrize("batch_size", [1, 5, N])
def test_numbers_that_overflow_end_in_a_cost_that_is_none_and_no_crash(batch_size: int, dtype: Dtype) -> None:
    made = state(dtype, batch_size, "sgd")
    made.parameters.vector[:] = np.finfo(dtype).max
    with np.errstate(all="ignore"):
        native.run(made, 30)
    assert made.step == 30
    assert not np.isfinite(made.cost)


HUGE = """
import resource
import numpy as np
from chainrule import Network, Optimizer, ParameterVector
from chainrule.engines import native
from chainrule.engines.state import TrainingState

def call(network, n):
    p = ParameterVector.zeros(network, np.float32)
    X = np.zeros((n, network.sizes[0]), np.float32)
    Y = np.zeros((n, network.sizes[-1]), np.float32)
    state = TrainingState(p, Optimizer("sgd"), X, Y, n, 0)
    def refused(f):
        try:
            f()
        except MemoryError:
            return True
        return False
    def unfused():
        native.steps(state, 1, fused=False)
    return [refused(f) for f in (lambda: native.gradient(p, X, Y), lambda: native.run(state, 1), unfused)]

all_sizes = (3, 4, 2), (2, 300, 300, 2), (2, 6000, 6000, 2)
small, many, wide = (Network(sizes, "tanh", "squared-error") for sizes in all_sizes)
print(call(small, 9))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 320 * 2**20,) * 2)
print(call(many, 150_000))  # 4 × 180 MB of activations and their derivatives
print(call(wide, 9))        # 144 MB of parameters, and twice that for their panels
print(call(small, 9))
"""


def script(code: str, *argv: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own; a timeout means that it hung."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code, *argv],
        capture_output=True, text=True, check=False, timeout=timeout, env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory and /proc are Linux's")
def test_what_does_not_fit_into_memory_is_a_memory_error_after_which_all_goes_on() -> None:
    got = script(HUGE, CHAINRULE_THREADS="2")
    assert (got.returncode, got.stderr) == (0, "")
    fits, refused = str([False] * 3), str([True] * 3)
    assert got.stdout.splitlines() == [fits, refused, refused, fits]


# the variables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("isa", native.INSTRUCTION_SETS)
def test_variables_choose_the_instruction_set_and_the_threads(isa: str) -> None:
    told = json.loads(process("info", "--json", CHAINRULE_INSTRUCTION_SET=isa, CHAINRULE_THREADS="3").stdout)
    assert (told["engine"], told["instruction_set"], told["threads"]) == ("native", isa, 3)


@pytest.mark.parametrize(("most", "used"), [("1", 1), ("1,4", 1), ("9" * 5000, None), ("x", None), ("", None)])
def test_omp_num_threads_is_the_most_that_it_takes_by_itself(
    most: str, used: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    native.threads.cache_clear()
    every = native.threads()
    monkeypatch.setenv("OMP_NUM_THREADS", most)
    native.threads.cache_clear()
    assert native.threads() == (every if used is None else used)
    monkeypatch.undo()
    native.threads.cache_clear()


@pytest.mark.parametrize("threads", ["0", "-1", "x", "1025", "9" * 5000, "²", "4 ", "1.5"])
def test_what_is_no_number_of_threads_is_refused(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", threads)
    native.threads.cache_clear()
    with pytest.raises(InputError, match=r"CHAINRULE_THREADS: .* is not a number of threads, from 1 to 1024"):
        native.threads()
    monkeypatch.undo()
    assert native.threads() >= 1


def test_an_unknown_instruction_set_is_refused_with_the_names() -> None:
    refused = process("info", CHAINRULE_INSTRUCTION_SET="avx3")
    assert refused.returncode == 2
    assert "CHAINRULE_INSTRUCTION_SET: 'avx3' is not known" in refused.stderr
    assert native.INSTRUCTION_SETS[0] in refused.stderr


# several callers at once ---------------------------------------------------------------------------

WIDE = Network((40, 70, 10), ("tanh", "softmax"), "cross-entropy")


def wide_state(seed: int, n: int = 200, batch_size: int = 100) -> TrainingState:
    """A run of whose steps several threads have their share; every caller has numbers of its own."""
    random = np.random.default_rng(seed)
    X, Y = random.normal(size=(n, 40)), np.eye(10)[random.integers(10, size=n)]
    return TrainingState(initial_parameters(WIDE, seed, np.float64), Optimizer("adam"), X, Y, batch_size, seed)


def work(seed: int) -> tuple[Any, ...]:
    """All that the engine does, some times in turns."""
    made = wide_state(seed)
    found: list[Any] = []
    for _ in range(4):
        native.run(made, 3)
        C, nabla_C = native.gradient(made.parameters, made.X, made.Y)
        found += [C, nabla_C.vector.tobytes(), native.predict(made.parameters, made.X).tobytes()]
        found.append(native.data_cost(made.parameters, made.X, made.Y))
    return (*bits(made), *found)


@pytest.mark.parametrize("threads", [1, 3])
def test_eight_callers_at_once_get_the_bits_of_one_after_the_other(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "threads", lambda: threads)
    one_by_one = [work(seed) for seed in range(8)]
    together = Barrier(8, timeout=60)

    def start(seed: int) -> tuple[Any, ...]:
        together.wait()
        return work(seed)

    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(start, range(8))) == one_by_one


def test_one_caller_among_others_still_trains_as_the_reference_engine_does() -> None:
    ours, theirs = wide_state(3), wide_state(3)
    native.run(ours, 4)
    reference.run(theirs, 4)
    # four Adam steps of 0.001, each off by some eps of itself: sanity only, test_native_agreement.py has the bound
    assert ours.parameters.vector == pytest.approx(theirs.parameters.vector, rel=1e-9, abs=1e-9)


CHANGED = """
import sys, threading, time
import numpy as np
from chainrule import ChainruleError, Network, Optimizer, initial_parameters
from chainrule.engines import native
from chainrule.engines.state import TrainingState

network = Network((40, 70, 10), "tanh", "squared-error")
random = np.random.default_rng(0)
X, Y = random.normal(size=(200, 40)), random.normal(size=(200, 10))
state = TrainingState(initial_parameters(network, 0, np.float64), Optimizer("sgd"), X, Y, 10, 0)
rows, order, stop = state.order.copy(), state.order, threading.Event()

def change():
    while not stop.is_set():
        for values in (2**45, rows):  # threads may take turns after each
            order[:] = values

sys.setswitchinterval(1e-5)
changing = threading.Thread(target=change)
changing.start()
outcomes = {"made": 0, "refused": 0}
deadline = time.monotonic() + 30
while min(outcomes.values()) < 100 and time.monotonic() < deadline:
    state.order, state.cursor = order, 0
    try:
        native.run(state, 20)
        outcomes["made"] += 1
    except ChainruleError:
        outcomes["refused"] += 1
stop.set()
changing.join()
print(min(outcomes.values()) >= 100)
"""


def test_an_order_that_another_thread_changes_meanwhile_is_refused_or_taken_as_it_was() -> None:
    got = script(CHANGED, CHAINRULE_THREADS="1")
    assert (got.returncode, got.stdout, got.stderr) == (0, "True\n", "")


FUZZ = Path(__file__).parent.parent / "native" / "tests" / "fuzz_python.py"


@pytest.mark.skipif(sys.platform != "linux", reason="it limits its memory as Linux does")
def test_made_up_calls_are_answered_as_plain_ones_or_refused_and_never_crash() -> None:
    """CONTRIBUTING.md has the long form."""
    got = subprocess.run(
        [sys.executable, FUZZ, "--seconds", "3"], capture_output=True, text=True, check=False, timeout=120
    )
    assert (got.returncode, got.stderr) == (0, ""), got.stdout
    assert int(got.stdout.splitlines()[-1].split(" passed, 0 failed")[0]) > 100


# forks ---------------------------------------------------------------------------------------------

SETUP = """
import hashlib, os, sys, threading, time
import numpy as np
from chainrule import Network, Optimizer, initial_parameters
from chainrule.engines import native
from chainrule.engines.state import TrainingState

network = Network((40, 70, 10), ("tanh", "softmax"), "cross-entropy")
assert native.threads() == 3
assert native._chain(network, "d", native.INSTRUCTION_SET).threads_used(100, 3) == 3

def make(seed=0):
    random = np.random.default_rng(seed)
    X, Y = random.normal(size=(200, 40)), np.eye(10)[random.integers(10, size=200)]
    return TrainingState(initial_parameters(network, seed, np.float64), Optimizer("adam"), X, Y, 100, seed)

def trained(steps=8):
    state = make()
    native.run(state, steps)
    return hashlib.sha256(state.parameters.vector.tobytes()).hexdigest()
"""

FORK = f"""{SETUP}
wanted = trained()  # the threads are there now
stop = threading.Event()

def train_on():
    state = make(1)
    while not stop.is_set():
        native.run(state, 5)

if sys.argv[1] == "while training":
    other = threading.Thread(target=train_on)
    other.start()
for _ in range(3):
    child = os.fork()
    if child == 0:
        right = trained() == wanted
        if os.fork() == 0:  # and a child of the child
            os._exit(0 if trained() == wanted else 1)
        right &= os.wait()[1] == 0
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert trained() == wanted
stop.set()
print("done")
"""

POOL = f"""{SETUP}
import multiprocessing

if __name__ == "__main__":
    wanted = trained()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(trained, [8] * 6) == [wanted] * 6
    assert trained() == wanted
    print("done")
"""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
@pytest.mark.parametrize("when", ["while idle", "while training"])
def test_a_forked_child_trains_to_the_same_bits(when: str) -> None:
    got = script(FORK, when, CHAINRULE_THREADS="3", PYTHONWARNINGS="ignore::DeprecationWarning")
    assert (got.returncode, got.stdout, got.stderr) == (0, "done\n", "")


@needs_fork
def test_a_forked_pool_trains_to_the_same_bits() -> None:
    got = script(POOL, CHAINRULE_THREADS="3", PYTHONWARNINGS="ignore::DeprecationWarning")
    assert (got.returncode, got.stdout, got.stderr) == (0, "done\n", "")


# the end -------------------------------------------------------------------------------------------

END = f"""{SETUP}
how, wait = sys.argv[1], float(sys.argv[2])
begun = threading.Event()

def train_on():
    state = make()
    deadline = time.monotonic() + wait + 0.3
    while how == "daemon" or time.monotonic() < deadline:
        native.run(state, int(sys.argv[3]))
        native.gradient(state.parameters, state.X, state.Y)
        begun.set()
    sys.stdout.write("finished\\n")  # at once, where two finish together

for _ in range(2):
    threading.Thread(target=train_on, daemon=how == "daemon").start()
begun.wait()
time.sleep(wait)
if how == "exit":
    sys.exit(3)
"""


@pytest.mark.parametrize("wait", ["0", "0.002", "0.02"])
@pytest.mark.parametrize("steps", ["1", "40"])
def test_a_process_may_end_while_daemon_threads_train(wait: str, steps: str) -> None:
    got = script(END, "daemon", wait, steps, CHAINRULE_THREADS="3")
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")


def test_a_process_that_exits_lets_other_threads_finish_training() -> None:
    got = script(END, "exit", "0.01", "40", CHAINRULE_THREADS="3")
    assert (got.returncode, got.stdout, got.stderr) == (3, "finished\nfinished\n", "")
