"""Bad input of every kind, at every entry point: one clear error, exit 2, and nothing written or changed."""

import os
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input import kinds
from bad_input.calls import Call, assert_clear, assert_nothing_written, assert_refused, call, contents
from bad_input.files import PROBLEM, changed, model_file, toml, write_good_files
from bad_input.kinds import Content, Option, Spoilt, Unfit

import chainrule
from chainrule.engines import engine
from chainrule.errors import (
    ChainruleError,
    DataError,
    DivergenceError,
    FileError,
    InputError,
    ModelError,
    NetworkError,
    NotationError,
    ProblemError,
)

MEMORY = 64 * 2**20
"""More than any refusal may take, in bytes; the absurd sizes in the table would take gigabytes."""

Argv = tuple[str, ...]

NUDGED = ("w1.0.0", "--by", "0.1")
ON_PROBLEM: list[Argv] = [
    ("gradient", "{}"),
    ("explain", "{}", "w1.0.0"),
    ("nudge", "{}", *NUDGED),
    ("report", "{}"),
    ("check", "{}", "good.json"),
]
ON_MODEL: list[Argv] = [
    ("predict", "{}", "good.csv"),
    ("predict", "{}", "good.csv", "--out", "good.csv"),
    ("gradient", "{}", "--data", "good.csv"),
    ("explain", "{}", "w1.0.0", "--data", "good.csv"),
    ("nudge", "{}", *NUDGED, "--data", "good.csv"),
    ("report", "{}", "--data", "good.csv"),
    ("check", "{}", "good.json", "--data", "good.csv"),
]
TRAIN: Argv = ("train", "{}", "--target", "kind")
ON_DATA: list[Argv] = [
    TRAIN,
    ("predict", "good.safetensors", "{}"),
    ("gradient", "good.safetensors", "--data", "{}"),
    ("explain", "good.safetensors", "w1.0.0", "--data", "{}"),
    ("nudge", "good.safetensors", *NUDGED, "--data", "{}"),
    ("report", "good.safetensors", "--data", "{}"),
    ("check", "good.safetensors", "good.json", "--data", "{}"),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a good file of every kind."""
    write_good_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def name_of(kind: Any) -> str:
    """What a row of the table is called in pytest's report: its first text, or its command line."""
    name: Any = kind.name if hasattr(kind, "name") else kind[0]
    text = name if isinstance(name, str) else " ".join(name)
    return ascii(f"{text}{getattr(kind, 'suffix', '')}"[:60])[1:-1]


def entry_point(argv: Argv) -> str:
    return " ".join(argv).replace("{}", "BAD")


def for_each(table: list[Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", table, ids=name_of)


def refused(argv: Argv, says: tuple[str, ...], bad: str = "") -> None:
    """The command refuses with one clear error and writes nothing, with --json and without."""
    before = contents(Path())
    for more in ((), ("--json",)):
        command, *rest = (part.replace("{}", bad) for part in argv)
        assert_refused(call(command, *more, *rest), says)
    assert_nothing_written(Path(), before)


def raises(
    error: type[ChainruleError], says: tuple[str, ...], function: Callable[[], object], memory: int = MEMORY
) -> None:
    """The call raises this error, writes nothing and takes no absurd amount of memory."""
    before = contents(Path())
    tracemalloc.start()
    try:
        with pytest.raises(error) as raised:
            function()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert_clear(str(raised.value), says)
    assert_nothing_written(Path(), before)
    assert peak < memory


# problems and networks ---------------------------------------------------------------------------------

PROBLEMS = kinds.NETWORKS + kinds.PARAMETERS + kinds.EXAMPLES + kinds.SECTIONS


@pytest.mark.parametrize("argv", ON_PROBLEM, ids=entry_point)
@for_each(PROBLEMS)
def test_commands_refuse_a_bad_problem(kind: Spoilt, argv: Argv) -> None:
    Path("bad.toml").write_text(toml(changed(PROBLEM, kind.changes)))
    refused(argv, ("bad.toml", *kind.says), "bad.toml")


@for_each(PROBLEMS)
def test_load_problem_refuses_a_bad_problem(kind: Spoilt) -> None:
    Path("bad.toml").write_text(toml(changed(PROBLEM, kind.changes)))
    raises(ProblemError, ("bad.toml", *kind.says), lambda: chainrule.load_problem("bad.toml"))


@for_each(kinds.NETWORKS)
def test_network_refuses_a_bad_description(kind: Spoilt) -> None:
    description = changed(PROBLEM, kind.changes)["network"]
    raises(NetworkError, kind.says, lambda: chainrule.Network(**description))


@for_each(kinds.PARAMETERS)
def test_from_arrays_refuses_bad_parameters(kind: Spoilt) -> None:
    arrays = changed(PROBLEM, kind.changes)["parameters"]
    network = chainrule.Network(**PROBLEM["network"])
    raises(InputError, kind.says, lambda: chainrule.ParameterVector.from_arrays(network, arrays))


@for_each(kinds.EXAMPLES)
def test_model_refuses_bad_examples(kind: Spoilt) -> None:
    document = changed(PROBLEM, kind.changes)
    network = chainrule.Network(**document["network"])
    model = chainrule.Model(chainrule.ParameterVector.from_arrays(network, document["parameters"]))
    before = model.parameters.vector.copy()
    X, Y = ([example[key] for example in document["examples"]] for key in "xy")
    weights = [example.get("weight", 1) for example in document["examples"]]
    raises(InputError, kind.says, lambda: model.examples(X, Y, weights))
    assert np.array_equal(model.parameters.vector, before)


@pytest.mark.parametrize("argv", ON_PROBLEM, ids=entry_point)
@for_each(kinds.PROBLEM_FILES)
def test_commands_refuse_a_bad_problem_file(kind: Content, argv: Argv) -> None:
    kind.put(Path("bad.toml"))
    refused(argv, ("bad.toml", *kind.says), "bad.toml")


@for_each(kinds.PROBLEM_FILES)
def test_load_problem_refuses_a_bad_file(kind: Content) -> None:
    kind.put(Path("bad.toml"))
    raises(ProblemError, ("bad.toml", *kind.says), lambda: chainrule.load_problem("bad.toml"))


# model files -------------------------------------------------------------------------------------------


def described(kind: Spoilt) -> Content:
    """A model file whose description of the network is the bad one."""
    return Content(kind.name, model_file(kind.changes), kind.says)


MODELS = [*kinds.MODEL_FILES, *(described(kind) for kind in kinds.NETWORKS if "5,000 digits" not in kind.name)]


@pytest.mark.parametrize("argv", ON_MODEL, ids=entry_point)
@for_each(MODELS)
def test_commands_refuse_a_bad_model_file(kind: Content, argv: Argv) -> None:
    kind.put(Path("bad.safetensors"))
    refused(argv, ("bad.safetensors", *kind.says), "bad.safetensors")


@for_each(MODELS)
def test_load_model_refuses_a_bad_file(kind: Content) -> None:
    kind.put(Path("bad.safetensors"))
    raises(ModelError, ("bad.safetensors", *kind.says), lambda: chainrule.load_model("bad.safetensors"))


# data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", ON_DATA, ids=entry_point)
@for_each(kinds.DATA_FILES + kinds.ABSURD_ARRAYS)
def test_commands_refuse_bad_data(kind: Content, argv: Argv) -> None:
    bad = f"bad{kind.suffix}"
    kind.put(Path(bad))
    refused(argv, (bad, *kind.says), bad)


@for_each(kinds.DATA_FILES)
def test_read_table_refuses_bad_data(kind: Content) -> None:
    bad = f"bad{kind.suffix}"
    kind.put(Path(bad))
    raises(DataError, (bad, *kind.says), lambda: chainrule.read_table(bad))


@for_each(kinds.ABSURD_ARRAYS)
def test_read_table_refuses_an_absurd_array(kind: Content) -> None:
    kind.put(Path("bad.npz"))
    raises(DataError, ("bad.npz", *kind.says), lambda: chainrule.read_table("bad.npz"), memory=10**40)


def options_of(kind: Unfit) -> Argv:
    given = [("--target", name) for name in kind.target] + [("--drop", name) for name in kind.dropped]
    given += [("--task", kind.task)] + ([("--cost", kind.cost)] if kind.cost else [])
    return tuple(part for option in given for part in option)


@for_each(kinds.UNFIT_TO_TRAIN)
def test_train_command_refuses_unfit_data(kind: Unfit) -> None:
    bad = f"bad{kind.data.suffix}"
    kind.data.put(Path(bad))
    refused(("train", bad, "--hidden", "2", *options_of(kind)), kind.says)


@for_each(kinds.UNFIT_TO_TRAIN)
def test_train_refuses_unfit_data(kind: Unfit) -> None:
    bad = f"bad{kind.data.suffix}"
    kind.data.put(Path(bad))
    settings = chainrule.Settings(hidden=(2,), target=kind.target, dropped=kind.dropped, task=kind.task, cost=kind.cost)
    raises(ChainruleError, kind.says, lambda: chainrule.train(chainrule.read_table(bad), settings))


@pytest.mark.parametrize("argv", ON_DATA[1:], ids=entry_point)
@for_each(kinds.UNFIT_FOR_MODEL)
def test_commands_refuse_data_unfit_for_the_model(kind: Unfit, argv: Argv) -> None:
    bad = f"bad{kind.data.suffix}"
    kind.data.put(Path(bad))
    refused(argv, (bad, *kind.says), bad)


@for_each(kinds.UNFIT_FOR_MODEL)
def test_model_refuses_unfit_data(kind: Unfit) -> None:
    bad = f"bad{kind.data.suffix}"
    kind.data.put(Path(bad))
    model, table = chainrule.load_model("good.safetensors"), chainrule.read_table(bad)
    raises(DataError, kind.says, lambda: model.examples_of(table))


# gradients ---------------------------------------------------------------------------------------------


@for_each(kinds.GRADIENT_FILES)
def test_check_refuses_a_bad_gradient(kind: Content) -> None:
    bad = f"bad{kind.suffix}"
    kind.put(Path(bad))
    refused(("check", "good.toml", bad), (bad, *kind.says))


@for_each(kinds.GRADIENT_FILES)
def test_check_refuses_a_bad_gradient_of_an_earlier_batch(kind: Content) -> None:
    """What does not fit the network is told as from_arrays tells it of parameters."""
    bad = f"bad{kind.suffix}"
    kind.put(Path(bad))
    refused(("check", "good.toml", "good.json", "--earlier", bad), (bad,))


@for_each(kinds.RUBRICS)
def test_check_refuses_a_bad_rubric(kind: Content) -> None:
    bad = f"bad{kind.suffix}"
    kind.put(Path(bad))
    refused(("check", "answers", "--grade", bad), (bad, *kind.says))


def test_check_refuses_a_folder_without_submissions() -> None:
    Path("answers", "ann.json").unlink()
    refused(("check", "answers", "--grade", "rubric.toml"), ("answers: holds no submissions", ".json, .toml, .npz"))


def test_check_refuses_a_problem_whose_gradient_is_zero() -> None:
    dead = {"network.activation": "relu", "parameters.b2": [-9.0]}
    Path("good.toml").write_text(toml(changed(PROBLEM, dead)))
    refused(("check", "answers", "--grade", "rubric.toml"), ("good.toml: every entry of its gradient is 0", "change"))


# names and examples ------------------------------------------------------------------------------------


@for_each(kinds.NAMES)
def test_commands_refuse_a_bad_name(kind: tuple[str, tuple[str, ...]]) -> None:
    refused(("explain", "good.toml", kind[0]), kind[1])
    refused(("nudge", "good.toml", kind[0], "--by", "0.1"), kind[1])
    refused(("report", "good.toml", "w1.0.0", kind[0]), kind[1])


@for_each(kinds.NAMES)
def test_explain_refuses_a_bad_name(kind: tuple[str, tuple[str, ...]]) -> None:
    problem = chainrule.load_problem("good.toml")
    raises(
        NotationError,
        kind[1],
        lambda: chainrule.explain(problem.model, problem.examples, kind[0], aliases=problem.aliases),
    )


@pytest.mark.parametrize(
    "argv",
    [
        ("gradient", "good.toml"),
        ("explain", "good.toml", "w1.0.0"),
        ("nudge", "good.toml", *NUDGED),
        ("report", "good.toml"),
        ("check", "good.toml", "good.json"),
        ("gradient", "good.safetensors", "--data", "good.csv"),
        ("explain", "good.safetensors", "w1.0.0", "--data", "good.csv"),
    ],
    ids=entry_point,
)
@for_each(kinds.EXAMPLE_NUMBERS)
def test_commands_refuse_an_example_that_does_not_exist(kind: tuple[str, str], argv: Argv) -> None:
    n = 2 if "good.toml" in argv else 6
    refused((*argv, "--example", kind[0]), (kind[1], f"there are {n} examples, 0 to {n - 1}"))


@pytest.mark.parametrize("example", [-1, 2, 10**400, 1.0, True, "0", [0]], ids=lambda value: repr(value)[:20])
def test_python_refuses_an_example_that_does_not_exist(example: Any) -> None:
    problem = chainrule.load_problem("good.toml")
    says = ("example", "2 examples, 0 to 1")
    raises(InputError, says, lambda: problem.examples[example])
    raises(InputError, says, lambda: chainrule.gradient(problem.model, problem.examples, example))
    raises(InputError, says, lambda: chainrule.explain(problem.model, problem.examples, "w1.0.0", example))
    raises(InputError, says, lambda: chainrule.nudge(problem.model, problem.examples, "w1.0.0", 0.1, example))
    raises(InputError, says, lambda: chainrule.report(problem.model, problem.examples, ["w1.0.0"], example))


@pytest.mark.parametrize("form", ["dot", "mermaid"])
def test_a_mean_has_no_flowchart(form: str) -> None:
    argv = ("explain", "good.toml", "w1.0.0", "--format", form)
    assert_refused(call(*argv), ("2 examples", "no flowchart", "--example"))
    assert_refused(call(*argv, "--json"), (f"--json and --format {form}", "leave one out"))


# options -----------------------------------------------------------------------------------------------


@for_each(kinds.OPTIONS)
def test_train_command_refuses_a_bad_option(kind: Option) -> None:
    refused(("train", "good.csv", "--target", "kind", *kind.argv), kind.says)


@for_each([kind for kind in kinds.OPTIONS if kind.settings is not None or kind.optimizer is not None])
def test_python_refuses_a_bad_option(kind: Option) -> None:
    def train() -> None:
        given = dict(kind.settings or {})
        if kind.optimizer is not None:
            given["optimizer"] = chainrule.Optimizer(**kind.optimizer)
        chainrule.train(chainrule.read_table("good.csv"), chainrule.Settings(target=("kind",), **given))

    raises(DivergenceError if "diverged" in kind.says else InputError, kind.says, train)


@for_each(kinds.SETTINGS)
def test_settings_refuse_a_wrong_type(kind: tuple[str, dict[str, Any], tuple[str, ...]]) -> None:
    settings: dict[str, Any] = {"target": ("kind",)} | kind[1]
    table = chainrule.read_table("good.csv")
    raises(InputError, kind[2], lambda: chainrule.train(table, chainrule.Settings(**settings)))


@for_each(kinds.OPTIMIZERS)
def test_optimizer_refuses_a_bad_constant(kind: tuple[str, dict[str, Any], tuple[str, ...]]) -> None:
    raises(InputError, kind[2], lambda: chainrule.Optimizer(**kind[1]))


# Python calls ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        chainrule.load_problem,
        chainrule.load_model,
        chainrule.read_table,
        lambda path: chainrule.save_model(chainrule.load_model("good.safetensors"), path),  # pyright: ignore
    ],
    ids=["load_problem", "load_model", "read_table", "save_model"],
)
@for_each(kinds.PATHS)
def test_what_is_no_path_is_refused(kind: tuple[str, object], function: Callable[[Any], object]) -> None:
    raises(InputError, ("path: ", "is not the name of a file"), lambda: function(kind[1]))


@pytest.mark.parametrize(("text", "says"), kinds.CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_python_call_is_refused(text: str, says: tuple[str, ...]) -> None:
    problem, other = chainrule.load_problem("good.toml"), chainrule.load_model("good.safetensors")
    poisoned = chainrule.load_problem("good.toml").model
    poisoned.parameters.vector[0] = np.nan
    names = {name: getattr(chainrule, name) for name in chainrule.__all__} | {
        "np": np,
        "inf": np.inf,
        "model": problem.model,
        "examples": problem.examples,
        "network": problem.model.network,
        "arrays": problem.model.parameters.arrays(),
        "poisoned": poisoned,
        "table": chainrule.read_table("good.csv"),
        "others": other.examples([[1, 0, 1]], [[1]]),
    }
    before = problem.model.parameters.vector.copy()
    raises(InputError, says, lambda: eval(text, names))
    assert np.array_equal(problem.model.parameters.vector, before)


# usage and output --------------------------------------------------------------------------------------


@for_each(kinds.USAGE)
def test_command_line_refuses_wrong_usage(kind: tuple[Argv, tuple[str, ...]]) -> None:
    refused(*kind)


ON_ENGINE: list[Argv] = [
    ("train", "good.csv", "--target", "kind", "--hidden", "4", "--epochs", "2"),
    ("predict", "good.safetensors", "good.csv"),
    ("bench", "2,3,1"),
    ("info",),
]


@pytest.mark.parametrize("argv", ON_ENGINE, ids=entry_point)
@for_each(kinds.ENVIRONMENT)
def test_commands_refuse_a_bad_variable(
    kind: tuple[str, str, tuple[str, ...]], argv: Argv, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine().NAME == "native":
        engine().threads.cache_clear()  # it is asked for once in a process
    elif kind[0] == "CHAINRULE_THREADS":
        pytest.skip("the compiled engine is not in use")
    monkeypatch.setenv(*kind[:2])
    refused(argv, kind[2])


@pytest.mark.skipif(engine().NAME != "native", reason="the compiled engine is not in use")
@pytest.mark.parametrize("argv", ON_ENGINE, ids=entry_point)
def test_commands_refuse_an_instruction_set_that_is_not_there(argv: Argv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_INSTRUCTION_SET", "sse9")
    before = contents(Path())
    process_refused(
        chainrule_process(*argv, "--json"), ("CHAINRULE_INSTRUCTION_SET: 'sse9' is not known", "Known: baseline")
    )
    assert_nothing_written(Path(), before)


WRITERS: list[tuple[Argv, str]] = [
    (("train", "good.csv", "--target", "kind", "--out"), "m.safetensors"),
    (("train", "good.csv", "--target", "kind", "--plot"), "p.svg"),
    (("train", "good.csv", "--target", "kind", "--history"), "h.csv"),
    (("find-lr", "good.csv", "--target", "kind", "--plot"), "p.svg"),
    (("predict", "good.safetensors", "good.csv", "--out"), "p.csv"),
    (("explain", "good.toml", "w1.0.0", "--proof"), "p.py"),
    (("nudge", "good.toml", *NUDGED, "--plot"), "p.svg"),
    (("report", "good.toml", "--out"), "p.html"),
    (("check", "answers", "--grade", "rubric.toml", "--csv"), "p.csv"),
]


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: f"{writer[0][0]} {writer[0][-1]}")
@for_each([kind for kind in kinds.OUTPUTS if "{}" in kind[1]])
def test_commands_refuse_an_unwritable_output(kind: tuple[str, str, tuple[str, ...]], writer: tuple[Argv, str]) -> None:
    argv, name = writer
    Path("folder", name).mkdir(parents=True)
    refused((*argv, kind[1].format(name)), kind[2])


@for_each(kinds.OUTPUTS)
def test_save_model_refuses_an_unwritable_output(kind: tuple[str, str, tuple[str, ...]]) -> None:
    Path("folder", "m.safetensors").mkdir(parents=True)
    model = chainrule.load_model("good.safetensors")
    raises(FileError, kind[2], lambda: chainrule.save_model(model, kind[1].format("m.safetensors")))


# what needs a process of its own -----------------------------------------------------------------------


def chainrule_process(
    *argv: str, limit: tuple[int, int] | None = None, stdout: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with a limit on a resource, or with a file for its output."""

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(limit[0], (limit[1], limit[1]))

    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": ""}
    with open(stdout or os.devnull, "w") as sink:  # noqa: PTH123
        return subprocess.run(
            [sys.executable, "-m", "chainrule", *argv],
            stdout=sink if stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            preexec_fn=restrict,
            text=True,
            timeout=60,
        )


def process_refused(result: subprocess.CompletedProcess[str], says: tuple[str, ...]) -> None:
    assert_refused(Call(result.returncode, result.stdout or "", result.stderr), says)


TRAIN_BRIEFLY: Argv = ("train", "good.csv", "--target", "kind", "--hidden", "4", "--epochs", "2")
FULL_DISK = (resource.RLIMIT_FSIZE, 100)
LITTLE_MEMORY = (resource.RLIMIT_AS, 4 * 2**30)


@pytest.mark.parametrize(
    "argv",
    [
        (*TRAIN_BRIEFLY,),
        (*TRAIN_BRIEFLY, "--out", "new.safetensors"),
        ("predict", "good.safetensors", "good.csv", "--out", "old.csv"),
        ("predict", "good.safetensors", "good.csv", "--out", "new.csv"),
        ("check", "answers", "--grade", "rubric.toml", "--csv", "old.csv"),
    ],
    ids=entry_point,
)
def test_full_disk_leaves_everything_as_it_was(argv: Argv) -> None:
    before = contents(Path())
    process_refused(chainrule_process(*argv, limit=FULL_DISK), ("not written", "File too large"))
    assert_nothing_written(Path(), before)


def test_save_model_on_a_full_disk_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    model = chainrule.load_model("good.safetensors")
    raises(
        FileError,
        ("model.safetensors: not written", "No space left"),
        lambda: chainrule.save_model(model, "model.safetensors"),
    )


def test_model_is_not_written_when_its_picture_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []

    def full_for_the_second(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_for_the_second)
    before = contents(Path())
    assert_refused(call(*TRAIN_BRIEFLY, "--plot", "cost.svg"), ("cost.svg: not written", "No space left"))
    assert_nothing_written(Path(), before)


@pytest.mark.parametrize(
    "argv",
    [
        ("gradient", "good.toml"),
        ("gradient", "good.toml", "--json"),
        ("explain", "good.toml", "w1.0.0"),
        ("explain", "good.toml", "w1.0.0", "--json"),
        ("explain", "good.toml", "w1.0.0", "--example", "0", "--format", "svg"),
        ("nudge", "good.toml", *NUDGED),
        ("check", "good.toml", "good.json"),
        ("predict", "good.safetensors", "good.csv"),
        ("info",),
        ("info", "--json"),
    ],
    ids=entry_point,
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_standard_output_is_one_error(argv: Argv) -> None:
    before = contents(Path())
    process_refused(chainrule_process(*argv, stdout="/dev/full"), ("the output cannot be written", "No space left"))
    assert_nothing_written(Path(), before)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_standard_error_still_exits_with_2() -> None:
    argv = [sys.executable, "-m", "chainrule", "gradient", "missing.toml"]
    with Path("/dev/full").open("w") as sink:
        assert subprocess.run(argv, stdout=subprocess.PIPE, stderr=sink, timeout=60).returncode == 2


@pytest.mark.parametrize(
    "argv", [("gradient", "bad.toml"), ("predict", "bad.safetensors", "good.csv"), TRAIN], ids=entry_point
)
def test_bad_input_in_a_process_of_its_own(argv: Argv) -> None:
    for name in ("bad.toml", "bad.safetensors", "bad.csv"):
        Path(name).write_bytes(b"\xff\xfe")
    before = contents(Path())
    process_refused(chainrule_process(*(part.replace("{}", "bad.csv") for part in argv)), ("bad.",))
    assert_nothing_written(Path(), before)


def test_claimed_sizes_take_no_memory() -> None:
    Path("bad.toml").write_text(toml(changed(PROBLEM, {"network.sizes": [30_000, 60_000, 1]})))
    process_refused(
        chainrule_process("gradient", "bad.toml", limit=LITTLE_MEMORY),
        ("w1: shape (3, 2)", "expected (60000, 30000)"),
    )


def test_more_than_the_memory_is_one_error() -> None:
    before = contents(Path())
    argv = ("train", "good.csv", "--target", "kind", "--hidden", "40000,40000")
    process_refused(chainrule_process(*argv, limit=LITTLE_MEMORY), ("out of memory", "too large for this machine"))
    assert_nothing_written(Path(), before)


# the table itself --------------------------------------------------------------------------------------


def test_good_files_are_good() -> None:
    """Each bad kind differs from these in one thing, so that it is refused for that one."""
    for argv in (
        ("gradient", "good.toml"),
        ("explain", "good.toml", "bias"),
        ("predict", "good.safetensors", "good.csv"),
        ("gradient", "good.safetensors", "--data", "good.csv"),
        ("explain", "good.safetensors", "w1.0.0", "--data", "good.csv"),
        ("explain", "good.toml", "w1.0.0", "--example", "0", "--proof", "proof.py"),
        ("nudge", "good.toml", *NUDGED),
        ("report", "good.toml"),
        ("check", "good.toml", "good.json"),
        ("check", "answers", "--grade", "rubric.toml"),
        TRAIN_BRIEFLY,
        ("info",),
    ):
        result = call(*argv)
        assert result.code == 0, result
        assert result.stdout


def test_table_lists_at_least_forty_kinds() -> None:
    tables = (
        kinds.NETWORKS, kinds.PARAMETERS, kinds.EXAMPLES, kinds.SECTIONS, kinds.PROBLEM_FILES, kinds.MODEL_FILES,
        kinds.DATA_FILES, kinds.ABSURD_ARRAYS, kinds.GRADIENT_FILES, kinds.RUBRICS, kinds.UNFIT_TO_TRAIN,
        kinds.UNFIT_FOR_MODEL, kinds.NAMES, kinds.EXAMPLE_NUMBERS, kinds.OPTIONS, kinds.SETTINGS, kinds.OPTIMIZERS,
        kinds.PATHS, kinds.CALLS, kinds.USAGE, kinds.ENVIRONMENT, kinds.OUTPUTS,
    )  # fmt: skip
    assert sum(len(table) for table in tables) >= 40
