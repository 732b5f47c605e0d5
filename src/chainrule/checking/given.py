"""The gradient that somebody gives: its names, shapes and precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector, layout
from chainrule.checking.case import Case
from chainrule.checking.given_names import MOST, likely
from chainrule.checks import known, listed, require, shown
from chainrule.errors import InputError


@dataclass(frozen=True)
class Precision:
    """A floating-point type's name and unit roundoff."""

    name: str
    u: float


PRECISIONS = {
    "float64": Precision("float64", 2.0**-53),
    "float32": Precision("float32", 2.0**-24),
    "tf32": Precision("tf32", 2.0**-10),
    "float16": Precision("float16", 2.0**-11),
    "bfloat16": Precision("bfloat16", 2.0**-8),
}


def given_arrays(case: Case, gradients: object, *, partial: bool = False) -> tuple[dict[str, Array], list[str]]:
    """Each array by its name, float64, and remarks on what was read otherwise than it stands.

    ``partial``: some may be missing, not all. Raises InputError for a name that this network does not have, for one
    that is missing, and for a shape that no mistake has.
    """
    if isinstance(gradients, ParameterVector):
        gradients = gradients.arrays()
    n = case.network.n_parameters
    if getattr(gradients, "shape", None) == (n,):
        raise InputError(f"gradients: one array of {n} numbers; if they are in order, give ParameterVector(network, …)")
    require(isinstance(gradients, Mapping), "gradients", gradients, "a table of arrays by name, w1, b1, …")
    table = cast("Mapping[str, Any]", gradients)
    blocks = {block.name: block.shape for block in layout(case.network)}
    _check_names(table, blocks, partial)
    arrays: dict[str, Array] = {}
    notes: list[str] = []
    for name, shape in blocks.items():
        if name not in table:
            continue
        array = _numbers(name, table[name])
        wrong = _wrong_shapes(name, shape, case)
        flat = _flat(array)
        if name[0] == "b" and array.shape not in (shape, *wrong) and flat in (shape, *wrong):
            notes.append(f"{name} has shape {array.shape}; read as {flat}")
            array = array.reshape(flat)
        if array.shape != shape and array.shape not in wrong:
            raise InputError(f"{name}: shape {array.shape}, expected {shape}.{_remedy(name, array, shape, case)}")
        arrays[name] = array
    return arrays, notes


def _check_names(table: Mapping[str, Any], blocks: Mapping[str, tuple[int, ...]], partial: bool) -> None:
    strange = [name for name in table if name not in blocks]
    if strange:
        raise InputError(
            f"gradients: {shown(strange[0])} is no parameter of this network.{likely(table, blocks)} "
            f"Its gradient has {listed(blocks)}"
        )
    missing = [name for name in blocks if name not in table]
    if missing and not (partial and table):
        wanted = ", ".join(f"{name} {blocks[name]}" for name in missing[:MOST])
        raise InputError(f"gradients: {listed(missing)} missing; expected {wanted}{', …' * (len(missing) > MOST)}")


def _numbers(name: str, values: object) -> Array:
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iuf":
            raise ValueError(f"{array.dtype} is no type of numbers")
        return np.asarray(array, np.float64) if array.dtype.kind != "f" else np.asarray(array)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{name}: not an array of numbers ({error})") from None


def _wrong_shapes(name: str, shape: tuple[int, ...], case: Case) -> set[tuple[int, ...]]:
    """Shapes that some mistake makes."""
    l = int(name[1:])
    if name[0] == "w":
        mirrored = case.p.w[case.L + 1 - l].shape
        return {shape[::-1], mirrored}
    each = {(case.n, shape[0]), (shape[0], case.n)} if case.n > 1 else set[tuple[int, ...]]()
    return each | {(1,), (case.n,), case.p.b[case.L + 1 - l].shape}


def _flat(array: Array) -> tuple[int, ...]:
    """The shape of biases without the axes of length 1 that keepdims leaves, or a matrix of one column."""
    return tuple(length for length in array.shape if length != 1) or (1,)


def _remedy(name: str, array: Array, shape: tuple[int, ...], case: Case) -> str:
    if array.size == int(np.prod(shape)):
        return f" It has as many numbers as it should: {name}.reshape({shape}) if they are in that order"
    if name[0] == "w" and array.shape == (shape[0], shape[1] + 1):
        return f" One column too many: is the bias among the weights? It goes into b{name[1:]}"
    if name[0] == "w" and array.shape == (shape[1] + 1, shape[0]):
        return f" Transposed, with one row too many: is the bias among the weights? It goes into b{name[1:]}"
    meant = [other for other, block in case.p if block.shape == array.shape]
    if meant:
        return f" That is the shape of {' and '.join(meant)}"
    if name[0] == "w" and array.ndim == 3 and array.shape[0] == case.n:
        return " One gradient for each example? Give their mean over the examples"
    letter = "(neurons of the layer, its inputs)" if name[0] == "w" else "(neurons of the layer,)"
    return f" A {'weight' if name[0] == 'w' else 'bias'} gradient is {letter}"


def precision_of(given: Mapping[str, Array], wanted: str) -> Precision:
    """What the arithmetic was: as said, or of the arrays' type, or by the numbers, all of which float32 may have.

    float16 is what numbers of a longer arithmetic are kept in; whoever calculates in it has to say so.
    """
    known("precision", wanted, ["auto", *PRECISIONS])
    if wanted != "auto":
        return PRECISIONS[wanted]
    type_ = np.result_type(*given.values()).name
    if type_ in ("float16", "float32"):
        return Precision(type_, PRECISIONS["float32"].u)
    return PRECISIONS["float32" if fit_float32(given) and not _few_digits(given) else "float64"]


def fit_float32(given: Mapping[str, Array]) -> bool:
    """Whether no number has more digits than float32."""
    with np.errstate(over="ignore"):
        return all((g.astype(np.float32).astype(np.float64) == g).all() for g in given.values())


def _few_digits(given: Mapping[str, Array]) -> bool:
    """Whether all numbers are such as 0.5 and 0, which any arithmetic may give."""
    return all((g * 1024 == np.round(g * 1024)).all() for g in given.values())
