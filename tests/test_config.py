"""A TOML file of options says what the command line would say, goes after it, and is checked as strictly."""

import json
from math import sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input.calls import Call, call

from chainrule import History, Network, Optimizer, ParameterVector, Schedule, load_model
from chainrule.engines.optimizer import METHODS
from chainrule.training.schedule import NAMES

BRIEF = ("--hidden", "8", "--epochs", "2")


def _config(folder: Path, text: str) -> str:
    path = folder / "train.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _trained(folder: Path, *argv: str) -> dict[str, Any]:
    result = call("train", "digits", "--out", str(folder / "m.safetensors"), *argv, "--json")
    assert result.code == 0, result.stderr
    return json.loads(result.stdout)


def _without_time(record: dict[str, Any]) -> dict[str, Any]:
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in record["history"]]
    return {key: value for key, value in record.items() if key != "seconds"} | {"history": rows}


EVERYTHING = """
hidden = [12, 6]
activation = ["tanh", "relu"]
cost = "cross-entropy"
optimizer = "adamw"
lr = 2e-3
beta1 = 0.85
weight-decay = 0.1
batch-size = 64
epochs = 3
l1 = 1e-5
l2 = 0
dropout = 0.1
schedule = "step:every=1:factor=0.5"
warm-up = 1
clip-norm = 2
seed = 5
task = "classes"
drop = "pixel0"
scale = false
validation = 0.2
patience = 2
metric = "macro-f1"

[class-weight]
0 = 2
9 = 0.5
"""
SAME = (
    "--hidden 12,6 --activation tanh,relu --cost cross-entropy --optimizer adamw --lr 2e-3 --beta1 0.85 "
    "--weight-decay 0.1 --batch-size 64 --epochs 3 --l1 1e-5 --l2 0 --dropout 0.1 --schedule step:every=1:factor=0.5 "
    "--warm-up 1 --clip-norm 2 --seed 5 --task classes --drop pixel0 --no-scale --validation 0.2 --patience 2 "
    "--metric macro-f1 --class-weight 0=2,9=0.5"
)


def test_a_file_says_what_the_command_line_would(tmp_path: Path) -> None:
    from_file = _trained(tmp_path, "--config", _config(tmp_path, EVERYTHING))
    from_line = _trained(tmp_path, *SAME.split())
    assert _without_time(from_file) == _without_time(from_line)
    assert from_file["sizes"] == [63, 12, 6, 10]
    assert _without_time(from_file) != _without_time(_trained(tmp_path, *BRIEF))


def test_every_option_of_the_file_is_one_that_matters(tmp_path: Path) -> None:
    whole = _without_time(_trained(tmp_path, "--config", _config(tmp_path, EVERYTHING)))
    lines = [
        line for line in EVERYTHING.splitlines() if line and not line.startswith(("[", "task", "cost", "optimizer"))
    ]
    for line in lines:
        changed = _trained(tmp_path, "--config", _config(tmp_path, EVERYTHING.replace(line, "", 1)))
        assert _without_time(changed) != whole, line


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    config = _config(tmp_path, "epochs = 7\nhidden = [8]\nscale = false\n")
    record = _trained(tmp_path, "--epochs", "2", "--config", config, "--scale")
    assert (record["epochs"], record["sizes"]) == (2, [64, 8, 10])


def test_one_file_serves_train_find_lr_and_compare(tmp_path: Path) -> None:
    config = _config(
        tmp_path, 'hidden = [8]\nepochs = 2\nlr = 0.01\nbatch-size = 64\nactivation = "tanh"\nsteps = 25\nmost = 1e-3\n'
    )
    assert _trained(tmp_path, "--config", config)["epochs"] == 2
    found = call("find-lr", "digits", "--config", config, "--json")
    assert len(json.loads(found.stdout)["rates"]) == 25
    compared = call("compare", "digits", "--config", config, "--activation", "relu,tanh", "--json")
    assert compared.code == 0, compared.stderr
    runs = json.loads(compared.stdout)["runs"]
    assert [run["setting"]["activation"] for run in runs] == ["relu", "tanh"] or len(runs) == 2


def test_options_with_several_values_are_lists(tmp_path: Path) -> None:
    config = _config(tmp_path, "hidden = [[8], [4, 4]]\nepochs = 1\nlr = [0.01, 0.001]\n")
    compared = call("compare", "digits", "--config", config, "--json")
    assert compared.code == 0, compared.stderr
    assert [run["sizes"] for run in json.loads(compared.stdout)["runs"]] == [[64, 8, 10]] * 2 + [[64, 4, 4, 10]] * 2


