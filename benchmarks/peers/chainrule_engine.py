"""chainrule: ``engine().run(state, n)`` with the order given, or one gradient a call. Forms: reference, native."""

import os
import sys
from typing import Any

import numpy as np
from worker import Peer, blas, serve

os.environ["CHAINRULE_ENGINE"] = sys.argv[3]

from workloads import BETA1, BETA2, EPSILON, Array, Problem, Workload

from chainrule.calculus.gradient import gradient as plain_gradient
from chainrule.calculus.network import Network, ParameterVector
from chainrule.engines import engine
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.state import TrainingState


class Chainrule(Peer):
    """One engine."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        super().__init__(workload, numbers, form)
        self.engine = engine()
        if form != self.engine.NAME:
            sys.exit(f"not installed: the engine in use is {self.engine.NAME}, not {form}")
        hidden = (workload.activation,) * (len(workload.layers) - 1)
        network = Network(workload.sizes, (*hidden, workload.output), workload.cost)
        self.parameters = ParameterVector(network, numbers.start.copy())
        self.gradient = getattr(self.engine, "gradient", plain_gradient)
        self.g = self.parameters
        if workload.optimizer != "gradient":
            optimizer = Optimizer(workload.optimizer, workload.lr, beta1=BETA1, beta2=BETA2, epsilon=EPSILON)
            self.state = TrainingState(self.parameters, optimizer, numbers.X, numbers.Y, workload.batch, seed=0)

    def start(self) -> None:
        self.parameters.vector[:] = self.numbers.start
        if self.workload.optimizer != "gradient":
            for moment in self.state.moments:
                moment[:] = 0
            self.state.step = 0
            self.state.running_cost = self.state.running_weight = 0.0

    def prepare(self, order: Array) -> Any:
        # one batch more than is used, so that the epoch never ends
        if self.workload.batch == len(self.numbers.X):  # full batches, as the rows lie
            return np.arange(len(self.numbers.X)), len(order)
        return np.concatenate([order.ravel(), order[0]]).astype(np.int64), len(order)

    def run(self, order: Any) -> None:
        order, n = order
        if self.workload.optimizer == "gradient":
            parameters, X, Y, gradient = self.parameters, self.numbers.X, self.numbers.Y, self.gradient
            for _ in range(n):
                _, self.g = gradient(parameters, X, Y)
            return
        state = self.state
        state.order, state.cursor = order, 0
        self.engine.run(state, n)

    def result(self) -> Array:
        return self.g.vector if self.workload.optimizer == "gradient" else self.parameters.vector

    def about(self) -> str:
        return f"chainrule, engine {self.engine.NAME}, {blas()}"


if __name__ == "__main__":
    serve(Chainrule)
