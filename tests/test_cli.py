"""What a person or a program gets from the command line: results, JSON, files, exit codes, and quick answers."""

import json
import os
import re
import signal
import subprocess
import sys
from html import unescape
from importlib import import_module
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
from bad_input.calls import Call, call
from given import COMMAND, GOLDENS, expected, golden, process

import chainrule
from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.cost import COSTS
from chainrule.data import source
from chainrule.engines import engine
from chainrule.engines.optimizer import METHODS
from chainrule.insight.check import complex_step

COMMANDS = (
    "train", "find-lr", "predict", "gradient", "explain", "nudge", "report", "check", "compare", "puzzle", "bench",
    "info",
)  # fmt: skip
HIDDEN_ACTIVATIONS = [name for name, σ in ACTIVATIONS.items() if σ.elementwise]
MAZUR = str(GOLDENS["mazur"])


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of the digits, trained a little."""
    path = tmp_path_factory.mktemp("digits") / "digits.safetensors"
    assert call("train", "digits", "--hidden", "16", "--epochs", "5", "--out", str(path)).code == 0
    return str(path)


def _json(result: Call) -> dict[str, Any]:
    """The one object on standard output: neither text around it nor a NaN in it."""
    assert result.code == 0, result.stderr

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert result.stdout.startswith("{")
    return json.loads(result.stdout, parse_constant=refuse)


# train ---------------------------------------------------------------------------------------------


def test_train_says_what_was_trained_and_writes_the_model(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    result = call("train", "digits", "--epochs", "3", "--out", str(out))
    assert result.code == 0
    assert "trained 64-64-32-10 (relu, relu, softmax; cross-entropy) on 1,438 examples of digits" in result.stdout
    assert f"saved {out}" in result.stderr
    assert "accuracy" in result.stdout
    assert "10 classes (0, 1, 2" in result.stderr.replace("'", "")
    assert chainrule.load_model(out).training["epochs"] == 3


def test_train_as_json_is_one_object_with_the_figures(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    result = call("train", "digits", "--epochs", "3", "--seed", "4", "--out", str(out), "--json")
    record = _json(result)
    assert record.keys() >= {"model", "epochs", "train_cost", "test_accuracy", "seconds", "engine"}
    assert (record["model"], record["epochs"], record["engine"]) == (str(out), 3, engine().NAME)
    assert 0 < record["train_penalty"] < record["train_cost"]
    assert 0.8 < record["test_accuracy"] <= 1
    assert "digit" in result.stderr


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A table as a person would have it: an identifier, numbers, categories, classes with a nasty name, a number."""
    lines = ["id,age,town,verdict,income"]
    for i in range(60):
        town, verdict = ("Ulm", "Köln", "Aix")[i % 3], ("=1+1", "keep")[i % 2]
        lines.append(f"p{i},{20 + i % 40},{town},{verdict},{1000 + 10 * (i % 40)}")
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_classes_from_a_table_of_ones_own(people: Path, tmp_path: Path) -> None:
    model, predictions = tmp_path / "m.safetensors", tmp_path / "p.csv"
    options = ("--target", "verdict", "--drop", "id", "--epochs", "3", "--out", str(model))
    trained = call("train", str(people), *options)
    assert trained.code == 0
    assert "column 'town' holds texts: 3 one-hot inputs (Aix, Köln, Ulm)" in trained.stderr
    result = call("predict", str(model), str(people), "--out", str(predictions), "--json")
    record = _json(result)
    assert record.keys() >= {"predictions", "probabilities", "accuracy"}
    assert set(record["predictions"]) <= {"=1+1", "keep"}
    assert len(record["predictions"]) == len(record["probabilities"]) == 60
    for row in record["probabilities"]:
        assert sum(row) == pytest.approx(1, abs=1e-15)
    header, *rows = predictions.read_text(encoding="utf-8").splitlines()
    assert header == "row,predicted verdict,P(=1+1),P(keep)"
    assert len(rows) == 60
    assert not any(",=" in row for row in rows), "a spreadsheet would run it"
    assert {row.split(",")[1] for row in rows} <= {"'=1+1", "keep"}


