"""What the machine can do: the peak of its matrix product and its memory bandwidth, both on all cores.

python benchmarks/limits.py prints one JSON line. What is measured, and how, is chainrule.engines.limits.
"""

import json
import os
from typing import Any

from chainrule.engines import engine
from chainrule.engines.limits import cache_bytes, memory, products
from chainrule.engines.machine import processors


def measure(seconds: float) -> dict[str, Any]:
    """Everything, in about five times that many seconds."""
    cores = processors()
    bandwidths = {limit.name: limit.rate for limit in memory(cores, seconds)}
    peaks = {
        dtype: {limit.name: limit.rate for limit in products(dtype, engine(), seconds)}
        for dtype in ("float32", "float64")
    }
    return {
        "cores": cores,
        "cache": cache_bytes(),
        "float32": max(peaks["float32"].values()),
        "float64": max(peaks["float64"].values()),
        "peaks": peaks,
        "bandwidth": max(bandwidths.values()),
        "bandwidths": bandwidths,
    }


if __name__ == "__main__":
    print(json.dumps(measure(float(os.environ.get("BENCHMARK_LIMIT_SECONDS", "3")))))
