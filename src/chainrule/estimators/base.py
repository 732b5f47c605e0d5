"""What MLPClassifier and MLPRegressor have in common: arguments, attributes, fitting and outputs."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager
from numbers import Real
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import check_targets, example_shares
from chainrule.calculus.network import ParameterVector
from chainrule.engines import warn_of_shortfall
from chainrule.errors import InputError
from chainrule.estimators.examples import Examples, outputs
from chainrule.estimators.layers import drawn, network_of, packed, sizes_of, unpacked
from chainrule.estimators.lbfgs import minimise
from chainrule.estimators.parameters import check_parameters, hidden_sizes
from chainrule.estimators.progress import Progress
from chainrule.estimators.stochastic import Descent, train

_SPARSE = ["csr", "csc"]
_FLOAT_TYPES: Any = [np.float64, np.float32]


def by_batches(estimator: "MLP") -> bool:
    """True; AttributeError where the solver takes all examples at once."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


class MLP(BaseEstimator, ABC):
    """The part of scikit-learn's multi-layer perceptrons that is no matter of targets.

    The arguments, attributes and messages are scikit-learn's; docs/estimators.md says what is not the same.
    """

    loss: str
    n_features_in_: int

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
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
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun

    # what differs between the two ----------------------------------------------------------------

    @abstractmethod
    def _targets(self, y: Any, incremental: bool) -> Array:
        """Y (n, n_L) from y (n,) or (n, outputs); its classes are new unless it is ``incremental`` or a warm start."""

    @abstractmethod
    def _out_activation(self) -> str:
        """scikit-learn's name of the output activation, once the targets are known."""

    @abstractmethod
    def strata(self, Y: Array) -> Array | None:
        """What a validation set has to hold in the same shares as the rest, if anything."""

    @abstractmethod
    def validation_score(self, a: Array, examples: Examples) -> float:
        """The score of the outputs a (n, n_L) for these examples; NaN where they are no numbers."""

    # fitting -------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to X (n, features), dense or sparse, and y (n,) or (n, outputs), with weights (n,).

        Ctrl-C ends it early and keeps what was learned. Raises InputError or scikit-learn's ValueError for what cannot
        be learned from, DivergenceError where the parameters are no longer finite; the estimator is then as it was.
        """
        warn_of_shortfall()
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(by_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go on from where the last call ended, by one epoch over these examples."""
        warn_of_shortfall()
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> Self:
        check_parameters(self)
        hidden = hidden_sizes(self.hidden_layer_sizes)
        if self.early_stopping and incremental:
            raise InputError("partial_fit does not support early_stopping=True")
        with self._as_it_was_if_it_fails():
            anew = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            X, y = validate_data(
                self, X, y, accept_sparse=_SPARSE, multi_output=True, y_numeric=is_regressor(self), dtype=_FLOAT_TYPES,
                reset=anew,
            )  # fmt: skip
            if y.ndim == 2 and y.shape[1] == 1:
                y = column_or_1d(y, warn=True)
            Y = self._targets(y, incremental)
            weights = None if sample_weight is None else _weights(sample_weight, len(Y))
            random = check_random_state(self.random_state)
            sizes = (X.shape[1], *hidden, Y.shape[1])
            self.n_outputs_ = sizes[-1]
            self.out_activation_ = self._out_activation()
            network = network_of(sizes, self.activation, self.out_activation_, l2=self.alpha / 2)
            if anew:
                self._forget()
                parameters = drawn(network, self.activation, random, X.dtype)
            elif sizes == sizes_of(self.coefs_):
                dtype = _dtype(np.dtype(np.float32), self.coefs_, self.intercepts_)
                parameters = packed(network, self.coefs_, self.intercepts_, dtype)
            else:
                raise InputError(
                    f"warm_start and partial_fit go on from coefs_, which has layers of {list(sizes_of(self.coefs_))} "
                    f"neurons, and not {list(sizes)}; set warm_start=False and call fit to begin anew"
                )
            examples = Examples(X.tocsr() if issparse(X) else X, Y, weights).astype(parameters.vector.dtype)
            check_targets(network.C, examples.Y)
            if self.solver == "lbfgs":
                self.loss_, self.n_iter_ = minimise(self, parameters, examples)
            else:
                self._fit_by_batches(parameters, examples, random, incremental)
            self.n_layers_ = len(sizes)
            self.coefs_, self.intercepts_ = unpacked(parameters)
        return self

    def _forget(self) -> None:
        """Nothing is left of an earlier fit."""
        self.n_iter_ = self.t_ = 0
        self._descent: Descent | None = None
        self._progress: Progress | None = None
        for name in ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
            vars(self).pop(name, None)

    def _fit_by_batches(
        self, parameters: ParameterVector, examples: Examples, random: np.random.RandomState, incremental: bool
    ) -> None:
        descent = self._descent.copy() if incremental and self._descent is not None else Descent.of(self, parameters)
        progress = self._progress
        if progress is not None and (progress.scores is not None) == self.early_stopping:
            progress = progress.copy()
        else:
            progress = Progress.validated(parameters.vector) if self.early_stopping else Progress()
        self.n_iter_ = train(self, parameters, examples, random, descent, progress, once=incremental)
        self._descent, self._progress = descent, progress
        self.t_ = progress.examples_seen
        self.loss_curve_, self.best_loss_ = progress.losses, progress.best_loss
        self.validation_scores_, self.best_validation_score_ = progress.scores, progress.best_score
        if progress.losses:
            self.loss_ = progress.losses[-1]

    @contextmanager
    def _as_it_was_if_it_fails(self) -> Generator[None]:
        """What fitting sets is taken back on an error. It replaces attributes and never changes what they hold."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    # the outputs ---------------------------------------------------------------------------------

    def _outputs(self, X: Any) -> Array:
        """a⁽ᴸ⁾ for each row of X, (n, n_L), by what is now in ``coefs_`` and ``intercepts_``."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=_SPARSE, reset=False)
        dtype = _dtype(X.dtype, self.coefs_, self.intercepts_)
        network = network_of(sizes_of(self.coefs_), self.activation, self.out_activation_)
        parameters = packed(network, self.coefs_, self.intercepts_, dtype)
        return outputs(parameters, (X.tocsr() if issparse(X) else X).astype(dtype, copy=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dtype(X: np.dtype, coefs: list[Array], intercepts: list[Array]) -> np.dtype:
    """The type in which X and the parameters meet: float32 if all of them fit into it, otherwise float64."""
    types = [X, *(array.dtype for array in (*coefs, *intercepts))]
    return np.dtype(np.float32 if np.result_type(*types) == np.float32 else np.float64)


def _weights(given: Any, n: int) -> Array:
    """``sample_weight`` as an array (n,); InputError unless these are weights."""
    given = np.full(n, given) if isinstance(given, Real) else given
    weights = check_array(given, dtype=_FLOAT_TYPES, ensure_2d=False, input_name="sample_weight")
    if weights.shape != (n,):
        raise InputError(f"sample_weight.shape == {weights.shape}, expected {(n,)}!")
    if not weights.any():
        raise InputError("sample_weight: every weight is zero; at least one example has to count")
    example_shares(n, weights)
    return weights
