"""Writing a file whole or not at all."""

import os
import tempfile
from pathlib import Path

from chainrule.errors import FileError


def check_writable(path: Path) -> None:
    """Raise FileError now if :func:`write` could not write here later; long work is then not lost at its end."""
    if path.is_dir():
        raise FileError(f"{path}: is a folder; give the name of a file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from None


def write(path: Path, content: bytes) -> None:
    """Put content into a new file beside path and move it there: a reader sees the old file or the new, never a part.

    Raises FileError; what stood at path before is then still there.
    """
    check_writable(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        raise FileError(f"{path}: not written ({error.strerror})") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
