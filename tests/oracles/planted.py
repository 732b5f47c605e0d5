"""Backpropagation as a student writes it, with mistakes planted: what ``chainrule.check`` has to find.

It shares no code with ``chainrule``: textbook forms, loops over layers, and at each place where a mistake of the
catalogue can be made, the line that makes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import erf, pi
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Gradient = dict[str, Array]

ELEMENTWISE = ("identity", "sigmoid", "tanh", "relu", "leaky-relu", "elu", "softplus", "silu", "gelu", "exp")
LAST = {
    "squared-error": ELEMENTWISE,
    "half-squared-error": ELEMENTWISE,
    "mean-squared-error": ELEMENTWISE,
    "huber": ELEMENTWISE,
    "cross-entropy": ("softmax",),
    "binary-cross-entropy": ("sigmoid",),
    "poisson": ("exp", "softplus"),
}


OF_SLOPE = (
    "missing-slope", "slope-of-a", "activation-for-slope", "slope-of-another-activation", "slope-by-anothers-form",
    "slope-of-wrong-layer", "slope-in-part", "slope-form-of-z", "slope-twice",
)  # fmt: skip
SUBTRACTS = (("binary-cross-entropy", "sigmoid"), ("poisson", "exp"))
"""Where ∂C/∂z of the last layer is a − y; who makes a mistake in σ′ there goes by way of ∂C/∂a, which needs it."""


@dataclass(frozen=True)
class Problem:
    """A network with its examples; f[l], w[l] and b[l] count from 1, f[0] is not used; s are weights or None."""

    f: list[str]
    cost: str
    w: dict[int, Array]
    b: dict[int, Array]
    X: Array
    Y: Array
    s: Array | None = None
    l1: float = 0.0
    l2: float = 0.0
    earlier: Gradient = field(default_factory=dict[str, Array])

    @property
    def L(self) -> int:
        return len(self.w)

    @property
    def n(self) -> int:
        return len(self.X)

    @property
    def sizes(self) -> list[int]:
        return [self.w[1].shape[1], *(len(self.b[l]) for l in range(1, self.L + 1))]

    @property
    def penalised(self) -> bool:
        return bool(self.l1 or self.l2)

    def __str__(self) -> str:
        extras = f"{', weights' * (self.s is not None)}{', penalty' * self.penalised}"
        return f"{self.sizes} {self.f[1:]} {self.cost}, {self.n} examples{extras}"


@dataclass(frozen=True)
class Planted:
    """A mistake of the catalogue's name, in a layer or everywhere (None), and further particulars."""

    name: str
    layer: int | None = None
    how: Any = None


# the textbook's functions --------------------------------------------------------------------------


def value(f: str, z: Array) -> Array:
    if f == "identity":
        return z * 1
    if f == "sigmoid":
        return 1 / (1 + np.exp(-z))
    if f == "tanh":
        return np.tanh(z)
    if f == "relu":
        return np.where(z > 0, z, 0)
    if f == "leaky-relu":
        return np.where(z > 0, z, 0.01 * z)
    if f == "elu":
        return np.where(z > 0, z, np.exp(z) - 1)
    if f == "softplus":
        return np.where(z > 30, z, np.log(1 + np.exp(np.minimum(z, 30))))  # e^z must not overflow: a is no ∞
    if f == "silu":
        return z / (1 + np.exp(-z))
    if f == "gelu":
        return z * normal(z)
    if f == "exp":
        return np.exp(z)
    e: Array = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def slope(f: str, z: Array, a: Array) -> Array:
    if f == "identity":
        return np.ones_like(z)
    if f == "sigmoid":
        return a * (1 - a)
    if f == "tanh":
        return 1 - a**2
    if f == "relu":
        return np.where(z > 0, 1, 0).astype(z.dtype)
    if f == "leaky-relu":
        return np.where(z > 0, 1, 0.01).astype(z.dtype)
    if f == "elu":
        return np.where(z > 0, 1, a + 1).astype(z.dtype)
    if f == "softplus":
        return 1 / (1 + np.exp(-z))
    if f == "silu":
        sigmoid = 1 / (1 + np.exp(-z))
        return sigmoid + z * sigmoid * (1 - sigmoid)
    if f == "gelu":
        return normal(z) + z * np.exp(-(z**2) / 2) / z.dtype.type(np.sqrt(2 * pi))
    return a  # exp


