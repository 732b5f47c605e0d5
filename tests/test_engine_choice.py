"""Which engine works: the compiled one where there is one, or what CHAINRULE_ENGINE names; what is told if it lacks."""

import json
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
from bad_input.calls import call
from given import process

import chainrule
from chainrule.engines import SlowEngineWarning, engine, shortfall, warn_of_shortfall
from chainrule.engines.machine import machine
from chainrule.errors import InputError

EXTENSION = "chainrule.engines._native"

compiled = pytest.mark.skipif(find_spec(EXTENSION) is None, reason="the engine is not compiled here")


@pytest.fixture(autouse=True)
def _as_if_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine is named, and nothing has been warned of."""
    monkeypatch.delenv("CHAINRULE_ENGINE", raising=False)
    warn_of_shortfall.cache_clear()


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine where the engine was not compiled."""
    monkeypatch.setitem(sys.modules, EXTENSION, None)


def _train(times: int = 1) -> None:
    for _ in range(times):
        chainrule.train(chainrule.read_table("digits"), chainrule.Settings(hidden=(4,), epochs=1))


@compiled
def test_the_compiled_engine_is_used_where_it_is() -> None:
    assert engine().NAME == "native"
    assert shortfall() is None


@compiled
def test_info_tells_what_the_compiled_engine_uses() -> None:
    used, facts = engine(), machine()
    assert facts["engine"] == "native"
    assert facts["instruction_set"] == used.INSTRUCTION_SET
    assert facts["threads"] == used.threads()


@pytest.mark.parametrize("name", ["reference", pytest.param("native", marks=compiled)])
def test_the_variable_names_the_engine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ENGINE", name)
    assert engine().NAME == machine()["engine"] == name
    assert json.loads(process("info", "--json", CHAINRULE_ENGINE=name).stdout)["engine"] == name


def test_a_variable_that_is_empty_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    unnamed = engine()
    monkeypatch.setenv("CHAINRULE_ENGINE", "")
    assert engine() is unnamed


def test_an_unknown_engine_is_refused_with_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ENGINE", "nativ")
    with pytest.raises(InputError, match=r"CHAINRULE_ENGINE: 'nativ' is not known\. Did you mean 'native'\?"):
        engine()
    result = call("info")
    assert result.code == 2
    assert "Known: native, reference" in result.stderr


@pytest.mark.usefixtures("missing")
def test_where_nothing_was_compiled_the_reference_engine_is_used() -> None:
    assert engine().NAME == "reference"
    facts = machine()
    assert facts["engine"] == "reference"
    assert facts["threads"] >= 1


@pytest.mark.usefixtures("missing")
def test_naming_an_engine_that_is_missing_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ENGINE", "native")
    with pytest.raises(InputError, match=r"not compiled when chainrule was installed.*g\+\+.*unset CHAINRULE_ENGINE"):
        engine()


@pytest.mark.usefixtures("missing")
def test_training_warns_once_of_a_missing_engine_where_it_was_called() -> None:
    with pytest.warns(SlowEngineWarning, match="the compiled engine is missing") as told:
        _train(times=2)
    assert [warning.filename for warning in told] == [__file__]


@pytest.mark.usefixtures("missing")
def test_nothing_is_told_of_an_engine_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ENGINE", "reference")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _train()
    assert shortfall() is None


@pytest.mark.usefixtures("missing")
def test_the_command_train_says_one_line_of_a_missing_engine_and_others_none(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = call("train", "digits", "--epochs", "1", "--out", f"{tmp_path}/m.safetensors")
        others = call("predict", f"{tmp_path}/m.safetensors", "digits")
    assert result.code == others.code == 0
    assert [line for line in result.stderr.splitlines() if "compiled engine" in line] == [shortfall()]
    assert "on the reference engine" in result.stdout
    assert others.stderr == ""


def test_an_extension_that_does_not_load_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"{name}: undefined symbol")

    monkeypatch.setattr("chainrule.engines.import_module", refuse)
    assert engine().NAME == "reference"
    assert "cannot be loaded (chainrule.engines._native: undefined symbol)" in str(shortfall())


def test_importing_chainrule_loads_no_engine() -> None:
    code = "import sys, chainrule; print([m for m in sys.modules if m.startswith('chainrule.engines') or m == 'numpy'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
