"""An explanation as plain text that a newcomer to the article can read, in the article's order of factors."""

import re
from collections.abc import Iterable, Sequence
from textwrap import wrap

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.insight.explanation import Explanation, Step, Sum
from chainrule.insight.explanation_tables import Table, mean, outputs, product, sum_over_layer
from chainrule.insight.explanation_words import balance, checked, in_words, numbers_in_line, sum_title
from chainrule.render.formula import symbols
from chainrule.render.numbers import PRODUCT_DIGITS, significant
from chainrule.render.text import COLUMNS, columns, printable, width

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
        ["Entry by entry", *_indented(line for formula in eq.general for line in _wrapped(symbols(formula)))],
        [f"For {e.wrt}", *_indented([*_broken(symbols(eq.unrolled)), *([numbers] if numbers else [])])],
    ]
    if eq.matrix:
        lines = columns([[symbols(m.formula), m.shapes] for m in eq.matrix], right=(False, False), indent="  ")
        if max(map(width, lines)) > COLUMNS:
            lines = [part for m in eq.matrix for part in (f"  {symbols(m.formula)}", _INDENT + m.shapes)]
        parts.append(["With matrices, and their shapes", *lines])
    parts.append(["With NumPy", *_indented(eq.numpy.splitlines())])
    return "\n\n".join("\n".join(part) for part in parts)


def _wrapped(equation: str) -> list[str]:
    """An equation in lines that fit, broken between its terms."""
    return wrap(equation, COLUMNS - 2, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _broken(equation: str) -> list[str]:
    """An equation in lines that fit, broken before its sums."""
    lines = [""]
    for piece in re.split(r"(?=·Σ_)", equation):
        if lines[-1] and width(lines[-1] + piece) > COLUMNS - len(_INDENT):
            lines.append("    ")
        lines[-1] += piece
    return lines


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]


def _headline(e: Explanation) -> list[str]:
    derivative = f"∂{e.of}/∂{e.wrt} = {significant(e.value, PRODUCT_DIGITS)}"
    line = f"{derivative}      {in_words(e)}"
    return [line] if width(line) <= COLUMNS else [derivative, in_words(e)]


def _context(e: Explanation) -> list[str]:
    lines = [f"{name} is {printable(meaning)}" for name, meaning in (e.meanings or {}).items()]
    if e.context:
        lines.append("with " + ", ".join(f"{name} = {significant(x)}" for name, x in e.context.items()))
    if e.activation:
        σ = ACTIVATIONS[e.activation]
        slope = f", σ′(z) = {σ.derivative_formula}" if σ.elementwise else ""
        lines.append(f"σ is {σ.name}: σ(z) = {σ.formula}{slope}")
    return lines


def _product(e: Explanation) -> list[str]:
    """The factors, each with what it means here on a line below it."""
    rows = product(e).rows
    lines = columns([[cell.sign + cell.text for cell in row.cells] for row in rows], right=[False] * 4)
    told = (wrap(row.meaning, COLUMNS, initial_indent=_INDENT, subsequent_indent=_INDENT) for row in rows)
    return [part for line, meaning in zip(lines, told, strict=True) for part in (line, *meaning)]


def _table(table: Table) -> list[str]:
    """A table of numbers under their names; a heading goes across."""
    n = len(table.header)
    grouped = any(row.kind == "heading" for row in table.rows)
    lines = [[cell.sign + cell.text for cell in table.header]]
    for row in table.rows:
        cells = [cell.sign + cell.text for cell in row.cells]
        if grouped and cells[0].isdigit():
            cells[0] = f"  {cells[0]}"
        lines.append([""] * n if row.kind == "heading" else cells)
    aligned = columns(lines, right=[False] + [True] * (n - 1), indent="  ")
    headings = {at: f"  {row.cells[0].text}" for at, row in enumerate(table.rows, 1) if row.kind == "heading"}
    return [headings.get(at, line) for at, line in enumerate(aligned)]


def _steps(e: Explanation) -> list[str]:
    if not e.steps:
        return []
    return ["σ′ and the slope of this cost make a product simpler than either:", *_step_lines(e.steps)]


def _step_lines(steps: Sequence[Step]) -> list[str]:
    """A rearrangement, each line the same number."""
    lines: list[str] = []
    for step in steps:
        lines += [f"  = {step.formula}"]
        lines += [f"{_INDENT}= {significant(step.value, PRODUCT_DIGITS)}, {step.because}"]
    return lines


def _sum(e: Explanation, s: Sum) -> list[str]:
    lines = [*wrap(sum_title(e, s), COLUMNS), *_table(sum_over_layer(s))]
    if s.last:
        again = s.last.startswith("Σ") and any(below.layer == s.layer + 1 for below in e.sums)
        lines += [f"  with {s.columns[-1]} = {s.last}" + ", opened below for those that count the most" * again]
    if s.steps:
        lines += [f"and this sum is simpler than it looks: {s.total.symbol}", *_step_lines(s.steps)]
    return lines


def _outputs(e: Explanation) -> list[str]:
    if not e.outputs:
        return []
    title = f"At the cost: ∂{e.of}/∂a{e.outputs[0].layer}[j] = {e.output_formula}"
    return [title, *_table(outputs(e))]


def _mean(e: Explanation) -> list[str]:
    shown = "The examples that count the most" if e.rest else "Example by example"
    lines = [f"{shown} (share: what one counts for in the mean)", *_table(mean(e))]
    if e.penalty:
        lines.append(f"  penalty: {e.penalty.formula}")
    return [*lines, *wrap(balance(e), COLUMNS, initial_indent="  ", subsequent_indent="  ")]
