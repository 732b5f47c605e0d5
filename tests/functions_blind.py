"""A hundred more functions with their gradients by hand, written before check_function was tried on any of them."""

# What NumPy makes of an Any is unknown to pyright.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from functions import Fn, Function, scatter

Add = Callable[..., None]


def hundred_more() -> list[Function]:
    found: list[Function] = []

    def add(name: str, cost: Fn, gradient: Fn, x: Any, kinks: tuple[int, ...] = (), zero: bool = False) -> None:
        x = {k: np.array(v, dtype=float) for k, v in x.items()} if isinstance(x, dict) else np.array(x, dtype=float)
        found.append(Function(name, cost, gradient, x, zero, kinks))

    for seed, group in enumerate((landscapes, fits, energies, matrices, networks, kinks, noise, scales, edges)):
        group(add, np.random.default_rng([seed, 2024]))
    return found


def landscapes(add: Add, rng: Any) -> None:
    """What optimizers are tried on."""
    x = rng.uniform(-2, 2, 5)
    p = np.arange(1, 6)
    add(
        "Rastrigin",
        lambda x: 10 * len(x) + (x**2 - 10 * np.cos(2 * np.pi * x)).sum(),
        lambda x: 2 * x + 20 * np.pi * np.sin(2 * np.pi * x),
        x,
    )
    add(
        "Ackley",
        lambda x: -20 * np.exp(-0.2 * np.sqrt((x**2).mean())) - np.exp(np.cos(2 * np.pi * x).mean()) + 20 + np.e,
        lambda x: (
            4 * np.exp(-0.2 * np.sqrt((x**2).mean())) * x / (len(x) * np.sqrt((x**2).mean()))
            + np.exp(np.cos(2 * np.pi * x).mean()) * 2 * np.pi * np.sin(2 * np.pi * x) / len(x)
        ),
        x,
    )
    add(
        "Griewank",
        lambda x: 1 + (x**2).sum() / 4000 - np.prod(np.cos(x / np.sqrt(p))),
        lambda x: x / 2000 + np.prod(np.cos(x / np.sqrt(p))) * np.tan(x / np.sqrt(p)) / np.sqrt(p),
        40 * x,
    )
    add(
        "Styblinski–Tang",
        lambda x: (x**4 - 16 * x**2 + 5 * x).sum() / 2,
        lambda x: 2 * x**3 - 16 * x + 2.5,
        2 * x,
    )
    add(
        "Himmelblau",
        lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
        lambda x: np.array(
            [
                4 * x[0] * (x[0] ** 2 + x[1] - 11) + 2 * (x[0] + x[1] ** 2 - 7),
                2 * (x[0] ** 2 + x[1] - 11) + 4 * x[1] * (x[0] + x[1] ** 2 - 7),
            ]
        ),
        [0.3, -1.4],
    )
    add(
        "Booth",
        lambda x: (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2,
        lambda x: np.array([10 * x[0] + 8 * x[1] - 34, 8 * x[0] + 10 * x[1] - 38]),
        [5.0, -8.0],
    )

    def powell(x: Any) -> Any:
        return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4

    def powell_gradient(x: Any) -> Any:
        a, b, c, d = x[0] + 10 * x[1], x[2] - x[3], (x[1] - 2 * x[2]) ** 3, (x[0] - x[3]) ** 3
        return np.array([2 * a + 40 * d, 20 * a + 4 * c, 10 * b - 8 * c, -10 * b - 40 * d])

    add("Powell's singular", powell, powell_gradient, [3.0, -1.0, 0.0, 1.0])
    add("Powell's singular near its minimum", powell, powell_gradient, [3e-4, -1e-4, 2e-4, 1e-4])
    add("Powell's singular at its minimum", powell, powell_gradient, np.zeros(4), zero=True)
    add(
        "Brown badly scaled",
        lambda x: (x[0] - 1e6) ** 2 + (x[1] - 2e-6) ** 2 + (x[0] * x[1] - 2) ** 2,
        lambda x: np.array(
            [2 * (x[0] - 1e6) + 2 * x[1] * (x[0] * x[1] - 2), 2 * (x[1] - 2e-6) + 2 * x[0] * (x[0] * x[1] - 2)]
        ),
        [1.0, 1.0],
    )
    add(
        "Easom",
        lambda x: -np.cos(x[0]) * np.cos(x[1]) * np.exp(-((x[0] - np.pi) ** 2) - (x[1] - np.pi) ** 2),
        lambda x: (
            np.exp(-((x[0] - np.pi) ** 2) - (x[1] - np.pi) ** 2)
            * np.array(
                [
                    np.sin(x[0]) * np.cos(x[1]) + 2 * (x[0] - np.pi) * np.cos(x[0]) * np.cos(x[1]),
                    np.cos(x[0]) * np.sin(x[1]) + 2 * (x[1] - np.pi) * np.cos(x[0]) * np.cos(x[1]),
                ]
            )
        ),
        [2.0, 4.5],
    )
    add(
        "Dixon–Price",
        lambda x: (x[0] - 1) ** 2 + (p[1:] * (2 * x[1:] ** 2 - x[:-1]) ** 2).sum(),
        lambda x: (
            np.append(2 * (x[0] - 1), 8 * p[1:] * x[1:] * (2 * x[1:] ** 2 - x[:-1]))
            - np.append(2 * p[1:] * (2 * x[1:] ** 2 - x[:-1]), 0)
        ),
        x,
    )
    add("Zakharov", lambda x: (x**2).sum() + (p @ x / 2) ** 4, lambda x: 2 * x + 2 * (p @ x / 2) ** 3 * p, x)
    add("sum of powers", lambda x: (np.abs(x) ** (p + 1)).sum(), lambda x: (p + 1) * np.abs(x) ** p * np.sign(x), x)
    add("Horner", lambda x: ((x[0] * 2 + x[1]) * 2 + x[2]) * 2 + x[3], lambda x: np.array([8, 4, 2, 1, 0]), x)


def fits(add: Add, rng: Any) -> None:
    """Costs of models of data."""
    t = np.linspace(0.1, 4, 25)
    y = 2 * t / (0.7 + t) + 0.05 * rng.normal(size=25)
    add(
        "Michaelis–Menten",
        lambda x: ((x[0] * t / (x[1] + t) - y) ** 2).sum(),
        lambda x: np.array(
            [
                (2 * (x[0] * t / (x[1] + t) - y) * t / (x[1] + t)).sum(),
                -(2 * (x[0] * t / (x[1] + t) - y) * x[0] * t / (x[1] + t) ** 2).sum(),
            ]
        ),
        [1.5, 0.5],
    )

    def wave(x: Any) -> Any:
        return x[0] * np.exp(-x[1] * t) * np.cos(x[2] * t + x[3])

    def wave_gradient(x: Any) -> Any:
        r, e, φ = wave(x) - y, np.exp(-x[1] * t), x[2] * t + x[3]
        J = np.array([e * np.cos(φ), -t * wave(x), -x[0] * t * e * np.sin(φ), -x[0] * e * np.sin(φ)])
        return J @ r / 25

    add("a damped wave", lambda x: ((wave(x) - y) ** 2).mean() / 2, wave_gradient, [1.2, 0.3, 5.0, 0.4])
    at, z = rng.normal(size=(40, 3)), rng.normal(size=40)
    add(
        "Student's t",
        lambda w: np.log1p((at @ w - z) ** 2 / 3).sum() * 2,
        lambda w: 4 * at.T @ ((at @ w - z) / (3 + (at @ w - z) ** 2)),
        rng.normal(size=3),
    )
    add(
        "Cauchy, far off",
        lambda w: np.log1p((at @ w - z) ** 2).sum(),
        lambda w: 2 * at.T @ ((at @ w - z) / (1 + (at @ w - z) ** 2)),
        1e4 * rng.normal(size=3),
    )
    add("log cosh", lambda w: np.log(np.cosh(at @ w - z)).sum(), lambda w: at.T @ np.tanh(at @ w - z), np.ones(3))
    add(
        "Gaussian likelihood",
        lambda p: (p["s"] + (z - p["m"]) ** 2 * np.exp(-2 * p["s"]) / 2).sum(),
        lambda p: {
            "m": (p["m"] - z) * np.exp(-2 * p["s"]),
            "s": 1 - (z - p["m"]) ** 2 * np.exp(-2 * p["s"]),
        },
        {"m": rng.normal(size=40), "s": 0.3 * rng.normal(size=40)},
    )
    add(
        "a mixture",
        lambda m: -np.log(np.exp(-((z[:, None] - m) ** 2) / 2).mean(axis=1)).sum(),
        lambda m: (
            np.exp(-((z[:, None] - m) ** 2) / 2)
            / np.exp(-((z[:, None] - m) ** 2) / 2).sum(axis=1, keepdims=True)
            * (m - z[:, None])
        ).sum(axis=0),
        [-1.0, 0.2, 1.5],
    )
    counts = rng.poisson(4, 12)
    add(
        "Gamma–Poisson",
        lambda r: float(sum(math.lgamma(r) - math.lgamma(r + k) + (r + k) * math.log(r + 4) for k in counts)),
        lambda r: sum(math.log(r + 4) + (r + k) / (r + 4) - sum(1 / (r + i) for i in range(int(k))) for k in counts),
        2.5,
    )
    target = np.exp(rng.normal(size=6))
    target /= target.sum()

    def softmax(z: Any) -> Any:
        e = np.exp(z - np.real(z).max())
        return e / e.sum()

    add(
        "KL of softmax",
        lambda z: (target * (np.log(target) - np.log(softmax(z)))).sum(),
        lambda z: softmax(z) - target,
        rng.normal(size=6),
    )
    add(
        "KL of softmax at its minimum",
        lambda z: (target * (np.log(target) - np.log(softmax(z)))).sum(),
        lambda z: softmax(z) - target,
        np.log(target),
        zero=True,
    )
    add(
        "entropy of softmax",
        lambda z: -(softmax(z) * np.log(softmax(z))).sum(),
        lambda z: -softmax(z) * (np.log(softmax(z)) - (softmax(z) * np.log(softmax(z))).sum()),
        rng.normal(size=6),
    )
    add(
        "focal loss",
        lambda z: -((1 - 1 / (1 + np.exp(-z))) ** 2 * np.log(1 / (1 + np.exp(-z)))).sum(),
        lambda z: (lambda q: 2 * (1 - q) ** 2 * q * np.log(q) - (1 - q) ** 3)(1 / (1 + np.exp(-z))),
        rng.normal(size=7),
    )

    def logistic_map(r: Any) -> Any:
        u = 0.3
        for _ in range(12):
            u = r * u * (1 - u)
        return u

    def logistic_map_gradient(r: Any) -> Any:
        u, d = 0.3, 0.0
        for _ in range(12):
            u, d = r * u * (1 - u), u * (1 - u) + r * (1 - 2 * u) * d
        return d

    add("a recursion", logistic_map, logistic_map_gradient, 3.2)
    add("a chaotic recursion", logistic_map, logistic_map_gradient, 3.9)

    def growth(p: Any) -> Any:
        u = p["u"]
        for _ in range(50):
            u = u + 0.1 * p["r"] * u * (1 - u / p["K"])
        return u

    def growth_gradient(p: Any) -> Any:
        u, du, dr, dK = p["u"], 1.0, 0.0, 0.0
        for _ in range(50):
            s = 1 + 0.1 * p["r"] * (1 - 2 * u / p["K"])
            du, dr = s * du, s * dr + 0.1 * u * (1 - u / p["K"])
            dK = s * dK + 0.1 * p["r"] * u**2 / p["K"] ** 2
            u = u + 0.1 * p["r"] * u * (1 - u / p["K"])
        return {"u": du, "r": dr, "K": dK}

    add("Euler's method", growth, growth_gradient, {"u": 0.2, "r": 0.8, "K": 3.0})


def energies(add: Add, rng: Any) -> None:
    """Pairs of points and their distances."""
    R = np.stack(np.meshgrid([0.0, 1.1], [0.0, 1.2], [0.0, 1.3]), axis=-1).reshape(8, 3) + 0.1 * rng.normal(size=(8, 3))
    i, j = np.triu_indices(8, 1)

    def pairs(energy: Fn, slope: Fn) -> tuple[Fn, Fn]:
        def cost(R: Any) -> Any:
            return energy(((R[i] - R[j]) ** 2).sum(axis=1)).sum()

        def gradient(R: Any) -> Any:
            d = R[i] - R[j]
            force = 2 * slope((d**2).sum(axis=1))[:, None] * d
            out = np.zeros_like(R)
            np.add.at(out, i, force)
            np.add.at(out, j, -force)
            return out

        return cost, gradient

    add("Lennard-Jones", *pairs(lambda s: 4 * (s**-6 - s**-3), lambda s: 4 * (-6 * s**-7 + 3 * s**-4)), R)
    add("Lennard-Jones, too near", *pairs(lambda s: 4 * (s**-6 - s**-3), lambda s: 4 * (-6 * s**-7 + 3 * s**-4)), R / 5)
    add("Coulomb", *pairs(lambda s: s**-0.5, lambda s: -0.5 * s**-1.5), R)
    add(
        "Morse",
        *pairs(
            lambda s: (1 - np.exp(-3 * (np.sqrt(s) - 1))) ** 2,
            lambda s: (1 - np.exp(-3 * (np.sqrt(s) - 1))) * np.exp(-3 * (np.sqrt(s) - 1)) * 3 / np.sqrt(s),
        ),
        R,
    )
    add("gravity in metres", *pairs(lambda s: -6.674e-11 * s**-0.5, lambda s: 3.337e-11 * s**-1.5), 1e8 * R)
    add("a Gaussian kernel", *pairs(lambda s: np.exp(-s), lambda s: -np.exp(-s)), R)
    add("springs", *pairs(lambda s: (np.sqrt(s) - 1) ** 2, lambda s: 1 - 1 / np.sqrt(s)), R)


def matrices(add: Add, rng: Any) -> None:
    """Matrices, of which few are square."""
    X, B, S = rng.normal(size=(5, 3)), rng.normal(size=(4, 5)), rng.normal(size=(4, 4))
    S = S + S.T
    add("trace of a product", lambda X: (B @ X).sum(), lambda X: np.outer(B.sum(axis=0), np.ones(3)), X)
    add("Frobenius", lambda X: np.linalg.norm(X), lambda X: X / np.linalg.norm(X), X)
    add("a quartic", lambda X: ((X.T @ X) ** 2).sum(), lambda X: 4 * X @ (X.T @ X), X)
    add(
        "log determinant of a Gram matrix",
        lambda X: np.log(np.linalg.det(X.T @ X)),
        lambda X: 2 * X @ np.linalg.inv(X.T @ X),
        X,
    )
    add(
        "nuclear norm",
        lambda X: np.linalg.svd(X, compute_uv=False).sum(),
        lambda X: (lambda svd: svd.U @ svd.Vh)(np.linalg.svd(X, full_matrices=False)),
        X,
    )
    add(
        "largest eigenvalue",
        lambda S: np.linalg.eigvalsh(S + S.T)[-1],
        lambda S: (lambda v: 2 * np.outer(v, v))(np.linalg.eigh(S + S.T)[1][:, -1]),
        S,
    )
    add(
        "trace of an exponential",
        lambda S: np.exp(np.linalg.eigvalsh((S + S.T) / 2)).sum(),
        lambda S: (lambda eig: eig[1] * np.exp(eig[0]) @ eig[1].T)(np.linalg.eigh((S + S.T) / 2)),
        S,
    )
    b = rng.normal(size=4)
    M = S @ S + np.eye(4)
    add(
        "a solution",
        lambda M: b @ np.linalg.solve(M, b),
        lambda M: -np.outer(np.linalg.solve(M.T, b), np.linalg.solve(M, b)),
        M,
    )
    H = 1 / (np.arange(5)[:, None] + np.arange(5) + 1)
    add("Hilbert's matrix", lambda x: x @ H @ x / 2 - x.sum(), lambda x: H @ x - 1, 10 * rng.normal(size=5))
    add("Hilbert's inverse", lambda X: np.linalg.inv(X).sum(), lambda X: -np.outer(*2 * [np.linalg.inv(X).sum(0)]), H)
    data = rng.normal(size=(7, 6))
    add(
        "factors",
        lambda p: ((p["U"] @ p["V"].T - data) ** 2).sum() / 2,
        lambda p: {
            "U": (p["U"] @ p["V"].T - data) @ p["V"],
            "V": (p["U"] @ p["V"].T - data).T @ p["U"],
        },
        {"U": rng.normal(size=(7, 2)), "V": rng.normal(size=(6, 2))},
    )
    add(
        "three axes",
        lambda X: (X**2 * np.arange(24).reshape(2, 3, 4)).sum() + X[0].sum() * X[1].sum(),
        lambda X: 2 * X * np.arange(24).reshape(2, 3, 4) + np.stack([np.full((3, 4), X[k].sum()) for k in (1, 0)]),
        rng.normal(size=(2, 3, 4)),
    )
    w = rng.normal(size=9)
    add("cumulative sum", lambda x: w @ np.cumsum(x) ** 2, lambda x: np.cumsum((2 * w * np.cumsum(x))[::-1])[::-1], w)
    add(
        "cumulative product",
        lambda x: np.cumprod(x).sum(),
        lambda x: np.cumsum(np.cumprod(x)[::-1])[::-1] / x,
        1 + 0.3 * w,
    )
    add(
        "spectrum",
        lambda x: (np.arange(16) * np.abs(np.fft.fft(x)) ** 2).sum(),
        lambda x: 2 * 16 * np.real(np.fft.ifft(np.arange(16) * np.fft.fft(x))),
        rng.normal(size=16),
    )
    large = rng.normal(size=(60, 50))
    add("many entries", lambda X: (np.sin(X) * large).sum(), lambda X: np.cos(X) * large, rng.normal(size=(60, 50)))
    add(
        "many entries of all sizes, as float",
        lambda x: float((np.real(x) ** 2).sum()),
        lambda x: 2 * x,
        10 ** rng.uniform(-2, 2, 300),
    )


def networks(add: Add, rng: Any) -> None:
    """Layers and losses of neural networks."""
    X, y = rng.normal(size=(6, 4)), rng.normal(size=(6, 2))

    def layers(σ: Fn, slope: Fn) -> tuple[Fn, Fn]:
        def cost(p: Any) -> Any:
            return ((σ(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - y) ** 2).mean()

        def gradient(p: Any) -> Any:
            z = X @ p["W1"] + p["b1"]
            d = 2 * (σ(z) @ p["W2"] + p["b2"] - y) / y.size
            e = d @ p["W2"].T * slope(z)
            return {"W1": X.T @ e, "b1": e.sum(0), "W2": σ(z).T @ d, "b2": d.sum(0)}

        return cost, gradient

    p = {
        "W1": rng.normal(size=(4, 3)),
        "b1": rng.normal(size=3),
        "W2": rng.normal(size=(3, 2)),
        "b2": rng.normal(size=2),
    }
    add("tanh layers", *layers(np.tanh, lambda z: 1 - np.tanh(z) ** 2), p)
    add("relu layers", *layers(lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0), p)
    add("sine layers", *layers(lambda z: np.sin(30 * z), lambda z: 30 * np.cos(30 * z)), p)
    add("Gaussian layers", *layers(lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))), p)
    add(
        "tanh layers, large weights",
        *layers(np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        {k: 3 * v for k, v in p.items()},
    )
    c = rng.normal(size=(3, 5))

    def normed(x: Any) -> Any:
        return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)

    def normed_gradient(x: Any) -> Any:
        h, s = normed(x), np.sqrt(x.var(1, keepdims=True) + 1e-5)
        return (c - c.mean(1, keepdims=True) - h * (c * h).mean(1, keepdims=True)) / s

    add("layer norm, as float", lambda x: float((normed(x) * c).sum()), normed_gradient, rng.normal(size=(3, 5)))
    add("layer norm, far from 0", lambda x: float((normed(x) * c).sum()), normed_gradient, 50 + rng.normal(size=(3, 5)))

    def rms(x: Any) -> Any:
        return x / np.sqrt((x**2).mean(1, keepdims=True))

    add(
        "RMS norm",
        lambda x: (rms(x) * c).sum(),
        lambda x: (c - rms(x) * (c * rms(x)).mean(1, keepdims=True)) / np.sqrt((x**2).mean(1, keepdims=True)),
        rng.normal(size=(3, 5)),
    )

    def attention(p: Any) -> tuple[Any, Any]:
        s = p["Q"] @ p["K"].T / 2
        e = np.exp(s - np.real(s).max(1, keepdims=True))
        a = e / e.sum(1, keepdims=True)
        return a, a @ p["V"]

    G = rng.normal(size=(5, 3))

    def attention_gradient(p: Any) -> Any:
        a, _ = attention(p)
        d = G @ p["V"].T
        ds = a * (d - (a * d).sum(1, keepdims=True)) / 2
        return {"Q": ds @ p["K"], "K": ds.T @ p["Q"], "V": a.T @ G}

    qkv = {"Q": rng.normal(size=(5, 4)), "K": rng.normal(size=(6, 4)), "V": rng.normal(size=(6, 3))}
    add("attention", lambda p: (attention(p)[1] * G).sum(), attention_gradient, qkv)
    signal = rng.normal(size=20)
    add(
        "convolution",
        lambda k: (np.convolve(signal, k, "valid") ** 2).sum(),
        lambda k: 2 * np.correlate(signal, np.convolve(signal, k, "valid"), "valid")[::-1],
        rng.normal(size=5),
    )
    anchor = rng.normal(size=4)
    add(
        "cosine",
        lambda x: x @ anchor / np.sqrt(x @ x),
        lambda x: anchor / np.sqrt(x @ x) - x * (x @ anchor) / (x @ x) ** 1.5,
        rng.normal(size=4),
    )

    def recurrent(w: Any) -> Any:
        h = 0.0
        for x in signal:
            h = np.tanh(w[0] * h + w[1] * x + w[2])
        return h

    def recurrent_gradient(w: Any) -> Any:
        h, d = 0.0, np.zeros(3)
        for x in signal:
            d = w[0] * d + np.array([h, x, 1])
            h = np.tanh(w[0] * h + w[1] * x + w[2])
            d = d * (1 - h * h)
        return d

    add("recurrent", recurrent, recurrent_gradient, [0.8, 0.5, -0.1])
    add("swish with a slope", lambda b: (signal / (1 + np.exp(-b * signal))).sum(), lambda b: (
        signal**2 * np.exp(-b * signal) / (1 + np.exp(-b * signal)) ** 2).sum(), 1.3)  # fmt: skip
    add(
        "embedding",
        lambda E: (np.tanh(E[[0, 2, 2, 5]]) * c[:1, :4].T).sum(),
        lambda E: np.stack([
            sum((c[0, k] * (1 - np.tanh(E[row]) ** 2) for k, at in enumerate((0, 2, 2, 5)) if at == row), np.zeros(2))
            for row in range(7)
        ]),
        rng.normal(size=(7, 2)),
    )  # fmt: skip


