"""What epochs come to, and when training by batches is over: scikit-learn's rules, by loss or validation score."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf, nan
from typing import cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.training.history import Epoch, History


@dataclass
class Progress:
    """What the epochs so far have come to; fits that go on from one another continue it.

    ``losses`` has one entry for each epoch, ``scores`` and ``validation_losses`` one for each that had a validation
    set, and are None without one. With early stopping ``best`` is the parameter vector that had ``best_score``, and
    ``best_loss`` is None. ``best_epoch`` is that of the best, or the one whose parameters are kept where training
    diverged. ``stale`` counts the last epochs that improved nothing by ``tol``; ``examples_seen`` all
    examples of all epochs; ``over`` says that a rule or a callback ended training.
    """

    early_stopping: bool = False
    losses: list[float] = field(default_factory=list[float])
    scores: list[float] | None = None
    validation_losses: list[float] | None = None
    records: list[Epoch] = field(default_factory=list[Epoch])
    best_loss: float | None = inf
    best_score: float | None = None
    best_epoch: int | None = None
    best: Array | None = None
    stale: int = 0
    examples_seen: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        if self.early_stopping:
            self.best_loss = None

    def copy(self) -> "Progress":
        """A copy that shares nothing that is changed."""
        scores, losses = (None if some is None else list(some) for some in (self.scores, self.validation_losses))
        return replace(
            self, losses=list(self.losses), scores=scores, validation_losses=losses, records=list(self.records)
        )

    def go_on(self) -> None:
        """Further epochs will come."""
        self.over = False
        if self.best is None:
            self.best_epoch = None

    def is_better_than(self, score: float) -> bool:
        """Whether the best score is, also than one that is NaN."""
        return self.best_score is not None and not score >= self.best_score

    def epoch_of(self, step: int) -> int | None:
        """The epoch that ended with this step, if one did."""
        return next((record.epoch for record in reversed(self.records) if record.step == step), None)

    def epoch(self, loss: float, n: int) -> None:
        """Note an epoch over n examples."""
        self.losses.append(np.float64(loss))  # as scikit-learn's, which can be rounded by .round
        self.examples_seen += n

    def by_loss(self, tol: float) -> None:
        """Whether the last loss is better than the best by more than tol."""
        assert self.best_loss is not None
        self.stale = self.stale + 1 if self.losses[-1] > self.best_loss - tol else 0
        self.best_loss = min(self.best_loss, self.losses[-1])

    def validated(self, score: float, loss: float) -> None:
        """Note the score, which may be NaN, and the loss over the validation set after the last epoch."""
        if self.scores is None or self.validation_losses is None:
            self.scores, self.validation_losses, self.best_score = [], [], -inf
        self.scores.append(score)
        self.validation_losses.append(loss)
        if not self.early_stopping:
            self.best_score = max(cast("float", self.best_score), score)  # which a NaN is not

    def record(self, step: int, seconds: float, lr: float, norms: tuple[float, ...], metric: str | None) -> Epoch:
        """Keep a record of the last epoch; ``metric`` is what its validation score is, if it had one."""
        n, loss, validation, metrics = len(self.losses), float(self.losses[-1]), None, dict[str, float]()
        if metric is not None and self.scores and self.validation_losses:
            validation, metrics = self.validation_losses[-1], {metric: self.scores[-1]}
        self.records.append(Epoch(n, step, seconds, lr, loss, validation, metrics, norms))
        return self.records[-1]

    def by_score(self, vector: Array, tol: float) -> None:
        """Whether the last score is better than the best by at least tol; keep the best parameters."""
        assert self.scores is not None
        assert self.best_score is not None
        score = self.scores[-1]
        self.stale = self.stale + 1 if score < self.best_score + tol else 0
        if score > self.best_score:
            self.best_score, self.best_epoch, self.best = score, len(self.losses), vector.copy()


def history(records: Sequence[Epoch], best_epoch: int | None = None) -> History:
    """The records of epochs as a history."""
    layers = max((len(record.gradient_norms) for record in records), default=0)
    validated = any(record.validation_cost is not None for record in records)
    metrics = sorted({name for record in records for name in record.metrics})
    return History(
        np.array([record.step for record in records], np.int64),
        np.array([record.seconds for record in records], np.float64),
        np.array([record.lr for record in records], np.float64),
        np.array([record.cost for record in records], np.float64),
        np.array([record.validation_cost for record in records], np.float64) if validated else None,
        {name: np.array([record.metrics.get(name, nan) for record in records]) for name in metrics},
        np.array([record.gradient_norms or (nan,) * layers for record in records]) if layers else None,
        best_epoch,
    )
