"""Draws the documentation's pictures from numbers that the package computes.

    python docs/draw.py

`tests/test_docs.py` fails where a picture is not what this program draws.
"""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

import chainrule as cr
from chainrule.calculus.gradient import forward

ROOT = Path(__file__).resolve().parent.parent

STYLE = """
  .ink { fill: #1f2328 } .soft { fill: #59636e } .box { fill: #f6f8fa; stroke: #8c959f } .line { stroke: #59636e }
  .tip { fill: #59636e } .hot { fill: #cf222e } .cool { fill: #0550ae }
  text { font-family: ui-sans-serif, system-ui, sans-serif; text-anchor: middle }
  .mono { font-family: ui-monospace, Menlo, Consolas, monospace }
  @media (prefers-color-scheme: dark) {
    .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .box { fill: #151b23; stroke: #656c76 } .line { stroke: #9198a1 }
    .tip { fill: #9198a1 } .hot { fill: #ff7b72 } .cool { fill: #79c0ff }
  }"""

WIDTH, BOX, HEIGHT = 72, 62, 50
TOP = 92


def chain() -> str:
    """The article's first network: how w1 moves C, one factor an arrow."""
    problem = cr.load_problem(ROOT / "tests/goldens/article_chain.toml")
    parameters = problem.model.parameters
    trace = forward(parameters, problem.examples.a0[:1])
    L = parameters.network.depth
    value = {f"{letter}{l}": float(of[l][0, 0]) for letter, of in (("z", trace.z), ("a", trace.a)) for l in of}
    value |= {f"w{l}": float(parameters.w[l][0, 0]) for l in parameters.network.layers}
    C, _ = cr.gradient(problem.model, problem.examples, example=0)

    edges: list[tuple[str, float]] = []
    nodes: list[tuple[str, float]] = [("w1", value["w1"])]
    for l in parameters.network.layers:
        z = cr.explain(problem.model, problem.examples, f"z{l}[0]", example=0)
        slope = next(f.value for f in z.factors if f.formula.startswith("σ′"))
        edges += [("a0", value["a0"]) if l == 1 else (f"w{l}", value[f"w{l}"]), (f"σ′(z{l})", slope)]
        nodes += [(f"z{l}", value[f"z{l}"]), (f"a{l}", value[f"a{l}"])]
    a_L = cr.explain(problem.model, problem.examples, f"a{L}[0]", example=0)
    edges.append((f"2(a{L} − y)", a_L.value))
    nodes.append(("C₀", C))
    whole = cr.explain(problem.model, problem.examples, "w1[0,0]", example=0).value

    step = BOX + WIDTH
    wide = 40 + len(nodes) * BOX + len(edges) * WIDTH
    parts = [_text(wide / 2, 30, "How much does the cost C₀ move when the weight w1 moves?", "ink", 17)]
    parts.append(_text(wide / 2, 54, "follow the arrows and multiply what stands on them", "soft", 13))
    for at, (name, number) in enumerate(nodes):
        x = 20 + at * step
        parts.append(f'<rect class="box" x="{x}" y="{TOP}" width="{BOX}" height="{HEIGHT}" rx="8"/>')
        parts.append(_text(x + BOX / 2, TOP + 20, name, "ink", 15))
        parts.append(_text(x + BOX / 2, TOP + 39, f"{number:.4g}", "soft mono", 12))
    for at, (formula, number) in enumerate(edges):
        x, y = 20 + BOX + at * step, TOP + HEIGHT / 2
        parts.append(f'<line class="line" x1="{x + 4}" y1="{y}" x2="{x + WIDTH - 9}" y2="{y}" stroke-width="1.5"/>')
        parts.append(f'<path class="tip" d="M{x + WIDTH - 4},{y} l-8,-4 v8 z"/>')
        parts.append(_text(x + WIDTH / 2, y - 9, formula, "cool", 12))
        parts.append(_text(x + WIDTH / 2, y + 18, f"{number:.4g}", "hot mono", 12))
    product = " × ".join(f"{number:.4g}" if number >= 0 else f"({number:.4g})" for _, number in edges)
    parts.append(_text(wide / 2, TOP + HEIGHT + 48, f"∂C₀/∂w1 = {product} ≈ {whole:#.3g}", "hot mono", 14))
    description = (
        "A row of boxes from w1 by z1, a1, z2, a2, z3, a3 to the cost, with the local derivative on each arrow."
    )
    return _svg(wide, TOP + HEIGHT + 72, "The chain rule from a weight to the cost", description, parts)


def _text(x: float, y: float, words: str, style: str, size: int) -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}" font-size="{size}">{escape(words)}</text>'


def _svg(wide: float, high: float, title: str, description: str, parts: list[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" role="img" '
            'aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{STYLE}\n</style>",
            *parts,
            "</svg>\n",
        ]
    )


PICTURES: Mapping[str, Callable[[], str]] = {"chain.svg": chain}


def main() -> None:
    """Write every picture beside this file."""
    for name, draw in PICTURES.items():
        (ROOT / "docs" / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
