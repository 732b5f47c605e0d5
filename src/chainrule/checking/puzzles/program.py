"""A right program, and the lines that make it wrong."""

from dataclasses import dataclass

from chainrule.calculus.network import Network


@dataclass(frozen=True)
class Swap:
    """One line done wrong: which mistake of the catalogue that is, in which layer (None: not in one alone), the start
    of the line, and what stands there instead. ``kind`` tells several ways to make the same mistake apart."""

    bug: str
    layer: int | None
    line: str
    wrong: str
    kind: str = ""

    @property
    def key(self) -> tuple[str, int | None, str]:
        """The same in all programs with this mistake, whatever their activations."""
        return self.bug, self.layer, self.kind


@dataclass(frozen=True)
class Program:
    """The forward and the backward pass of one network, without the numbers it starts from.

    After ``lines`` dw1, db1, dw2, … are the gradient. ``given`` are further lines of numbers, such as l2 = 0.05.
    ``targets`` says how the numbers have y: numbers, bits, or labels, of which the program makes Y.
    """

    network: Network
    lines: tuple[str, ...]
    swaps: tuple[Swap, ...]
    examples: int = 4
    targets: str = "numbers"
    weighted: bool = False
    given: tuple[str, ...] = ()
    shared: bool = False
    """Whether δ has the 1/n, or the share of its example, in it already."""
    by_example: bool = False
    """Whether δ is of one example."""

    def __post_init__(self) -> None:
        """Every swap has one line that it replaces."""
        for swap in self.swaps:
            assert self.lines[self.at(swap)] != swap.wrong, swap

    def at(self, swap: Swap) -> int:
        """Which of the lines it replaces."""
        at = [i for i, line in enumerate(self.lines) if line.lstrip().startswith(swap.line)]
        assert len(at) == 1, (swap, at)
        return at[0]

    def swapped(self, swap: Swap) -> tuple[str, ...]:
        """The lines with the mistake in."""
        at = self.at(swap)
        indent = self.lines[at][: len(self.lines[at]) - len(self.lines[at].lstrip())]
        return (*self.lines[:at], indent + swap.wrong, *self.lines[at + 1 :])
