"""A range test finds where the cost falls fastest and where it explodes, and keeps nothing of what it learned."""

import json
import signal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input.calls import call

from chainrule import Optimizer, Settings, Table, find_lr, read_table, train
from chainrule.errors import DataError, DivergenceError, FileError, InputError
from chainrule.render.text import width
from chainrule.training.find_lr import RangeTest
from chainrule.training.train import plan


@cache
def _line() -> Table:
    random = np.random.default_rng(0)
    x = random.normal(size=200)
    return Table("line", {"x": x, "y": 3 * x + random.normal(size=200)}, target=("y",))


@cache
def _found(batch_size: int = 16, **changes: Any) -> RangeTest:
    settings = Settings(hidden=(), l2=0.0, batch_size=batch_size, optimizer=Optimizer("sgd"))
    return find_lr(_line(), settings, **changes)


def test_gradient_descent_on_a_parabola_explodes_where_theory_says() -> None:
    """C = (w − w*)² + b² + …: a step at rate r multiplies w − w* by 1 − 2r, which grows from r = 1 on."""
    found = _found(most=100.0, steps=400)
    assert found.exploded is not None
    assert found.steepest is not None
    # a batch's own curvature differs from the mean of all by about √(2/16) of it
    assert 0.5 < found.exploded < 2.0
    # the cost falls by the sum of the rates: fastest, by factors of the rate, at C = C₀/e, where 4·Σr is 1
    factor = 1.0 / (1 - (1e-6 / 100) ** (1 / 399))
    assert found.steepest == pytest.approx(1 / (4 * factor), rel=0.4)
    assert found.suggestion == float(f"{found.rates[found.smooth.argmin()] / 10:.1e}")


def test_the_costs_are_those_of_a_run_with_these_rates() -> None:
    found, state = _found(160, most=0.1, steps=50), plan(_line(), Settings(hidden=(), l2=0.0, batch_size=160)).state
    w, b = float(state.parameters.w[1][0, 0]), 0.0
    x, y = state.X[:, 0].astype(np.float64), state.Y[:, 0].astype(np.float64)
    expected = [float(((w * x + b - y) ** 2).mean())]
    for rate in found.rates:
        error = w * x + b - y
        w, b = w - rate * 2 * float((error * x).mean()), b - rate * 2 * float(error.mean())
        expected.append(float(((w * x + b - y) ** 2).mean()))
    # 50 steps in float32
    assert [found.first_cost, *found.costs] == pytest.approx(expected, rel=1e-4)
    assert found.rates == pytest.approx(np.geomspace(1e-6, 0.1, 50), rel=1e-12)
    assert found.exploded is None
    assert "does not explode up to 0.1, so try larger ones, too" in found.reason


def test_a_suggestion_is_a_tenth_of_where_the_cost_is_lowest() -> None:
    rates, costs = np.geomspace(0.01, 1, 50), np.linspace(5, 1, 50)
    found = RangeTest(5.0, rates, costs, costs, steepest=0.5, exploded=1.2, interrupted=False)
    assert (found.lowest, found.suggestion) == (pytest.approx(1), 0.1)
    assert found.reason == (
        "a tenth of 1, where the cost is lowest; it falls fastest at 0.5, and explodes at 1.2. Try some around it, too"
    )
    assert found.json()["lowest"] == found.lowest


@pytest.mark.parametrize(("name", "plain"), [("adam", 0.001), ("sgd", 0.01)])
def test_training_at_the_suggestion_learns_a_small_table(name: str, plain: float) -> None:
    pytest.importorskip("sklearn")
    table = read_table("iris")
    rate = find_lr(table, Settings(optimizer=Optimizer(name))).suggestion
    assert rate is not None
    suggested, other = (
        train(table, Settings(optimizer=Optimizer(name, lr), epochs=20)).history.costs[-1] for lr in (rate, plain)
    )
    assert suggested < other


def test_a_cost_that_never_falls_gives_no_suggestion() -> None:
    table = Table("hopeless", {"x": np.zeros(50), "y": np.zeros(50)}, target=("y",))
    found = find_lr(table, Settings(hidden=(), l2=0.0, task="numbers"))
    assert (found.suggestion, found.steepest) == (None, None)
    assert "no suggestion: the cost falls at no rate" in found.text()
    assert found.json()["suggestion"] is None


