"""What MLPClassifier and MLPRegressor have in common: arguments, attributes, fitting and outputs."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

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
from chainrule.estimators.callbacks import CallbackSupportMixin, Watch, with_callbacks
from chainrule.estimators.examples import Examples, outputs
from chainrule.estimators.layers import activations, drawn, in_notation, network_of, packed, sizes_of, unpacked
from chainrule.estimators.lbfgs import Loss, minimise
from chainrule.estimators.parameters import check_parameters, dropout_of, hidden_sizes, schedule_of
from chainrule.estimators.progress import Progress, history
from chainrule.estimators.stochastic import Descent, train
from chainrule.training.history import Callback, Epoch, History
from chainrule.training.schedule import Schedule

if TYPE_CHECKING:
    from chainrule.insight.explanation import Explanation
    from chainrule.model.encoding import Target
    from chainrule.model.model import Model

_SPARSE = ["csr", "csc"]
_FLOAT_TYPES: Any = [np.float64, np.float32]


def by_batches(estimator: "MLP") -> bool:
    """True; AttributeError where the solver takes all examples at once."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True


class MLP(CallbackSupportMixin, BaseEstimator, ABC):
    """The part of scikit-learn's multi-layer perceptrons that is no matter of targets.

    The arguments, attributes and messages are scikit-learn's; docs/estimators.md says what is not the same, and what
    there is beyond them.
    """

    LOSSES: ClassVar[tuple[str, ...]]
    METRIC: ClassVar[str]
    n_features_in_: int

    hidden_layer_sizes: Any
    activation: str | Sequence[str]
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str | Schedule
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: str
    weight_decay: float
    rho: float
    warm_up: float
    dropout: float | Sequence[float]
    clip_norm: float | None
    gradient_norms: bool
    callbacks: Sequence[Callback] | None

    def _take(self, arguments: dict[str, Any]) -> None:
        """Keep the constructor's arguments, as they are, each under its name."""
        for name, value in arguments.items():
            if name != "self":
                setattr(self, name, value)

    # what differs between the two ----------------------------------------------------------------

    @abstractmethod
    def _learn_targets(self, y: Any, incremental: bool) -> None:
        """Learn what targets there are; classes are new unless it is ``incremental`` or a warm start."""

    @abstractmethod
    def _check_known(self, y: Any, what: str) -> None:
        """Raise InputError for targets, called ``what``, that were not learned."""

    @abstractmethod
    def _targets(self, y: Any) -> Array:
        """Y (n, n_L) from y (n,) or (n, outputs), once the targets are known."""

    @abstractmethod
    def _weighted(self, y: Any, sample_weight: Array | None) -> Array | None:
        """The examples' weights with those of their classes, if these have some."""

    @abstractmethod
    def _target(self) -> "Target | None":
        """What the outputs mean, for a model; None where that cannot be said."""

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

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit to X (n, features), dense or sparse, and y (n,) or (n, outputs), with weights (n,).

        ``X_val``, ``y_val`` and their weights are a validation set, by which early stopping goes in place of examples
        that are held out. Ctrl-C ends training early and keeps what was learned; so does divergence, with a warning.
        Raises InputError or scikit-learn's ValueError for what cannot be learned from, DivergenceError where training
        diverges before anything was learned; the estimator is then as it was.
        """
        warn_of_shortfall()
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=False)

    @available_if(by_batches)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Go on from where the last call ended, by one epoch over these examples.

        With early stopping ``stopped_`` is True once ``n_iter_no_change`` calls brought nothing; the best parameters
        are then kept, and further calls change nothing.
        """
        warn_of_shortfall()
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    @with_callbacks
    def _fit(self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], incremental: bool) -> Self:
        check_parameters(self, self.LOSSES)
        hidden = hidden_sizes(self.hidden_layer_sizes)
        activations(self.activation, len(hidden))
        dropout = dropout_of(self.dropout, len(hidden))
        schedule_of(self.learning_rate, self.warm_up)
        watch = Watch(self, X, y, sample_weight, 1 if incremental else self.max_iter)
        with self._as_it_was_if_it_fails():
            anew = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            if anew:
                self._y_names = _names(y)
            X, y = self._validated(X, y, reset=anew)
            self._learn_targets(y, incremental)
            Y = self._targets(y)
            weights = self._weighted(y, None if sample_weight is None else _weights(sample_weight, len(Y)))
            random = check_random_state(self.random_state)
            sizes = (X.shape[1], *hidden, Y.shape[1])
            self.n_outputs_ = sizes[-1]
            self.out_activation_ = self._out_activation()
            network = network_of(sizes, self.activation, self.out_activation_, self.loss, l2=self.alpha / 2)
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
            examples = Examples(X, Y, weights).astype(parameters.vector.dtype)
            check_targets(network.C, examples.Y)
            held_out = self._held_out(*validation, parameters)
            if self.solver == "lbfgs":
                self.loss_, self.n_iter_, self._records = minimise(self, parameters, examples, watch)
                self._best_epoch = None
            else:
                self._fit_by_batches(parameters, examples, held_out, random, watch, incremental, bool(dropout))
            self.n_layers_ = len(sizes)
            self.coefs_, self.intercepts_ = unpacked(parameters)
            watch.fit_ended()
        return self

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        """X, an array or a sparse matrix in CSR form, and y as scikit-learn lets them pass."""
        X, y = validate_data(
            self, X, y, accept_sparse=_SPARSE, multi_output=True, y_numeric=is_regressor(self), dtype=_FLOAT_TYPES,
            reset=reset,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X.tocsr() if issparse(X) else X, y

    def _held_out(self, X: Any, y: Any, sample_weight: Any, parameters: ParameterVector) -> Examples | None:
        """The validation set that was given, if one was."""
        if X is None and y is None and sample_weight is None:
            return None
        if X is None or y is None:
            raise InputError("X_val and y_val go together: give both, or neither")
        if self.solver == "lbfgs":
            raise InputError("X_val: solver='lbfgs' does not stop early; use another solver, or leave it out")
        examples = self._examples(X, y, sample_weight, "_val").astype(parameters.vector.dtype)
        check_targets(parameters.network.C, examples.Y)
        return examples

    def _examples(self, X: Any, y: Any, sample_weight: Any, suffix: str = "") -> Examples:
        """X and y, to be called by these names with a suffix, as examples of what was learned."""
        X, y = self._validated(X, y, reset=False)
        self._check_known(y, f"y{suffix}")
        Y = self._targets(y)
        if Y.shape[1] != self.n_outputs_:
            raise InputError(f"y{suffix} has {Y.shape[1]} outputs, the network has {self.n_outputs_}")
        weights = None if sample_weight is None else _weights(sample_weight, len(Y), f"sample_weight{suffix}")
        return Examples(X, Y, self._weighted(y, weights))

    def _forget(self) -> None:
        """Nothing is left of an earlier fit."""
        self.n_iter_ = self.t_ = 0
        self._descent: Descent | None = None
        self._progress: Progress | None = None
        self._records: list[Epoch] = []
        self._best_epoch: int | None = None
        for name in (
            "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_",
            "validation_loss_curve_", "stopped_",
        ):  # fmt: skip
            vars(self).pop(name, None)

    def _fit_by_batches(
        self,
        parameters: ParameterVector,
        examples: Examples,
        held_out: Examples | None,
        random: np.random.RandomState,
        watch: Watch,
        incremental: bool,
        dropped: bool,
    ) -> None:
        progress = self._progress
        if progress is not None and progress.early_stopping == self.early_stopping:
            if incremental and self.early_stopping and progress.over:
                return
            progress = progress.copy()
            progress.go_on()
        else:
            progress = Progress(self.early_stopping)
        if incremental and self._descent is not None:
            descent = self._descent.copy()
        else:
            descent = Descent.of(self, parameters)
            descent.seed = int(random.randint(2**31)) if dropped else 0
        self.n_iter_ = train(self, parameters, examples, held_out, random, descent, progress, watch, once=incremental)
        self._descent, self._progress = descent, progress
        self._records, self._best_epoch = progress.records, progress.best_epoch
        self.t_ = progress.examples_seen
        self.loss_curve_, self.best_loss_ = progress.losses, progress.best_loss
        self.validation_scores_, self.best_validation_score_ = progress.scores, progress.best_score
        self.validation_loss_curve_ = progress.validation_losses
        self.stopped_ = progress.over

    @property
    def history_(self) -> History:
        """What the epochs came to, or the iterations of L-BFGS: a table, a picture, files."""
        check_is_fitted(self)
        return history(self._records, self._best_epoch)

    @contextmanager
    def _as_it_was_if_it_fails(self) -> Generator[None]:
        """What fitting sets is taken back on an error, and the random numbers that it drew from a generator given.

        It replaces attributes and never changes what they hold, but for that generator.
        """
        before, random = dict(vars(self)), self.random_state
        drawn_from = random.get_state() if isinstance(random, np.random.RandomState) else None
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            if drawn_from is not None:
                random.set_state(drawn_from)
            raise

    # reading it ----------------------------------------------------------------------------------

    def gradient(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[float, ParameterVector]:
        """The loss C of these examples, with the penalty, and ∇C in chainrule's layout, of float64.

        ``coefs_[0][20, 3]`` is w[1][3, 20] there. C is what ``loss_`` is of all examples at once. Raises InputError or
        scikit-learn's ValueError for what does not fit.
        """
        loss = self._loss_over(X, y, sample_weight)
        C, nabla_C = loss(self._parameters(np.dtype(np.float64)).vector)
        return C, ParameterVector(loss.network, nabla_C)

    def explain(
        self, X: Any, y: Any, target: str, sample_weight: Any = None, *, of: str = "C", example: int | None = None,
        depth: int | None = None,
    ) -> "Explanation":  # fmt: skip
        """∂of/∂target over these examples, or of one, as :func:`chainrule.explain` has it: ``"w1[3,20]"``, ``"x[2]"``;
        ``"coefs_[0][20, 3]"`` and ``"intercepts_[0][3]"`` are understood, too.

        Features and classes are called by their names. Raises NotationError for what does not exist.
        """
        from chainrule.insight.explain import explain
        from chainrule.insight.question import question
        from chainrule.model.model import Examples as Given

        target, loss = in_notation(target), self._loss_over(X, y, sample_weight)
        model = self.model()
        model = replace(model, parameters=ParameterVector(loss.network, model.parameters.vector))
        X, Y = loss.examples.X, loss.examples.Y
        if issparse(X):
            shape: Any = X.shape
            asked = question(model, Given(np.broadcast_to(0.0, shape), Y), target, of, example).example
            # of the rows only the one asked for is read, and all are shown as that one, which takes no memory
            X = X.toarray() if asked is None else np.broadcast_to(X[[asked]].toarray(), shape)
        return explain(model, Given(X, Y, loss.examples.weights), target, example, None, of, depth)

    def model(self) -> "Model":
        """The network with its parameters and what its inputs and outputs are called; alpha's penalty is not in it."""
        from chainrule.model.encoding import InputColumn, Inputs
        from chainrule.model.model import Model

        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        inputs = None
        if names is not None:
            n = len(names)
            inputs = Inputs(tuple(InputColumn(name) for name in names.tolist()), np.zeros(n), np.ones(n))
        return Model(
            self._parameters(_dtype(np.dtype(np.float32), self.coefs_, self.intercepts_)), inputs, self._target()
        )

    def save(self, path: str | Path) -> None:
        """Write a model file, .safetensors, that holds no code: :meth:`load` reads it, and so does ``load_model``.

        Arguments and attributes are in it, but no callbacks, and not the moments of the optimizer. Raises FileError, or
        InputError for arguments that no file can hold.
        """
        from chainrule.estimators.saving import save

        check_is_fitted(self)
        save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The estimator that :meth:`save` wrote. Raises ModelError for a file that is missing, not ours, or damaged."""
        from chainrule.estimators.saving import load

        return load(cls, path)

    def _loss_over(self, X: Any, y: Any, sample_weight: Any) -> Loss:
        """The loss of these examples, as fitting has it."""
        check_is_fitted(self)
        network = replace(self._parameters(np.dtype(np.float64)).network, l2=self.alpha / 2)
        examples = self._examples(X, y, sample_weight)
        check_targets(network.C, examples.Y)
        return Loss(network, examples)

    def _parameters(self, dtype: np.dtype) -> ParameterVector:
        """What is now in ``coefs_`` and ``intercepts_``."""
        network = network_of(sizes_of(self.coefs_), self.activation, self.out_activation_, self.loss)
        return packed(network, self.coefs_, self.intercepts_, dtype)

    def _target_names(self, unnamed: Sequence[str]) -> tuple[str, ...]:
        """What a file calls the targets: as y did, or so; longer where a feature is called that."""
        names = tuple(unnamed) if len(self._y_names) != len(unnamed) else self._y_names
        while set(names) & set(getattr(self, "feature_names_in_", ())):
            names = tuple(f"{name}_" for name in names)
        return names

    # the outputs ---------------------------------------------------------------------------------

    def _outputs(self, X: Any) -> Array:
        """a⁽ᴸ⁾ for each row of X, (n, n_L), by what is now in ``coefs_`` and ``intercepts_``."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=_SPARSE, reset=False)
        dtype = _dtype(X.dtype, self.coefs_, self.intercepts_)
        return outputs(self._parameters(dtype), (X.tocsr() if issparse(X) else X).astype(dtype, copy=False))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _names(y: Any) -> tuple[str, ...]:
    """What a table calls the columns of y; () where it is none, or the names are no texts or not each once."""
    given = getattr(y, "columns", None)
    names: list[Any] = [getattr(y, "name", None)] if given is None else list(given)
    texts = tuple(name for name in names if isinstance(name, str))
    return texts if len(set(texts)) == len(names) else ()


def _dtype(X: np.dtype, coefs: list[Array], intercepts: list[Array]) -> np.dtype:
    """The type in which X and the parameters meet: float32 if all of them fit into it, otherwise float64."""
    types = [X, *(array.dtype for array in (*coefs, *intercepts))]
    return np.dtype(np.float32 if np.result_type(*types) == np.float32 else np.float64)


def _weights(given: Any, n: int, what: str = "sample_weight") -> Array:
    """``sample_weight`` as an array (n,); InputError unless these are weights."""
    given = np.full(n, given) if isinstance(given, Real) else given
    weights = check_array(given, dtype=_FLOAT_TYPES, ensure_2d=False, input_name=what)
    if weights.ndim != 1:
        raise InputError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array ({what}). Expected either a scalar "
            f"value or a 1D array of length {n}."
        )
    if weights.shape != (n,):
        raise InputError(f"{what}.shape == {weights.shape}, expected {(n,)}!")
    if not weights.any():
        raise InputError(f"Sample weights must contain at least one non-zero number: {what}")
    example_shares(n, weights)
    return weights
