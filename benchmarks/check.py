"""How long ``chainrule.check`` takes, whatever the mistake: ``python benchmarks/check.py``.

Each mistake of the catalogue is planted wherever tests/oracles/planted.py can plant it, and so is noise that nothing
explains, in one entry, one layer and everywhere. The network of the first table is 784-128-10 with 256 examples.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from chainrule import Model, Network, ParameterVector, check
from chainrule.checking.mistake import catalogue
from tests.oracles.planted import Gradient, Problem, backprop, places, planted_in

LARGE = ([784, 128, 10], ["relu", "softmax"], "cross-entropy", 256)
DEEP = ([64, 64, 64, 64, 64, 64, 10], ["tanh"] * 5 + ["sigmoid"], "squared-error", 128)


def problem(
    sizes: list[int], activations: list[str], cost: str, n: int, penalty: float, weighted: bool, seed: int = 0
) -> Problem:
    """Random parameters and examples of these sizes."""
    random = np.random.default_rng(seed)
    layers = range(1, len(sizes))
    w = {l: random.normal(0, 1 / np.sqrt(sizes[l - 1]), (sizes[l], sizes[l - 1])) for l in layers}
    b = {l: random.normal(0, 0.1, sizes[l]) for l in layers}
    X = random.random((n, sizes[0])) * (random.random((n, sizes[0])) < 0.3)
    Y = np.eye(sizes[-1])[random.integers(sizes[-1], size=n)]
    s = random.uniform(0.5, 2, n) if weighted else None
    q = Problem(["", *activations], cost, w, b, X, Y, s, 0.0, penalty)
    q.earlier.update(backprop(q))
    return q


def noise(q: Problem) -> Iterator[tuple[str, Gradient]]:
    """Wrong numbers that no mistake gives."""
    random = np.random.default_rng(1)
    right = backprop(q)
    first, last = "w1", f"b{q.L}"
    for name in (first, last):
        one = {key: g.copy() for key, g in right.items()}
        one[name].flat[0] += 0.01
        yield f"noise in one entry of {name}", one
    yield (
        "noise in layer 1",
        {key: g + (0.01 * random.normal(size=g.shape) if key in ("w1", "b1") else 0) for key, g in right.items()},
    )
    yield "noise everywhere", {key: g + 0.01 * random.normal(size=g.shape) for key, g in right.items()}


def gradients(q: Problem) -> Iterator[tuple[str, Gradient]]:
    """The right one, noise, and each mistake at the first and the last place."""
    yield "right", backprop(q)
    yield from noise(q)
    random = np.random.default_rng(2)
    for kind in catalogue():
        options = [] if kind.convention else places(kind.name, q, random)
        for planted in options[:1] + options[1:][-1:]:
            wrong = planted_in(q, planted)
            if wrong is not None:
                yield f"{planted.name}, layer {planted.layer}", wrong


def main() -> None:
    """Prints the times of every gradient that takes longer than a second, and the longest."""
    for title, q in (
        ("784-128-10, 256 examples", problem(*LARGE, 0.0, False)),
        ("784-128-10, 256 examples, a penalty and weights", problem(*LARGE, 0.01, True)),
        ("64-64-64-64-64-64-10, 128 examples", problem(*DEEP, 0.0, False)),
    ):
        network = Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
        arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
        model = Model(ParameterVector.from_arrays(network, arrays))
        times: list[tuple[float, str, str]] = []
        for what, wrong in gradients(q):
            started = perf_counter()
            verdict = check(model, q.X, q.Y, wrong, q.s, earlier=q.earlier)
            times.append((perf_counter() - started, what, repr(verdict)))
        times.sort(reverse=True)
        median = times[len(times) // 2][0]
        print(f"\n{title}: {len(times)} gradients, median {median:.2f} s, longest {times[0][0]:.2f} s")
        for seconds, what, verdict in times[:8]:
            print(f"  {seconds:5.2f} s  {what:45} {verdict}")


if __name__ == "__main__":
    main()