def normal(z: Array) -> Array:
    """Φ(z)."""
    Φ: Array = np.array([(1 + erf(float(t) / np.sqrt(2))) / 2 for t in z.ravel()], z.dtype)
    return Φ.reshape(z.shape)


def cost_slope(cost: str, a: Array, y: Array) -> Array:
    """∂C/∂a."""
    if cost == "squared-error":
        return 2 * (a - y)
    if cost == "mean-squared-error":
        return 2 * (a - y) / y.shape[1]
    if cost == "half-squared-error":
        return a - y
    if cost == "huber":
        return np.where(a - y > 1, 1, np.where(a - y < -1, -1, a - y)).astype(a.dtype)
    if cost == "cross-entropy":
        return -y / a
    if cost == "binary-cross-entropy":
        return -y / a + (1 - y) / (1 - a)
    return 1 - y / a  # poisson


def penalty_slope(p: Array, l1: float, l2: float) -> Array:
    return p.dtype.type(l1) * np.sign(p) + p.dtype.type(2 * l2) * p


# forward and back ----------------------------------------------------------------------------------


@np.errstate(all="ignore")
def backprop(q: Problem, *planted: Planted) -> Gradient:
    """∇C of a problem, right or with mistakes."""

    def at(name: str, layer: int | None = None) -> Planted | None:
        """The mistake of this name, if it is made in this layer."""
        return next((m for m in planted if m.name == name and m.layer in (None, layer)), None)

    f, cost, L = list(q.f), q.cost, q.L
    columns = at("examples-as-columns")
    X = q.X.T if columns and "X" in columns.how else q.X
    n = len(X)

    if m := at("another-activation"):
        f[1:L] = [m.how] * (L - 1)
    if m := at("another-cost"):
        cost, f[L] = m.how

    # forward
    z: dict[int, Array] = {}
    a: dict[int, Array] = {0: X}
    for l in range(1, L + 1):
        z[l] = a[l - 1] @ q.w[l].T
        m = at("forward-without-bias")
        if m is None or m.how not in (None, l):
            z[l] = z[l] + q.b[l]
        a[l] = value(f[l], z[l])

    # targets
    y = q.Y.T if columns and "Y" in columns.how else q.Y
    if m := at("labels-shifted"):
        y = np.array([y[(i - m.how) % n] for i in range(n)])
    if at("labels-permuted"):
        y = y[::-1]
    if m := at("labels-swapped"):
        i, j = m.how
        y = np.array([y[j] if k == i else y[i] if k == j else y[k] for k in range(n)])
    if m := at("labels-shuffled"):
        y = np.array([y[k] for k in m.how])
    if m := at("classes-permuted"):
        y = y[:, m.how]
    if at("labels-inverted"):
        y = np.where(y == 1, 0.0, 1.0)
    if m := at("labels-not-one-hot"):
        y = np.repeat(y.argmax(axis=1)[:, None] + m.how, y.shape[1], axis=1)

    # σ′ of a layer
    def σ_slope(l: int, dC_da: Array) -> Array:
        if at("missing-slope", l):
            return np.ones_like(z[l])
        if at("slope-of-a", l):
            return slope(f[l], a[l], value(f[l], a[l]))
        if at("activation-for-slope", l):
            return a[l]
        if m := at("slope-of-another-activation", l):
            return slope(m.how, z[l], value(m.how, z[l]))
        if m := at("slope-by-anothers-form", l):
            return a[l] * (1 - a[l]) if m.how == "sigmoid" else 1 - a[l] ** 2
        if m := at("slope-of-wrong-layer", l):
            return slope(f[l], z[m.how], value(f[l], z[m.how]))
        if at("slope-in-part", l):
            return 1 - a[l]
        if at("slope-form-of-z", l):
            return z[l] * (1 - z[l]) if f[l] == "sigmoid" else 1 - z[l] ** 2
        if at("mask-inverted", l):
            return np.where(z[l] <= 0, 1.0, 0.0 if f[l] == "relu" else 0.01)
        if at("mask-of-gradient", l):
            return np.where(dC_da > 0, 1.0, 0.0)
        if m := at("kink-convention", l):
            return np.where(z[l] == 0, m.how, slope(f[l], z[l], a[l]))
        s = slope(f[l], z[l], a[l])
        return s * s if at("slope-twice", l) else s

    # what is made of ∂C/∂z of a layer, for its own gradients and those before
    def passed_on(l: int, δ: Array) -> Array:
        if at("sign-of-layer", l):
            δ = -δ
        if m := at("stray-factor-in-delta", l):
            δ = m.how * δ
        if m := at("clipped-delta", l):
            δ = np.where(δ > m.how, m.how, np.where(δ < -m.how, -m.how, δ))
        return δ

    # ∂C/∂z of the last layer
    δ: dict[int, Array] = {}
    jacobian = np.array([np.diag(row) - np.outer(row, row) for row in a[L]])
    if m := at("cross-entropy-as-squared-error", L):
        if f[L] == "softmax":
            δ[L] = np.array([m.how * jacobian[i] @ (a[L][i] - y[i]) for i in range(n)])
        else:
            δ[L] = m.how * (a[L] - y) * slope(f[L], z[L], a[L])
    elif at("squared-error-as-cross-entropy", L):
        δ[L] = a[L] - y
    elif at("softmax-diagonal", L):
        δ[L] = -y / a[L] * a[L] * (1 - a[L])
    elif at("softmax-slope", L):
        δ[L] = (a[L] - y) * a[L] * (1 - a[L])
    elif at("softmax-twice", L):
        δ[L] = np.array([jacobian[i] @ (a[L][i] - y[i]) for i in range(n)])
    elif at("softmax-missing", L):
        δ[L] = -y / a[L]
    elif m := at("softmax-axis", L):
        δ[L] = np.exp(z[L]) / np.exp(z[L]).sum(axis=m.how) - y
    elif f[L] == "softmax" or ((cost, f[L]) in SUBTRACTS and not any(at(name, L) for name in OF_SLOPE)):
        δ[L] = a[L] - y
    else:
        dC_da = cost_slope(cost, a[L], y)
        δ[L] = dC_da * σ_slope(L, dC_da)
    δ[L] = passed_on(L, δ[L])

    # what each example counts for
    share = np.full(n, 1 / n, q.X.dtype) if q.s is None else (q.s / q.s.sum()).astype(q.X.dtype)
    if (m := at("weights-twice")) and q.s is not None:
        twice = {"twice": q.s * share, "shares squared": share**2, "squares": q.s**2, "mean of squares": q.s**2 / n}
        share = q.s**2 / (q.s**2).sum() if m.how == "normalised" else twice[m.how]
    if (m := at("weights-not-normalised")) and q.s is not None:
        share = {"mean": q.s / n, "sum": q.s, "by the largest": q.s / max(q.s)}[m.how]
    if at("mean-missing"):
        share = share * n
    if at("mean-squared"):
        share = share / n
    if at("mean-over-outputs"):
        share = share / y.shape[1]
    if m := at("cost-scale"):
        share = m.how * share
    if m := at("wrong-count"):
        share = share * n / m.how
    if at("sign"):
        share = -share
    if m := at("one-example"):
        i, mean = m.how
        share = np.where(np.arange(n) == i, share if mean else 1.0, 0.0)
    for name, times in (("example-left-out", 0), ("example-twice", 2)):
        if m := at(name):
            i, recounted = m.how
            s = np.array([(times if k == i else 1) * share[k] for k in range(n)])
            share = s / s.sum() if recounted else s

    # back
    grad: Gradient = {}
    for l in range(L, 0, -1):
        if l < L:
            back = q.w[l + 1]
            if at("transposed-weight", l + 1):
                back = back.T
            if m := at("weight-of-wrong-layer", l + 1):
                back = q.w[m.how]
            if m := at("updated-weights"):
                back = back - m.how * grad[f"w{l + 1}"]
            dC_da = δ[l + 1] @ back
            δ[l] = dC_da * σ_slope(l, dC_da)
            if at("delta-of-next-layer", l):
                δ[l] = δ[l + 1]
            δ[l] = passed_on(l, δ[l])

        incoming = a[l - 1]
        if at("next-activation", l):
            incoming = a[l]
        if at("input-for-activation", l):
            incoming = X
        if at("z-for-activation", l):
            incoming = z[l - 1]
        share_w = share_b = share
        if m := at("weights-ignored", l):
            share_w = share if m.how == "b" else np.full(n, 1 / n)
            share_b = share if m.how == "w" else np.full(n, 1 / n)
        dw = np.zeros_like(q.w[l])
        for i in range(n):
            dw = dw + share_w[i] * np.outer(δ[l][i], incoming[i])
        if m := at("penalty-in-part", l):
            dw = dw + (2 * q.l2 * q.w[l] if m.how == "l1" else q.l1 * np.sign(q.w[l]))
        elif at("penalty-of-the-other-kind"):
            dw = dw + penalty_slope(q.w[l], q.l2, q.l1)
        elif m := at("penalty-scaled", l):
            dw = dw + m.how * penalty_slope(q.w[l], q.l1, q.l2)
        elif not at("penalty-missing", l):
            dw = dw + penalty_slope(q.w[l], q.l1, q.l2)

        db = (share_b[:, None] * δ[l]).sum(axis=0)
        if at("bias-summed", l):
            db = db * n
        if m := at("bias-over-wrong-axis", l):
            db = {"mean": δ[l].mean(axis=1), "sum": δ[l].sum(axis=1)}.get(m.how, (δ[l].T * share).sum(axis=0))
        if m := at("bias-not-summed", l):
            db = share[:, None] * δ[l] if m.how[0] == "shared" else δ[l]
            db = db.T if m.how[1] == "columns" else db
        if m := at("bias-summed-over-all", l):
            one = {"mean": db.mean(), "sum": db.sum(), "not shared": np.sum(δ[l])}[m.how[0]]
            db = np.array(one) if m.how[1] == "scalar" else np.ones_like(db) * one
        if at("penalty-on-biases"):
            db = db + penalty_slope(q.b[l], q.l1, q.l2)

        if at("transposed-result", l):
            dw = dw.T
        if at("column-major", l):
            dw = dw.flatten("F").reshape(dw.shape)
        if m := at("stray-factor", l):
            letter, factor = m.how
            dw, db = (factor * dw, db) if letter == "w" else (dw, factor * db)
        if m := at("sign-lost", l):
            dw, db = (abs(p) if letter in m.how else p for letter, p in (("w", dw), ("b", db)))
        if m := at("sign-alone", l):
            dw, db = (
                np.where(p > 0, 1.0, np.where(p < 0, -1.0, 0.0)) if letter in m.how else p
                for letter, p in (("w", dw), ("b", db))
            )
        if m := at("parameters-for-gradient", l):
            dw, db = q.w[l] if "w" in m.how else dw, q.b[l] if "b" in m.how else db
        if at("zeros", l):
            dw, db = np.zeros_like(dw), np.zeros_like(db)
        if m := at("zeros-in-one", l):
            dw, db = (np.zeros_like(dw), db) if m.how == "w" else (dw, np.zeros_like(db))
        grad[f"w{l}"], grad[f"b{l}"] = dw, db

    # afterwards
    if m := at("layers-reversed"):
        back = {f"{name[0]}{L + 1 - int(name[1:])}": g for name, g in grad.items()}
        grad = {name: back[name] if name[0] in m.how else g for name, g in grad.items()}
    if m := next((m for m in planted if m.name == "accumulated"), None):
        for name in grad:
            if name[0] in m.how and m.layer in (None, int(name[1:])):
                grad[name] = q.earlier[name] + grad[name]
    if m := at("momentum"):
        β, mean = m.how
        grad = {name: β * q.earlier[name] + (1 - β if mean else 1) * g for name, g in grad.items()}
    if m := at("parameters-after-step"):
        grad = {name: (q.w if name[0] == "w" else q.b)[int(name[1:])] - m.how * g for name, g in grad.items()}
    if m := at("accumulated-twice"):
        grad = {name: sum((g for _ in range(m.how)), np.zeros_like(g)) for name, g in grad.items()}
    if m := at("stray-factor-everywhere"):
        grad = {name: m.how * g for name, g in grad.items()}
    if m := next((m for m in planted if m.name == "clipped"), None):
        c, letters = m.how
        for name, g in grad.items():
            if name[0] in letters and m.layer in (None, int(name[1:])):
                grad[name] = np.minimum(np.maximum(g, -c), c)
    if m := at("clipped-by-norm"):
        c, which = m.how
        sizes = {name: np.sqrt((g**2).sum()) for name, g in grad.items()}
        whole = np.sqrt(sum(size**2 for size in sizes.values()))
        sizes = sizes if which == "each" else dict.fromkeys(sizes, whole)
        grad = {name: g * c / sizes[name] if sizes[name] > c else g for name, g in grad.items()}
    return grad


