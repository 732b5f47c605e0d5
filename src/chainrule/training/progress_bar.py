"""A bar that shows how far a training run is, in a terminal and in a notebook."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic

from chainrule.training.loop import Progress, Watcher

_EVERY = 0.2  # seconds between two lines in a notebook
_WIDTH = 16


@contextmanager
def progress_bar(
    epochs: int, steps_per_epoch: int, figure: str | None = None, at_most: bool = False
) -> Generator[Watcher | None]:
    """A watcher that draws it on standard error, or below a notebook's cell; None where neither can show it.

    It has the time that is left, ``at_most`` where training may end earlier; the cost; and one figure over the
    validation examples, or the rate where none is named.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if console.is_jupyter:  # where Rich needs widgets, which may not be there
        line = _Line(epochs, figure, at_most)
        try:
            yield line.watch
        finally:
            line.end()
        return
    if not sys.stderr.isatty():
        yield None
        return
    bar = Bar(
        TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        BarColumn(bar_width=_WIDTH),
        *([TextColumn("at most")] if at_most else []),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[told]}"),
        console=console,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=epochs * steps_per_epoch, epoch=0, epochs=epochs, told="")

        def watch(progress: Progress) -> None:
            epoch = min(progress.epoch + 1, epochs)
            bar.update(task, completed=progress.step, epoch=epoch, told=_told(progress, figure))

        yield watch


class _Line:
    """The same as one line of text, which is written again and again."""

    def __init__(self, epochs: int, figure: str | None, at_most: bool) -> None:
        self._epochs = epochs
        self._figure = figure
        self._at_most = "at most " if at_most else ""
        self._start = monotonic()
        self._due = self._start
        self._length = 0

    def watch(self, progress: Progress) -> None:
        now = monotonic()
        if now < self._due and progress.step < progress.steps:
            return
        self._due = now + _EVERY
        left = round((now - self._start) * (progress.steps - progress.step) / progress.step)
        filled = _WIDTH * progress.step // progress.steps
        line = (
            f"epoch {min(progress.epoch + 1, self._epochs)}/{self._epochs} {'━' * filled}{'─' * (_WIDTH - filled)} "
            f"{self._at_most}{left // 60:02}:{left % 60:02} {_told(progress, self._figure)}"
        )
        print(f"\r{line:{self._length}}", end="", file=sys.stderr, flush=True)
        self._length = len(line)

    def end(self) -> None:
        """The line stays, as all that a cell has said does."""
        print(file=sys.stderr)


def _told(progress: Progress, figure: str | None) -> str:
    more = f"{progress.rate:,.0f} examples/s" if figure is None else ""
    if figure is not None and figure in progress.figures:
        more = f"validation {figure} {progress.figures[figure]:.4g}"
    return f"C = {progress.cost:.4g}  {more}"
