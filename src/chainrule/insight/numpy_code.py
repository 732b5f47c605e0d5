"""A derivative as NumPy code: the forward pass, the way back, and the one number that is asked for.

A weight's matrix is w1, ∂C/∂z of layer 1 is dC_dz1, and dt_dz1 where an activation or z is differentiated. Over several
examples, each array has a row for each of them, until their mean is taken in the last lines.
"""

import re
from collections.abc import Iterator

from chainrule.insight.derivative import Derivative

_VALUE = {
    "sigmoid": "1 / (1 + np.exp(-z))",
    "tanh": "np.tanh(z)",
    "relu": "np.maximum(z, 0)",
    "leaky-relu": "np.where(z > 0, z, 0.01 * z)",
    "elu": "np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
    "softplus": "np.logaddexp(z, 0)",
    "silu": "z / (1 + np.exp(-z))",
    "gelu": "z * normal_cdf(z)",
    "exp": "np.exp(z)",
}
_SLOPE = {
    "sigmoid": "sigmoid(z) * sigmoid(-z)",
    "tanh": "1 / np.cosh(z) ** 2",
    "relu": "np.where(z > 0, 1.0, 0.0)",
    "leaky-relu": "np.where(z > 0, 1.0, 0.01)",
    "elu": "np.exp(np.minimum(z, 0))",
    "softplus": "1 / (1 + np.exp(-z))",
    "silu": "(1 + z / (1 + np.exp(z))) / (1 + np.exp(-z))",
    "gelu": "normal_cdf(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)",
    "exp": "np.exp(z)",
}
_SOFTMAX = ["e = np.exp(z - z.max(axis=-1, keepdims=True))", "return e / e.sum(axis=-1, keepdims=True)"]
_NORMAL_CDF = "normal_cdf = np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2)"
_MODULES = {"math": "math", "np": "numpy as np"}
_DC_DA = {
    "squared-error": "2 * ({a} - {y})",
    "half-squared-error": "{a} - {y}",
    "mean-squared-error": "2 * ({a} - {y}) / {a}.shape[-1]",
    "huber": "np.clip({a} - {y}, -1, 1)",
    "cross-entropy": "-{y} / {a}",
    "binary-cross-entropy": "-{y} / {a} + (1 - {y}) / (1 - {a})",
    "poisson": "1 - {y} / {a}",
}


def numpy_code(d: Derivative) -> str:
    """A program that prints the derivative; its first line says from what."""
    back = "# backward" if d.top is None else f"# backward; t is {d.top}"
    body = ["# forward", *_forward(d), "", back, *_backward(d), *_target(d), ""]
    code = "\n".join([*_functions("\n".join(body)), *body])
    imports = [f"import {module}\n" for name, module in _MODULES.items() if f"{name}." in code]
    return "\n".join([_given(d), *imports, code])


def _given(d: Derivative) -> str:
    """What the program starts from."""
    arrays = [f"{letter}{l}" for l in range(1, d.last + 1) for letter in "wb"]
    if d.last > 4:
        arrays[2:-2] = ["..."]
    x, y = _xy(d)
    names = [*arrays, x, *([y] if d.top is None else []), *(["weights"] if d.weighted else [])]
    names += ["mean", "s"] if d.q.letter == "x" else []
    names += [part for part in ("l1", "l2") if any(part in term for term in d.penalty)]
    return f"# given: {', '.join(names)}"


def _xy(d: Derivative) -> tuple[str, str]:
    return ("X", "Y") if d.examples else ("x", "y")


def _functions(body: str) -> Iterator[str]:
    """The functions that are called."""
    called = {*re.findall(r"(\w+)\(z\d", body)}
    yield from [_NORMAL_CDF, ""] if called & {"gelu", "gelu_slope"} else []
    for name, value in _VALUE.items():
        function = name.replace("-", "_")
        if function in called or (function == "sigmoid" and "sigmoid_slope" in called):
            yield from [f"def {function}(z):", f"    return {value}", ""]
        if f"{function}_slope" in called:
            yield from [f"def {function}_slope(z):", f"    return {_SLOPE[name]}", ""]
    if "softmax" in called:
        yield from ["def softmax(z):", *(f"    {line}" for line in _SOFTMAX), ""]


