"""Level 2: a loop over the layers, which fits networks of any depth."""

from collections.abc import Iterator

from chainrule.calculus.network import Network
from chainrule.checking.puzzles.program import Program, Swap
from chainrule.checking.puzzles.spelling import SPELLINGS


def programs() -> Iterator[Program]:
    """With each activation; for the mistake that a square X lets pass, as many examples as inputs."""
    for activation in ("tanh", "sigmoid"):
        for n in (4, 2):
            yield _program(activation, n)


def _program(activation: str, n: int) -> Program:
    σ = SPELLINGS[activation]
    lines = (
        "W, B, a, dW, dB = [w1, w2], [b1, b2], [X], [], []",
        "for w, b in zip(W, B):",
        f"    a.append({σ.σ('a[-1] @ w.T + b')})",
        f"δ = 2 * (a[-1] - Y) * {σ.slope_of_a('a[-1]')}",
        "for w, below in zip(W[::-1], a[-2::-1]):",
        "    dW.append(δ.T @ below / len(X))",
        "    dB.append(δ.mean(axis=0))",
        f"    δ = δ @ w * {σ.slope_of_a('below')}",
        "dw1, dw2, db1, db2 = *dW[::-1], *dB[::-1]",
    )
    if n == 2:
        start = "W, B, a, dW, dB = [w1, w2], [b1, b2], [X.T], [], []"
        swaps = [Swap("examples-as-columns", None, "W, B", start)]
    else:
        swaps = [
            Swap("forward-without-bias", None, "a.append", f"a.append({σ.σ('a[-1] @ w.T')})"),
            Swap("missing-slope", 2, "δ = 2", "δ = 2 * (a[-1] - Y)"),
            Swap("missing-slope", 1, "δ = δ", "δ = δ @ w"),
            Swap("transposed-weight", 2, "δ = δ", f"δ = δ @ w.T * {σ.slope_of_a('below')}"),
            Swap("weight-of-wrong-layer", 2, "for w, below", "for w, below in zip(W, a[-2::-1]):"),
            Swap("transposed-result", None, "dW.append", "dW.append(below.T @ δ / len(X))"),
            Swap("bias-summed", None, "dB.append", "dB.append(δ.sum(axis=0))"),
            Swap("layers-reversed", None, "dw1", "dw1, dw2, db1, db2 = *dW, *dB"),
        ]
    network = Network((2, 2, 2), activation, "squared-error")
    return Program(network, lines, tuple(swaps), n)
