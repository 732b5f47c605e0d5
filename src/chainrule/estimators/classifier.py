"""MLPClassifier: classes and their probabilities."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels

from chainrule.calculus.arrays import Array
from chainrule.calculus.cost import example_shares
from chainrule.engines import warn_of_shortfall
from chainrule.errors import InputError
from chainrule.estimators.base import MLP, by_batches
from chainrule.estimators.examples import Examples
from chainrule.training.history import Callback
from chainrule.training.schedule import Schedule

if TYPE_CHECKING:
    from chainrule.model.encoding import Target


class MLPClassifier(ClassifierMixin, MLP):
    """scikit-learn's MLPClassifier, trained by chainrule's engine.

    Two classes are one sigmoid output, several a softmax, each with cross-entropy; several labels an example (y of 0
    and 1, (n, labels)) one sigmoid output each. With ``loss`` "squared_error", ½ Σ_j (a_j − y_j)², each of several
    classes has a sigmoid output. ``class_weight`` is "balanced" or {class: weight}. Arguments up to ``max_fun``,
    attributes and messages are scikit-learn's; ``docs/estimators.md`` says what is not the same.

    Beyond scikit-learn's, ``activation`` may have a name for each hidden layer; ``solver`` may be "adamw", with
    ``weight_decay``, and "rmsprop", with ``rho``; ``learning_rate`` "step", "cosine", "one-cycle", "plateau" or a
    :class:`chainrule.Schedule`, and rises over the first ``warm_up`` epochs. ``dropout`` is the probability with which
    a hidden neuron is left out of a step, one for all layers, one for each, or one more, the first, for the inputs;
    ``clip_norm`` the most that a step's gradient may be long. With ``gradient_norms`` ``history_`` has those of each
    layer. Each of ``callbacks`` is called with an epoch's record after it, and ends training where it returns True. ::

        classifier = chainrule.MLPClassifier((50,), random_state=0).fit(X, y)
        classifier.predict_proba(X)
    """

    LOSSES = ("log_loss", "squared_error")
    METRIC = "accuracy"

    class_weight: Any

    def __init__(
        self,
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
        loss: str = "log_loss",
        class_weight: Any = None,
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
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer: Any = LabelBinarizer().fit(y)
            self.classes_: Array = self._label_binarizer.classes_
        else:
            self._check_classes(y)
        self._class_shares = self._shares_of_classes(y, incremental)

    def _targets(self, y: Any) -> Array:
        if y.ndim == 2:
            return self._label_binarizer.transform(y)
        places = np.searchsorted(self.classes_, y)[:, None]  # as the binarizer does, which first tests y once more
        return places if len(self.classes_) <= 2 else places == np.arange(len(self.classes_))

    def _shares_of_classes(self, y: Any, incremental: bool) -> Array | None:
        """What an example of each class counts, (classes,), or None."""
        if self.class_weight is None:
            return None
        if y.ndim == 2:
            raise InputError("class_weight is for one class an example; of several labels, use sample_weight")
        if incremental and self.class_weight == "balanced":
            raise InputError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
                "compute_class_weight('balanced', classes=classes, y=y) of scikit-learn with a sample that is large "
                "enough, and pass the resulting weights as the class_weight parameter"
            )
        return compute_class_weight(self.class_weight, classes=self.classes_, y=y)

    def _weighted(self, y: Any, sample_weight: Array | None) -> Array | None:
        if self._class_shares is None:
            return sample_weight
        weights = self._class_shares[np.searchsorted(self.classes_, y)]
        example_shares(len(weights), weights)
        return weights if sample_weight is None else weights * sample_weight

    def _check_classes(self, y: Any) -> None:
        """Raise InputError unless it can go on with the classes of y."""
        if self.warm_start:
            classes = unique_labels(y)
            if set(classes) != set(self.classes_):
                raise InputError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {classes}"
                )
        else:
            self._check_known(y, "y")

    def _check_known(self, y: Any, what: str) -> None:
        classes = unique_labels(y)
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise InputError(
                f"`{what}` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'{what}' has {classes}."
            )

    @property
    def _one_of_several(self) -> bool:
        """Whether an example has one of three classes or more."""
        return self._label_binarizer.y_type_ == "multiclass"

    @property
    def is_multilabel(self) -> bool:
        """Whether an example may have several labels, or none."""
        return self._label_binarizer.y_type_.startswith("multilabel")

    def _out_activation(self) -> str:
        return "softmax" if self._one_of_several and self.loss == "log_loss" else "logistic"

    def strata(self, Y: Array) -> Array | None:
        """The classes where there are two of them."""
        return Y.ravel().astype(bool) if self.n_outputs_ == 1 else None

    def validation_score(self, a: Array, examples: Examples) -> float:
        """The share of right predictions; of several labels all have to be right."""
        Y = examples.Y
        several = self._one_of_several
        right = a.argmax(axis=1) == Y.argmax(axis=1) if several else ((a > 0.5) == (Y > 0.5)).all(axis=1)
        return float(np.average(right, weights=examples.weights))

    @available_if(by_batches)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Go on from where the last call ended, by one epoch over these examples; ``classes`` are all that will come.

        The first call needs them. With early stopping ``stopped_`` is True once ``n_iter_no_change`` calls brought
        nothing; the best parameters are then kept, and further calls change nothing. Raises as :meth:`fit` does.
        """
        warn_of_shortfall()
        with self._as_it_was_if_it_fails():
            if classes is not None:
                self._expect(classes, y)
            elif not hasattr(self, "classes_"):
                raise InputError("classes must be passed on the first call to partial_fit.")
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def _expect(self, classes: Any, y: Any) -> None:
        """Take note of all the classes that will come; InputError where they are others than before."""
        if not hasattr(self, "classes_"):
            self.classes_ = unique_labels(classes)
            several = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if several else classes)
        elif not np.array_equal(self.classes_, unique_labels(classes)):
            raise InputError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )

    def _target(self) -> "Target | None":
        from chainrule.model.encoding import Target

        if self.is_multilabel:
            columns = self._target_names([f"y {label}" for label in self.classes_.tolist()])
            return Target(columns, None, np.zeros(self.n_outputs_), np.ones(self.n_outputs_))
        classes = tuple(str(label) for label in self.classes_.tolist())
        if not len(set(classes)) == len(classes) > 1:
            return None
        return Target(self._target_names(["y"]), classes, np.zeros(0), np.ones(0), self._class_shares)

    def predict(self, X: Any) -> Array:
        """The class of each row of X, (n,), or its labels as 0 and 1, (n, labels)."""
        a = self._outputs(X)
        return self._label_binarizer.inverse_transform(a.ravel() if self.n_outputs_ == 1 else a)

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes), in the order of ``classes_``."""
        a = self._outputs(X)
        if self.n_outputs_ == 1:
            return np.hstack([1 - a, a])
        if self._one_of_several and self.out_activation_ == "logistic":  # each was trained by itself
            total = a.sum(axis=1, keepdims=True)
            return np.where(total > 0, a / np.where(total > 0, total, 1), 1 / a.shape[1])
        return a

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of the probabilities; −∞ where one is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
