"""Each puzzle is what it says: one wrong line, the mistake that is named, and everything else right."""

import json
from typing import Any

import numpy as np
import pytest
from bad_input.calls import assert_clear, assert_refused, call

import chainrule
from chainrule import Model, ParameterVector, Puzzle, check, puzzle
from chainrule.checking.mistake import catalogue
from chainrule.checking.puzzle import LEVELS, kinds, verdict_of
from chainrule.checking.puzzles.numbers import Draw, Numbers
from chainrule.checking.puzzles.teaching import TEACHING
from chainrule.errors import InputError
from chainrule.render.text import fit_encoding

MOST_LINES = 16
SEEDS = {level: range(len(kinds(level))) for level in range(1, LEVELS + 1)}
EVERY = [(seed, level) for level, seeds in SEEDS.items() for seed in seeds]


def _ran(code: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    return namespace


def _judged(made: Puzzle, code: str) -> chainrule.Verdict:
    """The verdict on a program's gradient, from the numbers that the program itself begins with."""
    numbers = _ran("\n".join(made.code.splitlines()[: made.first - 1]))
    network = made.program.network
    names = [f"{letter}{l}" for l in network.layers for letter in "wb"]
    model = Model(ParameterVector.from_arrays(network, {name: numbers[name] for name in names}))
    Y = numbers["Y"] if "Y" in numbers else np.eye(network.sizes[-1])[numbers["labels"]]
    after = _ran(code)
    return check(model, numbers["X"], Y, {name: after[f"d{name}"] for name in names}, numbers.get("s"))


def _assert_puzzle(made: Puzzle) -> None:
    code, right = made.code.splitlines(), made.right.splitlines()
    assert len(code) == len(right) <= MOST_LINES
    assert [at for at, (is_, should) in enumerate(zip(code, right, strict=True), 1) if is_ != should] == [made.line]
    assert (made.wrong, made.answer) == (code[made.line - 1].strip(), right[made.line - 1].strip())
    assert made.first <= made.line
    assert _judged(made, made.right).ok
    verdict = _judged(made, made.code)
    assert [finding.bug for finding in verdict.findings] == [made.bug]
    assert verdict.wrong == made.verdict.wrong
    for level in range(4):
        text = made.text(level, answer=level == 3)
        assert max(map(len, text.splitlines())) <= 80, text
        assert "{" not in text.replace("\n".join(code), "")


@pytest.mark.parametrize(("seed", "level"), EVERY)
def test_each_mistake_of_a_level_is_a_puzzle_whose_one_wrong_line_the_checker_names(seed: int, level: int) -> None:
    _assert_puzzle(puzzle(seed, level))


@pytest.mark.parametrize("level", SEEDS)
def test_so_are_further_seeds(level: int, request: pytest.FixtureRequest) -> None:
    """As many as --networks says, 300 by default, is a round or a few of each level."""
    networks = int(request.config.getoption("--networks") or 0)
    for seed in range(len(SEEDS[level]), networks // 5):
        _assert_puzzle(puzzle(seed, level))


@pytest.mark.parametrize("level", SEEDS)
def test_successive_seeds_go_through_every_mistake_before_one_returns(level: int) -> None:
    n = len(SEEDS[level])
    for start in (0, n):
        keys = {puzzle(seed, level).swap.key for seed in range(start, start + n)}
        assert keys == kinds(level).keys()


def test_most_of_the_catalogue_is_there() -> None:
    known = {mistake.name for mistake in catalogue()}
    bugs = {swap.bug for level in SEEDS for found in kinds(level).values() for _, swap in found}
    assert bugs <= known
    assert len(bugs) >= 45
    assert bugs == TEACHING.keys(), "what hints and answers say"


def test_each_program_can_be_drawn_with_each_of_its_mistakes() -> None:
    """Not only those that the first seeds happen to choose."""
    for level in SEEDS:
        for found in kinds(level).values():
            for program, swap in found[:: max(1, len(found) // 4)]:
                draw = Draw("each program")
                attempts = (Numbers.drawn(program, draw) for _ in range(60))
                assert any(verdict_of(program, swap, numbers) is not None for numbers in attempts), swap


def test_a_puzzle_is_the_same_every_time_and_another_by_seed_and_level() -> None:
    assert puzzle(7, 2).json() == puzzle(7, 2).json()
    codes = {puzzle(seed, level).code for seed in range(9) for level in SEEDS}
    assert len(codes) == 27
    assert puzzle().code == puzzle(0, 1).code


def test_the_first_puzzle_is_the_one_it_has_always_been() -> None:
    """Text for text, on every machine: no hash(), no generator whose stream may change."""
    made = puzzle(0, 1)
    assert (made.bug, made.line) == ("missing-slope", FIRST.count("\n", 0, FIRST.index(made.wrong)) + 1)
    assert made.code == FIRST


FIRST = """\
import numpy as np
X = np.array([[0.6, 0.8], [-1.2, 1.1], [-0.4, 0.6], [1.4, -1.3]])
Y = np.array([[0.3], [0.6], [0.9], [0.3]])
w1 = np.array([[-0.6, -1.4], [-0.8, 0.4], [-1.1, -1.1]])
w2 = np.array([[-0.8, -0.8, 0.9]])
b1, b2 = np.array([0.2, 0.3, -0.6]), np.array([-0.2])
z1 = X @ w1.T + b1
a1 = np.maximum(z1, 0)
z2 = a1 @ w2.T + b2
a2 = 1 / (1 + np.exp(-z2))
δ2 = 2 * (a2 - Y) / len(X)
dw2 = δ2.T @ a1
db2 = δ2.sum(axis=0)
δ1 = δ2 @ w2 * (z1 > 0)
dw1 = δ1.T @ X
db1 = δ1.sum(axis=0)
"""


def test_the_hints_lead_to_it_step_by_step() -> None:
    made = puzzle(0, 1)
    arrays, layer, factor = made.hints
    assert arrays == "the whole gradient comes out wrong"
    assert puzzle(1, 2).hints[0] == "dw1 and db1 come out wrong, dw2, db2, dw3 and db3 right"
    assert layer == "the mistake is in layer 2"
    assert "∂a2/∂z2" in factor
    assert made.text().count("hint") == 0
    assert made.text(2).count("hint ") == 2
    assert made.answer not in made.text(3)
    assert made.bug not in made.text(3)
    answered = made.text(answer=True)
    assert made.answer in answered
    assert made.evidence.split(";")[0][:30] in answered
    assert str(made) == made.text()
    assert repr(made) == "Puzzle(seed=0, level=1)"


def test_json_has_all_of_it() -> None:
    record = json.loads(json.dumps(puzzle(3, 3).json(), allow_nan=False))
    assert record["code"].splitlines()[record["line"] - 1].strip() == record["wrong"]
    assert len(record["hints"]) == 3
    assert record["bug"] == puzzle(3, 3).bug


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"level": 9}, ("level: 9", "from 1 to 3")),
        ({"level": 0}, ("level: 0", "from 1 to 3")),
        ({"level": "2"}, ("level: '2'", "from 1 to 3")),
        ({"level": True}, ("level: True", "from 1 to 3")),
        ({"seed": -1}, ("seed: -1", "from 0 to 2^64")),
        ({"seed": "x"}, ("seed: 'x'", "whole number")),
        ({"seed": 1.5}, ("seed: 1.5", "whole number")),
        ({"seed": 2**64}, ("seed: 1844", "2^64")),
        ({"seed": 10**5000}, ("seed: <int too long to show>", "2^64")),
        ({"seed": None}, ("seed: None", "whole number")),
    ],
)
def test_what_is_no_seed_or_level_is_told_in_one_clear_error(arguments: dict[str, Any], says: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as refused:
        puzzle(**arguments)
    assert_clear(str(refused.value), says)


def test_huge_seeds_are_seeds() -> None:
    _assert_puzzle(puzzle(2**64 - 1, 1))
    _assert_puzzle(puzzle(int(np.int64(12345)), 2))


# the command ---------------------------------------------------------------------------------------


def test_the_command_shows_the_puzzle_and_how_to_go_on() -> None:
    result = call("puzzle")
    assert result.code == 0
    assert puzzle().text() in result.stdout
    assert "--hint 1" in result.stdout
    assert "--seed 1" in result.stdout
    assert puzzle().answer not in result.stdout
    hinted = call("puzzle", "--seed", "4", "--level", "2", "--hint", "3")
    assert puzzle(4, 2).text(3) in hinted.stdout
    assert "--answer" in hinted.stdout
    assert call("puzzle", "--answer").stdout == puzzle().text(answer=True) + "\n"


def test_the_command_says_whether_that_is_the_line() -> None:
    made = puzzle(2, 3)
    right = call("puzzle", "--seed", "2", "--level", "3", "--line", str(made.line))
    assert (right.code, right.stdout.startswith(f"yes, line {made.line} is")) == (0, True)
    assert made.answer in right.stdout
    for line, says in ((made.first + (made.line == made.first), "is right as it is"), (1, "numbers")):
        wrong = call("puzzle", "--seed", "2", "--level", "3", "--line", str(line))
        assert wrong.code == 1
        assert says in wrong.stdout
        assert made.answer not in wrong.stdout


def test_the_command_as_json() -> None:
    assert json.loads(call("puzzle", "--seed", "2", "--json").stdout) == puzzle(2).json()
    asked = call("puzzle", "--seed", "2", "--json", "--line", "1")
    assert asked.code == 1
    assert json.loads(asked.stdout) == puzzle(2).json() | {"asked": 1, "found": False}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--level", "9"], ["level: 9", "from 1 to 3"]),
        (["--seed", "-1"], ["seed: -1", "from 0"]),
        (["--seed", "x"], ["'x' is not a valid integer"]),
        (["--hint", "4"], ["hint: 4", "from 1 to 3"]),
        (["--hint", "0"], ["hint: 0", "from 1 to 3"]),
        (["--line", "0"], ["line: 0", "from 1 to 16"]),
        (["--line", "99"], ["line: 99", "from 1 to 16"]),
    ],
)
def test_the_command_refuses_what_it_does_not_have(words: list[str], says: list[str]) -> None:
    assert_refused(call("puzzle", *words), says)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_puzzle_is_a_program_where_the_encoding_lacks_the_symbols(encoding: str) -> None:
    shown = fit_encoding(puzzle(3, 3).text(3, True), encoding)
    shown.encode(encoding)
    assert "?" not in shown.replace("?\n", "\n")
    _ran(fit_encoding(puzzle(3, 3).code, encoding))
