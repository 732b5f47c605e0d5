"""The right line of NumPy for ∂C/∂w, ∂C/∂b or ∂C/∂z of a layer, as it is in the case at hand.

In it X is the input, Y the targets, s the examples' weights, l1 and l2 the penalties; z1, a1, w1, b1, δ1 = ∂C/∂z1, …
are the layers' own, and rows are examples.
"""

from collections.abc import Mapping

from chainrule.checking.case import Case

SLOPES: Mapping[str, str] = {
    "identity": "",
    "sigmoid": " * {a} * (1 - {a})",
    "tanh": " * (1 - {a}**2)",
    "relu": " * ({z} > 0)",
    "leaky-relu": " * np.where({z} > 0, 1, 0.01)",
    "elu": " * np.where({z} > 0, 1, {a} + 1)",
    "softplus": " / (1 + np.exp(-{z}))",
    "silu": " * ({a} + (1 - {a}) / (1 + np.exp(-{z})))",
    "gelu": " * (norm.cdf({z}) + {z} * norm.pdf({z}))",  # norm is SciPy's
    "exp": " * {a}",
}
"""What makes ∂C/∂z of ∂C/∂a: · σ′(z)."""

_OF_COST: Mapping[str, str] = {
    "squared-error": "2 * (a{L} - Y)",
    "half-squared-error": "(a{L} - Y)",
    "mean-squared-error": "2 * (a{L} - Y) / {n_L}",
    "huber": "np.clip(a{L} - Y, -1, 1)",
    "poisson": "(1 - Y / a{L})",
}
"""∂C/∂a of the last layer, where it is written by itself."""


def a_in(l: int) -> str:
    """What comes into layer l: X or the a of the layer before."""
    return f"a{l - 1}" if l > 1 else "X"


def line_of(name: str, case: Case) -> str:
    """The line that computes dw1, db1, …, by the array's name."""
    l = int(name[1:])
    return f"d{name} = {_w(case, l) if name[0] == 'w' else _b(case, l)}"


def _w(case: Case, l: int) -> str:
    δ = f"δ{l}" if case.weights is None else f"(s[:, None] * δ{l})"
    penalty = f" + l1 * np.sign(w{l})" * bool(case.network.l1) + f" + 2 * l2 * w{l}" * bool(case.network.l2)
    return f"{δ}.T @ {a_in(l)}{_mean(case)}{penalty}"


def _b(case: Case, l: int) -> str:
    return (f"δ{l}.sum(axis=0)" if case.weights is None else f"s @ δ{l}") + _mean(case)


def _mean(case: Case) -> str:
    if case.weights is not None:
        return " / s.sum()"
    return f" / {case.n}" if case.n > 1 else ""


def δ_line(case: Case, l: int) -> str:
    """The line that computes δ of a layer."""
    network, σ = case.network, case.network.activation[l - 1]
    if l < case.L:
        back = f"δ{l + 1} @ w{l + 1}"
        return f"δ{l} = {f'({back})' if SLOPES[σ] else back}{SLOPES[σ].format(a=f'a{l}', z=f'z{l}')}"
    if network.C.canonical == σ:
        return f"δ{l} = a{l} - Y"
    dC_da = _OF_COST[network.cost].format(L=l, n_L=case.sizes[-1])
    return f"δ{l} = {dC_da}{SLOPES[σ].format(a=f'a{l}', z=f'z{l}')}"
