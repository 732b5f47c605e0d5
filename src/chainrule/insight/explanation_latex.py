"""An explanation as a LaTeX fragment: equations, the factors and the sums as tables. It needs amsmath."""

import re
from collections.abc import Iterator, Sequence

from chainrule.insight.explanation import Explanation, Step, Sum
from chainrule.insight.explanation_text import (
    balance,
    checked,
    directions,
    in_words,
    mean_closed,
    share_text,
    shown_outputs,
    shown_rows,
)
from chainrule.render.formula import latex as mathematics
from chainrule.render.formula import latex_number, latex_text
from chainrule.render.numbers import PRODUCT_DIGITS, significant

_MEAN_DIGITS = 6
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
        parts += [*_product(e), *_steps(e.steps)]
        for s in e.sums:
            parts += _sum(e, s)
        parts += _outputs(e)
    else:
        parts += _mean(e)
    if e.equations.matrix:
        parts += [_display([_with_shapes(line.formula, line.shapes) for line in e.equations.matrix])]
    parts += [f"\\begin{{verbatim}}\n{e.equations.numpy}\\end{{verbatim}}"]
    parts += [_sentence(checked(e))] if e.check else []
    parts += [_sentence(f"Note: {note}") for note in e.notes]
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


def _printed(number: str) -> str:
    return f"${latex_number(number)}$" if number else ""


def _table(columns: str, rows: Sequence[Sequence[str]], header: bool = True, stretch: float = 1.4) -> str:
    """A table whose rows are ``stretch`` times as high as text, so that fractions have room."""
    lines = [" & ".join(row) + r" \\" for row in rows]
    if header:
        lines.insert(1, r"\hline")
    begin, end = rf"{{\renewcommand{{\arraystretch}}{{{stretch}}}\begin{{tabular}}{{{columns}}}", r"\end{tabular}}"
    return "\n".join([begin, *lines, end])


def _product(e: Explanation) -> Iterator[str]:
    rows = [
        [
            r"$\times$" if at else "",
            rf"$\displaystyle {mathematics(f.symbol)}$",
            f"$= {mathematics(f.formula)}$",
            _printed(significant(f.value)),
            _sentence(f.meaning),
        ]
        for at, f in enumerate(reversed(e.factors))
    ]
    if e.penalty:
        formula = f"$= {mathematics(e.penalty.formula)}$"
        rows.append(
            [
                "$+$",
                rf"$\displaystyle {mathematics(e.penalty.symbol)}$",
                formula,
                _printed(significant(e.penalty.value)),
                "",
            ]
        )
    whole = rf"$\displaystyle {mathematics(f'∂{e.of}/∂{e.wrt}')}$"
    rows.append(["$=$", whole, "", _printed(significant(e.value, PRODUCT_DIGITS)), _sentence(e.reason)])
    yield _table(r"lllrp{4.5cm}", rows, header=False, stretch=2.2)


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    if steps:
        yield _display(
            [
                rf"&= {mathematics(step.formula)} && = {_number(step.value, PRODUCT_DIGITS)} && "
                rf"\text{{{_sentence(step.because)}}}"
                for step in steps
            ]
        )


def _sum(e: Explanation, s: Sum) -> Iterator[str]:
    shown = shown_rows(s)
    signs = ["", *[r"\times "] * (len(s.columns) - 1)]
    header = [f"${s.index}$", *(f"${sign}{mathematics(name)}$" for sign, name in zip(signs, s.columns, strict=True))]
    rows = [[*header, "term"]]
    for term, part in zip(shown.terms, shown.closed.terms, strict=True):
        rows.append([str(term.neuron), *(_printed(significant(f.value)) for f in term.factors), _printed(part)])
    blank = [""] * len(s.columns)
    if shown.hidden or not shown.closed.rest_is_zero:
        rows.append(
            [rf"\dots{{}} {shown.hidden} more" if shown.hidden else "rounding", *blank, _printed(shown.closed.rest)]
        )
    rows.append(["sum", *blank, _printed(shown.closed.total)])
    title = rf"${mathematics(s.total.symbol)}$ through {latex_text(s.over)}:"
    yield title + "\\par\\nobreak\n" + _table("l" + "r" * (len(s.columns) + 1), rows)
    yield from _steps(s.steps)


def _outputs(e: Explanation) -> Iterator[str]:
    if not e.outputs:
        return
    L = e.outputs[0].layer
    names = (f"a{L}[j]", "y[j]", f"∂{e.of}/∂a{L}[j] = {e.output_formula}")
    rows = [["$j$", *(f"${mathematics(name)}$" for name in names)]]
    rows += [[str(o.neuron), *(_printed(significant(x)) for x in (o.a, o.y, o.dC_da))] for o in shown_outputs(e)]
    yield _table("lrrr", rows)


def _mean(e: Explanation) -> Iterator[str]:
    closed = mean_closed(e)
    names = [*reversed(e.columns)]
    header = ["$i$", f"${mathematics(names[0])}$", *(rf"$\times {mathematics(name)}$" for name in names[1:])]
    rows = [[*header, r"$\times$ share", "part"]]
    down, up, still = directions(e)
    group = ""
    span = len(names) + 3
    for c, part in zip(e.examples, closed.terms, strict=False):
        name = down if c.contribution > 0 else up if c.contribution < 0 else still
        if name != group:
            rows.append([rf"\multicolumn{{{span}}}{{l}}{{{_sentence(name)}}}"])
            group = name
        cells = [_printed(significant(f.value, _MEAN_DIGITS)) for f in reversed(c.factors)]
        rows.append([str(c.example), *cells, latex_text(share_text(e, c)), _printed(part)])
    blank = [""] * (len(names) + 1)
    if e.penalty:
        rows.append(["penalty", *blank, _printed(closed.terms[-1])])
    if e.rest or not closed.rest_is_zero:
        rows.append([rf"\dots{{}} {e.rest.count:,} more" if e.rest else "rounding", *blank, _printed(closed.rest)])
    rows.append(["sum", *blank, _printed(closed.total)])
    yield _table("l" + "r" * (span - 1), rows)
    if e.penalty:
        yield f"penalty: ${mathematics(e.penalty.formula)}$"
    yield _sentence(balance(e))
