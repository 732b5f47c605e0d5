"""The flowchart as a picture: columns of boxes from the target on the left to the cost on the right."""

from itertools import groupby
from xml.etree.ElementTree import Element

from chainrule.insight.flowchart import DIGITS, Edge, Flowchart, Node
from chainrule.render.markup import element, picture
from chainrule.render.numbers import significant
from chainrule.render.svg import box, frame, shortened, words

WIDE, HIGH = 96.0, 44.0
GAP, ROW = 112.0, 60.0
SIDE_HIGH = 30.0
TOP, MARGIN = 84.0, 16.0
LABELLED = 5
"""How many edges between two columns have their number written on them; pointing at the others shows it."""

Place = tuple[float, float]
"""The middle of a box."""


def svg(chart: Flowchart) -> str:
    """The picture as a file."""
    return picture(drawing(chart))


def drawing(chart: Flowchart) -> Element:
    """The picture as an element, to stand in a page."""
    places = _places(chart)
    wide = max(max(x for x, _ in places.values()) + WIDE / 2 + MARGIN, 560)
    high = max(y for _, y in places.values()) + HIGH / 2 + MARGIN
    parts = [
        words(MARGIN, 28, f"How {chart.wrt} reaches {chart.of}", "ink start", 17),
        words(MARGIN, 50, "multiply along a path, add up the paths; the thicker, the more passes;", "soft start", 12.5),
        words(MARGIN, 66, "blue paths work against the whole", "soft start", 12.5),
    ]
    edges = [edge for edge in chart.edges if edge.source in places and edge.target in places]
    parts += [_line(edge, places) for edge in edges]
    for _, group in groupby(sorted(edges, key=lambda e: places[e.target][0]), lambda e: places[e.target][0]):
        parts += _labels([edge for edge in group if edge.formula], places)
    for node in chart.nodes:
        parts += _box(node, places[node.name])
    description = "; ".join(
        f"{e.source} to {e.target}: {e.formula} = {significant(e.value, DIGITS)}" for e in edges if e.value is not None
    )
    return frame(wide, high, f"How {chart.wrt} reaches {chart.of}", description, parts)


def _places(chart: Flowchart) -> dict[str, Place]:
    """Each column in the middle, a layer's z and a side by side; what enters beside the path stands below it."""
    columns = [list(nodes) for _, nodes in groupby(sorted(chart.nodes, key=lambda n: n.column), lambda n: n.column)]
    rows = max(sum(node.role not in ("side", "more") for node in nodes) for nodes in columns)
    middle = TOP + rows * ROW / 2
    places: dict[str, Place] = {}
    for at, nodes in enumerate(columns):
        x = MARGIN + WIDE / 2 + at * (WIDE + GAP)
        path = sum(node.role not in ("side", "more") for node in nodes)
        y = middle - (path - 1) / 2 * ROW
        for node in sorted(nodes, key=lambda node: node.role == "side"):
            if node.role == "side":
                y += SIDE_HIGH - HIGH / 2
            places[node.name] = x, y
            y += SIDE_HIGH / 2 + HIGH / 2 if node.role == "side" else ROW
    return places


def _box(node: Node, place: Place) -> list[Element]:
    x, y = place
    name = words(x, y - 3 if node.value is not None else y + 5, shortened(node.name, 22), "ink", 14)
    if node.role == "more":
        return [element("g", element("title", node.name), words(x, y + 4, node.name, "soft halo", 12))]
    if node.role == "side" and node.value is not None:
        small = box(x - WIDE / 2, y - SIDE_HIGH / 2 + 2, WIDE, SIDE_HIGH - 4)
        small.set("stroke-dasharray", "4 3")
        return [small, words(x, y + 4, shortened(f"{node.name} = {significant(node.value, DIGITS)}", 16), "soft", 12)]
    frame_ = box(x - WIDE / 2, y - HIGH / 2, WIDE, HIGH, node.role if node.role in ("target", "end") else "box")
    parts = [frame_, name]
    if node.value is not None:
        parts.append(words(x, y + 15, significant(node.value, DIGITS), "soft mono", 12))
    return parts


def _ends(edge: Edge, places: dict[str, Place]) -> tuple[Place, Place]:
    (x0, y0), (x1, y1) = places[edge.source], places[edge.target]
    return (x0 + WIDE / 2, y0), (x1 - WIDE / 2, y1)


def _line(edge: Edge, places: dict[str, Place]) -> Element:
    (x0, y0), (x1, y1) = _ends(edge, places)
    bend = (x1 - x0) / 2
    thick = 1.0 if edge.share is None else 1 + 4 * min(abs(edge.share), 1)
    style = "line" if edge.share is None or not edge.share else "hot-line" if edge.share > 0 else "cool-line"
    told = f"{edge.formula} = {significant(edge.value)}" if edge.value is not None else ""
    line = element(
        "path",
        element("title", f"{edge.source} → {edge.target}: {told}") if told else None,
        class_=style,
        fill="none",
        stroke_width=thick,
        d=f"M{x0:g},{y0:g} C{x0 + bend:g},{y0:g} {x1 - bend:g},{y1:g} {x1:g},{y1:g}",
    )
    if not edge.formula:
        line.set("stroke-dasharray", "3 4")
    return line


def _labels(edges: list[Edge], places: dict[str, Place]) -> list[Element]:
    """Formula and number where an edge is alone or one of a few, the number alone where there are many."""
    parts: list[Element] = []
    sources, targets = {e.source for e in edges}, {e.target for e in edges}
    alone = len(edges) <= max(len(sources), len(targets))
    strongest = sorted(edges, key=lambda e: -abs(e.share or 0))[:LABELLED]
    order = {name: at for at, name in enumerate(sorted(sources, key=lambda name: places[name][1]))}
    for edge in edges if alone else strongest:
        (x0, y0), (x1, y1) = _ends(edge, places)
        t = 0.5
        if len(sources) > 1 and len(targets) > 1 and not alone:
            t = 0.22 + 0.5 * order[edge.source] / (len(sources) - 1)
        elif len(targets) > len(sources):
            t = 0.66
        elif len(sources) > len(targets):
            t = 0.34
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * (3 * t * t - 2 * t * t * t)
        number = significant(edge.value, DIGITS) if edge.value is not None else ""
        if alone:
            parts.append(words(x, y - 7, shortened(edge.formula, 18), "cool halo", 11.5))
            parts.append(words(x, y + 15, number, "hot mono halo", 11.5))
        else:
            parts.append(words(x, y + 4, number, "hot mono halo", 11))
    return parts
