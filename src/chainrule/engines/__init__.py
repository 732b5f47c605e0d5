"""Who does the arithmetic. Training and prediction ask :func:`engine` and never name an engine themselves."""

import os
import warnings
from functools import cache
from importlib import import_module
from types import ModuleType

from chainrule.checks import known
from chainrule.errors import InputError

VARIABLE = "CHAINRULE_ENGINE"
NAMES = ("native", "reference")

_REMEDY = (
    "install a C++ compiler and the headers of Python (Debian: g++ and python3-dev), then chainrule once more with "
    "pip's options --force-reinstall --no-cache-dir"
)


class SlowEngineWarning(UserWarning):
    """The reference engine trains because the compiled one is missing."""


def engine(name: str | None = None) -> ModuleType:
    """The engine in use, or the one of that name: a module with ``NAME``, ``predict(parameters, X)``,
    ``data_cost(parameters, X, Y)``, ``gradient(parameters, X, Y, weights=None)`` and ``run(state, n_steps)``.

    It is the compiled one, ``native``, where that was built, and otherwise ``reference``. The environment variable
    CHAINRULE_ENGINE names one of the two; InputError for another name, or where native is named and was not built.
    """
    wanted = _wanted() if name is None else known("engine", name, NAMES)
    missing = None if wanted == "reference" else _missing()
    if wanted == "native" and missing:
        what, otherwise = (VARIABLE, f"unset {VARIABLE}") if name is None else ("engine", "choose the reference engine")
        raise InputError(f"{what}: the native engine is missing, for {missing}; {_REMEDY}, or {otherwise}")
    if wanted == "reference" or missing:
        from chainrule.engines import reference

        return reference
    return import_module("chainrule.engines.native")


def shortfall() -> str | None:
    """What a person who trains should know: that the compiled engine is missing and nobody has asked for that."""
    missing = None if _wanted() else _missing()
    if missing is None:
        return None
    return (
        f"the compiled engine is missing, for {missing}; the reference engine is used, which is slower. To change "
        f"that, {_REMEDY}; to keep it, set {VARIABLE}=reference"
    )


@cache
def warn_of_shortfall() -> None:
    """Give a SlowEngineWarning to the caller's caller if there is a shortfall; once in a process."""
    message = shortfall()
    if message is not None:
        warnings.warn(message, SlowEngineWarning, stacklevel=3)


def _wanted() -> str | None:
    name = os.environ.get(VARIABLE)
    return known(VARIABLE, name, NAMES) if name else None


def _missing() -> str | None:
    """Why the compiled engine cannot be used, or None if it can."""
    try:
        import_module("chainrule.engines._native")
    except ModuleNotFoundError:
        return "it was not compiled when chainrule was installed"
    except ImportError as error:
        return f"it cannot be loaded ({error})"
    return None
