"""`chainrule check FILE GRADIENTS`: the verdict, in every form that gradients come in, and its exit code."""

import json
import os
import struct
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bad_input.calls import assert_refused, call
from bad_input.files import npz, safetensors_file, safetensors_header
from given import COMMAND, GOLDENS, golden
from numpy.typing import NDArray

import chainrule
from chainrule.checking.files import read_gradients
from chainrule.errors import InputError

Arrays = Mapping[str, NDArray[Any]]

MAZUR = str(GOLDENS["mazur"])


def right(name: str = "mazur") -> dict[str, NDArray[Any]]:
    problem = golden(name)
    return dict(chainrule.gradient(problem.model, problem.examples)[1].arrays())


def as_json(arrays: Arrays) -> bytes:
    return json.dumps({name: array.tolist() for name, array in arrays.items()}).encode()


def as_toml(arrays: Arrays) -> bytes:
    return "".join(f"{name} = {array.tolist()}\n" for name, array in arrays.items()).encode()


WRITTEN: dict[str, Callable[[Arrays], bytes]] = {
    ".json": as_json,
    ".toml": as_toml,
    ".npz": lambda arrays: npz(False, **arrays),
    ".safetensors": lambda arrays: safetensors_file(None, arrays),
}


@pytest.fixture
def given(tmp_path: Path) -> Callable[[Arrays, str], str]:
    """Writes gradients into a file of some kind, and says its name."""

    def write(arrays: Arrays, suffix: str = ".json") -> str:
        path = tmp_path / f"given{suffix}"
        path.write_bytes(WRITTEN[suffix](arrays))
        return str(path)

    return write


@pytest.mark.parametrize("suffix", WRITTEN)
def test_every_kind_of_file_holds_the_same_numbers(suffix: str, given: Callable[..., str]) -> None:
    arrays = right()
    read = read_gradients(given(arrays, suffix))
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == np.float64
        assert np.array_equal(read[name], array)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_right_gradient_exits_with_0_and_a_wrong_one_with_1(suffix: str, given: Callable[..., str]) -> None:
    result = call("check", MAZUR, given(right(), suffix))
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout.startswith("right: ∇C of 2-2-2 half-squared-error")
    wrong = right()
    wrong["w1"] = -wrong["w1"]
    result = call("check", MAZUR, given(wrong, suffix))
    assert (result.code, result.stderr) == (1, "")
    assert result.stdout.startswith("wrong: ")
    assert "∂C/∂w1  wrong" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_json_is_the_verdict_and_nothing_else(given: Callable[..., str]) -> None:
    wrong = {name: -array for name, array in right().items()}
    result = call("check", MAZUR, given(wrong), "--json")
    assert (result.code, result.stderr) == (1, "")
    record = json.loads(result.stdout)
    assert record.keys() >= {"ok", "findings"}
    assert not record["ok"]
    (finding,) = record["findings"]
    assert finding.keys() >= {"parameter", "bug", "evidence", "fix"}
    assert finding["bug"] == "sign"
    assert finding["parameter"] == "w1, b1, w2, b2"
    record = json.loads(call("check", MAZUR, given(right()), "--json").stdout)
    assert (record["ok"], record["findings"]) == (True, [])


def test_what_gradient_prints_can_be_checked_as_it_is(tmp_path: Path) -> None:
    path, file = tmp_path / "printed.json", str(GOLDENS["article_layers"])
    path.write_text(call("gradient", file, "--json").stdout, encoding="utf-8")
    assert call("check", file, str(path)).code == 0
    path.write_text(call("gradient", file, "--example", "1", "--json").stdout, encoding="utf-8")
    assert call("check", file, str(path), "--example", "1").code == 0
    assert call("check", file, str(path), "--example", "0").code == 1
    assert call("check", file, str(path)).code == 1


def test_one_example_has_neither_weight_nor_penalty(tmp_path: Path) -> None:
    file, path = tmp_path / "p.toml", tmp_path / "g.json"
    file.write_text(
        '[network]\nsizes = [1, 1]\nactivation = "tanh"\ncost = "squared-error"\nl2 = 0.5\n'
        "[parameters]\nw1 = [[1.5]]\nb1 = [0.2]\n"
        "[[examples]]\nx = [2.0]\ny = [1.0]\nweight = 3\n[[examples]]\nx = [0.3]\ny = [1.0]\n"
    )
    path.write_text(call("gradient", str(file), "--example", "0", "--json").stdout)
    assert call("check", str(file), str(path), "--example", "0").code == 0