def test_a_list_is_the_same_network_in_train_and_compare(tmp_path: Path) -> None:
    text = 'hidden = [8, 4]\nactivation = ["tanh", "relu"]\nepochs = 1\ndropout = [0.1, 0.2]\n'
    config = _config(tmp_path, text)
    record = _trained(tmp_path, "--config", config)
    compared = call("compare", "digits", "--config", config, "--lr", "0.1,0.2", "--json")
    assert compared.code == 0, compared.stderr
    runs = json.loads(compared.stdout)["runs"]
    assert [run["sizes"] for run in runs] == [record["sizes"]] * 2 == [[64, 8, 4, 10]] * 2
    assert [run["activation"] for run in runs] == [["tanh", "relu", "softmax"]] * 2
    several = _config(tmp_path, text.replace('["tanh", "relu"]', '[["tanh", "relu"], ["relu"]]'))
    runs = json.loads(call("compare", "digits", "--config", several, "--json").stdout)["runs"]
    assert [run["setting"]["activation"] for run in runs] == [["tanh", "relu"], "relu"]
    assert [run["activation"] for run in runs] == [["tanh", "relu", "softmax"], ["relu", "relu", "softmax"]]


def test_compare_trains_on_the_rows_that_train_would_and_says_what_it_passes_over(tmp_path: Path) -> None:
    written = [tmp_path / name for name in ("h.csv", "p.svg")]
    config = _config(
        tmp_path,
        f'hidden = [8]\nepochs = 3\nvalidation = 0.2\nmetric = "accuracy"\nhistory = "{written[0]}"\n'
        f'plot = "{written[1]}"\nmost = 0.1\n',
    )
    compared = call("compare", "digits", "--config", config, "--own-start", "--lr", "0.001,0.1", "--json")
    assert compared.stderr == f"{config}: compare passes over history, plot, most\n"
    options = ("--hidden", "8", "--epochs", "3", "--validation", "0.2")
    alone = _trained(tmp_path, *options)
    record = json.loads(compared.stdout)
    assert record["train_examples"] == alone["train_examples"]
    costs = [row["cost"] for row in record["runs"][0]["history"]]
    assert costs == [row["cost"] for row in alone["history"]]
    found = call("find-lr", "digits", "--config", config, "--json")
    assert found.stderr.startswith(f"{config}: find-lr passes over epochs, validation, metric, history, plot\n")
    assert not any(path.exists() for path in written)


def test_what_is_passed_over_could_be_what_the_others_take(tmp_path: Path) -> None:
    """A list of rates is right for compare, and one rate for train; a text is wrong for both."""
    for lr in ("0.01", "[0.01, 0.1]"):
        found = call("find-lr", "digits", "--config", _config(tmp_path, f"lr = {lr}\n"), "--steps", "20")
        assert found.code == 0
        assert "find-lr passes over lr\n" in found.stderr
    for line in ('lr = "x"', "epochs = 2.5"):
        config = _config(tmp_path, line)
        found = call("find-lr", "digits", "--config", config)
        assert found.code == 2
        assert found.stderr.startswith(f"chainrule: error: {config}: {line.split()[0]}: ")


def test_train_takes_colons_between_layers_as_compare_does(tmp_path: Path) -> None:
    options = ("--hidden", "8,4", "--epochs", "1", "--activation", "tanh:relu", "--dropout", "0:0.5")
    assert _trained(tmp_path, *options)["activation"] == ["tanh", "relu", "softmax"]


BAD = [
    ("lr = \"fast\"", "lr: 'fast' is not a number"),
    ("lr = true", "lr: True is not a number"),
    ("lr = [0.1]", "lr: [0.1] is not a number"),
    ("epochs = 2.5", "epochs: 2.5 is not a whole number"),
    ("epochs = \"2\"", "epochs: '2' is not a whole number"),
    ("optimizer = 3", "optimizer: 3 is not a text"),
    ("scale = 1", "scale: 1 is not true or false"),
    ("json = \"yes\"", "json: 'yes' is not true or false"),
    ("hidden = [[8]]", "hidden: [[8]] is not a text or a number, or a list of such"),
    ("hidden = [true]", "hidden: [True] is not a text or a number, or a list of such"),
    ("target = 3", "target: 3 is not a text, or a list of such"),
    ("out = [\"a\"]", "out: ['a'] is not a text"),
    ("validation = 2024-01-01", "validation: datetime.date(2024, 1, 1) is not a text or a number, or a list of such"),
    ("[class-weight]\n0 = \"big\"", "class-weight: {'0': 'big'} is not a table of numbers"),
    ("batch_size = 3", "'batch_size' is no option of train. Did you mean 'batch-size'?"),
    ("learning-rate = 3", "'learning-rate' is no option of train. chainrule train --help has all of them"),
    ("config = \"other.toml\"", "'config' is no option of train."),
    ("help = true", "'help' is no option of train."),
    ("[train]\nlr = 0.1", "'train' is no option of train. It is a table; options stand before the first one."),
    ("lr = ", "not TOML (Invalid value (at end of document)); a line of it is such as lr = 0.01"),
    ("lr = 1\nlr = 2", "not TOML (Cannot overwrite a value"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), BAD, ids=[text for text, _ in BAD])
