"""Submissions: one gradients file each, in a folder or in folders below it. Links are listed and never followed."""

import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from chainrule.checking.files import SUFFIXES
from chainrule.checks import file_path
from chainrule.errors import InputError
from chainrule.model.write import same_file


@dataclass(frozen=True)
class Submission:
    """Whose it is, and where; ``error`` says why there is nothing to read."""

    name: str
    path: Path
    error: str = ""


def submissions(folder: str | Path, others: Collection[Path] = ()) -> tuple[list[Submission], list[str]]:
    """What was handed in, sorted by name, and the files in the folder that are of another kind, which are left alone.

    ``others`` are files that are no submissions, such as the rubric. A file in the folder itself is called by its name
    without suffix. A folder below it is one submission where it holds one gradients file, and otherwise one for each,
    called folder/file. Raises InputError for no folder.
    """
    folder = file_path(folder)
    try:
        entries = [folder / entry.name for entry in os.scandir(folder) if not _hidden(entry.name)]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); give a folder of submissions") from None
    entries = [path for path in entries if path.is_symlink() or not any(same_file(path, other) for other in others)]
    files = [path for path in entries if path.is_symlink() or not path.is_dir()]
    left = sorted(path.name for path in files if not _known(path) and not path.is_symlink())
    found = [Submission(path.stem, path) for path in files if path.name not in left]
    for path in entries:
        if path not in files:
            found += _below(path)
    if not found:
        raise InputError(f"{folder}: holds no submissions; each is a {', '.join(SUFFIXES)} file, or a folder with one")
    times = Counter(one.name for one in found)
    clear = [
        Submission(str(one.path.relative_to(folder)), one.path, one.error) if times[one.name] > 1 else one
        for one in found
    ]
    return sorted(clear, key=lambda one: (one.name.casefold(), one.name)), left


def _below(folder: Path) -> list[Submission]:
    """Those in a folder of somebody."""
    failed: list[OSError] = []
    files = [
        Path(place, name)
        for place, _, names in os.walk(folder, onerror=failed.append)
        for name in names
        if _known(Path(name)) and not any(map(_hidden, Path(place, name).relative_to(folder).parts))
    ]
    if len(files) > 1:
        return [Submission(f"{folder.name}/{path.relative_to(folder).with_suffix('')}", path) for path in files]
    if files:
        return [Submission(folder.name, files[0])]
    why = f"cannot be read ({failed[0].strerror})" if failed else f"holds no {', '.join(SUFFIXES)} file"
    return [Submission(folder.name, folder, why)]


def _known(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _hidden(name: str) -> bool:
    """What file managers and archives leave behind."""
    return name.startswith(".") or name == "__MACOSX"