def test_numbers_from_a_table_of_ones_own(people: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    options = ("--target", "income", "--drop", "id", "--drop", "verdict", "--lr", "0.01", "--out", str(model))
    record = _json(call("train", str(people), *options, "--json"))
    assert "test_r2" in record
    assert "test_accuracy" not in record
    predicted = _json(call("predict", str(model), str(people), "--json"))
    assert predicted.keys() >= {"predictions", "r2"}
    assert predicted["r2"] > 0.9
    text = call("predict", str(model), str(people)).stdout
    assert "… 40 more rows" in text
    assert f"R² {predicted['r2']:.4f} on 60 rows" in text


def test_a_model_that_is_no_better_than_the_mean_is_said_to_be_that(people: Path, tmp_path: Path) -> None:
    options = (
        "--target",
        "income",
        "--drop",
        "id",
        "--lr",
        "5",
        "--epochs",
        "1",
        "--out",
        str(tmp_path / "m.safetensors"),
    )
    shown = call("train", str(people), *options).stdout
    assert re.search(r"test R² -\d\S{0,9} \(no better than their mean for all\) on 12 examples held out", shown), shown


def test_a_seed_gives_the_same_file(tmp_path: Path) -> None:
    first, second = (tmp_path / f"{name}.safetensors" for name in "ab")
    for out in (first, second):
        assert call("train", "digits", "--epochs", "1", "--out", str(out)).code == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = tmp_path / "cost.svg"
    options = ("--epochs", "2", "--out", str(tmp_path / "m.safetensors"), "--plot", str(plot))
    assert call("train", "digits", *options).code == 0
    assert "digits: 64-64-32-10, adam" in plot.read_text(encoding="utf-8")


def test_training_that_diverges_exits_2_and_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    result = call("train", "digits", "--optimizer", "sgd", "--lr", "1e30", "--out", str(out))
    assert result.code == 2
    assert "diverged" in result.stderr
    assert not out.exists()


# predict, gradient, explain, info ------------------------------------------------------------------


def test_predict_tells_class_probability_and_accuracy(digits: str) -> None:
    result = call("predict", digits, "digits")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["row", "digit", "probability"]
    assert len(lines) == 1 + 20 + 2
    record = _json(call("predict", digits, "digits", "--json"))
    assert f"accuracy {100 * record['accuracy']:.2f} % on 1,797 rows" == lines[-1]


def test_gradient_prints_the_goldens_figures() -> None:
    record = _json(call("gradient", MAZUR, "--json"))
    figures = expected("mazur")
    assert record.keys() >= {"cost", "gradient"}
    assert record["cost"] == pytest.approx(float(figures["cost"]), rel=1e-12)
    for name, values in figures["gradient"].items():
        assert np.array(record["gradient"][name]) == pytest.approx(np.array(values, np.float64), rel=1e-12)
    text = call("gradient", MAZUR).stdout
    assert "C = 0.298371109" in text
    assert "∂C/∂w2[0,0]  0.0821670406" in text


def test_gradient_of_one_example_is_that_examples() -> None:
    path = str(GOLDENS["article_layers"])
    problem = golden("article_layers")
    record = _json(call("gradient", path, "--example", "1", "--json"))
    C, nabla_C = chainrule.gradient(problem.model, problem.examples, 1)
    assert (record["of"], record["cost"]) == ("C[1]", C)
    assert record["gradient"] == {name: array.tolist() for name, array in nabla_C}


def test_gradient_of_a_large_model_is_summed_up(digits: str) -> None:
    result = call("gradient", digits, "--data", "digits")
    assert result.code == 0
    assert "∇C has 1,210 entries" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_explain_as_text_and_as_json_is_the_same_explanation() -> None:
    problem = golden("mazur")
    e = chainrule.explain(problem.model, problem.examples, "w1[0,0]")
    assert call("explain", MAZUR, "w1.0.0").stdout == f"{e.text()}\n\nThe sums of the next layer: --depth 2\n"
    record = _json(call("explain", MAZUR, "w1.0.0", "--json"))
    assert record.keys() >= {"of", "wrt", "value", "factors", "terms", "examples", "penalty"}
    assert (record["of"], record["wrt"], record["value"]) == ("C", "w1[0,0]", e.value)
    assert all(factor.keys() >= {"symbol", "formula", "value"} for factor in record["factors"])


def test_explain_over_a_data_set_leads_to_one_example(digits: str) -> None:
    average = call("explain", digits, "w1.3.20", "--data", "digits").stdout
    example = average.split("--example ")[1].split()[0]
    one = call("explain", digits, "w1.3.20", "--data", "digits", "--example", example)
    assert one.code == 0
    assert f"∂C[{example}]/∂w1[3,20]" in one.stdout


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("equations", "(2×2)(2) ⊙ (2)"),
        ("latex", r"\frac{\partial C}{\partial w^{(1)}_{0,0}} &= 0.00043856773"),
        ("html", "<!DOCTYPE html>"),
        ("svg", "<svg "),
        ("dot", "digraph"),
        ("mermaid", "flowchart LR"),
        ("text", "∂C/∂w1[0,0] = 0.00043856773"),
    ],
)
def test_explain_prints_any_format(form: str, part: str) -> None:
    result = call("explain", MAZUR, "w1.0.0", "--format", form)
    assert (result.code, result.stderr) == (0, "")
    assert part in result.stdout


