"""PyTorch's gradient of a dense model, judged."""

from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import layout
from chainrule.checking.arithmetic import FEW
from chainrule.checking.calculation import Calculation
from chainrule.checking.case import Case
from chainrule.checking.check import judge
from chainrule.checking.given import PRECISIONS, given_arrays
from chainrule.checking.mistake import Given
from chainrule.checking.torch_model import (
    LINEAR,
    LOG_SOFTMAX,
    Chain,
    as_numbers,
    chain_of,
    float64,
    pytorch,
    reading_of,
)
from chainrule.checking.verdict import Finding, Verdict
from chainrule.checks import did_you_mean, known, listed, require, shown
from chainrule.errors import InputError

SLACK = 4.0
"""The outputs of a layer may be off by so many times what rounding may do before it is said that it computes something
else."""

OF_BCE = 1e-12
"""PyTorch's BCELoss divides by a(1 − a), but never by less."""


def check_module(
    module: Any,
    loss: Any,
    X: object,
    Y: object,
    *,
    gradients: Mapping[str, object] | None = None,
    meant: Mapping[str, str] | None = None,
    precision: str = "auto",
) -> Verdict:
    """Whether the gradient of ``loss(module(X), Y)`` is right; if not, by which mistake.

    ``module`` is a dense ``torch.nn.Sequential``, ``loss`` one of ``torch.nn``'s. The gradient is what is in the
    parameters' ``.grad``; where that is None everywhere, ``backward()`` runs on a copy, and the module stays as it is.
    ``gradients`` is another one, by the names of ``module.named_parameters()``. ``meant`` says of a module of your own
    which activation it is, {"1": "tanh"}, or "linear" if it has weight and bias. ``precision`` is float64, float32,
    tf32, float16, bfloat16, or auto, the parameters' type. Raises InputError, naming the layer, for what is not such a
    model, and MissingExtraError without PyTorch.
    """
    known("precision", precision, ["auto", *PRECISIONS])
    chain = chain_of(module, {} if meant is None else meant)
    reading = reading_of(chain, loss, X, Y)
    if precision == "auto":
        precision = _coarsest([precision_of_tensor(tensor) for tensor in chain.tensors().values()])
    names = chain.names()
    case = reading.case.but(u=PRECISIONS[precision].u)
    case, line, of_softplus = _with_softplus(case, chain)
    copy = _copied(module)
    guard = case.but(u=max(case.u, line), coarse={})
    outputs = _follow(chain_of(copy, {} if meant is None else meant), guard, X, {} if meant is None else meant)
    lost = _lost(chain, case, outputs)
    off = np.abs(lost - case.Y)
    slight = off <= max(2 * OF_BCE, FEW * case.u)
    case = case.but(Y=np.where(slight, lost, case.Y))
    notes = [*reading.notes, *of_softplus]
    if gradients is not None:
        tensors = _by_name(gradients, chain)
        if precision == "float64" and not any(isinstance(g, pytorch("").Tensor) for g in tensors.values()):
            precision = "auto"
        else:
            precision = _coarsest([precision, *(precision_of_tensor(g) for g in tensors.values() if g is not None)])
    else:
        tensors = {name: tensor.grad for name, tensor in chain.tensors().items()}
        if all(grad is None for grad in tensors.values()):
            tensors = _backward(copy, loss, X, Y, chain)
            notes.append("no parameter had a gradient: backward() was run on a copy of the model")
    needed = [name for name, tensor in chain.tensors().items() if tensor.requires_grad]
    none = [name for name in needed if tensors.get(name) is None]
    given, remarks = _given(case, {name: g for name, g in tensors.items() if g is not None}, reading.scale)
    verdict = judge(case, given, precision, [*notes, *remarks])
    found = list(verdict.findings)
    if found and not slight.all() and judge(case.but(Y=lost), given, _coarsest([precision, "float32"])).ok:
        found = [_of_bce(verdict.wrong, case, int((~slight).sum()))]
    findings = [*(_without(case, name, names[name]) for name in none), *found]
    both = [replace(finding, says=finding.says + _both(finding.parameters, names)) for finding in findings]
    return replace(verdict, findings=tuple(both))


