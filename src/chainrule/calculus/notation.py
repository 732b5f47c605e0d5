"""The text form of a quantity: ``w2[1,0]``, ``w2.1.0``, ``wL[0,0]``, ``b1[3]``, ``a(L-1)[0]``, ``z2[1]``.

Layers count from 1, neurons from 0; layer 0 is the input, so ``a0[k]`` exists and ``z0[k]`` does not. ``L`` is the
last layer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.calculus.network import Network
from chainrule.checks import did_you_mean, require, shown
from chainrule.errors import NotationError

_N = "[0-9]{1,18}"
_LAYER = rf"(?P<layer>{_N}|L|\(L(?:\s*-\s*(?P<back>{_N}))?\)|L-(?P<back2>{_N}))"
_PATTERN = re.compile(
    rf"(?:(?P<letter>[wbaz]){_LAYER}|(?P<input>x))"
    rf"(?:\[\s*(?P<j>{_N})\s*(?:,\s*(?P<k>{_N})\s*)?\]|\.(?P<jdot>{_N})(?:\.(?P<kdot>{_N}))?)"
)


@dataclass(frozen=True)
class Quantity:
    """One number of a network: a weight (letter w, with k), a bias b, an activation a or a pre-activation z."""

    letter: str
    layer: int
    j: int
    k: int | None = None

    @property
    def node(self) -> str:
        """The part before the index, ``w2``, or ``x`` for the raw input."""
        return "x" if self.letter == "x" else f"{self.letter}{self.layer}"

    @property
    def entry(self) -> str:
        """The index part, ``[1,0]`` or ``[3]``."""
        return f"[{self.j}]" if self.k is None else f"[{self.j},{self.k}]"

    @property
    def dotted(self) -> str:
        """The form that no shell expands: ``w2.1.0``."""
        return f"{self.node}.{self.j}" + ("" if self.k is None else f".{self.k}")

    def __str__(self) -> str:
        return f"{self.node}{self.entry}"


def parse(text: str, network: Network, aliases: Mapping[str, str] | None = None) -> Quantity:
    """The quantity that ``text`` names in this network.

    ``aliases`` are further names for parameters, as a problem file may give. Raises NotationError that tells what is
    there instead.
    """
    require(isinstance(text, str), "name", text, "the name of a parameter, such as w2.1.0")
    stripped = text.strip()
    stripped = (aliases or {}).get(stripped, stripped)
    match = _PATTERN.fullmatch(stripped)
    if match is None:
        raise NotationError(
            f"{shown(text)} is not the name of a weight, bias, activation or pre-activation."
            f"{did_you_mean(stripped, aliases or {})} Write w2.1.0 or 'w2[1,0]' for the weight into neuron 1 of "
            f"layer 2 from neuron 0 of layer 1; b2.1, a2.1 and z2.1 for that neuron's own; x.5 for a raw input"
        )
    letter = match["input"] or match["letter"]
    layer = 0 if match["input"] else _layer(match, network)
    j = int(match["j"] or match["jdot"])
    k_text = match["k"] or match["kdot"]
    k = None if k_text is None else int(k_text)
    _check(text, network, Quantity(letter, layer, j, k))
    return Quantity(letter, layer, j, k)


def _layer(match: re.Match[str], network: Network) -> int:
    if match["layer"].isdigit():
        return int(match["layer"])
    return network.depth - int(match["back"] or match["back2"] or 0)


def _check(text: str, network: Network, q: Quantity) -> None:
    first = 0 if q.letter in "ax" else 1
    if not first <= q.layer <= network.depth:
        note = " (layer 0 is the input: a0)" if q.layer == 0 else ""
        raise NotationError(
            f"{text!r}: there is no {q.letter} in layer {q.layer}; this network has {q.letter}{first} to "
            f"{q.letter}{network.depth}{note}"
        )
    n = network.sizes[q.layer]
    if (q.k is not None) != (q.letter == "w"):
        takes = "two indices, w2[j,k]: into neuron j from neuron k" if q.letter == "w" else "one index, the neuron's"
        raise NotationError(f"{text!r}: {q.letter} takes {takes}")
    if q.j >= n:
        raise NotationError(
            f"{text!r}: neuron {q.j} does not exist; {_whose(q)}, and in layer {q.layer} j is 0 to {n - 1}"
        )
    if q.k is not None and q.k >= network.sizes[q.layer - 1]:
        below = network.sizes[q.layer - 1]
        swapped = " (are the two indices swapped?)" if q.k < n and q.j < below else ""
        raise NotationError(f"{text!r}: {_whose(q)}, and there k is 0 to {below - 1}{swapped}")


def _whose(q: Quantity) -> str:
    """Whose number it would be."""
    if q.k is None:
        return f"{q} would belong to neuron {q.j} of layer {q.layer}"
    source = f"neuron {q.k} of layer {q.layer - 1}" if q.layer > 1 else f"input {q.k}"
    return f"{q} would be the weight into neuron {q.j} of layer {q.layer} from {source}"
