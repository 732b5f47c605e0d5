"""How to train: everything that is chosen before the data is seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import cast

from chainrule.calculus.cost import COSTS
from chainrule.checks import known, number, require, sequence, texts, whole_number
from chainrule.data.table import Table, as_table, is_frame
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.random import check_seed
from chainrule.training.history import Callback
from chainrule.training.metrics import COST, METRICS
from chainrule.training.schedule import Schedule

TASKS = ("auto", "classes", "numbers")

BALANCED = "balanced"
VALIDATION_SHARE = 0.1
"""The share of the training examples that early stopping holds out where nobody says."""


@dataclass(frozen=True)
class Settings:
    """How to train. Raises InputError.

    ``hidden`` are the hidden layers' sizes. ``activation`` is one name for all hidden layers, or one a hidden layer, or
    one a layer with the output's. ``cost`` None means cross-entropy for classes (one sigmoid output and
    binary-cross-entropy for two), squared-error for numbers. ``target`` names the target columns where the data does
    not; ``task`` decides whether they are "classes" or "numbers". ``dropped`` columns are left out.

    ``schedule`` changes the learning rate from step to step, ``clip_norm`` shortens a longer ∇C to that. ``dropout`` is
    the probability with which a neuron is left out of a step: one for all hidden layers, one for each, or one more, the
    first, for the inputs. ``class_weight`` is how much an example of each class counts, by the class's name, 1 where it
    has none; "balanced" makes each class count the same in all.

    ``validation`` is the share of the training examples that are held out to watch, or a table of others. ``patience``
    ends training after so many epochs in a row that are no better, and keeps the parameters of the best one; without a
    ``validation`` a tenth is held out then. ``metric`` is what is better: "cost" (also where it is None), or a name of
    :data:`chainrule.training.metrics.METRICS`. Each of ``callbacks`` is called with the :class:`Epoch` after it; where
    one returns True, training ends. With ``gradient_norms`` the history has those of each layer.

    An optimizer or a schedule may be given by its name, and one size, one name of an activation or of a column, or one
    number of ``dropout``, without a tuple around it.
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
    schedule: Schedule = field(default_factory=Schedule)
    clip_norm: float | None = None
    dropout: tuple[float, ...] = ()
    class_weight: str | Mapping[str, float] | None = None
    validation: float | Table | None = None
    patience: int | None = None
    metric: str | None = None
    callbacks: tuple[Callback, ...] = ()
    gradient_norms: bool = False

    def __post_init__(self) -> None:
        self._widen()
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
        self._check_steps()
        self._check_validation()

    def _widen(self) -> None:
        """Make a name of an optimizer or a schedule what it names, and one name or number a tuple of it."""
        for what, named in (("optimizer", Optimizer), ("schedule", Schedule)):
            if isinstance(value := getattr(self, what), str):
                object.__setattr__(self, what, named(value))
        if is_frame(self.validation):
            object.__setattr__(self, "validation", as_table(self.validation, "validation"))
        for what, kind in (
            ("hidden", Integral), ("activation", str), ("target", str), ("dropped", str), ("dropout", Real),
        ):  # fmt: skip
            if isinstance(value := getattr(self, what), kind):
                object.__setattr__(self, what, (value,))

    def _check_steps(self) -> None:
        require(isinstance(self.schedule, Schedule), "schedule", self.schedule, "a Schedule")
        if self.clip_norm is not None:
            number("clip norm", self.clip_norm, "the most that ∇C may be long, a number above 0", lambda x: x > 0)
        for p in sequence("dropout", self.dropout, "a list of probabilities such as (0.2,)"):
            number("dropout", p, "a probability of at least 0 and below 1", lambda p: 0 <= p < 1)
        if isinstance(self.class_weight, Mapping):
            for name, weight in self.class_weight.items():
                require(isinstance(name, str), "class weight", name, "the name of a class, a text")
                number(f"class weight of {name}", weight, "a number of 0 or more", lambda x: x >= 0)
        elif self.class_weight is not None:
            expected = '"balanced", or a weight for each class by its name'
            require(self.class_weight == BALANCED, "class weight", self.class_weight, expected)

    def _check_validation(self) -> None:
        given = self.validation
        if given is not None and not isinstance(given, Table):
            number("validation", given, "a share of the examples, above 0 and below 1, or a Table", lambda x: 0 < x < 1)
        if self.patience is not None:
            whole_number("patience", self.patience, "a whole number of epochs, at least 1", lambda n: n >= 1)
        if self.metric is not None:
            known("metric", self.metric, (COST, *METRICS))
            held_out = self.validation is not None or self.patience is not None
            require(held_out, "metric", self.metric, "measured without validation examples; give a validation, too")
        for callback in cast("tuple[object, ...]", sequence("callbacks", self.callbacks, "a list of functions")):
            require(callable(callback), "callbacks", callback, "a function that takes an Epoch")
        require(isinstance(self.gradient_norms, bool), "gradient norms", self.gradient_norms, "True or False")

    @property
    def held_out(self) -> float:
        """The share of the training examples that are held out to watch."""
        if self.validation is None:
            return 0.0 if self.patience is None else VALIDATION_SHARE
        return 0.0 if isinstance(self.validation, Table) else self.validation
