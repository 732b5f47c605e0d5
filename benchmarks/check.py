"""How long ``chainrule.check`` takes, whatever the mistake: ``python benchmarks/check.py``.

Each mistake of the catalogue is planted wherever tests/oracles/planted.py can plant it, alone and together with another
or with noise in another array; and so is noise that nothing explains, in one entry, one layer and everywhere. The
network of the first table is 784-128-10 with 256 examples. The times of the processor are those that are bounded: they
depend less on what else a machine does.
"""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from time import process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from chainrule import Model, Network, ParameterVector, check
from chainrule.checking.mistake import catalogue
from tests.oracles.planted import Gradient, Planted, Problem, backprop, places, planted_in

LARGE = ([784, 128, 10], ["relu", "softmax"], "cross-entropy", 256)
DIGITS = ([64, 64, 32, 10], ["relu", "relu", "softmax"], "cross-entropy", 1797)
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


def together(q: Problem) -> Iterator[tuple[str, Gradient]]:
    """Each mistake with a factor in w1, with a slope left out in layer 1, and with noise in b1."""
    random = np.random.default_rng(3)
    for kind in catalogue():
        options = [] if kind.convention else places(kind.name, q, random)
        for planted in options[-1:]:
            for other in (Planted("stray-factor", 1, ("w", 1.7)), Planted("missing-slope", 1)):
                both = planted_in(q, planted, other)
                if both is not None:
                    yield f"{planted.name} and {other.name}", both
            wrong = planted_in(q, planted)
            if wrong is not None:
                yield f"{planted.name} and noise", {**wrong, "b1": wrong["b1"] + random.normal(size=wrong["b1"].shape)}


def main() -> None:
    """Prints the longest times."""
    for title, q in (
        ("784-128-10, 256 examples", problem(*LARGE, 0.0, False)),
        ("784-128-10, 256 examples, a penalty and weights", problem(*LARGE, 0.01, True)),
        ("64-64-32-10, 1,797 examples", problem(*DIGITS, 0.0, False)),
        ("64-64-64-64-64-64-10, 128 examples", problem(*DEEP, 0.0, False)),
    ):
        network = Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
        arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
        model = Model(ParameterVector.from_arrays(network, arrays))
        times: list[tuple[float, str, str]] = []
        for what, wrong in chain(gradients(q), together(q)):
            started = process_time()
            verdict = check(model, q.X, q.Y, wrong, q.s, earlier=q.earlier)
            times.append((process_time() - started, what, repr(verdict)))
        times.sort(reverse=True)
        median = times[len(times) // 2][0]
        print(f"\n{title}: {len(times)} gradients, median {median:.2f} s, longest {times[0][0]:.2f} s")
        for seconds, what, verdict in times[:8]:
            print(f"  {seconds:5.2f} s  {what:45} {verdict}")


if __name__ == "__main__":
    main()
