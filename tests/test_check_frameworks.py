# pyright: reportUnknownLambdaType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""PyTorch's and JAX's gradients are right: ``chainrule.check`` says so in thousands of random networks.

Both come with ``pip install --group bench``; without them these tests are skipped.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from oracles.networks import random_case
from oracles.planted import Gradient, Problem, random_problem

import chainrule as cr

Array = np.ndarray[Any, Any]
needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="PyTorch is not installed: pip install --group bench"
)
OF_ONE_STRUCTURE = 20
"""So many networks share what JAX takes half a second to compile."""
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed: pip install --group bench")


def problem_of(seed: int) -> Problem:
    """Harsh networks and harmless ones in turn."""
    if seed % 2:
        return random_problem(np.random.default_rng([seed, 11]))
    case = random_case(10_000 + seed // 2, within_reach=False)
    network, p = case.network, case.parameters
    activations = ["", *network.activation]
    return Problem(
        activations, network.cost, dict(p.w), dict(p.b), case.X, case.Y, case.weights, network.l1, network.l2
    )


def verdict_on(q: Problem, given: Gradient) -> cr.Verdict:
    network = cr.Network(q.sizes, q.f[1:], q.cost, q.l1, q.l2)
    arrays = {f"{letter}{l}": p for letter, ps in (("w", q.w), ("b", q.b)) for l, p in ps.items()}
    return cr.check(cr.Model(cr.ParameterVector.from_arrays(network, arrays)), q.X, q.Y, given, q.s)


def with_other_numbers(q: Problem, random: np.random.Generator) -> Problem:
    """A network of the same structure."""

    def drawn(a: Array) -> Array:
        return random.permutation(a.ravel()).reshape(a.shape) * random.choice([-1, 1], a.shape)

    w, b = ({l: drawn(a) for l, a in arrays.items()} for arrays in (q.w, q.b))
    return replace(q, w=w, b=b, X=drawn(q.X))


def hold(gradient: Callable[[Problem, str], Gradient], networks: int, of_one_structure: int = 1) -> None:
    judged = 0
    for at in range(networks):
        seed, again = divmod(at, of_one_structure)
        q = problem_of(seed)
        if again:
            q = with_other_numbers(q, np.random.default_rng([seed, again]))
        for dtype in ("float64", "float32"):
            given = gradient(q, dtype)
            if all(np.isfinite(g).all() for g in given.values()):
                try:
                    verdict = verdict_on(q, given)
                except cr.ChainruleError as error:
                    if "is not finite at these parameters" not in str(error):
                        raise
                    continue  # ours overflows, and is no number to compare theirs with
                assert verdict.ok, f"network {at}, {dtype}: {q}\n{verdict}"
                judged += 1
    assert judged > 1.6 * networks


@needs_torch
def test_pytorchs_gradients_are_right(request: pytest.FixtureRequest) -> None:
    hold(torch_gradient, request.config.option.networks)


@needs_jax
def test_jaxs_gradients_are_right(request: pytest.FixtureRequest) -> None:
    hold(jax_gradient, request.config.option.networks, OF_ONE_STRUCTURE)


def torch_gradient(q: Problem, dtype: str) -> Gradient:
    torch: Any = import_module("torch")
    F: Any = import_module("torch.nn.functional")
    kind = getattr(torch, dtype)

    def tensor(a: Array) -> Any:
        return torch.tensor(np.asarray(a), dtype=kind)

    p = {f"{letter}{l}": tensor(v) for letter, vs in (("w", q.w), ("b", q.b)) for l, v in vs.items()}
    for parameter in p.values():
        parameter.requires_grad_()
    σ = {
        "identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "elu": F.elu,
        "leaky-relu": lambda z: F.leaky_relu(z, 0.01), "softplus": F.softplus, "silu": F.silu, "gelu": F.gelu,
        "exp": torch.exp,
    }  # fmt: skip
    a, y = tensor(q.X), tensor(q.Y)
    z = a
    for l in range(1, q.L + 1):
        z = F.linear(a, p[f"w{l}"], p[f"b{l}"])
        a = σ[q.f[l]](z) if q.f[l] != "softmax" else z
    r = a - y
    each = {
        "squared-error": lambda: r**2,
        "half-squared-error": lambda: r**2 / 2,
        "mean-squared-error": lambda: r**2 / y.shape[1],
        "huber": lambda: F.huber_loss(a, y, reduction="none"),
        "cross-entropy": lambda: -y * F.log_softmax(z, 1),
        "binary-cross-entropy": lambda: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
        "poisson": lambda: a - y * (z if q.f[q.L] == "exp" else torch.log(a)),
    }[q.cost]().sum(1)
    C = each.mean() if q.s is None else (tensor(q.s) * each).sum() / tensor(q.s).sum()
    for l in range(1, q.L + 1):
        C = C + q.l1 * p[f"w{l}"].abs().sum() + q.l2 * (p[f"w{l}"] ** 2).sum()
    C.backward()
    return {name: parameter.grad.numpy() for name, parameter in p.items()}


def jax_gradient(q: Problem, dtype: str) -> Gradient:
    jnp: Any = import_module("jax.numpy")
    gradient = compiled_by_jax(tuple(q.f[1:]), q.cost, q.l1, q.l2)

    def array(a: Array) -> Any:
        return jnp.asarray(a, dtype=dtype)

    p = {f"{letter}{l}": array(v) for letter, vs in (("w", q.w), ("b", q.b)) for l, v in vs.items()}
    share = array(np.full(q.n, 1 / q.n) if q.s is None else q.s / q.s.sum())
    return {name: np.asarray(g) for name, g in gradient(p, array(q.X), array(q.Y), share).items()}


@cache
def compiled_by_jax(activations: tuple[str, ...], of: str, l1: float, l2: float) -> Any:
    """The gradient of a cost by its parameters, once for each structure; compiled anew for each shape and type."""
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)
    σ = {
        "identity": lambda z: z, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu, "elu": jax.nn.elu,
        "leaky-relu": lambda z: jax.nn.leaky_relu(z, 0.01), "softplus": jax.nn.softplus, "silu": jax.nn.silu,
        "gelu": lambda z: jax.nn.gelu(z, approximate=False), "exp": jnp.exp,
    }  # fmt: skip

    def cost(p: dict[str, Any], X: Any, y: Any, share: Any) -> Any:
        a, z = X, X
        for l, name in enumerate(activations, 1):
            z = a @ p[f"w{l}"].T + p[f"b{l}"]
            a = σ[name](z) if name != "softmax" else z
        r = a - y
        each = {
            "squared-error": lambda: r**2,
            "half-squared-error": lambda: r**2 / 2,
            "mean-squared-error": lambda: r**2 / y.shape[1],
            "huber": lambda: jnp.where(jnp.abs(r) <= 1, r**2 / 2, jnp.abs(r) - 0.5),
            "cross-entropy": lambda: -y * jax.nn.log_softmax(z, 1),
            "binary-cross-entropy": lambda: -y * jax.nn.log_sigmoid(z) - (1 - y) * jax.nn.log_sigmoid(-z),
            "poisson": lambda: a - y * (z if activations[-1] == "exp" else jnp.log(a)),
        }[of]().sum(1)
        return (share * each).sum() + sum(
            l1 * jnp.abs(p[f"w{l}"]).sum() + l2 * (p[f"w{l}"] ** 2).sum() for l in range(1, len(activations) + 1)
        )

    return jax.jit(jax.grad(cost))
