"""An explanation as plain text that a newcomer to the article can read, in the article's order of factors."""

from collections.abc import Sequence
from math import ceil, isfinite, log10
from textwrap import wrap

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.insight.explain import Contribution, Explanation, Factor, Term
from chainrule.render.numbers import PRODUCT_DIGITS, close, significant
from chainrule.render.text import COLUMNS, columns, printable, width

SHOWN_TERMS = 8
_ROUNDING = 1e-15  # below this, which digit differs is the machine's affair
_AGREES = 1e-9  # what rounding can do to a badly conditioned network; a mistake does more
_MEAN_DIGITS = 7  # the averaged table has one more column to fit into 80


def text(e: Explanation) -> str:
    """The whole explanation; see :class:`Explanation` for what it contains."""
    parts = [_headline(e), _context(e)]
    parts += [_product(e), _sum(e)] if e.factors else [_mean(e)]
    parts += [_checked(e)]
    parts += [[line for note in e.notes for line in wrap(f"note: {note}", COLUMNS)]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _headline(e: Explanation) -> list[str]:
    derivative = f"∂{e.of}/∂{e.wrt} = {significant(e.value, PRODUCT_DIGITS)}"
    line = f"{derivative}      {_in_words(e)}"
    return [line] if width(line) <= COLUMNS else [derivative, _in_words(e)]


def _in_words(e: Explanation) -> str:
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
        σ = ACTIVATIONS[e.activation]
        slope = f", σ′(z) = {σ.derivative_formula}" if σ.elementwise else ""
        lines.append(f"σ is {σ.name}: σ(z) = {σ.formula}{slope}")
    return lines


def _checked(e: Explanation) -> list[str]:
    if e.check is None:
        return []
    if e.check.difference > _AGREES:
        again, off = significant(e.check.value, PRODUCT_DIGITS), significant(e.check.difference, 2)
        return [f"checked: {e.check.method} differs, it gives {again} (off by {off} of the terms)"]
    within = 10.0 ** ceil(log10(max(e.check.difference, _ROUNDING)))
    return [f"checked: {e.check.method} agrees within {within:.0e}"]


def _product(e: Explanation) -> list[str]:
    """The factors, from the one nearest the weight to the one nearest the cost."""
    rows = [
        ["×" if at else " ", f.symbol, f"= {_short(f)}", significant(f.value)]
        for at, f in enumerate(reversed(e.factors))
    ]
    if e.penalty is None:
        if len(rows) > 1:
            rows.append(["=", f"∂{e.of}/∂{e.wrt}", "", significant(e.value, PRODUCT_DIGITS)])
        return columns(rows, right=(False, False, False, False))
    data = e.value - e.penalty.value
    closed = close([data, e.penalty.value], e.value)
    rows.append(["=", "from the example", "", closed.terms[0]])
    rows.append(["+", e.penalty.symbol, f"= {e.penalty.formula}", closed.terms[1]])
    rows += [["+", "rounding", "", closed.rest]] * (not closed.rest_is_zero)
    rows.append(["=", f"∂{e.of}/∂{e.wrt}", "", closed.total])
    return columns(rows, right=(False, False, False, False))


def _short(f: Factor) -> str:
    """A formula, with a long sum put in words; the table below it spells it out."""
    if not f.formula.startswith("Σ_j w"):
        return f.formula
    return f"Σ over layer {f.formula[5:].partition('[')[0]}, below"


def _sum(e: Explanation) -> list[str]:
    if e.summed is None:
        return []
    terms = sorted(e.terms, key=lambda term: -abs(term.value))[:SHOWN_TERMS]
    if len(e.terms) > SHOWN_TERMS:
        terms = [term for term in terms if term.value] or terms[:1]
    terms.sort(key=lambda term: term.neuron)
    closed = close([term.value for term in terms], e.summed.value)
    index = "m" if e.summed.symbol.partition("/∂")[2].startswith("z") else "j"
    spelled = [f.symbol if index == "m" or f.symbol.startswith(f"∂{e.of}/") else f.formula for f in terms[0].factors]
    names = [_over(index, terms[0], name, e.of) for name in spelled]
    header = [index, names[0], *(f"× {name}" for name in names[1:]), "= term"]
    rows = [header]
    for term, shown in zip(terms, closed.terms, strict=True):
        rows.append([str(term.neuron), *(significant(f.value) for f in term.factors), shown])
    blank = [""] * len(names)
    hidden = len(e.terms) - len(terms)
    if hidden or not closed.rest_is_zero:
        rows.append([f"… {hidden} more" if hidden else "rounding", *blank, closed.rest])
    rows.append(["sum", *blank, closed.total])
    quantity = e.summed.symbol.partition("/∂")[2]
    where = "every output, coupled by softmax" if index == "m" else f"every neuron of layer {_next_layer(terms)}"
    title = f"{e.summed.symbol}: {quantity} reaches {e.of} through {where}"
    return [*wrap(title, COLUMNS), *columns(rows, right=[False] + [True] * (len(names) + 1), indent="  ")]


def _next_layer(terms: Sequence[Term]) -> str:
    return terms[0].symbol.partition("z")[2].partition("[")[0]


def _over(index: str, term: Term, symbol: str, of: str) -> str:
    """A term's symbol with its neuron's number replaced by the index it runs over."""
    if "·" in symbol:
        return "·".join(_over(index, term, part, of) for part in symbol.split("·"))
    # what is differentiated, above the line, has an index of its own: ∂C[0]/∂a2[j]
    whole, slash, below = symbol.partition("/∂") if symbol.startswith(f"∂{of}/") else ("", "", symbol)
    for bracket in ("[{},", "[{}]"):
        below = below.replace(bracket.format(term.neuron), bracket.format(index), 1)
    return whole + slash + below


def _mean(e: Explanation) -> list[str]:
    closed = close(
        [c.contribution for c in e.examples] + ([e.penalty.value] if e.penalty else []), e.value, _MEAN_DIGITS - 1
    )
    names = [_any_example(e, e.examples[0], f) for f in reversed(e.examples[0].factors)]
    header = ["i", names[0], *(f"× {name}" for name in names[1:]), "× share", "= part"]
    rows = [header]
    equal = all(c.share == 1 / e.n_examples for c in e.examples)
    for c, shown in zip(e.examples, closed.terms, strict=False):
        cells = [significant(f.value, _MEAN_DIGITS) for f in reversed(c.factors)]
        share = f"1/{e.n_examples}" if equal else significant(c.share, _MEAN_DIGITS)
        rows.append([str(c.example), *cells, share, shown])
    blank = [""] * (len(names) + 1)
    if e.penalty:
        rows.append(["penalty", *blank, closed.terms[-1]])
    if e.rest or not closed.rest_is_zero:
        rows.append([f"… {e.rest.count:,} more" if e.rest else "rounding", *blank, closed.rest])
    rows.append(["sum", *blank, closed.total])
    shown = f"The {len(e.examples)} examples that count the most" if e.rest else "Example by example"
    lines = [f"{shown} (share: what one counts for in the mean)"]
    lines += columns(rows, right=[False] + [True] * (len(names) + 2), indent="  ")
    if e.penalty:
        lines.append(f"  penalty: {e.penalty.formula}")
    return lines


def _any_example(e: Explanation, c: Contribution, f: Factor) -> str:
    outermost = f.symbol.startswith((f"∂C[{c.example}]/", f"∂{e.of}/"))
    return (f.symbol if outermost else f.formula).replace(f"∂C[{c.example}]/", "∂C[i]/")
