"""Gradients in files: .json, .toml, .npz or .safetensors with w1, b1, …; data that is read, never run.

A file is opened once, as a plain file, and parsed from its bytes; so that what is read is what was looked at. Each
error is one InputError that names the file and the key.
"""

import json
import lzma
import os
import re
import stat
import struct
import tomllib
import zipfile
import zlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tokenize import TokenError
from typing import Any, cast

import numpy as np
import safetensors

from chainrule.calculus.arrays import Array
from chainrule.calculus.network import ParameterVector
from chainrule.checking.check import check_examples
from chainrule.checking.given import PRECISIONS
from chainrule.checking.search import Watch
from chainrule.checking.verdict import Verdict
from chainrule.checks import SHOWN_CHARACTERS, file_path, known, listed, shown
from chainrule.errors import InputError
from chainrule.model.model import Examples, Model, alone

_DEEPEST = 8
"""Lists in lists; the deepest that anybody means is one matrix for each example, 3."""

_MOST_DOTS = 1000
"""In the keys of a TOML file: the time and memory that tomllib takes grow with the square of a key's length."""

_NUMBER = re.compile(rb"(?<![\w.])[+-]?\d[\d_]*\.\d[\d_]*(?:[eE][+-]?\d+)?(?![\w.])")

_NOT_NPZ = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, TokenError, ValueError, OSError, EOFError, KeyError,
    TypeError, RuntimeError,
)  # fmt: skip


def check_file(
    model: Model,
    examples: Examples,
    path: str | Path,
    example: int | None = None,
    precision: str = "auto",
    earlier: str | Path | None = None,
    watch: Watch | None = None,
) -> Verdict:
    """:func:`chainrule.check` of the gradients in a file; with ``example``, taken as those of C_i.

    Raises InputError that names the file.
    """
    known("precision", precision, ["auto", *PRECISIONS])
    if example is not None:
        model, examples = alone(model, examples, example)
    gradients = read_gradients(path)
    before = None
    if earlier is not None:
        arrays = read_gradients(earlier)
        with naming(earlier):
            before = ParameterVector.from_arrays(model.network, arrays)
    with naming(path):
        return check_examples(model, examples, gradients, precision=precision, earlier=before, watch=watch)


@contextmanager
def naming(path: str | Path) -> Generator[None]:
    """Puts the file's name before the message of an InputError."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_gradients(path: str | Path) -> dict[str, Any]:
    """What a file holds, by name: arrays under w1, b1, …; under other names whatever is there, which is for
    :func:`chainrule.check` to refuse."""
    path = file_path(path)
    suffix(path)
    return parsed(path, content(path))


def suffix(path: Path) -> str:
    """The kind of file; InputError for another than these."""
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        kinds = ", ".join(list(SUFFIXES)[:-1]) + f" or {list(SUFFIXES)[-1]}"
        raise InputError(f"{path}: unknown kind of file {shown(kind)}; gradients are a {kinds} file with w1, b1, …")
    return kind


def content(path: Path, most: int | None = None, follow: bool = True) -> bytes:
    """The bytes of a plain file of at most so many; where links are not followed, a link is refused."""
    # a pipe would be waited for, and a link put in the file's place after a look at it followed, without these flags
    careful = getattr(os, "O_NONBLOCK", 0) | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    try:
        if not follow and path.is_symlink():
            raise InputError(f"{path}: is a link, which is not followed; put the file itself there")
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | careful)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f"{path}: is a device or a pipe, no file")
            if most is not None and status.st_size > most:
                raise InputError(f"{path}: has {status.st_size:,} bytes; a gradient of this network takes {most:,}")
            return file.read() if most is None else file.read(most)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def parsed(path: Path, read: bytes, most: int | None = None) -> dict[str, Any]:
    """What these bytes of the file hold; ``most`` is how many they may unpack to."""
    with naming(path):
        if not read.strip():
            raise InputError("the file is empty; a gradient is a table of arrays by name, w1, b1, …")
        return _gradients(SUFFIXES[path.suffix.lower()](read, most))


def toml_table(read: bytes) -> dict[str, Any]:
    """A TOML file's table."""
    if read.count(b".") - len(_NUMBER.findall(read)) > _MOST_DOTS:
        raise InputError("not TOML that is read here: its keys have too many dots")
    with _told("TOML"):
        return tomllib.loads(read.decode("utf-8"))


def _json(read: bytes, most: int | None) -> Any:
    """A JSON file's value; NaN and Infinity are read, as Python and NumPy write them."""
    with _told("JSON"):
        return json.loads(read, object_pairs_hook=_each_once)


