"""The article's flowchart w → z → a → … → C: values on the nodes, local derivatives on the edges.

Of a wide layer only the neurons are drawn through which the most passes; one node gathers the others.
"""

from dataclasses import asdict, dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.calculus.cost import penalty
from chainrule.calculus.gradient import costs
from chainrule.calculus.notation import Quantity
from chainrule.render.numbers import significant
from chainrule.render.text import printable

if TYPE_CHECKING:
    from chainrule.insight.chain import Chain

DRAWN = 4
"""How many neurons of a layer are drawn, where it has more than one more."""

DIGITS = 4
"""How many digits a number on a picture has."""


@dataclass(frozen=True)
class Node:
    """A quantity with its value, in a column of the picture.

    ``role`` is "target", "path", "end", "side" for what enters beside the path (a, b, y), or "more" for the neurons
    that are not drawn. ``share`` is the part of the derivative that passes through it; None beside the path.
    """

    name: str
    value: float | None
    column: int
    role: str
    share: float | None = None


@dataclass(frozen=True)
class Edge:
    """From one node to the next with the local derivative; no formula where there is none to show.

    ``share`` is the part of the derivative that passes along it.
    """

    source: str
    target: str
    formula: str = ""
    value: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Flowchart:
    """How ``wrt`` reaches ``of``. The nodes stand in reading order: column by column, each from the top."""

    of: str
    wrt: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def json(self) -> dict[str, Any]:
        """Plain lists, numbers and texts."""
        return asdict(self)

    def svg(self) -> str:
        """A picture, for light and dark backgrounds."""
        from chainrule.insight.flowchart_svg import svg

        return svg(self)

    def dot(self) -> str:
        """The graph in Graphviz's language."""
        names = {node.name: f"n{at}" for at, node in enumerate(self.nodes)}
        styles = {
            "target": ', style="filled,bold", fillcolor="#fff8c5"', "end": ', style="filled,bold", fillcolor="#ddf4ff"',
            "side": ", style=dashed", "more": ", shape=plaintext", "path": "",
        }  # fmt: skip
        lines = [
            "digraph chain {",
            "  rankdir=LR",
            f"  label={_dot_text(f'How {self.wrt} reaches {self.of}')}",
            '  node [shape=box, style=rounded, fontname="sans-serif"]',
            '  edge [fontname="sans-serif", fontsize=10]',
        ]
        lines += [f"  {names[node.name]} [label={_dot_text(*_lines(node))}{styles[node.role]}]" for node in self.nodes]
        for edge in self.edges:
            label = f" [label={_dot_text(*_label(edge))}]" if edge.formula else " [style=dashed]"
            lines.append(f"  {names[edge.source]} -> {names[edge.target]}{label}")
        return "\n".join([*lines, "}", ""])

    def mermaid(self) -> str:
        """The graph in Mermaid's language, which many Markdown readers draw."""
        names = {node.name: f"n{at}" for at, node in enumerate(self.nodes)}
        lines = ["flowchart LR"]
        for node in self.nodes:
            label = "<br/>".join(map(_mermaid_text, _lines(node)))
            lines += [f'  {names[node.name]}["{label}"]' + _MERMAID_CLASSES[node.role]]
        for edge in self.edges:
            arrow = f'-- "{"<br/>".join(map(_mermaid_text, _label(edge)))}" -->' if edge.formula else "-.->"
            lines.append(f"  {names[edge.source]} {arrow} {names[edge.target]}")
        return "\n".join([*lines, *_MERMAID_STYLES, ""])


_MERMAID_CLASSES = {"target": ":::target", "end": ":::goal", "side": ":::side", "more": ":::side", "path": ""}
_MERMAID_STYLES = (
    "  classDef target fill:#fff8c5,stroke:#9a6700,color:#1f2328,stroke-width:2px",
    "  classDef goal fill:#ddf4ff,stroke:#0969da,color:#1f2328,stroke-width:2px",
    "  classDef side stroke-dasharray:4",
)


def _lines(node: Node) -> list[str]:
    return [node.name] if node.value is None else [node.name, significant(node.value, DIGITS)]


def _label(edge: Edge) -> list[str]:
    return [edge.formula] if edge.value is None else [edge.formula, significant(edge.value, DIGITS)]


def _dot_text(*lines: str) -> str:
    """A quoted text, in which Graphviz reads backslashes and character references."""
    escaped = (escape(printable(line).replace("\\", "\\\\"), quote=True) for line in lines)
    return '"' + "\\n".join(line.encode("ascii", "xmlcharrefreplace").decode() for line in escaped) + '"'


def _mermaid_text(text: str) -> str:
    """Letters, digits and spaces as they are, all else as character codes, so that nothing is syntax."""
    return "".join(c if c.isascii() and (c.isalnum() or c == " ") else f"#{ord(c)};" for c in printable(text))


