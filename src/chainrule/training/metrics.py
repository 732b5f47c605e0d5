"""Figures of a model over examples with known targets, those that validation and early stopping go by.

They are scikit-learn's, under the names that it gives them, for examples of equal weight.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.model.encoding import Target


@dataclass(frozen=True)
class Outputs:
    """What a network with this output activation gave, a⁽ᴸ⁾ (n, n_L), the targets Y (n, n_L), and what both mean."""

    a: Array
    Y: Array
    target: Target
    activation: str

    @property
    def classes(self) -> tuple[Array, Array]:
        """The class of each example that the outputs say, and the right one, (n,) both."""
        return self.target.class_indices(self.a), self.target.class_indices(self.Y)

    @property
    def errors(self) -> Array:
        """Prediction less y in the targets' own units, (n, n_L)."""
        return self.target.scale * (self.a - self.Y)


def accuracy(o: Outputs) -> float:
    """The share of right classes."""
    return o.target.score(o.a, o.Y)


def balanced_accuracy(o: Outputs) -> float:
    """The share of right ones among the examples of each class, averaged over the classes that there are."""
    predicted, right = o.classes
    return float(np.mean([(predicted[right == c] == c).mean() for c in np.unique(right)]))


def macro_f1(o: Outputs) -> float:
    """2·hits/(2·hits + misses + false alarms) of each class that there is or that is predicted, averaged."""
    predicted, right = o.classes
    each: list[float] = []
    for c in np.union1d(predicted, right):
        hits = np.count_nonzero((predicted == c) & (right == c))
        each.append(2 * hits / (np.count_nonzero(predicted == c) + np.count_nonzero(right == c)))
    return sum(each) / len(each)


def log_loss(o: Outputs) -> float:
    """−ln of the probability of the right class, averaged; 0 and 1 count as 2⁻²³ or 2⁻⁵² away from them."""
    p = o.target.probabilities(o.a, o.activation)
    assert p is not None, f"{o.activation} gives no probabilities"
    eps = np.finfo(p.dtype).eps
    of_right = np.clip(np.take_along_axis(p, o.classes[1][:, None], axis=1), eps, 1 - eps)
    return -float(np.log(of_right, dtype=np.float64).mean())


def r2(o: Outputs) -> float:
    """1 − Σ(prediction − y)²/Σ(y − mean y)², averaged over the targets."""
    return o.target.score(o.a, o.Y)


def mean_absolute_error(o: Outputs) -> float:
    """|prediction − y| in the targets' own units, averaged."""
    return float(np.abs(o.errors).mean())


def root_mean_squared_error(o: Outputs) -> float:
    """The root of the mean of (prediction − y)² of each target, in its own units, averaged over the targets."""
    return float(np.sqrt(np.square(o.errors).mean(axis=0)).mean())


@dataclass(frozen=True)
class Metric:
    """A figure: of which kind of target it is, and whether more or less of it is better."""

    value: Callable[[Outputs], float]
    of: Literal["classes", "numbers"]
    more_is_better: bool = True


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "accuracy": Metric(accuracy, "classes"),
        "balanced-accuracy": Metric(balanced_accuracy, "classes"),
        "macro-f1": Metric(macro_f1, "classes"),
        "log-loss": Metric(log_loss, "classes", more_is_better=False),
        "r2": Metric(r2, "numbers"),
        "mae": Metric(mean_absolute_error, "numbers", more_is_better=False),
        "rmse": Metric(root_mean_squared_error, "numbers", more_is_better=False),
    }
)
COST = "cost"
"""The figure that needs no metric: C over the validation examples."""
