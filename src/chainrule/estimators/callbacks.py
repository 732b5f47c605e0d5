"""Who is told of each epoch: ``callbacks`` of ours, and scikit-learn's own where the installed one has the protocol."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false, reportUntypedFunctionDecorator=false

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.calculus.network import ParameterVector
from chainrule.estimators.layers import unpacked
from chainrule.training.history import Epoch

if TYPE_CHECKING:
    from chainrule.estimators.base import MLP

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks  # pyright: ignore[reportAssignmentType]
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """No ``set_callbacks``."""

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """The method as it is, but one call deeper, as scikit-learn's would be."""

        @wraps(method)
        def called(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return called


__all__ = ["CallbackSupportMixin", "Watch", "with_callbacks"]


class Watch:
    """Tells the callbacks of a fit to X and y with weights of its epochs, its tasks in scikit-learn's words."""

    def __init__(self, mlp: "MLP", X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        self._mlp: Any = mlp
        self._given = {"X": X, "y": y, "metadata": None if sample_weight is None else {"sample_weight": sample_weight}}
        self._fit: Any = None
        self._epoch: Any = None
        if getattr(mlp, "_skl_callbacks", None):
            self._fit = self._mlp._init_callback_context(max_subtasks=epochs)
            self._fit.call_on_fit_task_begin(estimator=mlp, **self._given)

    def epoch_begins(self, parameters: ParameterVector) -> None:
        """An epoch begins with these parameters."""
        if self._fit is not None:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(estimator=self._mlp, **self._given, **self._fitted(parameters))

    def epoch_ended(self, epoch: Epoch | None, parameters: ParameterVector) -> bool:
        """It ended with these, or, without a record, before all steps were made; whether anybody says to stop."""
        stop = False
        if self._epoch is not None:
            stop = self._epoch.call_on_fit_task_end(estimator=self._mlp, **self._given, **self._fitted(parameters))
        if epoch is not None:
            for callback in self._mlp.callbacks or ():
                said = callback(epoch)
                stop = (isinstance(said, bool | np.bool) and bool(said)) or stop
        return stop

    def fit_ended(self) -> None:
        """The fit is over, and the estimator has what it learned."""
        if self._fit is not None:
            self._fit.call_on_fit_task_end(estimator=self._mlp, **self._given, reconstruction_attributes={})

    def _fitted(self, parameters: ParameterVector) -> dict[str, Any]:
        """What makes of the estimator one that predicts with these parameters, made when it is asked for."""

        def attributes() -> dict[str, Any]:
            coefs, intercepts = unpacked(parameters.copy())
            return {"coefs_": coefs, "intercepts_": intercepts, "n_layers_": len(coefs) + 1}

        return {"reconstruction_attributes": attributes}
