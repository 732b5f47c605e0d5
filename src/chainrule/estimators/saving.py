"""An estimator as a model file and back, without pickle: its model, and in the description arguments and attributes."""

# scikit-learn has no type information.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Mapping
from dataclasses import asdict, replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.preprocessing import LabelBinarizer

from chainrule.calculus.arrays import Array, numbers
from chainrule.checks import file_path, require, shown, whole_number
from chainrule.errors import InputError, ModelError
from chainrule.estimators.layers import network_of, unpacked
from chainrule.estimators.parameters import check_parameters
from chainrule.estimators.progress import Progress
from chainrule.model.document import Section
from chainrule.model.model import Model
from chainrule.model.model_file import load_model, save_model
from chainrule.training.history import KEY, History
from chainrule.training.schedule import Schedule

if TYPE_CHECKING:
    from chainrule.estimators.base import MLP

_KEY = "estimator"
_SECTIONS = ("class", "arguments", "fitted", "classes", "multilabel", "stale", "out_activation", "feature_names")
_WHOLE = ("n_iter_", "t_")
_NUMBERS = ("loss_", "best_loss_", "best_validation_score_")
_LISTS = ("validation_scores_", "validation_loss_curve_")
_FITTED = (*_WHOLE, *_NUMBERS, *_LISTS, "stopped_")
_INFINITE = "inf"
_SCHEDULE = "schedule"


def save(mlp: Any, path: str | Path) -> None:
    """Write a model file whose description has what it takes to have the estimator back."""
    model = mlp.model()
    classes: Array | None = getattr(mlp, "classes_", None)
    names: Array | None = getattr(mlp, "feature_names_in_", None)
    fitted = {name: getattr(mlp, name) for name in _FITTED if hasattr(mlp, name)}
    description = {
        "class": type(mlp).__name__,
        "arguments": {name: _argument(name, value) for name, value in mlp.get_params(deep=False).items()},
        "fitted": {name: _plain(value) for name, value in fitted.items()},
        "classes": None if classes is None else _classes_json(classes, mlp._class_shares),
        "multilabel": classes is not None and mlp.is_multilabel,
        "stale": 0 if mlp._progress is None else mlp._progress.stale,
        "out_activation": mlp.out_activation_,
        "feature_names": None if names is None else names.tolist(),
    }
    records = mlp.history_
    training = {"epochs": len(records), "costs": _plain(records.costs.tolist()), KEY: records.remembered()}
    save_model(Model(model.parameters, model.inputs, model.target, training | {_KEY: description}), path)


def load(cls: "type[MLP]", path: str | Path) -> Any:
    """The estimator that a file has. Raises ModelError for a file that has none, or one that does not add up."""
    path = file_path(path)
    model = load_model(path)
    if _KEY not in model.training:
        raise ModelError(f"{path}: a model file, but not of an estimator; read it with chainrule.load_model")
    try:
        return _estimator(cls, Section.of(model.training[_KEY], f"{_KEY}.", _SECTIONS), model)
    except (ValueError, TypeError, KeyError, OverflowError) as error:  # InputError is one
        raise ModelError(f"{path}: its estimator does not add up ({error})") from None


def _estimator(cls: "type[MLP]", saved: Section, model: Model) -> Any:
    if saved["class"] != cls.__name__:
        raise InputError(f"it is an {shown(saved['class'])}, and not an {cls.__name__}")
    names = list(cls().get_params(deep=False))
    arguments = saved.section("arguments", names).entries
    mlp: Any = cls(**{name: _argument_again(name, value) for name, value in arguments.items()})
    check_parameters(mlp, mlp.LOSSES)
    network = model.network
    mlp.out_activation_ = saved["out_activation"]
    mlp.n_outputs_, mlp.n_layers_, mlp.n_features_in_ = network.sizes[-1], len(network.sizes), network.sizes[0]
    if network_of(network.sizes, mlp.activation, mlp.out_activation_, mlp.loss) != network:
        raise InputError("its arguments describe another network than its arrays")
    if saved["classes"] is not None:
        _take_classes(mlp, saved.section("classes", ("type", "names", "shares")), saved["multilabel"])
    if saved["feature_names"] is not None:
        require(
            len(saved["feature_names"]) == network.sizes[0], "feature_names", saved["feature_names"], "one a column"
        )
        mlp.feature_names_in_ = np.array(saved["feature_names"], object)
    mlp._y_names = () if model.target is None else model.target.columns
    fitted = saved.section("fitted", _FITTED)
    mlp._forget()
    for name in fitted.entries:
        setattr(mlp, name, _attribute(fitted, name))
    records = History.of(model)
    mlp._records, mlp._best_epoch = list(records), records.best_epoch
    if "best_loss_" in fitted.entries:
        mlp.loss_curve_ = list(records.costs)
        stale = whole_number(saved.name("stale"), saved["stale"], "a whole number of at least 0", lambda n: n >= 0)
        mlp._progress = _progress(mlp, stale, model)
    mlp.coefs_, mlp.intercepts_ = unpacked(model.parameters)
    return mlp