def kinks(add: Add, rng: Any) -> None:
    """Costs that are not smooth, at and beside their kinks."""
    x, c = rng.normal(size=7), rng.normal(size=7)
    add(
        "total variation",
        lambda x: np.abs(np.diff(x)).sum(),
        lambda x: -np.diff(np.sign(np.diff(x)), prepend=0, append=0),
        x,
    )
    add("pinball", lambda q: np.maximum(0.9 * (c - q), 0.1 * (q - c)).sum(), lambda q: np.where(c > q, -0.9, 0.1), x)
    add(
        "insensitive to 0.3",
        lambda x: np.maximum(np.abs(x - c) - 0.3, 0).sum(),
        lambda x: np.sign(x - c) * (np.abs(x - c) > 0.3),
        x,
    )
    add("largest magnitude", lambda x: np.abs(x).max(), lambda x: np.sign(x) * (np.abs(x) == np.abs(x).max()), x)
    add("three largest", lambda x: np.sort(x)[-3:].sum(), lambda x: (x >= np.sort(x)[-3]) * 1.0, x)
    add(
        "ordered weights",
        lambda x: np.sort(x) @ np.arange(7),
        lambda x: np.argsort(np.argsort(x)).astype(float),
        x,
    )
    add(
        "group lasso",
        lambda X: np.sqrt((X**2).sum(axis=1)).sum(),
        lambda X: X / np.sqrt((X**2).sum(axis=1, keepdims=True)),
        rng.normal(size=(3, 4)),
    )
    add(
        "max pooling",
        lambda X: (X.reshape(3, 2, 4).max(axis=1) ** 2).sum(),
        lambda X: 2 * X * (np.repeat(X.reshape(3, 2, 4).max(axis=1), 2, axis=0) == X),
        rng.normal(size=(6, 4)),
    )
    add(
        "between tabulated values",
        lambda x: float(np.interp(x, np.arange(-4, 5), np.arange(-4, 5) ** 2).sum()),
        lambda x: 2 * np.floor(x) + 1,
        x,
    )
    add("triangles", lambda x: float(np.abs((x * 8) % 2 - 1).sum()), lambda x: 8 * np.sign((x * 8) % 2 - 1), x)
    add(
        "Huber at 0.01",
        lambda x: float(np.where(np.abs(x) < 0.01, x**2 / 0.02, np.abs(x) - 0.005).sum()),
        lambda x: np.clip(x / 0.01, -1, 1),
        [0.003, 0.0099, 0.0101, -2.0],
    )
    add("abs of a product", lambda x: np.abs(np.prod(x)), lambda x: np.abs(np.prod(x)) / x, x)
    add(
        "margins of classes",
        lambda z: np.maximum(0, 1 + np.delete(z, 2) - z[2]).sum(),
        lambda z: (lambda m: np.where(np.arange(7) == 2, -m.sum(), m))((np.arange(7) != 2) * (1 + z - z[2] > 0) * 1.0),
        x,
    )
    add("nearest centre", lambda x: ((x - np.round(x)) ** 2).sum(), lambda x: 2 * (x - np.round(x)), x)
    add(
        "max of planes", lambda x: max(c @ x, 1 - x.sum(), -2.0), lambda x: c if c @ x > 1 - x.sum() else -np.ones(7), x
    )
    add("max of two equal", lambda x: max(x[0], x[1]), lambda x: np.array([1.0, 0.0]), [0.5, 0.5], (0, 1))
    add("|x|^1.5 at 0", lambda x: (np.abs(x) ** 1.5).sum() + x.sum(), lambda x: 1 + np.zeros(2), [0.0, 0.0])


