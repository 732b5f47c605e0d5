"""Level 2: two hidden layers of the same size, where an index or a layer that is the wrong one fits as well."""

from collections.abc import Iterator

from chainrule.calculus.network import Network
from chainrule.checking.puzzles.program import Program, Swap
from chainrule.checking.puzzles.spelling import SPELLINGS


def programs() -> Iterator[Program]:
    """With one hidden activation or two different ones, and one output or two."""
    for hidden in (
        ("tanh", "tanh"),
        ("sigmoid", "sigmoid"),
        ("tanh", "sigmoid"),
        ("sigmoid", "tanh"),
        ("relu", "relu"),
    ):
        for n_L in (1, 2):
            yield _program(hidden, n_L)


def _program(hidden: tuple[str, str], n_L: int) -> Program:
    one, two = (SPELLINGS[name] for name in hidden)
    slope = {1: one.slope_of_a("a1"), 2: two.slope_of_a("a2")}

    def δ(l: int, w: str = "", by: str | None = None) -> str:
        by = slope[l] if by is None else by
        return f"δ{l} = δ{l + 1} @ {w or f'w{l + 1}'}{by and ' * '}{by}"

    def d(l: int, at: str = "", bias: str = "mean(axis=0)", of: str = "") -> str:
        of = of or f"δ{l}"
        return f"dw{l}, db{l} = {of}.T @ {at or ('X', 'a1', 'a2')[l - 1]} / len(X), {of}.{bias}"

    lines = (
        f"a1 = {one.σ('X @ w1.T + b1')}",
        f"a2 = {two.σ('a1 @ w2.T + b2')}",
        "a3 = a2 @ w3.T + b3",
        "δ3 = 2 * (a3 - Y)",
        d(3), δ(2), d(2), δ(1), d(1),
    )  # fmt: skip
    swaps = [
        Swap("transposed-weight", 2, "δ1", δ(1, "w2.T")),
        Swap("weight-of-wrong-layer", 2, "δ1", δ(1, "w1")),
        Swap("missing-slope", 2, "δ2", δ(2, by="")),
        Swap("missing-slope", 1, "δ1", δ(1, by="")),
        Swap("next-activation", 1, "dw1, db1", d(1, "a1")),
        Swap("next-activation", 2, "dw2, db2", d(2, "a2")),
        Swap("input-for-activation", 2, "dw2, db2", d(2, "X")),
        Swap("input-for-activation", 3, "dw3, db3", d(3, "X")),
        Swap("delta-of-next-layer", 1, "dw1, db1", d(1, of="δ2")),
        Swap("transposed-result", 2, "dw2, db2", "dw2, db2 = a1.T @ δ2 / len(X), δ2.mean(axis=0)"),
        Swap("bias-over-wrong-axis", 2, "dw2, db2", d(2, bias="mean(axis=1)")),
        Swap("bias-summed", 2, "dw2, db2", d(2, bias="sum(axis=0)")),
    ]
    if n_L == 2:
        swaps += [
            Swap("transposed-weight", 3, "δ2", δ(2, "w3.T")),
            Swap("weight-of-wrong-layer", 3, "δ2", δ(2, "w2")),
        ]
    if hidden[0] == hidden[1]:
        swaps += [
            Swap("slope-of-wrong-layer", 1, "δ1", δ(1, by=one.slope_of_a("a2"))),
            Swap("slope-of-wrong-layer", 2, "δ2", δ(2, by=two.slope_of_a("a1"))),
        ]
    else:
        swaps += [
            Swap("slope-by-anothers-form", 1, "δ1", δ(1, by=two.slope_of_a("a1"))),
            Swap("slope-by-anothers-form", 2, "δ2", δ(2, by=one.slope_of_a("a2"))),
        ]
    if hidden == ("relu", "relu"):
        swaps += [
            Swap("mask-of-gradient", 1, "δ1", δ(1, by="(δ2 @ w2 > 0)")),
            Swap("mask-of-gradient", 2, "δ2", δ(2, by="(δ3 @ w3 > 0)")),
        ]
    network = Network((2, 2, 2, n_L), [*hidden, "identity"], "squared-error")
    return Program(network, lines, tuple(swaps), 4 if n_L == 1 else 3)
