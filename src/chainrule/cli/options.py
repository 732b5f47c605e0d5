"""Options and arguments that several commands have, and the types of their values."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

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
    """Values of one type with commas between them, or from a configuration a list of them, as a tuple."""

    def __init__(self, one: click.ParamType[Any]) -> None:
        self.one = one
        self.name = f"{one.name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Each value as its type has it."""
        parts = cast("list[str]", value) if isinstance(value, list) else str(value).split(",")
        return tuple(self.one.convert(part.strip(), param, ctx) for part in parts)


class Listed(click.ParamType[str]):
    """A text that may have commas in it, between names or numbers; a configuration may have a list there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is."""
        return str(value)


class Weights(Listed):
    """A text such as yes=5,no=1; a configuration may have a table there."""

    def __init__(self) -> None:
        super().__init__("weights")


NUMBER = Number("number", float)
INTEGER = Number("integer", int)
PATH = click.Path(readable=False, path_type=Path)  # whether it can be read is seen where it is
NAME_OR_PATH = click.Path(readable=False)

TEXTS = Listed("text")
WEIGHTS = Weights()


class Option(click.Option):
    """An option that stands under a heading in the help."""

    def __init__(self, *args: Any, heading: str = "Options", **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.heading = heading


def option(*declarations: str, **attributes: Any) -> Callable[[Command], Command]:
    """An option with, perhaps, a ``heading``."""
    return click.option(*declarations, cls=Option, **attributes)


def decorated(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """All these options at once, in this order."""

    def decorate(command: Command) -> Command:
        for each in reversed(options):
            command = each(command)
        return command

    return decorate


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


def training_options(several: bool = False, without: Sequence[str] = ()) -> Callable[[Command], Command]:
    """What and how to train, ``without`` some; with ``several``, some take several values with commas between."""

    def type_(one: click.ParamType[Any]) -> click.ParamType[Any]:
        return Several(one) if several else one

    def one(name: str, **attributes: Any) -> Callable[[Command], Command]:
        return (lambda command: command) if name in without else option(name, **attributes)

    names = "identity, sigmoid, tanh, relu, leaky-relu, elu, softplus, silu, gelu or exp: one for all hidden layers"
    data, network, steps = "The data", "The network", "The steps"
    return decorated(
        one(
            "--target",
            heading=data,
            multiple=True,
            metavar="COLUMN",
            help="The column to predict; repeat it to predict several numbers.",
        ),
        one(
            "--task",
            heading=data,
            default="auto",
            help="Whether the target is classes or numbers; auto decides by its values.",
        ),
        one(
            "--drop",
            heading=data,
            multiple=True,
            metavar="COLUMN",
            help="A column to leave out; repeat it for several.",
        ),
        one(
            "--scale/--no-scale",
            heading=data,
            default=True,
            help="Standardise inputs, and targets that are numbers.",
        ),
        one(
            "--class-weight",
            heading=data,
            type=WEIGHTS,
            metavar="WEIGHTS",
            help="How much an example of a class counts, as in yes=5,no=1; balanced: each class the same in all.",
        ),
        one(
            "--hidden",
            heading=network,
            type=TEXTS,
            multiple=several,
            default=["64,32"] if several else "64,32",
            help=f"Sizes of the hidden layers, or none{'; repeat it for several networks' if several else ''}.",
        ),
        one(
            "--activation",
            heading=network,
            type=type_(TEXTS),
            default="relu",
            help=f"{names}, or one for each, or one more for the output layer{', as in tanh:relu' if several else ''}.",
        ),
        one(
            "--cost",
            heading=network,
            type=type_(click.STRING),
            help="squared-error, half-squared-error, mean-squared-error, huber, cross-entropy, binary-cross-entropy or "
            "poisson. Default: cross-entropy for classes, binary for two, squared-error for numbers.",
        ),
        one("--l1", heading=network, type=type_(NUMBER), default=0.0, help="Penalty l1·Σ|w|."),
        one("--l2", heading=network, type=type_(NUMBER), default=1e-3, help="Penalty l2·Σw²."),
        one(
            "--dropout",
            heading=network,
            type=type_(TEXTS),
            metavar="P",
            help="How probably a neuron is left out of a step: one number for all hidden layers, or one for each, or "
            f"one more, the first, for the inputs{', as in 0.1:0.5' if several else ''}.",
        ),
        one(
            "--optimizer",
            heading=steps,
            type=type_(click.STRING),
            default="adam",
            help="sgd, momentum, nesterov, adam, adamw or rmsprop.",
        ),
        one(
            "--lr",
            heading=steps,
            type=type_(NUMBER),
            help="Learning rate. Default: 0.001 for adam, adamw and rmsprop, 0.01 with momentum, 0.1 for sgd.",
        ),
        *(
            one(
                f"--{name.replace('_', '-')}",
                heading=steps,
                type=type_(NUMBER) if name == "weight_decay" else NUMBER,
                help=text,
            )
            for name, text in OPTIMIZER_CONSTANTS.items()
        ),
        one("--batch-size", heading=steps, type=type_(INTEGER), default=32, help="Examples in a step."),
        one(
            "--epochs",
            heading=steps,
            type=INTEGER,
            help="Passes over the training examples. Default: 60, and on small data as many as make 1,500 steps.",
        ),
        one(
            "--schedule",
            heading=steps,
            type=type_(click.STRING),
            default="constant",
            help="How the learning rate changes: constant, step, cosine, one-cycle, plateau or inverse; with constants "
            "as in step:every=10:factor=0.5, plateau:patience=5, cosine:least=0.01, one-cycle:rise=0.3, "
            "inverse:power=1.",
        ),
        one(
            "--warm-up", heading=steps, type=NUMBER, metavar="EPOCHS", help="How long the learning rate rises at first."
        ),
        one(
            "--clip-norm",
            heading=steps,
            type=type_(NUMBER),
            metavar="LENGTH",
            help="A gradient that is longer is shortened.",
        ),
        one(
            "--seed",
            heading=steps,
            type=type_(INTEGER),
            default=0,
            help="Fixes the split, the first weights, the order and what is dropped.",
        ),
    )


stopping_options = decorated(
    option(
        "--validation",
        heading="When to stop",
        type=TEXTS,
        metavar="SHARE|DATA",
        help="A share of the training examples to hold out and watch, such as 0.1; or other data, as DATA is given.",
    ),
    option(
        "--patience",
        heading="When to stop",
        type=INTEGER,
        metavar="EPOCHS",
        help="Stop after so many epochs in a row that are no better, and keep the best; 0.1 is held out where "
        "--validation says nothing else.",
    ),
    option(
        "--metric",
        heading="When to stop",
        help="What is better: cost; accuracy, balanced-accuracy, macro-f1 or log-loss of classes; r2, mae or rmse of "
        "numbers. Default: cost.",
    ),
)


OPTIMIZER_CONSTANTS = {
    "momentum": "Share of the velocity that stays, of momentum and nesterov. Default: 0.9.",
    "beta1": "Share of the mean gradient that stays, of adam and adamw. Default: 0.9.",
    "beta2": "Share of the mean square that stays, of adam and adamw. Default: 0.999.",
    "rho": "Share of the mean square that stays, of rmsprop. Default: 0.9.",
    "epsilon": "What is added to its root, of adam, adamw and rmsprop. Default: 1e-8.",
    "weight_decay": "How fast weights shrink, of adamw. Default: 0.01.",
}
"""The constants of optimizers, by the names that Optimizer has for them."""
