"""What the machine can do at most, measured, and how much of that one step of training needs, counted.

The peak of arithmetic is the best square product, of NumPy's BLAS or of the compiled engine; that of memory is the best
of copying, adding and summing arrays far larger than the cache.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from types import ModuleType

import numpy as np

from chainrule.calculus.network import Network, ParameterVector

_SIDES = (384, 768, 1152, 1536, 3072)

_CACHE_WHERE_UNKNOWN = 2**25
_LEAST_ARRAY = 2**25
"""Bytes of each array whose memory is measured, where the cache is small."""


# what a step needs ---------------------------------------------------------------------------------


def step_flops(sizes: Sequence[int], batch: int) -> int:
    """Floating-point operations of one step's matrix products: forward, ∇w, and ∂C/∂a of all layers but the input.

    Activations, cost and optimizer count nothing.
    """
    first, *rest = (k * n for k, n in pairwise(sizes))
    return 2 * batch * (2 * first + 3 * sum(rest))


def step_bytes(sizes: Sequence[int], batch: int, rows: int, n_moments: int, itemsize: int, cache: int) -> int:
    """Bytes that one step has to move between processor and memory.

    What fits into half of the last-level cache is taken to stay there and counts nothing. Parameters and moments that
    do not fit are read and written once; the batch of a data set that does not fit is read once.
    """
    state = sum((k + 1) * n for k, n in pairwise(sizes)) * (1 + n_moments) * itemsize
    row = (sizes[0] + sizes[-1]) * itemsize
    return (2 * state if 2 * state > cache else 0) + (row * batch if 2 * row * rows > cache else 0)


def least_seconds(flops: float, moved: float, peak: float, bandwidth: float) -> float:
    """The time below which no step with so many flops and bytes can be."""
    return max(flops / peak, moved / bandwidth)


# what the machine can do ---------------------------------------------------------------------------


@dataclass
class Limit:
    """A rate: each ``run`` does ``amount`` flops or bytes, and the best so far did ``rate`` of them a second."""

    name: str
    amount: float
    run: Callable[[], object]
    rate: float = 0.0

    def measure(self, seconds: float) -> None:
        """Run for that long, but at least three times."""
        end = perf_counter() + seconds
        runs = 0
        while runs < 3 or perf_counter() < end:
            start = perf_counter()
            self.run()
            self.rate = max(self.rate, self.amount / max(perf_counter() - start, 1e-9))
            runs += 1


def cache_bytes() -> int:
    """The last-level cache; 32 MiB where the system does not say."""
    sizes: list[int] = []
    for size in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = size.read_text().strip()
        sizes.append(int(text.rstrip("KMG")) * {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1], 1))
    return max(sizes, default=_CACHE_WHERE_UNKNOWN)


def products(dtype: str, engine: ModuleType, seconds: float) -> list[Limit]:
    """The best square product of NumPy's BLAS, and that of the engine where it has one of its own, in flops.

    Sizes of which three products would take longer than that many seconds are not tried.
    """
    found = [_best_product("NumPy's BLAS", lambda n: _blas_product(n, dtype), seconds)]
    if engine.NAME == "native":
        found.append(_best_product("native engine", lambda n: _engine_product(n, dtype, engine), seconds))
    return found


def _best_product(name: str, product: Callable[[int], Callable[[], object]], seconds: float) -> Limit:
    best: Limit | None = None
    for n in _SIDES:
        flops = 2.0 * n**3
        if best is not None and 3 * flops / best.rate > seconds:
            break
        limit = Limit(name, flops, product(n))
        limit.measure(seconds / len(_SIDES))
        best = max(best or limit, limit, key=lambda limit: limit.rate)
    assert best is not None
    return best


def _blas_product(n: int, dtype: str) -> Callable[[], object]:
    a, b = np.full((n, n), 0.5, dtype), np.full((n, n), 0.25, dtype)
    c = np.empty_like(a)
    return lambda: np.matmul(a, b, out=c)


def _engine_product(n: int, dtype: str, engine: ModuleType) -> Callable[[], object]:
    """A layer of n neurons with n inputs, for n examples."""
    layer = ParameterVector.zeros(Network((n, n), "identity", "squared-error"), np.dtype(dtype))
    layer.vector[:] = 0.5
    X = np.full((n, n), 0.25, dtype)
    return lambda: engine.predict(layer, X)


def memory(threads: int, seconds: float) -> list[Limit]:
    """Copying, adding and summing, each thread its own part, in bytes that the program reads and writes.

    What the processor reads because a line is written is not counted.
    """
    n = max(_LEAST_ARRAY, 4 * cache_bytes()) // 4
    a, b, c = np.ones(n, np.float32), np.ones(n, np.float32), np.empty(n, np.float32)
    parts = [slice(n * i // threads, n * (i + 1) // threads) for i in range(threads)]
    pool = ThreadPoolExecutor(threads)
    kinds: dict[str, tuple[int, Callable[[slice], object]]] = {
        "copy": (2, lambda part: np.copyto(c[part], a[part])),
        "add": (3, lambda part: np.add(a[part], b[part], out=c[part])),
        "sum": (1, lambda part: np.sum(a[part])),
    }
    limits = [
        Limit(name, arrays * 4.0 * n, lambda work=work: list(pool.map(work, parts)))
        for name, (arrays, work) in kinds.items()
    ]
    for limit in limits:
        limit.measure(seconds / len(limits))
    return limits
