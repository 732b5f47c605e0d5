"""Training by batches: scikit-learn's epochs, orders, learning rates and messages; the engine makes the steps."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.state import TrainingState
from chainrule.errors import InputError
from chainrule.estimators.examples import Examples, least_cost, outputs, rows_at_once
from chainrule.estimators.layers import divergence, is_finite
from chainrule.estimators.progress import Progress
from chainrule.training.loop import Pace, interrupts

if TYPE_CHECKING:
    from chainrule.estimators.base import MLP

_SLOWEST = 1e-6
"""At this learning rate "adaptive" stops rather than divides it by 5 again."""

_CALLER = 5
"""From here to who called ``fit``, for warnings."""


@dataclass
class Descent:
    """An optimizer on its way: its moments, and how many steps it has made. ``partial_fit`` continues it."""

    optimizer: Optimizer
    moments: tuple[Array, ...]
    step: int = 0

    @classmethod
    def of(cls, mlp: "MLP", parameters: ParameterVector) -> "Descent":
        """The estimator's optimizer at its start."""
        lr = float(mlp.learning_rate_init)
        if mlp.solver == "adam":
            optimizer = Optimizer("adam", lr, beta1=mlp.beta_1, beta2=mlp.beta_2, epsilon=mlp.epsilon, epsilon_hat=True)
        elif mlp.momentum == 0:
            optimizer = Optimizer("sgd", lr)
        else:
            optimizer = Optimizer("nesterov" if mlp.nesterovs_momentum else "momentum", lr, momentum=mlp.momentum)
        return cls(optimizer, tuple(np.zeros_like(parameters.vector) for _ in range(optimizer.n_moments)))

    def copy(self) -> "Descent":
        """A copy that shares nothing that is changed."""
        return Descent(self.optimizer, tuple(moment.copy() for moment in self.moments), self.step)

    def change_rate(self, lr: float) -> None:
        """Go on at another learning rate, of "sgd".

        scikit-learn's velocity has the rate in it, v ← μv − lr·g, and what it has gathered goes on at the old rate.
        """
        for moment in self.moments:
            moment *= self.optimizer.rate / lr
        self.optimizer = replace(self.optimizer, lr=lr)


@dataclass
class _Batches(TrainingState):
    """A training state that adds up scikit-learn's loss: each batch counts by its examples, not by their weights."""

    loss: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._least = least_cost(self.parameters.network.cost, self.Y)

    def advance(self, cost: Array, weight: Array, squares: Array | None = None) -> None:
        """Note what these steps' batches cost."""
        n = min(len(cost) * self.batch_size, len(self.order) - self.cursor)
        sizes = np.full(len(cost), self.batch_size)
        sizes[-1] += n - sizes.sum()
        self.loss += float(cost @ sizes)
        if self._least is not None:
            rows = self.order[self.cursor : self.cursor + n]
            least = self._least[rows] if self.weights is None else self._least[rows] * self.weights[rows]
            sums = np.add.reduceat(least, np.arange(0, n, self.batch_size))
            self.loss -= float(sums / np.maximum(weight, np.finfo(np.float64).tiny) @ sizes)
        super().advance(cost, weight, squares)


