"""The command line: argv to one library call to what is shown. Libraries are imported where a command uses them."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from chainrule.checks import known, shown, whole_number
from chainrule.errors import ChainruleError, InputError
from chainrule.version import __version__

if TYPE_CHECKING:
    from collections.abc import Generator

    from chainrule.insight.explanation import Explanation
    from chainrule.model.model import Examples, Model
    from chainrule.training.bench import Watcher as RoundWatcher
    from chainrule.training.loop import Watcher

MODEL_SUFFIX = ".safetensors"

FORMATS: Mapping[str, "Callable[[Explanation], str]"] = {
    "equations": lambda e: e.equations_text(),
    "latex": lambda e: e.latex(),
    "html": lambda e: e.page(),
    "svg": lambda e: e.svg(),
    "dot": lambda e: e.dot(),
    "mermaid": lambda e: e.mermaid(),
}


class Command(click.Command):
    """A command whose errors become one line on standard error and an exit code, never a traceback."""

    def invoke(self, ctx: click.Context) -> None:
        """Run it."""
        try:
            super().invoke(ctx)
            sys.stdout.flush()
        except ChainruleError as error:
            _fail(str(error))
        except KeyboardInterrupt:
            _tell("interrupted")
            sys.exit(130)
        except MemoryError:
            _fail("out of memory; the network or the data is too large for this machine")
        except BrokenPipeError:  # the reader, such as head, has seen enough
            _discard(sys.stdout)
        except OSError as error:
            _discard(sys.stdout)
            _fail(f"the output cannot be written ({error.strerror})")

    def get_short_help_str(self, limit: int = 0) -> str:
        """The first paragraph of its help, whole."""
        return (self.help or "").partition("\n\n")[0]


class Commands(click.Group):
    """The commands, in the order of the source."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(self.commands)


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


