"""For tests of gradients, under pytest or anything else: assertions whose message is the diagnosis.

``assert_gradient`` takes what :func:`chainrule.check` takes and ``assert_function_gradient`` what
:func:`chainrule.check_function` takes, and both raise the same errors for what is no gradient. They return the verdict
on a right one, and raise AssertionError for any other: what cannot be decided is not right, either.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from chainrule.checking.check import check
from chainrule.checking.function import check_function
from chainrule.checking.function_verdict import FunctionVerdict
from chainrule.checking.verdict import Verdict

_P = ParamSpec("_P")
_V = TypeVar("_V", Verdict, FunctionVerdict)


def _asserted(judge: Callable[_P, _V]) -> Callable[_P, _V]:
    """The same call, which raises where the verdict is not that all is right."""

    @wraps(judge)
    def assertion(*arguments: _P.args, **options: _P.kwargs) -> _V:
        __tracebackhide__ = True  # pytest shows the caller's line
        verdict = judge(*arguments, **options)
        if not verdict:
            raise AssertionError(verdict.text())
        return verdict

    return assertion


assert_gradient = _asserted(check)
assert_function_gradient = _asserted(check_function)
