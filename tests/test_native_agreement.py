"""After 1, 10 and 100 steps the engine has the parameters of the reference engine, PyTorch and JAX, but for rounding.

All start from the same parameters and take the same examples in the same order. How far rounding may have moved one of
them from the exact run is derived, to first order, and computed for the very run:

*In one step.* ∇C is off by at most PATH_ROUNDINGS·eps·Σ|terms|, as in oracles/terms.py; the step adds at most
STEP_ROUNDINGS·eps of the terms that it sums. The step's own derivatives ∂p′/∂g, ∂m′/∂g, ∂v′/∂g, taken by the complex
step from the optimizer, make that a bound on how far the new p, m and v are off.

*From step to step.* What is off in x = (p, m, v) after step s is off by J_t ⋯ J_(s+1) times that after step t, with
J = ∂x′/∂x, in which g depends on p by the Hessian of the batch's cost. So after t steps entry i is off by at most
Σ_s (|J_t ⋯ J_(s+1)|·e_s)_i; twice that for what is of second order.

PyTorch and JAX are compared where they are installed: ``pip install --group bench``.
"""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from given import ENGINES
from oracles.terms import EPS32, EPS64, terms

from chainrule import Network, Optimizer, ParameterVector, initial_parameters
from chainrule.calculus.gradient import gradient
from chainrule.calculus.network import layout
from chainrule.engines import engine
from chainrule.engines.optimizer import METHODS
from chainrule.engines.random import epoch_order
from chainrule.engines.state import TrainingState

Array = np.ndarray[Any, Any]
Dtype = type[np.floating[Any]]

EPS = {np.float32: EPS32, np.float64: EPS64}
STEPS = (1, 10, 100)
PATH_ROUNDINGS = 50
"""For so small a network, instead of ROUNDINGS: a path has sums of 4, 5, 2 and 5 terms, four values of tanh and its
slope of at most 4 eps each, and some ten products and differences."""

STEP_ROUNDINGS = 16
"""An entry of a step is a dozen operations, with constants that are rounded too."""

N, BATCH, SEED = 23, 5, 0
NETWORK = Network((3, 4, 2), "tanh", "squared-error", l2=0.01)
"""Smooth, so that there is a first order; 100 steps are twenty epochs, each with a smaller last batch."""

WEIGHTS = np.concatenate([np.full(b.stop - b.start, b.name[0] == "w") for b in layout(NETWORK)])

every_optimizer = pytest.mark.parametrize("name", METHODS)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def optimizer(name: str) -> Optimizer:
    return Optimizer(name, 0.05 if name == "sgd" else 0.01)


@cache
def problem(dtype: Dtype) -> tuple[ParameterVector, Array, Array]:
    random = np.random.default_rng(100)
    X: Array = random.normal(size=(N, 3)).astype(dtype)
    Y: Array = random.normal(size=(N, 2)).astype(dtype)
    return initial_parameters(NETWORK, 7, dtype), X, Y


def batches() -> Iterator[Array]:
    """The rows of each of the 100 steps."""
    for epoch in range(STEPS[-1]):
        order = epoch_order(SEED, epoch, N)
        yield from (order[at : at + BATCH] for at in range(0, N, BATCH))


# the bound -----------------------------------------------------------------------------------------

TINY_STEP = 1e-30


def step(o: Optimizer, x: list[Array], g: Array, t: int) -> list[Array]:
    """(p, m, v) after a step, of real or complex numbers."""
    p, *moments = (array.copy() for array in x)
    if o.name == "adamw":
        p[WEIGHTS] *= 1 - o.rate * o.weight_decay
    o.step(p, g, tuple(moments), t)
    return [p, *moments]


def derivative(o: Optimizer, x: list[Array], g: Array, t: int, which: int) -> list[Array]:
    """∂(p′, m′, v′)/∂ each entry of part ``which`` of x, or of g where that is len(x); a step is entry by entry."""
    parts = [array.astype(np.complex128) for array in (*x, g)]
    parts[which] += 1j * TINY_STEP
    return [new.imag / TINY_STEP for new in step(o, parts[:-1], parts[-1], t)]


