"""Runs the code in the documentation and writes what it prints back into it.

    python docs/execute.py [FILE.md ...]

A ```python block is executed, all blocks of one file in one namespace, and what it prints stands in the ```text block
that follows it. A ```console block holds `$ chainrule …` commands, each with its output below it. Paths are relative to
the repository. `tests/test_docs.py` fails where a file is not what this program would make of it.
"""

import io
import os
import re
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from chainrule.cli import app

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    "README.md",
    "docs/the-article.md",
    "docs/explain.md",
    "docs/check.md",
    "docs/check-function.md",
    "docs/mistakes.md",
    "docs/puzzles.md",
    "docs/grading.md",
    "docs/estimators.md",
    "docs/training.md",
    "docs/why-relu.md",
)

_BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```\n(?:\n```text\n(?P<printed>.*?)```\n)?|```console\n(?P<console>.*?)```\n", re.DOTALL
)


def executed(document: str) -> str:
    """The document with every output as it is now. Runs the code it holds, in the repository's folder."""
    namespace: dict[str, Any] = {}

    def fresh(match: re.Match[str]) -> str:
        if match["console"] is not None:
            commands = [line[2:] for line in match["console"].splitlines() if line.startswith("$ ")]
            return "```console\n" + "\n".join(f"$ {line}\n{_command(line)}" for line in commands) + "```\n"
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(match["code"], namespace)
        block = f"```python\n{match['code']}```\n"
        return block + (f"\n```text\n{printed.getvalue()}```\n" if printed.getvalue() else "")

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return _BLOCK.sub(fresh, document)
    finally:
        os.chdir(before)


def outputs(document: str) -> str:
    """Everything that the document's code prints, one text."""
    return "\n".join(match["printed"] or match["console"] or "" for match in _BLOCK.finditer(document))


def prose(document: str) -> str:
    """The document without any fenced block."""
    return re.sub(r"```.*?```", "", document, flags=re.DOTALL)


def _command(line: str) -> str:
    program, *words = shlex.split(line)
    if program != "chainrule":
        raise ValueError(f"only chainrule is run, not {line!r}")
    printed, told = io.StringIO(), io.StringIO()
    code: object = 0
    with redirect_stdout(_Utf8(printed)), redirect_stderr(told):
        try:
            code = app(words, standalone_mode=False)
        except SystemExit as ending:
            code = ending.code
    if code not in (0, None, 1):  # 1 is an answer: no
        raise RuntimeError(f"{line!r} ended with {code}: {told.getvalue()}")
    return printed.getvalue()


class _Utf8(io.TextIOBase):
    """A text stream that says it is UTF-8, as a terminal does."""

    encoding = "utf-8"  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __init__(self, buffer: io.StringIO) -> None:
        self._buffer = buffer

    def write(self, s: str, /) -> int:
        return self._buffer.write(s)


def main() -> None:
    """Rewrite the documents named on the command line, or all."""
    for name in sys.argv[1:] or DOCUMENTS:
        path = ROOT / name
        path.write_text(executed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