def precision_of_tensor(tensor: object) -> str:
    """The arithmetic of a tensor's type, and of the matrix products that PyTorch is set to make with it."""
    torch = pytorch("a tensor")
    if not isinstance(tensor, torch.Tensor):
        name = str(np.asarray(tensor).dtype)
        return name if name in PRECISIONS else "float64"
    t: Any = tensor
    name = str(t.dtype).removeprefix("torch.")
    require(name in PRECISIONS, "the parameters' type", name, "one of float64, float32, float16 and bfloat16")
    if name != "float32":
        return name
    products = str(torch.get_float32_matmul_precision())
    if t.is_cuda:
        allowed = products != "highest"
        with suppress(RuntimeError):  # where it was set by its newer name
            allowed = allowed or bool(torch.backends.cuda.matmul.allow_tf32)
        return "tf32" if allowed else name
    return {"high": "tf32", "medium": "bfloat16"}.get(products, name)


def _coarsest(names: list[str]) -> str:
    return max(names, key=lambda name: PRECISIONS[name].u, default="float64")


# the gradient --------------------------------------------------------------------------------------


def _by_name(gradients: Mapping[str, object], chain: Chain) -> dict[str, object]:
    """Gradients by w1, b1, …, from the module's names or ours."""
    require(isinstance(gradients, Mapping), "gradients", gradients, "a table by the names of named_parameters()")
    names = chain.names()
    ours = {path: name for name, path in names.items()} | {name: name for name in names}
    found: dict[str, object] = {}
    for name, values in gradients.items():
        if name not in ours:
            raise InputError(
                f"gradients: {shown(name)} is no parameter of this model.{did_you_mean(name, names.values())} "
                f"Its parameters: {listed(names.values())}"
            )
        found[ours[name]] = values
    missing = [names[name] for name, tensor in chain.tensors().items() if tensor.requires_grad and name not in found]
    if missing:
        raise InputError(f"gradients: {listed(missing)} missing; None stands for a parameter that got no gradient")
    return found


def _given(case: Case, tensors: Mapping[str, object], scale: float) -> tuple[Given, list[str]]:
    """The arrays as given, in units of the cost's own gradient; only those that are there."""
    shapes = {block.name: block.shape for block in layout(case.network)}
    given = {name: as_numbers(name, values) for name, values in tensors.items()}
    arrays, remarks = given_arrays(case, {name: given.get(name, np.zeros(shapes[name])) for name in shapes})
    return {name: np.asarray(arrays[name], np.float64) / scale for name in given}, remarks


def _backward(copy: Any, loss: Any, X: object, Y: object, chain: Chain) -> dict[str, object]:
    torch = pytorch("check_module")
    first = next(iter(chain.tensors().values()))
    parameters = dict(copy.named_parameters())
    with torch.enable_grad():
        try:
            outputs = copy(_input(X, first))
            target: Any = Y if isinstance(Y, torch.Tensor) else torch.as_tensor(np.asarray(Y))
            if target.is_floating_point():
                target = target.to(outputs.dtype)
            loss(outputs, target.to(outputs.device)).backward()
        except (RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"backward() fails on this model: {str(error).splitlines()[0]}") from error
    return {name: parameters[path].grad for name, path in chain.names().items()}


def _input(X: object, like: Any) -> Any:
    torch = pytorch("check_module")
    inputs: Any = X if isinstance(X, torch.Tensor) else torch.as_tensor(np.asarray(X, np.float64))
    return inputs.detach().to(device=like.device, dtype=like.dtype)


def _copied(module: Any) -> Any:
    try:
        copy = deepcopy(module)
    except (RuntimeError, TypeError) as error:
        raise InputError(f"module: cannot be copied, so that it would stay as it is: {error}") from None
    for parameter in copy.parameters():
        parameter.grad = None
    return copy


# the way forward -----------------------------------------------------------------------------------


def _follow(chain: Chain, case: Case, X: object, meant: Mapping[str, str]) -> Array:
    """The model's output, each step compared with the network's. Raises InputError where they are not the same."""
    torch = pytorch("check_module")
    rounding, trace = case.rounding, case.trace
    x: Any = _input(X, next(iter(chain.tensors().values())))
    l = 0
    with torch.no_grad():
        for name, m in chain.steps:
            linear = l < case.L and m is chain.layers[l].linear
            l += linear
            try:
                x = m(x)
            except (RuntimeError, TypeError, ValueError) as error:
                raise InputError(f"{name}: fails on its way forward: {str(error).splitlines()[0]}") from error
            if linear:
                _compare(name, LINEAR, x, trace.z[l], rounding.z[l], trace.z[l], name in meant)
            elif l and name == chain.layers[l - 1].by:
                what = chain.layers[l - 1].activation
                of_log = what == LOG_SOFTMAX
                with np.errstate(divide="ignore"):
                    right = np.log(trace.a[l]) if of_log else trace.a[l]
                    error = rounding.a[l] / trace.a[l] if of_log else rounding.a[l]
                if what != LOG_SOFTMAX and what != case.network.activation[l - 1]:
                    continue
                error = error + 4 * rounding.u * np.abs(right)
                _compare(name, what, x, right, error, trace.z[l], name in meant)
    return float64(x)


