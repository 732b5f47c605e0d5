"""Level 3: softmax and labels, the penalty, examples with weights, and a step of the training."""

from collections.abc import Iterator

from chainrule.calculus.network import Network
from chainrule.checking.puzzles.program import Program, Swap
from chainrule.checking.puzzles.spelling import SPELLINGS

_DW2 = "dw2, db2 = δ2.T @ a1 / len(X), δ2.mean(axis=0)"
_DW1 = "dw1, db1 = δ1.T @ X / len(X), δ1.mean(axis=0)"


def programs() -> Iterator[Program]:
    """Each with tanh and with the sigmoid."""
    for hidden in ("tanh", "sigmoid"):
        yield _classes(hidden)
        yield _classes_by_the_chain_rule(hidden)
        yield _penalty(hidden)
        yield _weighted(hidden)
        yield _step(hidden)


def _forward(hidden: str) -> str:
    return f"a1 = {SPELLINGS[hidden].σ('X @ w1.T + b1')}"


def _to_numbers(hidden: str) -> tuple[str, ...]:
    """Forward to outputs that are any numbers, and back through the last layer."""
    return (_forward(hidden), "a2 = a1 @ w2.T + b2", "δ2 = 2 * (a2 - Y)", _DW2)


def _back(hidden: str, w: str = "w2") -> str:
    return f"δ1 = δ2 @ {w} * {SPELLINGS[hidden].slope_of_a('a1')}"


def _classes(hidden: str) -> Program:
    swaps = (
        Swap("softmax-slope", 2, "δ2", "δ2 = (a2 - Y) * a2 * (1 - a2)"),
        Swap("labels-not-one-hot", None, "δ2", "δ2 = a2 - labels[:, None]"),
        *_of_labels(),
        Swap("sign", None, "δ2", "δ2 = Y - a2"),
    )
    return _classifier(hidden, ("δ2 = a2 - Y",), swaps)


def _classes_by_the_chain_rule(hidden: str) -> Program:
    output = ("dC_da2 = -Y / a2", "δ2 = a2 * (dC_da2 - (dC_da2 * a2).sum(axis=1, keepdims=True))")
    swaps = (
        Swap("softmax-twice", 2, "dC_da2", "dC_da2 = a2 - Y"),
        Swap("softmax-diagonal", 2, "δ2", "δ2 = dC_da2 * a2 * (1 - a2)"),
        *_of_labels(),
    )
    return _classifier(hidden, output, swaps)


def _classifier(hidden: str, output: tuple[str, ...], swaps: tuple[Swap, ...]) -> Program:
    lines = (
        "Y = np.eye(3)[labels]",
        _forward(hidden),
        "e = np.exp(a1 @ w2.T + b2)",
        "a2 = e / e.sum(axis=1, keepdims=True)",
        *output,
        _DW2, _back(hidden), _DW1,
    )  # fmt: skip
    return Program(Network((2, 3, 3), [hidden, "softmax"], "cross-entropy"), lines, swaps, 4, "labels")


def _of_labels() -> tuple[Swap, ...]:
    return (
        Swap("labels-shifted", None, "Y", "Y = np.eye(3)[np.roll(labels, 1)]"),
        Swap("labels-permuted", None, "Y", "Y = np.eye(3)[labels[::-1]]"),
        Swap("classes-permuted", None, "Y", "Y = np.eye(3)[labels - 1]"),
    )


def _penalty(hidden: str) -> Program:
    lines = (
        *_to_numbers(hidden),
        _back(hidden), _DW1,
        "for g, p in ((dw1, w1), (dw2, w2)):",
        "    g += 2 * l2 * p",
    )  # fmt: skip
    swaps = (
        Swap("penalty-on-biases", None, "for g", "for g, p in ((dw1, w1), (db1, b1), (dw2, w2), (db2, b2)):"),
        Swap("penalty-missing", 1, "for g", "for g, p in ((dw2, w2),):"),
        Swap("penalty-missing", 2, "for g", "for g, p in ((dw1, w1),):"),
        Swap("penalty-scaled", None, "g +=", "g += l2 * p", "half"),
        Swap("penalty-scaled", None, "g +=", "g -= 2 * l2 * p", "minus"),
        Swap("penalty-scaled", None, "g +=", "g += 2 * l2 * p / len(X)", "1/n"),
        Swap("penalty-of-the-other-kind", None, "g +=", "g += l2 * np.sign(p)"),
    )
    network = Network((2, 3, 2), [hidden, "identity"], "squared-error", l2=0.05)
    return Program(network, lines, swaps, 4, given=("l2 = 0.05",))


def _weighted(hidden: str) -> Program:
    lines = (
        "share = s / s.sum()",
        _forward(hidden),
        "a2 = 1 / (1 + np.exp(-(a1 @ w2.T + b2)))",
        "δ2 = share[:, None] * (a2 - Y)",
        "dw2, db2 = δ2.T @ a1, δ2.sum(axis=0)",
        _back(hidden),
        "dw1, db1 = δ1.T @ X, δ1.sum(axis=0)",
    )
    swaps = (
        Swap("weights-ignored", None, "share", "share = np.ones(len(s)) / len(s)"),
        Swap("weights-twice", None, "share", "share = s**2 / (s**2).sum()", "both"),
        Swap("weights-twice", None, "share", "share = s * s / s.sum()", "one"),
        Swap("weights-not-normalised", None, "share", "share = s / len(s)"),
        Swap("cross-entropy-as-squared-error", 2, "δ2", "δ2 = share[:, None] * (a2 - Y) * a2 * (1 - a2)"),
    )
    network = Network((2, 3, 1), [hidden, "sigmoid"], "binary-cross-entropy")
    return Program(network, lines, swaps, 4, "bits", weighted=True, shared=True)


def _step(hidden: str) -> Program:
    lines = (
        *_to_numbers(hidden),
        "new_w2, new_b2 = w2 - lr * dw2, b2 - lr * db2",
        _back(hidden),
        _DW1,
        "new_w1, new_b1 = w1 - lr * dw1, b1 - lr * db1",
    )
    swaps = (Swap("updated-weights", 2, "δ1", _back(hidden, "new_w2")),)
    network = Network((2, 3, 2), [hidden, "identity"], "squared-error")
    return Program(network, lines, swaps, 4, given=("lr = 0.5",))
