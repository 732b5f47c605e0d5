"""chainrule info."""

import click

from chainrule.cli.command import Command
from chainrule.cli.options import json_option
from chainrule.cli.showing import print_json, say


@click.command(cls=Command)
@json_option
def info(as_json: bool) -> None:
    """What is installed, and which engine does the arithmetic."""
    from chainrule.engines.machine import machine

    facts = machine()
    if as_json:
        print_json(facts)
        return
    extras = ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in facts["extras"].items())
    for name, value in (facts | {"extras": extras}).items():
        say(f"{name.replace('_', ' '):<16} {value}")
