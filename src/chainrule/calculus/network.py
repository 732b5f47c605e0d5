"""A network's description, and its parameters as one flat vector in the article's order.

The vector is ∇C's own layout: w1, b1, w2, b2, …, wL, bL, each w row by row. ``w[l]`` and ``b[l]`` are views into
it, so that an optimizer, a checker and a file all work on the same numbers. Nothing else knows an offset.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from math import prod
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from chainrule.calculus.activation import ACTIVATIONS, Activation
from chainrule.calculus.arrays import Array, numbers
from chainrule.calculus.cost import COSTS, Cost
from chainrule.checks import known, listed, number, require, sequence, shown, whole_number
from chainrule.errors import InputError, NetworkError

MAX_PARAMETERS = 2**31
"""The largest network accepted: 8 GiB of float32 parameters."""


@dataclass(frozen=True)
class Network:
    """A chain of dense layers 1..L; layer 0 is the input.

    ``sizes`` is (n_0, …, n_L). ``activation`` is one name for every layer, or one a layer; it is kept as one a
    layer. ``cost`` names the cost; ``l1`` and ``l2`` are the penalties l1·Σ|w| + l2·Σw² on the weights.
    Raises NetworkError for anything that is not such a network.
    """

    sizes: tuple[int, ...]
    activation: tuple[str, ...]
    cost: str
    l1: float
    l2: float

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Sequence[str],
        cost: str,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        set_ = object.__setattr__  # the one way to fill a frozen dataclass
        set_(self, "sizes", _sizes(sizes))
        set_(self, "activation", _activations(activation, len(self.sizes) - 1))
        set_(self, "cost", known("cost", cost, COSTS, NetworkError))
        set_(self, "l1", _penalty("l1", l1))
        set_(self, "l2", _penalty("l2", l2))
        if not self.C.goes_with(self.activation[-1]):
            raise NetworkError(
                f"activation: cost {cost!r} does not go with a last layer of {self.activation[-1]!r}. "
                f"The costs and the output activations they go with: {legal_pairs()}"
            )

    @property
    def depth(self) -> int:
        """L, the number of layers that have weights."""
        return len(self.sizes) - 1

    @property
    def C(self) -> Cost:
        """The cost with its derivatives."""
        return COSTS[self.cost]

    def σ(self, l: int) -> Activation:
        """The activation of layer l with its derivative; layers count from 1."""
        return ACTIVATIONS[self.activation[l - 1]]

    @property
    def layers(self) -> range:
        """1..L."""
        return range(1, self.depth + 1)

    @cached_property
    def n_parameters(self) -> int:
        """How many weights and biases there are."""
        return sum(block.stop - block.start for block in layout(self))

    @cached_property
    def _hash(self) -> int:
        return hash((self.sizes, self.activation, self.cost, self.l1, self.l2))

    def __hash__(self) -> int:
        return self._hash  # asked for at each gradient

    def __reduce__(self) -> tuple[Any, ...]:
        # without what is cached: another process hashes texts differently
        return type(self), (self.sizes, self.activation, self.cost, self.l1, self.l2)


def legal_pairs() -> str:
    """Every cost with the output activations it goes with, in words."""
    return "; ".join(
        f"{cost.name} with {' or '.join(cost.activations) or 'any but softmax'}" for cost in COSTS.values()
    )


def _sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    sequence("sizes", sizes, "a list of layer sizes such as [2, 3, 1]", NetworkError)
    if len(sizes) < 2:
        raise NetworkError(f"sizes: {list(sizes)} has {len(sizes)} entries; at least an input and an output are needed")
    neurons = "a layer's number of neurons, a whole number of at least 1"
    whole = tuple(
        whole_number(f"sizes: entry {l}", n, neurons, lambda n: n >= 1, NetworkError) for l, n in enumerate(sizes)
    )
    if sum(n * (k + 1) for k, n in pairwise(whole)) > MAX_PARAMETERS:
        raise NetworkError(f"sizes: {shown(list(whole))} makes more parameters than the most, {MAX_PARAMETERS:,}")
    return whole


def _activations(activation: str | Sequence[str], depth: int) -> tuple[str, ...]:
    names = [activation] * depth if isinstance(activation, str) else activation
    sequence("activation", names, "a name or a list of names", NetworkError)
    if len(names) != depth:
        raise NetworkError(f"activation: {len(names)} names for {depth} layers; give one for all, or one for each")
    names = tuple(known("activation", name, ACTIVATIONS, NetworkError) for name in names)
    for l, name in enumerate(names[:-1], 1):
        if not ACTIVATIONS[name].elementwise:
            raise NetworkError(f"activation: layer {l} of {depth} is {name!r}, which only the last layer can be")
    return names


def _penalty(what: str, value: object) -> float:
    return number(what, value, "a penalty, a number of 0 or more", lambda x: x >= 0, NetworkError)


# the flat vector -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """One w or b within the flat vector: ``vector[start:stop].reshape(shape)``."""

    name: str
    layer: int
    start: int
    stop: int
    shape: tuple[int, ...]


@cache
def layout(network: Network) -> tuple[Block, ...]:
    """Where w1, b1, …, wL, bL lie in the flat vector."""
    blocks: list[Block] = []
    start = 0
    for l in network.layers:
        n_in, n_out = network.sizes[l - 1], network.sizes[l]
        for letter, shape in (("w", (n_out, n_in)), ("b", (n_out,))):
            stop = start + prod(shape)
            blocks.append(Block(f"{letter}{l}", l, start, stop, shape))
            start = stop
    return tuple(blocks)


_FLOAT_TYPES = (np.dtype(np.float32), np.dtype(np.float64))


class ParameterVector:
    """All weights and biases, or all of ∇C: one flat ``vector`` with views ``w[l]`` (n_l, n_{l−1}) and ``b[l]`` (n_l,).

    Layers count from 1: ``w[1]`` is W⁽¹⁾. Writing into a view writes into the vector. ``vector`` is kept, not
    copied; it must be one-dimensional, contiguous, float32 or float64, and of the network's length
    (InputError otherwise).
    """

    def __init__(self, network: Network, vector: Array) -> None:
        require(isinstance(network, Network), "network", network, "a Network")
        require(isinstance(vector, np.ndarray), "parameters", vector, "an array")
        if vector.dtype not in _FLOAT_TYPES:
            raise InputError(f"parameters: dtype {vector.dtype}, expected float32 or float64")
        if vector.shape != (network.n_parameters,) or not vector.flags.c_contiguous:
            raise InputError(
                f"parameters: shape {vector.shape}, expected one contiguous row of {network.n_parameters} numbers "
                f"for sizes {shown(list(network.sizes))}"
            )
        self.network = network
        self.vector = vector

    @cached_property
    def w(self) -> Mapping[int, Array]:
        """w[l], (n_l, n_{l−1}), of each layer, as views."""
        return self._views("w")

    @cached_property
    def b(self) -> Mapping[int, Array]:
        """b[l], (n_l,), of each layer, as views."""
        return self._views("b")

    def _views(self, letter: str) -> Mapping[int, Array]:
        blocks = [block for block in layout(self.network) if block.name[0] == letter]
        return MappingProxyType(
            {block.layer: self.vector[block.start : block.stop].reshape(block.shape) for block in blocks}
        )

    @classmethod
    def zeros(cls, network: Network, dtype: np.dtype[np.floating] | type = np.float64) -> Self:
        """All parameters 0."""
        require(isinstance(network, Network), "network", network, "a Network")
        return cls(network, np.zeros(network.n_parameters, _float_type(dtype)))

    @classmethod
    def from_arrays(
        cls, network: Network, arrays: Mapping[str, Any], dtype: np.dtype[np.floating] | type = np.float64
    ) -> Self:
        """From {"w1": [[…]], "b1": […], …}, nested lists or arrays, checked name by name.

        Raises InputError that names the array, and the row where one is ragged.
        """
        require(isinstance(network, Network), "network", network, "a Network")
        require(isinstance(arrays, Mapping), "parameters", arrays, "a table of arrays by name")
        names = {block.name: block for block in layout(network)}
        for name in arrays:
            if name not in names:
                raise InputError(f"{name}: no such parameter; sizes {shown(list(network.sizes))} have {listed(names)}")
        values = [_values(network, block, arrays) for block in layout(network)]
        with np.errstate(over="ignore"):  # the answer is below
            vector = np.concatenate([array.ravel() for array in values]).astype(_float_type(dtype))
        if not np.isfinite(vector).all():
            raise InputError(f"the parameters do not fit into {np.dtype(dtype)}")
        return cls(network, vector)

    def arrays(self) -> dict[str, Array]:
        """{"w1": w[1], "b1": b[1], …} in the article's order; the arrays are views."""
        return {
            name: values for l in self.network.layers for name, values in ((f"w{l}", self.w[l]), (f"b{l}", self.b[l]))
        }

    def __iter__(self) -> Iterator[tuple[str, Array]]:
        """Pairs of name and view in the article's order."""
        return iter(self.arrays().items())

    def astype(self, dtype: np.dtype[np.floating] | type) -> Self:
        """A copy in another dtype."""
        return type(self)(self.network, self.vector.astype(dtype))

    def copy(self) -> Self:
        """A copy that shares nothing."""
        return self.astype(self.vector.dtype)

    def __repr__(self) -> str:
        return f"ParameterVector(sizes={list(self.network.sizes)}, {self.vector.size} numbers, {self.vector.dtype})"


def _float_type(dtype: Any) -> np.dtype[np.floating]:
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = ""
    require(name in ("float32", "float64"), "dtype", dtype, "float32 or float64")
    return np.dtype(name)


def _values(network: Network, block: Block, arrays: Mapping[str, Any]) -> Array:
    if block.name not in arrays:
        raise InputError(f"{block.name}: missing; expected shape {block.shape}")
    return numbers(block.name, arrays[block.name], block.shape, hint=_shape_hint(network, block))


def _shape_hint(network: Network, block: Block) -> str:
    n_in, n_out = network.sizes[block.layer - 1], network.sizes[block.layer]
    if block.name.startswith("w"):
        return f"one row for each of layer {block.layer}'s {n_out} neurons, one number for each of its {n_in} inputs"
    return f"one number for each of layer {block.layer}'s {n_out} neurons"
