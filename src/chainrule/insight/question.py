"""What is asked: the derivative of one quantity with respect to another, over some examples of a model."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.calculus import notation
from chainrule.calculus.network import Network
from chainrule.calculus.notation import Quantity
from chainrule.checks import require
from chainrule.errors import NotationError
from chainrule.model.model import Examples, Model, check_fit

_COST = re.compile(r"\s*C(?:\[\s*([0-9]{1,18})\s*\]|\.([0-9]{1,18}))?\s*")


@dataclass(frozen=True)
class Question:
    """∂of/∂q. ``top`` is the quantity that is differentiated, None where it is the cost.

    ``example`` is the one that was asked for, None where it is the mean over all; ``model`` has float64 parameters and
    ``examples`` are those that count. The penalty belongs to the cost C as a whole, not to that of one example.
    """

    model: Model
    examples: Examples
    q: Quantity
    top: Quantity | None
    example: int | None

    @property
    def of(self) -> str:
        """What is differentiated as symbols show it: C, C[3], a1[0]."""
        return str(self.top) if self.top is not None else "C" if self.example is None else f"C[{self.example}]"

    @property
    def penalised(self) -> bool:
        """Whether the penalty has a share in the derivative."""
        network = self.model.network
        whole = self.top is None and self.example is None
        return whole and self.q.k is not None and bool(network.l1 or network.l2)

    @property
    def scale(self) -> float:
        """s where the target is a raw input x and a0 = (x − mean)/s, else 1."""
        inputs = self.model.inputs
        return float(inputs.scale[self.q.j]) if self.q.letter == "x" and inputs is not None else 1.0


def question(
    model: Model,
    examples: Examples,
    target: str,
    of: str = "C",
    example: int | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Question:
    """Read the names. Raises NotationError or InputError for what does not exist."""
    check_fit(model, examples)
    model = model.reading()
    q = notation.parse(target, model.network, aliases)
    top, example = _top(model.network, of, example)
    return Question(model, examples if example is None else examples[example], q, top, example)


def _top(network: Network, of: str, example: int | None) -> tuple[Quantity | None, int | None]:
    """What is differentiated, None for the cost, and which example's."""
    require(isinstance(of, str), "of", of, "a name: C, C.0, an activation a1.0 or a z1.0", NotationError)
    if match := _COST.fullmatch(of):
        named = match[1] or match[2]
        if named is not None and example is not None and int(named) != example:
            raise NotationError(f"{of!r} is the cost of one example, and --example {example} is another")
        return None, example if named is None else int(named)
    top = notation.parse(of, network)
    if top.letter not in "az":
        raise NotationError(f"{of!r} has no derivatives to explain; name the cost C, C.0, an activation a1.0 or a z1.0")
    return top, example
