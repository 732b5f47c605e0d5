"""chainrule puzzle."""

import sys

import click

from chainrule.checks import whole_number
from chainrule.cli.command import Command
from chainrule.cli.options import INTEGER, json_option
from chainrule.cli.showing import print_json, say


@click.command(cls=Command)
@click.option("--seed", type=INTEGER, default=0, help="Which puzzle: 0, 1, 2, … until every mistake was there.")
@click.option(
    "--level", type=INTEGER, default=1, help="1, one hidden layer; 2, layers and indices; 3, costs and batches."
)
@click.option(
    "--hint", type=INTEGER, metavar="1|2|3", help="Also so many hints: which arrays, which layer, which factor."
)
@click.option("--answer", is_flag=True, help="Also the right line, why, and how one knows.")
@click.option("--line", type=INTEGER, metavar="N", help="Whether line N is the wrong one. Exits with 1 if not.")
@json_option
def puzzle(seed: int, level: int, hint: int | None, answer: bool, line: int | None, as_json: bool) -> None:
    """Ten lines of NumPy that compute a gradient, one of them wrong. Which?"""
    from chainrule.checking.puzzle import HINTS, LEVELS
    from chainrule.checking.puzzle import puzzle as puzzle_
    from chainrule.checking.puzzle_text import reply

    if hint is not None:
        whole_number("hint", hint, f"a number from 1 to {HINTS}", lambda n: 1 <= n <= HINTS)
    made = puzzle_(seed, level)
    found = None if line is None else made.asked(line)
    if as_json:
        print_json(made.json() | ({} if line is None else {"asked": line, "found": found}))
    elif line is not None:
        say(reply(made, line))
    else:
        say(made.text(hint or 0, answer))
    if line is None and not answer and not as_json:
        further = f"A hint: --hint {(hint or 0) + 1}" if (hint or 0) < HINTS else "The answer: --answer"
        another = f"Another puzzle: --seed {seed + 1}" + (
            f"; harder ones: --level {level + 1}" if level < LEVELS else ""
        )
        say(f"\nIs it line N? --line N\n{further}\n{another}")
    if found is False:
        sys.exit(1)
