"""From a table to a trained model: what ``chainrule train`` does."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from time import perf_counter
from typing import cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checks import did_you_mean, listed, require, shown
from chainrule.data.table import Table, as_table
from chainrule.engines import engine, warn_of_shortfall
from chainrule.engines.state import TrainingState
from chainrule.errors import DataError, DivergenceError, InputError
from chainrule.model.encoding import Inputs, Target
from chainrule.model.model import Examples, Model
from chainrule.training.guard import NOTHING, Divergence, DivergenceWarning
from chainrule.training.history import KEY, Epoch, History
from chainrule.training.initialization import initial_parameters
from chainrule.training.loop import Ended, Progress, Watcher, train_epochs
from chainrule.training.metrics import COST
from chainrule.training.progress_bar import progress_bar
from chainrule.training.schedule import Rates
from chainrule.training.settings import BALANCED, Settings
from chainrule.training.split import split
from chainrule.training.validation import (
    EarlyStopping,
    Validation,
    as_loss,
    penalised_cost,
    penalty_of,
    shown_metrics,
)

LEAST_EPOCHS, LEAST_STEPS = 60, 1500
"""How long to train where nobody says: this many epochs, and more on small data until there are this many steps."""

OUTPUT_OF_COST = {"cross-entropy": "softmax", "binary-cross-entropy": "sigmoid", "poisson": "exp"}
"""The output activation that goes with a cost, where one is needed and nobody names it."""


@dataclass(frozen=True)
class Trained:
    """A trained model with its figures.

    ``train_cost`` is C of the model over the training examples, with the penalties, of which ``train_penalty`` is the
    part. ``test`` has the model's figures over the examples held out, "cost" and those of the metrics, and
    ``validation`` those over the validation examples; both are empty where there are none. ``largest_class`` is the
    share of the largest class among those held out, by which an accuracy is to be judged. ``divergence`` says why
    training ended where its numbers were not finite.
    """

    model: Model
    epochs: int
    train_cost: float
    train_penalty: float
    test: Mapping[str, float]
    largest_class: float | None
    seconds: float
    interrupted: bool
    n_train: int
    n_test: int
    history: History
    validation: Mapping[str, float]
    n_validation: int
    divergence: Divergence | None

    @property
    def test_score(self) -> float | None:
        """The share of right classes, or R², of the examples held out; None where there are none."""
        return self.test.get("accuracy", self.test.get("r2"))

    @property
    def best_epoch(self) -> int | None:
        """The epoch, counted from 1, whose parameters are kept: by early stopping, or where training diverged."""
        return self.history.best_epoch


def plan(table: Table, settings: Settings) -> "Plan":
    """Read the table and decide everything but the weights. Raises DataError or InputError."""
    table = as_table(table)
    if not table.n_rows:
        raise DataError(f"{table.source}: no rows; there is nothing to learn from")
    require(isinstance(settings, Settings), "settings", settings, "Settings")
    table = table.without(settings.dropped)
    target_columns = settings.target or table.target
    if not target_columns:
        raise DataError(
            f"{table.source}: which column is to be predicted? Name it as the target (--target); the columns are "
            f"{listed(table.columns)}"
        )
    for name in target_columns:
        if target_columns.count(name) > 1:
            raise DataError(f"{table.source}: the target column {shown(name)} is named twice")
    names = [name for name in table.columns if name not in target_columns]
    if not names:
        raise DataError(f"{table.source}: there is no input column beside the target")
    everything = np.arange(table.n_rows)
    task = "numbers" if settings.task == "auto" and settings.cost == "poisson" else settings.task
    target = Target.learn(table, target_columns, task, everything, standardise=False)
    labels = None if target.classes is None else target.encode(table, len(target.classes)).argmax(axis=1)
    train_rows, test_rows = split(table.n_rows, settings.seed, labels)
    train_rows, held_out = _hold_out(table, settings, train_rows, labels)

    inputs = Inputs.learn(table, names, train_rows, settings.standardise)
    network = _network(settings, len(inputs.names), target)
    if target.classes is None and settings.standardise and network.activation[-1] == "identity":
        target = Target.learn(table, target_columns, "numbers", train_rows, standardise=True)
    weights = _class_weights(settings.class_weight, target, None if labels is None else labels[train_rows])
    target = replace(target, class_weights=weights)
    model = Model(initial_parameters(network, settings.seed), inputs, target)
    examples = model.examples_of(table)
    X, Y = _in_float32(table, examples.a0), _in_float32(table, examples.Y)
    # an input that is 0 in every row trained on teaches nothing; with weight 0 it does no harm later either
    model.parameters.w[1][:, ~X[train_rows].any(axis=0)] = 0
    state = TrainingState(
        model.parameters, settings.optimizer, X[train_rows], Y[train_rows], settings.batch_size, settings.seed,
        weights=_weights(examples, train_rows), clip_norm=settings.clip_norm,
        dropout=_layer_dropout(settings.dropout, len(settings.hidden)), note_norms=settings.gradient_norms,
    )  # fmt: skip
    epochs = settings.epochs or max(LEAST_EPOCHS, -(-LEAST_STEPS // state.steps_per_epoch))
    rates = settings.schedule.rates(settings.optimizer.rate, state.steps_per_epoch, epochs)
    state.rates = None if settings.schedule.is_constant else rates
    validation, watched = None, examples
    if isinstance(settings.validation, Table):
        watched = model.examples_of(settings.validation)
        X, Y = (_in_float32(settings.validation, array) for array in (watched.a0, watched.Y))
        held_out = np.arange(len(X))
    if len(held_out):
        metrics = shown_metrics(settings.metric, target, network)
        weights = _weights(watched, held_out)
        if weights is not None and not weights.any():
            raise InputError("class weight: no validation example counts; give their classes a weight above 0")
        validation = Validation(X[held_out], Y[held_out], weights, target, metrics)
    return Plan(model, state, epochs, examples.a0[test_rows], examples.Y[test_rows], settings, rates, validation)


def _hold_out(table: Table, settings: Settings, rows: Array, labels: Array | None) -> tuple[Array, Array]:
    """The rows to train on and those to watch training by."""
    if not settings.held_out:
        return rows, rows[:0]
    kept, held_out = split(
        len(rows), settings.seed, None if labels is None else labels[rows], settings.held_out, of_training=True
    )
    if not (len(kept) and len(held_out)):
        raise InputError(
            f"validation: {settings.held_out:g} of the {len(rows)} training examples of {table.source} leaves "
            f"{len(kept)} to train on and {len(held_out)} to watch; choose another share, or give a table of others"
        )
    return rows[kept], rows[held_out]


def _in_float32(table: Table, array: Array) -> Array:
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise DataError(f"{table.source}: it holds numbers too large to train on in float32; scale them down")
    return array


def _class_weights(given: str | Mapping[str, float] | None, target: Target, labels: Array | None) -> Array | None:
    """What an example of each class counts, (classes,); "balanced" is n/(classes·n_c), as scikit-learn has it."""
    if given is None:
        return None
    if target.classes is None or labels is None:
        raise InputError(f"class weight: the target {listed(target.columns)} is numbers, which have no classes")
    if given == BALANCED:
        counts = np.bincount(labels, minlength=len(target.classes))
        return len(labels) / (len(counts) * np.maximum(counts, 1))
    weights = cast("Mapping[str, float]", given)
    for name, weight in weights.items():
        if weight > float(np.finfo(np.float32).max):
            raise InputError(f"class weight of {name}: {weight:g} is too large for float32, in which training is")
        if name not in target.classes:
            raise InputError(
                f"class weight: there is no class {shown(name)}.{did_you_mean(name, target.classes)} The classes are "
                f"{listed(target.classes)}"
            )
    return np.array([float(weights.get(name, 1.0)) for name in target.classes])


def _weights(examples: Examples, rows: Array) -> Array | None:
    return None if examples.weights is None else examples.weights[rows].astype(np.float32)


def _layer_dropout(given: Sequence[float], n_hidden: int) -> tuple[float, ...]:
    """One probability a layer 0 … L − 1 from one for all hidden layers, one for each, or one more for the inputs."""
    if not any(given):
        return ()
    if len(given) == n_hidden + 1:
        return tuple(given)
    if len(given) in (1, n_hidden):
        return (0.0, *(list(given) * n_hidden)[:n_hidden])
    raise InputError(
        f"dropout: {len(given)} probabilities for {n_hidden} hidden layers; give one for all, one for each, or one "
        f"more, the first, for the inputs"
    )


@dataclass(frozen=True)
class Plan:
    """What a training run is made of: a model with its initial parameters, the state, epochs, held-out examples."""

    model: Model
    state: TrainingState
    epochs: int
    test_X: Array
    test_Y: Array
    settings: Settings
    rates: Rates
    validation: Validation | None

    def train(self, watch: Watcher | None = None) -> Trained:
        """Train. Ctrl-C ends it early and keeps what was learned. Raises DivergenceError where that is nothing."""
        state, epochs = self.state, Epochs(self)
        start = perf_counter()
        ended = train_epochs(state, self.epochs, epochs.watcher(watch), epochs.after if epochs.needed else None)
        seconds = perf_counter() - start
        divergence, best_epoch = ended.divergence, epochs.keep_the_best()
        if divergence is not None:
            divergence = self._kept(divergence, best_epoch, epochs.learned(ended))
            best_epoch = divergence.best_epoch
        history = epochs.history(ended, best_epoch)
        parameters = ParameterVector(self.model.network, state.parameters.vector)
        reading = parameters.astype(np.float64)
        validation = self.validation
        return Trained(
            Model(parameters, self.model.inputs, self.model.target, self._remembered(history)),
            epochs=state.epoch,
            train_cost=penalised_cost(reading, state.X, state.Y, state.weights),
            train_penalty=penalty_of(reading),
            test=self._test_figures(reading),
            largest_class=self._largest_class(),
            seconds=seconds,
            interrupted=ended.how == "interrupted",
            n_train=len(state.X),
            n_test=len(self.test_X),
            history=history,
            validation={} if validation is None else validation.figures(reading),
            n_validation=0 if validation is None else len(validation),
            divergence=divergence,
        )

    def _kept(self, divergence: Divergence, best_epoch: int | None, learned: bool) -> Divergence:
        """The divergence with the epoch whose parameters are kept; DivergenceError where nothing was learned."""
        if not learned:
            raise DivergenceError(divergence.ending_in(NOTHING))
        if best_epoch is None and divergence.kept is not None:
            epoch, more = divmod(divergence.kept, self.state.steps_per_epoch)
            best_epoch = None if more else epoch
        return replace(divergence, best_epoch=best_epoch)

    def progress_bar(self) -> AbstractContextManager[Watcher | None]:
        """A bar for this run; None where nobody could see it."""
        may_stop = self.settings.patience is not None
        figure = None if self.validation is None else self.settings.metric or COST
        return progress_bar(self.epochs, self.state.steps_per_epoch, figure, at_most=may_stop)

    def score(self, parameters: ParameterVector) -> float | None:
        """The share of right classes, or R², of the examples held out; None where there are none."""
        if not len(self.test_X):
            return None
        assert self.model.target is not None
        return self.model.target.score(engine().predict(parameters, self.test_X), self.test_Y)

    def _test_figures(self, parameters: ParameterVector) -> dict[str, float]:
        """The cost and the metrics over the examples held out for the test; none where there are none."""
        target = self.model.target
        if not len(self.test_X):
            return {}
        assert target is not None
        metrics = shown_metrics(self.settings.metric, target, self.model.network)
        weights = target.weights(self.test_Y)
        return Validation(self.test_X, self.test_Y, weights, target, metrics).figures(parameters)

    def _largest_class(self) -> float | None:
        target = self.model.target
        if target is None or target.classes is None or not len(self.test_Y):
            return None
        return float(np.bincount(target.class_indices(self.test_Y)).max() / len(self.test_Y))

    def _remembered(self, history: History) -> dict[str, object]:
        state = self.state
        return {
            "optimizer": state.optimizer.name,
            "lr": state.optimizer.rate,
            "schedule": self.settings.schedule.name,
            "batch_size": state.batch_size,
            "dropout": list(state.dropout),
            "clip_norm": state.clip_norm,
            "patience": self.settings.patience,
            "metric": self.settings.metric,
            "seed": state.seed,
            "epochs": state.epoch,
            "costs": history.costs.tolist(),
            KEY: history.remembered(),
        }


class Epochs:
    """What is done and noted after each epoch."""

    def __init__(self, planned: Plan) -> None:
        self._plan = planned
        self._settings = planned.settings
        self._figures: list[Mapping[str, float]] = []
        metric = planned.settings.metric or COST
        patience = planned.settings.patience
        self._stopping = None if patience is None else EarlyStopping(patience, metric)
        self._metric = metric

    @property
    def needed(self) -> bool:
        """Whether there is anything to do between two epochs."""
        settings = self._settings
        return bool(self._plan.validation is not None or settings.callbacks or settings.schedule.name == "plateau")

    def after(self, seconds: float) -> bool:
        """Note the epoch; whether it is the last."""
        state, over = self._plan.state, False
        figures: Mapping[str, float] = {COST: state.cost}
        if self._plan.validation is not None:
            figures = self._plan.validation.figures(state.parameters)
            self._figures.append(figures)
            if self._stopping is not None:
                over = self._stopping.after(state.epoch, figures, state.parameters.vector)
        self._plan.rates.after_epoch(state.step, as_loss(self._metric, figures))
        for callback in self._settings.callbacks:
            said = callback(self._epoch(seconds))
            over = (type(said) in (bool, np.bool) and bool(said)) or over
        return over

    def watcher(self, watch: Watcher | None) -> Watcher | None:
        """The watcher, told the latest figures, too."""
        if watch is None or self._plan.validation is None:
            return watch

        def told(progress: Progress) -> None:
            watch(replace(progress, figures=self._figures[-1] if self._figures else {}))

        return told

    def keep_the_best(self) -> int | None:
        """Make the best epoch's parameters the state's; which epoch it is, or None where the last ones are kept."""
        if self._stopping is None:
            return None
        state = self._plan.state
        self._stopping.forget_after(state.epoch)
        if self._stopping.best is not None:
            state.parameters.vector[:] = self._stopping.best
        return self._stopping.best_epoch

    def learned(self, ended: Ended) -> bool:
        """Whether what is kept of a run that diverged is better than its beginning, by what early stopping goes by."""
        validation = self._plan.validation
        if self._stopping is None or self._stopping.best is None or validation is None or ended.first is None:
            return ended.divergence is not None and ended.divergence.kept is not None
        first = ParameterVector(self._plan.model.network, ended.first)
        return self._stopping.is_better_than(validation.figures(first))

    def history(self, ended: Ended, best_epoch: int | None) -> History:
        """All epochs that were finished."""
        state = self._plan.state
        steps = state.steps_per_epoch * np.arange(1, state.epoch + 1)
        noted = self._figures[: state.epoch]
        names = () if self._plan.validation is None else self._plan.validation.metrics
        return History(
            steps=steps,
            seconds=ended.seconds(steps),
            lrs=self._plan.rates.at(steps - 1),
            costs=np.array(state.costs, np.float64),
            validation_costs=np.array([figures[COST] for figures in noted]) if names else None,
            metrics={name: np.array([figures[name] for figures in noted]) for name in names},
            gradient_norms=np.array(state.gradient_norms, np.float64).reshape(-1, state.parameters.network.depth)
            if state.note_norms
            else None,
            best_epoch=best_epoch,
        )

    def _epoch(self, seconds: float) -> Epoch:
        """The record of the epoch that has just ended."""
        state, figures = self._plan.state, dict(self._figures[-1]) if self._figures else {}
        return Epoch(
            state.epoch,
            state.step,
            seconds,
            float(self._plan.rates.at(np.array([state.step - 1]))[0]),
            state.cost,
            figures.pop(COST, None),
            figures,
            tuple(state.gradient_norms[-1].tolist()) if state.note_norms else (),
        )


def train(
    table: Table, settings: Settings | None = None, watch: Watcher | None = None, *, progress: bool = False
) -> Trained:
    """Train a model on a table, or a DataFrame, holding out 20 % of its rows for the test figure.

    With ``progress`` a bar shows how far it is, in a terminal and in a notebook; ``watch`` is told that about every
    50 ms. Training that diverges is stopped with a DivergenceWarning, and the parameters of the best epoch are kept, by
    its training cost or by what early stopping goes by. Raises DataError, InputError, and DivergenceError where they
    are no better than the first. ::

        trained = chainrule.train(chainrule.read_table("houses.csv"), chainrule.Settings(target=("price",)))
        print(trained.test_score, trained.history)
        chainrule.save_model(trained.model, "houses.safetensors")
    """
    planned = plan(table, Settings() if settings is None else settings)
    warn_of_shortfall()
    if progress:
        require(watch is None, "progress", progress, "something that goes with a watcher; leave one out")
    with planned.progress_bar() if progress else nullcontext(watch) as watching:
        trained = planned.train(watching)
    if trained.divergence is not None:
        warnings.warn(str(trained.divergence), DivergenceWarning, stacklevel=2)
    return trained


def _network(settings: Settings, n_0: int, target: Target) -> Network:
    cost = settings.cost
    if cost is None:
        few = target.classes is not None and len(target.classes) == 2
        cost = "squared-error" if target.classes is None else "binary-cross-entropy" if few else "cross-entropy"
    if target.classes is None and cost in ("cross-entropy", "binary-cross-entropy"):
        raise InputError(
            f"cost: {cost} is for classes, and the target {listed(target.columns)} is numbers; use squared-error, "
            f"huber or poisson, or --task classes"
        )
    if target.classes is None:
        n_L, other = len(target.columns), "identity"
    else:
        one = len(target.classes) == 2 and cost != "cross-entropy"
        n_L, other = 1 if one else len(target.classes), "sigmoid"
    activation = layer_activations(settings.activation, len(settings.hidden), OUTPUT_OF_COST.get(cost, other))
    return Network((n_0, *settings.hidden, n_L), activation, cost, settings.l1, settings.l2)


def layer_activations(given: Sequence[str], n_hidden: int, output: str) -> list[str]:
    """One name a layer from one for all hidden layers, one for each, or one more for the output; InputError else."""
    if len(given) == 1:
        return [given[0]] * n_hidden + [output]
    if len(given) == n_hidden:
        return [*given, output]
    if len(given) == n_hidden + 1:
        return list(given)
    raise InputError(
        f"activation: {len(given)} names for {n_hidden} hidden layers; give one for all, one for each, or one more for "
        f"the output layer"
    )
