"""Writing files whole or not at all."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from chainrule.errors import FileError


def check_writable(path: Path) -> None:
    """Raise FileError now if :func:`write` could not write here later; long work is then not lost at its end."""
    try:
        with suppress(FileNotFoundError):
            if not S_ISREG(path.stat().st_mode):
                raise FileError(f"{path}: is a folder or a device; give the name of a file")
        with tempfile.TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from None


def write(contents: Mapping[Path, bytes]) -> None:
    """Put each content into a new file beside its path; once all are complete, move them there.

    A reader sees the old files or the new, never a part. Raises FileError; what stood at the paths is then still there.
    """
    staged: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            check_writable(path)
            descriptor, name = tempfile.mkstemp(dir=path.resolve().parent, prefix=".chainrule-")
            staged[path] = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            staged[path].chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        for path, complete in staged.items():
            complete.replace(path.resolve())  # through a link, not over it
    except OSError as error:
        raise FileError(f"{path}: not written ({error.strerror})") from None
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def same_file(one: Path, other: Path) -> bool:
    """Whether both names lead to the same file that exists."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False
