"""JAX: ``jit`` of ``lax.scan`` over the given order, parameters and moments donated; or of ``value_and_grad``."""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false

from math import log
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from worker import Peer, serve
from workloads import BETA1, BETA2, EPSILON, Array, Problem, Workload, blocks


class JaxScan(Peer):
    """Forms: "scan"; "unroll4" and "unroll16", which make so many steps in each turn of the loop."""

    def __init__(self, workload: Workload, numbers: Problem, form: str) -> None:
        super().__init__(workload, numbers, form)
        if workload.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self.X, self.Y = jnp.asarray(numbers.X), jnp.asarray(numbers.Y)
        self.unroll = {"scan": 1, "unroll4": 4, "unroll16": 16}[form]
        self.slice = jax.jit(self.steps, donate_argnums=0)
        self.one = jax.jit(jax.value_and_grad(self.cost))
        self.carry: Any = None
        self.g: Any = None

    def start(self) -> None:
        # w (n_{l−1}, n_l), so that z = a·w + b
        p = [(jnp.asarray(w.T.copy()), jnp.asarray(b.copy())) for w, b in blocks(self.workload, self.numbers.start)]
        self.carry = (p, *(jax.tree.map(jnp.zeros_like, p) for _ in range(2 * (self.workload.optimizer == "adam"))))
        self.carry = jax.block_until_ready((*self.carry, jnp.asarray(0), jnp.asarray(0, self.X.dtype)))

    def prepare(self, order: Array) -> Any:
        if self.workload.full_batch:
            return jnp.arange(len(order)) if self.workload.optimizer != "gradient" else range(len(order))
        return jnp.asarray(order, jnp.int32)

    def cost(self, p: Any, X: Any, Y: Any) -> Any:
        """The mean cost of the batch."""
        σ = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}
        a = X
        for w, b in p[:-1]:
            a = σ[self.workload.activation](a @ w + b)
        w, b = p[-1]
        z = a @ w + b
        if self.workload.output == "softmax":
            return -(Y * jax.nn.log_softmax(z)).sum(axis=1).mean()
        return ((σ[self.workload.output](z) - Y) ** 2).sum(axis=1).mean()

    def steps(self, carry: Any, order: Any, X: Any, Y: Any) -> Any:
        """The scan."""
        workload = self.workload

        def step(carry: Any, batch: Any) -> Any:
            p, *moments, t, total = carry
            x, y = (X, Y) if workload.full_batch else (X[batch], Y[batch])
            C, g = jax.value_and_grad(self.cost)(p, x, y)
            t = t + 1
            if workload.optimizer == "sgd":
                p = jax.tree.map(lambda p, g: p - workload.lr * g, p, g)
            else:
                m, v = moments
                m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
                v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
                time = t.astype(x.dtype)
                # 1 − βᵗ in float32 without its cancellation
                m_scale, v_scale = (-1 / jnp.expm1(time * log(β)) for β in (BETA1, BETA2))
                p = jax.tree.map(
                    lambda p, m, v: p - workload.lr * m_scale * m / (jnp.sqrt(v * v_scale) + EPSILON), p, m, v
                )
                moments = [m, v]
            return (p, *moments, t, total + C), None

        return jax.lax.scan(step, carry, order, unroll=self.unroll)[0]

    def run(self, order: Any) -> None:
        if self.workload.optimizer == "gradient":
            one, p, X, Y = self.one, self.carry[0], self.X, self.Y
            for _ in order:
                C, self.g = one(p, X, Y)
                C.block_until_ready()
            return
        self.carry = self.slice(self.carry, order, self.X, self.Y)
        jax.block_until_ready(self.carry)

    def result(self) -> Array:
        p = self.g if self.workload.optimizer == "gradient" else self.carry[0]
        return np.concatenate([np.asarray(x).T.ravel() for layer in p for x in layer])

    def about(self) -> str:
        return f"JAX {jax.__version__} on {jax.devices()[0].platform}"


if __name__ == "__main__":
    serve(JaxScan)
