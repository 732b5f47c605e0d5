"""The processes: which form of which library runs, with how many threads, and asking one at a time."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from workloads import Array, Workload

FOLDER = Path(__file__).resolve().parent
PAUSE = 0.15
"""Seconds between two turns, in which the threads of the last one fall asleep: OpenBLAS's spin for up to 0.12 s."""


@dataclass(frozen=True)
class Library:
    """One column of the table: its module in ``peers``, the package it needs, its forms."""

    name: str
    module: str
    package: str
    forms: tuple[str, ...]

    def forms_for(self, workload: Workload) -> tuple[str, ...]:
        """Those that differ and are worth compiling: several steps in a row only where a step is short."""
        short = workload.optimizer != "gradient" and workload.n_parameters < 2**17
        return self.forms if short or self.module == "torch_eager" else self.forms[:1]


LIBRARIES = (
    Library("chainrule", "chainrule_engine", "chainrule", ("native",)),
    Library("chainrule, reference", "chainrule_engine", "chainrule", ("reference",)),
    Library("NumPy by hand", "numpy_by_hand", "numpy", ("dot",)),
    Library("JAX", "jax_scan", "jax", ("scan", "unroll4", "unroll16")),
    Library("PyTorch", "torch_eager", "torch", ("functional", "module")),
    Library("PyTorch, compiled", "torch_compiled", "torch", ("step", "steps8")),
    Library("scikit-learn", "scikit_learn", "sklearn", ("partial_fit",)),
)
OURS = ("chainrule", "chainrule, reference")


def environment(threads: int, engine: str = "") -> dict[str, str]:
    """That of a process with so many threads, and no setting that would choose a slower BLAS kernel."""
    slowing = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE", "XLA_FLAGS", "CHAINRULE_ENGINE")
    kept = {name: value for name, value in os.environ.items() if name not in slowing}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
        kept[name] = str(threads)
    path = [str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(path)} | ({"CHAINRULE_ENGINE": engine} if engine else {})


@contextmanager
def on_cores(n: int) -> Generator[None]:
    """What is started inside runs on so many cores: the one way to tell XLA how many threads to use."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[-n:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


class Stopped(Exception):  # noqa: N818
    """A process that has ended or takes too long; the text says why."""


class Process:
    """One form of one library at one number of threads on one workload."""

    def __init__(self, library: Library, form: str, threads: int, workload: Workload, dtype: str = "") -> None:
        self.library, self.form, self.threads, self.workload = library, form, threads, workload
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        if find_spec(library.package) is None:
            raise Stopped("not installed")
        command = [sys.executable, str(FOLDER / "peers" / f"{library.module}.py"), workload.name]
        command += [dtype or workload.dtype, form, str(time.monotonic())]
        with on_cores(threads if library.module in ("jax_scan", "chainrule_engine") else len(os.sched_getaffinity(0))):
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env=environment(threads)
            )

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.library.name} ({self.form}, {self.threads} thread{'s' * (self.threads > 1)})"

    def answer(self, limit: float) -> dict[str, Any]:
        """The next line."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], limit)[0]:
            self.close()
            raise Stopped(f"took more than {limit:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip().splitlines()
            raise Stopped(said[-1] if said else f"ended with {self.process.returncode}")
        return json.loads(line)

    def ask(self, limit: float, **request: Any) -> dict[str, Any]:
        """One request and its answer."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, and answer() says why from what it printed last
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        return self.answer(limit)

    def after(self, k: int, limit: float) -> Array:
        """The flat parameters after k steps from the start."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "parameters.npy"
            self.ask(limit, do="agree", steps=k, file=str(file))
            return np.load(file)

    def processor_seconds(self) -> float:
        """What it has used of the processor so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            if pipe is not None:
                pipe.close()


def take_turns(processes: Sequence[Process], limit: float) -> tuple[list[float], float]:
    """Seconds a step of each process, one after another; and the share of a processor that the waiting ones used."""
    times: list[float] = []
    idle = 0.0
    start = time.perf_counter()
    for process in processes:
        others = [other for other in processes if other is not process]
        time.sleep(PAUSE)
        before = sum(other.processor_seconds() for other in others)
        times.append(process.ask(limit, do="time")["step"])
        idle += sum(other.processor_seconds() for other in others) - before
    return times, idle / (time.perf_counter() - start)
