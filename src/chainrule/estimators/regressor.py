"""MLPRegressor: numbers and counts."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin

from chainrule.calculus.arrays import Array
from chainrule.estimators.base import MLP
from chainrule.estimators.examples import Examples
from chainrule.training.history import Callback
from chainrule.training.schedule import Schedule

if TYPE_CHECKING:
    from chainrule.model.encoding import Target


class MLPRegressor(RegressorMixin, MLP):
    """scikit-learn's MLPRegressor, trained by chainrule's engine.

    ``loss`` "squared_error" is ½ Σ_j (a_j − y_j)² of an example's outputs; "huber" grows like |a_j − y_j| beyond 1;
    "poisson", with outputs e^z, is half the deviance and takes y that are not negative. Arguments up to ``max_fun``,
    attributes and messages are scikit-learn's; ``docs/estimators.md`` says what is not the same, and
    :class:`chainrule.MLPClassifier` what the further ones are. ::

        regressor = chainrule.MLPRegressor(hidden_layer_sizes=(50,), random_state=0).fit(X, y)
        regressor.predict(X)
    """

    LOSSES = ("squared_error", "poisson", "huber")
    METRIC = "r2"

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Schedule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        weight_decay: float = 0.01,
        rho: float = 0.9,
        warm_up: float = 0.0,
        dropout: float | Sequence[float] = 0.0,
        clip_norm: float | None = None,
        gradient_norms: bool = False,
        callbacks: Sequence[Callback] | None = None,
    ) -> None:
        self._take(locals())

    def _learn_targets(self, y: Any, incremental: bool) -> None:
        pass

    def _targets(self, y: Any) -> Array:
        return (y.toarray() if issparse(y) else y).reshape(y.shape[0], -1)

    def _check_known(self, y: Any, what: str) -> None:
        pass

    def _weighted(self, y: Any, sample_weight: Array | None) -> Array | None:
        return sample_weight

    def _target(self) -> "Target | None":
        from chainrule.model.encoding import Target

        n = self.n_outputs_
        columns = self._target_names(["y"] if n == 1 else [f"y{j}" for j in range(n)])
        return Target(columns, None, np.zeros(n), np.ones(n))

    def _out_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def strata(self, Y: Array) -> Array | None:
        """None: numbers are held out as they come."""
        return None

    def validation_score(self, a: Array, examples: Examples) -> float:
        """R²; NaN where an output is not finite."""
        from sklearn.metrics import r2_score

        if not np.isfinite(a).all():
            return float("nan")
        return r2_score(examples.Y, a, sample_weight=examples.weights)

    def predict(self, X: Any) -> Array:
        """The number that is predicted for each row of X, (n,), or several, (n, outputs)."""
        a = self._outputs(X)
        return a.ravel() if a.shape[1] == 1 else a

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
