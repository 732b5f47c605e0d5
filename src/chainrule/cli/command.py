"""Commands whose errors become one line and an exit code, never a traceback."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from chainrule.cli.showing import discard, fail, tell
from chainrule.errors import ChainruleError


class Command(click.Command):
    """A command whose errors become one line on standard error and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> None:
        """Run it."""
        try:
            super().invoke(ctx)
        except ChainruleError as error:
            fail(str(error))
        except KeyboardInterrupt:
            tell("interrupted")
            sys.exit(130)
        except MemoryError:
            fail("out of memory; the network or the data is too large for this machine")
        except OSError as error:
            discard(sys.stdout)
            fail(f"the output cannot be written ({error.strerror})")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under their headings, those without one last."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = None if isinstance(param, click.Argument) else param.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(param, "heading", "Options"), []).append(record)
        sections["Options"] = sections.pop("Options", [])
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def get_short_help_str(self, limit: int = 0) -> str:
        """The first paragraph of its help, whole."""
        return (self.help or "").partition("\n\n")[0]


class Commands(click.Group):
    """The commands of these names, in this order; the file of each is imported when it is asked for."""

    def __init__(self, names: Sequence[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self.commands = dict.fromkeys(names, Command(None))  # what click looks for a likely name in

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, if there is one."""
        if cmd_name not in self.commands:
            return None
        module = cmd_name.replace("-", "_")
        return getattr(import_module(f"chainrule.cli.{module}"), module)
