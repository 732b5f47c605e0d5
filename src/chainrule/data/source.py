"""From the word after a command to a table: a bundled data set, a file, or a folder of files."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.checks import file_path, listed
from chainrule.data.arrow import read_parquet
from chainrule.data.csv_file import read_csv
from chainrule.data.npz_file import from_arrays, read_npz
from chainrule.data.table import Column, Table, number_text
from chainrule.errors import DataError, MissingExtraError

_READERS = {".csv": read_csv, ".tsv": read_csv, ".parquet": read_parquet, ".npz": read_npz}
KINDS = tuple(_READERS)
"""How the names of files end that hold a table."""

_SKLEARN = {
    "iris": "load_iris",
    "wine": "load_wine",
    "breast-cancer": "load_breast_cancer",
    "diabetes": "load_diabetes",
}


def read_table(data: str | Path) -> Table:
    """The table that DATA names.

    ``digits`` is bundled; iris, wine, breast-cancer and diabetes come with scikit-learn where it is installed; anything
    else is a .csv, .tsv, .parquet or .npz file, or a folder whose files of one such kind are read in the order of their
    names as one table. A file called as a data set is reached by ``./digits``. Raises DataError or MissingExtraError.
    """
    path = file_path(data)
    if data == "digits":
        return _digits()
    if isinstance(data, str) and data in _SKLEARN:
        return _sklearn(data)
    try:
        if path.is_dir():
            return _folder(path)
        if not path.exists():
            raise DataError(f"{data}: no such file, folder or data set. Data sets: digits, {', '.join(_SKLEARN)}")
        return _file(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{data}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    except MemoryError:
        raise DataError(f"{data}: larger than the memory of this machine") from None


def table_files(folder: Path) -> list[Path]:
    """The files that are read as one table, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS and file.is_file())


def _file(path: Path) -> Table:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: unknown kind of file {path.suffix!r}; known: {', '.join(_READERS)}")
    return reader(path)


def _folder(path: Path) -> Table:
    files = table_files(path)
    kinds = {file.suffix.lower() for file in files}
    if not files:
        raise DataError(f"{path}: the folder holds no file of a known kind ({', '.join(_READERS)})")
    if len(kinds) > 1:
        raise DataError(f"{path}: the folder holds files of several kinds ({', '.join(sorted(kinds))}); keep one kind")
    tables = [_file(file) for file in files]
    first = tables[0]
    for table in tables[1:]:
        if set(table.columns) != set(first.columns):
            odd = sorted(set(table.columns) ^ set(first.columns))
            raise DataError(f"{table.source}: its columns differ from {first.source}'s in {listed(odd)}")
    starts = np.cumsum([0] + [table.n_rows for table in tables])

    def where(row: int) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return f"{files[part].name} {tables[part].where(row - int(starts[part]))}"

    def cell(row: int, name: str) -> str:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return tables[part].cell(row - int(starts[part]), name)

    columns = {name: _joined([table.columns[name] for table in tables]) for name in first.columns}
    return Table(str(path), columns, where, first.target, cell)


def _joined(parts: list[Column]) -> Column:
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts):
        return np.concatenate(arrays)
    texts: list[str] = []
    for part in parts:
        texts += part if isinstance(part, list) else [number_text(value) for value in part.tolist()]
    return texts


def _digits() -> Table:
    with np.load(Path(__file__).parent / "digits.npz", allow_pickle=False) as arrays:
        X, y = arrays["X"], arrays["y"]
    columns: dict[str, Column] = {f"pixel{k}": X[:, k].astype(np.float64) for k in range(X.shape[1])}
    columns["digit"] = [str(digit) for digit in y.tolist()]
    return Table("digits", columns, where=lambda row: f"image {row}", target=("digit",))


def _sklearn(name: str) -> Table:
    if find_spec("sklearn") is None:
        raise MissingExtraError(f"{name}: this data set comes with scikit-learn: pip install 'chainrule[sklearn]'")
    from sklearn import datasets  # pyright: ignore  # no types of its own

    bunch: Any = getattr(datasets, _SKLEARN[name])()  # pyright: ignore[reportUnknownArgumentType]
    y = np.asarray(bunch.target)
    if "target_names" in bunch:
        y = np.asarray(bunch.target_names)[y]
    table = from_arrays(name, np.asarray(bunch.data), y)
    columns: dict[str, Column] = {
        str(bunch.feature_names[k]): table.columns[f"x{k}"] for k in range(bunch.data.shape[1])
    }
    return Table(name, columns | {"target": table.columns["y"]}, target=("target",))
