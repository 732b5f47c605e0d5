"""chainrule check."""

import sys
from pathlib import Path

import click

from chainrule.cli.command import Command
from chainrule.cli.options import NUMBER, PATH, data_option, example_option, file_argument, json_option
from chainrule.cli.reading import check_out, read
from chainrule.cli.showing import print_json, rounds, say, tell
from chainrule.errors import InputError


@click.command(cls=Command)
@file_argument
@click.argument(
    "gradients",
    type=PATH,
    required=False,
    help="The gradient to judge, w1, b1, …, in a .json, .toml, .npz or .safetensors file; JSON also as the command "
    "gradient prints it.",
)
@data_option
@example_option
@click.option(
    "--precision",
    default="auto",
    help="The arithmetic that made it: float64, float32, float16, bfloat16 or tf32; auto tells float64 and float32 by "
    "the numbers.",
)
@click.option(
    "--earlier", type=PATH, metavar="FILE", help="The gradient of an earlier batch, which may have been left in."
)
@click.option(
    "--grade",
    "rubric",
    type=PATH,
    metavar="RUBRIC",
    help="In place of GRADIENTS: grade all of them that are in the folder FILE, by this rubric (.toml).",
)
@click.option("--csv", type=PATH, metavar="OUT.csv", help="With --grade: also write the grades to this file.")
@click.option("--lr", type=NUMBER, help="The learning rate of a step, for the next two.")
@click.option(
    "--next-cost",
    metavar="C",
    help="In place of GRADIENTS: the cost after one step of gradient descent, with all digits that are known.",
)
@click.option(
    "--next-parameters",
    type=PATH,
    metavar="FILE",
    help="In place of GRADIENTS: the parameters after one step, w1, b1, …, in a file.",
)
@click.option(
    "--freeze",
    multiple=True,
    metavar="NAME",
    help="What that step leaves alone: an array such as w1, or b for all biases.",
)
@click.option(
    "--design",
    is_flag=True,
    help="Where two mistakes explain it equally: propose an input that tells which.",
)
@json_option
def check(
    file: Path,
    gradients: Path | None,
    data: str | None,
    example: int | None,
    precision: str,
    earlier: Path | None,
    rubric: Path | None,
    csv: Path | None,
    lr: float | None,
    next_cost: str | None,
    next_parameters: Path | None,
    freeze: tuple[str, ...],
    design: bool,
    as_json: bool,
) -> None:
    """Judge somebody's gradient: right, within rounding, or else which mistake it is, and the line to change.

    Exits with 1 if it is wrong. Where only a step is known, give --lr with the cost or the parameters after it.

    With --grade, a folder of gradients is graded: which arrays of each are right, the mistake, points. They are read,
    never run.
    """
    if rubric is not None:
        others = (gradients, data, example, earlier, lr, next_cost, next_parameters)
        if any(value is not None for value in others) or freeze or design or precision != "auto":
            raise InputError("--grade: the rubric says what is asked for; FILE is the folder, and no more is needed")
        _grade(rubric, file, csv, as_json)
        return
    if csv is not None:
        raise InputError("--csv is for the grades of --grade; leave it out, or name a rubric")
    if all(value is None for value in (gradients, next_cost, next_parameters, lr)) and not freeze:
        if file.is_dir():
            raise InputError(f"{file}: is a folder; to grade the gradients in it, give --grade RUBRIC")
        raise click.MissingParameter(ctx=click.get_current_context(), param_hint="'GRADIENTS'", param_type="argument")

    from chainrule.checking.asked import Asked

    asked = Asked(gradients, next_cost, next_parameters, lr, freeze, example, precision, earlier, design)
    model, examples, _ = read(file, data)
    with rounds("checking", after=1.0) as watch:
        answer = asked.answer(model, examples, watch)
    if as_json:
        print_json(answer.record)
    else:
        say(answer.text)
    if not answer.ok:
        sys.exit(1)


def _grade(rubric_file: Path, folder: Path, csv: Path | None, as_json: bool) -> None:
    """Grade a folder of gradients."""
    from chainrule.checking.grade import grade
    from chainrule.checking.rubric import read_rubric
    from chainrule.model.write import write

    rubric = read_rubric(rubric_file)
    if csv is not None:
        check_out("csv", csv, ".csv", rubric.file, rubric.data)
    model, examples, _ = read(rubric.file, rubric.data)
    others = [rubric_file, rubric.file, *(Path(name) for name in (rubric.data, csv) if name)]
    with rounds("grading") as watch:
        grades = grade(rubric, model, examples, folder, others, watch)
    if csv is not None:
        write({csv: grades.csv().encode()})
        tell(f"saved {csv}")
    if as_json:
        print_json(grades.json())
    else:
        say(grades.text())
