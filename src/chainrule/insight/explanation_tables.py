"""The tables of an explanation, as they are in every format: what is shown, to how many digits, so that it adds up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from chainrule.insight.explanation import Contribution, Explanation, Sum
from chainrule.insight.explanation_words import directions
from chainrule.render.numbers import PRODUCT_DIGITS, Closed, close, significant

SHOWN_TERMS = 8
_MEAN_DIGITS = 7  # the averaged table has one more column to fit into 80


@dataclass(frozen=True)
class Cell:
    """A formula, a printed number, or words; ``sign`` stands before it, such as × or =."""

    kind: Literal["formula", "number", "words"]
    text: str
    sign: str = ""


@dataclass(frozen=True)
class Row:
    """A row: a part, the total, or, as one cell alone, a heading of those below; ``meaning`` is a sentence on it."""

    cells: tuple[Cell, ...]
    kind: Literal["part", "total", "heading"] = "part"
    meaning: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a header of as many cells; no header where the rows explain themselves."""

    header: tuple[Cell, ...]
    rows: tuple[Row, ...]


def formula(text: str, sign: str = "") -> Cell:
    """A formula."""
    return Cell("formula", text, sign)


def number(text: str) -> Cell:
    """A number as it is printed."""
    return Cell("number", text)


def words(text: str, sign: str = "") -> Cell:
    """A word or two."""
    return Cell("words", text, sign)


def product(e: Explanation) -> Table:
    """The factors, from the one nearest the target to the one nearest the cost, each with what it means here."""
    whole, opened = f"∂{e.of}/∂{e.wrt}", {s.total.symbol for s in e.sums}
    rows: list[Row] = []
    for at, f in enumerate(reversed(e.factors)):
        below = ", below" if f.symbol in opened and f.formula.startswith("Σ over") else ""
        cells = (words("×" if at else " "), formula(f.symbol), formula(f.formula + below, "= "))
        rows.append(Row((*cells, number(significant(f.value))), meaning=f.meaning))
    if e.penalty:
        closed = close([e.value - e.penalty.value, e.penalty.value], e.value)
        rows.append(Row((words("="), words("from the example"), words(""), number(closed.terms[0])), meaning=e.reason))
        own = formula(e.penalty.formula, "= ")
        rows.append(Row((words("+"), formula(e.penalty.symbol), own, number(closed.terms[1])), meaning="the penalty"))
        if not closed.rest_is_zero:
            rows.append(Row((words("+"), words("rounding"), words(""), number(closed.rest))))
        rows.append(Row((words("="), formula(whole), words(""), number(closed.total)), "total"))
    elif len(rows) > 1:
        total = number(significant(e.value, PRODUCT_DIGITS))
        rows.append(Row((words("="), formula(whole), words(""), total), "total", e.reason))
    return Table((), tuple(rows))


def sum_over_layer(s: Sum) -> Table:
    """The largest terms of a sum in the neurons' order, a row for the others, and the sum."""
    terms = sorted(s.terms, key=lambda term: -abs(term.value))[:SHOWN_TERMS]
    if len(s.terms) > SHOWN_TERMS:
        terms = [term for term in terms if term.value] or terms[:1]
    terms.sort(key=lambda term: term.neuron)
    closed = close([term.value for term in terms], s.total.value)
    rows = [
        Row((words(str(term.neuron)), *(number(significant(f.value)) for f in term.factors), number(part)))
        for term, part in zip(terms, closed.terms, strict=True)
    ]
    rows += _last_rows(closed, len(s.terms) - len(terms), len(s.columns))
    return Table((formula(s.index), *_factors(s.columns), words("term", "= ")), tuple(rows))


def outputs(e: Explanation) -> Table:
    """The outputs whose ∂C/∂a is the largest, in their order."""
    L = e.outputs[0].layer
    largest = sorted(e.outputs, key=lambda output: -abs(output.dC_da))[:SHOWN_TERMS]
    rows = [
        Row((words(str(o.neuron)), *(number(significant(x)) for x in (o.a, o.y, o.dC_da))))
        for o in sorted(largest, key=lambda output: output.neuron)
    ]
    if hidden := len(e.outputs) - len(rows):
        rows.append(Row((words(f"… {hidden:,} more"), *[number("")] * 3)))
    names = (formula(name) for name in (f"a{L}[j]", "y[j]", f"∂{e.of}/∂a{L}[j]"))
    return Table((formula("j"), *names), tuple(rows))


def mean(e: Explanation) -> Table:
    """The examples that push the most, down and up, the penalty, a row for the others, and the mean."""
    parts = [c.contribution for c in e.examples] + ([e.penalty.value] if e.penalty else [])
    closed = close(parts, e.value, _MEAN_DIGITS - 1)
    rows = [*_contributions(e, closed)]
    blank = [number("")] * (len(e.columns) + 1)
    if e.penalty:
        rows.append(Row((words("penalty"), *blank, number(closed.terms[-1]))))
    rows += _last_rows(closed, e.rest.count if e.rest else 0, len(e.columns) + 1)
    header = (formula("i"), *_factors(e.columns[::-1]), words("share", "× "), words("part", "= "))
    return Table(header, tuple(rows))


def _contributions(e: Explanation, closed: Closed) -> Iterator[Row]:
    down, up, still = directions(e)
    heading = ""
    for c, part in zip(e.examples, closed.terms, strict=False):
        direction = down if c.contribution > 0 else up if c.contribution < 0 else still
        if direction != heading:
            heading = direction
            yield Row((words(heading),), "heading")
        factors = (number(significant(f.value, _MEAN_DIGITS)) for f in reversed(c.factors))
        yield Row((words(str(c.example)), *factors, number(_share(e, c)), number(part)))


def _share(e: Explanation, c: Contribution) -> str:
    """What an example counts for: 1/n where all count the same."""
    equal = all(other.share == 1 / e.n_examples for other in e.examples)
    return f"1/{e.n_examples}" if equal else significant(c.share, _MEAN_DIGITS)


def _factors(names: Sequence[str]) -> Iterator[Cell]:
    return (formula(name, "× " if at else "") for at, name in enumerate(names))


def _last_rows(closed: Closed, hidden: int, between: int) -> Iterator[Row]:
    """What is not shown, or what rounding lost, and the total."""
    blank = [number("")] * between
    if hidden or not closed.rest_is_zero:
        yield Row((words(f"… {hidden:,} more" if hidden else "rounding"), *blank, number(closed.rest)))
    yield Row((words("sum"), *blank, number(closed.total)), "total")
