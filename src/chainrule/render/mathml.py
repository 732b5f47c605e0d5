"""Formulas as MathML, through latex2mathml: the one module that knows it."""

from html import unescape
from xml.etree.ElementTree import Element

from chainrule.render.formula import latex


def mathml(formula: str, display: bool = False) -> Element:
    """A formula of :mod:`chainrule.render.formula` as a <math> element, in the line or on a line of its own.

    The formula itself stands in ``alttext``, for readers that cannot show mathematics.
    """
    from latex2mathml.converter import convert_to_element

    math = convert_to_element(latex(formula), display="block" if display else "inline")
    for part in math.iter():
        part.text = part.text and unescape(part.text)  # the library leaves that to its own writer
    math.set("alttext", formula)
    return math
