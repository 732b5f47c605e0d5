"""Options and arguments that several commands have, and the types of their values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from chainrule.checks import shown

Command = Callable[..., None]


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


class Several(click.ParamType[tuple[Any, ...]]):
    """Values of one type with commas between them, as a tuple."""

    def __init__(self, one: click.ParamType[Any]) -> None:
        self.one = one
        self.name = f"{one.name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Each value as its type has it."""
        return tuple(self.one.convert(part.strip(), param, ctx) for part in str(value).split(","))


NUMBER = Number("number", float)
INTEGER = Number("integer", int)
PATH = click.Path(readable=False, path_type=Path)  # whether it can be read is seen where it is
NAME_OR_PATH = click.Path(readable=False)

data_argument = click.argument(
    "data",
    type=NAME_OR_PATH,
    help="digits (bundled); a CSV or Parquet file or folder; an .npz with X and y; or iris, wine, "
    "breast-cancer, diabetes where scikit-learn is installed.",
)
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


def training_options(several: bool = False) -> Callable[[Command], Command]:
    """What and how to train; with ``several``, most of them take several values with commas between."""

    def type_(one: click.ParamType[Any]) -> click.ParamType[Any]:
        return Several(one) if several else one

    names = "identity, sigmoid, tanh, relu, leaky-relu, elu, softplus, silu, gelu or exp: one for all hidden layers"
    options = (
        click.option(
            "--target",
            multiple=True,
            metavar="COLUMN",
            help="The column to predict; repeat it to predict several numbers.",
        ),
        click.option(
            "--hidden",
            multiple=several,
            default=["64,32"] if several else "64,32",
            help=f"Sizes of the hidden layers, or none{'; repeat it for several networks' if several else ''}.",
        ),
        click.option(
            "--activation",
            type=type_(click.STRING),
            default="relu",
            help=f"{names}{'' if several else ', or one for each, or one more for the output layer'}.",
        ),
        click.option(
            "--cost",
            type=type_(click.STRING),
            help="squared-error, half-squared-error, mean-squared-error, huber, cross-entropy, binary-cross-entropy or "
            "poisson. Default: cross-entropy for classes, binary for two, squared-error for numbers.",
        ),
        click.option("--optimizer", type=type_(click.STRING), default="adam", help="sgd, momentum, nesterov or adam."),
        click.option(
            "--lr",
            type=type_(NUMBER),
            help="Learning rate. Default: 0.001 for adam, 0.01 with momentum, 0.1 for sgd.",
        ),
        click.option("--batch-size", type=type_(INTEGER), default=32, help="Examples in a step."),
        click.option(
            "--epochs",
            type=INTEGER,
            help="Passes over the training examples. Default: 60, and on small data as many as make 1,500 steps.",
        ),
        click.option("--l1", type=type_(NUMBER), default=0.0, help="Penalty l1·Σ|w|."),
        click.option("--l2", type=type_(NUMBER), default=1e-3, help="Penalty l2·Σw²."),
        click.option(
            "--seed", type=type_(INTEGER), default=0, help="Fixes the split, the first weights and the order."
        ),
        click.option(
            "--task", default="auto", help="Whether the target is classes or numbers; auto decides by its values."
        ),
        click.option("--drop", multiple=True, metavar="COLUMN", help="A column to leave out; repeat it for several."),
        click.option("--scale/--no-scale", default=True, help="Standardise inputs, and targets that are numbers."),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
