"""An explanation as plain text that a newcomer to the article can read, in the article's order of factors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log10
from textwrap import wrap

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.insight.explanation import Contribution, Explanation, Output, Step, Sum, Term
from chainrule.render.formula import symbols
from chainrule.render.numbers import PRODUCT_DIGITS, Closed, close, significant
from chainrule.render.text import COLUMNS, columns, printable, width

SHOWN_TERMS = 8
AGREES = 1e-9
"""What rounding can do to a badly conditioned network; a mistake does more."""

_ROUNDING = 1e-15  # below this, which digit differs is the machine's affair
_MEAN_DIGITS = 7  # the averaged table has one more column to fit into 80
_INDENT = "      "


def text(e: Explanation) -> str:
    """The whole explanation; see :class:`Explanation` for what it contains."""
    parts = [_headline(e), _context(e)]
    if e.examples:
        parts += [_mean(e)]
    else:
        parts += [_product(e), _steps(e), *(_sum(e, s) for s in e.sums), _outputs(e)]
    parts += [[line for note in e.notes for line in wrap(f"note: {note}", COLUMNS)]]
    parts += [wrap(checked(e), COLUMNS)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def equations_text(e: Explanation) -> str:
    """The three spellings of the derivative, one below the other."""
    eq = e.equations
    numbers = numbers_in_line(e)
    parts = [
        ["Entry by entry", *_indented(map(symbols, eq.general))],
        [f"For {e.wrt}", *_indented([symbols(eq.unrolled), *([numbers] if numbers else [])])],
    ]
    if eq.matrix:
        rows = [[symbols(line.formula), line.shapes] for line in eq.matrix]
        parts.append(["With matrices, and their shapes", *columns(rows, right=(False, False), indent="  ")])
    parts.append(["With NumPy", *_indented(eq.numpy.splitlines())])
    return "\n\n".join("\n".join(part) for part in parts)


def numbers_in_line(e: Explanation) -> str:
    """The product with its numbers: = 0.05 × 0.241300709 × …; nothing where there is no product."""
    if len(e.factors) < 2 or e.penalty:
        return ""
    numbers = (significant(f.value) for f in reversed(e.factors))
    product = " × ".join(f"({number})" if number.startswith("-") else number for number in numbers)
    return f"= {product} = {significant(e.value, PRODUCT_DIGITS)}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]


def _headline(e: Explanation) -> list[str]:
    derivative = f"∂{e.of}/∂{e.wrt} = {significant(e.value, PRODUCT_DIGITS)}"
    line = f"{derivative}      {in_words(e)}"
    return [line] if width(line) <= COLUMNS else [derivative, in_words(e)]


def in_words(e: Explanation) -> str:
    """What the derivative says."""
    if e.n_examples > 1:
        return f"the mean over {e.n_examples:,} examples"
    if not e.value:
        return f"{e.of} does not react to a small change of {e.wrt}"
    if not isfinite(e.value):
        return "beyond what float64 can hold"
    direction = "rises" if e.value > 0 else "falls"
    return f"raise {e.wrt} by 0.01: {e.of} {direction} by about {significant(abs(e.value) / 100, 2)}"


def _context(e: Explanation) -> list[str]:
    lines = [f"{name} is {printable(meaning)}" for name, meaning in (e.meanings or {}).items()]
    if e.context:
        lines.append("with " + ", ".join(f"{name} = {significant(x)}" for name, x in e.context.items()))
    if e.activation:
        lines.append(activation_text(e.activation))
    return lines


def activation_text(name: str) -> str:
    """σ and σ′ by their formulas."""
    σ = ACTIVATIONS[name]
    slope = f", σ′(z) = {σ.derivative_formula}" if σ.elementwise else ""
    return f"σ is {σ.name}: σ(z) = {σ.formula}{slope}"


def checked(e: Explanation) -> str:
    """The line that tells what the independent check found."""
    if e.check is None:
        return "not checked: float64 cannot hold what the check needs here; --proof checks in decimal arithmetic"
    if e.check.difference > AGREES:
        again, off = significant(e.check.value, PRODUCT_DIGITS), significant(e.check.difference, 2)
        return f"checked: {e.check.method} differs, it gives {again} (off by {off} of the terms)"
    within = 10.0 ** ceil(log10(max(e.check.difference, _ROUNDING)))
    return f"checked: {e.check.method} agrees within {within:.0e}"


def _product(e: Explanation) -> list[str]:
    """The factors, from the one nearest the weight to the one nearest the cost, each with what it means here."""
    summed = {s.total.symbol for s in e.sums}
    rows: list[list[str]] = []
    meanings: list[str] = []
    for at, f in enumerate(reversed(e.factors)):
        formula = f"{f.formula}, below" if f.symbol in summed and f.formula.startswith("Σ over") else f.formula
        rows.append(["×" if at else " ", f.symbol, f"= {formula}", significant(f.value)])
        meanings.append(f.meaning)
    if e.penalty is None:
        if len(rows) > 1:
            rows.append(["=", f"∂{e.of}/∂{e.wrt}", "", significant(e.value, PRODUCT_DIGITS)])
            meanings.append(e.reason)
    else:
        data = e.value - e.penalty.value
        closed = close([data, e.penalty.value], e.value)
        rows.append(["=", "from the example", "", closed.terms[0]])
        rows.append(["+", e.penalty.symbol, f"= {e.penalty.formula}", closed.terms[1]])
        rows += [["+", "rounding", "", closed.rest]] * (not closed.rest_is_zero)
        rows.append(["=", f"∂{e.of}/∂{e.wrt}", "", closed.total])
        meanings += [e.reason]
    lines = columns(rows, right=(False, False, False, False))
    meanings += [""] * (len(lines) - len(meanings))
    return [part for line, told in zip(lines, meanings, strict=True) for part in (line, *_told(told))]


def _told(meaning: str) -> list[str]:
    return wrap(meaning, COLUMNS, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _steps(e: Explanation) -> list[str]:
    if not e.steps:
        return []
    return [
        "σ′ and the slope of this cost make a product simpler than either:",
        *step_lines(e.steps),
    ]


def step_lines(steps: Sequence[Step]) -> list[str]:
    """A rearrangement, each line the same number."""
    lines: list[str] = []
    for step in steps:
        lines += [f"  = {step.formula}"]
        lines += [f"{_INDENT}= {significant(step.value, PRODUCT_DIGITS)}, {step.because}"]
    return lines


@dataclass(frozen=True)
class Rows:
    """The rows of a sum that are shown, their parts printed so that they add up, and how many are not shown."""

    terms: Sequence[Term]
    closed: Closed
    hidden: int


def shown_rows(s: Sum) -> Rows:
    """The largest terms, in the neurons' order."""
    terms = sorted(s.terms, key=lambda term: -abs(term.value))[:SHOWN_TERMS]
    if len(s.terms) > SHOWN_TERMS:
        terms = [term for term in terms if term.value] or terms[:1]
    terms.sort(key=lambda term: term.neuron)
    return Rows(terms, close([term.value for term in terms], s.total.value), len(s.terms) - len(terms))


