"""Which constructor arguments can be. What is wrong is told in scikit-learn's words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from chainrule.checks import did_you_mean, shown
from chainrule.errors import InputError


@dataclass(frozen=True)
class Rule:
    """What an argument must be, in words and as a test, and the names that it may be misspelt from."""

    expected: str
    fits: Callable[[Any], bool]
    names: tuple[str, ...] = ()

    def __or__(self, other: "Rule") -> "Rule":
        return Rule(
            f"{self.expected} or {other.expected}",
            lambda value: self.fits(value) or other.fits(value),
            self.names + other.names,
        )


def among(*names: str) -> Rule:
    """One of these texts."""
    listed = ", ".join(repr(name) for name in sorted(names))
    return Rule(f"a str among {{{listed}}}", lambda value: isinstance(value, str) and value in names, names)


def _number(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _whole(least: int = 1) -> Rule:
    return Rule(f"an int in the range [{least}, inf)", lambda value: _number(Integral, value) and value >= least)


def _real(left: str, low: float, high: float) -> Rule:
    """A number below ``high`` that is above ``low``, or at least ``low`` where ``left`` is "["."""
    return Rule(
        f"a float in the range {left}{low:.1f}, {high:.1f})",
        lambda value: _number(Real, value) and low <= value < high and (left == "[" or value > low),
    )


_BOOLEAN = Rule("an instance of 'bool' or an instance of 'numpy.bool'", lambda value: isinstance(value, bool | np.bool))

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "hidden_layer_sizes": _whole()
        | Rule("an array-like", lambda value: isinstance(value, Iterable) and not isinstance(value, str | bytes)),
        "activation": among("identity", "logistic", "tanh", "relu"),
        "solver": among("lbfgs", "sgd", "adam"),
        "alpha": _real("[", 0, inf),
        "batch_size": among("auto") | _whole(),
        "learning_rate": among("constant", "invscaling", "adaptive"),
        "learning_rate_init": _real("(", 0, inf),
        "power_t": _real("[", 0, inf),
        "max_iter": _whole(),
        "shuffle": _BOOLEAN,
        "tol": _real("[", 0, inf),
        "verbose": _whole(0) | _BOOLEAN,
        "warm_start": _BOOLEAN,
        "momentum": _real("[", 0, 1),
        "nesterovs_momentum": _BOOLEAN,
        "early_stopping": _BOOLEAN,
        "validation_fraction": _real("[", 0, 1),
        "beta_1": _real("[", 0, 1),
        "beta_2": _real("[", 0, 1),
        "epsilon": _real("(", 0, inf),
        "n_iter_no_change": _whole() | Rule("a float among {inf}", lambda value: value == inf),
        "max_fun": _whole(),
        "loss": among("squared_error", "poisson"),
    }
)
"""Of each argument; ``random_state`` is tested by scikit-learn where it is used."""


def check_parameters(estimator: Any) -> None:
    """Raise InputError for the first constructor argument that cannot be."""
    for name, value in estimator.get_params(deep=False).items():
        rule = RULES.get(name)
        if rule is not None and not rule.fits(value):
            raise InputError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {rule.expected}. Got {shown(value)} "
                f"instead.{did_you_mean(value, rule.names)}"
            )


def hidden_sizes(given: Any) -> tuple[int, ...]:
    """The sizes of the hidden layers from ``hidden_layer_sizes``, a number or several. Raises InputError."""
    sizes: list[Any] = list(cast("Iterable[Any]", given)) if isinstance(given, Iterable) else [given]
    for n in sizes:
        if not (_number(Integral, n) and n > 0):
            raise InputError(f"hidden_layer_sizes must be > 0, got {shown(sizes)}.")
    return tuple(int(n) for n in sizes)
