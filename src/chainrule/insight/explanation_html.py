"""An explanation as HTML: the picture, the factors with their meaning, the sums to unfold, the three spellings."""

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.insight.explanation import Explanation, Step, Sum
from chainrule.insight.explanation_svg import drawing
from chainrule.insight.explanation_tables import Cell, Table, mean, outputs, product, sum_over_layer, words
from chainrule.insight.explanation_words import balance, checked, in_words, numbers_in_line
from chainrule.render.markup import element
from chainrule.render.mathml import mathml
from chainrule.render.numbers import PRODUCT_DIGITS, significant
from chainrule.render.page import figure, fragment, page, row, table

_STANDARDISED = ", standardised"


def html(e: Explanation) -> str:
    """The explanation to stand in any page, such as a notebook."""
    return fragment(section(e))


def whole_page(e: Explanation) -> str:
    """The explanation as a page of its own."""
    return page(f"∂{e.of}/∂{e.wrt}", section(e))


def section(e: Explanation, title: str = "", **attributes: str) -> Element:
    """The explanation as one element of a page; ``attributes`` are those of the element, such as its id."""
    derivative = mathml(f"∂{e.of}/∂{e.wrt}")
    heading = element("h2", title and f"{title}: ", derivative, f" = {significant(e.value, PRODUCT_DIGITS)}")
    parts: list[Element] = [heading, element("p", in_words(e)), *_context(e)]
    parts.append(figure(drawing(e)))
    if e.factors:
        parts += [*_product(e), *_steps(e.steps), *_sums(e), *_outputs(e)]
    else:
        parts += [*_mean(e)]
    parts += [*_equations(e)]
    parts += [element("p", element("strong", "Note: "), note) for note in e.notes]
    parts += [element("p", checked(e), class_="check")]
    return element("section", *parts, **attributes)


def _context(e: Explanation) -> Iterator[Element]:
    for name, meaning in (e.meanings or {}).items():
        label = meaning.removesuffix(_STANDARDISED)  # which may read from right to left, and it alone
        rest = meaning.removeprefix(label)
        yield element("p", mathml(name), " is ", element("bdi", label), rest, class_="soft")
    if e.context:
        known = [(mathml(name), f" = {significant(x)}") for name, x in e.context.items()]
        parts = [part for at, (name, x) in enumerate(known) for part in (", " if at else "with ", name, x)]
        yield element("p", *parts, class_="soft")
    if e.activation:
        σ = ACTIVATIONS[e.activation]
        slope = [", ", mathml(f"σ′(z) = {σ.derivative_formula}")] if σ.elementwise else []
        yield element("p", f"σ is {σ.name}: ", mathml(f"σ(z) = {σ.formula}"), *slope, class_="soft")


def _product(e: Explanation) -> Iterator[Element]:
    yield element("h3", "Factor by factor")
    names = (words(""), words("factor"), words("formula"), words("value"), words("what it means here"))
    yield _table(Table(names, product(e).rows), meanings=True)


def _table(shown: Table, meanings: bool = False) -> Element:
    """A table, with the rows' meanings in a column of their own."""
    numbers = range(*_numbers(shown))
    rows: list[Element] = []
    for part in shown.rows:
        if part.kind == "heading":
            rows.append(element("tr", element("td", part.cells[0].text, colspan=len(shown.header), class_="soft")))
            continue
        cells = [*map(_cell, part.cells), *([part.meaning] * meanings)]
        rows.append(row(cells, numbers, "total" if part.kind == "total" else ""))
    return table([*map(_cell, shown.header)], rows)


def _numbers(shown: Table) -> tuple[int, int]:
    """From which column to which the cells of the last row are numbers."""
    at = [at for at, cell in enumerate(shown.rows[-1].cells) if cell.kind == "number"]
    return at[0], at[-1] + 1


def _cell(cell: Cell) -> Element | str:
    if cell.kind != "formula":
        return cell.sign + cell.text
    math = mathml(cell.text)
    return element("span", cell.sign, math) if cell.sign == "× " else math


def _steps(steps: Sequence[Step]) -> Iterator[Element]:
    if steps:
        yield element("p", "This is simpler than it looks:")
        yield table(
            [],
            [
                row(
                    [element("span", "= ", mathml(s.formula)), significant(s.value, PRODUCT_DIGITS), s.because],
                    range(1, 2),
                )
                for s in steps
            ],
        )


def _sums(e: Explanation) -> Iterator[Element]:
    """The sums as a tree: each in the sum whose rows it opens."""
    by_neuron = {(s.layer, s.neuron): s for s in e.sums}
    if e.sums:
        yield element("h3", "The sum over the next layer")
        yield _sum(e, e.sums[0], by_neuron)


def _sum(e: Explanation, s: Sum, unopened: dict[tuple[int, int], Sum]) -> Element:
    unopened.pop((s.layer, s.neuron))
    shown = sum_over_layer(s)
    summary = element("summary", mathml(s.total.symbol), f" = {shown.rows[-1].cells[-1].text}, through {s.over}")
    parts = [summary, element("p", s.total.meaning, class_="soft"), _table(shown)]
    if s.last:
        parts.append(element("p", "with ", mathml(s.columns[-1]), " = ", mathml(s.last), class_="soft"))
    parts += _steps(s.steps)
    for term in sorted(s.terms, key=lambda term: -abs(term.value)):
        below = unopened.get((s.layer + 1, term.neuron))
        if below:
            parts.append(_sum(e, below, unopened))
    return element("details", *parts, open="open")


def _outputs(e: Explanation) -> Iterator[Element]:
    if e.outputs:
        yield element("h3", "At the cost")
        yield element("p", mathml(f"∂{e.of}/∂a{e.outputs[0].layer}[j] = {e.output_formula}"))
        yield _table(outputs(e))


def _mean(e: Explanation) -> Iterator[Element]:
    yield element("h3", "The examples that count the most")
    yield _table(mean(e))
    if e.penalty:
        yield element("p", "penalty: ", mathml(e.penalty.formula), class_="soft")
    yield element("p", balance(e), class_="soft")


def _unrolled(formula: str) -> Element:
    """An equation with a long product, which a narrow page breaks before its sums; browsers break no <math>."""
    div = element("div", class_="equation")
    for piece in re.split(r"·(?=Σ_)", formula):
        math = mathml(piece, display=True)
        math.set("display", "inline")
        math.set("displaystyle", "true")
        math.tail = " "
        div.append(math)
    return div


def _equations(e: Explanation) -> Iterator[Element]:
    eq = e.equations
    yield element("h3", "The equation, entry by entry")
    for formula in eq.general:
        yield element("div", mathml(formula, display=True), class_="equation")
    yield element("p", f"Followed from {e.wrt} to {e.of}:")
    yield _unrolled(eq.unrolled)
    numbers = numbers_in_line(e)
    if numbers:
        yield element("p", numbers, class_="soft")
    if eq.matrix:
        yield element("h3", "With matrices")
        rows = [
            element("tr", element("td", mathml(line.formula)), element("td", line.shapes, class_="shapes"))
            for line in eq.matrix
        ]
        yield table(["", "shapes"], rows)
    yield element("h3", "With NumPy")
    yield element("pre", element("code", re.sub(r"\n$", "", eq.numpy)))
