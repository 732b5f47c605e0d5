"""A drawing of a network: its neurons in columns, its weights as lines, some of them marked."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

import numpy as np

from chainrule.calculus.network import ParameterVector
from chainrule.calculus.notation import Quantity
from chainrule.render.markup import element
from chainrule.render.numbers import significant
from chainrule.render.svg import frame, shortened, words

DRAWN = 10
"""How many neurons of a layer are drawn, where it has more."""

RADIUS, ROW, GAP = 13.0, 36.0, 150.0
TOP, SIDE = 78.0, 120.0


def network_drawing(p: ParameterVector, marked: Sequence[Quantity], names: Mapping[str, str]) -> Element:
    """The network with the marked quantities in colour; ``names`` says what an "a0[3]" is called in the data."""
    network = p.network
    drawn = {l: _drawn(n, [j for q in marked for j in _neurons(q, l)]) for l, n in enumerate(network.sizes)}
    rows = max(len(neurons) for neurons in drawn.values())
    middle = TOP + rows * ROW / 2
    places: dict[tuple[int, int], tuple[float, float]] = {}
    for l, neurons in drawn.items():
        first = middle - (len(neurons) - 1) * ROW / 2
        places |= {(l, j): (SIDE + l * GAP, first + at * ROW) for at, j in enumerate(neurons)}
    parts: list[Element] = []
    for l in network.layers:
        parts += _weights(p, l, drawn, places)
    parts += [line for q in marked if q.k is not None for line in _marked(p, q, places)]
    own = {(q.layer, q.j) for q in marked if q.letter != "w"}
    for (l, j), (x, y) in places.items():
        style = "target" if (l, j) in own else "box"
        parts.append(element("circle", class_=style, cx=x, cy=y, r=RADIUS))
        parts.append(words(x, y + 4, str(j), "ink", 11))
        if name := names.get(f"a{l}[{j}]"):
            side = -RADIUS - 8 if l == 0 else RADIUS + 8
            parts.append(words(x + side, y + 4, shortened(name, 14), "soft finish" if l == 0 else "soft start", 11.5))
    for l, n in enumerate(network.sizes):
        x = SIDE + l * GAP
        what = "input" if l == 0 else f"layer {l}: {network.activation[l - 1]}"
        count = f"{n:,} neurons" if n > 1 else "1 neuron"
        parts.append(words(x, TOP - 34, what, "ink", 13))
        parts.append(words(x, TOP - 18, count if l else count.replace("neuron", "number"), "soft", 11.5))
        if n > len(drawn[l]):
            parts.append(words(x, middle + len(drawn[l]) * ROW / 2 + 8, f"… {n - len(drawn[l]):,} more", "soft", 11.5))
    wide, high = 2 * SIDE + network.depth * GAP, TOP + rows * ROW + 24
    sizes = "-".join(str(n) for n in network.sizes)
    told = "; ".join(f"{q} = {_value(p, q)}" for q in marked if q.letter in "wb")
    title = words(16, 24, f"{sizes}; red weights are positive, blue ones negative", "ink start", 15)
    return frame(wide, high, f"The network {sizes}", f"Marked: {told}" if told else "", [title, *parts])


def _neurons(q: Quantity, l: int) -> list[int]:
    """The neurons of layer l that a quantity belongs to."""
    own = [q.j] if q.layer == l else []
    return [*own, q.k] if q.k is not None and q.layer - 1 == l else own


def _drawn(n: int, wanted: Sequence[int]) -> list[int]:
    """Which of n neurons are drawn: those that are wanted, and the first of the others."""
    kept = list(dict.fromkeys(wanted))[:DRAWN] if n > DRAWN else list(range(n))
    others = (j for j in range(n) if j not in kept)
    return sorted([*kept, *(j for j, _ in zip(others, range(DRAWN - len(kept)), strict=False))])


def _weights(
    p: ParameterVector,
    l: int,
    drawn: Mapping[int, Sequence[int]],
    places: Mapping[tuple[int, int], tuple[float, float]],
) -> list[Element]:
    largest = float(np.abs(p.w[l]).max()) or 1.0
    return [
        _line(places[l - 1, k], places[l, j], float(p.w[l][j, k]) / largest, 0.35)
        for j in drawn[l]
        for k in drawn[l - 1]
    ]


def _marked(p: ParameterVector, q: Quantity, places: Mapping[tuple[int, int], tuple[float, float]]) -> list[Element]:
    assert q.k is not None
    (x0, y0), (x1, y1) = places.get((q.layer - 1, q.k), (0.0, 0.0)), places.get((q.layer, q.j), (0.0, 0.0))
    if (q.layer - 1, q.k) not in places or (q.layer, q.j) not in places:
        return []
    line = _line((x0, y0), (x1, y1), float(np.sign(p.w[q.layer][q.j, q.k])), 1.0)
    line.set("stroke-width", "4")
    label = words((x0 + x1) / 2, (y0 + y1) / 2 - 6, f"{q} = {_value(p, q)}", "ink halo", 11.5)
    return [line, label]


def _line(start: tuple[float, float], end: tuple[float, float], size: float, opacity: float) -> Element:
    return element(
        "path",
        class_="hot-line" if size > 0 else "cool-line",
        d=f"M{start[0] + RADIUS:g},{start[1]:g} L{end[0] - RADIUS:g},{end[1]:g}",
        stroke_width=0.4 + 1.6 * min(abs(size), 1.0),
        opacity=opacity,
        fill="none",
    )


def _value(p: ParameterVector, q: Quantity) -> str:
    value = p.w[q.layer][q.j, q.k] if q.k is not None else p.b[q.layer][q.j]
    return significant(float(value), 4)
