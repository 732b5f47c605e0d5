"""The flowchart as a picture: columns of boxes from the target on the left to the cost on the right."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element

from chainrule.insight.flowchart import DIGITS, Edge, Flowchart, Node
from chainrule.render.markup import element, picture
from chainrule.render.numbers import significant
from chainrule.render.svg import box, frame, shortened, words

WIDE, HIGH, ROW = 108.0, 44.0, 60.0
SIDE_HIGH = 30.0
TOP, MARGIN = 84.0, 16.0
GAP, CROSSED, TURN = 84.0, 160.0, 44.0
"""Between two columns at least, between two that many edges cross, and what of it edges take that part or meet."""

LABELLED = 5
"""How many of many crossing edges have their number written on them; pointing at the others shows it."""

FORMULA, CHARACTER = 24, 6.6
"""How much of a formula stands on an edge; how wide a character is about."""

Place = tuple[float, float]
"""The middle of a box, or of a label."""


def svg(chart: Flowchart) -> str:
    """The picture as a file."""
    return picture(drawing(chart))


def drawing(chart: Flowchart) -> Element:
    """The picture as an element, to stand in a page."""
    layout = _Layout(chart)
    places = layout.places
    wide = max(max(x for x, _ in places.values()) + WIDE / 2 + MARGIN, 560)
    high = max(y for _, y in places.values()) + HIGH / 2 + MARGIN
    parts = [
        words(MARGIN, 28, f"How {chart.wrt} reaches {chart.of}", "ink start", 17),
        words(MARGIN, 50, "multiply along a path, add up the paths; the thicker, the more passes;", "soft start", 12.5),
        words(MARGIN, 66, "blue paths work against the whole", "soft start", 12.5),
    ]
    parts += [_line(edge, layout) for edge in chart.edges]
    for gap in layout.gaps.values():
        parts += _labels(gap, layout)
    for node in chart.nodes:
        parts += _box(node, places[node.name])
    description = "; ".join(
        f"{e.source} to {e.target}: {e.formula} = {significant(e.value, DIGITS)}"
        for e in chart.edges
        if e.value is not None
    )
    return frame(wide, high, f"How {chart.wrt} reaches {chart.of}", description, parts)


# where everything stands ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gap:
    """The space before a column, with the edges that have a label in it.

    ``kind`` is "apart" where each edge has a row of its own, "out" and "in" where they part or meet, "crossed".
    """

    left: float
    right: float
    edges: list[Edge]
    kind: str


class _Layout:
    """The place of each node, and the gap before each column."""

    def __init__(self, chart: Flowchart) -> None:
        self.column = {node.name: node.column for node in chart.nodes}
        self.side = {node.name for node in chart.nodes if node.role == "side"}
        columns = [list(nodes) for _, nodes in groupby(sorted(chart.nodes, key=lambda n: n.column), lambda n: n.column)]
        labelled: defaultdict[int, list[Edge]] = defaultdict(list)
        for edge in chart.edges:
            if edge.formula:
                labelled[self.column[edge.target]].append(edge)
        self.gaps: dict[int, _Gap] = {}
        right = MARGIN + WIDE
        middles = [right - WIDE / 2]
        for _, nodes in pairwise(columns):
            edges = labelled[nodes[0].column]
            kind, left = _kind(edges), right
            right = left + _width(edges, kind)
            self.gaps[nodes[0].column] = _Gap(left, right, edges, kind)
            right += WIDE
            middles.append(right - WIDE / 2)
        rows = max(sum(node.role not in ("side", "more") for node in nodes) for nodes in columns)
        self.places: dict[str, Place] = {}
        for x, nodes in zip(middles, columns, strict=True):
            self.places |= _column(x, TOP + rows * ROW / 2, nodes)


def _kind(edges: list[Edge]) -> str:
    sources, targets = len({e.source for e in edges}), len({e.target for e in edges})
    if len(edges) <= 1 or len(edges) == sources == targets:
        return "apart"
    return "out" if sources == 1 else "in" if targets == 1 else "crossed"


def _width(edges: list[Edge], kind: str) -> float:
    if kind == "crossed":
        return CROSSED
    longest = max((len(text) for edge in edges for text in _texts(edge)), default=0)
    return max(GAP, longest * CHARACTER + 16) + (0 if kind == "apart" else TURN)


def _column(x: float, middle: float, nodes: list[Node]) -> dict[str, Place]:
    """A column's path in the middle; what enters beside it stands below."""
    places: dict[str, Place] = {}
    path = sum(node.role not in ("side", "more") for node in nodes)
    y = middle - (path - 1) / 2 * ROW
    for node in sorted(nodes, key=lambda node: node.role == "side"):
        if node.role == "side":
            y += SIDE_HIGH - HIGH / 2
        places[node.name] = x, y
        y += SIDE_HIGH / 2 + HIGH / 2 if node.role == "side" else ROW
    return places


# boxes, lines, labels ------------------------------------------------------------------------------


