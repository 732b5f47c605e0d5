"""What is trained: one definition of network, data, start and order, which every library gets.

The parameters are one flat vector w1, b1, …, wL, bL, each w (n_l, n_{l−1}) row by row. The cost is the mean over the
batch of the cost summed over the outputs, Σ_j (a_j − y_j)² or −Σ_j y_j ln a_j; there is no penalty. Only NumPy is
imported here, so that a library's import time is its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    ``activation`` is the hidden layers', ``output`` the last one's. There are ``rows`` examples; one timed call makes
    ``steps`` updates, which never reach the epoch's end. Where ``rows`` is ``batch``, every step takes all rows in
    their natural order and nobody gathers. ``optimizer`` "gradient" means: no update, ``steps`` calls for C and ∇C.
    ``agree`` are the numbers of steps after which parameters are compared. ``epochs`` is the run that "time to" states.
    The targets are times of the best peer, times of the better PyTorch form, and share of the machine's limit.
    """

    name: str
    sizes: tuple[int, ...]
    activation: str
    output: str
    batch: int
    optimizer: str
    lr: float
    rows: int
    steps: int
    dtype: str = "float32"
    agree: tuple[int, ...] = (1, 10, 100)
    epochs: int = 10
    best: float | None = None
    torch: float | None = None
    share: float | None = None

    @property
    def full_batch(self) -> bool:
        """Whether a step takes all rows."""
        return self.rows == self.batch

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """(n_{l−1}, n_l) of every layer."""
        return tuple(pairwise(self.sizes))

    @property
    def n_parameters(self) -> int:
        """How many weights and biases there are."""
        return sum((k + 1) * n for k, n in self.layers)

    @property
    def cost(self) -> str:
        """As chainrule names it."""
        return "cross-entropy" if self.output == "softmax" else "squared-error"

    @property
    def title(self) -> str:
        """The network in words."""
        step = "one gradient a call" if self.optimizer == "gradient" else {"sgd": "SGD", "adam": "Adam"}[self.optimizer]
        output = "" if self.output == self.activation else f" + {self.output}"
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        return f"{'-'.join(map(str, self.sizes))} {self.activation}{output}, batch {self.batch:,}, {step}{dtype}"

    def astype(self, dtype: str) -> "Workload":
        """The same in another dtype."""
        return replace(self, dtype=dtype)


BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants."""

WORKLOADS: Mapping[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload(
            "2-3-2", (2, 3, 2), "sigmoid", "sigmoid", 4, "sgd", 0.5, rows=20_004, steps=5000,
            best=3, torch=800,
        ),
        Workload(
            "4-16-16-2", (4, 16, 16, 2), "tanh", "tanh", 32, "sgd", 0.05, rows=20_032, steps=624,
            best=5, torch=150,
        ),
        Workload(
            "24-8-2", (24, 8, 2), "tanh", "tanh", 200, "gradient", 0.0, rows=200, steps=500, dtype="float64",
            agree=(1,), best=8, torch=60,
        ),
        Workload(
            "64-64-32-10", (64, 64, 32, 10), "relu", "softmax", 32, "adam", 0.001, rows=16_032, steps=496,
            best=4, torch=40, share=0.40,
        ),
        Workload(
            "30-100-2", (30, 100, 2), "relu", "softmax", 200, "adam", 0.001, rows=20_200, steps=96,
            best=2.5, torch=12, share=0.40,
        ),
        Workload(
            "784-30-10", (784, 30, 10), "sigmoid", "sigmoid", 10, "sgd", 0.1, rows=10_010, steps=1000,
            best=2.5, torch=18, share=0.30,
        ),
        Workload(
            "784-16-16-10", (784, 16, 16, 10), "sigmoid", "sigmoid", 100, "sgd", 0.1, rows=10_100, steps=96,
            best=3, torch=10, share=0.50,
        ),
        Workload(
            "4-32-16-4", (4, 32, 16, 4), "tanh", "tanh", 10_000, "adam", 0.001, rows=10_000, steps=24,
            epochs=200, best=3.5, torch=8, share=0.45,
        ),
        Workload(
            "784-512-512-10", (784, 512, 512, 10), "relu", "softmax", 128, "adam", 0.001, rows=8192, steps=16,
            agree=(1, 10),
        ),
        Workload(
            "1024-2048-2048-10", (1024, 2048, 2048, 10), "relu", "softmax", 512, "adam", 0.001, rows=10_240, steps=2,
            agree=(1, 3),
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """A workload's numbers: X (rows, n_0), Y (rows, n_L), the start's flat vector, and the order (steps, batch)."""

    X: Array
    Y: Array
    start: Array
    order: Array


def problem(workload: Workload) -> Problem:
    """The numbers, the same in every process. Drawn in float64, so that float32 is the rounded float64."""
    random = np.random.default_rng(2026)
    n_0, n_L = workload.sizes[0], workload.sizes[-1]
    rows = workload.rows
    if n_0 == 784:  # like an image: most of it dark
        X = random.random((rows, n_0), np.float32) * (random.random((rows, n_0), np.float32) < 0.2)
    else:
        X = random.standard_normal((rows, n_0), np.float32)
    hidden = X[:, : min(n_0, 32)] @ random.standard_normal((min(n_0, 32), n_L))
    if workload.output == "tanh":
        Y = np.tanh(hidden)
    elif workload.output == "sigmoid" and n_L == 2:
        Y = 1 / (1 + np.exp(-hidden))
    else:
        Y = np.eye(n_L)[hidden.argmax(axis=1)]
    gain = 2 if workload.activation == "relu" else 1
    start = [
        value for k, n in workload.layers for value in (random.standard_normal(k * n) * np.sqrt(gain / k), np.zeros(n))
    ]
    if workload.full_batch:
        order = np.broadcast_to(np.arange(rows), (max(workload.steps, *workload.agree, 1), rows))
    else:
        order = random.permutation(rows)[: rows // workload.batch * workload.batch].reshape(-1, workload.batch)
    dtype = np.dtype(workload.dtype)
    # what enters is representable in float32, so that float32 and float64 runs start from the same numbers
    return Problem(
        X.astype(dtype),
        Y.astype(np.float32).astype(dtype),
        np.concatenate(start).astype(np.float32).astype(dtype),
        order,
    )


def blocks(workload: Workload, vector: Array) -> list[tuple[Array, Array]]:
    """Views (w (n_l, n_{l−1}), b (n_l,)) of every layer into a flat vector."""
    views: list[tuple[Array, Array]] = []
    at = 0
    for k, n in workload.layers:
        views.append((vector[at : at + k * n].reshape(n, k), vector[at + k * n : at + k * n + n]))
        at += k * n + n
    return views
