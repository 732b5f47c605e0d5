"""Each optimizer's step, as a function from the gradient g to a change of the parameters p, in place.

Momentum is that of Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning, ICML 2013, with
the learning rate outside the velocity; Nesterov the same in the variables of Bengio, Boulanger-Lewandowski, Pascanu,
arXiv:1212.0901, in which p is the point at which g was taken. Adam is algorithm 1 of Kingma, Ba, arXiv:1412.6980; with
``epsilon_hat`` it is the more efficient form that follows it there, with ε̂ in place of ε.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import known, number, require


@dataclass(frozen=True)
class Optimizer:
    """Which step, and its constants. ``lr`` None means the method's customary rate.

    Raises InputError for an unknown name or a constant out of range.
    """

    name: str = "adam"
    lr: float | None = None
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False

    def __post_init__(self) -> None:
        known("optimizer", self.name, METHODS)
        if self.lr is None:
            object.__setattr__(self, "lr", METHODS[self.name].customary_lr)
        number("lr", self.lr, "a learning rate, a number above 0", lambda x: x > 0)
        for what in ("momentum", "beta1", "beta2"):
            number(what, getattr(self, what), "a number of at least 0 and below 1", lambda x: 0 <= x < 1)
        number("epsilon", self.epsilon, "a number above 0", lambda x: x > 0)
        require(isinstance(self.epsilon_hat, bool), "epsilon_hat", self.epsilon_hat, "True or False")

    @property
    def rate(self) -> float:
        """The learning rate, never None."""
        assert self.lr is not None
        return self.lr

    @property
    def n_moments(self) -> int:
        """How many vectors as long as the parameters the method carries from step to step."""
        return METHODS[self.name].n_moments

    def step(self, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
        """One update of p and the moments in place; t counts from 1."""
        METHODS[self.name].step(self, p, g, moments, t)


def sgd(o: Optimizer, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """p ← p − lr·g."""
    p -= p.dtype.type(o.rate) * g


def momentum(o: Optimizer, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """v ← μv + g;  p ← p − lr·v."""
    (v,) = moments
    v *= p.dtype.type(o.momentum)
    v += g
    p -= p.dtype.type(o.rate) * v


def nesterov(o: Optimizer, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """v ← μv + g;  p ← p − lr·(g + μv)."""
    (v,) = moments
    μ = p.dtype.type(o.momentum)
    v *= μ
    v += g
    p -= p.dtype.type(o.rate) * (g + μ * v)


def adam(o: Optimizer, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  p ← p − lr·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    With ε̂ the last is p ← p − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε̂).
    """
    m, v = moments
    scalar = p.dtype.type
    m += scalar(1 - o.beta1) * (g - m)
    v += scalar(1 - o.beta2) * (g * g - v)
    v_scale = 1 / (1 - o.beta2**t)
    m_scale = o.rate / (1 - o.beta1**t)
    if o.epsilon_hat:
        m_scale, v_scale = m_scale / math.sqrt(v_scale), 1.0
    p -= scalar(m_scale) * m / (np.sqrt(scalar(v_scale) * v) + scalar(o.epsilon))


Step = Callable[[Optimizer, Array, Array, tuple[Array, ...], int], None]


@dataclass(frozen=True)
class Method:
    """A step with how many moment vectors it needs and the learning rate it is customarily used with."""

    step: Step
    n_moments: int
    customary_lr: float


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "sgd": Method(sgd, 0, 0.1),
        "momentum": Method(momentum, 1, 0.01),
        "nesterov": Method(nesterov, 1, 0.01),
        "adam": Method(adam, 2, 0.001),
    }
)