def _forward(d: Derivative) -> Iterator[str]:
    """Every z and a, as far as what is differentiated."""
    x, _ = _xy(d)
    yield f"a0 = ({x} - mean) / s" if d.q.letter == "x" else f"a0 = {x}  # as it enters layer 1"
    for l in range(1, d.last + 1):
        yield f"z{l} = a{l - 1} @ w{l}.T + b{l}" if d.examples else f"z{l} = w{l} @ a{l - 1} + b{l}"
        if l < d.last or d.top is None or d.top.letter == "a":
            yield f"a{l} = {_call(d, l)}"


def _call(d: Derivative, l: int, slope: str = "") -> str:
    """σ of layer l, or σ′."""
    name = d.network.activation[l - 1]
    return f"z{l}" if name == "identity" else f"{name.replace('-', '_')}{slope}(z{l})"


def _backward(d: Derivative) -> Iterator[str]:
    """From the last layer to the target's own a or z."""
    t = _t(d)
    for l in range(d.last, d.q.layer - 1, -1):
        to_z = l > d.q.layer or d.enters_z
        if l == d.last and to_z and (d.a_minus_y or d.from_z):
            yield from _last_dz(d)
            continue
        if l == d.last:
            yield from _last_da(d)
        else:
            yield f"{t}_da{l} = " + (f"{t}_dz{l + 1} @ w{l + 1}" if d.examples else f"w{l + 1}.T @ {t}_dz{l + 1}")
        if to_z:
            slope = "" if d.network.activation[l - 1] == "identity" else f" * {_call(d, l, '_slope')}"
            yield f"{t}_dz{l} = {t}_da{l}{slope}"


def _t(d: Derivative) -> str:
    """How names of derivatives begin."""
    return "dC" if d.top is None else "dt"


def _last_dz(d: Derivative) -> Iterator[str]:
    """∂C/∂z of the last layer at once."""
    l, top = d.last, d.top
    if top is None:
        yield f"dC_dz{l} = a{l} - {_xy(d)[1]}"
    elif top.letter == "a":
        own = f"a{l}[:, [{top.j}]]" if d.examples else f"a{l}[{top.j}]"
        yield f"dt_dz{l} = {own} * (np.eye({d.network.sizes[l]})[{top.j}] - a{l})"
    else:
        yield from _unit(f"dt_dz{l}", f"z{l}", top.j)


def _last_da(d: Derivative) -> Iterator[str]:
    """∂C/∂a of the last layer."""
    l = d.last
    if d.top is None:
        yield f"dC_da{l} = {_DC_DA[d.network.cost].format(a=f'a{l}', y=_xy(d)[1])}"
    else:
        yield from _unit(f"dt_da{l}", f"a{l}", d.top.j)


def _unit(name: str, like: str, j: int) -> Iterator[str]:
    """1 in column j, 0 elsewhere."""
    yield f"{name} = np.zeros_like({like})"
    yield f"{name}[..., {j}] = 1"


def _target(d: Derivative) -> Iterator[str]:
    """From there to the target; over several examples, the mean."""
    q, l, t = d.q, d.q.layer, _t(d)
    if d.weighted:
        yield "share = weights / weights.sum()"
    if q.letter == "w":
        added = {"l1·sign({w})": f" + l1 * np.sign(w{l})", "2·l2·{w}": f" + 2 * l2 * w{l}"}
        penalty = "".join(added[part] for part in d.penalty)
        yield f"{t}_dw{l} = {_outer(d)}{penalty}"
        yield f"print({t}_dw{l}[{q.j}, {q.k}])"
        return
    name = f"{t}_d{q.node}"
    if q.letter == "b":
        yield f"{name} = {t}_dz{l}"
    elif q.letter == "x":
        yield f"{name} = {t}_da0 / s"
    entry = f"{name}[{q.j}]"
    if d.examples:
        entry = f"share @ {name}[:, {q.j}]" if d.weighted else f"{name}[:, {q.j}].mean()"
    yield f"print({entry})"


def _outer(d: Derivative) -> str:
    """∂C/∂w of the target's layer, without the penalty."""
    δ, a = f"{_t(d)}_dz{d.q.layer}", f"a{d.q.layer - 1}"
    if not d.examples:
        return f"np.outer({δ}, {a})"
    return f"(share[:, None] * {δ}).T @ {a}" if d.weighted else f"{δ}.T @ {a} / len(X)"
