"""Examples held out of training to watch it by, and early stopping, which goes by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nan

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import penalty
from chainrule.calculus.network import Network, ParameterVector
from chainrule.engines import engine
from chainrule.errors import InputError
from chainrule.model.encoding import Target
from chainrule.training.metrics import COST, METRICS, Outputs


def penalised_cost(parameters: ParameterVector, X: Array, Y: Array, weights: Array | None) -> float:
    """C over the rows of X and Y: the mean that their weights say, with the penalties."""
    return data_cost(parameters, X, Y, weights) + penalty_of(parameters)


def data_cost(parameters: ParameterVector, X: Array, Y: Array, weights: Array | None) -> float:
    """The mean of C_i over the rows of X and Y, by their weights (n,) where there are some; 0 where none counts."""
    if weights is None:
        return engine().data_cost(parameters, X, Y)
    C = 0.0
    for s in np.unique(weights[weights > 0]):  # a class has one weight, so these are few
        rows = np.flatnonzero(weights == s)
        C += float(s) * len(rows) * engine().data_cost(parameters, X[rows], Y[rows])
    return C / (float(weights.sum(dtype=np.float64)) or 1.0)


def penalty_of(parameters: ParameterVector) -> float:
    """l1·Σ|w| + l2·Σw² of all weights."""
    network, w = parameters.network, parameters.w
    return sum(penalty(w[l].astype(np.float64), network.l1, network.l2) for l in network.layers)


@dataclass(frozen=True)
class Validation:
    """Examples to watch training by, as the training examples are, and the names of the figures over them."""

    X: Array
    Y: Array
    weights: Array | None
    target: Target
    metrics: tuple[str, ...]

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.X)

    def figures(self, parameters: ParameterVector) -> dict[str, float]:
        """The cost, with the penalties, under "cost", and each metric under its name."""
        a = engine().predict(parameters, self.X)
        outputs = Outputs(a, self.Y, self.target, parameters.network.activation[-1])
        cost = penalised_cost(parameters, self.X, self.Y, self.weights)
        finite = bool(np.isfinite(a).all())
        return {COST: cost} | {name: float(METRICS[name].value(outputs)) if finite else nan for name in self.metrics}


def shown_metrics(chosen: str | None, target: Target, network: Network) -> tuple[str, ...]:
    """The metrics to note: accuracy, or R² of numbers, and the chosen one; InputError where it goes with neither."""
    of = "numbers" if target.classes is None else "classes"
    usual = "r2" if target.classes is None else "accuracy"
    if chosen is None or chosen == COST:
        return (usual,)
    if METRICS[chosen].of != of:
        some = [name for name, metric in METRICS.items() if metric.of == of]
        raise InputError(f"metric: {chosen} is for {METRICS[chosen].of}, the target is {of}: {', '.join(some)} or cost")
    if chosen == "log-loss" and network.activation[-1] not in ("softmax", "sigmoid"):
        raise InputError(
            f"metric: log-loss needs probabilities, which {network.activation[-1]} outputs are not; use accuracy"
        )
    return tuple(dict.fromkeys((usual, chosen)))


class EarlyStopping:
    """Remembers the parameters of the best epoch, and when ``patience`` epochs in a row were no better."""

    def __init__(self, patience: int, figure: str) -> None:
        self._patience = patience
        self._figure = figure
        self._least = inf
        self.best_epoch: int | None = None
        self.best: Array | None = None
        self._stale = 0

    def after(self, epoch: int, figures: Mapping[str, float], vector: Array) -> bool:
        """Whether training is over after this epoch, counted from 1."""
        figure = as_loss(self._figure, figures)
        if figure < self._least:
            self._least, self.best_epoch, self.best, self._stale = figure, epoch, vector.copy(), 0
        else:
            self._stale += 1
        return self._stale >= self._patience

    def is_better_than(self, figures: Mapping[str, float]) -> bool:
        """Whether the best epoch's figure is."""
        return self.best is not None and not self._least >= as_loss(self._figure, figures)

    def forget_after(self, epoch: int) -> None:
        """Forget a best epoch that is later than this one: its parameters turned out to be no good."""
        if self.best_epoch is not None and self.best_epoch > epoch:
            self.best_epoch = self.best = None


def as_loss(name: str, figures: Mapping[str, float]) -> float:
    """The figure, or what is left to do, so that less is better."""
    return -figures[name] if name in METRICS and METRICS[name].more_is_better else figures[name]
