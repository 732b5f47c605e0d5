"""A bar that shows how far a training run is, in a terminal and in a notebook."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from chainrule.training.loop import Progress, Watcher


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
    if not (console.is_jupyter or sys.stderr.isatty()):
        yield None
        return
    bar = Bar(
        TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
        BarColumn(bar_width=16),
        *([TextColumn("at most")] if at_most else []),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[told]}"),
        console=console,
        transient=not console.is_jupyter,
    )
    with bar:
        task = bar.add_task("", total=epochs * steps_per_epoch, epoch=0, epochs=epochs, told="")

        def watch(progress: Progress) -> None:
            more = f"{progress.rate:,.0f} examples/s" if figure is None else ""
            if figure is not None and figure in progress.figures:
                more = f"validation {figure} {progress.figures[figure]:.4g}"
            epoch, told = min(progress.epoch + 1, epochs), f"C = {progress.cost:.4g}  {more}"
            bar.update(task, completed=progress.step, epoch=epoch, told=told)

        yield watch
