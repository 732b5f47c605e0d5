"""A flowchart shows the derivative: its numbers are those of the passes, its paths add up, and programs can draw it."""

import shutil
import subprocess
from collections import defaultdict
from math import isfinite
from typing import Any
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
from given import random_problem
from questions import PAIRS, Asked, asked

from chainrule import Examples, Explanation, Model, Network, ParameterVector, explain
from chainrule.calculus.activation import softmax_jacobian
from chainrule.calculus.gradient import backward, costs, forward, sensitivity
from chainrule.calculus.notation import parse
from chainrule.insight.flowchart import DRAWN, Edge, Flowchart, Node

EPS = float(np.finfo(np.float64).eps)
each_seed = pytest.mark.parametrize("seed", range(len(PAIRS)))

WIDE: dict[str, tuple[Model, Examples]] = {
    "five": random_problem(1, (2, 5, 5), "tanh", "squared-error"),
    "six": random_problem(2, (2, 6, 6, 6), "sigmoid", "huber"),
    "softmax": random_problem(3, (3, 12, 8, 10), ("tanh", "gelu", "softmax"), "cross-entropy"),
    "relu": random_problem(4, (3, 9, 9, 2), ("relu", "relu", "identity"), "squared-error", l2=0.1),
}
each_wide = pytest.mark.parametrize("name", WIDE)


def _charts(seed: int) -> list[tuple[Asked, Flowchart]]:
    return [(q, q.explanation.flowchart) for q in asked(seed) if q.explanation.flowchart]


def _wide(name: str) -> list[tuple[Explanation, Flowchart]]:
    model, examples = WIDE[name]
    L = model.network.depth
    targets = ["w1[0,1]", "b1[0]", "a0[0]", "x[1]", "z1[1]", "a1[1]", f"w{L}[1,0]", f"b{L}[0]", f"a{L}[0]"]
    nodes = ["C", f"a{L}[1]", f"z{L}[1]", "a1[1]", "z2[1]"]
    each = [explain(model, examples, target, 0, of=of) for target in targets for of in nodes]
    return [(e, e.flowchart) for e in each if e.flowchart]


def _check_graph(chart: Flowchart) -> None:
    names = [node.name for node in chart.nodes]
    assert len(names) == len({*names})
    assert {name for edge in chart.edges for name in (edge.source, edge.target)} <= {*names}
    assert len({(edge.source, edge.target) for edge in chart.edges}) == len(chart.edges)
    columns = {node.name: node.column for node in chart.nodes}
    assert all(columns[edge.source] < columns[edge.target] for edge in chart.edges)
    assert [node.column for node in chart.nodes] == sorted(columns.values())
    assert [node.name for node in chart.nodes if node.role == "target"] == [chart.wrt]
    ends = [node.name for node in chart.nodes if node.role == "end"]
    assert ends == [chart.of] or chart.of == chart.wrt


def _paths(chart: Flowchart) -> float:
    """The sum over all paths from the target to the end of the product of what is on the edges."""
    after: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in chart.edges:
        after[edge.source].append(edge)

    def to_the_end(name: str) -> float:
        if name == chart.of:
            return 1.0
        return sum(edge.value * to_the_end(edge.target) for edge in after[name] if edge.value is not None)

    return to_the_end(chart.wrt)


@each_seed
def test_edges_join_nodes_that_exist_and_go_forward(seed: int) -> None:
    for _, chart in _charts(seed):
        _check_graph(chart)


@each_wide
def test_wide_layers_make_a_graph_too(name: str) -> None:
    for _, chart in _wide(name):
        _check_graph(chart)


@each_seed
def test_products_along_the_paths_add_up_to_the_derivative(seed: int) -> None:
    for q, chart in _charts(seed):
        e = q.explanation
        without_penalty = e.value - (e.penalty.value if e.penalty else 0)
        # a path is a product of up to 2·4 + 2 numbers, each a few eps off, and z moves them by the eps of its own sum
        sizes = _paths(_sized(chart))
        assert _paths(chart) == pytest.approx(without_penalty, rel=0, abs=1000 * EPS * (sizes + abs(e.value))), q


def _sized(chart: Flowchart) -> Flowchart:
    edges = [Edge(e.source, e.target, e.formula, None if e.value is None else abs(e.value)) for e in chart.edges]
    return Flowchart(chart.of, chart.wrt, chart.nodes, tuple(edges))


def _values(model: Model, examples: Examples, i: int) -> dict[str, float]:
    """Every number of the network by its name."""
    p = model.parameters
    trace = forward(p, examples.a0[i : i + 1])
    found = {f"z{l}[{j}]": float(z) for l, row in trace.z.items() for j, z in enumerate(row[0])}
    found |= {f"a{l}[{j}]": float(a) for l, row in trace.a.items() for j, a in enumerate(row[0])}
    found |= {f"b{l}[{j}]": float(b) for l in p.network.layers for j, b in enumerate(p.b[l])}
    found |= {f"w{l}[{j},{k}]": float(p.w[l][j, k]) for l in p.network.layers for j, k in np.ndindex(p.w[l].shape)}
    found |= {f"y[{j}]": float(y) for j, y in enumerate(examples.Y[i])}
    x = examples.a0[i] * model.inputs.scale + model.inputs.mean if model.inputs else examples.a0[i]
    return found | {f"x[{k}]": float(value) for k, value in enumerate(x)}


