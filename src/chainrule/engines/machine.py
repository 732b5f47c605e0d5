"""What the engine runs on."""

import os
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from chainrule.engines import engine

_EXTRAS = {"data": ("pyarrow",), "formulas": ("sympy",), "plots": ("matplotlib",), "sklearn": ("sklearn",)}


def machine() -> dict[str, Any]:
    """Version, engine, the instruction set and the threads it uses, and which extras are installed.

    Of the reference engine: the widest instruction set NumPy found, and the usable processors.
    """
    used = engine()
    native = used.NAME == "native"
    return {
        "version": version("chainrule"),
        "engine": used.NAME,
        "instruction_set": used.INSTRUCTION_SET if native else _instruction_set(),
        "threads": used.threads() if native else _processors(),
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
