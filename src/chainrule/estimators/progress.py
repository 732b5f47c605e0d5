"""When training by batches is over: scikit-learn's rules, by the training loss or by a validation score."""

from dataclasses import dataclass, field
from math import inf

from chainrule.calculus.arrays import Array


@dataclass
class Progress:
    """What the epochs so far have come to; fits that go on from one another continue it.

    ``losses`` has one entry for each epoch. With validation, ``scores`` does too, and ``best`` is the parameter vector
    that had ``best_score``; without, ``scores``, ``best_score`` and ``best`` are None. ``stale`` counts the last epochs
    that improved nothing by ``tol``; ``examples_seen`` all examples of all epochs.
    """

    losses: list[float] = field(default_factory=list[float])
    best_loss: float | None = inf
    scores: list[float] | None = None
    best_score: float | None = None
    best: Array | None = None
    stale: int = 0
    examples_seen: int = 0

    @classmethod
    def validated(cls, start: Array) -> "Progress":
        """At the start of a training that a validation score decides about, from these parameters."""
        return cls(best_loss=None, scores=[], best_score=-inf, best=start.copy())

    def copy(self) -> "Progress":
        """A copy that shares nothing that is changed."""
        scores = None if self.scores is None else list(self.scores)
        return Progress(
            list(self.losses), self.best_loss, scores, self.best_score, self.best, self.stale, self.examples_seen
        )

    def epoch(self, loss: float, n: int) -> None:
        """Note an epoch over n examples."""
        self.losses.append(loss)
        self.examples_seen += n

    def by_loss(self, tol: float) -> None:
        """Whether the last loss is better than the best by more than tol."""
        assert self.best_loss is not None
        self.stale = self.stale + 1 if self.losses[-1] > self.best_loss - tol else 0
        self.best_loss = min(self.best_loss, self.losses[-1])

    def by_score(self, score: float, vector: Array, tol: float) -> None:
        """Whether this score, which may be NaN, is better than the best by at least tol; keep the best parameters."""
        assert self.scores is not None
        assert self.best_score is not None
        self.scores.append(score)
        self.stale = self.stale + 1 if score < self.best_score + tol else 0
        if score > self.best_score:
            self.best_score, self.best = score, vector.copy()