# where a mistake can be made -----------------------------------------------------------------------


def places(name: str, q: Problem, random: np.random.Generator) -> list[Planted]:
    """The mistake at every place of a problem where it can be made."""
    L, n, sizes = q.L, q.n, q.sizes
    layers, hidden = range(1, L + 1), range(1, L)
    squared = q.cost.endswith("squared-error") or q.cost == "huber"
    sloped = [l for l in layers if q.f[l] != "softmax"]  # σ′ is a factor
    square = [l for l in layers if sizes[l] == sizes[l - 1]]
    factor = float(random.choice([3, 7, 0.1, 1.7, -2.5, round(random.uniform(0.2, 5), 3)]))

    def everywhere(*hows: Any, when: bool = True) -> list[Planted]:
        return [Planted(name, None, how) for how in hows] if when else []

    def each(where: Iterable[int], *hows: Any) -> list[Planted]:
        return [Planted(name, l, how) for l in where for how in hows or (None,)]

    match name:
        case "another-activation":
            return everywhere(*ELEMENTWISE, when=L > 1)
        case "layers-reversed":
            return everywhere("wb", "w", "b", when=L > 1)
        case "mean-missing" | "mean-squared" | "labels-permuted":
            return everywhere(None, when=n > 1)
        case "bias-summed":
            return [Planted(name), *each(layers)] if n > 1 else []
        case "zeros" | "transposed-result" | "column-major":
            return [Planted(name), *each(layers)]
        case "penalty-missing":
            return [Planted(name), *each(layers)] if q.penalised else []
        case "penalty-on-biases":
            return everywhere(None, when=q.penalised)
        case "penalty-scaled":
            factors = (2.0, 0.5, -1.0, 1 / n, n)
            return [Planted(name, l, factor) for l in (None, *layers) for factor in factors if q.penalised]
        case "penalty-in-part":
            return [Planted(name, l, how) for l in (None, *layers) for how in ("l1", "l2") if q.l1 and q.l2]
        case "penalty-of-the-other-kind":
            return everywhere(None, when=bool(q.l1) != bool(q.l2))
        case "missing-slope" | "slope-of-a" | "activation-for-slope" | "slope-twice":
            return each(sloped)
        case "slope-of-another-activation":
            return each(sloped, *(f for f in ELEMENTWISE if f != "identity"))
        case "slope-by-anothers-form":
            return each(sloped, "sigmoid", "tanh")
        case "slope-of-wrong-layer":
            return [Planted(name, l, m) for l in sloped for m in layers if m != l and sizes[m] == sizes[l]]
        case "slope-in-part" | "slope-form-of-z":
            return each([l for l in sloped if q.f[l] in ("sigmoid", "tanh")])
        case "mask-inverted":
            return each([l for l in sloped if q.f[l] in ("relu", "leaky-relu")])
        case "mask-of-gradient":
            return each([l for l in sloped if q.f[l] == "relu"])
        case "softmax-twice" | "softmax-diagonal" | "softmax-missing" | "softmax-slope":
            return each([L] if q.f[L] == "softmax" else [])
        case "softmax-axis":
            return each([L] if q.f[L] == "softmax" and n > 1 else [], 0, None)
        case "cross-entropy-as-squared-error":
            return each([L] if not squared else [], 1, 2)
        case "squared-error-as-cross-entropy":
            return each([L] if squared else [])
        case "transposed-weight":
            return each([l for l in square if l > 1])
        case "weight-of-wrong-layer":
            same = [(l, m) for l in layers[1:] for m in layers if m != l and q.w[l].shape == q.w[m].shape]
            return [Planted(name, l, m) for l, m in same]
        case "updated-weights":
            return everywhere(float(random.choice([0.01, 0.1, 0.5, 1.0])), when=L > 1)
        case "next-activation":
            return each(square)
        case "input-for-activation":
            return each([l for l in layers[1:] if sizes[l - 1] == sizes[0]])
        case "z-for-activation":
            return each(layers[1:])
        case "delta-of-next-layer":
            return each([l for l in hidden if sizes[l] == sizes[l + 1]])
        case "sign-of-layer":
            return each(hidden)
        case "bias-over-wrong-axis":
            return each(layers, "mean", "sum", "shared")
        case "bias-not-summed":
            hows = [(how, form) for how in ("shared", "not shared") for form in ("rows", "columns")]
            return each(layers if len(q.X) > 1 else [], *hows)  # of one example it is the sum
        case "bias-summed-over-all":
            hows = [(how, form) for how in ("mean", "sum", "not shared") for form in ("scalar", "array")]
            return each([l for l in layers if sizes[l] > 1], *hows)
        case "weights-ignored":
            return [Planted(name, l, how) for l in (None, *layers) for how in ("", "w", "b") if q.s is not None]
        case "weights-twice":
            hows = ("normalised", "twice", "shares squared", "squares", "mean of squares")
            return everywhere(*hows, when=q.s is not None)
        case "weights-not-normalised":
            return everywhere("mean", "sum", "by the largest", when=q.s is not None)
        case "labels-shifted":
            return everywhere(1, -1, 2, -2, when=n > 1)
        case "labels-swapped":
            i, j = random.choice(n, 2, replace=False) if n > 1 else (0, 0)
            return everywhere((int(i), int(j)), when=n > 1)
        case "labels-shuffled":
            return everywhere(random.permutation(n).tolist(), when=1 < n <= sizes[L - 1] + 1)
        case "labels-inverted":
            return everywhere(None, when=q.f[L] != "softmax" and set(q.Y.ravel()) <= {0, 1})
        case "labels-not-one-hot":
            one_hot = sizes[L] > 1 and set(q.Y.ravel()) == {0, 1} and (q.Y.sum(axis=1) == 1).all()
            return everywhere(0, 1, when=bool(one_hot))
        case "classes-permuted":
            swapped = list(range(sizes[L]))
            i, j = random.choice(sizes[L], 2, replace=False) if sizes[L] > 1 else (0, 0)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            turned = [*range(1, sizes[L]), 0]
            return everywhere(swapped, turned, when=sizes[L] > 1)
        case "examples-as-columns":
            square = [name for name, width in (("X", sizes[0]), ("Y", sizes[L])) if width == n and n > 1]
            return everywhere(*square, *(["X and Y"] if len(square) == 2 else []))
        case "one-example":
            return everywhere((int(random.integers(n)), True), (n - 1, False), when=n > 1)
        case "example-left-out" | "example-twice":
            return everywhere(*((i, recounted) for i in {0, n - 1} for recounted in (False, True)), when=n > 1)
        case "another-cost":
            return everywhere(*_other_costs(q))
        case "mean-over-outputs":
            return everywhere(None, when=sizes[L] > 1)
        case "cost-scale":
            return everywhere(2.0, 0.5, 4.0, 1 / sizes[L], 2 / sizes[L])
        case "wrong-count":
            return everywhere(int(random.integers(2, 40)))
        case "accumulated":
            where = [(None, "wb"), *((l, letters) for l in layers for letters in ("wb", "w", "b"))]
            return [Planted(name, l, letters) for l, letters in where if q.earlier]
        case "momentum":
            return everywhere((0.9, False), (0.9, True), (0.99, False), (0.5, True), when=bool(q.earlier))
        case "parameters-after-step":
            return everywhere(float(random.choice([0.001, 0.1, 0.3, 1.0])))
        case "parameters-for-gradient" | "sign-lost" | "sign-alone":
            return [Planted(name, None, "wb"), *each(layers, "w", "b")]
        case "accumulated-twice":
            return everywhere(2, 3)
        case "clipped":
            right = {key: np.abs(g).ravel() for key, g in backprop(q).items()}
            c = float(np.quantile(np.concatenate([*right.values()]), random.uniform(0.2, 0.8)))
            large = [key for key, g in right.items() if (g > c).sum() > 1]
            return [Planted(name, None, (c, "wb")), *(Planted(name, int(key[1:]), (c, key[0])) for key in large)]
        case "clipped-by-norm":
            norms = [float(np.linalg.norm(g)) for g in backprop(q).values()]
            some, least = float(random.choice([0.1, 0.5, 1.0])), float(np.median(norms))
            return everywhere((some, "all"), (some, "each"), (least, "each"))
        case "clipped-delta":
            return [Planted(name, l, c) for l in (None, *layers) for c in (0.1, 0.25, float(random.uniform(0.05, 0.5)))]
        case "stray-factor":
            return each(layers, ("w", factor), ("b", factor), ("w", 2.0), ("b", 0.5))
        case "stray-factor-in-delta":
            return [*each(layers, factor, 2.0), *everywhere(1 / n, 2.0)]
        case "stray-factor-everywhere":
            return everywhere(factor)
        case "zeros-in-one":
            return each(layers, "w", "b")
        case "sign":
            return everywhere(None)
        case "forward-without-bias":
            return everywhere(None, *layers)
        case "kink-convention":
            kinks = {l: (0.0 if q.f[l] == "relu" else 0.01) for l in sloped if q.f[l] in ("relu", "leaky-relu")}
            return [Planted(name, l, how) for l, low in kinks.items() for how in ((1 + low) / 2, 1.0)]
        case _:
            raise AssertionError(f"{name} is planted nowhere: write here what makes this mistake")


