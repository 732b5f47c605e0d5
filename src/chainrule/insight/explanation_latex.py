"""An explanation as a LaTeX fragment: equations, the factors and the sums as tables. It needs amsmath."""

import re
from collections.abc import Iterator, Sequence

from chainrule.insight.explanation import Explanation, Step, Sum
from chainrule.insight.explanation_tables import Cell, Table, mean, outputs, product, sum_over_layer
from chainrule.insight.explanation_words import balance, checked, in_words
from chainrule.render.formula import latex as mathematics
from chainrule.render.formula import latex_number, latex_text
from chainrule.render.numbers import PRODUCT_DIGITS, significant

_NAME = r"(?:[wbaz]\d+\[\w+(?:,\w+)?\]|[xyC]\[\w+\]|C)"
_FACTORS_IN_A_LINE = 3
_MATRIX_LINE = 90


def latex(e: Explanation) -> str:
    """The whole explanation; labels from users' files stand in it as text that no command can hide in."""
    derivative = f"∂{e.of}/∂{e.wrt}"
    parts = ["% needs \\usepackage{amsmath}; for accented letters in labels, \\usepackage[T1]{fontenc}"]
    parts += [_display([f"{mathematics(derivative)} &= {_number(e.value, PRODUCT_DIGITS)}"])]
    parts += [_sentence(in_words(e))]
    parts += [f"{_sentence(name)} is {latex_text(meaning)}." for name, meaning in (e.meanings or {}).items()]
    parts += [_display([_aligned(formula) for formula in e.equations.general])]
    parts += [_display(_broken(e.equations.unrolled))]
    if e.factors:
        parts += [_product(e), *_steps(e.steps)]
        for s in e.sums:
            parts += _sum(s)
        parts += _outputs(e)
    else:
        parts += _mean(e)
    if e.equations.matrix:
        parts += [_display([_with_shapes(line.formula, line.shapes) for line in e.equations.matrix])]
    parts += [f"\\begin{{verbatim}}\n{e.equations.numpy}\\end{{verbatim}}"]
    parts += [_sentence(f"Note: {note}") for note in e.notes]
    parts += [_sentence(checked(e))]
    return "\n\n".join(parts) + "\n"


def document(fragment: str) -> str:
    """A fragment as a document that any LaTeX engine typesets."""
    return (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{amsmath}\n"
        "\\usepackage[margin=2cm]{geometry}\n\\setlength{\\parindent}{0pt}\n\\setlength{\\parskip}{6pt plus 3pt}\n"
        "\\begin{document}\n"
        f"{fragment}\\end{{document}}\n"
    )


def _display(lines: Sequence[str]) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(f"  {line}" for line in lines) + "\n\\end{align*}"


def _aligned(formula: str) -> str:
    left, _, right = formula.partition(" = ")
    return f"{mathematics(left)} &= {mathematics(right)}"


def _with_shapes(formula: str, shapes: str) -> str:
    """An equation and, beside it, or below it where it is long, its shapes."""
    below = len(formula) + len(shapes) > _MATRIX_LINE
    return _aligned(formula) + (r" \\ &\quad " if below else " && ") + mathematics(shapes)


def _broken(formula: str) -> list[str]:
    """An equation with a long product, in lines of some sums each."""
    left, _, right = formula.partition(" = ")
    pieces = re.split(r"·(?=Σ_)", right)
    lines = ["·".join(pieces[at : at + _FACTORS_IN_A_LINE]) for at in range(0, len(pieces), _FACTORS_IN_A_LINE)]
    first, *others = (mathematics(line) for line in lines)
    return [f"{mathematics(left)} &= {first}", *(rf"&\quad \cdot {line}" for line in others)]


def _sentence(text: str) -> str:
    """A line of prose in which names of quantities are mathematics."""
    words = re.split(rf"((?<!\w)(?:∂{_NAME}/∂)?{_NAME}(?!\w))", text)
    return "".join(f"${mathematics(word)}$" if at % 2 else latex_text(word) for at, word in enumerate(words) if word)


def _number(value: float, digits: int) -> str:
    return latex_number(significant(value, digits))


def _cell(cell: Cell) -> str:
    sign = cell.sign.replace("×", r"\times")
    match cell.kind:
        case "formula":
            return f"${sign}{mathematics(cell.text)}$"
        case "number" if cell.text[-1:].isdigit():
            return f"${latex_number(cell.text)}$"
        case _:
            return (f"${sign}$" if sign else "") + _sentence(cell.text)


def _table(table: Table) -> str:
    """A table of numbers under their names."""
    n = len(table.header)
    lines = [" & ".join(map(_cell, table.header)) + r" \\", r"\hline"]
    for row in table.rows:
        if row.kind == "heading":
            lines.append(rf"\multicolumn{{{n}}}{{l}}{{{_sentence(row.cells[0].text)}}} \\")
        else:
            lines.append(" & ".join(map(_cell, row.cells)) + r" \\")
    return _tabular("l" + "r" * (n - 1), lines, 1.4)


def _tabular(columns: str, lines: Sequence[str], stretch: float) -> str:
    """Rows ``stretch`` times as high as text, so that fractions have room."""
    begin, end = rf"{{\renewcommand{{\arraystretch}}{{{stretch}}}\begin{{tabular}}{{{columns}}}", r"\end{tabular}}"
    return "\n".join([begin, *lines, end])


def _product(e: Explanation) -> str:
    lines: list[str] = []
    for row in product(e).rows:
        sign, symbol, *others = row.cells
        first = rf"$\displaystyle {mathematics(symbol.text)}$" if symbol.kind == "formula" else latex_text(symbol.text)
        cells = [_cell(sign), first, *map(_cell, others), _sentence(row.meaning)]
        lines.append(" & ".join(cells) + r" \\")
    return _tabular("lllrp{4.5cm}", lines, 2.2)


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    if steps:
        yield _display(
            [
                rf"&= {mathematics(step.formula)} && = {_number(step.value, PRODUCT_DIGITS)} && "
                rf"\text{{{_sentence(step.because)}}}"
                for step in steps
            ]
        )


def _sum(s: Sum) -> Iterator[str]:
    title = rf"${mathematics(s.total.symbol)}$ through {latex_text(s.over)}:"
    yield title + "\\par\\nobreak\n" + _table(sum_over_layer(s))
    if s.last:
        yield rf"with ${mathematics(f'{s.columns[-1]} = {s.last}')}$"
    yield from _steps(s.steps)


def _outputs(e: Explanation) -> Iterator[str]:
    if e.outputs:
        yield _display([_aligned(f"∂{e.of}/∂a{e.outputs[0].layer}[j] = {e.output_formula}")])
        yield _table(outputs(e))


def _mean(e: Explanation) -> Iterator[str]:
    yield _table(mean(e))
    if e.penalty:
        yield f"penalty: ${mathematics(e.penalty.formula)}$"
    yield _sentence(balance(e))