def _sum(e: Explanation, s: Sum) -> list[str]:
    shown = shown_rows(s)
    rows = [[s.index, s.columns[0], *(f"× {name}" for name in s.columns[1:]), "= term"]]
    for term, part in zip(shown.terms, shown.closed.terms, strict=True):
        rows.append([str(term.neuron), *(significant(f.value) for f in term.factors), part])
    blank = [""] * len(s.columns)
    if shown.hidden or not shown.closed.rest_is_zero:
        rows.append([f"… {shown.hidden} more" if shown.hidden else "rounding", *blank, shown.closed.rest])
    rows.append(["sum", *blank, shown.closed.total])
    lines = wrap(sum_title(e, s), COLUMNS)
    lines += columns(rows, right=[False] + [True] * (len(s.columns) + 1), indent="  ")
    if s.last:
        opened = ", opened below for those that count the most" if any(o.layer == s.layer + 1 for o in e.sums) else ""
        lines += [f"  with {s.columns[-1]} = {s.last}{opened if s.last.startswith('Σ') else ''}"]
    if s.steps:
        lines += [f"and this sum is simpler than it looks: {s.total.symbol}", *step_lines(s.steps)]
    return lines


def sum_title(e: Explanation, s: Sum) -> str:
    """What a sum is, in words."""
    quantity = s.total.symbol.partition("/∂")[2]
    return f"{s.total.symbol}: {quantity} reaches {e.of} through {s.over}"


def shown_outputs(e: Explanation) -> Sequence[Output]:
    """The outputs whose ∂C/∂a is the largest, in their order."""
    largest = sorted(e.outputs, key=lambda output: -abs(output.dC_da))[:SHOWN_TERMS]
    return sorted(largest, key=lambda output: output.neuron)