def _other_costs(q: Problem) -> list[tuple[str, str]]:
    """Each other cost that takes these targets, with the output that belongs to it or the one that is there."""
    found: list[tuple[str, str]] = []
    for cost, last in LAST.items():
        probable = bool(((q.Y >= 0) & (q.Y <= 1)).all())
        takes = {
            "cross-entropy": probable and bool(np.allclose(q.Y.sum(axis=1), 1)),
            "binary-cross-entropy": probable,
            "poisson": bool((q.Y >= 0).all()),
        }.get(cost, True)
        outputs = [q.f[q.L]] if q.f[q.L] in last else list(last) if len(last) < 3 else ["identity"]
        found += [(cost, f) for f in outputs if takes and (cost, f) != (q.cost, q.f[q.L])]
    return found


# random problems -----------------------------------------------------------------------------------


def random_problem(random: np.random.Generator, square: bool | None = None, tiny: bool = False) -> Problem:
    """A network of 1–6 layers, 1–8 wide, with 1–12 examples; nothing overflows and little is saturated."""
    while True:
        q = _draw(random, bool(random.random() < 0.4) if square is None else square, tiny)
        with np.errstate(all="ignore"):
            right = backprop(q)
            flat = np.concatenate([g.ravel() for g in right.values()])
        if np.isfinite(flat).all() and 1e-6 < np.abs(flat).max() < 1e6 and _largest_z(q) < 1e3:
            return q