class _Run:
    """Makes the steps of one epoch after the other."""

    def __init__(self, parameters: ParameterVector, examples: Examples, batch_size: int, descent: Descent) -> None:
        self._parameters = parameters
        self._examples = examples
        self._batch_size = batch_size
        self._descent = descent
        self._pace = Pace()
        self._dense = None if examples.sparse else self._state(examples)

    def epoch(self, order: Array, interrupted: threading.Event) -> float | None:
        """The epoch's loss; None where Ctrl-C ended it before all batches had their step."""
        loss = 0.0
        for state in self._states(order):
            end = state.step + state.steps_left_in_epoch
            while state.step < end:
                if interrupted.is_set():
                    return None
                self._pace.run(state, end - state.step)
                self._descent.step = state.step
            loss += state.loss
        return loss / len(order)

    def _states(self, order: Array) -> Iterator[_Batches]:
        """What the epoch consists of: a run over all examples; over some at a time where they are sparse."""
        if self._dense is not None:
            self._dense.optimizer = self._descent.optimizer
            self._dense.order = order
            self._dense.loss = 0.0
            yield self._dense
            return
        step = rows_at_once(self._examples.X, self._batch_size)
        for i in range(0, len(order), step):
            some = self._examples.take(order[i : i + step])
            if some.weight > 0:
                yield self._state(some.dense())
            else:
                self._descent.step += -(-len(some) // self._batch_size)

    def _state(self, examples: Examples) -> _Batches:
        descent, order = self._descent, np.arange(len(examples))
        return _Batches(
            self._parameters, descent.optimizer, examples.X, examples.Y, self._batch_size, seed=0,
            weights=examples.weights, shared_penalty=True, next_order=lambda: order, moments=descent.moments,
            step=descent.step, order=order,
        )  # fmt: skip


def train(
    mlp: "MLP",
    parameters: ParameterVector,
    examples: Examples,
    random: np.random.RandomState,
    descent: Descent,
    progress: Progress,
    once: bool,
) -> int:
    """Change the parameters, the descent and the progress by epochs until one is the last; how many it were.

    Ctrl-C ends it early, with a warning. With early stopping the parameters are then those with the best validation
    score, even if training diverged later. Raises DivergenceError when without it they are no longer finite.
    """
    held_out = None
    if mlp.early_stopping:
        examples, held_out = _split(mlp, examples, random)
    order = np.arange(len(examples))
    run = _Run(parameters, examples, _batch_size(mlp.batch_size, len(examples)), descent)
    epochs = 0
    with interrupts() as interrupted, np.errstate(all="ignore"):
        while epochs < mlp.max_iter:
            if mlp.shuffle:
                order = order[_permutation(len(order), random)]
            loss = run.epoch(order, interrupted)
            diverged = None
            if not is_finite(parameters):
                remedy = f"Scale X, or use a smaller learning_rate_init than {mlp.learning_rate_init:g}"
                diverged = divergence(examples.X, f"training diverged in epoch {epochs + 1}", remedy)
                if held_out is None:
                    raise diverged
            if loss is None:
                warnings.warn("Training interrupted by user.", stacklevel=_CALLER)
                break
            epochs += 1
            progress.epoch(loss, len(examples))
            _tell(mlp, f"Iteration {epochs}, loss = {loss:.8f}")
            if held_out is None:
                progress.by_loss(mlp.tol)
            else:
                score = mlp.validation_score(outputs(parameters, held_out.X), held_out)
                _tell(mlp, f"Validation score: {score:f}")
                progress.by_score(score, parameters.vector, mlp.tol)
            if diverged is not None:
                kept = "The parameters with the best validation score are kept."
                warnings.warn(f"{diverged} {kept}", ConvergenceWarning, stacklevel=_CALLER)
                break
            if mlp.solver == "sgd" and mlp.learning_rate == "invscaling":
                descent.change_rate(mlp.learning_rate_init / (progress.examples_seen + 1) ** mlp.power_t)
            if progress.stale > mlp.n_iter_no_change:
                if _over(mlp, descent):
                    break
                progress.stale = 0
            if once:
                break
            if epochs == mlp.max_iter:
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the optimization hasn't "
                    f"converged yet.",
                    ConvergenceWarning,
                    stacklevel=_CALLER,
                )
    if progress.best is not None:
        parameters.vector[:] = progress.best
    return epochs


def _split(mlp: "MLP", examples: Examples, random: np.random.RandomState) -> tuple[Examples, Examples]:
    """The examples to train on and those held out for early stopping, as ``train_test_split`` has them."""
    from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

    strata = mlp.strata(examples.Y)
    Split: Any = ShuffleSplit if strata is None else StratifiedShuffleSplit
    split = Split(1, test_size=mlp.validation_fraction, random_state=random).split(examples.Y, strata)
    rows, held_out = next(split)
    if len(held_out) < 2:
        raise InputError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    if examples.weights is not None:
        for what, some in (("training", rows), ("validation", held_out)):
            if not examples.weights[some].any():
                raise InputError(f"sample_weight: every weight of the {what} set is zero; use another random_state")
    return examples.take(rows), examples.take(held_out)


def _batch_size(given: int | str, n: int) -> int:
    if isinstance(given, str):
        return min(200, n)
    if given > n:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            stacklevel=_CALLER + 1,
        )
    return min(int(given), n)


def _permutation(n: int, random: np.random.RandomState) -> Array:
    """sklearn.utils.shuffle's, from the same random numbers."""
    rows = np.arange(n)
    random.shuffle(rows)
    return rows


def _over(mlp: "MLP", descent: Descent) -> bool:
    """Whether training is over now that nothing improves; an adaptive learning rate is made smaller first."""
    what = "Validation score" if mlp.early_stopping else "Training loss"
    message = f"{what} did not improve more than tol={mlp.tol:f} for {mlp.n_iter_no_change} consecutive epochs."
    if mlp.solver != "sgd" or mlp.learning_rate != "adaptive":
        _tell(mlp, f"{message} Stopping.")
        return True
    if descent.optimizer.rate <= _SLOWEST:
        _tell(mlp, f"{message} Learning rate too small. Stopping.")
        return True
    descent.change_rate(descent.optimizer.rate / 5)
    _tell(mlp, f"{message} Setting learning rate to {descent.optimizer.rate:f}")
    return False


def _tell(mlp: "MLP", line: str) -> None:
    if mlp.verbose:
        print(line)