def _outputs(e: Explanation) -> list[str]:
    if not e.outputs:
        return []
    L = e.outputs[0].layer
    rows = [["j", f"a{L}[j]", "y[j]", f"∂{e.of}/∂a{L}[j]"]]
    rows += [[str(o.neuron), *(significant(x) for x in (o.a, o.y, o.dC_da))] for o in shown_outputs(e)]
    hidden = len(e.outputs) - len(rows) + 1
    rows += [[f"… {hidden} more", "", "", ""]] * bool(hidden)
    title = f"At the cost: ∂{e.of}/∂a{L}[j] = {e.output_formula}"
    return [title, *columns(rows, right=(False, True, True, True), indent="  ")]


def _mean(e: Explanation) -> list[str]:
    closed = mean_closed(e)
    header = ["i", e.columns[-1], *(f"× {name}" for name in reversed(e.columns[:-1])), "× share", "= part"]
    blank = [""] * (len(e.columns) + 1)
    rows = [header]
    down, up, still = (str(direction) for direction in directions(e))
    group = ""
    for c, part in zip(e.examples, closed.terms, strict=False):
        name = down if c.contribution > 0 else up if c.contribution < 0 else still
        if name != group:
            rows.append([name, *blank, ""])
            group = name
        cells = [significant(f.value, _MEAN_DIGITS) for f in reversed(c.factors)]
        rows.append([f"  {c.example}", *cells, share_text(e, c), part])
    if e.penalty:
        rows.append(["penalty", *blank, closed.terms[-1]])
    if e.rest or not closed.rest_is_zero:
        rows.append([f"… {e.rest.count:,} more" if e.rest else "rounding", *blank, closed.rest])
    rows.append(["sum", *blank, closed.total])
    shown = "The examples that count the most" if e.rest else "Example by example"
    lines = [f"{shown} (share: what one counts for in the mean)"]
    lines += columns_under_headings(rows)
    if e.penalty:
        lines.append(f"  penalty: {e.penalty.formula}")
    return [*lines, *wrap(balance(e), COLUMNS, initial_indent="  ", subsequent_indent="  ")]


def columns_under_headings(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns whose rows of one cell alone are headings across the table."""
    n = len(rows[0])
    headings = {at: row[0] for at, row in enumerate(rows) if not any(row[1:])}
    lines = columns(
        [["", *row[1:]] if at in headings else row for at, row in enumerate(rows)],
        right=[False] + [True] * (n - 1),
        indent="  ",
    )
    return [f"  {headings[at]}" if at in headings else line for at, line in enumerate(lines)]


def directions(e: Explanation) -> tuple[str, str, str]:
    """Headings for the examples whose part is positive, negative, and 0."""
    if _pushes(e):
        ways = (("down", "raises"), ("up", "lowers"))
        down, up = (f"push {e.wrt} {way} (raising it {does} their cost)" for way, does in ways)
        return down, up, "push it nowhere"
    return f"raising {e.wrt} raises {e.of}", f"raising {e.wrt} lowers {e.of}", "no effect"


def _pushes(e: Explanation) -> bool:
    """Whether gradient descent moves the target: it is a parameter, and the derivative is the cost's."""
    return e.wrt[0] in "wb" and e.of.startswith("C")


def balance(e: Explanation) -> str:
    """How many examples push each way, and by how much in all."""
    if e.up is None or e.down is None:
        return ""
    both = [e.down.contribution, e.up.contribution]
    parts = close(both, sum(both), _MEAN_DIGITS - 1).terms
    down, up = (
        f"{rest.count:,} ({part} in all)" if rest.count else "none"
        for rest, part in zip((e.down, e.up), parts, strict=True)
    )
    if _pushes(e):
        return f"of {e.n_examples:,} examples, down: {down}; up: {up}"
    return f"of {e.n_examples:,} examples, raising it raises {e.of} in {down} and lowers it in {up}"


def mean_closed(e: Explanation) -> Closed:
    """The parts of a mean printed so that they add up; the penalty's is the last."""
    parts = [c.contribution for c in e.examples] + ([e.penalty.value] if e.penalty else [])
    return close(parts, e.value, _MEAN_DIGITS - 1)


def share_text(e: Explanation, c: Contribution) -> str:
    """What an example counts for: 1/n where all count the same."""
    equal = all(other.share == 1 / e.n_examples for other in e.examples)
    return f"1/{e.n_examples}" if equal else significant(c.share, _MEAN_DIGITS)
