"""A history tells every epoch of a run, and tells the same in every form."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from chainrule import Model, Network, ParameterVector, load_model, save_model
from chainrule.errors import FileError, InputError
from chainrule.render.text import width
from chainrule.training.history import SHOWN_EPOCHS, Epoch, History

Array = NDArray[Any]


def _history(n: int = 40, layers: int = 3, *, validated: bool = True, best: int | None = 17) -> History:
    epochs = np.arange(1, n + 1)
    falling = 2.0 ** -np.minimum(epochs, 30)
    return History(
        steps=7 * epochs,
        seconds=epochs / 64,
        lrs=np.full(n, 0.125),
        costs=falling,
        validation_costs=0.25 + falling if validated else None,
        metrics={"accuracy": 1 - falling} if validated else {},
        gradient_norms=np.outer(falling, np.arange(1, layers + 1)) if layers else None,
        best_epoch=best,
    )


def _model(training: dict[str, Any]) -> Model:
    return Model(ParameterVector.zeros(Network((1, 1), "identity", "squared-error")), training=training)


def test_an_epoch_has_the_figures_of_its_place() -> None:
    history = _history()
    fifth = Epoch(5, 35, 5 / 64, 0.125, 1 / 32, 0.25 + 1 / 32, {"accuracy": 1 - 1 / 32}, (1 / 32, 2 / 32, 3 / 32))
    assert history[4] == fifth == list(history)[4] == history[-36]
    assert len(history) == len(list(history)) == 40
    with pytest.raises(IndexError):
        history[40]
    with pytest.raises(IndexError):
        history[-41]


def test_a_record_names_a_metric_by_itself_and_leaves_out_what_is_not_there() -> None:
    assert _history()[0].json() == {
        "epoch": 1, "step": 7, "seconds": 1 / 64, "lr": 0.125, "cost": 0.5, "validation_cost": 0.75, "accuracy": 0.5,
        "gradient_norms": [0.5, 1.0, 1.5],
    }  # fmt: skip
    bare = _history(layers=0, validated=False)[0].json()
    assert bare == {"epoch": 1, "step": 7, "seconds": 1 / 64, "lr": 0.125, "cost": 0.5}


@pytest.mark.parametrize("n", [1, 2, SHOWN_EPOCHS, SHOWN_EPOCHS + 1, 3000])
@pytest.mark.parametrize("layers", [0, 1, 3, 40])
def test_a_table_fits_a_terminal_and_has_the_first_the_last_and_the_best_epoch(n: int, layers: int) -> None:
    best = max(1, n - 2)
    lines = _history(n, layers, best=best).text().splitlines()
    assert max(width(line) for line in lines) <= 80
    assert len(lines) - 1 <= SHOWN_EPOCHS + 1
    shown = [line for line in lines[1:] if line.split()[0] != "…"]
    assert len({len(line) for line in (lines[0], *shown)}) == 1 or n == 1
    starts = [line.lstrip("* ").split()[0] for line in shown]
    assert {"1", str(n), str(best)} <= set(starts)
    assert starts == sorted(set(starts), key=int)
    assert [start for start, line in zip(starts, shown, strict=True) if line.startswith("*")] == [str(best)]
    assert ("‖∇1‖" in lines[0]) == (f"‖∇{layers}‖" in lines[0]) == (layers > 0)


def test_a_table_has_a_sign_where_epochs_are_left_out() -> None:
    for n in (SHOWN_EPOCHS, 30, 100):
        rows = [line.lstrip("* ").split()[0] for line in _history(n, 0).text().splitlines()[1:]]
        assert ("…" in rows) == (n > SHOWN_EPOCHS)
        for before, row, after in zip(rows, rows[1:], rows[2:], strict=False):
            if row == "…":
                assert int(after) - int(before) > 2
            elif before != "…":
                assert int(row) == int(before) + 1


def test_a_rate_that_is_not_known_is_neither_in_the_table_nor_in_the_picture() -> None:
    history = replace(_history(), lrs=np.full(40, np.nan))  # as L-BFGS has none
    header = history.text().splitlines()[0].split()
    assert header[:3] == ["epoch", "seconds", "cost"]
    assert "nan" not in history.text()
    pytest.importorskip("matplotlib")
    assert "learning rate" not in _labels(history.picture(".svg"))


def test_a_table_without_a_best_epoch_has_no_mark() -> None:
    text = _history(3, 0, validated=False, best=None).text()
    assert text.splitlines() == [
        "epoch  seconds     lr   cost",
        "    1     0.02  0.125    0.5",
        "    2     0.03  0.125   0.25",
        "    3     0.05  0.125  0.125",
    ]
    assert str(_history(0, 0, validated=False, best=None)) == "no epoch was finished"


def test_csv_and_json_lines_have_every_digit_of_every_epoch(tmp_path: Path) -> None:
    history = _history()
    history.csv(tmp_path / "h.csv")
    history.jsonl(tmp_path / "h.jsonl")
    with (tmp_path / "h.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    records = [json.loads(line) for line in (tmp_path / "h.jsonl").read_text(encoding="utf-8").splitlines()]
    assert records == history.json()
    for row, record in zip(rows, records, strict=True):
        norms = record.pop("gradient_norms")
        assert {name: float(x) for name, x in row.items()} == record | {
            f"gradient_norm_{l}": norm for l, norm in enumerate(norms, 1)
        }


def test_what_is_not_finite_is_nothing_in_csv_and_null_in_json() -> None:
    history = _history(2, 0, best=2)
    assert history.validation_costs is not None
    history.validation_costs[1] = np.inf
    assert history.json()[1]["validation_cost"] is None
    assert json.loads(history.jsonl_text().splitlines()[1])["validation_cost"] is None
    assert history.csv_text().splitlines()[2].split(",")[5] == ""


@pytest.mark.parametrize(
    "history",
    [_history(), _history(layers=0), _history(validated=False, best=None), _history(0, 0, validated=False, best=None)],
    ids=repr,
)
def test_a_history_is_read_again_from_a_model_file(history: History, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(_model({"costs": history.costs.tolist(), "history": history.remembered()}), path)
    again = History.of(load_model(path))
    assert again.best_epoch == history.best_epoch
    assert "seconds" not in again.text()
    for read, kept in zip(again.json(), history.json(), strict=True):
        assert kept.pop("seconds") > 0
        assert read.pop("seconds") is None
        # seven digits are kept
        assert read.pop("gradient_norms", []) == pytest.approx(kept.pop("gradient_norms", []), rel=1e-6)
        assert read == pytest.approx(kept, rel=1e-6)


def test_infinity_is_kept_as_what_is_no_number(tmp_path: Path) -> None:
    history = _history(3, 0, best=2)
    assert history.validation_costs is not None
    history.validation_costs[:] = [1.0, np.inf, np.nan]
    path = tmp_path / "m.safetensors"
    save_model(_model({"costs": history.costs.tolist(), "history": history.remembered()}), path)
    assert [epoch.json()["validation_cost"] for epoch in History.of(load_model(path))] == [1.0, None, None]


GOOD: dict[str, Any] = {"steps_per_epoch": 3, "lrs": 0.1}


NONSENSE: list[dict[str, Any]] = [
    {},
    {"costs": [1, 2]},
    {"history": GOOD},
    {"costs": [1, 2, 3], "history": GOOD | {"lrs": [0.1, 0.2]}},
    {"costs": [1, 2], "history": []},
    {"costs": [1, 2], "history": GOOD | {"steps_per_epoch": "many"}},
    {"costs": [1, 2], "history": GOOD | {"lrs": [0.1, {}]}},
    {"costs": [1, 2], "history": GOOD | {"lrs": [0.1, 10**400]}},
    {"costs": [1, 2], "history": GOOD | {"best_epoch": 3}},
    {"costs": [1, 2], "history": GOOD | {"best_epoch": "first"}},
    {"costs": [1, 2], "history": GOOD | {"metrics": [1, 2]}},
    {"costs": [1, 2], "history": GOOD | {"gradient_norms": []}},
    {"costs": [1, 2], "history": GOOD | {"gradient_norms": [[1, 2], [1]]}},
]


@pytest.mark.parametrize("training", NONSENSE)
def test_a_model_that_remembers_none_or_nonsense_is_refused(training: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="this model remembers no history"):
        History.of(_model(training))


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InputError, match="model: 3 is not a Model"):
        History.of(3)  # pyright: ignore[reportArgumentType]


# pictures ------------------------------------------------------------------------------------------


def _labels(svg: bytes) -> str:
    return ElementTree.fromstring(svg).findtext(".//{http://purl.org/dc/elements/1.1/}description") or ""


@pytest.mark.parametrize(("kind", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_picture_has_a_title_and_a_curve_for_all_that_was_measured(kind: str, start: bytes, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"p{kind}"
    _history().plot(path, "waves")
    assert path.read_bytes().startswith(start)
    assert b"waves" in path.read_bytes()


def test_a_picture_says_which_curves_it_has() -> None:
    pytest.importorskip("matplotlib")
    told = _labels(_history().picture(".svg"))
    assert "By epoch, 1 to 40: mean cost C (training, validation), accuracy (validation), ‖" in told
    assert "(layer 1, layer 2, layer 3)" in told
    bare = _labels(_history(1, 0, validated=False, best=None).picture(".svg"))
    assert bare.endswith("mean cost C (training)")


def test_a_picture_has_the_learning_rate_where_it_changes_and_with_all_its_digits() -> None:
    pytest.importorskip("matplotlib")
    lrs = 0.125 + 1e-7 * np.arange(40)
    assert "learning rate (learning rate)" in _labels(replace(_history(), lrs=lrs).picture(".svg"))
    drawn = replace(_history(), lrs=lrs).picture(".svg").decode()
    assert re.search(r"<!-- 0\.12500\d+ -->", drawn), re.findall("<!-- .* -->", drawn)


def test_a_picture_of_a_diverging_run_leaves_out_what_is_not_finite() -> None:
    pytest.importorskip("matplotlib")
    history = _history()
    history.costs[3:] = np.nan
    assert history.validation_costs is not None
    history.validation_costs[:] = -np.inf
    assert history.picture(".png").startswith(b"\x89PNG")


def _dotted(history: History, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], Any]:
    """The dots of the best epoch, and the axes they would be on."""
    from chainrule.render import plot

    figures: list[Any] = []
    monkeypatch.setattr(plot, "_saved", lambda figure, *_: figures.append(figure) or b"")  # pyright: ignore
    history.picture(".svg")
    axes = figures[0].axes[0]
    return [line for line in axes.get_lines() if line.get_marker() == "o"], axes


def test_the_best_epoch_has_a_dot_where_its_cost_is_the_least_and_a_name_always(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("matplotlib")
    history = _history(4, 0, best=2)
    for costs, dots in (([4.0, 1.0, 2.0, 3.0], 1), ([4.0, 2.0, 1.0, 3.0], 0)):
        drawn, axes = _dotted(replace(history, validation_costs=np.array(costs)), monkeypatch)
        assert len(drawn) == dots
        assert axes.get_legend_handles_labels()[1][-1] == "best: epoch 2"


def test_a_cost_axis_within_a_decade_has_plain_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    history = replace(_history(3, 0, validated=False, best=None), costs=np.array([0.9, 0.86, 0.83]))
    _, axes = _dotted(history, monkeypatch)
    axes.figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_yticklabels(which="both")]
    assert "0.84" in labels
    assert not any("10" in label for label in labels)


def test_a_notebook_shows_the_picture_and_the_table() -> None:
    pytest.importorskip("matplotlib")
    shown = _history()._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert shown.count("<svg") == shown.count("</svg>") == 1
    assert "<pre>   epoch  seconds" in shown


@pytest.mark.parametrize("name", ["p.bmp", "p", ""])
def test_a_kind_of_picture_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises((FileError, InputError)):
        _history().plot(name)


def test_no_epoch_is_no_picture() -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(InputError, match="history: no epoch was finished"):
        _history(0, 0, validated=False, best=None).picture(".svg")