@contextmanager
def _told(language: str) -> Generator[None]:
    """Says what a text is not that should be in this language."""
    try:
        yield
    except InputError:
        raise
    except UnicodeDecodeError as error:
        raise InputError(f"not a text file in UTF-8 (byte {error.start})") from None
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"not {language}: {error}") from None
    except RecursionError:
        raise InputError(f"not {language} that can be read: its lists are nested too deep") from None
    except ValueError as error:
        raise InputError(f"not {language} that can be read: {error}") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name in table:
            raise InputError(f"{shown(name)} is there twice")
        table[name] = value
    return table


def _npz(read: bytes, most: int | None) -> dict[str, Array]:
    """The arrays of an npz file. One of Python objects is a pickle, which would run code: it is refused."""
    try:
        with zipfile.ZipFile(BytesIO(read)) as archive:
            members = archive.infolist()
            if most is not None and sum(member.file_size for member in members) > most:
                raise InputError(f"unpacks to more than {most:,} bytes, which a gradient of this network takes")
            pairs: list[tuple[str, Array]] = []
            for member in members:
                with archive.open(member) as file:
                    array = np.lib.format.read_array(cast("Any", file), allow_pickle=False)
                    pairs.append((member.filename.removesuffix(".npy"), array))
    except InputError:
        raise
    except (MemoryError, OverflowError):
        raise InputError("an array in it is larger than the memory of this machine") from None
    except _NOT_NPZ as error:
        pickled = "allow_pickle" in str(error)
        why = "it holds pickled Python objects, which are never loaded" if pickled else str(error)
        raise InputError(f"not an npz file that can be read ({why}); numpy.savez makes them") from None
    return _each_once(cast("Any", pairs))


_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip


def _safetensors(read: bytes, most: int | None) -> dict[str, Array]:
    """The arrays of a safetensors file; bfloat16 as the float32 that it is the first half of."""
    try:
        tensors = cast("list[tuple[str, Any]]", cast("Any", safetensors).deserialize(read))
    except (safetensors.SafetensorError, ValueError) as error:
        raise InputError(f"not a safetensors file that can be read ({error})") from None
    arrays: dict[str, Array] = {}
    for name, tensor in tensors:
        if tensor["dtype"] not in _DTYPES:
            raise InputError(f"{shown(name)[1:-1]}: of type {tensor['dtype']}; expected one of {', '.join(_DTYPES)}")
        array = np.frombuffer(tensor["data"], _DTYPES[tensor["dtype"]])
        if tensor["dtype"] == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        arrays[name] = array.reshape(tensor["shape"])
    return arrays


SUFFIXES: Mapping[str, Callable[[bytes, int | None], Any]] = {
    ".json": _json,
    ".toml": lambda read, most: toml_table(read),
    ".npz": _npz,
    ".safetensors": _safetensors,
}
"""The kinds of file, and what reads each."""


def _gradients(value: Any) -> dict[str, Any]:
    """The table of arrays; it may stand under the one key "gradient", beside what ``gradient --json`` prints there."""
    table = _table(value)
    if "gradient" in table:
        outside = [name for name in table if _is_array(name)]
        if outside:
            raise InputError(f"{listed(outside)} and 'gradient' are both there; keep one of the two gradients")
        table = _table(table["gradient"])
    for name in table:
        if len(name) > SHOWN_CHARACTERS:
            raise InputError(f"{shown(name)} is no name of an array; expected w1, b1, …")
    return {name: _array(name, entry) if _is_array(name) else entry for name, entry in table.items()}


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{shown(value)} is not a table of arrays by name, w1, b1, …")
    return cast("dict[str, Any]", value)


def _is_array(name: str) -> bool:
    return re.fullmatch("[wb][0-9]+", name) is not None


def _array(name: str, value: Any) -> Array:
    """Lists of numbers as an array; null, which JSON has in place of NaN, as NaN."""
    if isinstance(value, np.ndarray):
        return cast("Array", value)
    _check_lists(name, value)
    try:
        return np.array(value, np.float64)
    except OverflowError:
        raise InputError(f"{name}: holds a number too large for float64") from None


def _check_lists(name: str, value: Any, depth: int = 0) -> None:
    """Refuse what NumPy would turn into a number without a word, or refuse in words of its own."""
    if not isinstance(value, list):
        if value is not None and type(value) not in (float, int):
            raise InputError(f"{name}: {shown(value)} is not a number")
        return
    rows = cast("list[Any]", value)
    if depth == _DEEPEST:
        raise InputError(f"{name.partition('[')[0]}: its lists are nested deeper than any gradient's")
    for i, row in enumerate(rows):
        if _length(row) != _length(rows[0]):
            this, first = (f"{n} numbers" if n is not None else "a single value" for n in map(_length, (row, rows[0])))
            raise InputError(f"{name}: row {i} has {this} and row 0 has {first}; all rows are as long")
        if type(row) not in (float, int):
            _check_lists(f"{name}[{i}]", row, depth + 1)


def _length(row: Any) -> int | None:
    return len(cast("list[Any]", row)) if isinstance(row, list) else None
