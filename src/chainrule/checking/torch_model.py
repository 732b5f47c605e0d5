"""PyTorch's dense models and losses, read as a network with its cost: the one place that knows their names.

What cannot be read exactly is refused, by the layer's name and with what would do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.arrays import Array
from chainrule.calculus.network import Network, ParameterVector
from chainrule.checking.case import Case
from chainrule.checks import did_you_mean, known, listed, require, shown
from chainrule.errors import InputError, MissingExtraError
from chainrule.model.model import Model

LINEAR, LOG_SOFTMAX = "linear", "log-softmax"
"""What else than an activation a module of one's own may be meant to be."""

_EVERY = (
    "Linear, with ReLU, LeakyReLU(0.01), Sigmoid, Tanh, ELU(1), Softplus, SiLU, GELU, Identity or Dropout that is off "
    "after it, Flatten before it, and Softmax or LogSoftmax at the end"
)
_DROPOUTS = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "Dropout1d", "Dropout2d", "Dropout3d")
_LOSSES = (
    "MSELoss", "HuberLoss", "SmoothL1Loss", "CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss",
    "PoissonNLLLoss",
)  # fmt: skip
_FUNCTIONS = {
    "mse_loss": "MSELoss",
    "huber_loss": "HuberLoss",
    "smooth_l1_loss": "SmoothL1Loss",
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
}
"""torch.nn.functional's, with their defaults."""


def pytorch(what: str) -> Any:
    """The module torch. Raises MissingExtraError where it is not installed."""
    if find_spec("torch") is None:
        raise MissingExtraError(f"{what} needs PyTorch: pip install 'chainrule[torch]'")
    return import_module("torch")


def float64(tensor: Any) -> Array:
    """A tensor's numbers, exactly."""
    return np.array(tensor.detach().cpu().double().resolve_conj().resolve_neg().numpy())


def as_numbers(what: str, values: object) -> object:
    """A tensor as an array; anything else as it is."""
    torch = pytorch("a tensor")
    if not isinstance(values, torch.Tensor):
        return values
    tensor: Any = values
    if tensor.is_complex():
        raise InputError(f"{what}: complex numbers; the calculus here is of real ones")
    return float64(tensor)


# the layers ----------------------------------------------------------------------------------------


@dataclass
class Layer:
    """A Linear and the activation after it, with their names in the model."""

    name: str
    linear: Any
    activation: str = "identity"
    by: str | None = None
    """The name of the module that is the activation."""


@dataclass(frozen=True)
class Chain:
    """A model as a chain of layers. ``steps`` are all its modules in turn, with their names."""

    steps: tuple[tuple[str, Any], ...]
    layers: tuple[Layer, ...]
    thresholds: Mapping[int, float]
    """Beyond it, softplus of that layer is a line."""
    flattens: bool

    def names(self) -> dict[str, str]:
        """w1 → 0.weight, b1 → 0.bias, …, of what is there."""
        found: dict[str, str] = {}
        for l, layer in enumerate(self.layers, 1):
            for letter, attribute in (("w", "weight"), ("b", "bias")):
                if getattr(layer.linear, attribute, None) is not None:
                    found[f"{letter}{l}"] = f"{layer.name}.{attribute}" if layer.name else attribute
        return found

    def tensors(self) -> dict[str, Any]:
        """w1 → the parameter, …, of what is there."""
        return {name: getattr(self.layers[int(name[1:]) - 1].linear, path.split(".")[-1]) for name, path in
                self.names().items()}  # fmt: skip


def chain_of(module: Any, meant: Mapping[str, str]) -> Chain:
    """The model as layers. Raises InputError that names the first module that is none, and what would do."""
    torch = pytorch("check_module")
    require(isinstance(module, torch.nn.Module), "module", module, "a torch.nn.Module")
    steps = list(_flat("", module, meant))
    _check_meant(meant, module, steps)
    layers: list[Layer] = []
    thresholds: dict[int, float] = {}
    flattens = False
    for name, m in steps:
        kind = _kind(name, m, meant)
        if kind == "skip":
            continue
        if kind == "flatten" and not layers:
            flattens = True
        elif kind == "flatten":
            raise InputError(f"{_called(name, m)}: only before the first Linear; after it everything is flat already")
        elif kind == LINEAR:
            _check_linear(name, m, layers)
            layers.append(Layer(name, m))
        elif not layers:
            raise InputError(f"{_called(name, m)}: comes before any Linear; a network here starts with one")
        elif layers[-1].by is not None:
            before = layers[-1].by
            raise InputError(
                f"{_called(name, m)}: a second activation after {before!r}; a layer here has one. "
                f"A Linear between them would make it two layers"
            )
        else:
            layers[-1].activation, layers[-1].by = kind, name
            if kind == "softplus" and name not in meant:
                thresholds[len(layers)] = float(m.threshold)
    if not layers:
        raise InputError("module: has no Linear; there is no gradient to check")
    for layer in layers[:-1]:
        if layer.activation in ("softmax", LOG_SOFTMAX):
            raise InputError(f"{layer.by}: {layer.activation} inside the network; here it can only be its end")
    return Chain(tuple(steps), tuple(layers), thresholds, flattens)


