"""Arrays: an ``.npz`` file with ``X`` (examples, inputs) and, where there are targets, ``y``."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.calculus.arrays import Array
from chainrule.checks import listed
from chainrule.data.table import Column, Table
from chainrule.errors import DataError


def read_npz(path: Path) -> Table:
    """The table in an npz file: columns x0, x1, … and the target y (y0, y1, … if it has several columns).

    Raises DataError; arrays of Python objects are refused, since reading them could run code.
    """
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise DataError(f"{path}: not an npz file that can be read, or a part of one; numpy.savez makes them")
            file.seek(0)
            arrays: Any = np.load(file, allow_pickle=False)
            names = set(arrays.files)
            if "X" not in names or not names <= {"X", "y"}:
                raise DataError(f"{path}: expected arrays named X and y, found {listed(sorted(names)) or 'none'}")
            X = np.asarray(arrays["X"])
            y = np.asarray(arrays["y"]) if "y" in names else None
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, KeyError, TypeError, RuntimeError) as error:
        why = "it holds pickled Python objects, which are never loaded" if "pickle" in str(error) else str(error)
        raise DataError(f"{path}: not an npz file that can be read ({why})") from None
    except (MemoryError, OverflowError):
        raise DataError(f"{path}: an array in it is larger than the memory of this machine") from None
    return from_arrays(str(path), X, y)


def from_arrays(source: str, X: Array, y: Array | None) -> Table:
    """The same table from arrays in memory."""
    if X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "biuf":
        raise DataError(f"{source}: X has shape {X.shape} of {X.dtype}; expected numbers of shape (examples, inputs)")
    columns: dict[str, Column] = {f"x{k}": X[:, k].astype(np.float64) for k in range(X.shape[1])}
    if y is None:
        return Table(source, columns)
    if y.ndim not in (1, 2) or len(y) != len(X) or 0 in y.shape:
        raise DataError(f"{source}: y has shape {y.shape} for {len(X)} examples; expected one target for each example")
    if y.dtype.kind not in "biufU":
        raise DataError(f"{source}: y is of type {y.dtype}; expected numbers or texts")
    targets = {"y": y} if y.ndim == 1 else {f"y{j}": y[:, j] for j in range(y.shape[1])}
    for name, values in targets.items():
        columns[name] = values.tolist() if y.dtype.kind == "U" else values.astype(np.float64)
    return Table(source, columns, target=tuple(targets))
