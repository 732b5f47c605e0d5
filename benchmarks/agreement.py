"""How far two correct libraries may drift apart, and whether one has drifted further.

The yardstick is NumPy in float64. The tolerance is Monte Carlo arithmetic: the same steps again, every result disturbed
by as much as float32 (or float64) may. A product that sums K terms gets an error of up to u·√K·|x|·|y|, u half an eps
(Higham, Mary, A New Approach to Probabilistic Rounding Error Analysis, SIAM J. Sci. Comput. 41(5), 2019), an
activation 8 u, a parameter one rounding a step. What the network and the optimizer make of such errors, Adam's division
by a tiny √v among it, is thereby in the tolerance and has not to be guessed. Compared are the Euclidean norm over all
parameters and each layer's median, with twice the largest of three disturbed runs: the norm sees one wrong entry, the
median one part in a thousand in all of them, which Adam hides from the norm behind the few entries whose gradient is so
near to 0 that rounding decides its sign.

python benchmarks/agreement.py plants errors of one part in a thousand and shows which are seen.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from workloads import BETA1, BETA2, EPSILON, WORKLOADS, Array, Problem, Workload, blocks, problem

RUNS = 3
FACTOR = 2.0
ULPS = 8


class Arithmetic:
    """Products and functions in float64, exact but for float64's own rounding where ``unit`` is 0."""

    def __init__(self, unit: float, seed: int) -> None:
        self.unit = unit
        self.random = np.random.default_rng(seed)

    def product(self, x: Array, y: Array) -> Array:
        """x·y."""
        z: Array = x @ y
        if self.unit:
            bound: Array = np.abs(x) @ np.abs(y)
            z = z + float(self.unit * np.sqrt(x.shape[1])) * bound * self._signs(z.shape)
        return z

    def rounded(self, z: Array, ulps: float) -> Array:
        """z with a relative error of up to that many units."""
        return z * (1 + ulps * self.unit * self._signs(z.shape)) if self.unit else z

    def _signs(self, shape: tuple[int, ...]) -> Array:
        return self.random.integers(0, 2, shape) * 2.0 - 1


def activate(activation: str, z: Array) -> Array:
    """σ(z)."""
    if activation == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    if activation == "relu":
        return np.maximum(z, 0)
    return np.tanh(z) if activation == "tanh" else 1 / (1 + np.exp(-z))


def derivative(activation: str, a: Array) -> Array:
    """σ′ from a."""
    if activation == "relu":
        return (a > 0).astype(a.dtype)
    return 1 - a * a if activation == "tanh" else a * (1 - a)


def gradient(workload: Workload, p: Array, X: Array, Y: Array, arithmetic: Arithmetic) -> Array:
    """∇C."""
    layers = blocks(workload, p)
    names = (*(workload.activation,) * (len(layers) - 1), workload.output)
    a = [X]
    for (w, b), name in zip(layers, names, strict=True):
        a.append(arithmetic.rounded(activate(name, arithmetic.product(a[-1], w.T) + b), ULPS))
    δ = (a[-1] - Y) / len(X)
    if workload.output != "softmax":
        δ = 2 * δ * derivative(workload.output, a[-1])
    g = np.empty_like(p)
    for l, ((w, _), (gw, gb)) in reversed(list(enumerate(zip(layers, blocks(workload, g), strict=True)))):
        gw[:] = arithmetic.product(δ.T, a[l])
        gb[:] = arithmetic.product(δ.T, np.ones((len(X), 1)))[:, 0]
        if l:
            δ = arithmetic.product(δ, w) * derivative(workload.activation, a[l])
    return g


def trajectory(
    workload: Workload, numbers: Problem, unit: float = 0.0, seed: int = 0, early_epsilon: bool = False
) -> dict[int, Array]:
    """The flat parameters after each of ``workload.agree`` steps; for one gradient a call, the gradient.

    ``early_epsilon`` is scikit-learn's Adam, whose ε joins √v before the bias is taken out of v.
    """
    arithmetic = Arithmetic(unit, seed)
    X, Y = numbers.X.astype(np.float64), numbers.Y.astype(np.float64)
    p = numbers.start.astype(np.float64)
    if workload.optimizer == "gradient":
        return {1: gradient(workload, p, X, Y, arithmetic)}
    m, v = np.zeros_like(p), np.zeros_like(p)
    after: dict[int, Array] = {}
    for t in range(1, max(workload.agree) + 1):
        batch = slice(None) if workload.full_batch else numbers.order[t - 1]
        g = gradient(workload, p, X[batch], Y[batch], arithmetic)
        if workload.optimizer == "sgd":
            p = p - workload.lr * g
        else:
            m = BETA1 * m + (1 - BETA1) * g
            v = BETA2 * v + (1 - BETA2) * g * g
            ε = EPSILON / np.sqrt(1 - BETA2**t) if early_epsilon else EPSILON
            p = p - workload.lr / (1 - BETA1**t) * m / (np.sqrt(v / (1 - BETA2**t)) + ε)
        p = arithmetic.rounded(p, 1)
        if t in workload.agree:
            after[t] = p
    return after


class Yardstick:
    """What a workload's parameters have to be, and within which distances."""

    def __init__(self, workload: Workload, early_epsilon: bool = False) -> None:
        numbers = problem(workload)
        self.workload = workload
        unit = float(np.finfo(workload.dtype).eps) / 2
        self.exact = trajectory(workload, numbers, early_epsilon=early_epsilon)
        disturbed = [trajectory(workload, numbers, unit, 1 + run, early_epsilon) for run in range(RUNS)]
        self.tolerances = {
            k: FACTOR * np.max([self._measures(run[k] - exact) for run in disturbed], axis=0)
            + np.finfo(np.float64).tiny
            for k, exact in self.exact.items()
        }

    def _measures(self, difference: Array) -> Array:
        medians = [np.median(np.abs(np.concatenate([w.ravel(), b]))) for w, b in blocks(self.workload, difference)]
        return np.array([np.linalg.norm(difference), *medians])

    def distance(self, k: int, parameters: Array) -> float:
        """In units of the tolerance, of the measure that is worst: more than 1 is too far."""
        distance = float((self._measures(parameters - self.exact[k]) / self.tolerances[k]).max())
        return distance if np.isfinite(distance) else float("inf")


def main(names: Sequence[str] = tuple(WORKLOADS)) -> None:
    """Plant errors."""
    print("distance in units of the tolerance (above 1 is seen) if a library's …")
    for name in names:
        workload = WORKLOADS[name]
        yardstick, numbers = Yardstick(workload), problem(workload)
        planted = {
            "learning rate were 0.1 % off": (replace(workload, lr=workload.lr * 1.001), numbers),
            "targets were 0.1 % off": (workload, replace(numbers, Y=numbers.Y * 1.001)),
            "last batch row were dropped": (workload, replace(numbers, order=np.array(numbers.order)[:, :-1])),
        }
        for what, (wrong, given) in planted.items():
            if ("rate" in what and workload.optimizer == "gradient") or ("batch" in what and workload.full_batch):
                continue
            seen = {k: yardstick.distance(k, p) for k, p in trajectory(wrong, given).items()}
            print(f"{name:20} {what:32} " + "  ".join(f"k = {k}: {d:.3g}" for k, d in seen.items()))


if __name__ == "__main__":
    main()
