"""Whether the compiled engine is anywhere slower than the reference engine: a grid of shapes, both in turn.

python benchmarks/never_slower.py               the whole grid, ten minutes
python benchmarks/never_slower.py --quick       a quarter of it

Prints how many times faster the compiled engine is, the smallest first; exits with 1 if it is slower somewhere. Both
have all cores. What is timed: a training step with SGD and with Adam, one gradient and one prediction.
"""

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable
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
SECONDS, TURNS = 0.01, 5
PAUSE = 0.1  # between turns, in which the threads of the last one's BLAS fall asleep


def slice_of(f: Callable[[], Any], repeats: int) -> float:
    """Seconds that one call takes, of some in a row after one that wakes threads."""
    time.sleep(PAUSE)
    f()
    start = time.perf_counter()
    for _ in range(repeats):
        f()
    return (time.perf_counter() - start) / repeats


def ratio(fast: Callable[[], Any], slow: Callable[[], Any]) -> tuple[float, float]:
    """How many times faster the first is, and its seconds: the median of what each turn says."""
    repeats = [max(1, math.ceil(SECONDS / max(slice_of(f, 1), 1e-7))) for f in (fast, slow)]
    turns = [(slice_of(fast, repeats[0]), slice_of(slow, repeats[1])) for _ in range(TURNS)]
    return statistics.median(b / a for a, b in turns), statistics.median(a for a, _ in turns)


def calls(engine: Any, network: Network, dtype: np.dtype[Any], rows: int) -> dict[str, Callable[[], Any]]:
    """What is timed."""
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


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="every fourth of the grid")
    grid = list(product(SHAPES, BATCHES, map(np.dtype, (np.float32, np.float64))))
    grid = [(sizes, rows, t) for sizes, rows, t in grid if rows * sum(map(math.prod, pairwise(sizes))) < MOST_WORK]
    if parser.parse_args().quick:
        grid = grid[::4]
    found: list[tuple[float, str]] = []
    for at, (sizes, rows, dtype) in enumerate(grid, 1):
        network = Network(sizes, ["relu"] * (len(sizes) - 2) + ["identity"], "squared-error")
        fast, slow = (calls(engine, network, dtype, rows) for engine in (native, reference))
        for what, call in fast.items():
            times, seconds = ratio(call, slow[what])
            name = f"{'-'.join(map(str, sizes))}, {rows} rows, {dtype}, {what}"
            found.append((times, f"{times:.2f} × in {name} ({seconds * 1e6:,.1f} µs)"))
        print(f"\r{at} of {len(grid)}, least: {min(found)[1]:<90}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    found.sort()
    for _, line in found[:20]:
        print(line)
    slower = sum(times < 1 for times, _ in found)
    print(f"{len(found)} figures, slower in {slower}; median {statistics.median(t for t, _ in found):.1f} ×")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
