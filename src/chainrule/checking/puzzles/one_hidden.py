"""Level 1: one hidden layer, and what goes wrong in a chain rule that has just been learned."""

from collections.abc import Iterator

from chainrule.calculus.network import Network
from chainrule.checking.puzzles.program import Program, Swap
from chainrule.checking.puzzles.spelling import COST_FACTOR, SPELLINGS

_KINDS = (
    ("squared-error", "identity", (2, 3, 2), 4),
    ("half-squared-error", "sigmoid", (3, 2, 2), 3),
    ("squared-error", "sigmoid", (2, 3, 1), 4),
)
"""Cost, last activation, sizes, examples."""


def programs() -> Iterator[Program]:
    """With each hidden activation, its slope by way of a or of z, and the mean at the beginning or at the end."""
    for hidden in ("tanh", "sigmoid", "relu", "softplus"):
        for kind in _KINDS:
            for by_z in (False, True):
                for shared in (False, True):
                    yield _program(hidden, kind, by_z, shared)


def _program(hidden: str, kind: tuple[str, str, tuple[int, ...], int], by_z: bool, shared: bool) -> Program:
    cost, output, sizes, n = kind
    H = SPELLINGS[hidden]
    first = "z2" if output == "identity" else "a2"
    two = COST_FACTOR[cost]
    slope1 = H.slope("z1") if by_z else H.slope_of_a("a1")
    slope2 = "" if output == "identity" else f" * {SPELLINGS[output].slope_of_a('a2')}"
    at_first, at_last = (" / len(X)", "") if shared else ("", " / len(X)")
    mean = "sum" if shared else "mean"

    def output_δ(factor: str = two, difference: str = "(a2 - Y)", slope: str = slope2, n: str = at_first) -> str:
        return f"δ2 = {factor}{difference}{slope}{n}"

    def hidden_δ(slope: str, before: str = "δ2") -> str:
        return f"δ1 = {before} @ w2{slope and ' * '}{slope}"

    output_lines = (
        ["a2 = a1 @ w2.T + b2"] if first == "z2" else ["z2 = a1 @ w2.T + b2", f"a2 = {SPELLINGS[output].σ('z2')}"]
    )
    lines = [
        "z1 = X @ w1.T + b1",
        f"a1 = {H.σ('z1')}",
        *output_lines,
        output_δ(),
        f"dw2 = δ2.T @ a1{at_last}",
        f"db2 = δ2.{mean}(axis=0)",
        hidden_δ(slope1),
        f"dw1 = δ1.T @ X{at_last}",
        f"db1 = δ1.{mean}(axis=0)",
    ]
    swaps = [
        Swap("missing-slope", 1, "δ1", hidden_δ("")),
        Swap("activation-for-slope", 1, "δ1", hidden_δ("a1")),
        Swap("sign", None, "δ2", output_δ(difference="(Y - a2)")),
        Swap("sign-of-layer", 1, "δ1", hidden_δ(slope1, "-δ2")),
        Swap("stray-factor-in-delta", 1, "δ1", hidden_δ(slope1, "2 * δ2")),
        Swap("z-for-activation", 2, "dw2", f"dw2 = δ2.T @ z1{at_last}"),
        Swap("transposed-result", 1, "dw1", f"dw1 = X.T @ δ1{at_last}"),
        Swap("transposed-result", 2, "dw2", f"dw2 = a1.T @ δ2{at_last}"),
    ]
    if output != "identity":
        swaps += [
            Swap("missing-slope", 2, "δ2", output_δ(slope="")),
            Swap("cost-scale", None, "δ2", output_δ(factor="" if two else "2 * ")),
        ]
        if two:
            as_it_is = output_δ("", "(a2 - Y)" if shared else "a2 - Y", "")
            swaps.append(Swap("squared-error-as-cross-entropy", 2, "δ2", as_it_is))
    if hidden != "relu":
        once = slope1 if slope1.startswith("(") else f"({slope1})"
        swaps.append(Swap("slope-twice", 1, "δ1", hidden_δ(f"{once}**2")))
    if by_z and hidden != "relu":
        swaps.append(Swap("slope-of-a", 1, "δ1", hidden_δ(H.slope("a1"))))
    if hidden in ("tanh", "sigmoid"):
        other = SPELLINGS["sigmoid" if hidden == "tanh" else "tanh"]
        if by_z:
            swaps.append(Swap("slope-of-another-activation", 1, "δ1", hidden_δ(other.slope("z1"))))
        else:
            swaps.append(Swap("slope-by-anothers-form", 1, "δ1", hidden_δ(other.slope_of_a("a1"))))
    if hidden == "softplus":
        swaps.append(Swap("slope-of-another-activation", 1, "δ1", hidden_δ("(z1 > 0)")))
    for l, below in ((1, "X"), (2, "a1")):
        axis = f"db{l} = δ{l}.{mean}(axis=1)"
        swaps.append(Swap("bias-over-wrong-axis", l, f"db{l}", axis))
        swaps.append(Swap("bias-not-summed", l, f"db{l}", f"db{l} = δ{l}"))
        if shared:
            swaps.append(Swap("stray-factor", l, f"db{l}", f"db{l} = δ{l}.mean(axis=0)"))
        else:
            swaps.append(Swap("bias-summed", l, f"db{l}", f"db{l} = δ{l}.sum(axis=0)"))
            swaps.append(Swap("stray-factor", l, f"dw{l}", f"dw{l} = δ{l}.T @ {below}"))
    if shared:
        swaps += [
            Swap("mean-missing", None, "δ2", output_δ(n="")),
            Swap("mean-squared", None, "δ2", output_δ(n=" / len(X)**2")),
        ]
        if n == 4:
            swaps.append(Swap("wrong-count", None, "δ2", output_δ(n=" / len(w1)")))
        if sizes[-1] > 1:
            swaps += [
                Swap("mean-over-outputs", None, "δ2", output_δ(n=" / Y.size")),
                Swap("column-major", 1, "dw1", "dw1 = (X.T @ δ1).reshape(w1.shape)"),
            ]
    network = Network(sizes, [hidden, output], cost)
    return Program(network, tuple(lines), tuple(swaps), n, shared=shared)
