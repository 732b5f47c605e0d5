"""A training run as plain arrays: everything that decides what the next step does, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares
from chainrule.calculus.network import ParameterVector
from chainrule.checks import number, require, whole_number
from chainrule.engines.optimizer import Optimizer
from chainrule.engines.random import check_seed, dropout_key, epoch_order, kept
from chainrule.errors import InputError


@dataclass
class TrainingState:
    """What ``run(state, n_steps)`` reads and changes.

    X (n, n_0) is what enters layer 1 and Y (n, n_L) the targets, both in the parameters' dtype; ``weights`` (n,) are
    example weights or None. The optimizer's ``moments`` have the parameters' layout. ``order`` has the rows of this
    epoch, each once where nobody gives another; ``cursor`` tells how much of it has been used, ``step`` how many
    updates have been made in all. An epoch of one batch is taken in the order of the rows: there is nothing to
    shuffle. ``costs`` has one mean training cost for each finished epoch, measured batch by batch as the parameters
    moved; ``running_cost`` is the unfinished epoch's sum of batch cost × batch weight. Raises InputError for examples
    that do not fit the network.

    With ``shared_penalty`` the batch's examples share one penalty: it is divided by the batch's weight, as the costs'
    sum is. ``next_order`` draws each epoch's order in place of the seed. ``rates(step, n)`` gives the learning rates
    (n,) of n steps from one on; without it, each has the optimizer's. ``dropout`` has the probability with which each
    number of a⁽ˡ⁾ is dropped in a step, l = 0 … L − 1, drawn from the seed; () is none. A step whose ∇C is longer than
    ``clip_norm`` shortens it to that.

    With ``note_norms``, ``gradient_norms`` has (L,) numbers for each finished epoch: the root mean square over its
    steps of the length of ∂C/∂(w⁽ˡ⁾, b⁽ˡ⁾), with the penalty and before it is shortened. ``bad_step`` is the first
    step, counted from 0, whose batch had a cost that is no finite number, or None.
    """

    parameters: ParameterVector
    optimizer: Optimizer
    X: Array
    Y: Array
    batch_size: int
    seed: int
    weights: Array | None = None
    shared_penalty: bool = False
    next_order: Callable[[], Array] | None = None
    rates: Callable[[int, int], Array] | None = None
    dropout: tuple[float, ...] = ()
    clip_norm: float | None = None
    note_norms: bool = False
    moments: tuple[Array, ...] = ()
    step: int = 0
    epoch: int = 0
    cursor: int = 0
    order: Array = field(default_factory=lambda: np.empty(0, np.int64))
    running_cost: float = 0.0
    running_weight: float = 0.0
    running_squares: Array | None = None
    running_updates: int = 0
    costs: list[float] = field(default_factory=list[float])
    gradient_norms: list[Array] = field(default_factory=list[Array])
    bad_step: int | None = None

    def __post_init__(self) -> None:
        whole_number("batch size", self.batch_size, "a whole number of at least 1", lambda n: n >= 1)
        check_seed(self.seed)
        sizes, dtype = self.parameters.network.sizes, self.parameters.vector.dtype
        if self.clip_norm is not None:
            number("clip norm", self.clip_norm, "the most that ∇C may be long, a number above 0", lambda x: x > 0)
        if self.dropout:
            expected = f"a probability for each of the layers 0 to {len(sizes) - 2}"
            require(len(self.dropout) == len(sizes) - 1, "dropout", self.dropout, expected)
            for p in self.dropout:
                number("dropout", p, "a probability of at least 0 and below 1", lambda p: 0 <= p < 1)
        n = len(self.X)
        if n == 0:
            raise InputError("X: no examples to train on")
        for what, array, width in (("X", self.X, sizes[0]), ("Y", self.Y, sizes[-1])):
            if array.shape != (n, width):
                raise InputError(f"{what}: shape {array.shape}, expected ({n}, {width}) for sizes {list(sizes)}")
        # once here, so that no slice of the run has to do it
        self.X, self.Y = (np.require(array, dtype, ["C", "A"]) for array in (self.X, self.Y))
        if self.weights is not None:
            example_shares(n, self.weights)
            self.weights = np.require(self.weights, dtype, ["C", "A"])
        if not self.moments:
            self.moments = tuple(np.zeros_like(self.parameters.vector) for _ in range(self.optimizer.n_moments))
        if not self.order.size:
            self.order = self._next_order()

    def penalised(self, weight: float) -> ParameterVector:
        """The parameters with the penalty of a batch of this weight, above 0."""
        network = self.parameters.network
        if not self.shared_penalty or not (network.l1 or network.l2):
            return self.parameters
        shared = replace(network, l1=network.l1 / weight, l2=network.l2 / weight)
        return ParameterVector(shared, self.parameters.vector)

    def rates_of(self, n_steps: int) -> Array:
        """The learning rates (n_steps,) of the steps that come next."""
        if self.rates is None:
            return np.full(n_steps, self.optimizer.rate, np.float64)
        return np.asarray(self.rates(self.step, n_steps), np.float64)

    def kept(self, rows: int) -> dict[int, tuple[Array, float]]:
        """Which numbers of a batch of so many rows the next step keeps, as calculus.dropout has it."""
        key, sizes = dropout_key(self.seed), self.parameters.network.sizes
        return {l: (kept(key, p, self.step, l, rows, sizes[l]), p) for l, p in enumerate(self.dropout) if p > 0}

    @property
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has; the last one may be smaller."""
        return -(-len(self.X) // self.batch_size)

    @property
    def steps_left_in_epoch(self) -> int:
        """How many batches of this epoch are still to come."""
        return -(-(len(self.order) - self.cursor) // self.batch_size)

    @property
    def in_natural_order(self) -> bool:
        """Whether this epoch visits the rows as they lie."""
        return np.array_equal(self.order, np.arange(len(self.X)))

    @property
    def cost(self) -> float:
        """The mean training cost of the epoch so far, or of the last one where none has begun; NaN before the first."""
        if self.running_weight:
            return self.running_cost / self.running_weight
        return self.costs[-1] if self.costs else float("nan")

    def advance(self, cost: Array, weight: Array, squares: Array | None = None) -> None:
        """Note that steps were made, whose batches had these costs and weights, both (steps,).

        They lie in one epoch, unless an epoch has only one batch. A batch of weight 0 has changed nothing. ``squares``
        (steps, L) are ‖∂C/∂(w⁽ˡ⁾, b⁽ˡ⁾)‖², where they are noted.
        """
        if self.bad_step is None and not np.isfinite(cost).all():
            self.bad_step = self.step + int(np.isfinite(cost).argmin())
        if self.note_norms and squares is not None:
            self._note(squares, weight)
        self.step += len(cost)
        if self.cursor == 0 and len(self.order) <= self.batch_size:
            self.costs.extend((cost * weight / weight).tolist())
            self.epoch += len(cost)
            self.order = self._next_order()
            return
        # one after the other, so that slicing changes no bit
        self.running_cost = float(np.concatenate([[self.running_cost], cost * weight]).cumsum()[-1])
        self.running_weight = float(np.concatenate([[self.running_weight], weight]).cumsum()[-1])
        self.cursor = min(self.cursor + len(cost) * self.batch_size, len(self.order))
        if self.cursor == len(self.order):
            self.costs.append(self.running_cost / self.running_weight)
            self.running_cost = self.running_weight = 0.0
            self.epoch += 1
            self.cursor = 0
            self.order = self._next_order()

    def _note(self, squares: Array, weight: Array) -> None:
        """Add the squares to the epoch's; they become its norms where it ends."""
        if self.cursor == 0 and len(self.order) <= self.batch_size:
            self.gradient_norms.extend(np.sqrt(squares))
            return
        before = np.zeros_like(squares[:1]) if self.running_squares is None else self.running_squares
        self.running_squares = np.concatenate([before, squares]).cumsum(axis=0)[-1:]
        self.running_updates += int(np.count_nonzero(weight))
        if self.cursor + len(squares) * self.batch_size >= len(self.order):
            self.gradient_norms.append(np.sqrt(self.running_squares[0] / max(1, self.running_updates)))
            self.running_squares, self.running_updates = None, 0

    def _next_order(self) -> Array:
        if self.next_order is not None:
            return self.next_order()
        n = len(self.X)
        return np.arange(n) if self.steps_per_epoch == 1 else epoch_order(self.seed, self.epoch, n)