@np.errstate(all="ignore")
def _largest_z(q: Problem) -> float:
    a, largest = q.X, 0.0
    for l in range(1, q.L + 1):
        z = a @ q.w[l].T + q.b[l]
        a, largest = value(q.f[l], z), max(largest, float(np.abs(z).max()))
    return largest


def _draw(random: np.random.Generator, square: bool, tiny: bool) -> Problem:
    L = int(random.integers(1, 3 if tiny else 7))
    widest = 2 if tiny else 8
    cost = str(random.choice(list(LAST)))
    sizes = [int(k) for k in random.integers(1, widest + 1, L + 1)]
    if cost == "cross-entropy":
        sizes[-1] = max(2, sizes[-1])  # softmax of one output is 1, whatever it is of
    if square:
        sizes = [sizes[-1]] * (L + 1)
    n = sizes[0] if square and random.random() < 0.3 else int(random.integers(1, 13))
    one = str(random.choice(ELEMENTWISE))
    hidden = [one if random.random() < 0.3 else str(random.choice(ELEMENTWISE)) for _ in range(L - 1)]
    last = str(random.choice(LAST[cost]))
    scale = 10 ** random.uniform(-0.5, 0.3)
    w = {l: random.normal(0, scale / np.sqrt(sizes[l - 1]), (sizes[l], sizes[l - 1])) for l in range(1, L + 1)}
    b = {l: random.normal(0, 0.5, sizes[l]) for l in range(1, L + 1)}
    X = random.normal(size=(n, sizes[0]))
    if cost == "cross-entropy" or (cost != "poisson" and random.random() < 0.15):
        Y = np.eye(sizes[-1])[random.integers(sizes[-1], size=n)]
        if random.random() < 0.3:
            Y = random.dirichlet(np.ones(sizes[-1]), n)
    elif cost == "binary-cross-entropy":
        Y = random.integers(2, size=(n, sizes[-1])).astype(float)
    elif cost == "poisson":
        Y = random.poisson(2, (n, sizes[-1])).astype(float)
    else:
        Y = random.normal(size=(n, sizes[-1]))
    l1 = 10 ** random.uniform(-3, -0.5) if random.random() < 0.25 else 0.0
    l2 = 10 ** random.uniform(-3, -0.5) if random.random() < 0.25 else 0.0
    s = random.uniform(0.2, 3, n) if random.random() < 0.3 else None
    q = Problem(["", *hidden, last], cost, w, b, X, Y, s, l1, l2)
    with np.errstate(all="ignore"):
        earlier = backprop(replace(q, X=q.X[::-1] + 0.1))
    return replace(q, earlier=earlier)


