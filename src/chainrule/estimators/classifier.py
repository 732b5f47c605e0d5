"""MLPClassifier: classes and their probabilities."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUntypedBaseClass=false

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels

from chainrule.calculus.arrays import Array
from chainrule.engines import warn_of_shortfall
from chainrule.errors import InputError
from chainrule.estimators.base import MLP, by_batches
from chainrule.estimators.examples import Examples


class MLPClassifier(ClassifierMixin, MLP):
    """scikit-learn's MLPClassifier, trained by chainrule's engine.

    Two classes are one sigmoid output, several a softmax, each with cross-entropy; several labels an example (y of 0
    and 1, (n, labels)) one sigmoid output each. Arguments, attributes and messages are scikit-learn's;
    ``docs/estimators.md`` says what is not the same. ::

        classifier = chainrule.MLPClassifier((50,), random_state=0).fit(X, y)
        classifier.predict_proba(X)
    """

    loss = "log_loss"

    def _targets(self, y: Any, incremental: bool) -> Array:
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer: Any = LabelBinarizer().fit(y)
            self.classes_: Array = self._label_binarizer.classes_
        else:
            self._check_classes(unique_labels(y))
        if y.ndim == 2:
            return self._label_binarizer.transform(y)
        places = np.searchsorted(self.classes_, y)[:, None]  # as the binarizer does, which first tests y once more
        return places if len(self.classes_) <= 2 else places == np.arange(len(self.classes_))

    def _check_classes(self, classes: Array) -> None:
        """Raise InputError unless it can go on with these."""
        if self.warm_start:
            if set(classes) != set(self.classes_):
                raise InputError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {classes}"
                )
        elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise InputError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _out_activation(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def strata(self, Y: Array) -> Array | None:
        """The classes where there are two of them."""
        return Y.ravel().astype(bool) if self.n_outputs_ == 1 else None

    def validation_score(self, a: Array, examples: Examples) -> float:
        """The share of right predictions; of several labels all have to be right."""
        Y = examples.Y
        if self.out_activation_ == "softmax":
            right = a.argmax(axis=1) == Y.argmax(axis=1)
        else:
            right = ((a > 0.5) == (Y > 0.5)).all(axis=1)
        return float(np.average(right, weights=examples.weights))

    @available_if(by_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Go on from where the last call ended, by one epoch over these examples; ``classes`` are all that will come.

        The first call needs them. Raises as :meth:`fit` does.
        """
        warn_of_shortfall()
        with self._as_it_was_if_it_fails():
            if classes is not None:
                self._expect(classes, y)
            elif not hasattr(self, "classes_"):
                raise InputError("classes must be passed on the first call to partial_fit.")
            return self._fit(X, y, sample_weight, incremental=True)

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

    def predict(self, X: Any) -> Array:
        """The class of each row of X, (n,), or its labels as 0 and 1, (n, labels)."""
        a = self._outputs(X)
        return self._label_binarizer.inverse_transform(a.ravel() if self.n_outputs_ == 1 else a)

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes), in the order of ``classes_``."""
        a = self._outputs(X)
        return np.hstack([1 - a, a]) if self.n_outputs_ == 1 else a

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of the probabilities; −∞ where one is 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
