"""compare: the same start, split and order for all; what is measured of a layer; and what is told of it."""

import json
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from math import exp, hypot, isfinite, tanh
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input import kinds
from bad_input.calls import Call, assert_nothing_written, assert_refused, call, contents
from bad_input.files import write_good_files
from bad_input.kinds import Option
from given import ENGINES, process, random_problem
from oracles.one_by_one import one_by_one
from oracles.planted import Problem

from chainrule import Comparison, Optimizer, Settings, Table, compare, read_table, train
from chainrule.cli.compare import compare as compare_command
from chainrule.errors import FileError, InputError
from chainrule.training import activation_time
from chainrule.training.compare import Epoch, Run
from chainrule.training.compare_measures import SAMPLE, Layer, Measures, measure, sample
from chainrule.training.compare_text import run_name
from chainrule.training.guard import Divergence
from chainrule.training.schedule import Schedule
from chainrule.training.train import plan

EPS = float(np.finfo(np.float64).eps)
ARTICLE = ("sigmoid", "tanh", "relu")
DEEP = Settings(hidden=(24,) * 6, epochs=6, l2=0.0)


@pytest.fixture(autouse=True, scope="module")
def _quick() -> Any:
    """One short round in place of fifteen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activation_time, "ROUNDS", 1)
        patch.setattr(activation_time, "SLICE_SECONDS", 1e-4)
        yield


@cache
def _digits() -> Table:
    return read_table("digits")


@cache
def _deep() -> Comparison:
    return compare(_digits(), DEEP, activation=ARTICLE)


def _costs(run: Run) -> list[float]:
    return [at.cost for at in run.history]


def _lines() -> Table:
    x = np.linspace(-1, 1, 60)
    return Table("lines", {"x": x, "y": 3 * x + np.sin(5 * x)})


# the same for all ----------------------------------------------------------------------------------


def test_every_run_starts_with_the_first_ones_weights_and_goes_through_the_same_batches() -> None:
    first = plan(_digits(), replace(DEEP, activation=("sigmoid",)))
    start = first.state.parameters.vector.copy()
    for run in _deep().runs:
        alone = plan(_digits(), replace(DEEP, activation=(run.setting["activation"],)))
        alone.state.parameters.vector[:] = start
        assert np.array_equal(alone.state.X, first.state.X)
        assert np.array_equal(alone.test_X, first.test_X)
        trained = alone.train()
        assert _costs(run) == list(trained.model.training["costs"])
        assert run.history[-1].score == trained.test_score


def test_with_its_own_start_a_run_is_what_train_makes_of_its_setting() -> None:
    compared = compare(_digits(), DEEP, activation=ARTICLE, own_start=True)
    assert compared.shared_start is None
    for run in compared.runs:
        trained = train(_digits(), replace(DEEP, activation=(run.setting["activation"],)))
        assert _costs(run) == list(trained.model.training["costs"])
        assert [run.history[-1].score, run.history[-1].epoch] == [trained.test_score, trained.epochs]


def test_a_run_for_each_combination_has_its_settings() -> None:
    compared = compare(_digits(), Settings(epochs=1), optimizer=["sgd", "adam"], batch_size=[20, 300], lr=[0.01])
    assert [dict(run.setting) for run in compared.runs] == [
        {"optimizer": optimizer, "batch_size": size} for optimizer in ("sgd", "adam") for size in (20, 300)
    ]
    for run in compared.runs:
        optimizer = Optimizer(run.setting["optimizer"], 0.01)
        trained = train(_digits(), Settings(epochs=1, optimizer=optimizer, batch_size=run.setting["batch_size"]))
        assert _costs(run) == list(trained.model.training["costs"])


def test_an_optimizer_that_is_named_has_its_customary_rate() -> None:
    compared = compare(_digits(), Settings(epochs=1), optimizer=["sgd", "adam"])
    for run in compared.runs:
        trained = train(_digits(), Settings(epochs=1, optimizer=Optimizer(run.setting["optimizer"])))
        assert _costs(run) == list(trained.model.training["costs"])


def test_other_networks_and_other_seeds_have_starts_of_their_own() -> None:
    compared = compare(_lines(), Settings(target=("y",), epochs=1), hidden=[(4,), (5,)], seed=[0, 1], l2=[0, 0.1])
    assert compared.shared_start is None
    starts = [run.measures[0].layers[-1].mean_activation for run in compared.runs]
    assert starts[::2] == starts[1::2]  # those that differ in l2 alone
    assert len(set(starts)) == 4
    assert compare(_lines(), Settings(target=("y",), epochs=1), l2=[0, 0.1]).shared_start == ("relu",)


@pytest.mark.parametrize("name", ENGINES)
def test_both_engines_compare(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ENGINE", name)
    compared = compare(_digits(), Settings(hidden=(8,), epochs=2), activation=ARTICLE)
    assert compared.engine == name
    assert all(len(run.history) == 2 and isfinite(run.nanoseconds or np.nan) for run in compared.runs)


# layers --------------------------------------------------------------------------------------------

VALUE: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda z: 1 / (1 + exp(-z)),
    "tanh": tanh,
    "relu": lambda z: max(z, 0.0),
    "identity": float,
}
SLOPE: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda z: exp(-z) / (1 + exp(-z)) ** 2,
    "tanh": lambda z: 1 - tanh(z) ** 2,
    "relu": lambda z: float(z > 0),
    "identity": lambda z: 1.0,
}


def _one_sign(rows: Iterable[Any]) -> float:
    """Of the rows that are not all 0, the share that has no two signs."""
    signs = [{float(np.sign(entry)) for entry in row if entry != 0} for row in rows]
    return sum(len(each) == 1 for each in signs) / sum(len(each) > 0 for each in signs)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize(("cost", "output"), [("squared-error", "identity"), ("cross-entropy", "softmax")])
def test_a_layer_is_what_loops_over_examples_neurons_and_weights_make_of_it(
    activation: str, cost: str, output: str
) -> None:
    model, examples = random_problem(5, (3, 6, 4, 5, 2), (*[activation] * 3, output), cost, n=7)
    p, X, Y = model.parameters, examples.a0, examples.Y
    p.b[2][1] = -15  # a neuron that is dead where σ is relu
    measured = measure(p, X, Y, epoch=3)
    functions = ["", *p.network.activation]
    alone = [one_by_one(Problem(functions, cost, dict(p.w), dict(p.b), X[i : i + 1], Y[i : i + 1])) for i in range(7)]
    a = {0: X.tolist()}
    for l, layer in enumerate(measured.layers, 1):
        z = [
            [sum(w * x for w, x in zip(row, before, strict=True)) + b for row, b in zip(p.w[l], p.b[l], strict=True)]
            for before in a[l - 1]
        ]
        if functions[l] == "softmax":
            assert layer.mean_slope is None
            assert layer.dead is None
            assert layer.mean_activation == pytest.approx(1 / 2, rel=8 * EPS)
        else:
            a[l] = [[VALUE[functions[l]](value) for value in row] for row in z]
            slopes = np.array([[SLOPE[functions[l]](value) for value in row] for row in z])
            assert layer.mean_activation == pytest.approx(sum(map(sum, a[l])) / slopes.size, rel=1e-12)
            assert layer.mean_slope == pytest.approx(slopes.sum() / slopes.size, rel=1e-12)
            assert layer.dead == np.count_nonzero(slopes.max(axis=0) == 0) / slopes.shape[1]
        mean = [np.mean([g[f"{letter}{l}"] for g in alone], axis=0) for letter in "wb"]
        norm = hypot(*(float(entry) for array in mean for entry in array.flat))
        assert layer.gradient_norm == pytest.approx(norm, rel=1e-11)
        assert layer.one_sign == _one_sign(row for g in alone for row in g[f"w{l}"])
        assert layer.one_sign_of_mean == _one_sign(mean[0])
    dead = [layer.dead for layer in measured.layers[:3]]
    assert (measured.epoch, dead[1]) == (3, pytest.approx(dead[1]))
    assert (dead[1] or 0) >= (0.25 if activation == "relu" else 0)


def test_a_layer_that_no_gradient_reaches_has_no_signs() -> None:
    model, examples = random_problem(0, (2, 3, 1), ("relu", "identity"), "squared-error")
    model.parameters.b[1][:] = -1e9
    first, last = measure(model.parameters, examples.a0, examples.Y, 0).layers
    assert (first.one_sign, first.one_sign_of_mean, first.dead, first.gradient_norm) == (None, None, 1, 0)
    assert (last.one_sign, last.one_sign_of_mean) == (None, None)  # its inputs are 0
    assert last.gradient_norm > 0  # its bias is not


@pytest.mark.parametrize(("n", "rows"), [(1, [0]), (3, [0, 1, 2]), (SAMPLE, list(range(SAMPLE)))])
def test_few_examples_are_all_measured(n: int, rows: list[int]) -> None:
    assert sample(n).tolist() == rows


def test_of_many_examples_some_are_measured_from_the_first_to_the_last() -> None:
    rows = sample(10 * SAMPLE)
    assert len(set(rows.tolist())) == SAMPLE
    assert (rows[0], rows[-1]) == (0, 10 * SAMPLE - 1)
    assert set(np.diff(rows)) <= {10, 11}


def test_layers_are_measured_at_the_start_after_powers_of_two_and_at_the_end() -> None:
    for run in _deep().runs:
        assert [measures.epoch for measures in run.measures] == [0, 1, 2, 4, 6]


# the article's remark ------------------------------------------------------------------------------


def _start(compared: Comparison) -> dict[str, tuple[Layer, ...]]:
    return {run.setting["activation"]: run.measures[0].layers for run in compared.runs}


def test_what_reaches_the_first_layer_of_a_deep_network_is_least_with_sigmoid() -> None:
    layers = _start(_deep())
    norms = {name: [layer.gradient_norm for layer in each] for name, each in layers.items()}
    assert 100 * norms["sigmoid"][0] < norms["relu"][0] < norms["tanh"][0]
    assert norms["sigmoid"][:6] == sorted(norms["sigmoid"][:6])  # less and less, from layer to layer back


def test_the_slope_of_sigmoid_is_at_most_a_quarter_that_of_relu_1_for_about_half() -> None:
    for name, least, most in (("sigmoid", 0.15, 0.25), ("tanh", 0.5, 1), ("relu", 0.3, 0.7)):
        assert all(least < (layer.mean_slope or 0) <= most for layer in _start(_deep())[name][:-1])


def test_the_gradients_into_a_neuron_share_one_sign_where_no_activation_is_below_0() -> None:
    for name, share in (("sigmoid", 1), ("relu", 1), ("tanh", 0)):
        layers = _start(_deep())[name]
        assert layers[0].one_sign == 0  # inputs with mean 0
        assert all(layer.one_sign == pytest.approx(share, abs=0.01) for layer in layers[1:])


def test_in_the_mean_over_the_examples_sigmoid_keeps_its_one_sign_and_relu_does_not() -> None:
    layers = _start(_deep())
    shares = {name: [layer.one_sign_of_mean or 0 for layer in layers[name][2:]] for name in ARTICLE}
    assert max(*shares["tanh"], *shares["relu"]) < 0.2 < 0.6 < min(shares["sigmoid"])


def test_tanh_is_centred_on_0_and_the_others_are_not() -> None:
    layers = _start(_deep())
    assert all(abs(layer.mean_activation) < 0.1 for layer in layers["tanh"][:-1])
    assert all(0.3 < layer.mean_activation < 0.7 for layer in layers["sigmoid"][:-1])
    assert all(layer.mean_activation > 0.01 for layer in layers["relu"][:-1])


def test_a_deep_network_learns_with_tanh_and_relu_and_hardly_with_sigmoid() -> None:
    scores = {run.setting["activation"]: run.history[-1].score or 0 for run in _deep().runs}
    assert scores["sigmoid"] < 0.5 < 0.8 < min(scores["tanh"], scores["relu"])


# time ----------------------------------------------------------------------------------------------


def test_the_time_to_a_score_is_that_of_the_first_epoch_that_reaches_it() -> None:
    compared = compare(_digits(), replace(DEEP, hidden=(16,)), target_score=0.7, activation=ARTICLE)
    assert (compared.target_score, compared.target_given) == (0.7, True)
    for run in compared.runs:
        reached = [at for at in run.history if (at.score or 0) >= 0.7]
        assert run.target == (reached[0] if reached else None)
        seconds = [at.seconds for at in run.history]
        assert seconds[0] > 0
        assert seconds == sorted(seconds)
        assert [at.epoch for at in run.history] == [1, 2, 3, 4, 5, 6]
    assert any(run.target for run in compared.runs)


def test_without_a_named_score_it_is_95_percent_of_the_best() -> None:
    best = max(at.score or 0 for run in _deep().runs for at in run.history)
    assert _deep().target_score == pytest.approx(0.95 * best, rel=2 * EPS)
    assert not _deep().target_given
    assert _deep().runs[0].target is None
    assert "95 % of the best" in _deep().text()


def test_an_activations_time_is_the_difference_of_the_fastest_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = {"identity": [9e-6, 5e-6, 6e-6], "sigmoid": [40e-6, 30e-6, 21.384e-6], "relu": [7e-6, 8e-6, 9e-6]}

    class Timed:
        def __init__(self, name: str) -> None:
            self.left, self.times = [1.0, *rounds[name]], list[float]()

        def take(self, seconds: float) -> None:
            self.times.append(self.left.pop(0))

    monkeypatch.setattr(activation_time, "_turn", Timed)
    monkeypatch.setattr(activation_time, "ROUNDS", 3)
    each = activation_time.nanoseconds(["relu", "sigmoid"])
    assert {name: round(ns, 9) for name, ns in each.items()} == {
        "identity": 0,
        "relu": round(2e3 / 16384, 9),
        "sigmoid": 1,
    }


def test_a_runs_nanoseconds_are_the_mean_over_its_neurons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.training.compare.nanoseconds", lambda names: {"tanh": 4.0, "relu": 1.0})  # pyright: ignore
    settings = Settings(hidden=(10, 20), epochs=1)
    compared = compare(_digits(), settings, activation=[("tanh", "relu"), "relu"])
    assert [run.nanoseconds for run in compared.runs] == [2, 1]
    assert compare(_digits(), Settings(hidden=(), epochs=1), lr=[0.1, 0.2]).runs[0].nanoseconds is None


# ends ----------------------------------------------------------------------------------------------


def test_a_run_that_diverges_says_so_and_the_others_go_on_as_if_alone() -> None:
    settings = Settings(hidden=(8,), epochs=3, optimizer=Optimizer("sgd"))
    calm, wild = compare(_digits(), settings, lr=[0.1, 1e30]).runs
    alone = train(_digits(), replace(settings, optimizer=Optimizer("sgd", 0.1)))
    assert calm.divergence is None
    assert wild.divergence is not None
    assert wild.divergence.epoch == 1
    assert _costs(calm) == alone.model.training["costs"]
    assert wild.history == ()
    assert [measures.epoch for measures in wild.measures] == [0]
    text = compare(_digits(), settings, lr=[0.1, 1e30]).text()
    assert "diverged" in text
    assert "1e+30 diverged in epoch 1: " in text


def test_where_all_diverge_there_is_no_time_to_a_score() -> None:
    settings = Settings(hidden=(8,), epochs=3, optimizer=Optimizer("sgd"))
    compared = compare(_digits(), settings, lr=[1e30, 1e31])
    assert compared.target_score is None
    assert "no score" in compared.text()
    json.dumps(compared.json())


@pytest.mark.parametrize(
    "changes", [{"patience": 1}, {"schedule": Schedule("plateau", patience=1)}, {"dropout": (0.3,), "clip_norm": 0.5}]
)
def test_a_run_keeps_to_its_settings_as_train_does(changes: dict[str, Any]) -> None:
    settings = Settings(hidden=(8,), epochs=40, validation=0.2, optimizer=Optimizer("sgd", 0.5), **changes)
    for run in compare(_digits(), settings, activation=["tanh", "relu"], own_start=True).runs:
        trained = train(_digits(), replace(settings, activation=(run.setting["activation"],)))
        assert _costs(run) == trained.model.training["costs"]
        assert (len(run.history) < 40) == ("patience" in changes)


def test_ctrl_c_keeps_what_was_done() -> None:
    def press(done: int, steps: int) -> None:
        assert steps == 2 * 1000 * 45
        if done >= 450:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    compared = compare(_digits(), Settings(hidden=(4,), epochs=1000), lr=[0.01, 0.001], watch=press)
    assert signal.getsignal(signal.SIGINT) is before
    assert compared.interrupted
    n = [len(run.history) for run in compared.runs]
    assert n[0] - n[1] in (0, 1)  # they take turns
    assert 4 <= n[1] < 1000
    assert "interrupted" in compared.text()


def test_the_command_exits_with_130_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = replace(_deep(), interrupted=True)
    monkeypatch.setattr("chainrule.training.compare.compare", lambda *_, **__: compared)  # pyright: ignore
    result = call("compare", "digits", "--activation", "sigmoid,tanh,relu", "--json")
    assert (result.code, result.stderr) == (130, "")
    assert json.loads(result.stdout)["interrupted"] is True


# what is told --------------------------------------------------------------------------------------


def _call(*argv: str) -> Call:
    return call("compare", "digits", "--hidden", "12", "--epochs", "3", *argv)


def test_the_command_prints_one_object_with_the_agreed_keys() -> None:
    result = _call("--activation", "sigmoid,tanh,relu", "--target-score", "0.5", "--json")
    assert (result.code, result.stderr) == (0, "")
    record = json.loads(result.stdout)
    assert [run["setting"] for run in record["runs"]] == [{"activation": name} for name in ARTICLE]
    assert record["shared_start"] == ["sigmoid"]
    assert record["target_score"] == 0.5
    assert (record["train_examples"], record["test_examples"]) == (1438, 359)
    for run in record["runs"]:
        assert run.keys() >= {"setting", "history", "time_to_target", "layers", "nanoseconds_per_activation"}
        assert [at["epoch"] for at in run["history"]] == [1, 2, 3]
        assert all(isfinite(at[key]) for at in run["history"] for key in ("cost", "test_accuracy", "seconds"))
        assert run["time_to_target"] is None or run["time_to_target"].keys() == {"epochs", "seconds"}
        assert [measures["epoch"] for measures in run["layers"]] == [0, 1, 2, 3]
        for layer in run["layers"][0]["layers"]:
            keys = {"layer", "mean_slope", "gradient_norm", "mean_activation", "one_sign", "one_sign_of_mean", "dead"}
            assert layer.keys() == keys


def test_the_command_takes_several_values_of_each_option() -> None:
    argv = ("--lr", "0.1,0.01", "--l2", "0, 0.001", "--batch-size", "16,64", "--hidden", "none", "--optimizer", "sgd")
    record = json.loads(_call(*argv, "--json").stdout)
    assert record["varied"] == {"hidden": [[12], []], "batch_size": [16, 64], "l2": [0, 0.001], "lr": [0.1, 0.01]}
    assert len(record["runs"]) == 16
    assert record["runs"][0]["setting"] == {"hidden": [12], "batch_size": 16, "l2": 0, "lr": 0.1}
    assert [run["sizes"] for run in record["runs"]] == [[64, 12, 10]] * 8 + [[64, 10]] * 8


def test_a_value_with_colons_has_one_for_each_layer() -> None:
    argv = ("--activation", "tanh:relu,relu, tanh:relu:sigmoid", "--dropout", "0,0.1:0.2", "--cost", "squared-error")
    argv = ("compare", "digits", "--hidden", "12,8", "--epochs", "1", *argv)
    shown = call(*argv)
    assert "run 2: activation tanh:relu, dropout 0.1:0.2\n" in shown.stdout
    record = json.loads(call(*argv, "--json").stdout)
    assert record["varied"] == {
        "activation": [["tanh", "relu"], "relu", ["tanh", "relu", "sigmoid"]],
        "dropout": [0, [0.1, 0.2]],
    }
    assert [run["activation"] for run in record["runs"][::2]] == [
        ["tanh", "relu", "sigmoid"],
        ["relu", "relu", "sigmoid"],
        ["tanh", "relu", "sigmoid"],
    ]


def test_a_file_has_the_options_too(tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text('activation = "sigmoid,tanh"\nlr = 0.01\ntarget-score = 0.5\n', encoding="utf-8")
    record = json.loads(_call("--config", str(path), "--json").stdout)
    assert (record["varied"], record["target_score"]) == ({"activation": ["sigmoid", "tanh"]}, 0.5)


@pytest.mark.parametrize(
    ("argv", "settings", "names"),
    [
        (("--dropout", "0,0.2"), [{"dropout": 0}, {"dropout": 0.2}], ["dropout 0", "dropout 0.2"]),
        (("--clip-norm", "0.1,1"), [{"clip_norm": 0.1}, {"clip_norm": 1}], ["clip norm 0.1", "clip norm 1"]),
        (
            ("--schedule", "step:every=1,cosine"),
            [{"schedule": "step:every=1"}, {"schedule": "cosine"}],
            ["step:every=1", "cosine"],
        ),
        (
            ("--optimizer", "adamw", "--weight-decay", "0.1,0.9"),
            [{"weight_decay": 0.1}, {"weight_decay": 0.9}],
            ["weight decay 0.1", "weight decay 0.9"],
        ),
    ],
)
def test_the_command_varies_steps_too(argv: tuple[str, ...], settings: list[dict[str, Any]], names: list[str]) -> None:
    record = json.loads(_call(*argv, "--json").stdout)
    assert [run["setting"] for run in record["runs"]] == settings
    costs = [[at["cost"] for at in run["history"]] for run in record["runs"]]
    assert costs[0] != costs[1]
    text = _call(*argv).stdout
    assert all(f"\n{name} " in text for name in names)


def test_a_weight_decay_that_the_optimizer_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="weight decay: adam has none; it belongs to adamw"):
        compare(_digits(), Settings(epochs=1), weight_decay=[0.1, 0.2])


def test_a_run_is_called_by_the_names_of_its_settings() -> None:
    compared = compare(_lines(), Settings(target=("y",), epochs=1), hidden=[(3,), (4,)], seed=[0, 1])
    assert [run_name(run) for run in compared.runs] == [f"hidden {n}, seed {s}" for n in (3, 4) for s in (0, 1)]
    assert "\nhidden 3, seed 0 " in compared.text()


def test_a_time_below_that_of_the_identity_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.training.compare.nanoseconds", lambda names: {"tanh": 4.0, "relu": -1.0})  # pyright: ignore
    text = compare(_lines(), Settings(target=("y",), epochs=1), activation=["tanh", "relu"]).text()
    relu = next(line for line in text.splitlines() if line.startswith("relu "))
    assert relu.endswith("–")
    assert "no longer than the identity" in text


def test_numbers_are_scored_by_r2() -> None:
    compared = compare(_lines(), Settings(target=("y",), epochs=60), lr=[0.01, 0.02])
    assert compared.score == "r2"
    assert "test_r2" in compared.json()["runs"][0]["history"][0]
    assert "to R² 0." in " ".join(compared.text().split())


def test_without_examples_held_out_there_is_no_score() -> None:
    table = Table("two", {"x": np.array([1.0, 2.0]), "y": np.array([0.5, 0.25])})
    compared = compare(table, Settings(target=("y",), epochs=2), lr=[0.1, 0.2], target_score=0.5)
    assert (compared.n_test, compared.target_score) == (0, None)
    assert {at.score for run in compared.runs for at in run.history} == {None}
    assert "no score" in compared.text()


def _made_up(n_runs: int, depth: int, name: str, value: float) -> Comparison:
    """A comparison with long names, many layers and numbers that take much room."""
    layer = Layer(value, value, -value, 1.0, 1.0, 1.0)
    runs = tuple(
        Run(
            {"activation": f"{name}{i}", "lr": value},
            replace(_deep().runs[0]).network,
            (Epoch(100_000, value, value, 123456.789),),
            (Measures(0, (layer,) * depth), Measures(100_000, (layer,) * depth)),
            Divergence(9, 8, "the gradient overflowed", "Use a smaller learning rate", 7) if i else None,
            Epoch(99_999, value, value, 123456.789),
            12.345,
        )
        for i in range(n_runs)
    )
    varied = {"activation": tuple(run.setting["activation"] for run in runs), "lr": (value,)}
    return replace(_deep(), runs=runs, varied=varied, source="a-file-with-a-long-name-" * 9, score="r2")


@pytest.mark.parametrize("depth", [1, 2, 9, 40])
@pytest.mark.parametrize("name", ["elu", "leaky-relu, leaky-relu"])
def test_the_text_fits_80_columns(depth: int, name: str) -> None:
    for value in (1e-100, 0.000123456, 123456.0):
        lines = _made_up(16, depth, name, value).text().splitlines()
        assert [line for line in lines if len(line) > 80 and "a-file" not in line] == []


def test_the_text_has_the_cost_by_epoch_and_by_second() -> None:
    lines = _deep().text().splitlines()
    at = lines.index("cost C by epoch, and by second")
    for i, run in enumerate(_deep().runs):
        costs, seconds = lines[at + 2 + 2 * i].split(), lines[at + 3 + 2 * i].split()
        epochs = [int(n) - 1 for n in lines[at + 1].split()[1:]]
        assert epochs[0] == 0
        assert epochs[-1] == len(run.history) - 1
        assert costs == [run_name(run), "C", *(f"{run.history[n].cost:.3g}" for n in epochs)]
        assert seconds == ["s", *(f"{run.history[n].seconds:.2g}" for n in epochs)]


@pytest.mark.parametrize("epochs", [0, 1, 300, 301, 1001, 20_000])
def test_the_costs_of_any_number_of_epochs_fit_80_columns(epochs: int) -> None:
    made = _made_up(3, 2, "leaky-relu", 0.1)
    at = replace(_deep().runs[0].history[0], cost=1.23456e-105, seconds=1.234e-5)
    made = replace(made, runs=tuple(replace(run, history=(at,) * epochs) for run in made.runs))
    assert [line for line in made.text().splitlines() if len(line) > 80 and "a-file" not in line] == []


def test_of_many_layers_the_first_and_the_last_are_shown() -> None:
    text = _made_up(2, 40, "elu", 0.1).text()
    header = next(line for line in text.splitlines() if "layer" in line and "…" in line).split()
    assert header[:3] == ["layer", "1", "2"]
    assert header[-2:] == ["39", "40"]


def test_the_table_is_the_same_where_the_terminal_is_ascii() -> None:
    argv = ("compare", "digits", "--hidden", "4", "--epochs", "2", "--activation", "sigmoid,tanh")
    result = process(*argv, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "mean s'(z)" in result.stdout
    assert "?" not in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_a_missing_engine_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chainrule.engines._native", None)
    monkeypatch.delenv("CHAINRULE_ENGINE", raising=False)
    result = _call("--lr", "0.1,0.2")
    assert result.code == 0
    assert result.stderr.count("the compiled engine is missing") == 1
    assert "on the reference engine" in result.stdout


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
@pytest.mark.parametrize(("suffix", "head"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_the_picture_has_the_asked_kind(suffix: str, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"c{suffix}"
    result = _call("--activation", "tanh,relu", "--lr", "0.01,1e30", "--optimizer", "sgd", "--plot", str(path))
    assert (result.code, result.stderr) == (0, f"saved {path}\n")
    assert path.read_bytes().startswith(head)


def _axes(lrs: Sequence[float], monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[Any]:
    from chainrule.render import plot

    x = np.linspace(-1, 1, 60)
    table = Table("line", {"x": x, "y": 2 * x + np.sin(40 * x)})
    settings = Settings(target=("y",), hidden=(), optimizer=Optimizer("sgd"), epochs=60, **changes)
    figures: list[Any] = []
    monkeypatch.setattr(plot, "_saved", lambda figure, *_: figures.append(figure) or b"")  # pyright: ignore
    compare(table, settings, lr=lrs).picture(".svg")
    return figures[0].axes


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
@pytest.mark.parametrize("changes", [{}, {"validation": 0.2, "patience": 20}])  # which stops before an overflow
def test_a_picture_shows_the_runs_that_did_not_diverge(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = _axes([0.1, 1.3], monkeypatch, **changes)
    for each in (axes[0], axes[1], axes[3]):
        calm = [y for line in each.get_lines() if line.get_linestyle() == "-" for y in line.get_ydata()]
        bottom, top = each.get_ylim()
        assert calm
        assert bottom <= min(calm) <= max(calm) <= top <= 20 * max(calm)
    axes[2].figure.draw_without_rendering()
    low, high = axes[2].get_xlim()
    assert [x for x in axes[2].get_xticks() if low <= x <= high] == [1]


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_where_all_diverge_the_picture_shows_how_they_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = _axes([1.3, 1e30], monkeypatch)
    bottom, top = axes[0].get_ylim()
    first = axes[0].get_lines()[0].get_ydata()[0]
    assert bottom < first < top < 1e14 * first
    ends = [line for line in axes[3].get_lines() if line.get_label() == "lr 1e+30"]
    assert [len(line.get_xdata()) for line in ends] == [0]  # it has only a start


def test_the_text_says_what_stops_early_and_keeps_the_seed_whole() -> None:
    settings = Settings(hidden=(8,), epochs=2, metric="balanced-accuracy", validation=0.2, patience=3)
    text = compare(_digits(), settings, activation=["tanh", "relu"]).text()
    assert "stopped early by balanced-accuracy of validation examples" in " ".join(text.split())
    assert "seed 0" in text
    assert "\N{NO-BREAK SPACE}" not in text
    assert "stopped early" not in compare(_digits(), replace(settings, patience=None), lr=[0.1, 0.2]).text()


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_a_picture_names_its_runs_and_what_it_shows(tmp_path: Path) -> None:
    picture = _deep().picture(".svg").decode()
    assert "mean σ′(z)" in picture
    assert "of sigmoid, tanh, relu" in picture
    assert picture == _deep().picture(".svg").decode()
    _deep().plot(tmp_path / "c.svg")
    assert (tmp_path / "c.svg").read_text(encoding="utf-8") == picture
    with pytest.raises(FileError, match="kind of picture"):
        _deep().plot(tmp_path / "c.bmp")


# bad input -----------------------------------------------------------------------------------------


def _refused(argv: Sequence[str], says: Sequence[str]) -> None:
    before = contents(Path())
    for more in ((), ("--json",)):
        assert_refused(call("compare", *argv, *more), says)
    assert_nothing_written(Path(), before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_good_files(tmp_path)
    monkeypatch.chdir(tmp_path)


OPTIONS = {name for option in compare_command.params for name in option.opts} - {"--activation"}  # it has another sense


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "kind",
    [kind for kind in kinds.OPTIONS if {*kind.argv[::2]} <= OPTIONS and "diverged" not in kind.says],
    ids=lambda kind: " ".join(kind.argv)[:60],
)
def test_compare_refuses_what_train_refuses(kind: Option) -> None:
    _refused(("good.csv", "--target", "kind", "--lr", "0.1,0.2", "--batch-size", "2,3", *kind.argv), kind.says)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), ("nothing differs", "such as sigmoid, tanh and relu for activation")),
        (("--activation", "relu"), ("nothing differs",)),
        (("--activation", "relu,rleu"), ("activation: 'rleu'", "Did you mean 'relu'")),
        (("--activation", "relu,softmax"), ("layer 1 of 3 is 'softmax'", "only the last")),
        (("--activation", "relu,relu"), ("activation: 'relu' is named twice",)),
        (("--activation", "relu,"), ("activation: '' is not known",)),
        (("--lr", "0.1,0.1"), ("lr: 0.1 is named twice",)),
        (("--lr", "0.1,fast"), ("--lr", "'fast' is not a valid number")),
        (("--lr", "0.1,-1"), ("lr: -1.0 is not", "above 0")),
        (("--seed", "0,x"), ("--seed", "'x' is not a valid integer")),
        (("--lr", "1,2,3,4,5", "--seed", "0,1,2,3"), ("20 combinations of", "more than the most, 16")),
        (("--lr", "1,2", "--target-score", "1.5"), ("target score: 1.5 is not", "at most 1")),
        (("--lr", "1,2", "--target-score", "nan"), ("target score: nan is not",)),
        (("--lr", "1,2", "--target-score", "high"), ("--target-score", "valid number")),
        (("--lr", "1,2", "--plot", "c.bmp"), ("c.bmp", "kind of picture", ".svg, .png, .pdf")),
        (("--lr", "1,2", "--plot", "missing/c.svg"), ("missing",)),
        (("--lr", "1,2", "--out", "m.safetensors"), ("No such option", "--out")),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_the_command_refuses(argv: Sequence[str], says: Sequence[str]) -> None:
    _refused(("good.csv", "--target", "kind", *argv), says)


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ({}, "nothing differs"),
        ({"rate": [1, 2]}, "vary: 'rate' is not known"),
        ({"target": [("a",), ("b",)]}, "vary: 'target' is not known"),
        ({"activation": "relu"}, "activation: 'relu' is not a list of values"),
        ({"activation": []}, "a list with a value in it"),
        ({"activation": ["relu", 3]}, "activation"),
        ({"optimizer": ["sgd", "adm"]}, "Did you mean 'adam'"),
        ({"optimizer": ["sgd", 3]}, "optimizer"),
        ({"lr": [0.1, "x"]}, "lr: 'x'"),
        ({"hidden": [(3,), "4"]}, "hidden: '4'"),
        ({"batch_size": [1, 2], "target_score": "x"}, "target score: 'x'"),
        ({"batch_size": [1, 2], "own_start": 1}, "own_start: 1"),
        ({"batch_size": [1, 2], "settings": 1}, "settings: 1 is not Settings"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_python_refuses(vary: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as raised:
        compare(_digits(), **vary)
    assert says in str(raised.value)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(InputError, match="table: 'digits' is not a Table"):
        compare("digits", lr=[1, 2])  # pyright: ignore[reportArgumentType]
