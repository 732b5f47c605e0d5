"""A hundred functions with their gradients, written down by hand: what check_function is tried on."""

# What NumPy makes of an Any is unknown to pyright.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Fn = Callable[[Any], Any]


@dataclass(frozen=True)
class Function:
    name: str
    cost: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    x: Any
    zero: bool = False
    """The gradient is 0, or the rounding of 0."""
    kinks: tuple[int, ...] = ()
    """Flat indices of entries at a kink, where a wrong value may be between the slopes."""

    def right(self, x: Any) -> Array:
        """The gradient as one vector."""
        found = self.gradient(x)
        return np.concatenate([np.ravel(found[name]) for name in self.arrays] if self.arrays else [np.ravel(found)])

    def shaped(self, flat: Array) -> Any:
        """A vector in the shapes of x."""
        if not self.arrays:
            return flat.reshape(self.x.shape)
        parts = np.split(flat, np.cumsum([array.size for array in self.arrays.values()]))
        return {name: part.reshape(a.shape) for (name, a), part in zip(self.arrays.items(), parts, strict=False)}

    @property
    def arrays(self) -> dict[str, Array]:
        """x by name; nothing where x is one array."""
        return cast("dict[str, Array]", self.x) if isinstance(self.x, dict) else {}


def scatter(x: Array) -> float:
    """A number in ±½ that no two neighbours share: what rounding looks like."""
    return (hash(tuple(np.asarray(x).ravel().tolist())) % 100003) / 100003 - 0.5


