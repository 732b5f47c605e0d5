"""What every library's process does: build once, then take turns over standard input and output, one JSON line each.

A peer is a module with a subclass of :class:`Peer` and ``serve(ThatClass)`` as its main program; the command line is
``WORKLOAD DTYPE FORM STARTED``, STARTED being the parent's ``time.monotonic()`` when it launched the process.
"""

import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from workloads import WORKLOADS, Array, Problem, Workload, problem

SLICE_SECONDS = float(os.environ.get("BENCHMARK_SLICE_SECONDS", "0.05"))


class Peer(ABC):
    """One library on one workload. All that can be done before training is done in ``__init__`` and ``prepare``."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        self.workload = workload
        self.numbers = numbers
        self.form = form

    @abstractmethod
    def start(self) -> None:
        """Back to the start: the first parameters, moments 0, no step made."""

    def prepare(self, order: Array) -> Any:
        """The order (k, batch) of k steps as the library wants it; where ``workload.full_batch``, only k counts."""
        return order

    @abstractmethod
    def run(self, order: Any) -> None:
        """Make the steps of a prepared order, and return when they are done."""

    @abstractmethod
    def result(self) -> Array:
        """The flat parameters; the flat gradient where the workload is one gradient a call."""

    def about(self) -> str:
        """What does the arithmetic, for the record."""
        return ""


def serve(kind: Callable[[Workload, Problem, str], Peer]) -> None:
    """Answer until standard input ends."""
    imported = time.monotonic()
    name, dtype, form, started = sys.argv[1:5]
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is not an answer
    workload = WORKLOADS[name].astype(dtype)
    numbers = problem(workload)
    before = time.monotonic()
    peer = kind(workload, numbers, form)
    peer.start()
    order: Any = None
    repeats = 1
    say = {"import": imported - float(started), "build": time.monotonic() - before}
    print(json.dumps(say), file=out, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        say = {}
        if request["do"] == "first":  # with whatever is compiled or allocated on the way
            order = peer.prepare(numbers.order[: workload.steps])
            say["seconds"], say["about"] = _seconds(peer, order, 1), peer.about()
        elif request["do"] == "agree":
            peer.start()
            peer.run(peer.prepare(numbers.order[: request["steps"]]))
            np.save(request["file"], np.asarray(peer.result(), np.float64))
        elif request["do"] == "warm":
            once = min(_seconds(peer, order, 1) for _ in range(3))
            repeats = max(1, round(SLICE_SECONDS / once))
            say["repeats"] = repeats
        elif request["do"] == "time":
            say["step"] = _seconds(peer, order, repeats) / repeats / workload.steps
        print(json.dumps(say), file=out, flush=True)


def _seconds(peer: Peer, order: Any, repeats: int) -> float:
    peer.start()
    run = peer.run
    before = time.perf_counter()
    for _ in range(repeats):
        run(order)
    return time.perf_counter() - before


def blas() -> str:
    """Which BLAS is loaded, its kernels and threads."""
    try:
        from threadpoolctl import threadpool_info  # pyright: ignore
    except ImportError:
        return ""
    found: list[dict[str, Any]] = threadpool_info()  # pyright: ignore
    return "; ".join(
        f"{pool['internal_api']} {pool.get('version')} {pool.get('architecture', '')} ×{pool['num_threads']}".strip()
        for pool in found
    )
