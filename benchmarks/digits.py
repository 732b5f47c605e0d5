"""Whole processes that train on the bundled digits to 97.5 % or more of the held-out fifth, measured in turn.

Both train the same network with the same optimizer for as many epochs, in settings that were looked for with
scikit-learn: the fastest of nine that reach the figure there. Each splits and draws its first weights by its own means.

python benchmarks/digits.py [ROUNDS]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from turns import FOLDER, environment

NEEDED = 0.975
HIDDEN, BATCH, LR, EPOCHS, SEED = 128, 128, 0.01, 15, 5


def commands(model: Path) -> dict[str, tuple[list[str], str]]:
    """The processes by name, each with the engine it is to use."""
    settings = f"--hidden {HIDDEN} --batch-size {BATCH} --lr {LR} --epochs {EPOCHS} --l2 0 --seed {SEED} --json".split()
    chainrule = [sys.executable, "-m", "chainrule", "train", "digits", "--out", str(model), *settings]
    script = [sys.executable, str(FOLDER / "peers" / "digits_scikit_learn.py")]
    return {
        "chainrule": (chainrule, "native"),
        "chainrule, reference": (chainrule, "reference"),
        "scikit-learn": ([*script, *map(str, (HIDDEN, BATCH, LR, EPOCHS, SEED))], ""),
    }


def measure_digits(rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Wall seconds and test accuracy of each, at its better number of threads."""
    say("digits, whole process")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "digits.safetensors"
        variants = [(name, threads) for name in commands(model) for threads in (1, 2)]
        for at in range(rounds + 1):
            for name, threads in variants:
                command, engine = commands(model)[name]
                key = f"{name}, {threads} thread{'s' * (threads > 1)}"
                entry = found.setdefault(key, {"library": name, "threads": threads, "times": []})
                if "failed" in entry:
                    continue
                if name == "scikit-learn" and find_spec("sklearn") is None:
                    entry["failed"] = "not installed"
                    continue
                start = time.perf_counter()
                ran = subprocess.run(command, capture_output=True, text=True, env=environment(threads, engine))
                seconds = time.perf_counter() - start
                if ran.returncode:
                    entry["failed"] = (ran.stderr.strip().splitlines() or ["failed"])[-1]
                    continue
                entry["accuracy"] = json.loads(ran.stdout)["test_accuracy"]
                if entry["accuracy"] < NEEDED:
                    entry["failed"] = f"reaches only {entry['accuracy']:.4f}"
                elif at:  # the first warms the file cache
                    entry["times"].append(seconds)
                model.unlink(missing_ok=True)
    for key, entry in found.items():
        if entry["times"]:
            entry["median"] = statistics.median(entry["times"])
            say(f"  {key:36} {entry['median']:.3f} s, accuracy {entry['accuracy']:.4f}")
        else:
            say(f"  {key:36} {entry.get('failed')}")
    return found


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    measure_digits(int(sys.argv[1]) if len(sys.argv) > 1 else 7, print)
