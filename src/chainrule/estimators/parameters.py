"""Which constructor arguments can be. What is wrong is told in scikit-learn's words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.checks import did_you_mean, shown
from chainrule.errors import InputError
from chainrule.training.schedule import Schedule


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


def _real(left: str, low: float, high: float, right: str = ")") -> Rule:
    """A number from ``low`` to ``high``, which are among them where the bracket is "[" and "]"."""
    return Rule(
        f"a float in the range {left}{low:.1f}, {high:.1f}{right}",
        lambda value: (
            _number(Real, value)
            and (low < value < high or (value == low and left == "[") or (value == high and right == "]"))
        ),
    )


def _several(rule: Rule) -> Rule:
    """A sequence of what each fits the rule."""
    return Rule(
        f"a sequence each entry of which is {rule.expected}",
        lambda value: (
            isinstance(value, Sequence | np.ndarray)
            and not isinstance(value, str)
            and all(rule.fits(entry) for entry in cast("Iterable[Any]", value))
        ),
    )


_NONE = Rule("None", lambda value: value is None)
_ACTIVATION = among("logistic", *(name for name, activation in ACTIVATIONS.items() if activation.elementwise))
_PROBABILITY = _real("[", 0, 1)
_BOOLEAN = Rule("an instance of 'bool' or an instance of 'numpy.bool'", lambda value: isinstance(value, bool | np.bool))

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "hidden_layer_sizes": _whole()
        | Rule("an array-like", lambda value: isinstance(value, Iterable) and not isinstance(value, str | bytes)),
        "activation": _ACTIVATION | _several(_ACTIVATION),
        "solver": among("lbfgs", "sgd", "adam", "adamw", "rmsprop"),
        "alpha": _real("[", 0, inf),
        "batch_size": among("auto") | _whole(),
        "learning_rate": among("constant", "invscaling", "adaptive", "step", "cosine", "one-cycle", "plateau")
        | Rule("an instance of 'chainrule.Schedule'", lambda value: isinstance(value, Schedule)),
        "learning_rate_init": _real("(", 0, inf),
        "power_t": _real("[", 0, inf),
        "max_iter": _whole(),
        "shuffle": _BOOLEAN,
        "tol": _real("[", 0, inf),
        "verbose": _whole(0) | _BOOLEAN,
        "warm_start": _BOOLEAN,
        "momentum": _real("[", 0, 1, "]"),
        "nesterovs_momentum": _BOOLEAN,
        "early_stopping": _BOOLEAN,
        "validation_fraction": _real("[", 0, 1),
        "beta_1": _real("[", 0, 1),
        "beta_2": _real("[", 0, 1),
        "epsilon": _real("(", 0, inf),
        "n_iter_no_change": _whole() | Rule("a float among {inf}", lambda value: value == inf),
        "max_fun": _whole(),
        "class_weight": among("balanced")
        | Rule("an instance of 'dict'", lambda value: isinstance(value, dict))
        | _NONE,
        "weight_decay": _real("[", 0, inf),
        "rho": _real("[", 0, 1),
        "warm_up": _real("[", 0, inf),
        "dropout": _PROBABILITY | _several(_PROBABILITY),
        "clip_norm": _real("(", 0, inf) | _NONE,
        "gradient_norms": _BOOLEAN,
        "callbacks": _several(Rule("a callable", callable)) | _NONE,
        "random_state": Rule(
            "an int in the range [0, 4294967295], an instance of 'numpy.random.mtrand.RandomState'",
            lambda value: (_number(Integral, value) and 0 <= value < 2**32) or isinstance(value, np.random.RandomState),
        )
        | _NONE,
    }
)
"""Of each argument but ``loss``."""

_BY_BATCHES = ("dropout", "clip_norm", "warm_up", "gradient_norms")
"""Arguments that mean something where training goes by batches."""

_OF_A_SOLVER = MappingProxyType({"weight_decay": ("adamw", 0.01), "rho": ("rmsprop", 0.9)})
"""Arguments beyond scikit-learn's that one solver uses, each with its default."""


def check_parameters(estimator: Any, losses: Iterable[str]) -> None:
    """Raise InputError for the first constructor argument that cannot be."""
    for name, rule in {**RULES, "loss": among(*losses)}.items():
        value = getattr(estimator, name, None)
        if not rule.fits(value):
            raise InputError(
                f"The {name!r} parameter of {type(estimator).__name__} must be {rule.expected}. Got {shown(value)} "
                f"instead.{did_you_mean(value, rule.names)}"
            )
    if estimator.solver == "lbfgs":
        for name in _BY_BATCHES:
            if np.any(getattr(estimator, name)):
                raise InputError(_useless(name))
        if schedule_of(estimator.learning_rate, 0) is not None:
            raise InputError(_useless("learning_rate"))
    for name, (solver, default) in _OF_A_SOLVER.items():
        if estimator.solver != solver and getattr(estimator, name) != default:
            raise InputError(f"{name}: it goes with solver={solver!r}, not {estimator.solver!r}; leave it out")


def _useless(name: str) -> str:
    return (
        f"{name}: solver='lbfgs' takes all examples at once and has no use for it; use another solver, or leave it out"
    )


def hidden_sizes(given: Any) -> tuple[int, ...]:
    """The sizes of the hidden layers from ``hidden_layer_sizes``, a number or several. Raises InputError."""
    sizes: list[Any] = list(cast("Iterable[Any]", given)) if isinstance(given, Iterable) else [given]
    for n in sizes:
        if not (_number(Integral, n) and n > 0):
            raise InputError(f"hidden_layer_sizes must be > 0, got {shown(sizes)}.")
    return tuple(int(n) for n in sizes)


def dropout_of(given: float | Sequence[float], n_hidden: int) -> tuple[float, ...]:
    """The probability for each layer from the inputs on, from one for all hidden layers, one for each, or one more, the
    first, for the inputs; () where nothing is dropped. Raises InputError.
    """
    if not isinstance(given, Sequence | np.ndarray):
        if given > 0 and not n_hidden:
            raise InputError(f"dropout: there is no hidden layer; ({given:g},) drops inputs")
        given = [given] * n_hidden
    each = list(given)
    if len(each) not in (n_hidden, n_hidden + 1):
        raise InputError(
            f"dropout: {len(each)} probabilities for {n_hidden} hidden layers; give one for all, one for each, or one "
            f"more, the first, for the inputs"
        )
    each = [0.0] * (n_hidden + 1 - len(each)) + [float(p) for p in each]
    return tuple(each) if any(each) else ()


def schedule_of(learning_rate: str | Schedule, warm_up: float) -> Schedule | None:
    """How the learning rate changes by steps; None where it does not, or by scikit-learn's rules. Raises InputError."""
    if isinstance(learning_rate, Schedule) or learning_rate in ("invscaling", "adaptive"):
        if warm_up:
            where = "the Schedule has its own" if isinstance(learning_rate, Schedule) else f"{learning_rate!r} has none"
            raise InputError(f"warm_up: it goes with the other learning rates; {where}")
        return learning_rate if isinstance(learning_rate, Schedule) and not learning_rate.is_constant else None
    schedule = Schedule(learning_rate, warm_up=warm_up)
    return None if schedule.is_constant else schedule
