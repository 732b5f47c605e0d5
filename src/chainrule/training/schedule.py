"""How the learning rate changes from step to step.

Each name's formula, with t the steps since the warm-up, T how many there are after it, and lr the optimizer's own rate:

- constant: lr.
- step: lr·factor^⌊epoch/every⌋.
- cosine: lr·(m + (1 − m)·½(1 + cos πt/T)), m = ``least``; one half period of Loshchilov, Hutter, arXiv:1608.03983.
- one-cycle: from lr/10 up to lr in a straight line over the first ``rise`` of the steps, then down to ``least``·lr by
  half a cosine. The cycle is that of Smith, Topin, arXiv:1708.07120; the cosine in place of a second line and a
  further descent is that of Howard, Gugger, Fastai, Information 11 (2020) 108.
- plateau: lr·max(factorᵏ, m) after k times that ``patience`` epochs in a row brought no new best figure.
- inverse: lr/(1 + epoch)^power, the epoch with its fraction; Robbins, Monro (1951) ask for a power in (½, 1].

In the warm-up of w steps the rate is lr·(t + 1)/w, as Goyal et al., arXiv:1706.02677, rise to it.
"""

from dataclasses import dataclass, fields
from math import inf

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import known, number, require, whole_number
from chainrule.errors import InputError

NAMES = ("constant", "step", "cosine", "one-cycle", "plateau", "inverse")

START = 0.1
"""Where a cycle starts, as a share of its highest rate."""


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes: a name, and constants of which each name reads its own.

    ``warm_up`` is how many epochs, or what part of one, the rate takes to rise to the optimizer's own; a cycle has its
    own rise. ``factor`` and ``every`` (epochs) are those of "step"; ``factor`` and ``patience`` (epochs) of "plateau";
    ``least``, a share of the optimizer's rate, is where "cosine", "one-cycle" and "plateau" end; ``rise`` is the share
    of a cycle's steps in which the rate rises; ``power`` belongs to "inverse". Raises InputError.
    """

    name: str = "constant"
    warm_up: float = 0.0
    factor: float = 0.5
    every: float = 10.0
    patience: int = 5
    least: float = 0.0
    rise: float = 0.3
    power: float = 0.5

    def __post_init__(self) -> None:
        known("schedule", self.name, NAMES)
        number("warm-up", self.warm_up, "a number of epochs, 0 or more", lambda x: x >= 0)
        number("factor", self.factor, "a number above 0 and below 1", lambda x: 0 < x < 1)
        number("every", self.every, "a number of epochs above 0", lambda x: x > 0)
        whole_number("patience", self.patience, "a whole number of epochs, at least 1", lambda n: n >= 1)
        number("least", self.least, "a share of the learning rate, at least 0 and below 1", lambda x: 0 <= x < 1)
        number("rise", self.rise, "a share of the steps, above 0 and below 1", lambda x: 0 < x < 1)
        number("power", self.power, "a number above 0", lambda x: x > 0)
        if self.warm_up and self.name == "one-cycle":
            raise InputError("warm-up: a one-cycle schedule has its own; leave it out, or change `rise`")

    @property
    def label(self) -> str:
        """Its name and what of it is not as it is by itself, as in step:every=3."""
        own = Schedule(self.name)
        changed = [f.name for f in fields(self) if getattr(self, f.name) != getattr(own, f.name)]
        return ":".join([self.name, *(f"{name}={getattr(self, name):g}" for name in changed)])

    @property
    def is_constant(self) -> bool:
        """Whether every step has the optimizer's own rate."""
        return self.name == "constant" and not self.warm_up

    def rates(self, lr: float, steps_per_epoch: int, epochs: int) -> "Rates":
        """The learning rates of a run of so many epochs; InputError where its warm-up would not end within it."""
        number("lr", lr, "a learning rate, a number above 0", lambda x: x > 0)
        for what, n in (("steps per epoch", steps_per_epoch), ("epochs", epochs)):
            whole_number(what, n, "a whole number of at least 1", lambda n: n >= 1)
        short = f"less than the {epochs} epochs of the training"
        require(self.warm_up < epochs, "warm-up", self.warm_up, short)
        return Rates(self, lr, steps_per_epoch, epochs)


class Rates:
    """The learning rate of each step of a run, as ``TrainingState.rates`` takes it.

    A step's rate never changes once an epoch's end before it has been told, so a run that repeats steps repeats them
    with the same rates.
    """

    def __init__(self, schedule: Schedule, lr: float, steps_per_epoch: int, epochs: int) -> None:
        self._schedule = schedule
        self._lr = lr
        self._steps_per_epoch = steps_per_epoch
        self._warm_up = round(schedule.warm_up * steps_per_epoch)
        self._steps = max(epochs * steps_per_epoch - self._warm_up, 1)
        self._best = inf
        self._stale = 0
        self._falls: list[int] = []  # the steps from which on a plateau's rate is smaller

    def __call__(self, first: int, n: int) -> Array:
        """The rates (n,) of the n steps from ``first`` on; steps count from 0."""
        return self.at(np.arange(first, first + n))

    def go_back(self, step: int) -> None:
        """Forget what was told of epochs after this step: the steps after it will be other ones."""
        self._falls = [fall for fall in self._falls if fall <= step]

    def at(self, steps: Array) -> Array:
        """The rates of these steps, in float64 and above 0; beyond the run's last step its rate stays."""
        shares = self._shares(np.asarray(steps, np.float64))
        if self._warm_up:
            shares = np.where(steps < self._warm_up, (steps + 1) / self._warm_up, shares)
        return np.maximum(self._lr * shares, np.finfo(np.float64).tiny)

    def _shares(self, steps: Array) -> Array:
        s, epoch = self._schedule, steps / self._steps_per_epoch
        t = np.clip(steps - self._warm_up, 0, self._steps - 1)
        if s.name == "step":
            return s.factor ** np.floor(epoch / s.every)
        if s.name == "cosine":
            return s.least + (1 - s.least) * _half_cosine(t / self._steps)
        if s.name == "one-cycle":
            top = s.rise * self._steps
            down = s.least + (1 - s.least) * _half_cosine((t - top) / (self._steps - top))
            return np.where(t < top, START + (1 - START) * t / top, down)
        if s.name == "plateau":
            return np.maximum(s.factor ** np.searchsorted(self._falls, steps, side="right"), s.least)
        if s.name == "inverse":
            return (1 + epoch) ** -s.power
        return np.ones(len(steps))

    def after_epoch(self, step: int, figure: float) -> None:
        """An epoch has ended before this step with a figure of which less is better; a plateau's rate may fall now."""
        if figure < self._best:
            self._best, self._stale = figure, 0
            return
        self._stale += 1
        if self._stale >= self._schedule.patience:
            self._falls.append(step)
            self._stale = 0


def _half_cosine(share: Array) -> Array:
    """From 1 down to 0 as the share goes from 0 to 1."""
    return (1 + np.cos(np.pi * share)) / 2
