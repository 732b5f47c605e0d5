"""What was measured of a training step, as text for a terminal."""

from textwrap import wrap
from typing import TYPE_CHECKING

from chainrule.render.numbers import percent, significant
from chainrule.render.text import COLUMNS, columns

if TYPE_CHECKING:
    from chainrule.training.bench import Bench, Times

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def text(bench: "Bench") -> str:
    """The network, the times of a step and of a gradient, and how far the machine could go."""
    network = bench.network
    names = "-".join(map(str, network.sizes))
    hidden = dict.fromkeys(network.activation[:-1])
    activation = [*hidden, network.activation[-1]] if len(hidden) < 2 else network.activation
    threads = f"{bench.threads} thread{'s' * (bench.threads > 1)}"
    rows = [["", "median", "least", "most", ""], _row("one step", bench.step, "")]
    rows.append(_row("one gradient", bench.gradient, ""))
    if bench.reference is not None and bench.times_reference is not None:
        ratio = f"{significant(bench.times_reference, 3)} times as long"
        rows.append(_row("reference engine's step", bench.reference, ratio))
    peaks = [
        [f"{'sgemm' if bench.dtype == 'float32' else 'dgemm'}, {name}", f"{rate(value)}flop/s"]
        for name, value in bench.peaks.items()
    ]
    limits = [
        *peaks,
        ["memory", f"{rate(bench.bandwidth)}B/s"],
        ["last cache", f"{bench.cache / 2**20:.0f} MiB"],
        ["a step needs", f"{rate(bench.flops)}flop, {_moved(bench.bytes)}"],
        ["so it takes at least", duration(bench.limit)],
        ["share of the limit", percent(bench.share_of_limit)],
    ]
    return "\n".join(
        [
            *wrap(f"{names} ({', '.join(activation)}; {network.cost})", COLUMNS),
            f"{bench.optimizer}, {bench.dtype}, batches of {bench.batch_size:,} of {bench.examples:,} made-up examples",
            f"{bench.engine} engine, {bench.instruction_set}, up to {threads}; {len(bench.step.rounds)} rounds",
            "",
            *columns(rows, right=[False, True, True, True, False]),
            "",
            f"{_examples(bench.examples_per_second)} examples/s, {rate(bench.flops_per_second)}flop/s",
            "",
            "The limit, as this machine was just now:",
            *columns(limits, right=[False, False]),
            *(line for note in bench.notes for line in wrap(f"note: {note}", COLUMNS)),
        ]
    )


def _row(name: str, times: "Times", remark: str) -> list[str]:
    return [name, duration(times.median), duration(times.least), duration(times.most), remark]


def _examples(n: float) -> str:
    return f"{float(f'{n:.3g}'):,.0f}" if n >= 100 else significant(n, 3)


def _moved(n: int) -> str:
    return f"{rate(n)}B from memory" if n else "and its data stay in the cache"


def duration(seconds: float) -> str:
    """Three digits and a unit: 12.3 µs."""
    units = ((1.0, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns"))
    factor, unit = next((pair for pair in units if seconds * pair[0] >= 1), units[-1])
    return f"{_three(seconds * factor)} {unit}"


def rate(value: float) -> str:
    """Three digits and a prefix, to stand before a unit: 41.2 G."""
    factor, prefix = next(((factor, prefix) for factor, prefix in _PREFIXES if value >= factor), (1.0, ""))
    return f"{_three(value / factor)} {prefix}"


def _three(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
