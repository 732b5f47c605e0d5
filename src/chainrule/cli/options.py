"""Options and arguments that several commands have, and the types of their values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chainrule.checks import shown


class Number(click.ParamType[float]):
    """A number as Python reads it."""

    def __init__(self, name: str, read: Callable[[str], float]) -> None:
        self.name = name
        self.read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; the error shows the text, cut short where it is long."""
        try:
            return self.read(value)
        except ValueError:
            self.fail(f"{shown(value)} is not a valid {self.name}.", param, ctx)


NUMBER = Number("number", float)
INTEGER = Number("integer", int)
PATH = click.Path(readable=False, path_type=Path)  # whether it can be read is seen where it is
NAME_OR_PATH = click.Path(readable=False)

file_argument = click.argument(
    "file", type=PATH, help="A problem file (.toml), or a model file (.safetensors) with --data."
)
target_argument = click.argument(
    "target",
    help="A weight w2.1.0 (into neuron 1 of layer 2 from neuron 0), a bias b2.1, an a2.1 or z2.1, or an input x.5.",
)
of_option = click.option(
    "--of",
    default="C",
    metavar="NODE",
    help="What is differentiated: C, C.3 (one example's cost), an a2.1 or a z2.1.",
)
data_option = click.option(
    "--data", type=NAME_OR_PATH, metavar="DATA", help="The examples, where FILE is a model: like DATA of train."
)
example_option = click.option(
    "--example", type=INTEGER, metavar="I", help="One example, counted from 0, in place of the average."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
