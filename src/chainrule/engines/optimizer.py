"""Each optimizer's step, as a function from the gradient g to a change of the parameters p, in place.

Momentum is that of Sutskever et al., On the Importance of Initialization and Momentum in Deep Learning, ICML 2013, with
the learning rate outside the velocity; Nesterov the same in the variables of Bengio, Boulanger-Lewandowski, Pascanu,
arXiv:1212.0901, in which p is the point at which g was taken. Adam is algorithm 1 of Kingma, Ba, arXiv:1412.6980; with
``epsilon_hat`` it is the more efficient form that follows it there, with ε̂ in place of ε. AdamW is Adam before whose
steps weights decay, w ← (1 − lr·λ)w, and biases do not: Loshchilov, Hutter, arXiv:1711.05101, in PyTorch's form.
RMSprop is that of Tieleman, Hinton, Coursera: Neural Networks for Machine Learning, lecture 6.5, 2012.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checks import known, number, require


@dataclass(frozen=True)
class Optimizer:
    """Which step, and its constants. ``lr`` None means the method's customary rate.

    A method leaves the constants of others alone: ``momentum`` is that of "momentum" and "nesterov", ``beta1`` and
    ``beta2`` those of "adam" and "adamw", ``weight_decay`` the λ of "adamw", ``rho`` the ρ of "rmsprop". Raises
    InputError for an unknown name or a constant out of range.
    """

    name: str = "adam"
    lr: float | None = None
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False
    rho: float = 0.9
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        known("optimizer", self.name, METHODS)
        if self.lr is None:
            object.__setattr__(self, "lr", METHODS[self.name].customary_lr)
        number("lr", self.lr, "a learning rate, a number above 0", lambda x: x > 0)
        number("momentum", self.momentum, "a number from 0 to 1", lambda x: 0 <= x <= 1)
        for what in ("beta1", "beta2", "rho"):
            number(what, getattr(self, what), "a number of at least 0 and below 1", lambda x: 0 <= x < 1)
        number("epsilon", self.epsilon, "a number above 0", lambda x: x > 0)
        number("weight decay", self.weight_decay, "a number of at least 0", lambda x: x >= 0)
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

    def step(self, p: Array, g: Array, moments: tuple[Array, ...], t: int, lr: float | None = None) -> None:
        """One update of p and the moments in place; t counts from 1. ``lr`` is another rate than the optimizer's."""
        METHODS[self.name].step(self, self.rate if lr is None else lr, p, g, moments, t)

    def update(
        self, parameters: ParameterVector, g: Array, moments: tuple[Array, ...], t: int, lr: float | None = None
    ) -> None:
        """The same of a network's parameters, whose weights decay first where the method has it so."""
        if METHODS[self.name].decays:
            for w in parameters.w.values():
                w *= w.dtype.type(1 - (self.rate if lr is None else lr) * self.weight_decay)
        self.step(parameters.vector, g, moments, t, lr)


def sgd(o: Optimizer, lr: float, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """p ← p − lr·g."""
    p -= p.dtype.type(lr) * g


def momentum(o: Optimizer, lr: float, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """v ← μv + g;  p ← p − lr·v."""
    (v,) = moments
    v *= p.dtype.type(o.momentum)
    v += g
    p -= p.dtype.type(lr) * v


def nesterov(o: Optimizer, lr: float, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """v ← μv + g;  p ← p − lr·(g + μv)."""
    (v,) = moments
    μ = p.dtype.type(o.momentum)
    v *= μ
    v += g
    p -= p.dtype.type(lr) * (g + μ * v)


def adam(o: Optimizer, lr: float, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  p ← p − lr·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).

    With ε̂ the last is p ← p − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)·m/(√v + ε̂).
    """
    m, v = moments
    scalar = p.dtype.type
    m += scalar(1 - o.beta1) * (g - m)
    v += scalar(1 - o.beta2) * (g * g - v)
    v_scale = 1 / (1 - o.beta2**t)
    m_scale = lr / (1 - o.beta1**t)
    if o.epsilon_hat:
        m_scale, v_scale = m_scale / math.sqrt(v_scale), 1.0
    p -= scalar(m_scale) * m / (np.sqrt(scalar(v_scale) * v) + scalar(o.epsilon))


def rmsprop(o: Optimizer, lr: float, p: Array, g: Array, moments: tuple[Array, ...], t: int) -> None:
    """v ← ρv + (1 − ρ)g²;  p ← p − lr·g/(√v + ε)."""
    (v,) = moments
    scalar = p.dtype.type
    v += scalar(1 - o.rho) * (g * g - v)
    p -= scalar(lr) * g / (np.sqrt(v) + scalar(o.epsilon))


Step = Callable[[Optimizer, float, Array, Array, tuple[Array, ...], int], None]


@dataclass(frozen=True)
class Method:
    """A step with how many moment vectors it needs and the learning rate it is customarily used with.

    ``decays``: the weights shrink before it, by weight_decay.
    """

    step: Step
    n_moments: int
    customary_lr: float
    decays: bool = False


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "sgd": Method(sgd, 0, 0.1),
        "momentum": Method(momentum, 1, 0.01),
        "nesterov": Method(nesterov, 1, 0.01),
        "adam": Method(adam, 2, 0.001),
        "adamw": Method(adam, 2, 0.001, decays=True),
        "rmsprop": Method(rmsprop, 1, 0.001),
    }
)
