"""An explanation as HTML: the picture, the factors with their meaning, the sums to unfold, the three spellings."""

import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.insight.explanation import Explanation, Step, Sum
from chainrule.insight.explanation_svg import drawing
from chainrule.insight.explanation_text import (
    balance,
    checked,
    directions,
    in_words,
    mean_closed,
    numbers_in_line,
    share_text,
    shown_outputs,
    shown_rows,
)
from chainrule.render.markup import element
from chainrule.render.mathml import mathml
from chainrule.render.numbers import PRODUCT_DIGITS, significant
from chainrule.render.page import fragment, page, row, table

READABLE = 0.7
"""How small a picture may become on a small screen before it scrolls instead."""

_MEAN_DIGITS = 7
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
    picture = drawing(e)
    picture.set("style", f"min-width: {float(picture.get('width', 0)) * READABLE:.0f}px")
    parts.append(element("div", picture, class_="wide"))
    if e.factors:
        parts += [*_product(e), *_steps(e.steps), *_sums(e), *_outputs(e)]
    else:
        parts += [*_mean(e)]
    parts += [*_equations(e)]
    parts += [element("p", checked(e), class_="check")] if e.check else []
    parts += [element("p", element("strong", "Note: "), note) for note in e.notes]
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
    value = range(3, 4)
    rows = [
        row(["×" if at else "", mathml(f.symbol), mathml(f.formula), significant(f.value), f.meaning], value)
        for at, f in enumerate(reversed(e.factors))
    ]
    if e.penalty:
        added = significant(e.penalty.value)
        rows.append(
            row(["+", mathml(e.penalty.symbol), mathml(e.penalty.formula), added, "the penalty's own share"], value)
        )
    whole = ["=", mathml(f"∂{e.of}/∂{e.wrt}"), "", significant(e.value, PRODUCT_DIGITS), e.reason]
    yield element("h3", "Factor by factor")
    yield table(["", "factor", "formula", "value", "what it means here"], [*rows, row(whole, value, "total")])


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
    shown, numbers = shown_rows(s), range(1, len(s.columns) + 2)
    header = [s.index, mathml(s.columns[0]), *(element("span", "× ", mathml(name)) for name in s.columns[1:]), "= term"]
    rows = [
        row([str(term.neuron), *(significant(f.value) for f in term.factors), part], numbers)
        for term, part in zip(shown.terms, shown.closed.terms, strict=True)
    ]
    blank = [""] * len(s.columns)
    if shown.hidden or not shown.closed.rest_is_zero:
        name = f"… {shown.hidden:,} more" if shown.hidden else "rounding"
        rows.append(row([name, *blank, shown.closed.rest], numbers))
    rows.append(row(["sum", *blank, shown.closed.total], numbers, "total"))
    summary = element("summary", mathml(s.total.symbol), f" = {shown.closed.total}, through {s.over}")
    parts = [summary, element("p", s.total.meaning, class_="soft"), table(header, rows)]
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
        L = e.outputs[0].layer
        rows = [
            row([str(o.neuron), *(significant(x) for x in (o.a, o.y, o.dC_da))], range(1, 4)) for o in shown_outputs(e)
        ]
        yield element("h3", "At the cost")
        derivative = f"∂{e.of}/∂a{L}[j]"
        yield element("p", mathml(f"{derivative} = {e.output_formula}"))
        yield table(["j", mathml(f"a{L}[j]"), mathml("y[j]"), mathml(derivative)], rows)


def _mean(e: Explanation) -> Iterator[Element]:
    closed = mean_closed(e)
    names = [*reversed(e.columns)]
    numbers = range(1, len(names) + 3)
    header = ["example", mathml(names[0]), *(element("span", "× ", mathml(name)) for name in names[1:])]
    down, up, still = directions(e)
    rows: list[Element] = []
    group = ""
    for c, part in zip(e.examples, closed.terms, strict=False):
        name = down if c.contribution > 0 else up if c.contribution < 0 else still
        if name != group:
            rows.append(element("tr", element("td", name, colspan=len(names) + 3, class_="soft")))
            group = name
        cells = [significant(f.value, _MEAN_DIGITS) for f in reversed(c.factors)]
        rows.append(row([str(c.example), *cells, share_text(e, c), part], numbers))
    blank = [""] * (len(names) + 1)
    if e.penalty:
        rows.append(row(["penalty", *blank, closed.terms[-1]], numbers))
    if e.rest or not closed.rest_is_zero:
        rows.append(row([f"… {e.rest.count:,} more" if e.rest else "rounding", *blank, closed.rest], numbers))
    rows.append(row(["sum", *blank, closed.total], numbers, "total"))
    yield element("h3", "The examples that count the most")
    yield table([*header, "× share", "= part"], rows)
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
