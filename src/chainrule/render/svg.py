"""Parts of pictures: boxes, words, and the frame with its title, for light and dark backgrounds."""

import re
from xml.etree.ElementTree import Element

from chainrule.render.markup import element
from chainrule.render.text import printable, width

_STYLE = """
  .ink { fill: #1f2328 } .soft { fill: #59636e } .box { fill: #f6f8fa; stroke: #8c959f } .line { stroke: #59636e }
  .tip { fill: #59636e } .hot { fill: #cf222e } .cool { fill: #0550ae } .halo { stroke: #ffffff }
  .hot-line { stroke: #cf222e } .cool-line { stroke: #0969da } .target { fill: #fff8c5; stroke: #9a6700 }
  .end { fill: #ddf4ff; stroke: #0969da } .paper { fill: #ffffff }
  text { font-family: ui-sans-serif, system-ui, sans-serif; text-anchor: middle }
  .start { text-anchor: start } .finish { text-anchor: end }
  .mono { font-family: ui-monospace, Menlo, Consolas, monospace }
  .halo { stroke-width: 4; paint-order: stroke; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .box { fill: #151b23; stroke: #656c76 } .line { stroke: #9198a1 }
    .tip { fill: #9198a1 } .hot { fill: #ff7b72 } .cool { fill: #79c0ff } .halo { stroke: #0d1117 }
    .hot-line { stroke: #ff7b72 } .cool-line { stroke: #58a6ff } .target { fill: #3b2f05; stroke: #d29922 }
    .end { fill: #0c2d4d; stroke: #58a6ff } .paper { fill: #0d1117 }
  }"""

STYLE = re.sub(r"(\.[a-z-]+|\btext) \{", r".drawing \1 {", _STYLE)  # in a page, a style is that of every picture


def words(x: float, y: float, text: str, style: str, size: float) -> Element:
    """A line of text; ``style`` are classes of :data:`STYLE`."""
    return element("text", text, class_=style, x=float(x), y=float(y), font_size=float(size))


def box(x: float, y: float, w: float, h: float, style: str = "box") -> Element:
    """A rectangle with round corners."""
    return element("rect", class_=style, x=float(x), y=float(y), width=float(w), height=float(h), rx=8)


def shortened(text: str, cells: int) -> str:
    """The text, cut where it is longer than so many terminal cells, or has more marks on its letters than they hold."""
    most = 4 * cells
    text = printable(text[: most + 1])
    if len(text) <= most and width(text) <= cells:
        return text
    kept = text[:most]
    while width(kept) > cells - 1:
        kept = kept[:-1]
    return kept + "…"


def frame(wide: float, high: float, title: str, description: str, parts: list[Element]) -> Element:
    """The <svg> with its title and description, its style, and a background of its own."""
    return element(
        "svg",
        element("title", title),
        element("desc", description or title),
        element("style", STYLE),
        element("rect", class_="paper", width=float(wide), height=float(high)),
        *parts,
        class_="drawing",
        viewBox=f"0 0 {wide:g} {high:g}",
        role="img",
        aria_label=title,
        width=float(wide),
        height=float(high),
    )
