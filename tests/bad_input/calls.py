"""Calls of the command line: what it says, how it exits, and what it leaves behind."""

import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest.mock import patch

import pytest

from chainrule.cli import main

LONGEST_MESSAGE = 800


@dataclass(frozen=True)
class Call:
    """What a command line call came to."""

    code: int
    stdout: str
    stderr: str


def call(*argv: str) -> Call:
    """Run a command in this process."""
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    argv = ("chainrule", *argv)
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        patch.object(sys, "argv", list(argv)),
        pytest.raises(SystemExit) as leaving,
    ):
        main()
    out.seek(0)
    err.seek(0)
    assert isinstance(leaving.value.code, int)
    return Call(leaving.value.code, out.read(), err.read())


def contents(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder: the bytes of each file, None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def assert_refused(result: Call, fragments: Sequence[str]) -> None:
    """One clear error with all the fragments, exit 2, and nothing on standard output."""
    assert result.code == 2, result
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    errors = re.findall("^(?:chainrule: error|Error): .*", result.stderr, re.MULTILINE)
    assert len(errors) == 1, result.stderr
    assert_clear(errors[0], fragments)


def assert_clear(message: str, fragments: Sequence[str]) -> None:
    """A message that holds the fragments, is not empty chatter, and fits on a screen."""
    missing = [fragment for fragment in fragments if fragment not in message]
    assert not missing, f"{missing} not in: {message}"
    assert len(message) <= LONGEST_MESSAGE, f"{len(message)} characters: {message[:200]}"


def assert_nothing_written(folder: Path, before: dict[str, bytes | None]) -> None:
    after = contents(folder)
    assert sorted(after) == sorted(before)
    assert [name for name in after if after[name] != before[name]] == []