def _progress(mlp: Any, stale: int, model: Model) -> Progress | None:
    """How far training had come; None where its best parameters may not be those in the file."""
    early = mlp.best_loss_ is None
    if early and not mlp.stopped_:
        return None
    best = model.parameters.vector.copy() if early else None
    progress = Progress(early, list(mlp.loss_curve_), mlp.validation_scores_, mlp.validation_loss_curve_, mlp._records)
    return replace(
        progress, best_loss=mlp.best_loss_, best_score=mlp.best_validation_score_, best_epoch=mlp._best_epoch,
        best=best, stale=stale, examples_seen=mlp.t_, over=mlp.stopped_,
    )  # fmt: skip


def _classes_json(classes: Array, shares: Array | None) -> dict[str, Any]:
    kept = None if shares is None else shares.tolist()
    return {"type": classes.dtype.str, "names": classes.tolist(), "shares": kept}


def _take_classes(mlp: Any, saved: Section, multilabel: bool) -> None:
    classes = np.array(saved["names"], np.dtype(saved["type"]))
    require(classes.ndim == 1 and len(classes) > 0, saved.name("names"), saved["names"], "a list of classes")
    mlp._label_binarizer = LabelBinarizer().fit(np.eye(len(classes), dtype=int) if multilabel else classes)
    mlp.classes_ = mlp._label_binarizer.classes_
    require(np.array_equal(mlp.classes_, classes), saved.name("names"), saved["names"], "sorted and each once")
    shares = saved["shares"]
    mlp._class_shares = None if shares is None else numbers(saved.name("shares"), shares, classes.shape)
    expected = 1 if len(classes) <= 2 and not multilabel else len(classes)
    require(mlp.n_outputs_ == expected, saved.name("names"), saved["names"], f"the classes of {mlp.n_outputs_} outputs")


def _attribute(saved: Section, name: str) -> Any:
    """A fitted attribute; InputError where its value cannot be."""
    value = saved[name]
    if name == "stopped_":
        require(isinstance(value, bool), saved.name(name), value, "true or false")
    elif name in _WHOLE:
        whole_number(saved.name(name), value, "a whole number of at least 0", lambda n: n >= 0)
    elif name in _LISTS and value is not None:
        return [float("nan") if entry is None else float(_number_again(entry)) for entry in saved.items(name)]
    elif value is not None:
        return np.float64(_number_again(value))
    return value


def _argument(name: str, value: Any) -> Any:
    """An argument as JSON has it."""
    if name == "callbacks":
        return None
    if isinstance(value, Schedule):
        return {_SCHEDULE: asdict(value)}
    if isinstance(value, dict):
        return {"pairs": [[_plain(key), _plain(weight)] for key, weight in value.items()]}
    if isinstance(value, np.random.RandomState | np.random.Generator):
        raise InputError(f"{name}: a file cannot hold a {type(value).__name__}; set_params({name}=None) before saving")
    return _plain(value)


def _argument_again(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        if _SCHEDULE in value:
            return Schedule(**value[_SCHEDULE])
        return dict(Section.of(value, f"{name}.", ("pairs",)).items("pairs"))
    return tuple(value) if isinstance(value, list) else _number_again(value)


def _plain(value: Any) -> Any:
    """Numbers of Python, in lists, and infinity as a text, which JSON has no number for."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return _INFINITE if value == inf else f"-{_INFINITE}" if value == -inf else None if value != value else value


def _number_again(value: Any) -> Any:
    return inf if value == _INFINITE else -inf if value == f"-{_INFINITE}" else value
