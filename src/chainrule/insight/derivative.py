"""Which derivative an equation is of: what its three spellings need to know, without any number."""

from dataclasses import dataclass

from chainrule.calculus.network import Network
from chainrule.calculus.notation import Quantity


@dataclass(frozen=True)
class Derivative:
    """∂of/∂q, of the cost where there is no ``top``, else of that quantity.

    ``examples`` is how many the mean is taken over, 0 where one example is meant; ``weighted`` whether they have
    weights s.
    """

    network: Network
    q: Quantity
    top: Quantity | None
    of: str
    examples: int
    weighted: bool

    @property
    def last(self) -> int:
        """The last layer that has a share in it."""
        return self.network.depth if self.top is None else self.top.layer

    @property
    def vanishes(self) -> bool:
        """Whether what is differentiated comes before q."""
        at_z = self.top is not None and self.top.letter == "z"
        return self.q.layer > self.last or (at_z and self.q.layer == self.last and self.q.letter == "a")

    @property
    def one(self) -> str:
        """What the derivative of one example is of."""
        return ("C[i]" if self.top is None else str(self.top)) if self.examples else self.of

    @property
    def mean(self) -> str:
        """The derivative's left side: over several examples that of a node is called a mean, for each has its own."""
        return "mean of " if self.examples and self.top is not None else ""

    @property
    def enters_z(self) -> bool:
        """Whether the q is a w, b or z, and the way to it leads through its own neuron's z."""
        return self.q.letter in "wbz"

    @property
    def a_minus_y(self) -> bool:
        """Whether ∂C/∂z of the last layer is a − y."""
        return self.top is None and self.network.activation[-1] == self.network.C.canonical

    @property
    def from_z(self) -> bool:
        """Whether the way back starts at ∂C/∂z of the last layer: softmax couples its a, and above a z is no a."""
        return self.coupled(self.last) or (self.top is not None and self.top.letter == "z")

    @property
    def penalty(self) -> list[str]:
        """The penalty's terms, for a weight called w: in the cost C as a whole, not in that of one example."""
        if self.top is not None or self.q.k is None or self.of != "C":
            return []
        return [*(["l1·sign({w})"] if self.network.l1 else []), *(["2·l2·{w}"] if self.network.l2 else [])]

    def coupled(self, l: int) -> bool:
        """Whether layer l has no ∂C/∂a and ∂a/∂z of its own."""
        return l > 0 and not self.network.σ(l).elementwise


def bracketed(formula: str) -> str:
    """A formula of ∂C/∂a as a factor of a product."""
    return formula if formula.startswith(("2(", "(2/n_L)(")) else f"({formula})"
