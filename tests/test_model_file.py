"""A model file holds the model to the bit, opens elsewhere, and is written whole or not at all."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from chainrule import (
    ChainruleError,
    Examples,
    Model,
    Network,
    Settings,
    Table,
    explain,
    gradient,
    initial_parameters,
    load_model,
    read_table,
    save_model,
    train,
)
from chainrule.calculus import gradient as calculus

AWKWARD = ['say "hi"', "two\nlines", "größe", "数字", "back\\slash", " padded ", "🙂"]
"""Names that a careless writer loses."""


def _trained_on_awkward_names() -> tuple[Model, Table]:
    """Three columns, one of them texts, whose names and values are all awkward; as many classes."""
    n = 7 * 8
    random = np.random.default_rng(0)
    table = Table(
        "awkward",
        {
            'a "number"': random.normal(5, 2, n),
            "größe\n": [AWKWARD[i % 7] for i in range(n)],
            "klasse": [AWKWARD[(i * 3) % 7] for i in range(n)],
        },
    )
    return train(table, Settings(hidden=(5,), target=("klasse",), epochs=2)).model, table


def _regression() -> tuple[Model, Table]:
    x = np.random.default_rng(1).normal(100, 7, 40)
    table = Table("lines", {"x": x, "up": 3 * x, "down": -x})
    return train(table, Settings(hidden=(4,), target=("up", "down"), epochs=2)).model, table


def _digits() -> tuple[Model, Table]:
    table = read_table("digits")
    return train(table, Settings(hidden=(6,), epochs=1)).model, table


def _of_rare_classes() -> tuple[Model, Table]:
    x = np.random.default_rng(2).normal(size=90)
    table = Table("rare", {"x": x, "kind": ["no", "no", "yes"] * 30}, target=("kind",))
    return train(table, Settings(hidden=(4,), class_weight={"yes": 5}, epochs=2)).model, table


MODELS: dict[str, Callable[[], tuple[Model, Table]]] = {
    "awkward names": _trained_on_awkward_names,
    "regression": _regression,
    "digits": _digits,
    "class weights": _of_rare_classes,
}

each_model = pytest.mark.parametrize("name", MODELS)


@each_model
def test_a_model_comes_back_to_the_bit(name: str, tmp_path: Path) -> None:
    model, _ = MODELS[name]()
    save_model(model, tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors")
    assert back.parameters.vector.tobytes() == model.parameters.vector.tobytes()
    assert back.parameters.vector.dtype == model.parameters.vector.dtype
    assert back.network == model.network
    assert back.training == model.training
    assert model.inputs is not None
    assert model.target is not None
    assert back.inputs is not None
    assert back.target is not None
    assert back.inputs.columns == model.inputs.columns
    assert (back.target.columns, back.target.classes) == (model.target.columns, model.target.classes)
    weights = [target.class_weights for target in (back.target, model.target)]
    assert [None if w is None else w.tolist() for w in weights] == [[1, 5] if name == "class weights" else None] * 2
    for part, whole in ((back.inputs, model.inputs), (back.target, model.target)):
        assert part.mean.tobytes() == whole.mean.tobytes()
        assert part.scale.tobytes() == whole.scale.tobytes()


@each_model
def test_a_model_predicts_the_same_after_it_was_saved(name: str, tmp_path: Path) -> None:
    model, table = MODELS[name]()
    save_model(model, tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors")
    assert back.predict(table) == model.predict(table)
    assert back.outputs_of(table).tobytes() == model.outputs_of(table).tobytes()


def test_the_class_weights_of_training_count_in_what_is_said_of_the_model(tmp_path: Path) -> None:
    model, table = _of_rare_classes()
    save_model(model, tmp_path / "m.safetensors")
    model = load_model(tmp_path / "m.safetensors")
    examples = model.examples_of(table)
    weights = np.array([1.0, 1, 5] * 30)
    assert examples.weights is not None
    assert (examples.weights == weights).all()
    C, nabla_C = gradient(model, examples)
    expected, nabla_C_expected = calculus.gradient(model.reading().parameters, examples.a0, examples.Y, weights)
    assert (C, nabla_C.vector.tolist()) == (expected, nabla_C_expected.vector.tolist())
    assert float(explain(model, examples, "w1[0,0]").value) == pytest.approx(nabla_C.w[1][0, 0], rel=1e-12)
    unweighted, _ = gradient(model, Examples(examples.a0, examples.Y))
    assert pytest.approx(unweighted, rel=1e-3) != C


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_without_data_is_a_model_too(dtype: type[np.floating[Any]], tmp_path: Path) -> None:
    model = Model(initial_parameters(Network((3, 4, 2), "gelu", "huber", l1=0.1, l2=1e-300), 0, dtype))
    save_model(model, tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors")
    assert (back.network, back.inputs, back.target) == (model.network, None, None)
    assert back.parameters.vector.tobytes() == model.parameters.vector.tobytes()
    assert back.parameters.vector.dtype == dtype


def test_the_file_opens_with_plain_safetensors(tmp_path: Path) -> None:
    model, _ = _trained_on_awkward_names()
    path = tmp_path / "m.safetensors"
    save_model(model, path)
    tensors: dict[str, Any] = safetensors.numpy.load(path.read_bytes())
    assert sorted(tensors) == ["b1", "b2", "w1", "w2"]
    for name, array in model.parameters:
        assert tensors[name].tolist() == array.tolist()
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description = json.loads(header["__metadata__"]["chainrule"])
    assert description["network"]["sizes"] == list(model.network.sizes)
    assert description["format"] == 1
    assert sorted(AWKWARD) == description["target"]["classes"]


# writing -------------------------------------------------------------------------------------------


@pytest.fixture
def model() -> Model:
    return Model(initial_parameters(Network((2, 2), "tanh", "squared-error"), 0))


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("old", [None, b"what was there before"])
def test_writing_that_fails_leaves_what_was_there_and_nothing_else(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, old: bytes | None
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "m.safetensors"
    if old is not None:
        path.write_bytes(old)
    monkeypatch.setattr(os, "fsync", fail) if step == "fsync" else monkeypatch.setattr(Path, step, fail)
    with pytest.raises(ChainruleError, match=r"m\.safetensors: .*No space left on device"):
        save_model(model, path)
    assert [file.name for file in tmp_path.iterdir()] == ([] if old is None else ["m.safetensors"])
    assert old is None or path.read_bytes() == old


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(
    model: Model, tmp_path: Path, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        save_model(model, tmp_path / "m.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "m.safetensors").stat().st_mode & 0o777 == mode


def test_a_file_written_over_keeps_its_permissions(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    path.chmod(0o640)
    save_model(model, path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert load_model(path).network == model.network


def test_a_link_is_written_through(model: Model, tmp_path: Path) -> None:
    (tmp_path / "real.safetensors").write_bytes(b"old")
    (tmp_path / "link.safetensors").symlink_to("real.safetensors")
    save_model(model, tmp_path / "link.safetensors")
    assert (tmp_path / "link.safetensors").is_symlink()
    assert load_model(tmp_path / "real.safetensors").network == model.network
