"""What the engine runs on."""

import os
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from chainrule.engines import engine

_EXTRAS = {"data": ("pyarrow",), "formulas": ("sympy",), "plots": ("matplotlib",), "sklearn": ("sklearn",)}


def machine() -> dict[str, Any]:
    """Version, engine, the widest instruction set NumPy found, usable processors, and which extras are installed."""
    return {
        "version": version("chainrule"),
        "engine": engine().NAME,
        "instruction_set": _instruction_set(),
        "threads": _processors(),
        "extras": {name: all(find_spec(module) for module in modules) for name, modules in _EXTRAS.items()},
        "numpy": np.__version__,
    }


def _instruction_set() -> str:
    config = cast("dict[str, dict[str, list[str]]]", np.show_config(mode="dicts"))
    simd = config.get("SIMD Extensions", {})
    return [*simd.get("baseline", []), *simd.get("found", [])][-1] if simd else "unknown"


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
