"""A terminal shows how far a training is; what is no terminal shows nothing."""

import os
import pty
import re
import select
import sys
from time import monotonic
from typing import Any

import numpy as np
import pytest

from chainrule import Settings, Table, train
from chainrule.errors import InputError

PROGRAM = """
import numpy as np, chainrule
table = chainrule.Table("t", {"x": np.arange(1000.0), "y": np.arange(1000.0) % 97 / 3}, target=("y",))
chainrule.train(table, chainrule.Settings(SETTINGS), progress=True)
"""


def _shown(settings: str) -> str:
    """What a terminal of 80 columns is sent, without the codes that steer it."""
    command = [sys.executable, "-c", PROGRAM.replace("SETTINGS", settings)]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"COLUMNS": "80", "CHAINRULE_ENGINE": "reference"}  # not too fast to be seen
        os.execv(sys.executable, command)
    sent, end = b"", monotonic() + 60
    while monotonic() < end and select.select([terminal], [], [], 30)[0]:
        try:
            sent += os.read(terminal, 65536)
        except OSError:  # it has ended
            break
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent.decode(errors="replace"))
    assert status == 0, text
    assert all(len(line) <= 80 for line in re.split(r"[\r\n]+", text))
    return text


def test_a_terminal_shows_epochs_the_time_left_the_cost_and_the_rate() -> None:
    shown = _shown("hidden=(4,), epochs=300")
    assert re.search(r"epoch \d+/300 \S+ +(\d\d:\d\d|--:--) C = [\d.e-]+ +[\d,]+ examples/s", shown), shown[-2000:]
    assert "at most" not in shown


def test_with_early_stopping_it_shows_what_that_goes_by_and_that_it_may_end_earlier() -> None:
    shown = _shown('hidden=(4,), epochs=300, patience=290, metric="rmse"')
    assert re.search(r"epoch \d+/300 \S+ +at most (\d\d:\d\d|--:--) C = \S+ +validation rmse [\d.]+", shown), shown[
        -2000:
    ]


def test_what_is_no_terminal_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    table = Table("t", {"x": np.arange(60.0), "y": np.arange(60) / 7}, target=("y",))
    train(table, Settings(epochs=2), progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("changes", [{}, {"patience": 2, "metric": "rmse"}])
def test_a_notebook_shows_the_same_in_a_line_that_is_written_again(
    changes: dict[str, Any], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("chainrule.training.progress_bar._EVERY", 0.0)
    table = Table("t", {"x": np.arange(60.0), "y": np.arange(60) / 7}, target=("y",))
    trained = train(table, Settings(epochs=20, **changes), progress=True)
    printed, told = capfd.readouterr()
    assert printed == ""
    assert told.endswith("\n")
    lines = told.rstrip("\n").split("\r")[1:]
    end = r"at most \d\d:\d\d C = \S+ +validation rmse \S+" if changes else r"\d\d:\d\d C = \S+ +[\d,]+ examples/s"
    assert all(re.match(r"epoch \d+/20 [━─]{16} (at most )?\d\d:\d\d C = ", line) for line in lines)
    assert re.match(rf"epoch {min(trained.epochs + 1, 20)}/20 ", lines[-1])
    assert re.search(end, lines[-1])
    assert all(len(line) <= 80 for line in lines)


def test_a_bar_and_a_watcher_are_not_both_taken() -> None:
    table = Table("t", {"x": np.arange(60.0), "y": np.arange(60) / 7}, target=("y",))
    with pytest.raises(InputError, match="progress: True is not something that goes with a watcher; leave one out"):
        train(table, Settings(epochs=2), lambda _: None, progress=True)
