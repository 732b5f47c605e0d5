"""Reading what a command's arguments name: files, lists of names and of numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.checks import shown
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.model.model import Examples, Model
    from chainrule.training.train import Settings

MODEL_SUFFIX = ".safetensors"


def read(file: Path, data: str | None) -> "tuple[Model, Examples, Mapping[str, str]]":
    """A problem file, or a model file with its data."""
    from chainrule.data.source import read_table
    from chainrule.model.model_file import load_model
    from chainrule.model.problem_file import load_problem

    kind = file.suffix.lower()
    if kind == ".toml":
        if data is not None:
            raise InputError(f"{file}: a problem file brings its own examples; leave out --data")
        problem = load_problem(file)
        return problem.model, problem.examples, problem.aliases
    if kind == MODEL_SUFFIX:
        model = load_model(file)
        if data is None:
            raise InputError(f"{file}: a model file has no examples; name some with --data")
        return model, model.examples_of(read_table(data)), {}
    raise InputError(
        f"{file}: unknown kind of file {kind!r}; a problem file ends in .toml, a model file in .safetensors"
    )


def check_out(option: str, out: Path, suffix: str, file: Path, data: str | None) -> None:
    """Refuse a file to write that is none, is of another kind, or is one that is read here."""
    from chainrule.model.write import check_writable, same_file

    if out.suffix.lower() != suffix:
        raise InputError(f"{option}: {shown(str(out))} does not end in {suffix}")
    if any(same_file(out, Path(read)) for read in (str(file), data) if read):
        raise InputError(
            f"{option}: {shown(str(out))} is what is read here; writing it would lose it. Name another file"
        )
    check_writable(out)


def names(text: str) -> tuple[str, ...]:
    """The names of a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def whole_numbers(what: str, text: str, example: str) -> tuple[int, ...]:
    """The numbers of a list with commas; the error shows an example."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{what}: {shown(text)} is not a list of layer sizes such as {example}") from None


def layer_sizes(text: str) -> tuple[int, ...]:
    """The hidden layers that a list with commas names; none, where it says so."""
    return () if text.strip().lower() in ("", "none") else whole_numbers("hidden", text, "64,32, or none")


def training_settings(options: Mapping[str, Any]) -> "Settings":
    """What the options of ``training_options`` say, one value each."""
    from chainrule.engines.optimizer import Optimizer
    from chainrule.training.train import Settings

    given = dict(options)
    return Settings(
        hidden=layer_sizes(given.pop("hidden")),
        activation=names(given.pop("activation")),
        optimizer=Optimizer(given.pop("optimizer"), given.pop("lr")),
        dropped=given.pop("drop"),
        standardise=given.pop("scale"),
        **given,
    )
