"""Whether the compiled engine is anywhere slower than the reference engine: a grid of shapes, both in turn.

python benchmarks/never_slower.py               the whole grid, a quarter of an hour
python benchmarks/never_slower.py --quick       a quarter of it

Prints how many times faster the compiled engine is, the smallest first; exits with 1 if it is slower somewhere. What
seems to be slower is measured again, three times as long, and that counts. Each engine is a process of its own with all
cores, since the threads of a BLAS go on looking for work for a while. What is timed: a training step with SGD and with
Adam, one gradient and one prediction.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np

from chainrule import Network, Optimizer, initial_parameters
from chainrule.engines import native, reference
from chainrule.engines.state import TrainingState

SHAPES: tuple[tuple[int, ...], ...] = (
    (1, 1), (2, 3, 2), (10, 1), (4, 16, 16, 2), (1, 100, 1), (300, 1000), (1000, 300), (100, 3), (64, 64, 32, 10),
    (784, 30, 10), (2000, 10, 1), (10, 2000, 1), (784, 512, 512, 10), (33, 65, 129, 17), *[(8,) * 9],
    (1024, 2048, 2048, 10),
)  # fmt: skip
BATCHES = (1, 10, 64, 1000)
MOST_WORK = 3e9  # parameters × rows of what is tried
SECONDS, TURNS = 0.02, 5
WHAT = ("step, sgd", "step, adam", "gradient", "prediction")
PAUSE = 0.15  # after the reference engine's turn: until then its BLAS's threads look for work


def slice_of(f: Callable[[], Any]) -> float:
    """Seconds that one call takes, of as many as fill a slice, after one that wakes threads."""
    f()
    calls, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS or calls == 0:
        f()
        calls += 1
    return passed / calls


def calls(engine: Any, sizes: tuple[int, ...], rows: int, dtype: np.dtype[Any]) -> dict[str, Callable[[], Any]]:
    """What is timed."""
    network = Network(sizes, ["relu"] * (len(sizes) - 2) + ["identity"], "squared-error")
    random = np.random.default_rng(0)
    X, Y = (np.asarray(random.normal(size=(rows, n)), dtype) for n in (network.sizes[0], network.sizes[-1]))
    parameters = initial_parameters(network, 0, dtype)

    def steps(optimizer: str) -> Callable[[], Any]:
        many = np.tile(X, (4, 1)), np.tile(Y, (4, 1))
        state = TrainingState(parameters.copy(), Optimizer(optimizer, 1e-6), *many, rows, 0)
        return lambda: engine.run(state, 4)

    return {
        "step, sgd": steps("sgd"),
        "step, adam": steps("adam"),
        "gradient": lambda: engine.gradient(parameters, X, Y),
        "prediction": lambda: engine.predict(parameters, X),
    }


def work(name: str, quick: bool) -> None:
    """Be one of the two processes: time what a line names, answer with the seconds."""
    engine, cases = {"native": native, "reference": reference}[name], grid(quick)
    known: tuple[int, dict[str, Callable[[], Any]]] = (-1, {})
    for line in sys.stdin:
        case, what = line.rstrip().split(" ", 1)
        if known[0] != int(case):
            known = (int(case), calls(engine, *cases[int(case)]))
        print(slice_of(known[1][what]), flush=True)


def grid(quick: bool) -> Sequence[tuple[tuple[int, ...], int, np.dtype[Any]]]:
    """Sizes, rows and type of each case."""
    cases = list(product(SHAPES, BATCHES, map(np.dtype, (np.float32, np.float64))))
    cases = [case for case in cases if case[1] * sum(map(math.prod, pairwise(case[0]))) < MOST_WORK]
    return cases[::4] if quick else cases


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fourth of the grid")
    parser.add_argument("--work", choices=["native", "reference"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.quick)
        return 0
    again = [sys.executable, __file__, *(["--quick"] if options.quick else []), "--work"]
    workers = [
        subprocess.Popen([*again, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("native", "reference")
    ]

    def seconds(worker: subprocess.Popen[str], case: int, what: str) -> float:
        assert worker.stdin is not None
        assert worker.stdout is not None
        print(case, what, file=worker.stdin, flush=True)
        return float(worker.stdout.readline())

    def turn(case: int, what: str) -> list[float]:
        time.sleep(PAUSE)
        return [seconds(worker, case, what) for worker in workers]

    def measured(case: int, what: str, turns: int) -> tuple[float, str]:
        pairs = [turn(case, what) for _ in range(turns)]
        times = statistics.median(slow / fast for fast, slow in pairs)
        fast = statistics.median(fast for fast, _ in pairs) * 1e6
        sizes, rows, dtype = cases[case]
        return times, f"{times:.2f} × in {'-'.join(map(str, sizes))}, {rows} rows, {dtype}, {what} ({fast:,.1f} µs)"

    found: list[tuple[float, str]] = []
    cases = grid(options.quick)
    for at in range(len(cases)):
        for what in WHAT:
            first = measured(at, what, TURNS)
            found.append(first if first[0] >= 1 else measured(at, what, 3 * TURNS))
        print(f"\r{at + 1} of {len(cases)}, least: {min(found)[1]:<90}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    found.sort()
    for _, line in found[:20]:
        print(line)
    slower = sum(times < 1 for times, _ in found)
    print(f"{len(found)} figures, slower in {slower}; median {statistics.median(t for t, _ in found):.1f} ×")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
