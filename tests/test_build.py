"""Setting up: what start.py says of a machine that lacks something, and what the build must not lose."""

import shutil
import subprocess
import sys
import tomllib
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    """start.py as a module, working with this very Python, on a machine that has everything."""
    spec = spec_from_file_location("start", ROOT / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "BIN", Path(sys.executable).parent)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}" if name else None)  # pyright: ignore
    return module


def _python_that(module: Any, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    """Lines of Python with this in them fail."""
    real = module.python

    def python(code: str) -> Any:
        return real("raise SystemExit(1)" if fails in code else "pass")

    monkeypatch.setattr(module, "python", python)


def test_start_says_nothing_where_the_engine_is_there(
    start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _python_that(start, monkeypatch, fails="no such line")
    assert start.tell_of_missing_engine() is False
    assert capsys.readouterr().out == ""


def test_start_says_once_that_there_is_no_compiler_and_how_to_get_one(
    start: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _python_that(start, monkeypatch, fails="_native")
    monkeypatch.setattr(start.shutil, "which", lambda name: None)  # pyright: ignore
    assert start.tell_of_missing_engine() is True
    told = capsys.readouterr().out
    assert told.count("No C++ compiler was found") == 1
    assert "sudo apt-get install g++, then run this again" in told
    assert "reference engine is used" in told


def test_start_says_that_the_headers_of_python_are_missing(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _python_that(start, monkeypatch, fails="Python.h")
    assert "No Python.h was found" in start.what_is_missing()
    assert "apt-get install python3-dev," in start.what_is_missing()
    monkeypatch.setattr(start.shutil, "which", lambda name: None)  # pyright: ignore
    assert "No C++ compiler and no Python.h was found" in start.what_is_missing()
    assert "apt-get install g++ python3-dev," in start.what_is_missing()


def test_start_says_how_to_see_why_the_engine_did_not_compile(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _python_that(start, monkeypatch, fails="_native")
    assert "CHAINRULE_REQUIRE_NATIVE=1 python3 start.py" in start.what_is_missing()


def test_an_engine_that_does_not_compile_is_passed_over_only_where_it_is_not_required() -> None:
    (override,) = PYPROJECT["tool"]["scikit-build"]["overrides"]
    assert override == {"if": {"failed": True, "env": {"CHAINRULE_REQUIRE_NATIVE": False}}, "wheel": {"cmake": False}}


def test_the_engine_is_compiled_without_what_changes_results() -> None:
    flags = (ROOT / "native" / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "-ffp-contract=off" in flags
    assert "fast-math" not in flags
    assert "-march=native" not in flags


def test_no_instruction_set_defines_a_function_that_others_may_get() -> None:
    """Of a function that several objects define the linker keeps one: it could be one that the processor cannot run."""
    objects = [*ROOT.glob("build/*/engine/CMakeFiles/engine_avx*/**/*.o")]
    nm = shutil.which("nm")
    if nm is None or not objects:
        pytest.skip("no nm, or the engine was compiled elsewhere")
    for path in objects:
        isa = path.relative_to(ROOT).parts[4].split("_")[1]
        lines = subprocess.check_output([nm, "-C", "--defined-only", path], text=True).splitlines()
        functions = [name for _, kind, name in (line.split(" ", 2) for line in lines) if kind in "TWiu"]
        assert functions
        assert [name for name in functions if f"chainrule::{isa}::" not in name] == []