def _box(node: Node, place: Place) -> list[Element]:
    x, y = place
    name = words(x, y - 3 if node.value is not None else y + 5, shortened(node.name, 22), "ink", 14)
    if node.role == "more":
        many, _, layer = node.name.partition(" in layer ")
        above = words(x, y - 3, shortened(many, 18), "soft halo", 12)
        below = words(x, y + 12, f"in layer {layer}", "soft halo", 12) if layer else None
        return [element("g", element("title", node.name), above, below)]
    if node.role == "side" and node.value is not None:
        small = box(x - WIDE / 2, y - SIDE_HIGH / 2 + 2, WIDE, SIDE_HIGH - 4)
        small.set("stroke-dasharray", "4 3")
        text = f"{shortened(node.name, 18)} = {significant(node.value, DIGITS)}"
        return [small, words(x, y + 4, text, "soft", 11)]
    frame_ = box(x - WIDE / 2, y - HIGH / 2, WIDE, HIGH, node.role if node.role in ("target", "end") else "box")
    parts = [frame_, name]
    if node.value is not None:
        parts.append(words(x, y + 15, significant(node.value, DIGITS), "soft mono", 12))
    return parts


def _line(edge: Edge, layout: _Layout) -> Element:
    thick = 1.0 if edge.share is None else 1 + 4 * min(abs(edge.share), 1)
    style = "line" if edge.share is None or not edge.share else "hot-line" if edge.share > 0 else "cool-line"
    told = f"{edge.formula} = {significant(edge.value)}" if edge.value is not None else ""
    line = element(
        "path",
        element("title", f"{edge.source} → {edge.target}: {told}") if told else None,
        class_=style,
        fill="none",
        stroke_width=thick,
        d=_path(edge, layout),
    )
    if not edge.formula:
        line.set("stroke-dasharray", "3 4")
    return line


def _path(edge: Edge, layout: _Layout) -> str:
    """Straight along its row up to the gap before its target; there to the target's row."""
    (x, y0), (_, y1) = layout.places[edge.source], layout.places[edge.target]
    gap = layout.gaps[layout.column[edge.target]]
    start, end = gap.left, gap.right
    kind = "in" if edge.source in layout.side else gap.kind
    if kind == "out":
        end = start + TURN
    elif kind == "in":
        start = end - TURN
    bend = (end - start) / 2
    curve = f"C{start + bend:g},{y0:g} {end - bend:g},{y1:g} {end:g},{y1:g}"
    return f"M{x + WIDE / 2:g},{y0:g} H{start:g} {curve} H{gap.right:g}"


def _texts(edge: Edge) -> tuple[str, str]:
    """What stands on an edge: its formula and its number."""
    return shortened(edge.formula, FORMULA), significant(edge.value, DIGITS) if edge.value is not None else ""


def _labels(gap: _Gap, layout: _Layout) -> list[Element]:
    """Formula and number where an edge has a row to itself; numbers alone, and not all, where many cross."""
    parts: list[Element] = []
    if gap.kind == "crossed":
        return _crossed(gap, layout)
    left = gap.left + (TURN if gap.kind == "out" else 0)
    right = gap.right - (TURN if gap.kind == "in" else 0)
    for edge in gap.edges:
        _, y = layout.places[edge.source if gap.kind == "in" else edge.target]
        formula, number = _texts(edge)
        parts.append(words((left + right) / 2, y - 7, formula, "soft halo", 11.5))
        parts.append(words((left + right) / 2, y + 15, number, "ink mono halo", 11.5))
    return parts


def _crossed(gap: _Gap, layout: _Layout) -> list[Element]:
    """The numbers of the edges through which the most passes, each where there is room for it on its curve."""
    parts: list[Element] = []
    taken: list[tuple[float, float, float]] = []
    for edge in sorted(gap.edges, key=lambda e: -abs(e.share or 0))[:LABELLED]:
        _, number = _texts(edge)
        half = len(number) * CHARACTER / 2
        y0, y1 = layout.places[edge.source][1], layout.places[edge.target][1]
        for t in (0.3, 0.7, 0.4, 0.6, 0.5, 0.22, 0.78):
            x, y = _on_the_curve(gap, y0, y1, t)
            if not any(abs(x - x_) < half + half_ + 4 and abs(y - y_) < 15 for x_, y_, half_ in taken):
                taken.append((x, y, half))
                color = "cool" if (edge.share or 0) < 0 else "hot"  # as its line, for others cross it
                parts.append(words(x, y + 4, number, f"{color} mono halo", 11))
                break
    return parts


def _on_the_curve(gap: _Gap, y0: float, y1: float, t: float) -> Place:
    """The point at t of the curve whose two inner points stand in the middle of the gap."""
    middle = (gap.left + gap.right) / 2
    x = gap.left * (1 - t) ** 3 + 3 * middle * t * (1 - t) + gap.right * t**3
    return x, y0 + (y1 - y0) * (3 * t * t - 2 * t**3)
