"""PyTorch with ``torch.compile`` of the whole step: forward, gradient and optimizer in one graph.

Forms: "step" compiles one step; "steps8" compiles eight steps in a row.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from functools import partial
from math import log
from typing import Any

import torch
import torch._inductor.config as inductor
from torch.nn import functional
from torch_eager import TorchEager
from worker import serve
from workloads import BETA1, BETA2, EPSILON, Array, Problem, Workload

ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


class TorchCompiled(TorchEager):
    """The compiled step changes parameters and moments in place."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        super().__init__(workload, numbers, form)
        inductor.cpp_wrapper = True  # the graph is entered from C++
        self.unroll = {"step": 1, "steps8": 8}[form]
        for p in self.p:
            p.requires_grad_(False)
        self.m = [torch.zeros_like(p) for p in self.p]
        self.v = [torch.zeros_like(p) for p in self.p]
        self.t = torch.zeros((), dtype=self.X.dtype)
        self.slices = {
            n: torch.compile(partial(self.steps, n), fullgraph=True, dynamic=False) for n in {1, self.unroll}
        }
        self.one = torch.compile(self.value_and_grad, fullgraph=True, dynamic=False)

    def start(self) -> None:
        super().start()
        for x in (*self.m, *self.v, self.t):
            x.zero_()

    def prepare(self, order: Array) -> Any:
        k, u = len(order), self.unroll
        if self.workload.optimizer == "gradient":
            return k
        sizes = [u] * (k // u) + [1] * (k % u)
        if self.workload.full_batch:
            return [(self.slices[n], None) for n in sizes]
        parts = torch.from_numpy(order.copy()).split(sizes)
        return [(self.slices[n], part) for n, part in zip(sizes, parts, strict=True)]

    def loss(self, p: list[Any], x: Any, y: Any) -> Any:
        """The mean cost of the batch."""
        σ, a = ACTIVATIONS[self.workload.activation], x
        for at in range(0, len(p) - 2, 2):
            a = σ(functional.linear(a, p[at], p[at + 1]))
        z = functional.linear(a, p[-2], p[-1])
        return self.cost(z if self.workload.output == "softmax" else ACTIVATIONS[self.workload.output](z), y)

    def value_and_grad(self, p: list[Any], x: Any, y: Any) -> Any:
        """C and ∇C."""
        g, C = torch.func.grad_and_value(self.loss)(p, x, y)
        return C, g

    def step(self, p: list[Any], m: list[Any], v: list[Any], t: Any, x: Any, y: Any) -> Any:
        """One step; the cost, and the new p, m, v, t."""
        C, g = self.value_and_grad(p, x, y)
        workload = self.workload
        if workload.optimizer == "sgd":
            return [p - workload.lr * g for p, g in zip(p, g, strict=True)], m, v, t, C
        t = t + 1
        m = [BETA1 * m + (1 - BETA1) * g for m, g in zip(m, g, strict=True)]
        v = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(v, g, strict=True)]
        # 1 − βᵗ in float32 without its cancellation
        m_scale, v_scale = (-1 / torch.expm1(t * log(β)) for β in (BETA1, BETA2))
        lr = workload.lr
        p = [p - lr * m_scale * m / (torch.sqrt(v_scale * v) + EPSILON) for p, m, v in zip(p, m, v, strict=True)]
        return p, m, v, t, C

    def steps(self, n: int, p: list[Any], m: list[Any], v: list[Any], t: Any, X: Any, Y: Any, order: Any) -> Any:
        """n steps, in place; the sum of their costs."""
        adam = self.workload.optimizer == "adam"
        old = (*p, *m, *v, t) if adam else (*p,)
        total: Any = 0.0
        for at in range(n):
            x, y = (X, Y) if order is None else (X.index_select(0, order[at]), Y.index_select(0, order[at]))
            p, m, v, t, C = self.step(p, m, v, t, x, y)
            total = total + C
        for before, after in zip(old, (*p, *m, *v, t) if adam else p, strict=True):
            before.copy_(after)
        return total

    def run(self, order: Any) -> None:
        p, X, Y = self.p, self.X, self.Y
        with torch.no_grad():
            if self.workload.optimizer == "gradient":
                one = self.one
                for _ in range(order):
                    _, self.g = one(p, X, Y)
                return
            m, v, t = self.m, self.v, self.t
            for steps, part in order:
                steps(p, m, v, t, X, Y, part)


if __name__ == "__main__":
    serve(TorchCompiled)
