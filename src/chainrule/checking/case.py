"""The problem whose gradient is checked, with its forward pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.gradient import forward
from chainrule.calculus.network import Network, ParameterVector
from chainrule.calculus.trace import Trace
from chainrule.checking.rounding import Rounding, rounding_of
from chainrule.model.model import Examples, Model, check_fit


@dataclass(frozen=True, eq=False)
class Case:
    """Parameters, inputs X (n, n_0), targets Y (n, n_L) and example weights (n,) or None, all float64.

    ``earlier`` is a gradient that may have been left in by mistake; ``u`` the unit roundoff of the arithmetic that is
    judged: 2⁻⁵³ for float64, 2⁻²⁴ for float32.
    """

    p: ParameterVector
    X: Array
    Y: Array
    weights: Array | None = None
    earlier: ParameterVector | None = None
    u: float = 2.0**-53
    coarse: Mapping[str, Array] = field(default_factory=dict[str, Array])
    """By how much more each entry may be off, by array, where what was given is known only from a difference."""

    single: bool = False
    """Whether the parameters came in float32, so that some of a float64 calculation may be float32's."""

    @classmethod
    def of(cls, model: Model, examples: Examples) -> "Case":
        """The case of a model and its examples. Raises InputError where they do not fit together."""
        check_fit(model, examples)
        single = model.parameters.vector.dtype == np.float32
        return cls(model.reading().parameters, examples.a0, examples.Y, examples.weights, single=single)

    @property
    def network(self) -> Network:
        """The network's description."""
        return self.p.network

    @property
    def L(self) -> int:
        """The last layer."""
        return self.network.depth

    @property
    def sizes(self) -> tuple[int, ...]:
        """(n_0, …, n_L)."""
        return self.network.sizes

    @property
    def n(self) -> int:
        """How many examples there are."""
        return len(self.X)

    @property
    def hidden(self) -> range:
        """1..L−1."""
        return range(1, self.L)

    @property
    def layers(self) -> range:
        """1..L."""
        return self.network.layers

    @cached_property
    def trace(self) -> Trace:
        """Every z and a."""
        with np.errstate(all="ignore"):
            return forward(self.p, self.X)

    @cached_property
    def rounding(self) -> Rounding:
        """What a correct calculation in this arithmetic may err by on the way forward."""
        with np.errstate(all="ignore"):
            return rounding_of(self.p, self.trace, self.Y, self.u)

    def but(self, **changes: object) -> "Case":
        """The same with some of it replaced."""
        other = replace(self, **changes)  # pyright: ignore[reportArgumentType]
        if "trace" in vars(self) and not changes.keys() & {"p", "X"}:
            vars(other)["trace"] = self.trace
        return other
