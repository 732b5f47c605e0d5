"""What the engine runs on."""

import os
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType
from typing import Any, cast

import numpy as np

from chainrule.engines import engine

_EXTRAS = {"data": ("pyarrow",), "formulas": ("sympy",), "plots": ("matplotlib",), "sklearn": ("sklearn",)}

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""The variables from which NumPy's BLAS takes its number of threads, the first before the second."""


def machine() -> dict[str, Any]:
    """Version, engine, the instruction set and the threads it uses, and which extras are installed."""
    used = engine()
    return {
        "version": version("chainrule"),
        "engine": used.NAME,
        "instruction_set": instruction_set(used),
        "threads": threads(used),
        "extras": {name: all(find_spec(module) for module in modules) for name, modules in _EXTRAS.items()},
        "numpy": np.__version__,
    }


def instruction_set(engine: ModuleType) -> str:
    """The one that the engine uses; of the reference engine the widest that NumPy found."""
    if engine.NAME == "native":
        return engine.INSTRUCTION_SET
    config = cast("dict[str, dict[str, list[str]]]", np.show_config(mode="dicts"))
    simd = config.get("SIMD Extensions", {})
    return [*simd.get("baseline", []), *simd.get("found", [])][-1] if simd else "unknown"


def threads(engine: ModuleType) -> int:
    """How many the engine uses at most; of the reference engine, what NumPy's BLAS does by itself or is told to."""
    if engine.NAME == "native":
        return engine.threads()
    wanted = next((n for n in map(os.environ.get, BLAS_THREADS) if n and n.isdecimal() and int(n) > 0), None)
    return min(int(wanted), processors()) if wanted else processors()


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