def hessian(p: Array, X: Array, Y: Array) -> Array:
    """∂∇C/∂p by central differences, good to about eight digits."""
    h, rows = 1e-5, list[Array]()
    for k in range(len(p)):
        ends: list[Array] = []
        for sign in (1, -1):
            moved = p.copy()
            moved[k] += sign * h
            ends.append(gradient(ParameterVector(NETWORK, moved), X, Y)[1].vector)
        rows.append((ends[0] - ends[1]) / (2 * h))
    return np.array(rows).T


@cache
def exact_run(name: str, dtype: Dtype) -> tuple[dict[int, Array], dict[int, Array]]:
    """The parameters after 1, 10, 100 steps in float64 from the numbers of ``dtype``, and how far a run in it may be
    off.

    Float64 stands for exact: as a float64 run itself is held to the bound, it may be off by half of it.
    """
    o, (start, X, Y) = optimizer(name), problem(dtype)
    p, X, Y = start.vector.astype(np.float64), X.astype(np.float64), Y.astype(np.float64)
    x = [p, *(np.zeros_like(p) for _ in range(o.n_moments))]
    n = len(p)
    jacobians: list[Array] = []
    errors: list[Array] = []
    parameters: dict[int, Array] = {}
    for t, batch in zip(range(1, STEPS[-1] + 1), batches(), strict=False):
        at = ParameterVector(NETWORK, x[0])
        g = gradient(at, X[batch], Y[batch])[1].vector
        limits = terms(at, X[batch].astype(dtype), Y[batch].astype(dtype), None).gradient.astype(np.float64)
        H = hessian(x[0], X[batch], Y[batch])
        new = step(o, x, g, t)
        by_g = derivative(o, x, g, t, len(x))
        J: Array = np.zeros((len(x) * n,) * 2)
        for which in range(len(x)):
            for i, d in enumerate(derivative(o, x, g, t, which)):
                J[i * n : (i + 1) * n, which * n : (which + 1) * n] = np.diag(d)
        for i, d in enumerate(by_g):
            J[i * n : (i + 1) * n, :n] += d[:, None] * H
        summed = [np.abs(old) + np.abs(now - old) for old, now in zip(x, new, strict=True)]
        if name in ("adam", "adamw"):
            summed[1] += np.abs(g)  # g − m, which may cancel
            summed[2] += g * g
        if name == "rmsprop":
            summed[1] += g * g
        errors.append(
            EPS[dtype]
            * np.concatenate(
                [PATH_ROUNDINGS * np.abs(d) * limits + STEP_ROUNDINGS * s for d, s in zip(by_g, summed, strict=True)]
            )
        )
        jacobians.append(J)
        x = new
        parameters[t] = x[0]
    bounds: dict[int, Array] = {}
    for t in STEPS:
        bound, product = np.zeros(len(x) * n), np.eye(len(x) * n)
        for s in reversed(range(t)):
            bound += np.abs(product) @ errors[s]
            product = product @ jacobians[s]
        bounds[t] = 2 * bound[:n]
    return {t: parameters[t] for t in STEPS}, bounds


def excess(name: str, dtype: Dtype, run: dict[int, Array]) -> dict[int, float]:
    """How far the entry that is furthest off is off, in units of its bound."""
    exact, bounds = exact_run(name, dtype)
    return {t: float((np.abs(run[t] - exact[t]) / bounds[t]).max()) for t in STEPS}


def check(name: str, dtype: Dtype, run: dict[int, Array]) -> None:
    found = excess(name, dtype, run)
    assert all(off <= 1 for off in found.values()), found


# the runs ------------------------------------------------------------------------------------------


def run_of_engine(name: str, dtype: Dtype, **changes: float) -> dict[int, Array]:
    start, X, Y = problem(dtype)
    state = TrainingState(start.copy(), replace(optimizer(name), **changes), X, Y, BATCH, SEED)
    found: dict[int, Array] = {}
    for t in STEPS:
        engine().run(state, t - state.step)
        found[t] = state.parameters.vector.copy()
    return found