def _slope(model: Model, examples: Examples, i: int, edge: Edge) -> float:
    """The local derivative between two nodes."""
    network, p = model.network, model.parameters
    trace = forward(p, examples.a0[i : i + 1])
    Y = examples.Y[i : i + 1]
    source = parse(edge.source, network)
    l = source.layer
    if edge.target.startswith("C"):
        deltas = backward(p, trace, Y)
        array = sensitivity(p, trace, deltas, Y, l) if source.letter == "a" else deltas.dC_dz[l]
        return float(array[0, source.j])
    target = parse(edge.target, network)
    match source.letter, target.letter:
        case "x", "a":
            return 1.0 / (float(model.inputs.scale[source.j]) if model.inputs else 1.0)
        case "w", "z":
            return float(trace.a[l - 1][0, source.k or 0])
        case "b", "z":
            return 1.0
        case "a", "z":
            return float(p.w[target.layer][target.j, source.j])
        case _:
            z = trace.z[l][0]
            if network.σ(l).elementwise:
                return float(network.σ(l).derivative(z)[source.j]) if source.j == target.j else 0.0
            return float(softmax_jacobian(z)[target.j, source.j])


@each_seed
def test_nodes_have_the_values_of_the_forward_pass_and_edges_the_local_derivatives(seed: int) -> None:
    for q, chart in _charts(seed):
        (i,) = q.rows
        values = _values(q.model, q.examples, i)
        for node in chart.nodes:
            if node.name.startswith("C"):
                cost = float(costs(q.model.parameters, forward(q.model.parameters, q.examples.a0), q.examples.Y)[i])
                assert node.value == pytest.approx(cost, rel=1e-13)
            elif node.value is not None:
                assert node.value == pytest.approx(values[node.name], rel=1e-14), (q, node)
        for edge in chart.edges:
            assert (edge.value is None) == (edge.formula == "")
            if edge.value is not None:
                slope = _slope(q.model, q.examples, i, edge)
                assert edge.value == pytest.approx(slope, rel=1e-13, abs=1e-15), (q, edge)


def _shares_of_layers(chart: Flowchart) -> list[float]:
    shares: defaultdict[int, float] = defaultdict(float)
    for node in chart.nodes:
        if node.role != "side":
            assert node.share is not None
            shares[node.column] += node.share
    return [*shares.values()]


@each_seed
def test_the_whole_derivative_passes_through_every_layer(seed: int) -> None:
    for q, chart in _charts(seed):
        if len(chart.edges) and q.explanation.value:
            _check_shares(chart, q.explanation)


@each_wide
def test_the_whole_derivative_passes_through_every_wide_layer(name: str) -> None:
    for e, chart in _wide(name):
        if e.value and chart.edges:
            _check_shares(chart, e)


def _check_shares(chart: Flowchart, e: Explanation) -> None:
    without_penalty = e.value - (e.penalty.value if e.penalty else 0)
    if not without_penalty:
        return
    # shares may be large where they cancel; the columns of a alone have no share of what is not drawn
    parts = [abs(node.share) for node in chart.nodes if node.share is not None]
    hidden = any(node.role == "more" for node in chart.nodes)
    for node, total in zip(_first_of_columns(chart), _shares_of_layers(chart), strict=True):
        if not (hidden and node.name.startswith("a")):
            assert total == pytest.approx(1, rel=0, abs=1e-12 * (1 + sum(parts))), (e.of, e.wrt, node)


def _first_of_columns(chart: Flowchart) -> list[Node]:
    first: dict[int, Node] = {}
    for node in chart.nodes:
        if node.role != "side":
            first.setdefault(node.column, node)
    return [*first.values()]


@each_wide
def test_a_wide_layer_shows_the_busiest_and_says_how_many_more_there_are(name: str) -> None:
    model, _ = WIDE[name]
    for e, chart in _wide(name):
        of_the_cost = e.of.startswith("C")
        last = model.network.depth if of_the_cost else parse(e.of, model.network).layer
        first = parse(e.wrt, model.network).layer
        for l in range(first + 1, last + 1 if of_the_cost else last):
            n = model.network.sizes[l]
            drawn = [node for node in chart.nodes if node.name.startswith(f"z{l}[")]
            more = [node for node in chart.nodes if node.role == "more" and node.name.endswith(f"layer {l}")]
            assert len(drawn) == (n if n <= DRAWN + 1 else DRAWN)
            assert [node.name for node in more] == [f"… {n - DRAWN:,} more in layer {l}"] * (n > DRAWN + 1)
            assert [node.name for node in drawn] == sorted((node.name for node in drawn), key=lambda s: int(s[3:-1]))