def random_planted(name: str, random: np.random.Generator, tries: int = 20_000) -> tuple[Problem, Planted, Gradient]:
    """A random problem, the mistake somewhere in it, and what comes out: other numbers than the right ones."""
    for _ in range(tries):
        q = random_problem(random, square=True if random.random() < 0.5 else None)
        options = places(name, q, random)
        if options:
            planted = options[int(random.integers(len(options)))]
            wrong = planted_in(q, planted)
            if wrong is not None:
                return q, planted, wrong
    raise AssertionError(f"{name}: in none of {tries} networks")


def random_pair(names: list[str], random: np.random.Generator) -> tuple[Problem, tuple[Planted, Planted], Gradient]:
    """Two mistakes in different layers, each of which changes the numbers although the other is there."""
    while True:
        q = random_problem(random)
        one, other = (places(str(name), q, random) for name in random.choice(names, 2, replace=False))
        options = [(m, k) for m in one for k in other if m.layer and k.layer and m.layer != k.layer]
        if options:
            m, k = options[int(random.integers(len(options)))]
            both = planted_in(q, m, k)
            if both is not None and all(_changes(planted_in(q, alone), both) for alone in (m, k)):
                return q, (m, k), both


def planted_in(q: Problem, *planted: Planted) -> Gradient | None:
    """The wrong numbers, or None where they are the right ones, or none."""
    with np.errstate(all="ignore"):
        wrong = backprop(q, *planted)
        if not all(np.isfinite(g).all() for g in wrong.values()) or not _changes(backprop(q), wrong):
            return None
    return wrong


def _changes(right: Gradient | None, wrong: Gradient) -> bool:
    """Whether some array is another, by more than what is lost in rounding where a layer is saturated."""
    if right is None:
        return True
    least = 1e-10 * max(float(np.abs(g).max()) for g in right.values())
    return any(
        right[name].shape != g.shape or np.abs(right[name] - g).max() > max(least, 1e-7 * np.abs(right[name]).max())
        for name, g in wrong.items()
    )
