"""Draws the documentation's pictures from numbers that the package computes.

    python docs/draw.py               the pictures in SVG
    python docs/draw.py --measured    and those of times, which are this machine's; needs matplotlib
    python docs/draw.py --rendered    and those of a page and of a LaTeX fragment; needs chromium, pdflatex, pdftoppm

`tests/test_docs.py` fails where an SVG picture is not what this program draws.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import chainrule as cr
from chainrule.insight.explanation_latex import document

ROOT = Path(__file__).resolve().parent.parent


def _golden(name: str) -> cr.Problem:
    return cr.load_problem(ROOT / "tests/goldens" / f"{name}.toml")


def chain() -> str:
    """The article's first network: how w1 moves C, one factor an arrow."""
    problem = _golden("article_chain")
    return cr.explain(problem.model, problem.examples, "w1[0,0]", example=0).svg()


def flowchart() -> str:
    """Mazur's network: two paths from a weight to the cost."""
    problem = _golden("mazur")
    return cr.explain(problem.model, problem.examples, "w1[0,0]").svg()


def digits() -> str:
    """A network for the digits: the part that matters of a wide one. The steps are those of explain.md."""
    table = cr.read_table("digits")
    X = np.array([table.numbers(name) for name in table.columns if name != "digit"]).T / 16
    Y = np.eye(10)[[int(digit) for digit in table.texts("digit")]]
    network = cr.Network([64, 24, 10], ["tanh", "softmax"], "cross-entropy", l2=1e-4)
    model = cr.Model(cr.initial_parameters(network, seed=0, dtype=np.float64))
    examples = model.examples(X, Y)
    for _ in range(100):
        model.parameters.vector[:] -= 0.5 * cr.gradient(model, examples)[1].vector
    return cr.explain(model, examples, "x[28]", example=0, of="a2[7]").svg()


PICTURES: Mapping[str, Callable[[], str]] = {"chain.svg": chain, "flowchart.svg": flowchart, "digits.svg": digits}


def measured() -> None:
    """A training that is stopped early, and three activations in a deep network, for the digits: the commands at the
    heads of training.md and why-relu.md."""
    deep = cr.Settings(hidden=(32,) * 10, l2=0.0)
    watched = cr.Settings(
        hidden=(128,),
        l2=0.0,
        optimizer=cr.Optimizer("adam", 0.003),
        schedule=cr.Schedule("cosine", warm_up=2),
        validation=0.2,
        patience=15,
        gradient_norms=True,
    )
    trained = cr.train(cr.read_table("digits"), watched)
    trained.history.plot(ROOT / "docs/training.svg", "digits: 64-128-10, adam")
    compared = cr.compare(cr.read_table("digits"), deep, activation=["sigmoid", "tanh", "relu"])
    (ROOT / "docs/why-relu.svg").write_bytes(compared.picture(".svg"))


def rendered() -> None:
    """Pictures of what a browser and a TeX engine make of an explanation of Mazur's first weight."""
    problem = _golden("mazur")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        page.write_text(cr.report(problem.model, problem.examples, ["w1.0.0"], title="Mazur").html(), encoding="utf-8")
        tex = Path(folder, "latex.tex")
        tex.write_text(document(cr.explain(problem.model, problem.examples, "w1[0,0]").latex()), encoding="utf-8")
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        for command in (
            [*browser, "--window-size=900,1180", f"--screenshot={ROOT / 'docs/report.png'}", page.as_uri()],
            ["pdflatex", "-interaction=batchmode", "-halt-on-error", tex.name],
            ["pdftoppm", "-r", "80", "-l", "1", "-singlefile", "-png", "latex.pdf", str(ROOT / "docs/latex")],
        ):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)


def main() -> None:
    """Write every picture beside this file."""
    for name, draw in PICTURES.items():
        (ROOT / "docs" / name).write_text(draw(), encoding="utf-8")
    if "--measured" in sys.argv[1:]:
        measured()
    if "--rendered" in sys.argv[1:]:
        rendered()


if __name__ == "__main__":
    main()
