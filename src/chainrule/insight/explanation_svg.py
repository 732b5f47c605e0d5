"""The picture of an explanation: the flowchart of one example, or what each of several examples adds."""

from xml.etree.ElementTree import Element

from chainrule.insight.explanation import Explanation
from chainrule.insight.flowchart_svg import drawing as flowchart_drawing
from chainrule.render.markup import element, picture
from chainrule.render.numbers import close
from chainrule.render.svg import frame, words

WIDE, LEFT, RIGHT = 640.0, 150.0, 130.0
ROW, TOP = 24.0, 62.0
_DIGITS = 5


def svg(e: Explanation) -> str:
    """The picture as a file."""
    return picture(drawing(e))


def drawing(e: Explanation) -> Element:
    """The picture as an element, to stand in a page."""
    return flowchart_drawing(e.flowchart) if e.flowchart else _parts(e)


def _parts(e: Explanation) -> Element:
    """A bar for each example that is listed, for the rest, for the penalty, and for the whole."""
    rows = [(f"example {c.example}", c.contribution) for c in e.examples]
    rows += [("penalty", e.penalty.value)] if e.penalty else []
    closed = close([value for _, value in rows], e.value, _DIGITS)
    shown = [*closed.terms]
    if e.rest or not closed.rest_is_zero:
        rows.append((f"… {e.rest.count:,} more", e.rest.contribution) if e.rest else ("rounding", 0.0))
        shown.append(closed.rest)
    rows.append(("sum", e.value))
    shown.append(closed.total)
    largest = max((abs(value) for _, value in rows if abs(value) < float("inf")), default=0.0) or 1.0
    zero, reach = (LEFT + WIDE - RIGHT) / 2, (WIDE - RIGHT - LEFT) / 2
    high = TOP + len(rows) * ROW + 24
    parts = [
        words(16, 26, f"∂{e.of}/∂{e.wrt}: what the examples add to the mean", "ink start", 16),
        words(zero - 8, TOP - 10, f"← raising {e.wrt} lowers {e.of}", "soft finish", 11.5),
        words(zero + 8, TOP - 10, f"raises {e.of} →", "soft start", 11.5),
    ]
    for at, ((name, value), number) in enumerate(zip(rows, shown, strict=True)):
        y = TOP + at * ROW
        length = min(abs(value) / largest, 1.0) * reach if value == value else 0.0
        style = "hot" if value > 0 else "cool"
        x = zero if value > 0 else zero - length
        parts.append(element("rect", class_=style, x=x, y=y + 3, width=length, height=ROW - 8))
        parts.append(words(LEFT - 12, y + 16, name, "ink finish", 12.5))
        parts.append(words(WIDE - 14, y + 16, number, "ink mono finish", 12))
    bottom = TOP + len(rows) * ROW
    parts.append(element("path", class_="line", d=f"M{zero:g},{TOP - 4:g} V{bottom:g}", stroke_width=1, fill="none"))
    told = "; ".join(f"{name}: {number}" for (name, _), number in zip(rows, shown, strict=True))
    return frame(WIDE, high, f"∂{e.of}/∂{e.wrt}, example by example", told, parts)