def test_a_file_that_is_wrong_is_refused_with_its_name_and_the_key(text: str, says: str, tmp_path: Path) -> None:
    config = _config(tmp_path, text)
    _refused(call("train", "digits", "--config", config), f"{config}: {says}")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for name, why in (("none.toml", "No such file"), (".", "Is a directory")):
        _refused(call("train", "digits", "--config", str(tmp_path / name)), f"cannot be read ({why}")
    (tmp_path / "b.toml").write_bytes(b"lr = 1 # \xff")
    _refused(call("train", "digits", "--config", str(tmp_path / "b.toml")), "cannot be read (it is no UTF-8 text)")
    (tmp_path / "deep.toml").write_text("lr = " + "[" * 20000, encoding="utf-8")
    _refused(call("train", "digits", "--config", str(tmp_path / "deep.toml")), "deep.toml: not TOML")


def _refused(result: Call, says: str) -> None:
    assert result.code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("chainrule: error: ")
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


# what the new options of train tell ----------------------------------------------------------------


def test_train_as_json_has_every_epoch_and_what_was_watched(tmp_path: Path) -> None:
    record = _trained(tmp_path, "--hidden", "16", "--epochs", "40", "--patience", "3", "--metric", "macro-f1")
    rows = record["history"]
    assert [row["epoch"] for row in rows] == list(range(1, record["epochs"] + 1))
    assert rows[0].keys() == {"epoch", "step", "seconds", "lr", "cost", "validation_cost", "accuracy", "macro-f1"}
    assert record["validation_macro-f1"] == pytest.approx(rows[record["best_epoch"] - 1]["macro-f1"], abs=1e-9)
    assert record.keys() >= {"validation_cost", "validation_accuracy", "validation_examples", "diverged"}
    kept = History.of(load_model(tmp_path / "m.safetensors"))
    assert kept.best_epoch == record["best_epoch"]
    assert kept.costs.tolist() == [row["cost"] for row in rows]
    plain = _trained(tmp_path, *BRIEF)
    assert plain["best_epoch"] is None
    assert plain["diverged"] is None
    assert plain["history"][1].keys() == {"epoch", "step", "seconds", "lr", "cost"}


