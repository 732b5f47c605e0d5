"""HTML and SVG as trees of elements, so that no text can ever be taken for markup."""

from xml.etree.ElementTree import Element, tostring

from chainrule.render.text import printable

Child = Element | str | None

_VERBATIM = ("pre", "code", "style")  # their line breaks count; none is a text from a user


def element(tag: str, *children: Child, **attributes: object) -> Element:
    """An element with texts and elements in it; an attribute ``class_`` is ``class``, ``stroke_width`` stroke-width."""
    made = Element(tag, {name.rstrip("_").replace("_", "-"): _text(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif child:
            _append_text(made, child if tag in _VERBATIM else printable(child))
    return made


def markup(tree: Element) -> str:
    """The tree as HTML, in which SVG and MathML may stand."""
    return tostring(tree, encoding="unicode", method="html")


def picture(tree: Element) -> str:
    """The tree, an <svg>, as a file of its own."""
    tree.set("xmlns", "http://www.w3.org/2000/svg")
    return tostring(tree, encoding="unicode") + "\n"


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))


def _append_text(parent: Element, text: str) -> None:
    """ElementTree keeps a text that follows an element in that element."""
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
