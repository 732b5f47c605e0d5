"""The command line: argv to one library call to what is shown, a command a file.

A command's file is imported where it is asked for, and a library where a command uses it: help and errors come at once.
"""

import sys
from io import TextIOWrapper

import click

from chainrule.cli.command import Commands
from chainrule.version import __version__


@click.group(
    cls=Commands,
    names=(
        "train",
        "find-lr",
        "predict",
        "gradient",
        "explain",
        "nudge",
        "report",
        "check",
        "compare",
        "puzzle",
        "bench",
        "info",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog="Exit codes: 0 done, 1 done and the answer is no, 2 bad input or usage, 130 interrupted.",
)
@click.version_option(__version__, message="%(prog)s %(version)s", help="Print the version and exit.")
def app() -> None:
    """Train feed-forward networks, and see the calculus behind every gradient."""


def main() -> None:
    """Run the command line. Help has symbols, too: what the encoding lacks becomes ?, never an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="chainrule")
