"""Pictures of curves, through matplotlib: the one module that knows it."""

from collections.abc import Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from chainrule.errors import FileError, MissingExtraError

FORMATS = (".svg", ".png", ".pdf")


def check_plot(path: Path) -> None:
    """Raise now if :func:`cost_curve` could not draw a picture of this name."""
    if path.suffix.lower() not in FORMATS:
        raise FileError(f"{path}: unknown kind of picture {path.suffix!r}; known: {', '.join(FORMATS)}")
    if find_spec("matplotlib") is None:
        raise MissingExtraError("--plot needs matplotlib: pip install 'chainrule[plots]'")


def cost_curve(costs: Sequence[float], title: str, kind: str) -> bytes:
    """The mean training cost of each epoch, as a picture of the kind ".svg", ".png" or ".pdf"."""
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(range(1, len(costs) + 1), costs, color="#1f6feb", marker="." if len(costs) < 30 else None)
    axes.set(title=title, xlabel="epoch", ylabel="mean training cost C", yscale="log")
    axes.grid(alpha=0.3)
    buffer = BytesIO()
    figure.savefig(buffer, format=kind.lstrip("."), metadata={"Title": title})
    return buffer.getvalue()
