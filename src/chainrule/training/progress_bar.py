"""A bar that shows how far a training run is, in a terminal and in a notebook."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from chainrule.training.loop import Progress, Watcher


@contextmanager
def progress_bar(epochs: int, steps_per_epoch: int, patience: int | None = None) -> Generator[Watcher | None]:
    """A watcher that draws it on standard error, or below a notebook's cell; None where neither can show it.

    It has the cost, the figures over the validation examples, the rate, and the time that is left: at most that, where
    ``patience`` may end training earlier.
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
        BarColumn(),
        TextColumn("{task.fields[cost]}"),
        TextColumn("{task.fields[rate]:,.0f} examples/s"),
        *([] if patience is None else [TextColumn("at most")]),
        TimeRemainingColumn(),
        console=console,
        transient=not console.is_jupyter,
    )
    with bar:
        task = bar.add_task("", total=epochs * steps_per_epoch, epoch=0, epochs=epochs, cost="", rate=0.0)

        def watch(progress: Progress) -> None:
            cost = f"C = {progress.cost:.4g}" + "".join(f", {name} {x:.4g}" for name, x in progress.figures.items())
            epoch = min(progress.epoch + 1, epochs)
            bar.update(task, completed=progress.step, epoch=epoch, cost=cost, rate=progress.rate)

        yield watch
