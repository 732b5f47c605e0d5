"""A report chooses what it shows by the numbers, and is nothing at all where it is asked for what does not exist."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input.calls import call
from given import GOLDENS, random_problem

from chainrule import Examples, Model, explain, gradient
from chainrule.errors import ChainruleError, InputError, NotationError
from chainrule.insight.gradient import example_gradients
from chainrule.insight.html_report import report

PROBLEMS: dict[str, tuple[Model, Examples]] = {
    "weighted": random_problem(1, (3, 4, 3, 2), "tanh", "squared-error", n=9, weighted=True),
    "softmax": random_problem(2, (2, 5, 4), ("sigmoid", "softmax"), "cross-entropy", n=12, l2=0.05),
    "one layer": random_problem(3, (3, 1), "identity", "huber", n=5, l1=0.1),
}
each_problem = pytest.mark.parametrize("name", PROBLEMS)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        *((name, None) for name in PROBLEMS),
        ("weighted", 1),
        ("softmax", 1),
    ],
)
def test_without_targets_it_is_on_the_weight_of_each_layer_with_the_largest_derivative(
    name: str, example: int | None
) -> None:
    model, examples = PROBLEMS[name]
    explanations = report(model, examples, example=example).explanations
    arrays = gradient(model, examples, example)[1].w
    assert len(explanations) == model.network.depth
    for l, e in enumerate(explanations, 1):
        assert e.wrt.startswith(f"w{l}[")
        assert abs(e.value) == pytest.approx(float(np.abs(arrays[l]).max()), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "of", "layers"),
    [("weighted", "a2[1]", 2), ("weighted", "z1[3]", 1), ("softmax", "a2[0]", 2), ("softmax", "C[4]", 2)],
)
def test_without_targets_it_is_on_the_largest_derivatives_of_what_is_asked(name: str, of: str, layers: int) -> None:
    model, examples = PROBLEMS[name]
    explanations = report(model, examples, of=of).explanations
    assert [e.wrt.partition("[")[0] for e in explanations] == [f"w{l}" for l in range(1, layers + 1)]
    for l, e in enumerate(explanations, 1):
        each = [
            explain(model, examples, f"w{l}[{j},{k}]", of=of).value for j, k in np.ndindex(model.parameters.w[l].shape)
        ]
        assert e.of == of
        assert abs(e.value) == pytest.approx(max(map(abs, each)), rel=1e-12)


def test_on_an_input_it_says_that_no_weight_has_an_influence() -> None:
    (only,) = report(*PROBLEMS["weighted"], of="a0[1]").explanations
    assert (only.value, only.factors) == (0, ())
    assert {f.meaning for c in only.examples for f in c.factors} == {"what comes after has no influence"}


@each_problem
def test_the_single_example_is_the_one_that_counts_the_most(name: str) -> None:
    model, examples = PROBLEMS[name]
    made = report(model, examples)
    weights = np.ones(len(examples)) if examples.weights is None else examples.weights
    assert made.singles.keys() == {e.wrt for e in made.explanations}
    for e in made.explanations:
        most = int(np.abs(weights * example_gradients(model, examples, e.wrt)).argmax())
        assert made.singles[e.wrt].of == f"C[{most}]"
        assert made.singles[e.wrt] == explain(model, examples, e.wrt, most, depth=2)


def test_one_example_needs_no_single_and_targets_are_shown_in_their_order() -> None:
    model, examples = PROBLEMS["weighted"]
    made = report(model, examples, ["b2[1]", "w1.0.0", "x.2"], example=3, title="Three")
    assert [e.wrt for e in made.explanations] == ["b2[1]", "w1[0,0]", "x[2]"]
    assert made.singles == {}
    assert "<h1><bdi>Three</bdi></h1>" in made.html()
    for e in made.explanations:
        anchor = "".join(c if c.isalnum() else "-" for c in f"{e.of}-{e.wrt}").strip("-")
        assert f'href="#{anchor}"' in made.html()
        assert made.html().count(f'id="{anchor}"') == 1


BAD: dict[str, tuple[dict[str, Any], type[ChainruleError], str]] = {
    "unknown target": ({"targets": ["w9.0.0"]}, NotationError, "there is no w in layer 9"),
    "second target": ({"targets": ["w1.0.0", "q"]}, NotationError, "is not the name of"),
    "unknown node": ({"of": "a9.0"}, NotationError, "there is no a in layer 9"),
    "title is a number": ({"title": 3}, InputError, "title"),
    "no title": ({"title": None}, InputError, "title"),
    "depth": ({"depth": -1}, InputError, "depth"),
    "example": ({"example": 99}, InputError, "there are 9 examples"),
    "targets is a number": ({"targets": 5}, InputError, "targets"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_does_not_exist_is_refused(what: str) -> None:
    arguments, kind, message = BAD[what]
    with pytest.raises(kind, match=message):
        report(*PROBLEMS["weighted"], **arguments)


def test_nothing_is_written_where_the_command_line_refuses(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    refused = call("report", str(GOLDENS["mazur"]), "w1.0.0", "w7.0.0", "--out", str(out))
    assert refused.code == 2
    assert "w7" in refused.stderr
    assert not [*tmp_path.iterdir()]
    assert call("report", str(GOLDENS["mazur"]), "w1.0.0", "--out", str(out)).code == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
