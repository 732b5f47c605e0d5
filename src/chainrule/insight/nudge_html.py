"""A nudge as HTML: its picture, where matplotlib is there to draw it, and its text."""

from base64 import b64encode
from xml.etree.ElementTree import Element

from chainrule.errors import MissingExtraError
from chainrule.insight.nudge import Nudge
from chainrule.insight.nudge_text import headline
from chainrule.render.markup import element
from chainrule.render.page import fragment


def html(n: Nudge) -> str:
    """The nudge to stand in any page, such as a notebook."""
    title = " ".join(headline(n))
    return fragment(element("h2", title), _picture(n, title), element("pre", n.text()))


def _picture(n: Nudge, title: str) -> Element | None:
    try:
        drawn = b64encode(n.svg().encode()).decode()
    except MissingExtraError:
        return None
    return element("img", src=f"data:image/svg+xml;base64,{drawn}", alt=title, style="max-width: 100%")
