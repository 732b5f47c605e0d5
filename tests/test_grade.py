"""`chainrule check --grade RUBRIC FOLDER`: points that only a right gradient gets, whatever else is handed in."""

import csv
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input import kinds
from bad_input.calls import assert_refused, call
from bad_input.files import GRADIENT, PROBLEM, npz, safetensors_file, toml, write_good_files
from bad_input.kinds import Content
from numpy.typing import NDArray

import chainrule
from chainrule.checking import grade as grading
from chainrule.checking.files import SUFFIXES

Arrays = Mapping[str, NDArray[Any]]

RIGHT = {name: np.array(values) for name, values in GRADIENT.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a problem with its rubric, and an empty folder "in"."""
    write_good_files(tmp_path)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def hand_in(name: str, arrays: Arrays | bytes, suffix: str = ".json") -> None:
    path = Path("in", name + suffix)
    path.parent.mkdir(exist_ok=True, parents=True)
    if not isinstance(arrays, bytes):
        arrays = written(arrays, suffix)
    path.write_bytes(arrays)


def written(arrays: Arrays, suffix: str) -> bytes:
    match suffix:
        case ".json":
            return json.dumps({name: array.tolist() for name, array in arrays.items()}).encode()
        case ".toml":
            return "".join(f"{name} = {array.tolist()}\n" for name, array in arrays.items()).encode()
        case ".npz":
            return npz(False, **arrays)
        case _:
            return safetensors_file(None, arrays)


def rubric(text: str, problem: str = "good.toml") -> None:
    Path("rubric.toml").write_text(f'problem = "{problem}"\n{text}')


def graded(*more: str) -> dict[str, dict[str, Any]]:
    """The grades by name."""
    result = call("check", "in", "--grade", "rubric.toml", "--json", *more)
    assert result.code == 0, result
    assert "Warning" not in result.stderr
    return {one["submission"]: one for one in json.loads(result.stdout)["grades"]}


def why(one: Mapping[str, Any]) -> dict[str, str]:
    return {name: mark["why"] for name, mark in one["parameters"].items() if not mark["ok"]}


def gradient_of(problem: str) -> dict[str, NDArray[Any]]:
    loaded = chainrule.load_problem(problem)
    return dict(chainrule.gradient(loaded.model, loaded.examples)[1].arrays())


# points --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_right_gradient_gets_all_points_in_every_format(suffix: str) -> None:
    hand_in("ann", RIGHT, suffix)
    (one,) = graded().values()
    assert (one["submission"], one["ok"], one["verdict"], one["points"]) == ("ann", True, "right", 4)


def test_points_are_for_arrays_or_for_layers() -> None:
    rubric("[points]\nlayer1 = 6\nw2 = 3\n")
    hand_in("ann", RIGHT)
    hand_in("ben", RIGHT | {"b1": RIGHT["b1"] + 0.1})
    hand_in("cem", RIGHT | {"w2": -RIGHT["w2"]})
    hand_in("dora", RIGHT | {"b2": RIGHT["b2"] + 1})
    grades = graded()
    assert [one["points"] for one in grades.values()] == [9, 3, 6, 9]
    assert [one["ok"] for one in grades.values()] == [True, False, False, False]
    assert why(grades["ben"]) == {"b1": "unexplained"}


def test_what_is_missing_costs_its_own_points_only() -> None:
    rubric("[points]\nw1 = 4\nb1 = 2\nw2 = 3\nb2 = 1\n")
    second = {name: RIGHT[name] for name in ("w2", "b2")}
    hand_in("ann", second)
    hand_in("ben", second | {"w2": -RIGHT["w2"]})
    hand_in("cem", {name: np.zeros_like(array) for name, array in second.items()})
    hand_in("dora", {f"d{name}": array for name, array in RIGHT.items()})
    ann, ben, cem, dora = graded().values()
    assert [one["points"] for one in (ann, ben, cem, dora)] == [4, 1, 0, 0]
    assert [one["ok"] for one in (ann, ben, cem, dora)] == [False] * 4
    assert why(ann) == {"w1": "missing", "b1": "missing"}
    assert why(ben) == {"w1": "missing", "b1": "missing", "w2": "stray-factor"}
    assert why(cem) == {"w1": "missing", "b1": "missing", "w2": "zeros", "b2": "zeros"}
    assert "Probably w1 is dw1, b1 is db1" in dora["error"]
    assert "w1, b1" in call("check", "in", "--grade", "rubric.toml").stdout.splitlines()[1]


def test_a_layer_of_which_an_array_is_missing_gets_nothing() -> None:
    rubric("[points]\nlayer1 = 6\nw2 = 3\n")
    hand_in("ann", {name: array for name, array in RIGHT.items() if name != "b1"})
    assert graded()["ann"]["points"] == 3


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_said_to_be_so(value: float) -> None:
    hand_in("ann", RIGHT | {"b1": np.full_like(RIGHT["b1"], value)}, ".toml")
    one = graded()["ann"]
    assert (one["points"], why(one)) == (3, {"b1": "not finite"})


def test_points_as_one_number_are_shared_out_equally() -> None:
    rubric("points = 10\n")
    hand_in("ann", RIGHT | {"w1": RIGHT["w1"] + 0.1})
    assert graded()["ann"]["points"] == 7.5


def test_a_mistake_is_named_and_may_leave_a_part_of_the_points() -> None:
    rubric("[points]\nw1 = 4\nb1 = 4\nw2 = 1\nb2 = 1\n[credit]\nsign = 0.25\n")
    hand_in("ann", {name: -array for name, array in RIGHT.items()})
    hand_in("ben", RIGHT | {"w1": RIGHT["w1"] + 0.1})
    grades = graded()
    assert why(grades["ann"]) == dict.fromkeys(RIGHT, "sign")
    assert grades["ann"]["points"] == 2.5
    assert grades["ann"]["findings"][0]["bug"] == "sign"
    assert grades["ben"]["points"] == 6


def test_the_precision_counts_where_the_rubric_says_so() -> None:
    hand_in("ann", {name: array.astype(np.float32) for name, array in RIGHT.items()}, ".npz")
    assert graded()["ann"]["ok"]
    rubric('precision = "float64"\n')
    assert not graded()["ann"]["ok"]


def test_a_convention_counts_where_the_rubric_says_so() -> None:
    """relu′(0) = 0 here; 1 is as good, unless the rubric asks for ours."""
    at_kink = {
        "network": {"sizes": [1, 1, 1], "activation": ["relu", "identity"], "cost": "squared-error"},
        "parameters": {"w1": [[1.0]], "b1": [-1.0], "w2": [[0.5]], "b2": [0.25]},
        "examples": [{"x": [1.0], "y": [0.7]}, {"x": [3.0], "y": [0.1]}],
    }
    Path("kink.toml").write_text(toml(at_kink))
    ours = gradient_of("kink.toml")
    share = 0.5 * 2 * (0.25 - 0.7) / 2  # what the first example adds where relu′(0) = 1; its x is 1
    hand_in("ann", ours)
    hand_in("ben", ours | {"w1": ours["w1"] + share, "b1": ours["b1"] + share})
    rubric("", "kink.toml")
    assert all(one["ok"] for one in graded().values())
    rubric('conventions = "ours"\n', "kink.toml")
    grades = graded()
    assert grades["ann"]["ok"]
    assert why(grades["ben"]) == {"w1": "kink-convention", "b1": "kink-convention"}
    rubric('conventions = "ours"\n[credit]\nkink-convention = 0.5\n', "kink.toml")
    assert graded()["ben"]["points"] == 3


def test_one_example_can_be_asked_for() -> None:
    problem = chainrule.load_problem("good.toml")
    hand_in("ann", chainrule.gradient(problem.model, problem.examples, 1)[1].arrays())
    hand_in("ben", RIGHT)
    rubric("example = 1\n")
    assert [one["ok"] for one in graded().values()] == [True, False]


def test_a_model_with_its_data_can_be_asked_for() -> None:
    assert call("train", "good.csv", "--target", "kind", "--epochs", "1", "--out", "m.safetensors").code == 0
    Path("in", "ann.json").write_text(call("gradient", "m.safetensors", "--data", "good.csv", "--json").stdout)
    Path("rubric.toml").write_text('model = "m.safetensors"\ndata = "good.csv"\n')
    assert graded()["ann"]["ok"]


def test_files_are_named_as_seen_from_the_rubric(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in("ann", RIGHT)
    monkeypatch.chdir("/")
    assert call("check", str(folder / "in"), "--grade", str(folder / "rubric.toml")).code == 0


# what never passes ---------------------------------------------------------------------------------


@pytest.fixture
def saturated() -> dict[str, NDArray[Any]]:
    """A problem where rounding may do more to all but w3 and b3 than they are large: a(1 − a) is 0 there."""
    problem = {
        "network": {"sizes": [2, 2, 2, 1], "activation": "sigmoid", "cost": "squared-error"},
        "parameters": {
            "w1": [[0.1, 0.2], [0.3, 0.4]],
            "b1": [40.0, 39.0],
            "w2": [[0.5, 0.6], [0.7, -0.8]],
            "b2": [39.0, 41.0],
            "w3": [[0.3, -0.4]],
            "b3": [0.2],
        },
        "examples": [{"x": [1.0, 2.0], "y": [0.5]}],
    }
    Path("saturated.toml").write_text(toml(problem))
    rubric("", "saturated.toml")
    return gradient_of("saturated.toml")


def test_zeros_never_pass(saturated: dict[str, NDArray[Any]]) -> None:
    assert saturated["w2"].all()
    hand_in("ann", {name: 0 * array for name, array in saturated.items()})
    hand_in("ben", {name: 0 * array if name[1] == "2" else array for name, array in saturated.items()})
    hand_in("cem", {name: -0.0 * array for name, array in saturated.items()})
    hand_in("dora", saturated)
    grades = graded()
    assert [one["points"] for one in grades.values()] == [0, 4, 0, 6]
    assert set(why(grades["ann"]).values()) == set(why(grades["ben"]).values()) == {"zeros"}


def test_constants_and_copies_of_another_array_never_pass(saturated: dict[str, NDArray[Any]]) -> None:
    hand_in("ann", {name: np.full_like(array, 0.01) for name, array in saturated.items()})
    hand_in("ben", saturated | {"w2": np.full((2, 2), 1e-19)})
    hand_in("cem", saturated | {"w1": saturated["w2"]})
    hand_in("dora", saturated)
    grades = graded()
    assert grades["ann"]["points"] == 0
    assert why(grades["ben"]) == {"w2": "one number throughout"}
    assert why(grades["cem"]) == {"w1": "the numbers of w2"}
    assert grades["dora"]["ok"]


def noise(size: float, like: Arrays) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    return {name: size * random.normal(size=array.shape) for name, array in like.items()}


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-30, 1e-19, 1e-17, 1e-16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_noise_never_passes_however_much_rounding_may_do(
    size: float, dtype: Any, saturated: dict[str, NDArray[Any]]
) -> None:
    small = {name: array.astype(dtype) for name, array in noise(size, saturated).items()}
    rest = {name: array for name, array in saturated.items() if name[1] == "3"}
    hand_in("ann", small, ".npz")
    hand_in("ben", small | rest, ".npz")
    hand_in("cem", {name: 2 * array for name, array in saturated.items()} | rest)
    hand_in("dora", {name: -array for name, array in saturated.items()} | rest)
    hand_in("eli", saturated)
    assert [one["points"] for one in graded().values()] == [0, 2, 2, 2, 6]


@pytest.mark.parametrize("size", [1e-300, 1e-310, 5e-324])
def test_noise_is_no_0_where_0_is_right(size: float) -> None:
    dead = PROBLEM | {
        "network": PROBLEM["network"] | {"activation": ["relu", "sigmoid"]},
        "parameters": PROBLEM["parameters"] | {"b1": [-9.0, -9.0, -9.0]},
    }
    Path("dead.toml").write_text(toml(dead))
    rubric("", "dead.toml")
    right = gradient_of("dead.toml")
    hand_in("ann", right | {"w1": size * np.ones_like(right["w1"]), "b1": noise(3 * size, right)["b1"]})
    hand_in("ben", right)
    grades = graded()
    assert why(grades["ann"]).keys() == {"w1", "b1"}
    assert grades["ben"]["ok"]


def test_at_a_kink_only_what_a_convention_gives_passes() -> None:
    """All z1 are exactly 0: any slope from 0 to 1 would be as right for an analysis of rounding alone."""
    kink = {
        "network": {"sizes": [2, 2, 1], "activation": ["relu", "identity"], "cost": "squared-error"},
        "parameters": {"w1": [[0.0, 0.0], [0.0, 0.0]], "b1": [0.0, 0.0], "w2": [[0.5, -0.7]], "b2": [0.25]},
        "examples": [{"x": [1.0, 2.0], "y": [0.7]}, {"x": [3.0, -1.0], "y": [0.1]}],
    }
    Path("kink.toml").write_text(toml(kink))
    rubric("", "kink.toml")
    ours = gradient_of("kink.toml")
    other = np.array([[0.5], [-0.7]]) * (np.array([[2 * (0.25 - 0.7), 2 * (0.25 - 0.1)]]) @ [[1, 2], [3, -1]]) / 2
    assert not ours["w1"].any()
    hand_in("ann", ours)
    hand_in("ben", ours | {"w1": other})
    hand_in("cem", ours | {"w1": other / 2, "b2": ours["b2"] + 1})
    hand_in("dora", ours | {"w1": 0.3 * other})
    hand_in("eli", ours | {"w1": 0.9 * other * [[1, 0.2], [0.3, 1]]})
    grades = graded()
    assert {name: why(one) for name, one in grades.items()} == {
        "ann": {}, "ben": {}, "cem": {"b2": "unexplained"}, "dora": {"w1": "lost in rounding"},
        "eli": {"w1": "lost in rounding"},
    }  # fmt: skip
    rubric('conventions = "ours"\n', "kink.toml")
    grades = graded()
    assert why(grades["ben"]) == {"w1": "kink-convention"}
    assert why(grades["cem"])["w1"] == "kink-convention"


def test_float16_hides_no_more_than_its_last_digit_and_can_be_refused() -> None:
    kept = {name: array.astype(np.float16) for name, array in RIGHT.items()}
    hand_in("ann", kept, ".npz")
    hand_in("ben", {name: (array * (1 + 4e-3)).astype(np.float16) for name, array in RIGHT.items()}, ".npz")
    hand_in("cem", kept | {"w1": RIGHT["w1"].astype(np.float16) + np.float16(0.01)}, ".npz")
    grades = graded()
    assert [one["points"] for one in grades.values()] == [4, 0, 3]
    rubric('precision = "float64"\n')
    assert [one["points"] for one in graded().values()] == [0, 0, 0]


def test_arrays_that_rounding_hides_are_told_to_the_teacher(saturated: dict[str, NDArray[Any]]) -> None:
    hand_in("ann", saturated)
    said = call("check", "in", "--grade", "rubric.toml")
    assert "note: w1, b1, w2, b2: rounding may change" in said.stdout
    assert json.loads(call("check", "in", "--grade", "rubric.toml", "--json").stdout)["hidden"] == [
        "w1",
        "b1",
        "w2",
        "b2",
    ]
    rubric("")
    Path("in", "ann.json").write_bytes(written(RIGHT, ".json"))
    assert "note:" not in call("check", "in", "--grade", "rubric.toml").stdout


def test_an_array_handed_in_for_another_is_said_to_be_that() -> None:
    square = {
        "network": {"sizes": [2, 2, 2], "activation": "tanh", "cost": "squared-error"},
        "parameters": {"w1": [[0.1, 0.2], [0.3, 0.4]], "b1": [0.1, 0.2], "w2": [[0.5, -0.6], [0.7, 0.8]], "b2": [0, 1]},
        "examples": [{"x": [1.0, 2.0], "y": [0.5, 0.1]}],
    }
    Path("square.toml").write_text(toml(square))
    rubric("", "square.toml")
    right = gradient_of("square.toml")
    hand_in("ann", right | {"w1": right["w2"]})
    assert why(graded()["ann"]) == {"w1": "the numbers of w2"}


def test_zeros_that_are_right_count_only_beside_something_else_that_is() -> None:
    dead = PROBLEM | {
        "network": PROBLEM["network"] | {"activation": ["relu", "sigmoid"]},
        "parameters": PROBLEM["parameters"] | {"b1": [-9.0, -9.0, -9.0]},
    }
    Path("dead.toml").write_text(toml(dead))
    rubric("", "dead.toml")
    right = gradient_of("dead.toml")
    assert not right["w1"].any()
    hand_in("ann", {name: 0 * array for name, array in right.items()})
    hand_in("ben", right)
    hand_in("cem", right | {"b2": -right["b2"]})
    grades = graded()
    assert [one["points"] for one in grades.values()] == [0, 4, 0]
    assert why(grades["ann"])["w1"] == "0 is right here, but nothing else is"


def test_the_same_wrong_numbers_are_said_to_be_anothers_and_right_ones_are_right() -> None:
    wrong = RIGHT | {"w1": RIGHT["w1"] + 0.1}
    hand_in("ann", wrong)
    hand_in("ben", wrong, ".toml")
    hand_in("cem", RIGHT | {"w1": RIGHT["w1"] + 0.2})
    hand_in("dora", RIGHT)
    hand_in("eli", RIGHT)
    hand_in("fay", b"{")
    hand_in("gus", b"{")
    same = {name: one["same_numbers_as"] for name, one in graded().items()}
    assert same == {"ann": ["ben"], "ben": ["ann"], "cem": [], "dora": [], "eli": [], "fay": ["gus"], "gus": ["fay"]}
    assert "same numbers as ben" in call("check", "in", "--grade", "rubric.toml").stdout


# what cannot be read ---------------------------------------------------------------------------------


UNREADABLE = [kind for kind in kinds.GRADIENT_FILES if kind.name != "w missing"]
"""Where an array is missing the others are graded."""


@pytest.mark.parametrize("kind", UNREADABLE, ids=lambda kind: ascii(f"{kind.name}{kind.suffix}"))
def test_what_cannot_be_read_gets_no_points_and_the_others_theirs(kind: Content) -> None:
    hand_in("ann", RIGHT)
    hand_in("zoe", RIGHT)
    kind.put(Path("in", f"bad{kind.suffix}"))
    grades = graded()
    assert grades["ann"]["points"] == grades["zoe"]["points"] == 4
    if kind.name == "missing" or kind.suffix not in SUFFIXES:  # of another kind: left alone
        assert len(grades) == 2
        return
    bad = grades["bad" if kind.name != "a folder" else "bad.npz"]
    assert (bad["points"], bad["verdict"], bad["ok"], bad["parameters"]) == (0, "error", False, {})
    if kind.name != "a folder":
        missing = [says for says in kind.says if says not in bad["error"]]
        assert missing == []


def test_a_fault_of_ours_costs_nobody_else_the_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = grading.check_examples

    def fails(model: Any, examples: Any, gradients: Any, **more: Any) -> Any:
        if gradients["b2"][0] > 1:
            raise ZeroDivisionError("a fault")
        return judge(model, examples, gradients, **more)

    monkeypatch.setattr(grading, "check_examples", fails)
    hand_in("ann", RIGHT)
    hand_in("ben", RIGHT | {"b2": RIGHT["b2"] + 5})
    grades = graded()
    assert grades["ann"]["ok"]
    assert "a fault of chainrule: ZeroDivisionError: a fault" in grades["ben"]["error"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324])
def test_numbers_of_every_size_are_judged(value: float) -> None:
    hand_in("ann", {name: np.full_like(array, value) for name, array in RIGHT.items()})
    hand_in("ben", RIGHT | {"w1": np.full_like(RIGHT["w1"], value)})
    grades = graded()
    assert [one["points"] for one in grades.values()] == [0, 3]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "g.json").write_bytes(written(RIGHT, ".json"))
    hand_in("ann", RIGHT)
    Path("in", "ben.json").symlink_to(outside / "g.json")
    Path("in", "cem").symlink_to(outside)
    Path("in", "dora").mkdir()
    Path("in", "dora", "g.json").symlink_to(outside / "g.json")
    Path("in", "eli").mkdir()
    Path("in", "eli", "deep").symlink_to(outside)
    Path("in", "fay.json").symlink_to("/dev/zero")
    Path("in", "gus.json").symlink_to("nowhere")
    grades = graded()
    assert [one["verdict"] for one in grades.values()] == ["right", *["error"] * 6]
    for name in ("ben", "dora", "fay", "gus"):
        assert "is a link, which is not followed" in grades[name]["error"]
    assert "holds no" in grades["eli"]["error"]


def test_a_file_that_becomes_a_link_before_it_is_read_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in("ann", RIGHT)
    Path("in", "ben.json").symlink_to(Path("good.json").resolve())
    monkeypatch.setattr(Path, "is_symlink", lambda self: False)  # pyright: ignore
    grades = graded()
    assert "cannot be read" in grades["ben"]["error"]


def test_pipes_and_folders_are_no_submissions_and_nothing_waits_for_them() -> None:
    hand_in("ann", RIGHT)
    os.mkfifo("in/ben.json")
    Path("in", "cem.json").mkdir()
    grades = graded()
    assert grades["ann"]["ok"]
    assert "no file" in grades["ben"]["error"]
    assert "holds no" in grades["cem.json"]["error"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_more_bytes_than_a_gradient_takes_are_not_read(suffix: str) -> None:
    hand_in("ann", RIGHT)
    hand_in("ben", b" " * (2**21), suffix)
    grades = graded()
    assert grades["ann"]["ok"]
    assert "has 2,097,152 bytes; a gradient of this network takes 1,0" in grades["ben"]["error"]


def test_what_unpacks_to_more_than_a_gradient_is_not_unpacked() -> None:
    hand_in("ann", RIGHT)
    with zipfile.ZipFile("in/ben.npz", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("w1.npy", "w") as file:
        np.lib.format.write_array(file, np.zeros(10**7))  # pyright: ignore
    assert Path("in/ben.npz").stat().st_size < 2**20
    assert "unpacks to more than" in graded()["ben"]["error"]


def test_a_fault_of_permissions_is_that_submissions_own(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    hand_in("ann", RIGHT)
    hand_in("ben", RIGHT)
    Path("in", "ben.json").chmod(0)
    assert "Permission denied" in graded()["ben"]["error"]


# names -----------------------------------------------------------------------------------------------


def test_submissions_are_called_by_their_file_or_folder() -> None:
    for name in ("ann", "Ben/answer", "cem/deep/down/x", "dora/one", "dora/two", "eli"):
        hand_in(name, RIGHT)
    hand_in("eli", RIGHT, ".npz")
    hand_in("fay", b"print('hello')", ".py")
    hand_in("ann", b"print('hello')", ".py")
    hand_in("gus/answer", b"print('hello')", ".py")
    hand_in(".hidden", RIGHT)
    hand_in("__MACOSX/._ann", RIGHT)
    hand_in("hal/.trash/old", RIGHT)
    hand_in("hal/new", RIGHT)
    grades = graded()
    assert list(grades) == [
        "ann", "Ben", "cem", "dora/one", "dora/two", "eli.json", "eli.npz", "gus", "hal"
    ]  # fmt: skip
    assert {name for name, one in grades.items() if one["error"]} == {"gus"}


def test_what_lies_beside_is_left_alone_and_named() -> None:
    hand_in("ann", RIGHT)
    assert "left alone" not in call("check", "in", "--grade", "rubric.toml").stdout
    for name in ("exercise.pdf", "ann.py", "zoe.py", "list of\x1b[31m names.txt", "README"):
        Path("in", name).write_bytes(b"something else")
    result = call("check", "in", "--grade", "rubric.toml")
    assert "1 submission: 1 right, 0 wrong, 0 not read" in result.stdout
    said = " ".join(result.stdout.split())
    assert "note: left alone, no gradients by their kind: README, ann.py, exercise.pdf, list of" in said
    assert "zoe.py" in said
    assert "\x1b" not in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    record = json.loads(call("check", "in", "--grade", "rubric.toml", "--json").stdout)
    assert len(record["left_alone"]) == 5
    for at in range(10):
        Path("in", f"{at}.txt").write_bytes(b"")
    assert " and 9 more" in " ".join(call("check", "in", "--grade", "rubric.toml").stdout.split())


def test_a_folder_without_any_submission_is_refused() -> None:
    Path("in", "ann.py").write_bytes(b"print(1)")
    assert_refused(call("check", "in", "--grade", "rubric.toml"), ("in: holds no submissions", ".json"))


def test_rubric_problem_and_grades_may_lie_among_the_submissions() -> None:
    hand_in("ann", RIGHT)
    for name in ("good.toml", "rubric.toml"):
        Path(name).rename(Path("in", name))
    for _ in range(2):
        result = call("check", "in", "--grade", "in/rubric.toml", "--csv", "in/grades.csv")
        assert (result.code, result.stderr) == (0, "saved in/grades.csv\n")
        assert "1 submission: 1 right" in result.stdout


HOSTILE = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "-2", "-inf", "a,b", 'a"b', "a\nb", "a;=1+1",
    "\x1b[31mred", "‮abc", "ü", "\udcff", "＝1", "=cmd|' /C calc'!A0", "x" * 200, "[bold]b[/bold]",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_names_of_files_are_no_formulas_and_steer_no_terminal(name: str) -> None:
    try:
        hand_in(name, RIGHT | {"w1": -RIGHT["w1"]})
    except OSError:
        pytest.skip("no such name on this system")
    hand_in(f"{name}/x", RIGHT | {"w1": -RIGHT["w1"]})
    result = call("check", "in", "--grade", "rubric.toml", "--csv", "out.csv")
    assert result.code == 0, result
    assert all(c.isprintable() or c == "\n" for c in result.stdout + result.stderr)
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    text = Path("out.csv").read_bytes().decode()
    assert all(c.isprintable() or c == "\n" for c in text)
    header, *rows = csv.reader(StringIO(text))
    assert len(rows) == 2
    for row in rows:
        assert len(row) == len(header)
        for cell in row:
            assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n", "＝"))
            assert not cell.startswith("-") or float(cell) < 0
    assert all(c.isprintable() for one in graded() for c in one)


# forms -----------------------------------------------------------------------------------------------


def test_the_table_fits_and_sums_up() -> None:
    hand_in("ann", RIGHT)
    hand_in("ben", {name: -array for name, array in RIGHT.items()})
    hand_in("cem", b"{")
    result = call("check", "in", "--grade", "rubric.toml")
    assert (result.code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["submission", "points"], ["ann", "4"], ["ben", "0"], ["cem", "0"]
    ]  # fmt: skip
    assert "w1, b1, w2, b2  sign" in lines[2]
    assert "not JSON" in lines[3]
    assert lines[-1] == "3 submissions: 1 right, 1 wrong, 1 not read; 1.33 of 4 points on average"
    assert all(len(line) <= 80 for line in lines)


def test_the_csv_has_a_mark_for_each_array() -> None:
    hand_in("ann", RIGHT)
    hand_in("ben", {name: -array for name, array in RIGHT.items()})
    hand_in("cem", b"{")
    assert call("check", "in", "--grade", "rubric.toml", "--csv", "old.csv", "--json").stderr == "saved old.csv\n"
    ann, ben, cem = csv.DictReader(StringIO(Path("old.csv").read_text(encoding="utf-8")))
    assert [ann[key] for key in ("submission", "points", "of", "verdict", "w1", "b2")] == [
        "ann", "4.0", "4.0", "right", "right", "right"
    ]  # fmt: skip
    assert (ben["verdict"], ben["w1"], ben["b2"], ben["file"]) == ("wrong", "sign", "sign", "in/ben.json")
    assert ben["says"]
    assert ben["evidence"]
    assert ben["change"]
    assert (cem["verdict"], cem["w1"]) == ("error", "")
    assert cem["says"].startswith("not JSON")


def test_the_csv_has_every_mistake_that_would_give_the_numbers() -> None:
    """One example: its mean and its sum are the same, and so is what dividing by n does."""
    Path("one.toml").write_text(
        toml(
            {
                "network": {"sizes": [1, 1], "activation": ["identity"], "cost": "squared-error"},
                "parameters": {"w1": [[1.0]], "b1": [0.5]},
                "examples": [{"x": [2.0], "y": [0.3]}, {"x": [1.0], "y": [0.9]}],
            }
        )
    )
    rubric("", "one.toml")
    hand_in("ann", {name: array / 2 for name, array in gradient_of("one.toml").items()})
    (finding,) = graded("--csv", "grades.csv")["ann"]["findings"]
    (row,) = csv.DictReader(StringIO(Path("grades.csv").read_text(encoding="utf-8")))
    assert finding["equally"]
    assert row["says"] == " or ".join([finding["says"], *finding["equally"]])


def test_ctrl_c_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "check_examples", interrupted)
    hand_in("ann", RIGHT)
    before = Path("old.csv").read_bytes()
    result = call("check", "in", "--grade", "rubric.toml", "--csv", "old.csv")
    assert (result.code, result.stdout, result.stderr) == (130, "", "interrupted\n")
    assert Path("old.csv").read_bytes() == before
    assert not list(Path().glob(".chainrule-*"))


def test_grades_never_replace_what_they_are_made_from() -> None:
    Path("rubric.toml").write_text('model = "good.safetensors"\ndata = "good.csv"\n')
    before = Path("good.csv").read_bytes()
    assert_refused(call("check", "answers", "--grade", "rubric.toml", "--csv", "good.csv"), ("what is read here",))
    assert Path("good.csv").read_bytes() == before


def test_the_watcher_is_told_how_far_it_is() -> None:
    problem = chainrule.load_problem("good.toml")
    for name in "abc":
        hand_in(name, RIGHT)
    told: list[tuple[int, int]] = []
    watch: Callable[[int, int], None] = lambda done, of: told.append((done, of))  # noqa: E731
    from chainrule.checking.rubric import read_rubric

    grading.grade(read_rubric("rubric.toml"), problem.model, problem.examples, "in", watch=watch)
    assert told == [(0, 3), (1, 3), (2, 3)]


def test_the_guide_shows_the_rubric_that_it_uses() -> None:
    docs = Path(__file__).parent.parent / "docs"
    guide, used = ((docs / name).read_text(encoding="utf-8") for name in ("grading.md", "grading/rubric.toml"))
    assert f"```toml\n{used}```\n" in guide