@pytest.mark.parametrize("engine_name", ENGINES)
@every_optimizer
@both_dtypes
def test_an_engine_stays_with_the_exact_run(
    engine_name: str, name: str, dtype: Dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_ENGINE", engine_name)
    check(name, dtype, run_of_engine(name, dtype))


@every_optimizer
@both_dtypes
def test_a_learning_rate_that_is_hardly_off_is_seen_in_every_slice(name: str, dtype: Dtype) -> None:
    """So the bound is not as wide as the run is long."""
    off = excess(name, dtype, run_of_engine(name, dtype, lr=optimizer(name).rate * (1 + 1e6 * EPS[dtype])))
    assert all(t > 1 for t in off.values()), off


def cost(p: list[Any], x: Any, y: Any, tanh: Callable[[Any], Any]) -> Any:
    """C of w1, b1, w2, b2, in any library's arrays."""
    w1, b1, w2, b2 = p
    a = tanh(tanh(x @ w1.T + b1) @ w2.T + b2)
    return ((a - y) ** 2).sum() / len(x) + NETWORK.l2 * ((w1**2).sum() + (w2**2).sum())


def run_of_torch(name: str, dtype: Dtype) -> dict[int, Array]:
    torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed (pip install --group bench)")
    start, X, Y = problem(dtype)
    p = [torch.from_numpy(array.copy()).requires_grad_() for array in start.arrays().values()]
    o = optimizer(name)
    if name == "adam":
        theirs = torch.optim.Adam(p, o.rate, (o.beta1, o.beta2), o.epsilon)
    else:
        theirs = torch.optim.SGD(p, o.rate, momentum=0 if name == "sgd" else o.momentum, nesterov=name == "nesterov")
    found: dict[int, Array] = {}
    for t, batch in zip(range(1, STEPS[-1] + 1), batches(), strict=False):
        theirs.zero_grad()
        cost(p, torch.from_numpy(X[batch]), torch.from_numpy(Y[batch]), torch.tanh).backward()
        theirs.step()
        found[t] = np.concatenate([array.detach().numpy().ravel() for array in p])
    return found


def run_of_jax(name: str, dtype: Dtype) -> dict[int, Array]:
    jax: Any = pytest.importorskip("jax", reason="JAX is not installed (pip install --group bench)")
    jax.config.update("jax_enable_x64", True)  # otherwise there is no float64
    start, X, Y = problem(dtype)
    o, t_map = optimizer(name), jax.tree.map
    slope = jax.jit(jax.grad(lambda p, x, y: cost(p, x, y, jax.numpy.tanh)))
    p = [jax.numpy.asarray(array) for array in start.arrays().values()]
    m = v = t_map(jax.numpy.zeros_like, p)
    found: dict[int, Array] = {}
    for t, batch in zip(range(1, STEPS[-1] + 1), batches(), strict=False):
        g = slope(p, X[batch], Y[batch])
        if name == "adam":
            m = t_map(lambda m, g: o.beta1 * m + (1 - o.beta1) * g, m, g)
            v = t_map(lambda v, g: o.beta2 * v + (1 - o.beta2) * g * g, v, g)
            m_scale, v_scale = 1 / (1 - o.beta1**t), 1 / (1 - o.beta2**t)
            change = t_map(lambda m, v: m_scale * m / (jax.numpy.sqrt(v_scale * v) + o.epsilon), m, v)  # noqa: B023
        else:
            m = g if name == "sgd" else t_map(lambda m, g: o.momentum * m + g, m, g)
            change = t_map(lambda m, g: g + o.momentum * m, m, g) if name == "nesterov" else m
        p = t_map(lambda p, change: p - o.rate * change, p, change)
        found[t] = np.concatenate([np.asarray(array).ravel() for array in p])
        assert found[t].dtype == dtype
    return found


PEERS = {"PyTorch": run_of_torch, "JAX": run_of_jax}


@pytest.mark.parametrize("peer", PEERS)
@every_optimizer
@both_dtypes
def test_an_engine_stays_with_another_library(peer: str, name: str, dtype: Dtype) -> None:
    """Both within their bound of the exact run, and so within twice that of each other."""
    check(name, dtype, PEERS[peer](name, dtype))
    check(name, dtype, run_of_engine(name, dtype))