def test_train_writes_its_history_and_draws_it(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    table, lines, picture = tmp_path / "h.csv", tmp_path / "h.jsonl", tmp_path / "h.svg"
    record = _trained(tmp_path, *BRIEF, "--history", str(table), "--plot", str(picture), "--validation", "0.2")
    assert table.read_text(encoding="utf-8").startswith(
        "epoch,step,seconds,lr,cost,validation_cost,accuracy,gradient_norm_1,gradient_norm_2\n1,"
    )
    assert "layer 2" in picture.read_text(encoding="utf-8")
    again = _trained(tmp_path, *BRIEF, "--history", str(lines), "--validation", "0.2")
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert rows == again["history"]
    assert _without_time(again) == _without_time(record)


def test_train_can_be_watched_over_a_file_of_others(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{2 * i}\n" for i in range(60)), encoding="utf-8")
    options = ("--target", "y", "--task", "numbers", "--epochs", "2", "--out", str(tmp_path / "m.safetensors"))
    result = call("train", str(path), *options, "--validation", str(path), "--json")
    assert json.loads(result.stdout)["validation_examples"] == 60
    said = call("train", str(path), *options, "--patience", "1").stdout
    assert "validation cost " in said
    assert "; the best epoch was 2" in said


def test_train_does_not_write_its_history_over_what_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{2 * i}\n" for i in range(60)), encoding="utf-8")
    before = path.read_bytes()
    options = ("--target", "y", "--history", str(path), "--out", str(tmp_path / "m.safetensors"))
    _refused(call("train", str(path), *options), "is what is read here; writing it would lose it")
    _refused(call("train", "digits", "--history", str(path), "--validation", str(path)), "is what is read here")
    assert path.read_bytes() == before


@pytest.mark.parametrize("as_validation", [False, True])
def test_nothing_is_written_among_the_files_of_a_folder_that_is_read(as_validation: bool, tmp_path: Path) -> None:
    fold = tmp_path / "fold"
    fold.mkdir()
    text = "x,y\n" + "".join(f"{i},{2 * i}\n" for i in range(60))
    for file in (fold / "a.csv", tmp_path / "t.csv", tmp_path / "elsewhere.csv"):
        file.write_text(text, encoding="utf-8")
    (fold / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    data = (str(tmp_path / "t.csv"), "--validation", str(fold)) if as_validation else (str(fold),)
    options = ("--target", "y", "--epochs", "1", "--out", str(tmp_path / "m.safetensors"))
    for history in (fold / "a.csv", tmp_path / "elsewhere.csv", fold / "new.csv"):
        _refused(call("train", *data, *options, "--history", str(history)), "is what is read here; writing it would")
    assert (fold / "a.csv").read_text() == (tmp_path / "elsewhere.csv").read_text() == text
    assert not (fold / "new.csv").exists()
    beside = call("train", *data, *options, "--history", str(fold / "h.jsonl"))  # no kind of table: it is not read
    assert beside.code == 0
    assert "saved" in beside.stderr
    again = call("train", *data, *options, "--history", str(fold / "h.jsonl"))
    assert f"replaced {fold / 'h.jsonl'}" in again.stderr
    model = str(tmp_path / "m.safetensors")
    _refused(call("predict", model, str(fold), "--out", str(fold / "new.csv")), "is what is read here")


@pytest.mark.parametrize(
    "argv",
    [
        ("train", "digits", "--history", "options.csv"),
        ("train", "digits", "--out", "options.safetensors"),
        ("train", "digits", "--plot", "options.svg"),
        ("find-lr", "digits", "--plot", "options.svg"),
        ("compare", "digits", "--activation", "relu,tanh", "--plot", "options.svg"),
    ],
)
def test_a_file_of_options_is_not_written_over(
    argv: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = Path(argv[-1])
    config.write_text("l2 = 0.0\n", encoding="utf-8")
    _refused(call(*argv, "--config", str(config)), f"'{config}' is what is read here")
    assert config.read_text(encoding="utf-8") == "l2 = 0.0\n"


def test_train_that_diverges_says_so_and_keeps_what_was_learned(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 200).tolist()
    rows = "".join(f"{v},{2 * v + sin(40 * v)}\n" for v in x)
    data, out = tmp_path / "line.csv", tmp_path / "m.safetensors"
    data.write_text("x,y\n" + rows, encoding="utf-8")
    options = ("--target", "y", "--hidden", "none", "--optimizer", "sgd", "--lr", "1.2", "--patience", "50")
    result = call("train", str(data), *options, "--out", str(out), "--json")
    assert result.code == 0
    record = json.loads(result.stdout)
    assert record["diverged"].startswith("training diverged in epoch ")
    assert f"the parameters of epoch {record['best_epoch']}, the best, are kept" in record["diverged"]
    assert f"warning: {record['diverged']}" in result.stderr
    assert load_model(out).network.sizes == (1, 1)


def test_train_that_learns_nothing_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    out.write_bytes(b"as it was")
    result = call("train", "iris", "--lr", "1e6", "--optimizer", "sgd", "--out", str(out))
    assert result.code == 2
    assert "nothing was learned" in result.stderr
    assert out.read_bytes() == b"as it was"


REFUSED = [
    ("--momentum 0.5", "momentum: adam has none; it belongs to momentum and nesterov"),
    ("--weight-decay 0.5", "weight decay: adam has none; it belongs to adamw"),
    ("--optimizer rmsprop --rho 1", "rho: 1.0 is not a number of at least 0 and below 1"),
    ("--schedule cosin", "schedule: 'cosin' is not known. Did you mean 'cosine'?"),
    ("--schedule cosine:every=3", "schedule: cosine has no constant 'every'; it has least"),
    ("--schedule constant:every=3", "schedule: constant has no constant 'every'; it has none"),
    ("--schedule step:every", "schedule: every: '' is not a number such as 0.5"),
    ("--schedule step:factor=2", "factor: 2 is not a number above 0 and below 1"),
    ("--schedule plateau:patience=2.5", "patience: 2.5 is not a whole number of epochs"),
    ("--warm-up 60", "warm-up: 60.0 is not less than the 60 epochs of the training"),
    ("--dropout 0.1,x", "dropout: '0.1,x' is not a list of numbers such as 0.2, or 0.1,0.5"),
    ("--dropout 1", "dropout: 1.0 is not a probability of at least 0 and below 1"),
    ("--class-weight 0=1,0=2", "class weight: '0' has two weights; give it one"),
    ("--class-weight 0=1e39", "class weight of 0: 1e+39 is too large for float32"),
    ("--class-weight 5", "class weight: '5' is not a class with its weight, such as yes=5; or balanced"),
    ("--class-weight 0=x", "class weight of 0: 'x' is not a number such as 5"),
    ("--class-weight ten=1", "class weight: there is no class 'ten'."),
    ("--clip-norm 0", "clip norm: 0.0 is not the most that ∇C may be long"),
    ("--patience 0", "patience: 0 is not a whole number of epochs, at least 1"),
    ("--metric macrof1", "metric: 'macrof1' is not known. Did you mean 'macro-f1'?"),
    ("--metric accuracy", "metric: 'accuracy' is not measured without validation examples"),
    ("--metric r2 --patience 2", "metric: r2 is for numbers, the target is classes"),
    ("--validation 1.5", "validation: 1.5 is not a share of the examples, above 0 and below 1"),
    ("--validation nowhere.csv", "nowhere.csv"),
    ("--history h.txt", "h.txt: unknown kind of file '.txt' for a history; known: .csv, .jsonl"),
]


@pytest.mark.parametrize(("options", "says"), REFUSED, ids=[options for options, _ in REFUSED])
def test_train_refuses_an_option_that_cannot_be(options: str, says: str) -> None:
    _refused(call("train", "digits", *options.split()), says)


# which constants matter ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_an_optimizer_takes_the_constants_that_change_its_steps_and_no_others(method: str, tmp_path: Path) -> None:
    def learned(*argv: str) -> bytes | None:
        result = call("train", "digits", *BRIEF, "--optimizer", method, *argv, "--out", str(tmp_path / "m.safetensors"))
        return (tmp_path / "m.safetensors").read_bytes() if result.code == 0 else None

    changed = {"momentum": "0.3", "beta1": "0.3", "beta2": "0.3", "rho": "0.3", "epsilon": "0.1", "weight-decay": "0.5"}
    plain = learned()
    for name, value in changed.items():
        after = learned(f"--{name}", value)
        optimizer = Optimizer(method, **{name.replace("-", "_"): float(value)})  # pyright: ignore[reportArgumentType]
        matters = _one_step(optimizer) != _one_step(Optimizer(method))
        assert (after is not None) == matters, name
        assert after != plain


def _one_step(optimizer: Optimizer) -> list[float]:
    """Where two steps lead."""
    p = ParameterVector(Network((1, 1), "identity", "squared-error"), np.ones(2))
    moments = tuple(np.zeros(2) for _ in range(optimizer.n_moments))
    for t in (1, 2):
        optimizer.update(p, np.array([0.5, t]), moments, t)
    return p.vector.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_schedule_takes_the_constants_that_change_its_rates_and_no_others(name: str) -> None:
    def rates(schedule: Schedule) -> list[float]:
        of = schedule.rates(1.0, 2, 40)
        for epoch in range(1, 40):
            of.after_epoch(2 * epoch, 1.0)
        return of(0, 80).tolist()

    changed = {"every": 3, "factor": 0.25, "least": 0.5, "rise": 0.5, "patience": 2, "power": 1.5}
    for constant, value in changed.items():
        matters = rates(Schedule(name, **{constant: value})) != rates(Schedule(name))  # pyright: ignore[reportArgumentType]
        taken = call(
            "train", "digits", "--schedule", f"{name}:{constant}={value}", "--epochs", "1", "--validation", "2"
        )
        assert taken.code == 2  # by the last of its options, if by none before
        assert ("has no constant" not in taken.stderr) == matters, constant


@pytest.mark.parametrize("command", ["train", "find-lr", "compare"])
def test_help_fits_80_columns_under_headings(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = call(command, "--help").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line in ("The data:", "The network:", "The steps:", "Options:")] == [
        "The data:", "The network:", "The steps:", "Options:",
    ]  # fmt: skip
