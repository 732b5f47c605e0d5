"""`chainrule check` where less than a gradient is known, and `--design`."""

import json
from pathlib import Path

import pytest
from bad_input.calls import assert_refused, call
from given import GOLDENS

import chainrule as cr

MAZUR = str(GOLDENS["mazur"])
STEP = (MAZUR, "--lr", "0.5", "--freeze", "b")
PUBLISHED = (
    "w1 = [[0.149780716, 0.19956143], [0.24975114, 0.29950229]]\n"
    "w2 = [[0.35891648, 0.408666186], [0.51130127, 0.561370121]]\n"
)
ROOT = Path(__file__).resolve().parent.parent


def test_one_number_names_the_mistake_of_a_published_exercise() -> None:
    said = call("check", *STEP, "--next-cost", "0.291027924")
    assert (said.code, said.stderr) == (1, "")
    assert said.stdout.startswith("wrong: updated-weights")
    said = call("check", *STEP, "--next-cost", "0.291027924", "--json")
    record = json.loads(said.stdout)
    assert (said.code, record["ok"]) == (1, False)
    assert record["findings"][0]["bug"] == "updated-weights"


def test_the_right_cost_ends_with_0() -> None:
    assert call("check", *STEP, "--next-cost", "0.29102777369359933").code == 0


def test_the_parameters_after_a_step(tmp_path: Path) -> None:
    after = tmp_path / "after.toml"
    after.write_text(PUBLISHED)
    assert call("check", *STEP, "--next-parameters", str(after)).code == 0
    after.write_text(PUBLISHED.replace("0.35891648", "0.35991648"))
    said = call("check", *STEP, "--next-parameters", str(after))
    assert said.code == 1
    assert "w2[0,0]" in said.stdout


def test_one_example_by_itself() -> None:
    assert call("check", *STEP, "--next-cost", "0.29102777369359933", "--example", "0").code == 0


def test_a_design_is_proposed_where_two_mistakes_explain_it() -> None:
    given = str(ROOT / "docs" / "mazur-another.json")
    said = call("check", MAZUR, given, "--design")
    assert said.code == 1
    assert "[[examples]]" in said.stdout
    said = call("check", MAZUR, given, "--design", "--json")
    assert json.loads(said.stdout)["design"]["x"]
    said = call("check", MAZUR, str(ROOT / "docs" / "mazur-mine.json"), "--design", "--json")
    assert json.loads(said.stdout)["design"] is None


def test_no_design_is_spoken_of_where_nothing_is_wrong_and_no_explanation_where_there_is_none(tmp_path: Path) -> None:
    problem = cr.load_problem(MAZUR)
    right = cr.gradient(problem.model, problem.examples)[1].arrays()
    given = tmp_path / "given.json"
    given.write_text(json.dumps({name: array.tolist() for name, array in right.items()}))
    said = call("check", MAZUR, str(given), "--design")
    assert (said.code, "apart" in said.stdout) == (0, False)
    given.write_text(json.dumps({name: (array + 0.5).tolist() for name, array in right.items()}))
    said = call("check", MAZUR, str(given), "--design")
    assert said.code == 1
    assert said.stdout.endswith("\nno explanation: there is nothing to tell apart\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--next-cost", "0.291027924"), ("--next-cost needs the learning rate", "--lr")),
        ((), ("Missing argument", "GRADIENTS")),
        (("--lr", "0.5"), ("--lr and --freeze are for a step", "--next-cost, or --next-parameters")),
        (("--freeze", "b"), ("--lr and --freeze are for a step", "--next-cost, or --next-parameters")),
        (("--lr", "0", "--next-cost", "0.291027924"), ("lr: 0.0",)),
        (("--lr", "0.5", "--next-cost", "0.29"), ("too few",)),
        (("--lr", "0.5", "--next-cost", "much"), ("next cost: 'much'",)),
        (("--lr", "0.5", "--next-cost", "0.291027924", "--freeze", "b7"), ("freeze: 'b7'",)),
        (("--lr", "0.5", "--next-cost", "0.291027924", "--design"), ("--design",)),
        (("--lr", "0.5", "--next-cost", "0.291027924", "--precision", "float32"), ("--precision",)),
        (("--lr", "0.5", "--next-cost", "0.291", "--next-parameters", "x.json"), ("two questions",)),
        (("--lr", "0.5", "--next-parameters", "missing.json"), ("missing.json: cannot be read",)),
        ((str(ROOT / "docs" / "mazur-mine.json"), "--lr", "0.5"), ("--lr and --freeze are for a step",)),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_refused(call("check", MAZUR, *arguments), words)