# extreme numbers -----------------------------------------------------------------------------------


def _one(activations: list[str], cost: str, w: list[float], y: float) -> tuple[Model, Examples]:
    network = Network([1] * (len(w) + 1), activations, cost)
    arrays: dict[str, Any] = {f"w{l}": [[value]] for l, value in enumerate(w, 1)}
    model = Model(ParameterVector.from_arrays(network, arrays | {f"b{l}": [0.0] for l in range(1, len(w) + 1)}))
    return model, model.examples([[1.0]], [[y]])


EXTREME = {
    "saturated": _one(["sigmoid", "sigmoid"], "binary-cross-entropy", [800.0, 800.0], 0.0),
    "saturated, wrong": _one(["sigmoid"], "binary-cross-entropy", [-800.0], 1.0),
    "dead": _one(["relu", "identity"], "squared-error", [-1.0, 1.0], 1.0),
    "exp overflows": _one(["exp", "identity"], "squared-error", [800.0, 1.0], 1.0),
    "exp overflows at the end": _one(["identity", "exp"], "poisson", [1.0, 800.0], 1.0),
    "underflow": _one(["tanh", "tanh"], "squared-error", [1e-200, 1e-200], 1.0),
}


@pytest.mark.parametrize("name", EXTREME)
@pytest.mark.filterwarnings("error")
def test_extreme_numbers_are_drawn_without_a_warning(name: str) -> None:
    model, examples = EXTREME[name]
    for target in ("w1[0,0]", "b1[0]", "z1[0]", "a0[0]", "x[0]"):
        for of in ("C", f"a{model.network.depth}[0]", "z1[0]"):
            chart = explain(model, examples, target, 0, of=of).flowchart
            assert chart is not None
            _check_graph(chart)
            fromstring(chart.svg())
            assert chart.dot()
            assert chart.mermaid()
            assert all(isfinite(edge.share) for edge in chart.edges if edge.share is not None), chart


def test_a_node_before_the_target_stands_alone() -> None:
    model, examples = WIDE["five"]
    chart = explain(model, examples, "w2[0,0]", 0, of="a1[0]").flowchart
    assert chart is not None
    assert [(node.name, node.role) for node in chart.nodes] == [("a1[0]", "end"), ("w2[0,0]", "target")]
    assert chart.edges == ()
    fromstring(chart.svg())


# other programs ------------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_draws_every_kind_of_flowchart() -> None:
    charts = [chart for name in WIDE for _, chart in _wide(name)[::9]] + [_charts(seed)[0][1] for seed in (1, 40)]
    result = subprocess.run(
        ["dot", "-Tsvg"], input="".join(map(Flowchart.dot, charts)), capture_output=True, encoding="utf-8", check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("</svg>") == len(charts)
    for node in charts[0].nodes:
        assert node.name in result.stdout


def test_one_minus_sign_is_used_for_numbers_in_every_language() -> None:
    for _, chart in _wide("six")[:3]:
        negative = next(node.value for node in chart.nodes if node.value is not None and node.value < 0)
        number = f"-{abs(negative):.4g}"[:5]
        assert number in chart.dot()
        assert number in chart.svg()
        assert number.replace("-", "#45;").replace(".", "#46;") in chart.mermaid()


def _boxes(svg: str) -> tuple[list[tuple[float, float, float, float]], list[tuple[float, float, float, float, str]]]:
    """The rectangles of nodes, and those of the texts on edges, each as left, top, right, bottom."""
    ns = "{http://www.w3.org/2000/svg}"
    root = fromstring(svg)
    rectangles = [
        (float(r.get("x", 0)), float(r.get("y", 0)), float(r.get("width", 0)), float(r.get("height", 0)))
        for r in root.findall(f"{ns}rect")[1:]
    ]
    labels: list[tuple[float, float, float, float, str]] = []
    for text in root.findall(f"{ns}text"):
        if "halo" in (text.get("class") or ""):
            size, x, y = (float(text.get(name, 0)) for name in ("font-size", "x", "y"))
            half = 0.29 * size * len(text.text or "")  # half of 0.58 of its size a character
            labels.append((x - half, y - 0.8 * size, x + half, y + 0.2 * size, text.text or ""))
    return [(x, y, x + w, y + h) for x, y, w, h in rectangles], labels


def _overlap(one: Any, other: Any) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("name", WIDE)
def test_no_label_lies_over_a_box_or_another_label(name: str) -> None:
    charts = [chart for _, chart in _wide(name)] + [chart for _, chart in _charts([*WIDE].index(name))]
    for chart in charts:
        boxes, labels = _boxes(chart.svg())
        assert not boxes or all(isfinite(x) for box in boxes for x in box)
        for at, label in enumerate(labels):
            assert not any(_overlap(label, box) for box in boxes), (chart.wrt, chart.of, label)
            assert not any(_overlap(label, other) for other in labels[:at]), (chart.wrt, chart.of, label)
