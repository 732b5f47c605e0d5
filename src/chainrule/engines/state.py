"""A training run as plain arrays: everything that decides what the next step does, and nothing else."""

from dataclasses import dataclass, field

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checks import whole_number
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.random import check_seed, epoch_order


@dataclass
class TrainingState:
    """What ``run(state, n_steps)`` reads and changes.

    X (n, n_0) is what enters layer 1 and Y (n, n_L) the targets, both in the parameters' dtype; ``weights`` (n,) are
    example weights or None. The optimizer's ``moments`` have the parameters' layout. ``order`` is this epoch's order,
    ``cursor`` how much of it has been used, ``step`` how many updates have been made in all. ``costs`` has one mean
    training cost for each finished epoch, measured batch by batch as the parameters moved; ``running_cost`` is the
    unfinished epoch's sum of batch cost × batch weight.
    """

    parameters: ParameterVector
    optimizer: Optimizer
    X: Array
    Y: Array
    batch_size: int
    seed: int
    weights: Array | None = None
    moments: tuple[Array, ...] = ()
    step: int = 0
    epoch: int = 0
    cursor: int = 0
    order: Array = field(default_factory=lambda: np.empty(0, np.int64))
    running_cost: float = 0.0
    running_weight: float = 0.0
    costs: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        whole_number("batch size", self.batch_size, "a whole number of at least 1", lambda n: n >= 1)
        check_seed(self.seed)
        if not self.moments:
            self.moments = tuple(np.zeros_like(self.parameters.vector) for _ in range(self.optimizer.n_moments))
        if not self.order.size:
            self.order = epoch_order(self.seed, self.epoch, len(self.X))

    @property
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has; the last one may be smaller."""
        return -(-len(self.X) // self.batch_size)

    @property
    def cost(self) -> float:
        """The mean training cost of the epoch so far, or of the last one where none has begun; NaN before the first."""
        if self.running_weight:
            return self.running_cost / self.running_weight
        return self.costs[-1] if self.costs else float("nan")
