"""For tests of gradients, under pytest or anything else: assertions whose message is the diagnosis."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chainrule.calculus.network import ParameterVector
from chainrule.checking.check import check
from chainrule.checking.function import TOLERANCE, check_function
from chainrule.checking.function_verdict import FunctionVerdict
from chainrule.checking.verdict import Verdict
from chainrule.model.model import Model


def assert_gradient(
    model: Model,
    X: object,
    Y: object,
    gradients: Mapping[str, object] | ParameterVector,
    weights: object = None,
    *,
    precision: str = "auto",
    earlier: Mapping[str, object] | ParameterVector | None = None,
) -> Verdict:
    """Raise AssertionError, its message the diagnosis, unless ``gradients`` is ∇C of the model over the examples.

    The arguments are those of :func:`chainrule.check`, and so are the errors for what is no gradient of this network.
    Returns the verdict on a right one.
    """
    __tracebackhide__ = True  # pytest shows the caller's line
    verdict = check(model, X, Y, gradients, weights, precision=precision, earlier=earlier)
    if not verdict:
        raise AssertionError(verdict.text())
    return verdict


def assert_function_gradient(
    cost: Callable[[Any], Any],
    gradient: Any,
    at: Any,
    *,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    terms: Sequence[Callable[[Any], Any]] | None = None,
) -> FunctionVerdict:
    """Raise AssertionError, its message the diagnosis, unless ``gradient`` is that of ``cost`` at ``at``.

    The arguments are those of :func:`chainrule.check_function`. What cannot be decided is not right, and fails with the
    reason. Returns the verdict on a right one.
    """
    __tracebackhide__ = True
    verdict = check_function(cost, gradient, at, seed=seed, tolerance=tolerance, terms=terms)
    if not verdict:
        raise AssertionError(verdict.text())
    return verdict
