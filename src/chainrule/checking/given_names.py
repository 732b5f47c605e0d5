"""Which arrays are meant by names that are none of this network's: those of PyTorch, scikit-learn, Keras, of courses
and papers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, cast
from unicodedata import normalize

import numpy as np

from chainrule.checks import did_you_mean, shown

Shapes = Mapping[str, tuple[int, ...]]

MOST = 4
"""So many arrays are told of; the others go by the same rule."""

_WORD = re.compile(
    "(?:d[cjle]d|grad(?:ient)?s?|nabla|delta|d)?"  # that it is a derivative: dCdw, gradW, dw
    "(?:(?P<w>weights?|kernels?|coef(?:ficient)?s?|thetas?|θ|ws?)|(?P<b>bias(?:es)?|intercepts?|bs?))"
)


def likely(table: Mapping[str, Any], blocks: Shapes) -> str:
    """The sentence that says which array is meant by which name of the table, or nothing where that cannot be told."""
    strange = [str(name) for name in table if name not in blocks]
    table = _flat(table)
    pairs = list(_by_size(table, blocks) or _by_name(table, blocks) or _by_place(table, blocks))
    told = [(block, meant) for block, meant in pairs if meant != block]
    if len(told) == 1 and told[0][1] in strange:
        return f" Did you mean {told[0][0]!r}?"
    if told:
        more = ", …" if len(told) > MOST else ""
        return f" Probably {', '.join(f'{block} is {meant}' for block, meant in told[:MOST])}{more}."
    if any(_number(name) == [0] for name in strange if _kind(name)):
        return " Layers count from 1: w1 leads into the first layer after the input."
    return did_you_mean(strange[0], blocks)


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """Tables in the table, one for each layer, by names such as layer1.w."""
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": array for inner, array in cast("Mapping[str, Any]", value).items()}
        else:
            flat[name] = value
    return flat


def _by_size(table: Mapping[str, Any], blocks: Shapes) -> Iterator[tuple[str, str]] | None:
    """One flat array of everything."""
    sizes = [prod(shape) for shape in blocks.values()]
    if len(table) != 1:
        return None
    ((name, value),) = table.items()
    if len(blocks) == 1 or _shape(value) not in ((sum(sizes),), (1, sum(sizes)), (sum(sizes), 1)):
        return None
    ends = np.cumsum(sizes).tolist()
    expression = shown(name)[1:-1] + (".ravel()" if len(_shape(value) or ()) > 1 else "")
    return (
        (block, f"{expression}[{end - size}:{end}]" + (f".reshape{shape}" if len(shape) > 1 else ""))
        for (block, shape), size, end in zip(blocks.items(), sizes, ends, strict=True)
    )


def _by_name(table: Mapping[str, Any], blocks: Shapes) -> list[tuple[str, str]]:
    """By the words and the numbers in the names; each kind in order, where there are as many as layers."""
    depth = len(blocks) // 2
    found: dict[str, str] = {}
    for kind in "wb":
        names = [name for name in table if _kind(name) == kind]
        layers = [f"{kind}{l}" for l in range(1, depth + 1)]
        if len(names) == 1 and _is_list(table[names[0]], [blocks[layer] for layer in layers]):
            items = [(layer, f"{shown(names[0])[1:-1]}[{at}]", table[names[0]][at]) for at, layer in enumerate(layers)]
        else:
            items = [(layer, shown(name)[1:-1], table[name]) for layer, name in _ordered(names, layers)]
        for layer, expression, value in items:
            for letter, meant in _fitted(kind, expression, _shape(value), blocks[layer]):
                found.setdefault(letter + layer[1:], meant)
    return [(block, found[block]) for block in blocks if block in found]


def _ordered(names: Sequence[str], layers: Sequence[str]) -> list[tuple[str, str]]:
    """The layers' arrays with the names that are likely to be theirs."""
    numbers = [_number(name) for name in names]
    if all(numbers):
        names = sorted(names, key=_number)
    if [0] not in numbers:  # who does not count from 0 means by w1 what is meant here
        right = [name for name in names if name in layers]
        names = [name for name in names if name not in right]
        layers = [layer for layer in layers if layer not in right]
    if len(names) == len(layers):
        return list(zip(layers, names, strict=True))
    return [(layer, name) for layer in layers for name in names if _number(name)[-1:] == [int(layer[1:])]]


def _by_place(table: Mapping[str, Any], blocks: Shapes) -> list[tuple[str, str]]:
    """Under any names, such as numpy.savez gives: by their order, where all shapes are as they should be."""
    if [_shape(value) for value in table.values()] != list(blocks.values()):
        return []
    return [(block, shown(name)[1:-1]) for block, name in zip(blocks, table, strict=True)]


def _fitted(
    kind: str, expression: str, shape: tuple[int, ...] | None, expected: tuple[int, ...]
) -> Iterator[tuple[str, str]]:
    """What to make of an array that is meant, so that it has the shape that it should."""
    if kind == "w" and shape == (expected[0], expected[1] + 1):  # the biases are its first column, as with Θ
        yield from (("w", f"{expression}[:, 1:]"), ("b", f"{expression}[:, 0]"))
    elif kind == "w" and shape == (expected[1] + 1, expected[0]):
        yield from (("w", f"{expression}[1:].T"), ("b", f"{expression}[0]"))
    elif shape == expected[::-1] != expected:
        yield kind, f"{expression}.T"
    else:
        yield kind, expression


def _kind(name: object) -> str:
    """w or b, by the last word that says so."""
    for word in reversed(re.findall(r"[^\W\d_]+", normalize("NFKC", str(name)).lower())):
        match = _WORD.fullmatch(word)
        if match:
            return "w" if match["w"] else "b"
    return ""


def _number(name: str) -> list[int]:
    return [int(digits[:9]) for digits in re.findall("[0-9]+", normalize("NFKC", name))]


def _is_list(value: Any, expected: Sequence[tuple[int, ...]]) -> bool:
    """Whether it has an array for each layer, transposed or not."""
    if not isinstance(value, list | tuple):
        return False
    shapes = [_shape(array) for array in cast("Sequence[Any]", value)]
    return len(shapes) == len(expected) and all(s in (e, e[::-1]) for s, e in zip(shapes, expected, strict=True))


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of an array or of lists; None of anything else."""
    try:
        return np.shape(value)
    except ValueError:  # rows of several lengths
        return None