@click.group(
    cls=Commands,
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


@app.command()
@click.argument(
    "data",
    type=NAME_OR_PATH,
    help="digits (bundled); a CSV or Parquet file or folder; an .npz with X and y; or iris, wine, "
    "breast-cancer, diabetes where scikit-learn is installed.",
)
@click.option("--out", type=PATH, metavar="M", help="The model file to write. Default: DATA's name with .safetensors.")
@click.option(
    "--target", multiple=True, metavar="COLUMN", help="The column to predict; repeat it to predict several numbers."
)
@click.option("--hidden", default="64,32", help="Sizes of the hidden layers, or none.")
@click.option(
    "--activation",
    default="relu",
    help="identity, sigmoid, tanh, relu, leaky-relu, elu, softplus, silu, gelu or exp: one for all hidden "
    "layers, or one for each, or one more for the output layer.",
)
@click.option(
    "--cost",
    help="squared-error, half-squared-error, mean-squared-error, huber, cross-entropy, binary-cross-entropy or "
    "poisson. Default: cross-entropy for classes, binary for two, squared-error for numbers.",
)
@click.option("--optimizer", default="adam", help="sgd, momentum, nesterov or adam.")
@click.option("--lr", type=NUMBER, help="Learning rate. Default: 0.001 for adam, 0.01 with momentum, 0.1 for sgd.")
@click.option("--batch-size", type=INTEGER, default=32, help="Examples in a step.")
@click.option(
    "--epochs",
    type=INTEGER,
    help="Passes over the training examples. Default: 60, and on small data as many as make 1,500 steps.",
)
@click.option("--l1", type=NUMBER, default=0.0, help="Penalty l1·Σ|w|.")
@click.option("--l2", type=NUMBER, default=1e-3, help="Penalty l2·Σw².")
@click.option("--seed", type=INTEGER, default=0, help="Fixes the split, the first weights and the order.")
@click.option("--task", default="auto", help="Whether the target is classes or numbers; auto decides by its values.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="A column to leave out; repeat it for several.")
@click.option("--scale/--no-scale", default=True, help="Standardise inputs, and targets that are numbers.")
@click.option("--plot", type=PATH, help="Draw the cost by epoch into this .svg, .png or .pdf (extra plots).")
@json_option
def train(
    data: str,
    out: Path | None,
    target: tuple[str, ...],
    hidden: str,
    activation: str,
    cost: str | None,
    optimizer: str,
    lr: float | None,
    batch_size: int,
    epochs: int | None,
    l1: float,
    l2: float,
    seed: int,
    task: str,
    drop: tuple[str, ...],
    scale: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Train a network on DATA, holding out 20 % for a test figure, and save it as a model file.

    Ctrl-C stops early and keeps what was learned.
    """
    from chainrule.data.source import read_table
    from chainrule.engines.optimizer import Optimizer
    from chainrule.model.model_file import model_content
    from chainrule.model.write import check_writable, write
    from chainrule.render.plot import check_plot, cost_curve
    from chainrule.summary import plan_text, sizes, training_record, training_text
    from chainrule.training.train import Settings, plan

    settings = Settings(
        hidden=() if hidden.strip().lower() in ("", "none") else _whole_numbers("hidden", hidden, "64,32, or none"),
        activation=_names(activation),
        cost=cost,
        optimizer=Optimizer(optimizer, lr),
        batch_size=batch_size,
        epochs=epochs,
        l1=l1,
        l2=l2,
        seed=seed,
        target=target,
        task=task,
        dropped=drop,
        standardise=scale,
    )
    table = read_table(data)
    out = out or Path(Path(data).stem + MODEL_SUFFIX)
    check_writable(out)
    if out.suffix.lower() != MODEL_SUFFIX:
        raise InputError(f"out: {shown(str(out))} does not end in {MODEL_SUFFIX}, as a model file does")
    if plot is not None:
        check_plot(plot)
        check_writable(plot)
    planned = plan(table, settings)
    for line in plan_text(planned):
        _tell(line)
    with _progress(planned.epochs, planned.state.steps_per_epoch) as watch:
        trained = planned.train(watch)
    files = {out: model_content(trained.model)}
    replaced = out.exists()
    if plot is not None:
        title = f"{data}: {sizes(trained.model)}, {settings.optimizer.name}"
        files[plot] = cost_curve(trained.model.training["costs"], title, plot.suffix.lower())
    write(files)
    for path in files:
        _tell(f"{'replaced' if replaced and path == out else 'saved'} {path}")
    if trained.interrupted:
        _tell(f"interrupted after {trained.epochs} of {planned.epochs} epochs; what was learned is kept")
    if as_json:
        _print_json(training_record(out, trained))
    else:
        _say(training_text(data, out, trained))
    if trained.interrupted:
        sys.exit(130)


@app.command()
@click.argument("model_file", type=PATH, metavar="MODEL", help="A model file.")
@click.argument("data", type=NAME_OR_PATH, help="Raw data with the model's input columns.")
@click.option("--out", type=PATH, metavar="CSV", help="Also write the predictions to this CSV file.")
@json_option
def predict(model_file: Path, data: str, out: Path | None, as_json: bool) -> None:
    """Predict a class or a number for every row of DATA; where it has the target column, tell how many are right."""
    from chainrule.data.source import read_table
    from chainrule.model.model_file import load_model
    from chainrule.model.write import same_file, write
    from chainrule.render.csv_text import csv_text
    from chainrule.summary import prediction_rows, predictions_text

    model = load_model(model_file)
    if out is not None and any(same_file(out, Path(read)) for read in (model_file, data)):
        raise InputError(f"out: {shown(str(out))} is what is read here; writing it would lose it. Name another file")
    table = read_table(data)
    a = model.outputs_of(table)
    target = model.target
    assert target is not None  # outputs_of has refused a model without
    predictions = target.predictions(a)
    probabilities = target.probabilities(a, model.network.activation[-1])
    result: dict[str, Any] = {"predictions": predictions}
    if target.classes is not None:
        result["classes"] = list(target.classes)
        result["probabilities"] = None if probabilities is None else probabilities.tolist()
    if target.present_in(table):
        key = "r2" if target.classes is None else "accuracy"
        result[key] = target.score(a, target.encode(table, model.network.sizes[-1]))
    if out is not None:
        header, rows = prediction_rows(result, target.columns)
        write({out: csv_text(header, rows).encode()})
        _tell(f"saved {out}")
    if as_json:
        _print_json(result)
    else:
        _say(predictions_text(result, target.columns))


@app.command()
@file_argument
@data_option
@example_option
@json_option
def gradient(file: Path, data: str | None, example: int | None, as_json: bool) -> None:
    """The cost C and the whole gradient ∇C, in the article's order: w1, b1, …, wL, bL."""
    from chainrule.insight.gradient import gradient as gradient_of
    from chainrule.insight.gradient import kinks
    from chainrule.insight.gradient_text import text

    model, examples, _ = _read(file, data)
    C, nabla_C = gradient_of(model, examples, example)
    of = "C" if example is None else f"C[{example}]"
    if as_json:
        arrays = {name: array.tolist() for name, array in nabla_C}
        _print_json({"of": of, "cost": C, "gradient": arrays, "notes": kinks(model, examples, example)})
    else:
        _say("\n".join([text(of, C, nabla_C, len(examples)), *(f"note: {n}" for n in kinks(model, examples, example))]))


@app.command()
@file_argument
@target_argument
@of_option
@data_option
@example_option
@click.option(
    "--depth",
    type=INTEGER,
    metavar="D",
    help="How many layers of sums are opened, from the target towards the cost. Default: 1.",
)
@click.option(
    "--format",
    "form",
    default="text",
    help="text; equations (entry by entry, with matrices and their shapes, as NumPy code); latex; html; svg; "
    "dot (Graphviz); mermaid; json.",
)
@click.option(
    "--proof",
    type=PATH,
    metavar="FILE.py",
    help="Also write a Python program that computes the value again, in two ways, with nothing but Python.",
)
@json_option
def explain(
    file: Path,
    target: str,
    of: str,
    data: str | None,
    example: int | None,
    depth: int | None,
    form: str,
    proof: Path | None,
    as_json: bool,
) -> None:
    """∂C/∂TARGET, factor by factor, with the sum over the next layer; averaged over the examples, or for one.

    Exits with 1 if the independent check gives another value.
    """
    from chainrule.insight.explain import explain as explain_
    from chainrule.insight.explanation_words import AGREES

    form = known("format", form, ("text", *FORMATS, "json"))
    if as_json and form not in ("text", "json"):
        raise InputError(f"--json and --format {form} are two formats; leave one out")
    if proof is not None:
        _check_out("proof", proof, ".py", file, data)
    model, examples, aliases = _read(file, data)
    explanation = explain_(model, examples, target, example, aliases, of, depth)
    if proof is not None:
        from chainrule.insight.proof import proof as proof_of
        from chainrule.insight.question import question
        from chainrule.model.write import write

        script = proof_of(question(model, examples, target, of, example, aliases), explanation.value)
        write({proof: script.encode()})
        _tell(f"saved {proof}; run it: python {proof}")
    if as_json or form == "json":
        _print_json(explanation.json())
    elif form != "text":
        _print_document(FORMATS[form](explanation))
    else:
        _say(explanation.text())
        hints: list[str] = []
        if explanation.examples:
            hints += [f"One example by itself, factor by factor: --example {_first(explanation)}"]
        if explanation.deeper:
            hints += [f"The sums of the next layer: --depth {(1 if depth is None else depth) + 1}"]
        if hints:
            _say("\n" + "\n".join(hints))
    if explanation.check is not None and explanation.check.difference > AGREES:
        sys.exit(1)


@app.command()
@file_argument
@target_argument
@click.option("--by", type=NUMBER, required=True, metavar="H", help="By how much the target is moved.")
@of_option
@data_option
@example_option
@click.option(
    "--plot", type=PATH, help="Draw C along the target with its tangent into this .svg, .png or .pdf (extra plots)."
)
@json_option
def nudge(
    file: Path,
    target: str,
    by: float,
    of: str,
    data: str | None,
    example: int | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Move TARGET by H: the change that the derivative predicts against what happens, at each step to the cost."""
    from chainrule.insight.nudge import nudge as nudge_
    from chainrule.model.write import check_writable, write
    from chainrule.render.plot import check_plot

    if plot is not None:
        check_plot(plot)
        check_writable(plot)
    model, examples, aliases = _read(file, data)
    moved = nudge_(model, examples, target, by, example, aliases, of)
    if plot is not None:
        write({plot: moved.picture(plot.suffix.lower())})
        _tell(f"saved {plot}")
    if as_json:
        _print_json(moved.json())
    else:
        _say(moved.text())


@app.command()
@file_argument
@click.argument(
    "targets",
    nargs=-1,
    metavar="[TARGET]...",
    help="Weights, biases, activations, z or inputs. Default: the weight of each layer with the largest derivative.",
)
@click.option("--out", type=PATH, default="report.html", metavar="PAGE.html", help="The page to write.")
@of_option
@data_option
@example_option
@click.option(
    "--depth",
    type=INTEGER,
    default=2,
    metavar="D",
    help="How many layers of sums are opened for each single example.",
)
@json_option
def report(
    file: Path,
    targets: tuple[str, ...],
    out: Path,
    of: str,
    data: str | None,
    example: int | None,
    depth: int,
    as_json: bool,
) -> None:
    """An HTML page on these derivatives: network, factors, equations, flowcharts; it needs no script and no network."""
    from chainrule.insight.html_report import report as report_
    from chainrule.model.write import write

    _check_out("out", out, ".html", file, data)
    model, examples, aliases = _read(file, data)
    made = report_(model, examples, targets, example, aliases, of, depth, f"The chain rule in {file.name}")
    replaced = out.exists()
    write({out: made.html().encode()})
    _tell(f"{'replaced' if replaced else 'saved'} {out}")
    if as_json:
        _print_json({"report": str(out), "explanations": [e.json() for e in made.explanations]})
    else:
        _say("on " + ", ".join(f"∂{e.of}/∂{e.wrt} = {e.value:.6g}" for e in made.explanations))


@app.command()
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
@click.option("--lr", type=float, help="The learning rate of a step, for the next two.")
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
    "with_design",
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
    with_design: bool,
    as_json: bool,
) -> None:
    """Judge somebody's gradient: right, within rounding, or else which mistake it is, and the line to change.

    Exits with 1 if it is wrong. Where only a step is known, give --lr with the cost or the parameters after it.

    With --grade, a folder of gradients is graded: which arrays of each are right, the mistake, points. They are read,
    never run.
    """
    if rubric is not None:
        others = (gradients, data, example, earlier, lr, next_cost, next_parameters)
        if any(value is not None for value in others) or freeze or with_design or precision != "auto":
            raise InputError("--grade: the rubric says what is asked for; FILE is the folder, and no more is needed")
        _grade(rubric, file, csv, as_json)
        return
    if csv is not None:
        raise InputError("--csv is for the grades of --grade; leave it out, or name a rubric")
    questions = {"GRADIENTS": gradients, "--next-cost": next_cost, "--next-parameters": next_parameters}
    asked = [name for name, value in questions.items() if value is not None]
    if not asked and (lr is not None or freeze):
        raise InputError("--lr and --freeze are for a step; say what it led to: --next-cost, or --next-parameters")
    if not asked:
        raise click.MissingParameter(ctx=click.get_current_context(), param_hint="'GRADIENTS'", param_type="argument")
    if len(asked) > 1:
        raise InputError(f"{' and '.join(asked)} are two questions; ask one at a time")
    if gradients is not None and (lr is not None or freeze):
        raise InputError("--lr and --freeze are for a step; they go with --next-cost or --next-parameters")
    if gradients is None and (earlier is not None or precision != "auto"):
        raise InputError(f"--earlier and --precision are for GRADIENTS; leave them out with {asked[0]}")
    if next_cost is not None and with_design:
        raise InputError("--design compares whole gradients; leave it out with --next-cost")

    from chainrule.checking.design import told_apart
    from chainrule.checking.files import check_file, naming, read_gradients
    from chainrule.checking.next_cost import check_next_cost
    from chainrule.checking.step import check_step
    from chainrule.checking.verdict import Verdict
    from chainrule.model.model import alone

    model, examples, _ = _read(file, data)
    if gradients is not None:
        verdict = check_file(model, examples, gradients, example, precision, earlier)
    else:
        if lr is None:
            raise InputError(f"{asked[0]} needs the learning rate of the step: --lr")
        if example is not None:
            model, examples = alone(model, examples, example)
        if next_parameters is not None:
            after = read_gradients(next_parameters)
            with naming(next_parameters):
                verdict = check_step(model, examples, after, lr, freeze)
        else:
            verdict = check_next_cost(model, examples, str(next_cost), lr, freeze)
    record, text = verdict.json(), verdict.text()
    if with_design and isinstance(verdict, Verdict):
        proposed = told_apart(verdict)
        record["design"] = None if proposed is None else proposed.json()
        text += "\n\n" + (
            "one explanation alone: there is nothing to tell apart" if proposed is None else proposed.text()
        )
    if as_json:
        _print_json(record)
    else:
        _say(text)
    if not verdict.ok:
        sys.exit(1)


@app.command()
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
        _print_json(made.json() | ({} if line is None else {"asked": line, "found": found}))
    elif line is not None:
        _say(reply(made, line))
    else:
        _say(made.text(hint or 0, answer))
    if line is None and not answer and not as_json:
        further = f"A hint: --hint {(hint or 0) + 1}" if (hint or 0) < HINTS else "The answer: --answer"
        another = f"Another puzzle: --seed {seed + 1}" + (
            f"; harder ones: --level {level + 1}" if level < LEVELS else ""
        )
        _say(f"\nIs it line N? --line N\n{further}\n{another}")
    if found is False:
        sys.exit(1)


@app.command()
@click.argument("sizes", default="64,64,32,10", help="Neurons of each layer, the inputs first. Default: 64,64,32,10.")
@click.option(
    "--activation", default="relu", help="One for all hidden layers, or one for each, or one more for the output layer."
)
@click.option("--cost", help="Default: cross-entropy; squared-error where there is one output.")
@click.option("--optimizer", default="adam", help="sgd, momentum, nesterov or adam.")
@click.option("--batch-size", type=INTEGER, default=32, help="Examples in a step.")
@click.option("--dtype", default="float32", help="float32, as train has it, or float64.")
@click.option("--engine", metavar="NAME", help="native or reference. Default: the one in use.")
@click.option(
    "--threads", type=INTEGER, metavar="N", help="For the engine and for NumPy. Default: one for each processor."
)
@click.option("--seconds", type=NUMBER, default=2.0, help="About how long to measure; longer where a step is.")
@json_option
def bench(
    sizes: str,
    activation: str,
    cost: str | None,
    optimizer: str,
    batch_size: int,
    dtype: str,
    engine: str | None,
    threads: int | None,
    seconds: float,
    as_json: bool,
) -> None:
    """How long one training step of a network takes on this machine, and what share of the machine's limit that is.

    The data is made up. The limit is the best matrix product and memory bandwidth, measured in between.
    """
    shape = _whole_numbers("sizes", sizes if "," in sizes else sizes.replace("-", ","), "64,64,32,10")
    if threads is not None:
        _use_threads(threads)

    from chainrule.calculus.network import Network
    from chainrule.engines.optimizer import Optimizer
    from chainrule.training.bench import bench as bench_
    from chainrule.training.train import OUTPUT_OF_COST, layer_activations

    if cost is None:
        cost = "squared-error" if shape[-1] == 1 else "cross-entropy"
    activations = layer_activations(_names(activation), max(0, len(shape) - 2), OUTPUT_OF_COST.get(cost, "identity"))
    network = Network(shape, activations, cost)
    with _rounds("measuring") as watch:
        measured = bench_(network, Optimizer(optimizer), batch_size, dtype, seconds, engine, watch)
    if as_json:
        _print_json(measured.json())
    else:
        _say(measured.text())


@app.command()
@json_option
def info(as_json: bool) -> None:
    """What is installed, and which engine does the arithmetic."""
    from chainrule.engines.machine import machine

    facts = machine()
    if as_json:
        _print_json(facts)
        return
    extras = ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in facts["extras"].items())
    for name, value in (facts | {"extras": extras}).items():
        _say(f"{name.replace('_', ' '):<16} {value}")


def _grade(rubric_file: Path, folder: Path, csv: Path | None, as_json: bool) -> None:
    """Grade a folder of gradients."""
    from chainrule.checking.grade import grade
    from chainrule.checking.rubric import read_rubric
    from chainrule.model.write import write

    rubric = read_rubric(rubric_file)
    if csv is not None:
        _check_out("csv", csv, ".csv", rubric.file, rubric.data)
    model, examples, _ = _read(rubric.file, rubric.data)
    others = [rubric_file, rubric.file, *(Path(name) for name in (rubric.data, csv) if name)]
    with _rounds("grading") as watch:
        grades = grade(rubric, model, examples, folder, others, watch)
    if csv is not None:
        write({csv: grades.csv().encode()})
        _tell(f"saved {csv}")
    if as_json:
        _print_json(grades.json())
    else:
        _say(grades.text())


# reading -------------------------------------------------------------------------------------------


def _read(file: Path, data: str | None) -> "tuple[Model, Examples, Mapping[str, str]]":
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


def _check_out(option: str, out: Path, suffix: str, file: Path, data: str | None) -> None:
    """Refuse a file to write that is none, is of another kind, or is one that is read here."""
    from chainrule.model.write import check_writable, same_file

    if out.suffix.lower() != suffix:
        raise InputError(f"{option}: {shown(str(out))} does not end in {suffix}")
    if any(same_file(out, Path(read)) for read in (str(file), data) if read):
        raise InputError(
            f"{option}: {shown(str(out))} is what is read here; writing it would lose it. Name another file"
        )
    check_writable(out)


def _first(explanation: "Explanation") -> int:
    """The example that counts the most."""
    return max(explanation.examples, key=lambda c: abs(c.contribution)).example


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _whole_numbers(what: str, text: str, example: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{what}: {shown(text)} is not a list of layer sizes such as {example}") from None


def _use_threads(n: int) -> None:
    """So many for the engine, and for NumPy's BLAS, which asks when NumPy is imported: not before this."""
    whole_number("threads", n, "a number of threads, from 1 to 1024", lambda n: 1 <= n <= 1024)
    for variable in ("CHAINRULE_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(n)


# showing -------------------------------------------------------------------------------------------


def _say(text: str) -> None:
    from chainrule.render.text import fit_encoding

    print(fit_encoding(text, sys.stdout.encoding))


def _tell(text: str) -> None:
    """A line on standard error; names of files and columns in it cannot steer the terminal."""
    from chainrule.render.text import fit_encoding, printable

    try:
        print(fit_encoding(printable(text), sys.stderr.encoding), file=sys.stderr, flush=True)
    except OSError:  # the exit code tells, too
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Let what is still to be written to a stream that is closed or full go nowhere, so that exiting does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(message: str) -> NoReturn:
    _tell(f"chainrule: error: {message}")
    sys.exit(2)


def _print_document(text: str) -> None:
    """A document as it is; where the encoding lacks a character, HTML and SVG have a reference for it."""
    from chainrule.render.text import fit_encoding

    if text.lstrip().startswith("<"):
        text = text.encode(sys.stdout.encoding or "ascii", "xmlcharrefreplace").decode(sys.stdout.encoding or "ascii")
    print(fit_encoding(text, sys.stdout.encoding), end="" if text.endswith("\n") else "\n")


def _print_json(record: Mapping[str, Any]) -> None:
    from chainrule.render.json_text import json_text

    print(json_text(record, sys.stdout.encoding))


@contextmanager
def _progress(epochs: int, steps_per_epoch: int) -> "Generator[Watcher | None]":
    """A bar with cost and rate, where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from chainrule.training.loop import Progress as Standing

    bar = Progress(
        TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        BarColumn(),
        TextColumn("C = {task.fields[cost]:.4g}"),
        TextColumn("{task.fields[rate]:,.0f} examples/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=epochs * steps_per_epoch, epoch=0, epochs=epochs, cost=float("nan"), rate=0.0)

        def watch(standing: Standing) -> None:
            epoch = min(standing.epoch + 1, epochs)
            bar.update(task, completed=standing.step, epoch=epoch, cost=standing.cost, rate=standing.rate)

        yield watch


@contextmanager
def _rounds(doing: str) -> "Generator[RoundWatcher | None]":
    """A bar that counts rounds of some work, where standard error is a terminal; drawn only between two."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(TextColumn(doing), BarColumn(), console=console, transient=True, auto_refresh=False)
    with bar:
        task = bar.add_task("", total=1)
        yield lambda done, rounds: bar.update(task, completed=done, total=rounds, refresh=True)
