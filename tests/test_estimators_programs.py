"""Programs in the style that people publish reach with our estimators what they reach with scikit-learn's.

Each file in ``programs/`` has a function ``program(seed)`` that trains and returns a score. Only its import is changed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")
pytest.importorskip("pandas", reason="pandas is not installed")

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
THEIRS = "from sklearn.neural_network import MLP"
OURS = "from chainrule import MLP"

BY_LINE_SEARCH = {"linear_lbfgs", "moons"}
"""L-BFGS may take another way, so that only what it comes to is the same."""

WITHIN = 1e-9
"""The same steps: at most 3,000, each off by the rounding of 100 sums: 3000·100·ε < 1e-10; a score by 10 times that."""


def program(path: Path, ours: bool) -> Callable[[int], float]:
    source = path.read_text(encoding="utf-8")
    assert source.count(THEIRS) == 1
    names: dict[str, Any] = {}
    exec(compile(source.replace(THEIRS, OURS) if ours else source, path.name, "exec"), names)
    return names["program"]


def test_there_are_thirty() -> None:
    assert len(PROGRAMS) >= 30


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_reaches_the_same_score_with_only_its_import_changed(path: Path, pytestconfig: pytest.Config) -> None:
    seeds = range(int(str(pytestconfig.getoption("--seeds"))))
    theirs, ours = ([float(run(seed)) for seed in seeds] for run in (program(path, False), program(path, True)))
    assert min(theirs) - WITHIN <= sum(ours) / len(ours) <= max(theirs) + WITHIN
    if path.stem not in BY_LINE_SEARCH:
        assert ours == pytest.approx(theirs, rel=WITHIN, abs=WITHIN)
