"""How long a fit takes with chainrule's estimators and with scikit-learn's, which take the same steps.

python benchmarks/estimators.py                 digits, breast cancer, 20,640 × 8 numbers, 60,000 × 784 made up
python benchmarks/estimators.py digits          one of them; also sparse: 2,000 × 20,000 of float64, 0.5 % of them not 0
python benchmarks/estimators.py import          CPU seconds of importing the estimators, and scikit-learn's
python benchmarks/estimators.py memory          by how much 10,000 fits in one process make it grow

Both train with early stopping from the same random_state, in float32 but for sparse, hence to the same validation
score, which is printed, in as many epochs. Each has a process of its own, which fits again and again for a second.
chainrule and scikit-learn's BLAS get one thread and as many as there are processors. All take turns, three times, and
the fastest fit of each library counts; it is shown with the threads it had.
"""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import gc
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

DATA = ("digits", "cancer", "numbers", "large")
ROUNDS = 3


def workload(name: str) -> tuple[str, Any, Any]:
    """The class, X and y."""
    from scipy.sparse import csr_matrix
    from sklearn.datasets import load_breast_cancer, load_digits
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    if name == "sparse":
        places = random.integers(0, (2000, 20_000), (200_000, 2)).T
        X = csr_matrix((random.random(200_000), tuple(places)), shape=(2000, 20_000))
        return "MLPClassifier", X, random.integers(0, 3, 2000)
    kind = "MLPClassifier"
    if name in ("digits", "cancer"):
        X, y = (load_digits if name == "digits" else load_breast_cancer)(return_X_y=True)
    elif name == "numbers":
        X = random.normal(size=(20640, 8))
        y = np.tanh(X @ random.normal(size=8)) + random.normal(size=20640) / 10
        kind = "MLPRegressor"
    else:
        X = random.normal(size=(60000, 784))
        y = (X @ random.normal(size=(784, 10)) + 9 * random.normal(size=(60000, 10))).argmax(axis=1)
    return kind, StandardScaler().fit_transform(X).astype(np.float32), y


def fit(library: str, name: str) -> dict[str, Any]:
    """The seconds that the fastest fit takes, after a short one, with its epochs and its score."""
    from importlib import import_module

    kind, X, y = workload(name)
    estimator = getattr(import_module(library), kind)(random_state=0, early_stopping=True)
    seconds: list[float] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        type(estimator)(max_iter=1, early_stopping=True).fit(X[:500], y[:500])
        while sum(seconds) < 1:
            start = time.perf_counter()
            estimator.fit(X, y)
            seconds.append(time.perf_counter() - start)
    return {"seconds": min(seconds), "epochs": estimator.n_iter_, "score": estimator.best_validation_score_}


def measured(library: str, name: str, threads: int) -> dict[str, Any]:
    """The same in a process of its own."""
    environment = os.environ | {"CHAINRULE_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, "--fit", library, name]
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def resident() -> int:
    """The memory that this process holds, in KiB."""
    gc.collect()
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])


def growth() -> None:
    """Fit small networks of different settings 10,000 times, after the first 500; print the memory held."""
    import chainrule

    random = np.random.default_rng(0)
    X, y = random.normal(size=(60, 5)), random.integers(0, 3, 60)
    warnings.simplefilter("ignore")
    before = 0
    for i in range(10_500):
        if i == 500:
            before = resident()
        rate, solver = ("constant", "cosine")[i % 2], ("adam", "sgd", "rmsprop")[i % 3]
        settings: dict[str, Any] = {"solver": solver, "learning_rate": rate, "early_stopping": i % 2 == 0}
        settings |= {"dropout": 0.1 * (i % 5 == 0), "batch_size": 20, "max_iter": 3, "random_state": i}
        chainrule.MLPClassifier((5 + i % 7,), **settings).fit(X, y)
        if i % 5 == 0:
            chainrule.MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=3, random_state=i).fit(X, y)
    after = resident()
    print(f"{before:,} KiB before, {after:,} KiB after: {after / before - 1:+.2%}")


def imports() -> None:
    """Import each library in new processes, in turns; print the medians of the CPU seconds."""
    seconds: dict[str, list[float]] = {"chainrule.estimators": [], "sklearn.neural_network": []}
    for _ in range(10):
        for library, some in seconds.items():
            program = f"import {library}, time; print(time.process_time())"
            some.append(
                float(subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE).stdout)
            )
    for library, some in seconds.items():
        print(f"import {library}: {np.median(some):.2f} s")


def main() -> None:
    """Measure what the command line names, or all; print a line for each."""
    if sys.argv[1:2] == ["memory"]:
        growth()
        return
    if sys.argv[1:2] == ["import"]:
        imports()
        return
    if sys.argv[1:2] == ["--fit"]:
        print(json.dumps(fit(*sys.argv[2:])))
        return
    counts = sorted({1, len(os.sched_getaffinity(0))})
    print(f"{'':8}  {'chainrule':>33}  {'scikit-learn':>33}  times faster")
    for name in sys.argv[1:] or DATA:
        fits: dict[str, list[tuple[float, str]]] = {"chainrule": [], "sklearn.neural_network": []}
        for _ in range(ROUNDS):
            for library, some in fits.items():
                for n in counts:
                    one = measured(library, name, n)
                    told = f"{one['seconds']:7.3f} s, {one['epochs']:3} × {one['score']:.4f}, threads {n}"
                    some.append((one["seconds"], told))
        (ours, our_cell), (theirs, their_cell) = (min(some) for some in fits.values())
        print(f"{name:8}  {our_cell:>33}  {their_cell:>33}  {theirs / ours:.1f}", flush=True)


if __name__ == "__main__":
    main()