def noise(add: Add, rng: Any) -> None:
    """Values that are not exact."""
    x = rng.uniform(0.5, 2, 4)
    add("noise 1e-8 of a value", lambda x: float(np.log(x).sum()) * (1 + 1e-8 * scatter(x)), lambda x: 1 / x, 1 + x)
    add("noise 1e-5", lambda x: float((x**3).sum()) + 1e-5 * scatter(x), lambda x: 3 * x**2, x)
    add("noise 1e-12", lambda x: float((x**2).sum()) + 1e-12 * scatter(x), lambda x: 2 * x, x)
    add("rounded to 4 digits", lambda x: round(float((x**2).sum()), 4), lambda x: 2 * x, x)
    add("rounded to 12 digits", lambda x: round(float(np.cos(x).sum()), 12), lambda x: -np.sin(x), x)
    add("float32 log", lambda x: np.log(x.astype(np.float32)).mean(), lambda x: 1 / x / 4, x)
    add("float32 on 100", lambda x: np.float32(100) + (x.astype(np.float32) ** 2).sum(), lambda x: 2 * x, x)
    add("text of 8 digits", lambda x: float(f"{np.exp(x).sum():.8g}"), lambda x: np.exp(x), x)

    def root(a: Any) -> float:
        low, high = 0.0, 4.0
        while high - low > 1e-10:
            middle = (low + high) / 2
            low, high = (middle, high) if middle**2 < a else (low, middle)
        return (low + high) / 2

    add("bisection to 1e-10", lambda x: sum(root(float(v)) for v in x), lambda x: 0.5 / np.sqrt(x), x)

    def newton(a: float) -> float:
        if a <= 0:
            raise ValueError("no root")
        u = 1.0
        while abs(u * u - a) > 1e-6 * a:
            u = (u + a / u) / 2
        return u

    add("Newton to 1e-6", lambda x: sum(newton(float(v)) for v in x), lambda x: 0.5 / np.sqrt(x), x)

    def series(x: float) -> float:
        total, term, n = 0.0, 1.0, 0
        while abs(term) > 1e-9 and n < 200:
            total, n = total + term, n + 1
            term *= x / n
        return total

    add("a series to 1e-9", lambda x: sum(series(float(v)) for v in x), lambda x: np.exp(x), x)
    draws = rng.normal(size=2000)
    add("drawn once", lambda x: np.cos(x[:, None] * draws).mean(), lambda x: -(
        draws * np.sin(x[:, None] * draws)).mean(axis=1) / 4, x)  # fmt: skip


