"""A TOML file with a command's options: its keys are their names, and the command line goes before it."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import click

from chainrule.checks import did_you_mean, shown
from chainrule.cli.options import INTEGER, NUMBER, PATH, Listed, Several, Weights, option
from chainrule.cli.showing import fail, tell

OUTPUTS = ("out", "history", "plot")
"""What is written is train's: where one file serves several commands, none writes over what another one wrote."""


def config_option(outputs: bool = False) -> Any:
    """--config FILE.toml, whose values stand where the command line has none; ``outputs`` as well, or none of them."""

    def read(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
        if path is not None:
            _read(ctx, path, () if outputs else OUTPUTS)
        return path

    return option(
        "--config",
        type=PATH,
        is_eager=True,
        callback=read,
        metavar="FILE.toml",
        help="Options from a file, such as lr = 0.01; those given here go before them.",
    )


def _read(ctx: click.Context, path: Path, without: Sequence[str]) -> None:
    """Make the file's values the defaults; keys of other commands, and those ``without``, are passed over and told.

    Options are read before a command runs, so errors end it here.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'it is no UTF-8 text'})")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        fail(f"{path}: not TOML ({error}); a line of it is such as lr = 0.01")
    own = {_name(each): each for each in ctx.command.params if isinstance(each, click.Option)}
    known = {name: each for name, each in own.items() if name not in ("config", *without)}
    values: dict[str, Any] = {}
    passed_over: list[str] = []
    for key, value in given.items():
        options = [known[key]] if key in known else [theirs[key] for theirs in _others(ctx) if key in theirs]
        if not options:
            table = " It is a table; options stand before the first one." if isinstance(value, dict) else ""
            question = did_you_mean(key, known) or table
            name = ctx.info_name
            fail(f"{path}: {shown(key)} is no option of {name}.{question} chainrule {name} --help has all of them")
        as_given = _first_as_given(path, key, value, options)
        if key in known:
            values[known[key].name] = as_given
        else:
            passed_over.append(key)
    if passed_over:
        tell(f"{path}: {ctx.info_name} passes over {', '.join(passed_over)}")
    ctx.default_map = values


def _first_as_given(path: Path, key: str, value: Any, options: Sequence[click.Option]) -> Any:
    """The value as the first of these options that may have it would."""
    why = ""
    for each in options:
        try:
            return _as_given(each, value)
        except ValueError as error:
            why = str(error)
    return fail(f"{path}: {key}: {shown(value)} is not {why}")


def _others(ctx: click.Context) -> list[dict[str, click.Option]]:
    """The options of each command that takes such a file: one file may serve all of them."""
    group = ctx.find_root().command
    commands = (
        [group.get_command(ctx, name) for name in group.list_commands(ctx)] if isinstance(group, click.Group) else []
    )
    options = [
        {_name(each): each for each in command.params if isinstance(each, click.Option)}
        for command in commands
        if command
    ]
    return [
        {name: each for name, each in theirs.items() if name != "config"} for theirs in options if "config" in theirs
    ]


def _name(each: click.Option) -> str:
    return next(text for text in each.opts if text.startswith("--")).removeprefix("--")


def _as_given(chosen: click.Option, value: Any) -> Any:
    """The value as the command line would have it; ValueError, with what it should be, for one of another type."""
    if chosen.is_flag:
        return _one(value, (bool,), "true or false")
    kind = chosen.type
    if isinstance(kind, Weights) and isinstance(value, Mapping):
        weights = cast("Mapping[str, Any]", value)
        return ",".join(f"{name}={_one(x, (int, float), 'a table of numbers')}" for name, x in weights.items())
    several = isinstance(kind, Several)
    if several:
        kind = kind.one
    types, expected = _types(kind)

    def texts(value: Any) -> list[str]:
        values = cast("list[Any]", value if isinstance(value, list) else [value])
        return [str(_one(each, types, f"{expected}, or a list of such")) for each in values]

    if isinstance(kind, Listed):  # a list is one value; where there may be several, a list of lists is these
        if chosen.multiple or (several and isinstance(value, list)):
            lists = cast("list[Any]", value if _is_list_of_lists(value) else [value])
            return [",".join(texts(each)) for each in lists]
        return ",".join(texts(value))
    return texts(value) if chosen.multiple or several else str(_one(value, types, expected))


def _is_list_of_lists(value: Any) -> bool:
    values = cast("list[Any]", value if isinstance(value, list) else [])
    return bool(values) and all(isinstance(each, list) for each in values)


def _types(kind: Any) -> tuple[tuple[type, ...], str]:
    if kind is INTEGER:
        return (int,), "a whole number"
    if kind is NUMBER:
        return (int, float), "a number"
    if isinstance(kind, Listed):
        return (str, int, float), "a text or a number"
    return (str,), "a text"


def _one(value: Any, types: tuple[type, ...], expected: str) -> Any:
    if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
        return value
    raise ValueError(expected)
