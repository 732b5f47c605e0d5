"""Level 3: a loop over the examples, in the notation of one example: columns, and wᵀ on the way back."""

from collections.abc import Iterator

from chainrule.calculus.network import Network
from chainrule.checking.puzzles.program import Program, Swap


def programs() -> Iterator[Program]:
    """With tanh, and one output or two."""
    for n_L in (1, 2):
        yield _program(n_L)


def _program(n_L: int) -> Program:
    grads = "[np.outer(δ1, x), δ1, np.outer(δ2, a1), δ2]"
    lines = (
        "grads = []",
        "for x, y in zip(X, Y):",
        "    a1 = np.tanh(w1 @ x + b1)",
        "    a2 = w2 @ a1 + b2",
        "    δ2 = 2 * (a2 - y)",
        "    δ1 = w2.T @ δ2 * (1 - a1**2)",
        f"    grads.append({grads})",
        "dw1, db1, dw2, db2 = (sum(g) / len(X) for g in zip(*grads))",
    )
    swaps = [
        Swap("one-example", None, "grads.append", f"grads = [{grads}]"),
        Swap("wrong-count", None, "dw1", "dw1, db1, dw2, db2 = (sum(g) / len(grads[0]) for g in zip(*grads))"),
        Swap("labels-permuted", None, "for x", "for x, y in zip(X, Y[::-1]):"),
        Swap("labels-shifted", None, "for x", "for x, y in zip(X, np.roll(Y, 1, axis=0)):"),
        Swap("next-activation", 1, "grads.append", f"grads.append({grads.replace('(δ1, x)', '(δ1, a1)')})"),
        Swap("delta-of-next-layer", 1, "grads.append", f"grads.append({grads.replace('(δ1, x), δ1', '(δ2, x), δ2')})"),
    ]
    if n_L == 2:
        swaps += [
            Swap("transposed-weight", 2, "δ1", "δ1 = w2 @ δ2 * (1 - a1**2)"),
            Swap("layers-reversed", None, "dw1", lines[-1].replace("dw1, db1, dw2, db2", "dw2, db2, dw1, db1")),
        ]
    else:
        swaps = [swap for swap in swaps if swap.bug != "delta-of-next-layer"]
    network = Network((2, 2, n_L), ["tanh", "identity"], "squared-error")
    return Program(network, lines, tuple(swaps), 3, by_example=True)
