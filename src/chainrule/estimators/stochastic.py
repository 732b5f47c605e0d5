"""Training by batches: scikit-learn's epochs, orders, learning rates and messages; the engine makes the steps."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import threading
import warnings
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import penalty
from chainrule.calculus.network import Network, ParameterVector
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.state import TrainingState
from chainrule.errors import DivergenceError, InputError
from chainrule.estimators.callbacks import Watch
from chainrule.estimators.examples import Examples, least_cost, mean_cost, outputs, rows_at_once, too_large
from chainrule.estimators.parameters import dropout_of, schedule_of
from chainrule.estimators.progress import Progress
from chainrule.training.guard import Divergence, Guard
from chainrule.training.loop import Pace, interrupts
from chainrule.training.schedule import Rates

if TYPE_CHECKING:
    from chainrule.estimators.base import MLP

_SLOWEST = 1e-6
"""At this learning rate "adaptive" stops rather than divides it by 5 again."""

_CALLER = 6
"""From here to who called ``fit``, for warnings."""


@dataclass
class Descent:
    """An optimizer on its way: its moments, and how many steps it has made. ``partial_fit`` continues it.

    ``seed`` is that of dropout, ``split_seed`` that of the examples that calls of ``partial_fit`` hold out; ``rates``
    are the learning rates where a schedule has them.
    """

    optimizer: Optimizer
    moments: tuple[Array, ...]
    step: int = 0
    seed: int = 0
    split_seed: int | None = None
    rates: Rates | None = None

    @classmethod
    def of(cls, mlp: "MLP", parameters: ParameterVector) -> "Descent":
        """The estimator's optimizer at its start."""
        lr = float(mlp.learning_rate_init)
        if mlp.solver in ("adam", "adamw"):
            optimizer = Optimizer(
                mlp.solver, lr, beta1=mlp.beta_1, beta2=mlp.beta_2, epsilon=mlp.epsilon, epsilon_hat=True,
                weight_decay=mlp.weight_decay,
            )  # fmt: skip
        elif mlp.solver == "rmsprop":
            optimizer = Optimizer("rmsprop", lr, rho=mlp.rho, epsilon=mlp.epsilon)
        elif mlp.momentum == 0:
            optimizer = Optimizer("sgd", lr)
        else:
            optimizer = Optimizer("nesterov" if mlp.nesterovs_momentum else "momentum", lr, momentum=mlp.momentum)
        return cls(optimizer, tuple(np.zeros_like(parameters.vector) for _ in range(optimizer.n_moments)))

    def copy(self) -> "Descent":
        """A copy that shares nothing that is changed."""
        return replace(self, moments=tuple(moment.copy() for moment in self.moments), rates=deepcopy(self.rates))

    def go_back(self, step: int | None) -> None:
        """Go on from this step, of which the moments are; begin anew where there is none."""
        if step is None:
            for moment in self.moments:
                moment[:] = 0
        self.step = step or 0
        if self.rates is not None:
            self.rates.go_back(self.step)

    @property
    def rate(self) -> float:
        """The learning rate of the last step."""
        return self.optimizer.rate if self.rates is None else float(self.rates(max(self.step - 1, 0), 1)[0])

    def change_rate(self, lr: float) -> None:
        """Go on at another learning rate, of "sgd".

        scikit-learn's velocity has the rate in it, v ← μv − lr·g, and what it has gathered goes on at the old rate.
        """
        for moment in self.moments:
            moment *= self.optimizer.rate / lr
        self.optimizer = replace(self.optimizer, lr=lr)


@dataclass
class _Batches(TrainingState):
    """A training state that adds up scikit-learn's loss: each batch counts by its examples, not by their weights.

    ``loss`` is the sum over its batches, as a share of an epoch of ``n_of_epoch`` examples.
    """

    loss: float = 0.0
    n_of_epoch: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._least = least_cost(self.parameters.network.cost, self.Y)

    def advance(self, cost: Array, weight: Array, squares: Array | None = None) -> None:
        """Note what these steps' batches cost."""
        n = min(len(cost) * self.batch_size, len(self.order) - self.cursor)
        sizes = np.full(len(cost), self.batch_size)
        sizes[-1] += n - sizes.sum()
        terms = cost
        if self._least is not None:
            rows = self.order[self.cursor : self.cursor + n]
            least = self._least[rows] if self.weights is None else self._least[rows] * self.weights[rows]
            sums = np.add.reduceat(least, np.arange(0, n, self.batch_size))
            terms = cost - sums / np.maximum(weight, np.finfo(np.float64).tiny)
        # one after the other, so that slicing changes no bit
        self.loss = float(np.concatenate([[self.loss], terms * (sizes / self.n_of_epoch)]).cumsum()[-1])
        super().advance(cost, weight, squares)