def hundred() -> list[Function]:
    rng = np.random.default_rng(5)
    found: list[Function] = []

    def add(name: str, cost: Fn, gradient: Fn, x: Any, kinks: tuple[int, ...] = (), zero: bool = False) -> None:
        found.append(Function(name, cost, gradient, np.array(x, dtype=float), zero, kinks))

    n = 6
    x, c = rng.normal(size=n), rng.normal(size=n)
    A = rng.normal(size=(n, n))
    S = A @ A.T + np.eye(n)

    # smooth, complex numbers allowed or not
    add("linear", lambda x: c @ x, lambda x: c, x)
    add("square", lambda x: x @ x, lambda x: 2 * x, x)
    add("square at 0", lambda x: x @ x, lambda x: 2 * x, np.zeros(n), zero=True)
    add("quadratic form", lambda x: x @ A @ x, lambda x: (A + A.T) @ x, x)
    add("cubic", lambda x: (c * x**3).sum(), lambda x: 3 * c * x**2, x)
    add("7th power", lambda x: (x**7).sum(), lambda x: 7 * x**6, x)
    add("20th power", lambda x: (x**20).sum(), lambda x: 20 * x**19, 1 + 0.1 * x)
    add("product", lambda x: np.prod(x), lambda x: np.prod(x) / x, x)
    add("exp", lambda x: np.exp(c @ x), lambda x: np.exp(c @ x) * c, x)
    add("sum of exp", lambda x: np.exp(3 * x).sum(), lambda x: 3 * np.exp(3 * x), x)
    add("log", lambda x: np.log(x).sum(), lambda x: 1 / x, np.exp(x))
    add("x log x", lambda x: (x * np.log(x)).sum(), lambda x: np.log(x) + 1, np.exp(x))
    add("log1p of square", lambda x: np.log1p(x @ x), lambda x: 2 * x / (1 + x @ x), x)
    add("norm", lambda x: np.sqrt(x @ x), lambda x: x / np.sqrt(x @ x), x)
    add("np.linalg.norm", lambda x: np.linalg.norm(x), lambda x: x / np.linalg.norm(x), x)
    add("4-norm", lambda x: (x**4).sum() ** 0.25, lambda x: x**3 * (x**4).sum() ** -0.75, x)
    add("ratio", lambda x: (c @ x) / (1 + x @ x), lambda x: c / (1 + x @ x) - 2 * x * (c @ x) / (1 + x @ x) ** 2, x)
    add("inverse", lambda x: (1 / x).sum(), lambda x: -1 / x**2, x)
    add("Rayleigh", lambda x: (x @ S @ x) / (x @ x), lambda x: 2 * (S @ x - x * (x @ S @ x) / (x @ x)) / (x @ x), x)
    add("sin", lambda x: np.sin(x).sum(), lambda x: np.cos(x), x)
    add(
        "sin cos",
        lambda x: np.sin(c @ x) * np.cos(x[0]),
        lambda x: np.cos(c @ x) * np.cos(x[0]) * c - np.sin(c @ x) * np.sin(x[0]) * (np.arange(n) == 0),
        x,
    )
    for frequency in (30.0, 1e3, 1e5, 1e7):
        add(
            f"sin {frequency:g}·x",
            lambda x, f=frequency: np.sin(f * x).sum(),
            lambda x, f=frequency: f * np.cos(f * x),
            x,
        )
    add("sin 1e4·x as float", lambda x: float(sum(math.sin(1e4 * t) for t in x)), lambda x: 1e4 * np.cos(1e4 * x), x)
    add(
        "period of a power of 2",
        lambda x: float(np.sin(2 * np.pi * 1024 * np.real(x)).sum()),
        lambda x: 2 * np.pi * 1024 * np.cos(2 * np.pi * 1024 * x),
        [0.25, 0.5, 1.0, 0.75],
    )
    add("small ripple", lambda x: (x**2 + 1e-3 * np.sin(1e3 * x)).sum(), lambda x: 2 * x + np.cos(1e3 * x), x)
    add(
        "fine ripple",
        lambda x: float((np.real(x) ** 2 + 1e-9 * np.sin(1e9 * np.real(x))).sum()),
        lambda x: 2 * x + np.cos(1e9 * x),
        [1.0],
    )
    add("tanh", lambda x: np.tanh(A @ x).sum(), lambda x: A.T @ (1 - np.tanh(A @ x) ** 2), x)
    add("arctan", lambda x: np.arctan(10 * x).sum(), lambda x: 10 / (1 + 100 * x**2), x)
    add("Gauss", lambda x: np.exp(-(x @ x)), lambda x: -2 * x * np.exp(-(x @ x)), x)
    add("Runge", lambda x: (1 / (1 + 2500 * x**2)).sum(), lambda x: -5000 * x / (1 + 2500 * x**2) ** 2, 0.1 * x)
    add("Gamma", lambda x: float(math.lgamma(x[0])), lambda x: np.array([0.42278433509846713]), [2.0])
    add("determinant", lambda X: np.linalg.det(X), lambda X: np.linalg.det(X) * np.linalg.inv(X).T, A[:4, :4])
    add("log determinant", lambda X: np.linalg.slogdet(X)[1], lambda X: np.linalg.inv(X).T, S[:3, :3])
    add(
        "trace of inverse",
        lambda X: np.trace(np.linalg.inv(X)),
        lambda X: -(np.linalg.inv(X) @ np.linalg.inv(X)).T,
        S[:3, :3],
    )
    add("scalar", lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2, 1.7)
    add("scalar, math", lambda x: math.exp(math.sin(x)), lambda x: math.exp(math.sin(x)) * math.cos(x), 0.8)

    def rosenbrock(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    def rosenbrock_gradient(x: Any) -> Any:
        d = np.zeros_like(x)
        d[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
        d[1:] += 200 * (x[1:] - x[:-1] ** 2)
        return d

    add("Rosenbrock", rosenbrock, rosenbrock_gradient, x)
    add("Rosenbrock at its minimum", rosenbrock, rosenbrock_gradient, np.ones(n), zero=True)
    add("Rosenbrock near its minimum", rosenbrock, rosenbrock_gradient, np.ones(n) + 1e-5 * x)
    add("Rosenbrock as float", lambda x: float(rosenbrock(np.real(x))), rosenbrock_gradient, x)
    add(
        "Beale",
        lambda x: (1.5 - x[0] + x[0] * x[1]) ** 2 + (2.25 - x[0] + x[0] * x[1] ** 2) ** 2,
        lambda x: np.array(
            [
                2 * (1.5 - x[0] + x[0] * x[1]) * (x[1] - 1) + 2 * (2.25 - x[0] + x[0] * x[1] ** 2) * (x[1] ** 2 - 1),
                2 * (1.5 - x[0] + x[0] * x[1]) * x[0] + 4 * (2.25 - x[0] + x[0] * x[1] ** 2) * x[0] * x[1],
            ]
        ),
        [0.7, -1.2],
    )

    # losses
    X, t = rng.normal(size=(9, n)), rng.normal(size=9)
    add("least squares", lambda w: ((X @ w - t) ** 2).mean(), lambda w: 2 * X.T @ (X @ w - t) / 9, x)
    best = np.linalg.lstsq(X, t, rcond=None)[0]
    add("least squares, solved", lambda w: ((X @ w - t) ** 2).sum(), lambda w: 2 * X.T @ (X @ w - t), best, zero=True)
    y = (t > 0) * 1.0
    add(
        "logistic",
        lambda w: (np.log1p(np.exp(X @ w)) - y * (X @ w)).mean(),
        lambda w: X.T @ (1 / (1 + np.exp(-(X @ w))) - y) / 9,
        x,
    )
    add(
        "logistic, stable",
        lambda w: (np.logaddexp(0, X @ w) - y * (X @ w)).mean(),
        lambda w: X.T @ (1 / (1 + np.exp(-(X @ w))) - y) / 9,
        x,
    )
    labels = rng.integers(0, 4, 9)

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.real.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def softmax_loss(W: Any) -> Any:
        return -np.log(softmax(X @ W)[np.arange(9), labels]).mean()

    def softmax_gradient(W: Any) -> Any:
        return X.T @ (softmax(X @ W) - np.eye(4)[labels]) / 9

    W = rng.normal(size=(n, 4))
    add("softmax", softmax_loss, softmax_gradient, W)
    add(
        "softmax, max of complex",
        lambda W: (
            lambda z: (
                np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) - (z - z.max(1, keepdims=True))[np.arange(9), labels]
            ).mean()
        )(X @ W),
        softmax_gradient,
        W,
    )
    add("softmax, saturated", softmax_loss, softmax_gradient, 5 * W)
    add("softmax as float", lambda W: float(softmax_loss(np.real(W))), softmax_gradient, W)
    add(
        "Poisson", lambda w: (np.exp(X @ w) - np.abs(t) * (X @ w)).sum(), lambda w: X.T @ (np.exp(X @ w) - np.abs(t)), x
    )
    add("logsumexp", lambda x: np.log(np.exp(x).sum()), lambda x: np.exp(x) / np.exp(x).sum(), x)
    add(
        "hinge",
        lambda w: float(np.maximum(0, 1 - (2 * y - 1) * (X @ w)).mean()),
        lambda w: -X.T @ ((2 * y - 1) * ((2 * y - 1) * (X @ w) < 1)) / 9,
        x,
    )
    add(
        "huber",
        lambda w: float(np.where(np.abs(X @ w - t) < 1, (X @ w - t) ** 2 / 2, np.abs(X @ w - t) - 0.5).sum()),
        lambda w: X.T @ np.clip(X @ w - t, -1, 1),
        x,
    )

    # kinks
    add("abs", lambda x: np.abs(x).sum(), lambda x: np.sign(x), x)
    add("abs at 0", lambda x: np.abs(x).sum(), lambda x: np.sign(x), [0.0, 1.0, -2.0, 0.0], (0, 3))
    add("abs and square", lambda x: (np.abs(x) + x**2).sum(), lambda x: np.sign(x) + 2 * x, x)
    add(
        "lasso",
        lambda w: ((X @ w - t) ** 2).mean() + 0.1 * np.abs(w).sum(),
        lambda w: 2 * X.T @ (X @ w - t) / 9 + 0.1 * np.sign(w),
        x,
    )
    add("relu", lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, x)
    add("relu as float", lambda x: float(sum(max(v, 0.0) for v in x)), lambda x: (x > 0) * 1.0, x)
    add("relu at 0, slope 0", lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, [0.0, 1.0, -1.0], (0,))
    add("relu at 0, slope ½", lambda x: np.maximum(x, 0).sum(), lambda x: (np.sign(x) + 1) / 2, [0.0, 1.0, -1.0], (0,))
    add("relu at 0, slope 1", lambda x: np.maximum(x, 0).sum(), lambda x: (x >= 0) * 1.0, [0.0, 1.0, -1.0], (0,))
    for distance in (1e-3, 1e-6, 1e-9):
        add(
            f"a kink {distance:g} off",
            lambda x, d=distance: np.maximum(x - 1 + d, 0).sum() + np.exp(x).sum(),
            lambda x, d=distance: (x > 1 - d) + np.exp(x),
            [1.0, 0.5],
        )
    add("max", lambda x: x.max(), lambda x: (x == x.max()) * 1.0, x)
    add("median", lambda x: np.median(x), lambda x: (x == np.median(x)) * 1.0, x[:5])
    add("leaky relu", lambda x: np.where(x > 0, x, 0.01 * x).sum(), lambda x: np.where(x > 0, 1, 0.01), x)
    add(
        "elu",
        lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))).sum(),
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
        x,
    )
    add(
        "elu at 0",
        lambda x: float(np.where(x > 0, x, np.expm1(np.minimum(x, 0))).sum()),
        lambda x: np.where(x > 0, 1, np.exp(np.minimum(x, 0))),
        [0.0, 1.0],
    )
    add("|x|³ at 0", lambda x: (np.abs(x) ** 3).sum() + x.sum(), lambda x: 3 * x * np.abs(x) + 1, [0.0, 1.0])
    add(
        "clip",
        lambda x: float(np.clip(3 * x, -1, 1).sum()),
        lambda x: 3.0 * (np.abs(3 * x) < 1),
        [0.1, 0.7, -0.2, -5.0],
    )
    add(
        "piecewise cubic",
        lambda x: float(np.where(x < 1, x**3, 3 * x - 2).sum()),
        lambda x: np.where(x < 1, 3 * x**2, 3),
        [0.999, 1.001, 0.3, 1.0],
    )
    add(
        "dead relu",
        lambda x: float(np.maximum(x - 4, 0).sum()) + 3 + x[0] ** 2,
        lambda x: (x > 4) + 2 * x * (np.arange(n) == 0),
        x,
    )

    # noisy
    add("noise 1e-6", lambda x: float(np.exp(x).sum()) + 1e-6 * scatter(x), lambda x: np.exp(x), 0.5 * x)
    add("noise 1e-6 of a square", lambda x: float(x @ x) * (1 + 1e-6 * scatter(x)), lambda x: 2 * x, np.sign(x) + x)
    add("noise 1e-9", lambda x: float(np.sin(x).sum()) + 1e-9 * scatter(x), lambda x: np.cos(x), x)
    add("noise 1e-3", lambda x: float(np.exp(x).sum()) + 1e-3 * scatter(x), lambda x: np.exp(x), 0.5 * x)
    add("rounded to 6 digits", lambda x: round(float(np.exp(x).sum()), 6), lambda x: np.exp(x), 0.5 * x)
    add("rounded to 9 digits", lambda x: round(float(np.sin(x).sum()), 9), lambda x: np.cos(x), x)
    add("float32 square", lambda x: float((x.astype(np.float32) ** 2).sum()), lambda x: 2 * x, np.sign(x) + x)
    add("float32 exp", lambda x: float(np.exp(x.astype(np.float32)).sum()), lambda x: np.exp(x), 0.5 * x)
    X32, t32 = X.astype(np.float32), t.astype(np.float32)
    add(
        "float32 least squares",
        lambda w: np.float32(((X32 @ w.astype(np.float32) - t32) ** 2).mean()),
        lambda w: (2 * X.T @ (X @ w - t) / 9).astype(np.float32),
        x,
    )
    add("float32 softmax", lambda W: float(softmax_loss(W.astype(np.float32))), softmax_gradient, 0.5 * W[:, :4])
    add("left over from a cancellation", lambda x: float(((1e6 + x) ** 2 - 1e12).sum()), lambda x: 2 * (1e6 + x), x)
    add("on 1e8", lambda x: float((x**2).sum() + 1e8), lambda x: 2 * x, np.sign(x) + x)
    add("on 1e12", lambda x: float((x**2).sum() + 1e12), lambda x: 2 * x, np.sign(x) + x)

    # badly scaled
    for scale in (1e-8, 1e-4, 1e4, 1e8):
        add(
            f"x of {scale:g}",
            lambda x, s=scale: (np.sin(x / s) * c + (x / s) ** 2).sum(),
            lambda x, s=scale: (np.cos(x / s) * c + 2 * x / s) / s,
            scale * x,
        )
        add(f"f of {scale:g}", lambda x, s=scale: s * np.exp(c @ x), lambda x, s=scale: s * np.exp(c @ x) * c, x)
    scales = np.logspace(-8, 8, n)
    add("x of 1e-8 … 1e8", lambda x: np.sin(x / scales).sum(), lambda x: np.cos(x / scales) / scales, scales * x)
    add(
        "x of 1e-8 … 1e8, as float",
        lambda x: float(np.sin(x / scales).sum()),
        lambda x: np.cos(x / scales) / scales,
        scales * x,
    )
    add("slopes of 1e-8 … 1e8", lambda x: (scales * x**2).sum(), lambda x: 2 * scales * x, x)
    mild = np.logspace(-3, 3, n)
    add("slopes of 1e-3 … 1e3, as float", lambda x: float((mild * x**2).sum()), lambda x: 2 * mild * x, x)
    add("sin at 1e8", lambda x: np.sin(x).sum(), lambda x: np.cos(x), 1e8 + x)
    add("exp at 1e-8", lambda x: float(np.exp(x).sum()), lambda x: np.exp(x), 1e-8 * x)

    # the edge of a domain
    add("log near 0", lambda x: float(np.log(x).sum()), lambda x: 1 / x, [1e-8, 1e-3, 2.0])
    add("math.log near 0", lambda x: sum(math.log(v) for v in x), lambda x: 1 / x, [1e-8, 1e-3, 2.0])
    add(
        "x^1.5 at 0",
        lambda x: float((np.real(x) ** 1.5 + 2 * np.real(x)).sum()),
        lambda x: 1.5 * x**0.5 + 2,
        [0.0, 1.0],
    )
    add("near an overflow", lambda x: float(np.exp(x).sum()), lambda x: np.exp(x), [700.0, 699.0])
    add("a barrier", lambda x: float(-np.log(1 - x @ x)), lambda x: 2 * x / (1 - x @ x), [0.6, 0.79])
    return found
