"""Showing what a command found: text, documents and JSON on standard output, all else on standard error."""

import os
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def say(text: str) -> None:
    """A text on standard output."""
    from chainrule.render.text import fit_encoding

    _write(fit_encoding(text, sys.stdout.encoding) + "\n")


def tell(text: str) -> None:
    """A line on standard error; names of files and columns in it cannot steer the terminal."""
    from chainrule.render.text import fit_encoding, printable

    try:
        print(fit_encoding(printable(text), sys.stderr.encoding), file=sys.stderr, flush=True)
    except OSError:  # the exit code tells, too
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Let what is still to be written to a stream that is closed or full go nowhere, so that exiting does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def fail(message: str) -> NoReturn:
    """End with an error on standard error and exit code 2."""
    tell(f"chainrule: error: {message}")
    sys.exit(2)


def print_document(text: str) -> None:
    """A document as it is; where the encoding lacks a character, HTML and SVG have a reference for it."""
    from chainrule.render.text import fit_encoding

    if text.lstrip().startswith("<"):
        text = text.encode(sys.stdout.encoding or "ascii", "xmlcharrefreplace").decode(sys.stdout.encoding or "ascii")
    _write(fit_encoding(text, sys.stdout.encoding) + "\n" * (not text.endswith("\n")))


def print_json(record: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    from chainrule.render.json_text import json_text

    _write(json_text(record, sys.stdout.encoding) + "\n")


def _write(text: str) -> None:
    """On standard output, at once. Where the reader, such as head, has seen enough, the exit code still tells."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        discard(sys.stdout)


@contextmanager
def rounds(doing: str, after: float = 0.0) -> "Generator[Callable[[float, float], None] | None]":
    """A bar that counts rounds of some work, where standard error is a terminal; drawn only between two, and not before
    so many seconds."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(TextColumn(doing), BarColumn(), console=console, transient=True, auto_refresh=False)
    task, due = bar.add_task("", total=1), monotonic() + after

    def watch(done: float, rounds: float) -> None:
        nonlocal due
        if monotonic() >= due:
            bar.start()
            bar.update(task, completed=done, total=rounds, refresh=True)
            due = monotonic() + 0.1  # drawing takes a while itself

    if not after:
        bar.start()
    try:
        yield watch
    finally:
        bar.stop()
