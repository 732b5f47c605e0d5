"""What the machine can do: the peak of its matrix product and its memory bandwidth, both on all cores.

python benchmarks/limits.py prints one JSON line.
"""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


def cache_bytes() -> int:
    """The last-level cache; 32 MiB where the system does not say."""
    sizes: list[int] = []
    for size in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = size.read_text().strip()
        sizes.append(int(text.rstrip("KMG")) * {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1], 1))
    return max(sizes, default=2**25)


def fastest(work: Callable[[], object], seconds: float) -> float:
    """The shortest of the calls that fit into that time, at least three."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def peak(dtype: str, seconds: float) -> float:
    """Flops a second of the best square product of NumPy's BLAS."""
    best = 0.0
    for n in (768, 1536, 3072):
        a, b = (np.random.default_rng(0).random((n, n)).astype(dtype) for _ in "ab")
        c = np.empty_like(a)

        def work(a: Array = a, b: Array = b, c: Array = c) -> None:
            np.matmul(a, b, out=c)

        best = max(best, 2.0 * n**3 / fastest(work, seconds / 3))
    return best


def bandwidth(seconds: float) -> dict[str, float]:
    """Bytes a second of copying, adding and summing arrays far larger than the cache, each core its own part.

    The bytes that the program reads and writes; what the processor reads because a line is written is not counted.
    """
    n, workers = max(2**25, 2 * cache_bytes() // 4), cores()
    a, b, c = np.ones(n, np.float32), np.ones(n, np.float32), np.empty(n, np.float32)
    parts = [slice(n * i // workers, n * (i + 1) // workers) for i in range(workers)]
    kinds: dict[str, tuple[int, Callable[[slice], object]]] = {
        "copy": (2, lambda part: np.copyto(c[part], a[part])),
        "add": (3, lambda part: np.add(a[part], b[part], out=c[part])),
        "sum": (1, lambda part: np.sum(a[part])),
    }
    with ThreadPoolExecutor(workers) as pool:
        return {
            kind: arrays * 4.0 * n / fastest(lambda work=work: list(pool.map(work, parts)), seconds / len(kinds))
            for kind, (arrays, work) in kinds.items()
        }


def measure(seconds: float) -> dict[str, Any]:
    """Everything, in about three times that many seconds."""
    bandwidths = bandwidth(seconds)
    return {
        "cores": cores(),
        "cache": cache_bytes(),
        "float32": peak("float32", seconds),
        "float64": peak("float64", seconds),
        "bandwidth": max(bandwidths.values()),
        "bandwidths": bandwidths,
    }


if __name__ == "__main__":
    print(json.dumps(measure(float(os.environ.get("BENCHMARK_LIMIT_SECONDS", "3")))))