class _Run:
    """Makes the steps of one epoch after the other; ``divergence`` says where one ended before all were made."""

    def __init__(self, mlp: "MLP", parameters: ParameterVector, examples: Examples, descent: Descent) -> None:
        self._parameters = parameters
        self._examples = examples
        self.loss_of = partial(_loss, parameters.network, examples)
        self._batch_size = _batch_size(mlp.batch_size, len(examples))
        self._descent = descent
        self._clip_norm = mlp.clip_norm
        self._dropout = dropout_of(mlp.dropout, parameters.network.depth - 1)
        self._note_norms = mlp.gradient_norms
        self._pace = Pace()
        self._guard: Guard | None = None
        self.divergence: Divergence | None = None
        self.norms: tuple[float, ...] = ()
        schedule = schedule_of(mlp.learning_rate, mlp.warm_up)
        if schedule is not None and descent.rates is None:
            descent.rates = schedule.rates(descent.optimizer.rate, -(-len(examples) // self._batch_size), mlp.max_iter)
        self._dense = None if examples.sparse else self._state(examples)

    def epoch(self, order: Array, interrupted: threading.Event) -> float | None:
        """The epoch's loss; None where Ctrl-C or divergence ended it before all batches had their step."""
        loss, squares, steps = 0.0, 0.0, 0
        for state in self._states(order):
            guard, first = self._guarded(state), state.step
            end = first + state.steps_left_in_epoch
            while state.step < end:
                if interrupted.is_set():
                    return None
                self._pace.run(state, end - state.step)
                if not (guard.good() if state.step < end else guard.all_finite()):
                    self.divergence = guard.take_back()
                    self._descent.go_back(self.divergence.kept)
                    return None
                self._descent.step = state.step
            loss += state.loss
            if self._note_norms:
                squares += state.gradient_norms.pop() ** 2 * (end - first)
                steps += end - first
        self.norms = tuple(np.sqrt(squares / steps).tolist()) if steps else ()
        return loss

    def _guarded(self, state: _Batches) -> Guard:
        """One guard for all the run: the batch that is no good may be the first of an epoch."""
        if self._guard is None:
            self._guard = Guard(state, self.loss_of)
        else:
            self._guard.begin_part(state)
        return self._guard

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
            self._parameters, descent.optimizer, examples.X, examples.Y, self._batch_size, descent.seed,
            weights=examples.weights, shared_penalty=True, next_order=lambda: order, rates=descent.rates,
            dropout=self._dropout, clip_norm=self._clip_norm, note_norms=self._note_norms, moments=descent.moments,
            step=descent.step, order=order, n_of_epoch=len(self._examples),
        )  # fmt: skip


def train(
    mlp: "MLP",
    parameters: ParameterVector,
    examples: Examples,
    held_out: Examples | None,
    random: np.random.RandomState,
    descent: Descent,
    progress: Progress,
    watch: Watch,
    once: bool,
) -> int:
    """Change the parameters, the descent and the progress by epochs until one is the last; how many it were.

    Early stopping goes by the examples held out, or splits some off; the parameters are then those with the best
    validation score, of calls of one epoch, ``once``, only when it is over. Ctrl-C ends training early, with a warning.
    So does divergence, and the parameters of the best epoch are kept; DivergenceError where nothing was learned.
    """
    first = parameters.vector.copy()
    earlier = (progress.records[-1].step if progress.records else 0) - descent.step  # steps, of other fits
    to_scale = "X" if held_out is None else "X_val and y_val as X and y"
    if mlp.early_stopping and held_out is None:
        if once and descent.split_seed is None:
            descent.split_seed = int(random.randint(2**31))
        split_random = np.random.RandomState(descent.split_seed) if once else random
        examples, held_out = _split(mlp, examples, split_random)
    order = np.arange(len(examples))
    run = _Run(mlp, parameters, examples, descent)
    epochs, start = 0, perf_counter() - (progress.records[-1].seconds if progress.records else 0.0)
    with interrupts() as interrupted, np.errstate(all="ignore"):
        while epochs < mlp.max_iter:
            if mlp.shuffle:
                order = order[_permutation(len(order), random)]
            watch.epoch_begins(parameters)
            loss = run.epoch(order, interrupted)
            if loss is None:
                watch.epoch_ended(None, parameters)
                if run.divergence is None:
                    warnings.warn("Training interrupted by user.", stacklevel=_CALLER)
                    break
                learned = run.divergence.kept is not None
                if progress.best is None or held_out is None:
                    progress.best_epoch = progress.epoch_of(earlier + (run.divergence.kept or 0))
                else:
                    before = outputs(ParameterVector(parameters.network, first), held_out.X)
                    progress.over = learned = progress.is_better_than(mlp.validation_score(before, held_out))
                    if learned:
                        parameters.vector[:] = progress.best
                        descent.go_back(None)
                    if learned and once:  # the next examples may be better ones
                        progress.stale += 1
                        progress.over = progress.stale > mlp.n_iter_no_change
                _diverged(mlp, run.divergence, learned, progress, earlier, too_large(examples))
                break
            epochs += 1
            figure, metric = loss, None
            progress.epoch(loss, len(examples))
            _tell(mlp, f"Iteration {epochs}, loss = {loss:.8f}")
            if held_out is not None:
                score = mlp.validation_score(outputs(parameters, held_out.X), held_out)
                figure, metric = -score, mlp.METRIC
                progress.validated(score, mean_cost(parameters, held_out))
                _tell(mlp, f"Validation score: {score:f}")
            if mlp.early_stopping:
                progress.by_score(parameters.vector, mlp.tol)
            else:
                progress.by_loss(mlp.tol)
            record = progress.record(earlier + descent.step, perf_counter() - start, descent.rate, run.norms, metric)
            if descent.rates is not None:
                descent.rates.after_epoch(descent.step, figure)
            if watch.epoch_ended(record, parameters):
                progress.over = True
                break
            if mlp.solver == "sgd" and mlp.learning_rate == "invscaling":
                descent.change_rate(mlp.learning_rate_init / (progress.examples_seen + 1) ** mlp.power_t)
            if progress.stale > mlp.n_iter_no_change:
                if _over(mlp, descent):
                    progress.over = True
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
    if run.divergence is None:  # or that has been told
        _warn_of_validation(progress, epochs, to_scale)
    if progress.best is not None and (progress.over or not once):
        parameters.vector[:] = progress.best
    if run.divergence is None and progress.losses:
        mlp.loss_ = progress.losses[-1]
    else:  # what the last epoch cost says nothing of what is kept
        mlp.loss_ = np.float64(run.loss_of(parameters.vector))
        if not progress.losses and not mlp.early_stopping:
            progress.best_loss = mlp.loss_
    return epochs


def _loss(network: Network, examples: Examples, vector: Array) -> float:
    """The loss over all examples, with the penalty."""
    p = ParameterVector(network, vector)
    penalties = sum(penalty(p.w[l], network.l1, network.l2) for l in network.layers)
    return mean_cost(p, examples) + penalties / examples.weight


def _diverged(
    mlp: "MLP", divergence: Divergence, learned: bool, progress: Progress, earlier: int, to_scale: str
) -> None:
    """Warn that training was stopped, or raise DivergenceError where nothing was learned."""
    told = replace(
        divergence,
        epoch=len(progress.losses) + 1,
        step=earlier + divergence.step,
        kept=earlier + divergence.kept if learned and divergence.kept is not None else None,
        best_epoch=progress.best_epoch if learned else None,
        remedy=f"Scale {to_scale}, or use a smaller learning_rate_init than {mlp.learning_rate_init:g}.",
    )
    what = (
        "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
        f"preprocessed: {told}"
    )
    if not learned:
        raise DivergenceError(what)
    warnings.warn(what, ConvergenceWarning, stacklevel=_CALLER + 1)


def _warn_of_validation(progress: Progress, epochs: int, to_scale: str) -> None:
    """Warn of the first of the last so many epochs in which the loss over the validation set is not finite."""
    losses = (progress.validation_losses or [])[-epochs:] if epochs else []
    if not np.isfinite(losses).all():
        epoch = len(progress.losses) - len(losses) + 1 + int(np.argmin(np.isfinite(losses)))
        warnings.warn(
            f"The loss over the validation set is not finite in epoch {epoch}: its examples are far from those of the "
            f"training; scale {to_scale}",
            stacklevel=_CALLER + 1,
        )


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
            stacklevel=_CALLER + 2,
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
