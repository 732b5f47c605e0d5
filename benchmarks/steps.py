"""How long a training step takes, here and in the libraries that people use: one command measures everything.

python benchmarks/steps.py                      all workloads, all libraries, prints the tables
python benchmarks/steps.py --out benchmarks     the same, and writes results.json, pictures and tables there
python benchmarks/steps.py --quick --only 2-3-2 --libraries chainrule,JAX

Each form of each library at one and at two threads is a process of its own. They take turns, round by round, and only
one runs at a time; a library's figure is the median of its best form. Before anything is timed, its parameters after
some steps must be those of NumPy in float64, within what rounding can do (agreement.py). The table says what share of
the machine's limit is reached: max(flops/peak, bytes/bandwidth) of the step over the time of the step (limits.py).
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from agreement import Yardstick
from digits import measure_digits
from tables import tables, write_into_readme
from turns import FOLDER, LIBRARIES, Library, Process, Stopped, environment, take_turns
from workloads import WORKLOADS, Workload

from chainrule.engines.limits import least_seconds, step_bytes, step_flops


def arguments() -> argparse.Namespace:
    """From the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="at least 7 for a figure to publish")
    parser.add_argument("--only", default="", help="workloads, comma-separated; 'digits' is the whole process")
    parser.add_argument("--libraries", default="", help="comma-separated beginnings of their names")
    parser.add_argument("--threads", default="1,2", help="numbers of threads to try")
    parser.add_argument("--limit", type=float, default=300, help="seconds a process may take to compile")
    parser.add_argument("--double", action="store_true", help="compare the parameters in float64 too")
    parser.add_argument("--quick", action="store_true", help="3 rounds of short slices: to see that it works")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument(
        "--out", type=Path, help="folder for results.json, the pictures, and the tables of its README.md"
    )
    return parser.parse_args()


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def machine_limits(quick: bool) -> dict[str, Any]:
    """Peak and bandwidth, in a process of their own."""
    cores = len(os.sched_getaffinity(0))
    seconds = {"BENCHMARK_LIMIT_SECONDS": "1" if quick else "4"}
    command = [sys.executable, str(FOLDER / "limits.py")]
    return json.loads(subprocess.run(command, check=True, capture_output=True, env=environment(cores) | seconds).stdout)


def compare(process: Process, yardstick: Yardstick, workload: Workload, limit: float) -> dict[str, float]:
    """How far the parameters are from what they have to be, in units of the tolerance, by number of steps."""
    return {str(k): yardstick.distance(k, process.after(k, limit)) for k in workload.agree}


def prepared(
    library: Library, form: str, threads: int, workload: Workload, yardsticks: dict[str, Yardstick], options: Any
) -> tuple[Process | None, dict[str, Any]]:
    """A process that is ready to be timed, and what there is to say about it; None if it cannot be."""
    told: dict[str, Any] = {"library": library.name, "form": form, "threads": threads}
    limit = options.limit
    try:
        process = Process(library, form, threads, workload)
        told |= process.answer(limit)
        first = process.ask(limit, do="first")
        told |= {"first": first["seconds"], "about": first["about"]}
        told |= process.ask(limit, do="warm")
        same_model = not (library.module == "scikit_learn" and workload.sizes[-1] == 2)
        told["same_model"] = same_model
        if same_model:
            own = "sklearn" if library.module == "scikit_learn" else "all"
            if own not in yardsticks:
                yardsticks[own] = Yardstick(workload, early_epsilon=own == "sklearn")
            told["agreement"] = compare(process, yardsticks[own], workload, limit)
            if max(told["agreement"].values()) > 1:
                process.close()
                raise Stopped(f"the parameters do not agree: {told['agreement']} tolerances off")
            if options.double and workload.dtype == "float32":
                double = Process(library, form, threads, workload, "float64")
                double.answer(limit)
                wide = yardsticks.setdefault(f"{own} float64", Yardstick(workload.astype("float64"), own == "sklearn"))
                told["agreement64"] = compare(double, wide, workload, limit)
                double.close()
    except Stopped as why:
        return None, told | {"failed": str(why)}
    return process, told


def measure(workload: Workload, libraries: Sequence[Library], options: Any) -> dict[str, Any]:
    """All that one workload tells."""
    say(f"{workload.title}")
    processes: list[Process] = []
    results: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    yardsticks: dict[str, Yardstick] = {}
    for library in libraries:
        for form in library.forms_for(workload):
            for threads in map(int, options.threads.split(",")):
                process, told = prepared(library, form, threads, workload, yardsticks, options)
                if process is None:
                    failed.append(told)
                    say(f"  {library.name} ({form}, {threads}): {told['failed']}")
                else:
                    processes.append(process)
                    results.append(told | {"times": []})
    idle: list[float] = []
    for _ in range(options.rounds):
        times, used = take_turns(processes, options.limit)
        idle.append(used)
        for result, seconds in zip(results, times, strict=True):
            result["times"].append(seconds)
    for process in processes:
        process.close()
    for result in sorted(results, key=lambda result: statistics.median(result["times"])):
        result["median"] = statistics.median(result["times"])
        name = f"{result['library']} ({result['form']}, {result['threads']})"
        spread = f"{min(result['times']) * 1e6:.2f} to {max(result['times']) * 1e6:.2f}"
        say(f"  {name:40} {result['median'] * 1e6:12.2f} µs  ({spread}), first call {result['first']:.2f} s")
    return {"title": workload.title, "variants": results, "failed": failed, "idle": max(idle, default=0.0)}


def limits_of(workload: Workload, limits: dict[str, Any]) -> dict[str, float]:
    """The least time of one step, and what it is made of."""
    sizes, batch, itemsize = workload.sizes, workload.batch, np.dtype(workload.dtype).itemsize
    n_moments = 2 if workload.optimizer == "adam" else 0
    flops = step_flops(sizes, batch)
    moved = step_bytes(sizes, batch, workload.rows, n_moments, itemsize, limits["cache"])
    seconds = least_seconds(flops, moved, limits[workload.dtype], limits["bandwidth"])
    return {"flops": flops, "bytes": moved, "limit": seconds}


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    if options.quick:
        options.rounds = 3
        os.environ["BENCHMARK_SLICE_SECONDS"] = "0.02"
    only = [name for name in options.only.split(",") if name] or [*WORKLOADS, "digits"]
    wanted = [name for name in options.libraries.split(",") if name]
    libraries = [
        library for library in LIBRARIES if not wanted or any(library.name.startswith(name) for name in wanted)
    ]
    limits = machine_limits(options.quick)
    results: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": os.getloadavg(),
        "rounds": options.rounds,
        "limits": limits,
        "workloads": {},
    }
    for name in only:
        if name in WORKLOADS:
            workload = WORKLOADS[name]
            results["workloads"][name] = measure(workload, libraries, options) | limits_of(workload, limits)
    if "digits" in only:
        results["digits"] = measure_digits(options.rounds, say)
    text = tables(results)
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    for file in (options.json, options.out and options.out / "results.json"):
        if file:
            file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.out:
        from picture import draw

        draw(results, options.out)
        write_into_readme(options.out / "README.md", text)


def machine() -> dict[str, Any]:
    """What it ran on."""
    found = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    flags = next((line for line in _lines("/proc/cpuinfo") if line.startswith("flags")), "")
    sets = [name for name in ("avx2", "avx512f") if f" {name}" in flags]
    return {
        "processor": found[0] if found else platform.processor(),
        "instruction_sets": sets,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "seconds": time.monotonic(),
    }


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main()
