"""From a table to a trained model: what ``chainrule train`` does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import COSTS, penalty
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checks import known, listed, require, sequence, shown, texts, whole_number
from chainrule.data.table import Table
from chainrule.engines import engine, warn_of_shortfall
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.random import check_seed
from chainrule.engines.state import TrainingState
from chainrule.errors import DataError, InputError
from chainrule.model.encoding import Inputs, Target
from chainrule.model.model import Model
from chainrule.training.initialization import initial_parameters
from chainrule.training.loop import Watcher, train_epochs
from chainrule.training.split import split

TASKS = ("auto", "classes", "numbers")

LEAST_EPOCHS, LEAST_STEPS = 60, 1500
"""How long to train where nobody says: this many epochs, and more on small data until there are this many steps."""

OUTPUT_OF_COST = {"cross-entropy": "softmax", "binary-cross-entropy": "sigmoid", "poisson": "exp"}
"""The output activation that goes with a cost, where one is needed and nobody names it."""


@dataclass(frozen=True)
class Settings:
    """How to train.

    ``hidden`` are the hidden layers' sizes. ``activation`` is one name for all hidden layers, or one a hidden layer, or
    one a layer with the output's. ``cost`` None means cross-entropy for classes (one sigmoid output and
    binary-cross-entropy for two), squared-error for numbers. ``target`` names the target columns where the data does
    not; ``task`` decides whether they are "classes" or "numbers". ``dropped`` columns are left out. Raises InputError.
    """

    hidden: tuple[int, ...] = (64, 32)
    activation: tuple[str, ...] = ("relu",)
    cost: str | None = None
    optimizer: Optimizer = field(default_factory=Optimizer)
    batch_size: int = 32
    epochs: int | None = None
    l1: float = 0.0
    l2: float = 1e-3
    seed: int = 0
    target: tuple[str, ...] = ()
    task: str = "auto"
    dropped: tuple[str, ...] = ()
    standardise: bool = True

    def __post_init__(self) -> None:
        for n in sequence("hidden", self.hidden, "a list of layer sizes such as (64, 32)"):
            whole_number("hidden", n, "a layer size, a whole number of at least 1", lambda n: n >= 1)
        for what, names in (("activation", self.activation), ("target", self.target), ("dropped", self.dropped)):
            texts(what, names)
        if self.cost is not None:
            known("cost", self.cost, COSTS)
        require(isinstance(self.optimizer, Optimizer), "optimizer", self.optimizer, "an Optimizer")
        for what, n in (("epochs", 1 if self.epochs is None else self.epochs), ("batch size", self.batch_size)):
            whole_number(what, n, "a whole number of at least 1", lambda n: n >= 1)
        check_seed(self.seed)
        known("task", self.task, TASKS)
        require(isinstance(self.standardise, bool), "standardise", self.standardise, "True or False")


@dataclass(frozen=True)
class Trained:
    """A trained model with its figures.

    ``train_cost`` is C of the model over the training examples, with the penalties, of which ``train_penalty`` is the
    part. ``test_score`` is the share of right classes, or R²; None where no example could be held out.
    """

    model: Model
    epochs: int
    train_cost: float
    train_penalty: float
    test_score: float | None
    seconds: float
    interrupted: bool
    n_train: int
    n_test: int


def plan(table: Table, settings: Settings) -> "Plan":
    """Read the table and decide everything but the weights. Raises DataError or InputError."""
    require(isinstance(table, Table), "table", table, "a Table, as read_table gives it")
    require(isinstance(settings, Settings), "settings", settings, "Settings")
    table = table.without(settings.dropped)
    target_columns = settings.target or table.target
    if not target_columns:
        raise DataError(
            f"{table.source}: which column is to be predicted? Name it with --target; the columns are "
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

    inputs = Inputs.learn(table, names, train_rows, settings.standardise)
    network = _network(settings, len(inputs.names), target)
    if target.classes is None and settings.standardise and network.activation[-1] == "identity":
        target = Target.learn(table, target_columns, "numbers", train_rows, standardise=True)
    model = Model(initial_parameters(network, settings.seed), inputs, target)
    examples = model.examples_of(table)
    X, Y = examples.a0.astype(np.float32), examples.Y.astype(np.float32)
    # an input that is 0 in every row trained on teaches nothing; with weight 0 it does no harm later either
    model.parameters.w[1][:, ~X[train_rows].any(axis=0)] = 0
    if not (np.isfinite(X).all() and np.isfinite(Y).all()):
        raise DataError(f"{table.source}: it holds numbers too large to train on in float32; scale them down")
    state = TrainingState(
        model.parameters, settings.optimizer, X[train_rows], Y[train_rows], settings.batch_size, settings.seed
    )
    epochs = settings.epochs or max(LEAST_EPOCHS, -(-LEAST_STEPS // state.steps_per_epoch))
    return Plan(model, state, epochs, examples.a0[test_rows], examples.Y[test_rows])


@dataclass(frozen=True)
class Plan:
    """What a training run is made of: a model with its initial parameters, the state, epochs, held-out examples."""

    model: Model
    state: TrainingState
    epochs: int
    test_X: Array
    test_Y: Array

    def train(self, watch: Watcher | None = None) -> Trained:
        """Train. Ctrl-C ends it early and keeps what was learned. Raises DivergenceError."""
        state = self.state
        start = perf_counter()
        finished = train_epochs(state, self.epochs, watch)
        seconds = perf_counter() - start
        parameters = ParameterVector(self.model.network, state.parameters.vector)
        return Trained(
            Model(parameters, self.model.inputs, self.model.target, self._remembered()),
            epochs=state.epoch,
            train_cost=self._train_cost(),
            train_penalty=self._train_penalty(),
            test_score=self._score(),
            seconds=seconds,
            interrupted=not finished,
            n_train=len(state.X),
            n_test=len(self.test_X),
        )

    def _train_penalty(self) -> float:
        network, w = self.model.network, self.model.parameters.w
        return sum(penalty(w[l].astype(np.float64), network.l1, network.l2) for l in network.layers)

    def _train_cost(self) -> float:
        parameters = self.model.parameters.astype(np.float64)
        return engine().data_cost(parameters, self.state.X, self.state.Y) + self._train_penalty()

    def _score(self) -> float | None:
        if not len(self.test_X):
            return None
        assert self.model.target is not None
        a = engine().predict(self.model.parameters.astype(np.float64), self.test_X)
        return self.model.target.score(a, self.test_Y)

    def _remembered(self) -> dict[str, object]:
        state = self.state
        return {
            "optimizer": state.optimizer.name,
            "lr": state.optimizer.rate,
            "batch_size": state.batch_size,
            "seed": state.seed,
            "epochs": state.epoch,
            "costs": list(state.costs),
        }


def train(table: Table, settings: Settings | None = None, watch: Watcher | None = None) -> Trained:
    """Train a model on a table, holding out 20 % of its rows for the test figure.

    ``watch`` is called about every 50 ms with how far it is. Raises DataError, InputError or DivergenceError. ::

        trained = chainrule.train(chainrule.read_table("houses.csv"), chainrule.Settings(target=("price",)))
        print(trained.test_score)
        chainrule.save_model(trained.model, "houses.safetensors")
    """
    planned = plan(table, Settings() if settings is None else settings)
    warn_of_shortfall()
    return planned.train(watch)


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
