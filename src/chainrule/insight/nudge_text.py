"""A nudge as plain text that a newcomer can read: what was predicted, what happened, and how the two differ."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import floor, isfinite, log10
from textwrap import wrap

from chainrule.insight.nudge import Nudge, Step, Trial
from chainrule.render.numbers import close, significant
from chainrule.render.text import COLUMNS, columns, printable, width

_DIGITS = 8
_MOST_DIGITS = 12
_FEWEST_DIGITS = 3
_HEADLINE_DIGITS = 4
_REMAINDER_DIGITS = 4  # a remainder is small: so many of its digits are worth more digits of what it is the rest of
_FLOAT_DIGITS = 14  # beyond these, digits are the machine's affair


def text(n: Nudge) -> str:
    """The whole nudge; see :class:`Nudge` for what it contains."""
    parts = [headline(n), _meanings(n), _chain(n), _trials(n), wrap(_conclusion(n), COLUMNS)]
    parts += [wrap(f"note: {printable(note)}", COLUMNS) for note in n.notes]
    return "\n\n".join("\n".join(part) for part in parts if part)


def headline(n: Nudge) -> list[str]:
    """What was done, what was predicted and what happened: in one line where it fits 80 columns, else in two."""
    verb = "raise" if n.by > 0 else "lower"
    done = f"{verb} {n.wrt} by {significant(abs(n.by))}" + (
        f" in each of {n.n_examples:,} examples" if n.n_examples > 1 and n.wrt[0] in "azx" else ""
    )
    digits = max(_HEADLINE_DIGITS, min(_DIGITS, _wanted(n.predicted, n.remainder, n.rounding) - 2))
    predicted, _, actual = _closed(n.predicted, n.actual, _digits(n.chain[-1], digits))
    mean = "the mean of " if n.n_examples > 1 and n.of[0] in "az" else ""
    happened = f"{mean}{n.of} {_moves(actual)}"
    if predicted == actual:
        happened += ", as the tangent predicts"
    elif predicted.startswith("-") == actual.startswith("-") and "0" not in (predicted, actual):
        happened += f" (the tangent predicts {predicted.lstrip('+-')})"
    else:
        happened += f" (the tangent predicts that it {_moves(predicted)})"
    line = f"{done}: {happened}"
    return [line] if width(line) <= COLUMNS else [f"{done}:", *wrap(happened, COLUMNS)]


def _moves(change: str) -> str:
    if change == "0":
        return "does not change"
    if change.lstrip("+-")[:1].isdigit():
        return ("falls" if change.startswith("-") else "rises") + f" by {change.lstrip('+-')}"
    return f"changes by {change}"


def _meanings(n: Nudge) -> list[str]:
    """What the input is called in the data, on as many lines as there is to say."""
    lines = [f"{name} is {printable(meaning)}" for name, meaning in n.meanings.items()]
    return [part for line in lines for part in wrap(line, COLUMNS)]


# numbers that add up -------------------------------------------------------------------------------


def _closed(predicted: float, actual: float, digits: int) -> tuple[str, str, str]:
    """Predicted, the difference, and actual: the difference is exactly that of the two as they are printed."""
    closed = close([predicted], actual, digits)
    return closed.terms[0], closed.rest or significant(actual - predicted), closed.total


def _exponent(value: float) -> int:
    return floor(log10(abs(value))) if value and isfinite(value) else 0


def _digits(step: Step, most: int) -> int:
    """How many digits a step's changes are worth: no more than float64 has of a difference of its values."""
    largest = max(abs(step.predicted), abs(step.change))
    known = _exponent(largest) - _exponent(max(abs(step.before), largest)) + _FLOAT_DIGITS
    return max(1, min(most, known))


def _fitting(table: Callable[[int], list[str]], digits: int) -> list[str]:
    """The table with as many digits as fit into 80 columns."""
    for fewer in range(min(digits, _MOST_DIGITS), _FEWEST_DIGITS, -1):
        lines = table(fewer)
        if max(map(width, lines)) <= COLUMNS:
            return lines
    return table(_FEWEST_DIGITS)


# the chain -----------------------------------------------------------------------------------------


def _chain(n: Nudge) -> list[str]:
    *inner, end = n.chain
    digits = max(_DIGITS, _wanted(end.predicted, n.remainder, n.rounding))
    title = f"Step by step: the derivative of each with respect to {n.wrt}, times {significant(n.by)}, against"
    title += " what happens"
    if n.n_examples > 1:
        title += f" (z, a and C: means over {n.n_examples:,} examples)"
    return [*wrap(title, COLUMNS), *_fitting(lambda d: _chain_table(n, inner, end, d), digits)]


def _chain_table(n: Nudge, inner: Sequence[Step], end: Step, digits: int) -> list[str]:
    rows = [["step", "predicted", "actual", "differs by"]]
    parts = list(inner[-2:]) if n.penalty else []
    plain = inner[:-2] if n.penalty else inner
    for at, step in enumerate(plain):
        rows.append(_row(step, digits))
        node = step.node.partition("[")[0]
        following = plain[at + 1].node.partition("[")[0] if at + 1 < len(plain) else ""
        if node in n.hidden and following != node:
            rows.append([f"… {n.hidden[node]:,} more {node}", "", "", ""])
    unit = _unit([*parts, end], digits)
    ends = [*parts, end]
    cells = [_row(step, digits, unit) for step in ends]
    if parts and all(isfinite(x) for step in ends for x in (step.predicted, step.change)):
        lost = Step("rounding", end.before, *(_left([float(row[c]) for row in cells], unit) for c in (1, 2)))
        if lost.predicted or lost.change:
            cells.insert(len(parts), _row(lost, digits, unit))
    return columns([*rows, *cells], right=(False, True, True, True), indent="  ")


