"""The numbers that a program starts from, the same for a seed on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from chainrule.checking.puzzles.program import Program

COLUMNS = 76
"""So wide may a line of code be, beside its number on a terminal."""

Table = list[list[float]]


class Draw:
    """Choices by a text. Of :class:`random.Random` it takes only what Python promises to keep: a text as seed, and
    random()."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def below(self, n: int) -> int:
        """0..n−1."""
        return int(self._random.random() * n)

    def order(self, n: int) -> list[int]:
        """0..n−1 in some order."""
        left = list(range(n))
        return [left.pop(self.below(len(left))) for _ in range(n)]

    def size(self, low: int, high: int) -> float:
        """A number of tenths from low to high, either sign."""
        tenths = low + self.below(high - low + 1)
        return (tenths if self.below(2) else -tenths) / 10

    def table(self, rows: int, columns: int, low: int, high: int) -> Table:
        """Rows of such numbers."""
        return [[self.size(low, high) for _ in range(columns)] for _ in range(rows)]


@dataclass(frozen=True)
class Numbers:
    """Weights and biases by name, inputs, targets as they are, what the program calls them, and example weights."""

    parameters: dict[str, Table | list[float]]
    X: Table
    Y: Table
    labels: list[int] | None
    weights: list[float] | None

    @classmethod
    def drawn(cls, program: Program, draw: Draw) -> "Numbers":
        """Of tenths, none of them 0."""
        network, n = program.network, program.examples
        parameters: dict[str, Table | list[float]] = {}
        for l in network.layers:
            n_out, n_in = network.sizes[l], network.sizes[l - 1]
            parameters[f"w{l}"] = draw.table(n_out, n_in, 3, 14)
            parameters[f"b{l}"] = draw.table(1, n_out, 1, 6)[0]
        X = draw.table(n, network.sizes[0], 2, 15)
        labels = None
        if program.targets == "labels":
            classes = network.sizes[-1]
            every = [*range(classes), *(draw.below(classes) for _ in range(n - classes))]
            labels = [every[i] for i in draw.order(n)]
            Y = [[float(k == label) for k in range(classes)] for label in labels]
        elif program.targets == "bits":
            bits = [i % 2 for i in draw.order(n)]
            Y = [[float(bit)] for bit in bits]
        elif network.activation[-1] == "sigmoid":
            Y = [[abs(y) for y in row] for row in draw.table(n, network.sizes[-1], 1, 9)]
        else:
            Y = draw.table(n, network.sizes[-1], 2, 12)
        weights = [float(1 + i) for i in draw.order(n)] if program.weighted else None
        return cls(parameters, X, Y, labels, weights)

    def lines(self, program: Program) -> list[str]:
        """The program's first lines."""
        lines = ["import numpy as np", f"X = {_array(self.X)}"]
        if self.labels is not None:
            lines.append(f"labels = {_array(self.labels)}")
        else:
            lines.append(f"Y = {_array(self.Y, program.targets == 'bits')}")
        if self.weights is not None:
            lines.append(f"s = {_array(self.weights, True)}")
        layers = program.network.layers
        w = {l: _array(self.parameters[f"w{l}"]) for l in layers}
        b = {l: _array(self.parameters[f"b{l}"]) for l in layers}
        pairs = [f"w{l}, b{l} = {w[l]}, {b[l]}" for l in layers]
        if max(map(len, pairs)) <= COLUMNS:
            lines += pairs
        else:
            lines += [f"w{l} = {w[l]}" for l in layers]
            lines.append(", ".join(f"b{l}" for l in layers) + " = " + ", ".join(b.values()))
        lines += program.given
        assert max(map(len, lines)) <= COLUMNS, max(lines, key=len)
        return lines


def _array(values: Sequence[object], whole: bool = False) -> str:
    text = str(values)
    return f"np.array({text.replace('.0', '') if whole else text})"
