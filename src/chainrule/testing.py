"""For tests of gradients, under pytest or anything else: the assertion whose message is the diagnosis."""

from collections.abc import Mapping

from chainrule.calculus.network import ParameterVector
from chainrule.checking.check import check
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
