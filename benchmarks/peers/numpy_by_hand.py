"""NumPy by hand: every array allocated once, no temporaries, the derivative written out for the workload."""

from typing import Any

import numpy as np
from worker import Peer, blas, serve
from workloads import BETA1, BETA2, EPSILON, Array, Problem, Workload, blocks


class NumpyByHand(Peer):
    """Forms: "dot" computes z as a·wᵀ from w as it lies."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        super().__init__(workload, numbers, form)
        dtype = np.dtype(workload.dtype)
        m, sizes = workload.batch, workload.sizes
        self.p: Array = numbers.start.copy()
        self.g: Array = np.empty_like(self.p)
        self.moments = (np.zeros_like(self.p), np.zeros_like(self.p))
        self.buffer, self.other = np.empty_like(self.p), np.empty_like(self.p)
        self.w, self.b = zip(*blocks(workload, self.p), strict=True)
        self.gw, self.gb = zip(*blocks(workload, self.g), strict=True)
        self.wT = tuple(w.T for w in self.w)
        self.a = [np.empty((m, n), dtype) for n in sizes]
        self.δ = [np.empty((m, n), dtype) for n in sizes]
        self.δT = [δ.T for δ in self.δ]
        self.s = [np.empty((m, n), dtype) for n in sizes]
        self.positive = [np.empty((m, n), np.bool_) for n in sizes]
        self.column = np.empty((m, 1), dtype)
        self.y = np.empty((m, sizes[-1]), dtype)
        self.ones = np.ones(m, dtype)
        self.t = 0
        self.C = 0.0

    def start(self) -> None:
        self.p[:] = self.numbers.start
        for moment in self.moments:
            moment[:] = 0
        self.t = 0

    def prepare(self, order: Array) -> Any:
        return list(np.ascontiguousarray(order)) if not self.workload.full_batch else range(len(order))

    def run(self, order: Any) -> None:
        X, Y = self.numbers.X, self.numbers.Y
        if self.workload.full_batch:
            self.a[0], self.y = X, Y
            for _ in order:
                self.gradient()
                self.update()
            return
        x, y = self.a[0], self.y
        for batch in order:
            X.take(batch, 0, x, "clip")
            Y.take(batch, 0, y, "clip")
            self.gradient()
            self.update()

    def gradient(self) -> None:
        """C, and ∇C into ``g``."""
        a, δ, s, workload = self.a, self.δ, self.s, self.workload
        L = len(self.w)
        for l in range(1, L + 1):
            z = a[l]
            np.dot(a[l - 1], self.wT[l - 1], z)
            z += self.b[l - 1]
            self.activate(workload.output if l == L else workload.activation, z)
        d = δ[L]
        if workload.output == "softmax":
            # −ln a of the right class; what is 0 in y adds nothing
            np.multiply(a[L], self.y, s[L])
            self.C = float(-np.log(s[L].sum(axis=1)).sum()) / workload.batch
            np.subtract(a[L], self.y, d)
            d *= d.dtype.type(1 / workload.batch)
        else:
            np.subtract(a[L], self.y, d)
            flat = d.ravel()
            self.C = float(flat.dot(flat)) / workload.batch
            d *= d.dtype.type(2 / workload.batch)
            self.times_derivative(workload.output, L)
        for l in range(L, 0, -1):
            np.dot(self.δT[l], a[l - 1], self.gw[l - 1])
            np.dot(self.ones, δ[l], self.gb[l - 1])
            if l > 1:
                np.dot(δ[l], self.w[l - 1], δ[l - 1])
                self.times_derivative(workload.activation, l - 1)

    def activate(self, activation: str, z: Array) -> None:
        """σ(z), in place."""
        if activation == "tanh":
            np.tanh(z, z)
        elif activation == "relu":
            np.maximum(z, 0, out=z)
        elif activation == "sigmoid":
            np.negative(z, z)
            np.exp(z, z)
            z += 1
            np.reciprocal(z, z)
        else:
            np.max(z, axis=1, out=self.column, keepdims=True)
            z -= self.column
            np.exp(z, z)
            np.sum(z, axis=1, out=self.column, keepdims=True)
            z /= self.column

    def times_derivative(self, activation: str, l: int) -> None:
        """δ ← δ·σ′, σ′ from a."""
        a, δ, s = self.a[l], self.δ[l], self.s[l]
        if activation == "tanh":
            np.multiply(a, a, s)
            np.subtract(1, s, s)
            δ *= s
        elif activation == "relu":
            np.greater(a, 0, self.positive[l])
            δ *= self.positive[l]
        else:
            np.subtract(1, a, s)
            s *= a
            δ *= s

    def update(self) -> None:
        """The optimizer's step."""
        workload, g = self.workload, self.g
        if workload.optimizer == "sgd":
            g *= g.dtype.type(workload.lr)
            self.p -= g
        elif workload.optimizer == "adam":
            self.t += 1
            scalar, (m, v), u, s = g.dtype.type, self.moments, self.buffer, self.other
            np.multiply(g, g, s)
            s *= scalar(1 - BETA2)
            v *= scalar(BETA2)
            v += s
            g *= scalar(1 - BETA1)
            m *= scalar(BETA1)
            m += g
            np.sqrt(v, s)
            s *= scalar(1 / np.sqrt(1 - BETA2**self.t))
            s += scalar(EPSILON)
            np.divide(m, s, u)
            u *= scalar(workload.lr / (1 - BETA1**self.t))
            self.p -= u

    def result(self) -> Array:
        return self.g if self.workload.optimizer == "gradient" else self.p

    def about(self) -> str:
        return f"NumPy {np.__version__}, {blas()}"


if __name__ == "__main__":
    serve(NumpyByHand)