def test_a_model_is_checked_on_its_data(tmp_path: Path) -> None:
    model, path = str(tmp_path / "m.safetensors"), tmp_path / "g.json"
    assert call("train", "digits", "--hidden", "8", "--epochs", "1", "--out", model).code == 0
    path.write_text(call("gradient", model, "--data", "digits", "--json").stdout)
    assert call("check", model, str(path), "--data", "digits").code == 0


def test_an_earlier_batch_that_was_left_in_is_named(given: Callable[..., str], tmp_path: Path) -> None:
    earlier = {name: np.cos(np.arange(array.size)).reshape(array.shape) for name, array in right().items()}
    path = tmp_path / "earlier.toml"
    path.write_bytes(as_toml(earlier))
    both = given({name: array + earlier[name] for name, array in right().items()})
    record = json.loads(call("check", MAZUR, both, "--earlier", str(path), "--json").stdout)
    assert [finding["bug"] for finding in record["findings"]] == ["accumulated"]


def test_float32_is_told_by_its_numbers_and_can_be_refused(given: Callable[..., str]) -> None:
    short = given({name: array.astype(np.float32) for name, array in right().items()}, ".npz")
    assert json.loads(call("check", MAZUR, short, "--json").stdout)["precision"] == "float32"
    assert call("check", MAZUR, short, "--precision", "float64").code == 1


def test_bfloat16_tensors_are_read(tmp_path: Path) -> None:
    exact = right()
    header: dict[str, Any] = {}
    body = b""
    for name, array in exact.items():
        halves = (array.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)  # cut off, not rounded
        content = halves.tobytes()
        shape, end = list(array.shape), len(body) + len(content)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [len(body), end]}
        body += content
    path = tmp_path / "g.safetensors"
    path.write_bytes(safetensors_header(header) + body)
    for name, array in read_gradients(path).items():
        assert array.shape == exact[name].shape
        assert (np.abs(array / exact[name] - 1) < 2.0**-7).all()


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "null"])
def test_what_is_not_finite_is_a_finding(literal: str, tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    arrays = right()
    arrays["b2"][0] = np.nan
    path.write_bytes(as_json(arrays).replace(b"NaN", literal.encode()))
    record = json.loads(call("check", MAZUR, str(path), "--json").stdout)
    assert not record["ok"]
    assert "not finite" in record["findings"][0]["says"]


# what cannot be read ------------------------------------------------------------------------------------


def test_a_pickle_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reduced:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path("pwned").touch, ())

    monkeypatch.chdir(tmp_path)
    Path("g.npz").write_bytes(npz(True, w1=np.array([Reduced()], object)))
    assert_refused(call("check", MAZUR, "g.npz"), ("g.npz", "pickled Python objects, which are never loaded"))
    assert not Path("pwned").exists()


def test_an_array_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.npz"
    path.write_bytes(npz(False, **right()))
    with zipfile.ZipFile(path) as archive:
        member = archive.read("w1.npy")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("w1", member)
    assert_refused(call("check", MAZUR, str(path)), ("'w1' is there twice",))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    os.mkfifo(path)
    assert_refused(call("check", MAZUR, str(path)), ("g.json", "no file"))