def scales(add: Add, rng: Any) -> None:
    """Numbers far from 1."""
    x, c = rng.normal(size=5), rng.normal(size=5)
    for s in (1e-8, 1e-3, 1e3, 1e8):
        add(
            f"Gauss of width {s:g}",
            lambda x, s=s: np.exp(-((x / s) ** 2).sum() / 4),
            lambda x, s=s: -x / (2 * s * s) * np.exp(-((x / s) ** 2).sum() / 4),
            s * x,
        )
        add(
            f"{s:g} × tanh, as float",
            lambda x, s=s: s * float(np.tanh(c @ x)),
            lambda x, s=s: s * (1 - np.tanh(c @ x) ** 2) * c,
            0.3 * x,
        )
        add(f"on {s:g}", lambda x, s=s: float((x**2).sum()) + s, lambda x: 2 * x, x)
    add(
        "two arrays, 1e-8 and 1e8",
        lambda p: (np.sin(p["a"] * 1e8) * np.cos(p["b"] / 1e8)).sum(),
        lambda p: {
            "a": 1e8 * np.cos(p["a"] * 1e8) * np.cos(p["b"] / 1e8),
            "b": -np.sin(p["a"] * 1e8) * np.sin(p["b"] / 1e8) / 1e8,
        },
        {"a": 1e-8 * x, "b": 1e8 * c},
    )
    add(
        "terms of 1e-6 … 1e6, as float",
        lambda x: float((np.logspace(-6, 6, 5) * np.cosh(np.real(x))).sum()),
        lambda x: np.logspace(-6, 6, 5) * np.sinh(x),
        x,
    )
    add(
        "Planck",
        lambda T: 3.7418e-16 / 5e-7**5 / np.expm1(0.014388 / (5e-7 * T)),
        lambda T: (
            3.7418e-16 / 5e-7**5 * np.exp(0.014388 / (5e-7 * T)) * 0.014388 / 5e-7 / T**2
            / np.expm1(0.014388 / (5e-7 * T)) ** 2
        ),
        5800.0,
    )  # fmt: skip
    add("Arrhenius", lambda k: k[0] * np.exp(-k[1] / (8.314 * 300)), lambda k: np.exp(-k[1] / (8.314 * 300)) * np.array(
        [1, -k[0] / (8.314 * 300)]), [1e13, 8e4])  # fmt: skip
    add("a tiny offset from a whole number", lambda x: (x**3).sum(), lambda x: 3 * x**2, 1 + 1e-9 * x)
    add("an integer beyond float32", lambda x: (x**2).sum(), lambda x: 2 * x, 123456789.0 + np.arange(4))
    add("powers of 1e-40", lambda x: (x**2).sum(), lambda x: 2 * x, 1e-40 * x)
    add("powers of 1e60", lambda x: (x**2).sum(), lambda x: 2 * x, 1e60 * x)


