"""Formulas as MathML, through latex2mathml: the one module that knows it."""

from html import unescape
from itertools import pairwise
from xml.etree.ElementTree import Element

from chainrule.render.formula import latex

_NO_OPERAND = ("(", "[", ",", "=")
"""After these a minus is a sign."""

_OPERANDS = ("mi", "msub", "msup", "msubsup")


def mathml(formula: str, display: bool = False) -> Element:
    """A formula of :mod:`chainrule.render.formula` as a <math> element, in the line or on a line of its own.

    The formula itself stands in ``alttext``, for readers that cannot show mathematics.
    """
    from latex2mathml.converter import convert_to_element

    math = convert_to_element(latex(formula), display="block" if display else "inline")
    for part in math.iter():
        part.text = part.text and unescape(part.text)  # the library leaves that to its own writer
    for part in list(math.iter()):
        _mend(part)
    math.set("alttext", formula)
    return math


def _mend(part: Element) -> None:
    """Spell a part as browsers set it: they know no operator but by its place, and fonts raise ′ by themselves."""
    if part.tag == "msup" and part[1].text == "′":
        part.tag = "mrow"
    if part.tag == "mo" and (part.text == "⊤" or (part.text or "").isalpha()):
        part.tag = "mi"  # a name: an operator would have spaces around it
    for before, here in reversed([*pairwise(part)]):
        if here.text == "−" and before.text in _NO_OPERAND:
            here.set("form", "prefix")
        if before.tag in _OPERANDS and here.tag in _OPERANDS and (_is_function(before) or _is_function(here)):
            part.insert([*part].index(here), Element("mspace", width="0.167em"))


def _is_function(part: Element) -> bool:
    name = part[0] if len(part) else part
    return name.tag == "mi" and len(name.text or "") > 1