@pytest.mark.parametrize("form", ["html", "svg", "dot", "mermaid", "latex"])
def test_documents_keep_their_symbols_where_the_terminal_is_ascii(form: str) -> None:
    argv = ("explain", MAZUR, "w1.0.0", "--format", form)
    plain = process(*argv, PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout
    assert plain.isascii()
    assert unescape(plain) == unescape(call(*argv).stdout)


def test_explain_opens_as_many_sums_as_it_is_asked_to(digits: str) -> None:
    argv = ("explain", digits, "w1.3.20", "--data", "digits", "--example", "0")
    assert "--depth 2" in call(*argv).stdout
    opened = [_json(call(*argv, "--depth", str(depth), "--json"))["sums"] for depth in range(4)]
    assert [sorted({s["layer"] for s in sums}) for sums in opened] == [[], [1], [1, 2], [1, 2]]
    assert "--depth" not in call(*argv, "--depth", "2").stdout


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_explain_exits_with_1_where_its_check_differs(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    argv = ("explain", MAZUR, "w1.0.0", "--format", form)
    right = call(*argv)
    assert right.code == 0

    def off(*arguments: Any) -> Any:
        return complex_step(*arguments) * (1 + 1e-6)

    monkeypatch.setattr("chainrule.insight.explain.complex_step", off)
    wrong = call(*argv)
    assert (wrong.code, wrong.stderr) == (1, "")
    assert form == "json" or "complex step differs, it gives 0.00043856817" in wrong.stdout
    assert wrong.stdout[-8:] == right.stdout[-8:]  # it is told whole


def test_a_proof_is_a_program_that_needs_only_python(tmp_path: Path) -> None:
    path = tmp_path / "proof.py"
    result = call("explain", MAZUR, "w1.0.0", "--proof", str(path))
    assert result.code == 0
    assert f"saved {path}" in result.stderr
    proved = subprocess.run([sys.executable, "-I", "-S", path], capture_output=True, text=True, check=False)
    assert proved.returncode == 0, proved.stdout
    assert "0.000438567734" in proved.stdout


def test_nudge_tells_what_is_predicted_and_what_happens(tmp_path: Path) -> None:
    record = _json(call("nudge", MAZUR, "w1.0.0", "--by", "0.1", "--json"))
    assert record.keys() >= {"predicted", "actual", "chain"}
    assert all(step.keys() >= {"node", "change"} for step in record["chain"])
    assert record["chain"][0]["node"] == "w1[0,0]"
    assert record["chain"][-1]["node"] == "C"
    assert record["predicted"] == pytest.approx(0.000043856773)
    plot = tmp_path / "c.svg"
    result = call("nudge", MAZUR, "w1.0.0", "--by", "0.1", "--plot", str(plot))
    assert "C rises by 0.000043842" in result.stdout
    assert plot.read_text(encoding="utf-8").startswith("<?xml")


def test_report_writes_a_page(tmp_path: Path, digits: str) -> None:
    out = tmp_path / "page.html"
    result = call("report", MAZUR, "w1.0.0", "b2.1", "--out", str(out))
    assert (result.code, f"saved {out}" in result.stderr) == (0, True)
    assert "∂C/∂b2[1] = -0.0380982" in result.stdout
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<section") == 2
    assert "∂a1[0]/∂w1[0,1] = " in call("report", MAZUR, "--of", "a1.0", "--out", str(out)).stdout
    record = _json(call("report", digits, "--data", "digits", "--out", str(out), "--json"))
    assert [e["wrt"][:2] for e in record["explanations"]] == ["w1", "w2"]
    assert "replaced" in call("report", MAZUR, "--out", str(out)).stderr


def test_info_tells_what_is_installed() -> None:
    record = _json(call("info", "--json"))
    assert record.keys() >= {"version", "engine", "instruction_set", "threads", "extras"}
    assert record["version"] == chainrule.__version__
    text = call("info").stdout
    assert chainrule.__version__ in text
    assert engine().NAME in text


# help ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    assert name in call("--help").stdout
    result = call(name, "--help")
    assert result.code == 0
    assert "Usage: chainrule" in result.stdout
    assert "--json" in result.stdout


@pytest.mark.parametrize("name", [*HIDDEN_ACTIVATIONS, *COSTS, *METHODS])
def test_the_help_of_train_names_everything_that_there_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = call("train", "--help").stdout.replace(",", " ").replace(".", " ").replace(":", " ").split()
    assert name in words


def test_a_command_that_is_mistyped_is_told_the_likely_one() -> None:
    result = call("chek")
    assert result.code == 2
    assert "No such command 'chek'. Did you mean 'check'?" in result.stderr


# a process of its own ------------------------------------------------------------------------------

ANSWER_QUICKLY = (
    "import chainrule",
    "import chainrule.cli",
    "import chainrule.cli; chainrule.cli.app(['--version'])",
    "import chainrule.cli; chainrule.cli.app(['--help'])",
    "import chainrule.cli; chainrule.cli.app(['train', '--help'])",
)
TELL_WHAT_WAS_IMPORTED = """
import atexit, sys
heavy = {"importlib.metadata", "numpy", "pydantic", "rich", "safetensors"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))
"""


@pytest.mark.parametrize("code", ANSWER_QUICKLY)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    program = TELL_WHAT_WAS_IMPORTED + code
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "argv", [("explain", MAZUR, "w1.0.0"), ("gradient", MAZUR), ("explain", MAZUR, "w1.0.0", "--json")]
)
def test_output_is_ascii_where_the_terminal_is(argv: tuple[str, ...]) -> None:
    result = process(*argv, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 0, result.stderr
    assert result.stdout.isascii()
    assert "?" not in result.stdout
    if "--json" not in argv:
        assert "dC/dw1[0,0]" in result.stdout


def test_errors_are_ascii_where_the_terminal_is(tmp_path: Path) -> None:
    result = process("gradient", tmp_path / "größe.toml", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.returncode == 2
    assert result.stderr.isascii()
    assert result.stderr.startswith("chainrule: error: ")


def test_a_reader_that_has_seen_enough_ends_it_quietly(digits: str) -> None:
    """As with | head: the pipe is closed after a few bytes of many."""
    argv = [*COMMAND, "predict", digits, "digits", "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_ctrl_c_keeps_what_was_learned(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    argv = [*COMMAND, "train", "digits", "--epochs", "100000", "--out", str(out), "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "classes" in running.stderr.readline()  # said just before the first step
        sleep(1)
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == 130
    record = json.loads(stdout)
    assert record["interrupted"]
    assert f"interrupted after {record['epochs']} of 100000 epochs; what was learned is kept" in stderr
    assert "Traceback" not in stderr
    assert _json(call("predict", str(out), "digits", "--json"))["accuracy"] > 0.5


def test_ctrl_c_before_anything_was_learned_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(source, "read_table", interrupted)
    result = call("train", "digits", "--out", str(tmp_path / "m.safetensors"))
    assert (result.code, result.stdout, result.stderr) == (130, "", "interrupted\n")
    assert list(tmp_path.iterdir()) == []


MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux alone")
def test_training_on_digits_takes_less_than_300_mb(tmp_path: Path) -> None:
    argv = [*COMMAND, "train", "digits", "--epochs", "5", "--out", str(tmp_path / "m.safetensors")]
    measured = subprocess.run([sys.executable, "-c", MEASURED, *argv], capture_output=True, text=True, check=True)
    assert 0 < int(measured.stdout) * 1024 < 300e6


# the public names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", chainrule.__all__)
def test_every_public_name_is_there_and_described(name: str) -> None:
    thing = getattr(chainrule, name)
    assert name in dir(chainrule)
    if name != "__version__":
        assert thing.__doc__.strip()
        assert not thing.__doc__.startswith(f"{name}("), "a dataclass without words of its own"
        assert getattr(import_module(thing.__module__), name) is thing


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'backpropagate'"):
        chainrule.backpropagate  # noqa: B018  # pyright: ignore


def test_predictions_never_replace_what_they_are_made_from(tmp_path: Path) -> None:
    data, model = tmp_path / "d.csv", tmp_path / "m.safetensors"
    data.write_text("size,kind\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(20)))
    assert call("train", str(data), "--target", "kind", "--epochs", "1", "--out", str(model)).code == 0
    for read in (data, model):
        before = read.read_bytes()
        result = call("predict", str(model), str(data), "--out", str(read))
        assert result.code == 2
        assert "what is read here" in result.stderr
        assert read.read_bytes() == before


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_target_that_is_not_known_is_predicted(task: str, tmp_path: Path) -> None:
    data, model = tmp_path / "d.csv", tmp_path / "m.safetensors"
    values = {"classes": "ab", "numbers": "12"}[task]
    rows = [(k, values[k % 2]) for k in range(20)]

    def write(known: int) -> None:
        data.write_text("size,kind\n" + "".join(f"{k},{y if k < known else ''}\n" for k, y in rows))

    write(20)
    options = ("--target", "kind", "--task", task, "--epochs", "1")
    assert call("train", str(data), *options, "--out", str(model)).code == 0
    whole = _json(call("predict", str(model), str(data), "--json"))
    score = {"classes": "accuracy", "numbers": "r2"}[task]
    assert score in whole
    for known, told in ((0, ""), (15, "the target is unknown in 5 of 20 rows: there is no score\n")):
        write(known)
        result = call("predict", str(model), str(data), "--json")
        assert (result.stderr, _json(result)["predictions"]) == (told, whole["predictions"])
        assert score not in _json(result)
        refused = call("train", str(data), *options, "--out", str(model))
        assert refused.code == 2
        assert "a target has to be known to train on it" in refused.stderr
        assert "--drop" not in refused.stderr


def test_a_model_is_called_after_its_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "saved digits.safetensors" in call("train", "digits", "--epochs", "1").stderr
    again = call("train", "digits", "--epochs", "1")
    assert "replaced digits.safetensors" in again.stderr
    shown = next(line for line in again.stdout.splitlines() if line.startswith("next: chainrule "))
    assert call(*shown.removeprefix("next: chainrule ").split()).code == 0


def test_the_version_is_told() -> None:
    assert call("--version").stdout == f"chainrule {chainrule.__version__}\n"


def test_a_cost_for_classes_is_refused_for_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text("x,y\n" + "".join(f"{k},{k / 7}\n" for k in range(30)))
    result = call("train", "d.csv", "--target", "y", "--cost", "cross-entropy")
    assert result.code == 2
    assert "is for classes" in result.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["d.csv"]


def test_the_gradient_says_where_it_was_taken_at_a_kink(tmp_path: Path) -> None:
    problem = tmp_path / "kink.toml"
    problem.write_text(
        '[network]\nsizes = [1, 1]\nactivation = "relu"\ncost = "squared-error"\n'
        "[parameters]\nw1 = [[1.0]]\nb1 = [-2.0]\n"
        "[[examples]]\nx = [2.0]\ny = [1.0]\n[[examples]]\nx = [3.0]\ny = [1.0]\n"
    )
    result = call("gradient", str(problem), "--json")
    assert _json(result)["gradient"] == {"w1": [[0.0]], "b1": [0.0]}
    assert "layer 1: 1 z are exactly 0, where relu has no derivative: σ′(0) = 0" in _json(result)["notes"][0]
    assert "note: layer 1" in call("gradient", str(problem)).stdout
    assert "note" not in call("gradient", str(problem), "--example", "1").stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_can_be_read_where_the_encoding_lacks_the_symbols(command: str, encoding: str) -> None:
    shown = subprocess.run(
        [*COMMAND, *command.split(), "--help"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding},
        check=False,
    )
    assert shown.returncode == 0
    assert b"Usage" in shown.stdout
    assert b"Traceback" not in shown.stderr