def edges(add: Add, rng: Any) -> None:
    """Beside where a function ends."""
    add("arcsin near 1", lambda x: float(np.arcsin(x).sum()), lambda x: 1 / np.sqrt(1 - x**2), [0.999999, -0.5])
    add("tan near π/2", lambda x: np.tan(x).sum(), lambda x: 1 / np.cos(x) ** 2, [1.57, 0.3])
    add("arcosh near 1", lambda x: float(np.arccosh(x).sum()), lambda x: 1 / np.sqrt(x**2 - 1), [1.00001, 3.0])
    add(
        "logit near 0 and 1",
        lambda x: float((np.log(x) - np.log1p(-x)).sum()),
        lambda x: 1 / x + 1 / (1 - x),
        [1e-10, 0.5, 1 - 1e-6],
    )
    add("√x near 0", lambda x: float(np.sqrt(x).sum()), lambda x: 0.5 / np.sqrt(x), [1e-12, 1e-3, 4.0])
    add("entropy near 0", lambda x: float((x * np.log(x)).sum()), lambda x: np.log(x) + 1, [1e-12, 1e-4, 0.5])
    add("1/x near 0", lambda x: (1 / x).sum(), lambda x: -1 / x**2, [1e-9, -1e-5, 2.0])
    add("an underflow", lambda x: float(np.exp(x).sum()), lambda x: np.exp(x), [-700.0, -705.0])
    add(
        "asserted to be positive",
        lambda x: float(np.log(_positive(x)).sum()),
        lambda x: 1 / x,
        [1e-7, 0.2, 5.0],
    )
    add("x² on x ≥ 0, at 0.001", lambda x: sum(math.sqrt(v) ** 4 for v in x), lambda x: 2 * x, [1e-3, 2.0])
    add("Mexican hat", lambda x: (1 - x @ x) * np.exp(-(x @ x) / 2), lambda x: (x @ x - 3) * x * np.exp(-(x @ x) / 2), [
        2.0, -1.0, 0.5])  # fmt: skip


def _positive(x: Any) -> Any:
    if (np.real(x) <= 0).any():
        raise ValueError("not positive")
    return x
