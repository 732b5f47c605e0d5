"""Schedules are the formulas of their papers, per step, and depend on nothing but the step's number."""

from math import cos, pi
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Schedule
from chainrule.errors import InputError
from chainrule.training.schedule import NAMES

EPS = float(np.finfo(np.float64).eps)


def _by_hand(schedule: Schedule, step: int) -> float:
    """At rate 0.1, 4 steps an epoch, 25 epochs: written without arrays."""
    warm_up = int(schedule.warm_up * 4)
    t, T = step - warm_up, 100 - warm_up
    if step < warm_up:
        return 0.1 * (step + 1) / warm_up
    match schedule.name:
        case "step":
            share = schedule.factor ** int(step / 4 / schedule.every)
        case "cosine":
            share = schedule.least + (1 - schedule.least) * (1 + cos(pi * t / T)) / 2
        case "one-cycle" if t < schedule.rise * T:
            share = 0.1 + 0.9 * t / (schedule.rise * T)
        case "one-cycle":
            fallen = (t - schedule.rise * T) / (T - schedule.rise * T)
            share = schedule.least + (1 - schedule.least) * (1 + cos(pi * fallen)) / 2
        case "inverse":
            share = 1 / (1 + step / 4) ** schedule.power
        case _:
            share = 1.0
    return 0.1 * share


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("warm_up", [0, 2.5])
def test_every_step_has_the_rate_of_the_formula(name: str, warm_up: float) -> None:
    if name == "one-cycle" and warm_up:
        return
    schedule = Schedule(name, warm_up, factor=0.3, every=6, least=0.01, power=0.7)
    expected = [_by_hand(schedule, step) for step in range(100)]
    # a dozen operations each
    assert schedule.rates(0.1, 4, 25)(0, 100) == pytest.approx(expected, rel=24 * EPS, abs=24 * EPS)


@given(st.sampled_from(NAMES), st.integers(0, 120), st.integers(0, 9))
def test_rates_do_not_depend_on_how_they_are_asked_for(name: str, first: int, n: int) -> None:
    rates = Schedule(name).rates(0.1, 4, 25)
    rates.after_epoch(4, 1.0)
    assert rates(first, n).tolist() == [float(rates(step, 1)[0]) for step in range(first, first + n)]
    assert rates(first, n).dtype == np.float64


def test_a_cycle_rises_to_the_rate_and_falls_to_its_end() -> None:
    rates = Schedule("one-cycle", rise=0.25, least=0.001).rates(2.0, 10, 10)(0, 100)
    assert rates[0] == pytest.approx(0.2, rel=4 * EPS)
    assert rates.argmax() == 25
    assert rates[25] == 2.0
    assert (np.diff(rates[:26]) > 0).all()
    assert (np.diff(rates[25:]) < 0).all()
    assert 0.002 < rates[99] < 0.004


@pytest.mark.parametrize("name", ["cosine", "one-cycle"])
def test_beyond_the_last_step_its_rate_stays(name: str) -> None:
    rates = Schedule(name).rates(1.0, 2, 5)(0, 16)
    assert set(rates[10:]) == {rates[9]}
    assert 0 < rates[9] < rates[8]


def test_a_rate_is_never_0() -> None:
    assert (Schedule("step", factor=1e-9, every=1).rates(1.0, 1, 100)(0, 100) > 0).all()


def test_a_plateau_makes_the_rate_smaller_after_patience_runs_out_and_begins_to_count_again() -> None:
    rates = Schedule("plateau", patience=2, factor=0.5, least=0.2).rates(1.0, 10, 10)
    figures = [5.0, 4.0, 4.0, 4.0, 3.9, float("nan"), 3.9, 4.0, 4.0, 4.0]
    after: list[float] = []
    for epoch, figure in enumerate(figures, 1):
        rates.after_epoch(10 * epoch, figure)
        after.append(float(rates(10 * epoch, 1)[0]))
    assert after == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2]
    # what was decided stays: the steps made before can be made again
    assert rates(0, 100).tolist() == [1.0] * 40 + [0.5] * 30 + [0.25] * 20 + [0.2] * 10


def test_only_a_plateau_heeds_the_figures() -> None:
    for name in NAMES:
        told, untold = (Schedule(name, patience=1).rates(1.0, 10, 10) for _ in range(2))
        for epoch in range(1, 10):
            told.after_epoch(10 * epoch, 1.0)
        assert (told(0, 100).tolist() == untold(0, 100).tolist()) == (name != "plateau")


@pytest.mark.parametrize(
    ("constants", "says"),
    [
        ({"name": "cosin"}, "schedule: 'cosin' is not known. Did you mean 'cosine'?"),
        ({"warm_up": -1}, "warm-up: -1 is not a number of epochs, 0 or more"),
        ({"warm_up": float("nan")}, "warm-up: nan is not"),
        ({"factor": 1.0}, "factor: 1.0 is not a number above 0 and below 1"),
        ({"factor": "a"}, "factor: 'a' is not"),
        ({"every": 0}, "every: 0 is not a number of epochs above 0"),
        ({"patience": 0}, "patience: 0 is not a whole number of epochs, at least 1"),
        ({"patience": 2.5}, "patience: 2.5 is not"),
        ({"least": 1}, "least: 1 is not a share of the learning rate"),
        ({"rise": 0}, "rise: 0 is not a share of the steps"),
        ({"power": -0.5}, "power: -0.5 is not a number above 0"),
        ({"name": "one-cycle", "warm_up": 1}, "warm-up: a one-cycle schedule has its own"),
    ],
)
def test_bad_constants_are_refused(constants: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        Schedule(**constants)
    assert str(refusal.value).startswith(says)


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ((0.0, 4, 25), "lr: 0.0 is not"),
        ((0.1, 0, 25), "steps per epoch: 0 is not"),
        ((0.1, 4, 0), "epochs: 0 is not"),
        ((0.1, 4, 3), "warm-up: 3 is not less than the 3 epochs of the training"),
    ],
)
def test_a_run_that_cannot_be_is_refused(run: tuple[float, int, int], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        Schedule(warm_up=3).rates(*run)
    assert str(refusal.value).startswith(says)