def _row(step: Step, digits: int, unit: int | None = None) -> list[str]:
    """A step's line; with ``unit``, the exponent of the last decimal."""
    known = _digits(step, digits)
    if unit is not None:
        known = max(1, _exponent(max(abs(step.predicted), abs(step.change))) - unit + 1)
    predicted, differs, actual = _closed(step.predicted, step.change, known)
    return [step.node, predicted, actual, differs]


def _unit(steps: Sequence[Step], digits: int) -> int:
    """The exponent of the last decimal that parts and their sum are printed to."""
    largest = max(steps, key=lambda step: max(abs(step.predicted), abs(step.change)))
    return _exponent(max(abs(largest.predicted), abs(largest.change))) - _digits(largest, digits) + 1


def _left(column: Sequence[float], unit: int) -> float:
    """What is missing between printed parts and their printed sum, a whole number of units of the last decimal."""
    *parts, total = column
    units = round((total - sum(parts)) / 10.0**unit)
    return float(f"{units}e{unit}")


# the remainder -------------------------------------------------------------------------------------


def _wanted(predicted: float, remainder: float, rounding: float) -> int:
    """How many digits show some digits of the remainder; none are wanted of one that is rounding."""
    if not abs(remainder) > rounding or not predicted:
        return 0
    return _exponent(predicted) - _exponent(remainder) + _REMAINDER_DIGITS


def _trials(n: Nudge) -> list[str]:
    if not any(trial.shows for trial in n.trials):
        return []
    digits = max(_DIGITS, *(_wanted(t.predicted, t.remainder, t.rounding) for t in n.trials))
    title = "The remainder, actual − predicted, when the nudge h is halved"
    return [title, *_fitting(lambda d: _trial_table(n.trials, n.chain[-1], d), digits)]


def _trial_table(trials: Sequence[Trial], end: Step, digits: int) -> list[str]:
    kinks = any(trial.kinked for trial in trials)
    rows = [["h", "predicted", "actual", "remainder", "remainder/h²", *([""] * kinks)]]
    for trial in trials:
        known = _digits(Step("", end.before, trial.predicted, trial.actual), digits)
        predicted, remainder, actual = _closed(trial.predicted, trial.actual, known)
        ratio = significant(trial.over_square, _telling(trial))
        shown = [remainder, ratio] if trial.shows else ["rounding", ""]
        where = ["across a kink" if trial.kinked else ""] * kinks
        rows.append([significant(trial.by, 6), predicted, actual, *shown, *where])
    return columns(rows, right=(False, True, True, True, True, *([False] * kinks)), indent="  ")


def _telling(trial: Trial) -> int:
    """How many digits of a remainder are not rounding."""
    if not trial.rounding:
        return _REMAINDER_DIGITS
    return max(1, min(_REMAINDER_DIGITS, floor(log10(abs(trial.remainder) / trial.rounding) if trial.shows else 0) + 1))


# what it means -------------------------------------------------------------------------------------


def _conclusion(n: Nudge) -> str:
    if not all(isfinite(x) for x in (n.predicted, n.actual)):
        return "Beyond what float64 can hold."
    if n.predicted == 0 == n.actual and all(step.change == 0 for step in n.chain[1:]):
        return f"Nothing moves: {n.of} does not depend on {n.wrt} here."
    shown = [trial for trial in n.trials if trial.shows]
    if not shown:
        return (
            f"No remainder shows: less than {significant(n.rounding, 2)}, which rounding in float64 alone can make. "
            f"Either {n.of} is straight along {n.wrt}, or h is too small to see it bend."
        )
    if any(trial.kinked for trial in n.trials):
        before = [trial for trial in n.trials if not trial.kinked]
        clean = "Take a smaller h to stop before it."
        if before:
            off = f"the tangent is off by {_estimate(n)}" if n.second_order is not None else "no remainder shows"
            clean = f"For h = {significant(before[0].by, 6)}, which stops before it, {off}."
        return (
            f"A kink lies on the way: beyond it another branch of the function holds, and the remainder need not "
            f"become a quarter when h is halved. {clean}"
        )
    falls = [big.remainder / small.remainder for big, small in pairwise(shown)]
    if not falls:
        return f"The tangent is off by {_estimate(n)}; for half of h, rounding hides how much less it is."
    if all(3 < fall < 5 for fall in falls):
        return (
            f"Halve h and the remainder becomes a quarter: the tangent's error is of second order, {_estimate(n)}. "
            f"The smaller the nudge, the better the derivative tells what happens."
        )
    by = ", then by ".join(significant(fall, 3) for fall in falls)
    return (
        f"Halving h divides the remainder by {by}. It tends to 4, an error of second order ({_estimate(n)}), once h is "
        f"so small that the bend itself hardly changes along it."
    )


def _estimate(n: Nudge) -> str:
    """The remainder as a multiple of h²."""
    telling = [trial for trial in n.trials if trial.shows and not trial.kinked]
    half = significant(telling[-1].over_square, min(3, _telling(telling[-1])))
    return f"about {half}·h², and {half} estimates ½ ∂²{n.of}/∂{n.wrt}²"