def test_training_at_the_suggestion_learns_digits() -> None:
    table = read_table("digits")
    for name in ("sgd", "adam"):  # one with steps as long as the gradient, one without
        settings = Settings(hidden=(32,), epochs=5, optimizer=Optimizer(name))
        rate = find_lr(table, settings).suggestion
        assert rate is not None
        trained = plan(table, Settings(hidden=(32,), epochs=5, optimizer=Optimizer(name, rate))).train()
        assert (trained.test_score or 0) > 0.9


def test_the_same_settings_give_the_same_figures() -> None:
    first, again = (find_lr(read_table("digits"), Settings(hidden=(8,), seed=3), steps=30) for _ in range(2))
    assert first.costs.tolist() == again.costs.tolist()


def test_a_table_fits_a_terminal_and_marks_what_was_found() -> None:
    text = _found(most=100.0, steps=400).text()
    assert max(width(line) for line in text.splitlines()) <= 80
    assert "before any step" in text.splitlines()[1]
    assert text.count("falls fastest") == 2
    assert text.count("explodes") == 2
    assert str(_found(most=100.0, steps=400)) == text


def test_a_picture_shows_it(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    _found(most=100.0, steps=400).plot(tmp_path / "p.svg", "a line")
    assert "a line" in (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert "<svg" in _found(most=100.0, steps=400)._repr_html_()  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(FileError, match="unknown kind of picture"):
        _found(most=100.0, steps=400).plot(tmp_path / "p.bmp")


def test_ctrl_c_ends_it_with_what_is_known() -> None:
    def press(done: int, steps: int) -> None:
        if done == 30:
            signal.raise_signal(signal.SIGINT)

    found = find_lr(_line(), Settings(hidden=()), watch=press)
    assert found.interrupted
    assert len(found.rates) == 30
    assert found.suggestion is None
    assert "no suggestion: interrupted at" in found.text()
    assert found.json()["suggestion"] is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"least": 0}, "least: 0 is not a learning rate, a number above 0"),
        ({"least": "small"}, "least: 'small' is not"),
        ({"least": 1.0, "most": 1.0}, "most: 1.0 is not a learning rate above the least, 1"),
        ({"most": float("inf")}, "most: inf is not"),
        ({"steps": 19}, "steps: 19 is not a whole number of at least 20"),
        ({"steps": 50.5}, "steps: 50.5 is not"),
    ],
)
def test_a_range_that_is_none_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        find_lr(_line(), **changes)
    assert str(refusal.value).startswith(says)


def test_a_cost_that_is_infinite_from_the_start_is_an_error() -> None:
    table = Table("huge", {"x": np.linspace(1e37, 3e38, 50), "y": np.arange(50.0)}, target=("y",))
    with pytest.raises(DivergenceError, match=r"before any step\. Scale the inputs"):
        find_lr(table, Settings(standardise=False, hidden=(4,)))


def test_a_table_without_a_target_is_refused() -> None:
    with pytest.raises(DataError, match="which column is to be predicted"):
        find_lr(Table("t", {"x": np.zeros(30), "y": np.zeros(30)}))


# the command ---------------------------------------------------------------------------------------


def test_the_command_says_what_the_function_finds(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "p.png"
    options = ("--hidden", "8", "--optimizer", "momentum", "--momentum", "0.8", "--steps", "100")
    result = call("find-lr", "digits", *options, "--plot", str(picture), "--json")
    assert result.code == 0
    found = find_lr(
        read_table("digits"), Settings(hidden=(8,), optimizer=Optimizer("momentum", momentum=0.8)), steps=100
    )
    assert json.loads(result.stdout) == found.json()
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"saved {picture}" in result.stderr
    assert call("find-lr", "digits", *options).stdout == found.text() + "\n"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("nowhere.csv",), "nowhere.csv"),
        (("digits", "--most", "0"), "most: 0.0 is not a learning rate above the least, 1e-06"),
        (("digits", "--steps", "x"), "'x' is not a valid integer"),
        (("digits", "--lr", "0.1"), "No such option"),
        (("digits", "--plot", "p.bmp"), "unknown kind of picture"),
    ],
)
def test_the_command_refuses_bad_input(argv: tuple[str, ...], says: str) -> None:
    result = call("find-lr", *argv)
    assert result.code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