def _compare(name: str, what: str, x: Any, right: Array, error: Array, z: Array, own: bool) -> None:
    theirs = float64(x)
    if theirs.shape != right.shape:
        raise InputError(f"{name}: its output has shape {theirs.shape}, expected {right.shape} of {what}")
    with np.errstate(invalid="ignore"):
        off = ~(np.abs(theirs - right) <= SLACK * error)
    off &= np.isfinite(right) & np.isfinite(error)
    if not off.any():
        return
    i, j = (int(at) for at in np.argwhere(off)[0])
    gives = f"in example {i} its output {j} is {theirs[i, j]:.6g}, not {right[i, j]:.6g}"
    if what == LINEAR:
        raise InputError(f"{name}: does not compute x·weightᵀ + bias: {gives}. Does a hook change it?")
    gives = f"at z = {z[i, j]:.6g} it gives {theirs[i, j]:.6g}, and {what} {right[i, j]:.6g}"
    remedy = "; say in meant which activation it is, or mend its forward()" if own else ". Does a hook change it?"
    raise InputError(f"{name}: is not {what} on its way forward: {gives}{remedy}")


def _with_softplus(case: Case, chain: Chain) -> tuple[Case, float, list[str]]:
    """Softplus is a line beyond a threshold: off by e^(−threshold), which is allowed for."""
    line = 0.0
    notes: list[str] = []
    for l, threshold in chain.thresholds.items():
        off = float(np.exp(-threshold))
        if off > case.u and bool((case.trace.z[l] > threshold).any()):
            by = chain.layers[l - 1].by
            notes.append(f"{by}: Softplus is a line beyond {threshold:g}, off by up to {off:.0e}, which is allowed for")
            line = max(line, off)
    if not notes:
        return case, line, notes
    loose = Calculation(case.but(u=line))
    return case.but(coarse={block.name: loose.error(block.name) for block in layout(case.network)}), line, notes


def _lost(chain: Chain, case: Case, outputs: Array) -> Array:
    """The targets with which ∂C/∂z = a − y is what BCELoss makes of it where Sigmoid is near 0 or 1.

    BCELoss divides by a(1 − a), but by 10⁻¹² at least; Sigmoid multiplies by a(1 − a) again.
    """
    if case.network.cost != "binary-cross-entropy" or chain.layers[-1].activation != "sigmoid":
        return case.Y
    kept = np.minimum(outputs * (1 - outputs) / OF_BCE, 1)
    return np.where(kept == 1, case.Y, case.trace.a[case.L] - kept * (outputs - case.Y))


# findings ------------------------------------------------------------------------------------------


def _of_bce(wrong: tuple[str, ...], case: Case, count: int) -> Finding:
    return Finding(
        wrong,
        "bce-without-gradient",
        case.L,
        f"Sigmoid is so near 0 or 1 in {count} output{'s' * (count != 1)}, on the wrong side, that BCELoss gives them "
        f"no gradient",
        "without these, everything is right",
        "BCEWithLogitsLoss on the logits, without Sigmoid at the end",
    )


def _without(case: Case, name: str, path: str) -> Finding:
    right = Calculation(case).array(name)
    return Finding(
        (name,),
        "no-gradient",
        int(name[1:]),
        f"{path} needs a gradient and got None",
        f"its exact gradient is not 0: its largest entry is {float(np.abs(right).max(initial=0)):.6g}"
        if right.any()
        else "its exact gradient is 0 here",
        "a backward() that returns None for it, detach(), .data or no_grad() cuts the way back: return its gradient",
    )


def _both(parameters: tuple[str, ...], names: Mapping[str, str]) -> str:
    pairs = [f"{name} = {names[name]}" for name in parameters if name in names]
    shown_ = ", ".join(pairs[:4]) + (", …" if len(pairs) > 4 else "")
    return f" ({shown_})" if pairs else ""
