"""PyTorch eager, with autograd. Forms: "module" and "functional"."""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import os
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from worker import Peer, serve
from workloads import BETA1, BETA2, EPSILON, Array, Problem, Workload, blocks

MODULES = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}
IN_PLACE = {"sigmoid": torch.sigmoid_, "tanh": torch.tanh_, "relu": torch.relu_}


class TorchEager(Peer):
    """What both forms have in common: the tensors, and the cost."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        super().__init__(workload, numbers, form)
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        self.X = torch.from_numpy(numbers.X)
        self.Y = torch.from_numpy(numbers.Y.argmax(axis=1) if workload.output == "softmax" else numbers.Y)
        self.p: list[Any] = [
            torch.from_numpy(x.copy()).requires_grad_() for layer in blocks(workload, numbers.start) for x in layer
        ]
        self.g: Any = self.p

    def prepare(self, order: Array) -> Any:
        if self.workload.full_batch:
            return [None] * len(order)
        return list(torch.from_numpy(np.ascontiguousarray(order)).unbind())

    def cost(self, output: Any, y: Any) -> Any:
        """The mean cost of the batch."""
        if self.workload.output == "softmax":
            return functional.cross_entropy(output, y)
        return functional.mse_loss(output, y, reduction="sum") / self.workload.batch

    def batch(self, batch: Any) -> tuple[Any, Any]:
        """The rows of one step."""
        return (self.X, self.Y) if batch is None else (self.X.index_select(0, batch), self.Y.index_select(0, batch))

    def start(self) -> None:
        with torch.no_grad():
            for p, first in zip(self.p, (x for l in blocks(self.workload, self.numbers.start) for x in l), strict=True):
                p.copy_(torch.from_numpy(first))

    def result(self) -> Array:
        vectors = self.g if self.workload.optimizer == "gradient" else self.p
        return np.concatenate([x.detach().numpy().ravel() for x in vectors])

    def about(self) -> str:
        return f"PyTorch {torch.__version__} ×{torch.get_num_threads()}, {torch.backends.cpu.get_cpu_capability()}"


class Module(TorchEager):
    """``nn.Sequential`` and ``torch.optim`` with fused=True."""

    def start(self) -> None:
        super().start()
        workload = self.workload
        modules: list[Any] = []
        for at, (k, n) in enumerate(workload.layers):
            linear = torch.nn.utils.skip_init(torch.nn.Linear, k, n, dtype=self.X.dtype)
            linear.weight, linear.bias = (torch.nn.Parameter(p.detach()) for p in self.p[2 * at : 2 * at + 2])
            modules.append(linear)
            name = workload.output if at + 1 == len(workload.layers) else workload.activation
            if name != "softmax":
                modules.append(MODULES[name]())
        self.network = torch.nn.Sequential(*modules)
        parameters = list(self.network.parameters())
        self.optimizer: Any = None
        if workload.optimizer == "sgd":
            self.optimizer = torch.optim.SGD(parameters, workload.lr, fused=True)
        elif workload.optimizer == "adam":
            self.optimizer = torch.optim.Adam(parameters, workload.lr, (BETA1, BETA2), EPSILON, fused=True)

    def run(self, order: Any) -> None:
        network, optimizer, workload = self.network, self.optimizer, self.workload
        for batch in order:
            x, y = self.batch(batch)
            C = self.cost(network(x), y)
            if workload.optimizer == "gradient":
                network.zero_grad(set_to_none=True)
                C.backward()
                self.g = [p.grad for p in network.parameters()]
            else:
                optimizer.zero_grad(set_to_none=True)
                C.backward()
                optimizer.step()


class Functional(TorchEager):
    """``functional.linear``, ``torch.autograd.grad`` and the optimizer's own kernel, with nothing between them."""

    def start(self) -> None:
        super().start()
        self.m = [torch.zeros_like(p) for p in self.p]
        self.v = [torch.zeros_like(p) for p in self.p]
        self.t = [torch.zeros(()) for _ in self.p]

    def forward(self, a: Any) -> Any:
        """The last layer's a, or its z before softmax."""
        p, workload = self.p, self.workload
        σ = IN_PLACE[workload.activation]
        for at in range(0, len(p) - 2, 2):
            a = σ(functional.linear(a, p[at], p[at + 1]))
        z = functional.linear(a, p[-2], p[-1])
        return z if workload.output == "softmax" else IN_PLACE[workload.output](z)

    def run(self, order: Any) -> None:
        p, workload = self.p, self.workload
        for batch in order:
            x, y = self.batch(batch)
            g = torch.autograd.grad(self.cost(self.forward(x), y), p)
            if workload.optimizer == "gradient":
                self.g = g
                continue
            with torch.no_grad():
                if workload.optimizer == "sgd":
                    torch._foreach_add_(p, g, alpha=-workload.lr)
                else:
                    torch._foreach_add_(self.t, 1)
                    torch._fused_adam_(
                        p, g, self.m, self.v, [], self.t, lr=workload.lr, beta1=BETA1, beta2=BETA2, eps=EPSILON,
                        weight_decay=0.0, amsgrad=False, maximize=False,
                    )  # fmt: skip


FORMS = {"module": Module, "functional": Functional}


def build(workload: Workload, numbers: Problem, form: str) -> TorchEager:
    """The form asked for."""
    return FORMS[form](workload, numbers, form)


if __name__ == "__main__":
    serve(build)
