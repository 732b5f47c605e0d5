"""Of a model that standardises its columns: what X and Y are, and which other columns a gradient would be right for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input.calls import call
from bad_input.files import npz

import chainrule as cr
from chainrule.calculus.gradient import gradient
from chainrule.testing import assert_gradient

Array = np.ndarray[Any, Any]

RAW = "right for the raw columns; this model standardises them"
OWN = "right for columns that are standardised over these examples"
RAW_TARGETS = "right for raw targets; this model standardises its targets"


@pytest.fixture
def houses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[cr.Model, cr.Table]:
    """A model trained on three columns, one of them text, for a number."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    rows = [
        f"{random.uniform(30, 200):.1f},{random.uniform(0, 40):.2f},{random.choice(['a', 'b'])},"
        f"{random.uniform(1e5, 1e6):.0f}"
        for _ in range(40)
    ]
    Path("houses.csv").write_text("\n".join(["size,age,kind,price", *rows, ""]))
    table = cr.read_table("houses.csv")
    settings = cr.Settings(hidden=(4,), activation=("tanh",), target=("price",), epochs=2, l2=0.0)
    return cr.train(table, settings).model, table


def given(model: cr.Model, X: Array, Y: Array) -> dict[str, Array]:
    return dict(gradient(model.reading().parameters, X, Y)[1].arrays())


def columns(model: cr.Model, table: cr.Table) -> tuple[Array, Array]:
    """Raw inputs and raw targets."""
    assert model.inputs is not None
    return model.inputs.encode(table), table.numbers("price")[:, None]


def test_examples_are_taken_as_they_are_made(houses: tuple[cr.Model, cr.Table]) -> None:
    model, table = houses
    examples = model.examples_of(table)
    right = given(model, examples.a0, examples.Y)
    assert cr.check(model, examples, right)
    assert assert_gradient(model, examples, right).ok
    raw, _ = columns(model, table)
    assert cr.check(model, raw, examples.Y, right)
    with pytest.raises(AssertionError, match="sign"):
        assert_gradient(model, examples, {name: -array for name, array in right.items()})


def test_a_gradient_on_raw_columns_is_said_to_be_right_for_them(houses: tuple[cr.Model, cr.Table]) -> None:
    model, table = houses
    examples = model.examples_of(table)
    raw, prices = columns(model, table)
    assert model.target is not None
    numeric = np.array([True, True, False, False])
    own = np.where(numeric, (raw - raw.mean(axis=0)) / raw.std(axis=0), raw)

    def notes(X: Array, Y: Array) -> str:
        verdict = cr.check(model, examples, given(model, X, Y))
        assert not verdict
        return " | ".join(note for note in verdict.notes if note.startswith("right for "))

    assert notes(raw, examples.Y).startswith(RAW)
    assert notes(own, examples.Y).startswith(OWN)
    assert notes(examples.a0, prices).startswith(RAW_TARGETS)
    assert notes(raw, prices).startswith(RAW)
    assert RAW_TARGETS in notes(raw, prices)
    assert notes(examples.a0 + 0.1, examples.Y) == ""


def test_raw_targets_beside_a_gradient_of_standardised_ones_are_told(houses: tuple[cr.Model, cr.Table]) -> None:
    model, table = houses
    examples = model.examples_of(table)
    raw, prices = columns(model, table)
    verdict = cr.check(model, raw, prices, given(model, examples.a0, examples.Y))
    assert any(note.startswith("right for targets that are standardised, and Y is raw") for note in verdict.notes)


def test_inputs_that_are_scaled_already_are_scaled_twice(houses: tuple[cr.Model, cr.Table]) -> None:
    model, table = houses
    examples = model.examples_of(table)
    verdict = cr.check(model, examples.a0, examples.Y, given(model, examples.a0, examples.Y))
    assert any(note.startswith(RAW) for note in verdict.notes)


def test_the_command_tells_it_too(houses: tuple[cr.Model, cr.Table]) -> None:
    model, table = houses
    examples = model.examples_of(table)
    cr.save_model(model, "m.safetensors")
    Path("mine.npz").write_bytes(npz(False, **given(model, columns(model, table)[0], examples.Y)))
    said = call("check", "m.safetensors", "mine.npz", "--data", "houses.csv")
    assert said.code == 1
    assert RAW in " ".join(said.stdout.split())


def test_a_model_that_scales_nothing_gets_no_remark() -> None:
    network = cr.Network([2, 2], "tanh", "squared-error")
    model = cr.Model(cr.ParameterVector(network, np.linspace(-1, 1, network.n_parameters)))
    X, Y = np.array([[0.3, 0.7], [1.5, -0.2]]), np.zeros((2, 2))
    verdict = cr.check(model, X, Y, given(model, X * 2, Y))
    assert not verdict
    assert not any(note.startswith("right for ") for note in verdict.notes)