def _flat(name: str, m: Any, meant: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    torch = pytorch("check_module")
    plain = isinstance(m, torch.nn.Sequential) and _forward(m) is torch.nn.Sequential.forward
    if plain and name not in meant:
        for key, child in m._modules.items():
            yield from _flat(f"{name}.{key}" if name else key, child, meant)
    else:
        yield name, m


def _check_meant(meant: Mapping[str, str], module: Any, steps: Sequence[tuple[str, Any]]) -> None:
    require(isinstance(meant, Mapping), "meant", meant, "a table from a module's name to what it is, {'1': 'tanh'}")
    names = [name for name, _ in steps]
    for name, what in meant.items():
        if name not in names:
            raise InputError(f"meant: {shown(name)} is no module of this model.{did_you_mean(name, names)} "
                             f"Its modules: {listed(names)}")  # fmt: skip
        known(f"meant[{name!r}]", what, [*ACTIVATIONS, LOG_SOFTMAX, LINEAR])


def _forward(m: Any) -> Any:
    cls: Any = type(m)  # pyright: ignore[reportUnknownVariableType]
    return cls.forward


def _called(name: str, m: Any) -> str:
    return f"{name or 'the model'} ({type(m).__name__})"


def _kind(name: str, m: Any, meant: Mapping[str, str]) -> str:
    """What a module is: an activation, linear, flatten, or skip for what does nothing."""
    if name in meant:
        return meant[name]
    nn = pytorch("check_module").nn
    called = _called(name, m)
    if isinstance(m, nn.Linear) and _forward(m) is nn.Linear.forward and "weight" in m._parameters:
        return LINEAR
    if type(m).__module__.startswith("torch.nn."):
        if type(m).__name__ in _DROPOUTS:
            if m.training and m.p > 0:
                raise InputError(f"{called}: random while the model trains; call model.eval(), or set p=0")
            return "skip"
        kind = _built_in(called, m)
        if kind is not None:
            return kind
    own = not type(m).__module__.startswith("torch.nn.")
    remedy = (
        f" If it is an activation written by hand, say which: meant={{{name!r}: 'tanh'}}, one of "
        f"{', '.join(ACTIVATIONS)}, {LOG_SOFTMAX}; {LINEAR!r} if it has weight and bias"
        if own
        else ""
    )
    raise InputError(f"{called}: not one of the layers that can be checked: {_EVERY}.{remedy}")


def _built_in(called: str, m: Any) -> str | None:
    def only(holds: bool, what: str) -> None:
        if not holds:
            raise InputError(f"{called}: only {what} can be checked; this one is {m!r}")

    match type(m).__name__:
        case "Flatten":
            only(m.start_dim == 1 and m.end_dim == -1, "Flatten(1, -1), which keeps the examples apart,")
            return "flatten"
        case "Identity":
            return "skip"
        case "ReLU" | "Sigmoid" | "Tanh" | "SiLU":
            return type(m).__name__.lower()
        case "LeakyReLU":
            only(m.negative_slope == 0.01, "LeakyReLU(0.01)")
            return "leaky-relu"
        case "ELU":
            only(m.alpha == 1, "ELU(alpha=1)")
            return "elu"
        case "Softplus":
            only(m.beta == 1, "Softplus(beta=1)")
            return "softplus"
        case "GELU":
            only(m.approximate == "none", "GELU(approximate='none'), the exact z·Φ(z),")
            return "gelu"
        case "Softmax" | "LogSoftmax":
            only(m.dim in (None, 1, -1), f"{type(m).__name__}(dim=1), over the outputs of each example,")
            return "softmax" if type(m).__name__ == "Softmax" else LOG_SOFTMAX
        case _:
            return None


def _check_linear(name: str, m: Any, layers: Sequence[Layer]) -> None:
    called = _called(name, m)
    torch = pytorch("check_module")
    weight: Any = getattr(m, "weight", None)
    if not isinstance(weight, torch.Tensor) or weight.ndim != 2:
        raise InputError(f"{called}: meant to be linear, but it has no weight (outputs, inputs)")
    for layer in layers:
        if layer.linear is m or layer.linear.weight is weight:
            raise InputError(f"{called}: the same weights as {layer.name}; each layer here has weights of its own")
    if layers and int(weight.shape[1]) != int(layers[-1].linear.weight.shape[0]):
        raise InputError(
            f"{called}: takes {weight.shape[1]} inputs, but {layers[-1].name} before it has "
            f"{layers[-1].linear.weight.shape[0]} outputs"
        )


# the loss ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """A model, its examples and its loss as a case: the loss is ``scale`` times the cost, but for a constant."""

    case: Case
    scale: float
    notes: tuple[str, ...]


def reading_of(chain: Chain, loss: Any, X: object, Y: object) -> Reading:
    """The case. Raises InputError for a loss that no cost here is, or one that does not go with the model's end."""
    loss = _loss_module(loss)
    Y_unit = _unit(Y)
    X, Y = as_numbers("X", X), as_numbers("Y", Y)
    inputs = np.asarray(X)
    if chain.flattens and inputs.ndim > 1:
        inputs = inputs.reshape(len(inputs), -1)
    n_0 = int(chain.layers[0].linear.weight.shape[1])
    if inputs.ndim != 2:
        hint = "X.unsqueeze(0) makes one example of it" if inputs.ndim == 1 else "put nn.Flatten() first"
        raise InputError(f"X: shape {inputs.shape}, expected (n, {n_0}), one row for each example; {hint}")
    n, n_L = len(inputs), int(chain.layers[-1].linear.weight.shape[0])
    name, last = type(loss).__name__, chain.layers[-1].activation
    activation, cost = _end(name, loss, last, chain)
    targets, weights, scale, notes = _targets(name, loss, np.asarray(Y), n, n_L)
    exactly = targets
    if cost == "cross-entropy":
        targets = _of_one(targets, Y_unit)
    if name == "CrossEntropyLoss" and last == LOG_SOFTMAX:
        notes.append("CrossEntropyLoss takes the logarithm of softmax itself: LogSoftmax before it changes nothing")
    sizes = [n_0, *(int(layer.linear.weight.shape[0]) for layer in chain.layers)]
    network = Network(sizes, [*(layer.activation for layer in chain.layers[:-1]), activation], cost)
    p = ParameterVector.zeros(network)
    for name, tensor in chain.tensors().items():
        block = (p.w if name[0] == "w" else p.b)[int(name[1:])]
        values = float64(tensor)
        if values.shape != block.shape:
            raise InputError(f"{chain.names()[name]}: shape {values.shape}, expected {block.shape}")
        if not np.isfinite(values).all():
            raise InputError(f"{chain.names()[name]}: not all of it is finite; there is no gradient at such a point")
        block[:] = values
    model = Model(p)
    case = Case.of(model, model.examples(inputs, targets, weights))
    return Reading(case.but(Y=exactly), scale, tuple(notes))


def _loss_module(loss: Any) -> Any:
    nn = pytorch("check_module").nn
    function = getattr(loss, "__name__", "")
    if not isinstance(loss, nn.Module) and getattr(nn.functional, function, None) is loss and function in _FUNCTIONS:
        return getattr(nn, _FUNCTIONS[function])()
    names = ", ".join(f"nn.{name}" for name in _LOSSES)
    if (
        not isinstance(loss, nn.Module)
        or type(loss).__name__ not in _LOSSES
        or getattr(nn, type(loss).__name__) is not type(loss)
    ):
        raise InputError(f"loss: {shown(loss)} is not one of those that can be checked: {names}")
    known("loss: reduction", loss.reduction, ["mean", "sum"])
    return loss


def _end(name: str, loss: Any, last: str, chain: Chain) -> tuple[str, str]:
    """The last layer's activation and the cost that the loss makes of it."""
    at = _called(chain.layers[-1].by or chain.layers[-1].name, chain.layers[-1].linear).split(" (")[0]
    if name in ("MSELoss", "HuberLoss", "SmoothL1Loss"):
        if (name == "HuberLoss" and loss.delta != 1) or (name == "SmoothL1Loss" and loss.beta != 1):
            raise InputError(f"loss: {loss!r}: only the one that changes from square to line at 1 can be checked")
        if last in ("softmax", LOG_SOFTMAX):
            raise InputError(
                f"{at}: {last} does not go with {name} here; use CrossEntropyLoss on the logits, or Sigmoid"
            )
        cost = "huber" if name != "MSELoss" else "mean-squared-error" if loss.reduction == "mean" else "squared-error"
        return last, cost
    if name in ("CrossEntropyLoss", "NLLLoss"):
        if name == "NLLLoss" and last != LOG_SOFTMAX:
            raise InputError(f"{at}: NLLLoss takes logarithms of probabilities, but the model ends with {last}; "
                             f"put LogSoftmax(dim=1) at its end, or use CrossEntropyLoss on the logits")  # fmt: skip
        if last not in ("identity", LOG_SOFTMAX):
            again = " and makes softmax of them itself, a second time here" if last == "softmax" else ""
            raise InputError(f"{at}: CrossEntropyLoss takes logits{again}; the model ends with {last}: leave it out")
        return "softmax", "cross-entropy"
    if name in ("BCELoss", "BCEWithLogitsLoss"):
        wanted = "sigmoid" if name == "BCELoss" else "identity"
        if last != wanted:
            other = "BCELoss" if last == "sigmoid" else "Sigmoid before BCELoss, or BCEWithLogitsLoss without it"
            takes = "probabilities" if name == "BCELoss" else "logits and makes sigmoid of them itself"
            raise InputError(f"{at}: {name} takes {takes}, but the model ends with {last}; use {other}")
        return "sigmoid", "binary-cross-entropy"
    if loss.log_input and last == "identity":
        return "exp", "poisson"
    if not loss.log_input and last == "softplus" and loss.eps == 0:
        return "softplus", "poisson"
    raise InputError(
        f"loss: {loss!r} after {last} ({at}) is not what can be checked: PoissonNLLLoss(log_input=True) on a last "
        f"Linear without an activation is, where exp is part of the loss"
    )


def _targets(name: str, loss: Any, Y: Array, n: int, n_L: int) -> tuple[Array, Array | None, float, list[str]]:
    """Targets (n, n_L), example weights, the loss's scale, and remarks."""
    notes: list[str] = []
    mean = loss.reduction == "mean"
    if name in ("CrossEntropyLoss", "NLLLoss"):
        targets, weights = _classes(loss, Y, n, n_L, name)
        total = float(n if weights is None else weights.sum())
        if not mean:
            notes.append(_summed(n))
        return targets, weights, 1.0 if mean else total, notes
    if getattr(loss, "weight", None) is not None or getattr(loss, "pos_weight", None) is not None:
        raise InputError(f"loss: {name} with weights of entries cannot be checked; leave weight and pos_weight out")
    if Y.shape != (n, n_L):
        hint = ""
        if Y.shape == (n,) and n_L == 1:
            hint = f": {name} would broadcast it or refuse it; Y.unsqueeze(1) is one column"
        raise InputError(f"Y: shape {Y.shape}, but the model's output is {(n, n_L)}{hint}")
    if not mean:
        notes.append(_summed(n))
        return Y, None, float(n), notes
    if name == "MSELoss" or n_L == 1:
        return Y, None, 1.0, notes
    notes.append(f"{name} is a mean over the {n_L} outputs, too: yours is told {n_L} times as large as .grad")
    return Y, None, 1 / n_L, notes


def _unit(values: object) -> float:
    """The spacing of the numbers at 1, of a tensor's type."""
    torch = pytorch("a tensor")
    if not isinstance(values, torch.Tensor):
        return 0.0
    dtype = cast("Any", values).dtype
    return float(torch.finfo(dtype).eps) if dtype.is_floating_point else 0.0


def _of_one(probabilities: Array, unit: float) -> Array:
    """Probabilities that sum to 1 but for the rounding of their type, as such that sum to 1."""
    total = probabilities.sum(axis=1, keepdims=True)
    near = np.abs(total - 1) <= probabilities.shape[1] * unit
    return np.where(near, probabilities / np.where(near, total, 1), probabilities)


def _summed(n: int) -> str:
    return f"the loss is a sum over the {n} examples: yours is told as the mean, .grad divided by {n}"


def _classes(loss: Any, Y: Array, n: int, n_L: int, name: str) -> tuple[Array, Array | None]:
    smoothing = float(getattr(loss, "label_smoothing", 0.0))
    of_classes = None if loss.weight is None else float64(loss.weight)
    if Y.ndim == 2 and name == "CrossEntropyLoss" and Y.shape == (n, n_L):
        if of_classes is not None:
            raise InputError("loss: class weights with targets that are probabilities cannot be checked; give classes")
        return (1 - smoothing) * Y + smoothing / n_L, None
    if Y.shape != (n,):
        expected = f"({n},), the class of each example" + (
            f", or ({n}, {n_L}), probabilities" if name == "CrossEntropyLoss" else ""
        )
        raise InputError(f"Y: shape {Y.shape}, expected {expected}")
    ignored = np.equal(Y, loss.ignore_index)
    bad = ~ignored & ~np.isin(Y, np.arange(n_L))
    if bad.any():
        i = int(bad.argmax())
        raise InputError(f"Y: the class of example {i} is {Y[i]:g}; classes here are 0 to {n_L - 1}")
    classes = np.where(ignored, 0, Y).astype(np.int64)
    if of_classes is not None and smoothing:
        raise InputError("loss: class weights together with label_smoothing cannot be checked; leave one out")
    weights = np.ones(n) if of_classes is None else of_classes[classes]
    weights = np.where(ignored, 0.0, weights)
    targets = (1 - smoothing) * np.eye(n_L)[classes] + smoothing / n_L
    return targets, None if (weights == 1).all() else weights