@pytest.mark.parametrize("key", ["a.", '"a,1=[".', "1.", "1 . ", "1.1 . "])
def test_keys_that_would_take_all_memory_are_refused(key: str, tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text(key * 100_000 + "b = 1")
    with pytest.raises(InputError, match="dots"):
        read_gradients(path)


def test_a_toml_file_may_have_as_many_numbers_as_a_network_has(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    numbers = [float(x) for x in np.random.default_rng(0).normal(size=5000)] + [1e-300, -2.5e17, 3.0]
    path.write_text(f"w1 = {numbers}")
    assert read_gradients(path)["w1"].tolist() == numbers


def test_a_header_of_a_terabyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    path.write_bytes(struct.pack("<Q", 2**40) + b"{}")
    with pytest.raises(InputError, match="not a safetensors file"):
        read_gradients(path)


def test_right_numbers_are_right_to_the_digits_they_were_written_to(given: Callable[[Arrays, str], str]) -> None:
    for digits in (4, 5, 6, 8):
        written = {
            name: np.array([float(f"{x:.{digits - 1}e}") for x in a.ravel()]).reshape(a.shape)
            for name, a in right().items()
        }
        said = call("check", MAZUR, given(written, ".json"))
        assert said.code == 0, said
        assert "as far as their digits go" in said.stdout
    decimals = {name: np.round(a, 6) for name, a in right().items()}
    assert call("check", MAZUR, given(decimals, ".json")).code == 0
    decimals["w1"] = decimals["w1"] + [[1e-6, 0], [0, 0]]
    assert call("check", MAZUR, given(decimals, ".json")).code == 1


def test_one_example_leaves_a_bias_of_one_row_what_it_is(given: Callable[[Arrays, str], str]) -> None:
    said = call("check", MAZUR, given({name: a[None] if a.ndim == 1 else a for name, a in right().items()}, ".json"))
    assert said.code == 0
    assert "read as (2,)" in said.stdout


def test_what_is_not_finite_is_said_to_be_so(given: Callable[[Arrays, str], str]) -> None:
    arrays = right()
    arrays["w1"] = np.full_like(arrays["w1"], np.nan)
    said = call("check", MAZUR, given(arrays, ".npz"))
    assert said.code == 1
    assert "not finite" in said.stdout
    assert "another shape" not in said.stdout


def test_a_float32_model_may_make_part_of_a_float64_gradient_float32() -> None:
    random = np.random.default_rng(0)
    network = chainrule.Network([3, 4, 2], ["tanh", "softmax"], "cross-entropy", l2=0.001)
    parameters = chainrule.ParameterVector(network, random.normal(size=network.n_parameters).astype(np.float32))
    model = chainrule.Model(parameters)
    X, Y = random.normal(size=(6, 3)), np.eye(2)[random.integers(2, size=6)]
    exact = chainrule.gradient(model, model.examples(X, Y))[1].arrays()
    penalty = {f"w{l}": (np.float32(0.002) * w, 0.002 * w.astype(np.float64)) for l, w in parameters.w.items()}
    mixed = {n: a - penalty[n][1] + penalty[n][0] if n in penalty else a for n, a in exact.items()}
    assert chainrule.check(model, X, Y, mixed)
    half = {n: a - penalty[n][1] + penalty[n][0] / 2 if n in penalty else a for n, a in exact.items()}
    assert chainrule.check(model, X, Y, half).findings[0].bug == "penalty-scaled"


def test_two_classes_confirm_no_factor_since_their_derivatives_are_one_number() -> None:
    random = np.random.default_rng(1)
    network = chainrule.Network([3, 4, 2], ["tanh", "softmax"], "cross-entropy")
    model = chainrule.Model(chainrule.ParameterVector(network, random.normal(size=network.n_parameters)))
    X, Y = random.normal(size=(6, 3)), np.eye(2)[random.integers(2, size=6)]
    forgotten = chainrule.gradient(model, model.examples(X[1:], Y[1:]))[1]
    bugs = {str(finding.bug) for finding in chainrule.check(model, X, Y, forgotten).findings}
    assert not any("factor" in bug for bug in bugs)


@pytest.mark.parametrize("flags", [(), ("--json",)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_changes_no_exit_code(
    flags: tuple[str, ...], unbuffered: str, given: Callable[[Arrays, str], str]
) -> None:
    path = given({name: -array for name, array in right().items()}, ".json")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        result = subprocess.run(
            [*COMMAND, "check", MAZUR, path, *flags],
            stdout=closed,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert (result.returncode, result.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_wrong_gradient_on_a_full_disk_is_an_error(given: Callable[[Arrays, str], str]) -> None:
    path = given({name: -array for name, array in right().items()}, ".json")
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*COMMAND, "check", MAZUR, path], stdout=full, stderr=subprocess.PIPE, encoding="utf-8", check=False
        )
    assert result.returncode == 2
    assert result.stderr == "chainrule: error: the output cannot be written (No space left on device)\n"


def test_a_folder_is_graded_by_a_rubric(tmp_path: Path) -> None:
    assert_refused(call("check", str(tmp_path)), (str(tmp_path), "is a folder", "--grade RUBRIC"))


@pytest.mark.parametrize("model", [right(), "x"])
def test_what_is_no_model_is_refused(model: Any) -> None:
    examples = golden("mazur").examples
    with pytest.raises(InputError, match=r"(?s)model: .* is not a Model; cr\.Model\(parameters\) makes one"):
        chainrule.check(model, np.zeros((1, 2)), np.zeros((1, 2)), right())
    with pytest.raises(InputError, match=r"(?s)model: .* is not a Model"):
        chainrule.check(model, examples, right())
