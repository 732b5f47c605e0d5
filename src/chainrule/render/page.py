"""What every HTML page and fragment looks like: on a phone, on paper, in the light and in the dark; no script."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from chainrule.render.markup import element, markup

READABLE = 0.7
"""How small a picture may become on a small screen before it scrolls instead."""

STYLE = """
.chainrule { --ink: #1f2328; --soft: #59636e; --paper: #ffffff; --panel: #f6f8fa; --line: #d1d9e0; --accent: #0550ae;
  color: var(--ink); background: var(--paper); font: 16px/1.5 ui-sans-serif, system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .chainrule { --ink: #f0f6fc; --soft: #9198a1; --paper: #0d1117; --panel: #151b23;
  --line: #3d444d; --accent: #79c0ff; } }
.chainrule h1 { font-size: 1.6em; line-height: 1.25 } .chainrule h2 { font-size: 1.3em; margin: 1.6em 0 .4em }
.chainrule h3 { font-size: 1.05em; margin: 1.3em 0 .3em }
.chainrule .soft { color: var(--soft) } .chainrule a { color: var(--accent) }
.chainrule .wide { overflow-x: auto; max-width: 100% } .chainrule { overflow-wrap: break-word }
.chainrule table { border-collapse: collapse; margin: .4em 0; font-size: .95em }
.chainrule th, .chainrule td { padding: .3em .7em; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: middle; background: none; color: inherit }
.chainrule th { font-weight: 600; color: var(--soft) }
.chainrule td.number, .chainrule th.number { text-align: right; font-variant-numeric: tabular-nums;
  font-family: ui-monospace, Menlo, Consolas, monospace; white-space: nowrap }
.chainrule td:first-child:not(.soft), .chainrule td span, .chainrule .shapes { white-space: nowrap }
.chainrule td:last-child:not(.number) { min-width: 14em }
.chainrule tr.total td { font-weight: 600; border-top: 2px solid var(--soft) }
.chainrule details { border-left: 3px solid var(--line); padding: .1em 0 .1em .9em; margin: .6em 0 }
.chainrule summary { cursor: pointer }
.chainrule pre { background: var(--panel); padding: .8em 1em; border-radius: 6px; overflow-x: auto; font-size: .85em;
  color: inherit }
.chainrule math { font-size: 1.05em } .chainrule :is(h2, th, td, summary) math { math-style: normal }
.chainrule .equation { margin: .2em 0; padding: .2em 0; overflow: auto hidden; text-align: center }
.chainrule .shapes { color: var(--soft); font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em }
.chainrule .check { color: var(--soft); border-top: 1px solid var(--line); padding-top: .5em }
.chainrule svg { max-width: 100%; height: auto }
@media print { .chainrule { font-size: 11pt; --paper: #ffffff; --ink: #000000; --soft: #444444; --panel: #f6f8fa;
  --line: #bbbbbb } .chainrule .wide, .chainrule .equation { overflow: visible }
  .chainrule .picture { min-width: 0 !important; break-inside: avoid } .chainrule pre { white-space: pre-wrap }
  .chainrule tr, .chainrule .equation { break-inside: avoid }
  .chainrule h2, .chainrule h3, .chainrule summary, .chainrule summary + p { break-after: avoid } }
"""

_BODY = """
body { margin: 0 auto; max-width: 62rem; padding: 1rem }
@media (prefers-color-scheme: dark) { html { background: #0d1117 } }
@media print { html { background: #ffffff } body { padding: 0 } }
"""


def fragment(*children: Element | None) -> str:
    """Elements with their style, to stand in any page."""
    return markup(element("div", element("style", STYLE), *children, class_="chainrule"))


def page(title: str, *children: Element | None) -> str:
    """Elements as a page of its own."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", STYLE + _BODY),
    )
    body = element("body", *children, class_="chainrule")
    return "<!DOCTYPE html>\n" + markup(element("html", head, body, lang="en")) + "\n"


def figure(drawing: Element) -> Element:
    """A drawing as wide as the page; on a small screen it scrolls rather than shrink to nothing."""
    least = float(drawing.get("width", 0)) * READABLE
    return element("div", element("div", drawing, class_="picture", style=f"min-width: {least:.0f}px"), class_="wide")


def table(header: Sequence[Element | str], rows: Sequence[Element]) -> Element:
    """A table that scrolls by itself where it is too wide; its columns are aligned as those of the first row."""
    numbers = [cell.get("class") == "number" for cell in rows[-1]]
    cells = [
        element("th", name, class_="number" if flush else "") for name, flush in zip(header, numbers, strict=False)
    ]
    head = element("thead", element("tr", *cells)) if header else None
    return element("div", element("table", head, element("tbody", *rows)), class_="wide")


def row(cells: Sequence[Element | str], numbers: range, style: str = "") -> Element:
    """A row of a table; ``numbers`` are the columns that are flush right."""
    made = [element("td", cell, class_="number" if at in numbers else "") for at, cell in enumerate(cells)]
    return element("tr", *made, class_=style)
