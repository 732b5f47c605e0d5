"""Training on all examples at once by SciPy's L-BFGS-B, to which the engine gives C and ∇C."""

# SciPy and scikit-learn have no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import warnings
from dataclasses import replace
from math import isfinite, nan
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.engines import engine
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.state import TrainingState
from chainrule.errors import DivergenceError
from chainrule.estimators.callbacks import Watch
from chainrule.estimators.examples import Examples, least_cost, too_large
from chainrule.estimators.layers import is_finite
from chainrule.training.guard import NOTHING, Guard
from chainrule.training.history import Epoch
from chainrule.training.loop import interrupts

if TYPE_CHECKING:
    from chainrule.estimators.base import MLP

_CALLER = 5
"""From here to who called ``fit``, for warnings."""

_ABNORMAL = 2
"""SciPy's status of a line search that found nothing."""

_NO_STEP = Optimizer("sgd", 1e-300)
"""Moves parameters only where the gradient is not finite."""


class Loss:
    """The loss of all examples with its gradient, a function of the flat vector of float64."""

    def __init__(self, network: Network, examples: Examples) -> None:
        self.examples = examples.astype(np.float64)
        self._weight = examples.weight
        self.network = replace(network, l2=network.l2 / self._weight)  # one penalty, which all examples share
        least = least_cost(network.cost, examples.Y)
        self._least = 0.0 if least is None else float(np.average(least, weights=examples.weights))

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """The loss and its gradient, where the parameters are these."""
        parameters = ParameterVector(self.network, vector)
        loss, nabla = -self._least, np.zeros_like(vector)
        for block in self.examples.blocks():
            if block.weight > 0:
                C, nabla_C = engine().gradient(parameters, block.X, block.Y, block.weights)
                share = block.weight / self._weight
                loss += share * C
                nabla += share * nabla_C.vector
        return loss, nabla

    def cause(self, vector: Array) -> str:
        """Why the loss or its gradient is not finite where the parameters are these."""
        for block in self.examples.blocks():
            if block.weight > 0:
                parameters = ParameterVector(self.network, vector.copy())
                state = TrainingState(parameters, _NO_STEP, block.X, block.Y, len(block), 0, block.weights)
                guard = Guard(state, lambda _: nan)  # what it costs is of no use here
                engine().run(state, 1)
                if not guard.all_finite():
                    return guard.take_back().cause
        return "the loss overflowed"


def minimise(
    mlp: "MLP", parameters: ParameterVector, examples: Examples, watch: Watch
) -> tuple[float, int, list[Epoch]]:
    """Change the parameters to those of the least loss that is found; the loss, the iterations, a record of each.

    It computes in float64, since the line search cannot tell where it is by fewer digits. Ctrl-C ends it early, with a
    warning. So does a loss or a gradient that overflows, and the parameters of the last iteration are kept;
    DivergenceError where there is none that has learned.
    """
    from scipy.optimize import OptimizeResult, minimize

    records: list[Epoch] = []
    start = perf_counter()
    stopped = False
    first = parameters.vector.astype(np.float64)
    objective = _Watched(Loss(parameters.network, examples))
    last: tuple[float, Array] | None = None
    with interrupts() as interrupted, np.errstate(all="ignore"):

        def after_each(intermediate_result: OptimizeResult) -> None:
            nonlocal stopped, last
            n, loss = len(records) + 1, float(intermediate_result.fun)
            last = loss, intermediate_result.x.copy()
            records.append(Epoch(n, n, perf_counter() - start, lr=nan, cost=loss))
            if mlp.verbose:
                print(f"Iteration {n}, loss = {loss:.8f}")
            now = ParameterVector(parameters.network, intermediate_result.x)
            watch.epoch_begins(now)
            stopped = watch.epoch_ended(records[-1], now)
            if stopped or interrupted.is_set():
                raise StopIteration

        result: Any = minimize(
            objective,
            first,
            method="L-BFGS-B",
            jac=True,
            callback=after_each,
            options={"maxfun": mlp.max_fun, "maxiter": mlp.max_iter, "gtol": mlp.tol},
        )
        diverged = not (isfinite(result.fun) and np.isfinite(result.x).all())
        said = f"L-BFGS diverged in iteration {len(records) + 1}: {objective.cause()}" if diverged else ""
    x, loss, n_iterations = result.x, result.fun, min(result.nit, mlp.max_iter)
    if result.status == _ABNORMAL and not diverged:  # fun may be of a step that was refused
        with np.errstate(all="ignore"):
            loss, _ = objective(x)
        if last is not None and not loss <= last[0]:
            loss, x = last
    if diverged:
        if last is None or not last[0] < objective.first:
            raise DivergenceError(_divergence(f"{said}; {NOTHING}", examples))
        (loss, x), n_iterations = last, len(records)
        said = f"{said}; the parameters of iteration {n_iterations} are kept"
        warnings.warn(_divergence(said, examples), ConvergenceWarning, stacklevel=_CALLER)
    elif interrupted.is_set():
        warnings.warn("Training interrupted by user.", stacklevel=_CALLER)
    elif result.status != 0 and not stopped:
        more = f"\nIncrease the number of iterations to improve the convergence (max_iter={mlp.max_iter})."
        warnings.warn(
            f"lbfgs failed to converge after {n_iterations} iteration(s) (status={result.status}):\n{result.message}\n"
            f"{more if n_iterations == mlp.max_iter else ''}\nYou might also want to scale the data as shown in:\n"
            f"    https://scikit-learn.org/stable/modules/preprocessing.html",
            ConvergenceWarning,
            stacklevel=_CALLER,
        )
    with np.errstate(over="ignore"):
        parameters.vector[:] = x
    if not is_finite(parameters):
        raise DivergenceError(_divergence(f"L-BFGS found weights beyond {parameters.vector.dtype}", examples))
    return np.float64(loss), n_iterations, records


class _Watched:
    """A loss that remembers what the first parameters cost, and the last finite ones for which it was not finite."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._bad: Array | None = None
        self.first = nan

    def __call__(self, vector: Array) -> tuple[float, Array]:
        loss, nabla = self._loss(vector)
        if np.isnan(self.first):
            self.first = loss
        if np.isfinite(vector).all() and not (isfinite(loss) and np.isfinite(nabla).all()):
            self._bad = vector.copy()
        return loss, nabla

    def cause(self) -> str:
        """Why it was not finite."""
        return "the step overflowed" if self._bad is None else self._loss.cause(self._bad)


def _divergence(what: str, examples: Examples) -> str:
    return (
        "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
        f"preprocessed: {what}. Scale {too_large(examples)}."
    )