def flowchart(chain: "Chain") -> Flowchart:
    """The flowchart of a question about one example."""
    return _Drawing(chain).flowchart()


class _Drawing:
    """Nodes and edges, column by column."""

    def __init__(self, chain: "Chain") -> None:
        self.chain = chain
        self.q, self.last, self.network = chain.q, chain.last, chain.network
        self.whole = float(chain.values[0]) * chain.question.scale  # ∂C/∂a0 for a raw input
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def flowchart(self) -> Flowchart:
        chain, q = self.chain, self.q
        if self._apart():
            nodes = (Node(chain.of, None, 0, "end"), Node(str(q), None, 1, "target"))
            return Flowchart(chain.of, str(q), nodes, ())
        self._start()
        drawn = [q.j]
        for l in range(q.layer + 1, self.last + 1):
            drawn = self._layer(l, drawn)
        if chain.top is None:
            self._cost(drawn)
        self._mark_the_end()
        return Flowchart(chain.of, str(q), tuple(self.nodes), tuple(self.edges))

    def _apart(self) -> bool:
        """Whether no way leads from the target to what is differentiated, which comes before or beside it."""
        q, top = self.q, self.chain.top
        if top is None or q.layer < top.layer:
            return False
        if q.layer > top.layer or (q.letter == "a" and top.letter == "z"):
            return True
        coupled = q.letter in "wbz" and top.letter == "a" and not self.network.σ(q.layer).elementwise
        return q.j != top.j and not coupled

    def _mark_the_end(self) -> None:
        """What is differentiated is the end of the path, also where it is an activation or a z."""
        end = str(self.chain.top)
        if end != str(self.q):
            self.nodes = [replace(node, role="end") if node.name == end else node for node in self.nodes]

    def _start(self) -> None:
        """The target and its own neuron's z and a, with what else enters that z."""
        q, trace, p = self.q, self.chain.trace, self.chain.p
        l, j = q.layer, q.j
        whole = self._share(self.whole)
        a, z = f"a{l}[{j}]", f"z{l}[{j}]"
        if q.letter == "x":
            mean = 0.0 if self.chain.question.model.inputs is None else float(self.chain.question.model.inputs.mean[j])
            scale = self.chain.question.scale
            x = float(trace.a[0][0, j]) * scale + mean
            self.nodes.append(Node(str(q), x, 0, "target", whole))
            self.nodes.append(Node(a, float(trace.a[0][0, j]), 1, "path", whole))
            self.edges.append(Edge(str(q), a, f"1/{scale:.6g}", 1 / scale, whole))
            return
        if q.letter == "a":
            self.nodes.append(Node(a, float(trace.a[l][0, j]), 2, "target", whole))
            return
        if q.letter in "wb":
            value = p.w[l][j, q.k] if q.k is not None else p.b[l][j]
            self.nodes.append(Node(str(q), float(value), 0, "target", whole))
            if q.k is not None:
                below = f"a{l - 1}[{q.k}]"
                incoming = float(trace.a[l - 1][0, q.k])
                self.nodes.append(Node(below, incoming, 0, "side"))
                self.nodes.append(Node(f"b{l}[{j}]", float(p.b[l][j]), 0, "side"))
                self.edges.append(Edge(str(q), z, below, incoming, whole))
                self.edges += [Edge(below, z), Edge(f"b{l}[{j}]", z)]
            else:
                self.edges.append(Edge(str(q), z, "1", 1.0, whole))
        self.nodes.append(Node(z, float(trace.z[l][0, j]), 1, "target" if q.letter == "z" else "path", whole))
        if self._ends_at_z(l):
            return
        if not self._in_one_step(l):
            self.nodes.append(Node(a, float(trace.a[l][0, j]), 2, "path", whole))
            self._slope(l, j, whole)
        elif self.chain.top is not None:
            self._softmax_end(self.chain.top, [j], 2)

    def _softmax_end(self, top: Quantity, drawn: list[int], column: int) -> None:
        """The output that is differentiated, which every z of its layer moves."""
        l = top.layer
        passing = self.chain.passing(l)[0]
        self.nodes.append(
            Node(str(top), float(self.chain.trace.a[l][0, top.j]), column, "path", self._share(self.whole))
        )
        for j in drawn:
            factor = self.chain.dC_dz(l, j, 0, self.chain.of)
            self.edges.append(Edge(f"z{l}[{j}]", str(top), factor.formula, factor.value, self._share(passing[j])))

    def _ends_at_z(self, l: int) -> bool:
        top = self.chain.top
        return top is not None and l == top.layer and top.letter == "z"

    def _in_one_step(self, l: int) -> bool:
        """Whether z leads to what comes after a at once: under softmax, and where ∂C/∂a overflows."""
        if not self.network.σ(l).elementwise:
            return True
        return l == self.last and self.chain.top is None and not np.isfinite(self.chain.sensitivity(l)[0]).all()

    def _slope(self, l: int, j: int, share: float | None) -> None:
        z = self.chain.trace.z[l][0, j : j + 1]
        value = float(self.network.σ(l).derivative(z)[0])
        self.edges.append(Edge(f"z{l}[{j}]", f"a{l}[{j}]", f"σ′(z{l}[{j}])", value, share))

    def _layer(self, l: int, below: list[int]) -> list[int]:
        """The neurons of layer l that are drawn, each with its z and a."""
        chain, trace, n = self.chain, self.chain.trace, self.network.sizes[l]
        top = chain.top if l == self.last else None
        column = 3 + 2 * (l - self.q.layer - 1)
        passing = chain.passing(l)[0]
        softmax_top = top is not None and top.letter == "a" and not self.network.σ(l).elementwise
        if top is not None and not softmax_top:
            drawn = [top.j]
        else:
            drawn = sorted(chain.busiest(l, n if n <= DRAWN + 1 else DRAWN, below))
        carried = {j: self._share(passing[j]) for j in drawn}
        self.nodes += [Node(f"z{l}[{j}]", float(trace.z[l][0, j]), column, "path", carried[j]) for j in drawn]
        for k in below:
            for j in drawn:
                passes = chain.tangent.a[l - 1][0, k] * chain.p.w[l][j, k] * chain.deltas.dC_dz[l][0, j]
                w = float(chain.p.w[l][j, k])
                source = f"a{l - 1}[{k}]"
                self.edges.append(Edge(source, f"z{l}[{j}]", f"w{l}[{j},{k}]", w, self._share(passes)))
        hidden = n - len(drawn)
        more_below = self._more(l - 1) if l - 1 > self.q.layer else None
        if hidden and (top is None or softmax_top):
            more = f"… {hidden:,} more in layer {l}"
            self.nodes.append(Node(more, None, column, "more", 1 - sum(carried.values()) if self._finite else None))
            self.edges += [Edge(f"a{l - 1}[{k}]", more) for k in below]
            self.edges += [Edge(more_below, more)] if more_below else []
        if more_below:
            self.edges += [Edge(more_below, f"z{l}[{j}]") for j in drawn]
        if self._ends_at_z(l):
            return drawn
        if not self._in_one_step(l):
            self.nodes += [Node(f"a{l}[{j}]", float(trace.a[l][0, j]), column + 1, "path", carried[j]) for j in drawn]
            for j in drawn:
                self._slope(l, j, carried[j])
        elif top is not None:
            self._softmax_end(top, drawn, column + 1)
            self.edges += [Edge(self._more(l) or "", str(top))] if hidden else []
        return drawn

    def _more(self, l: int) -> str | None:
        """The node that gathers the other neurons of layer l, if there is one."""
        return next(
            (node.name for node in self.nodes if node.role == "more" and node.name.endswith(f"layer {l}")), None
        )

    def _share(self, passes: float) -> float:
        """A part of the whole derivative."""
        return float(passes) / self.whole if self._finite else 0.0

    @property
    def _finite(self) -> bool:
        return self.whole != 0 and abs(self.whole) < float("inf")

    def _cost(self, drawn: list[int]) -> None:
        """C, with y beside it."""
        chain, L = self.chain, self.network.depth
        passing = self.chain.passing(L)[0] if self.q.layer < L else None
        from_z = self._in_one_step(L) and not (self.q.letter in "ax" and self.q.layer == L)
        column = max(node.column for node in self.nodes)
        for j in drawn:
            share = self._share(self.whole if passing is None else passing[j])
            factor = (chain.dC_dz if from_z else chain.dC_da)(L, j, 0, chain.of)
            source = f"z{L}[{j}]" if from_z else f"a{L}[{j}]"
            self.nodes.append(Node(f"y[{j}]", float(chain.Y[0, j]), column, "side"))
            self.edges.append(Edge(source, chain.of, factor.formula, factor.value, share))
            self.edges.append(Edge(f"y[{j}]", chain.of))
        more = self._more(L)
        self.edges += [Edge(more, chain.of)] if more else []
        cost = float(costs(chain.p, chain.trace, chain.Y)[0])
        if chain.question.example is None:  # C itself, which has the penalty
            l1, l2 = self.network.l1, self.network.l2
            cost += sum(penalty(w, l1, l2) for w in chain.p.w.values())
        self.nodes.append(Node(chain.of, cost, column + 1, "end", self._share(self.whole)))
