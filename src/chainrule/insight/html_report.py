"""A page with the network and a set of its derivatives, each with factors, equations and picture; no script in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np

from chainrule.calculus.cost import example_shares, penalty_derivative
from chainrule.calculus.notation import Quantity
from chainrule.checks import require, texts, whole_number
from chainrule.insight.chain import Chain
from chainrule.insight.explain import explain
from chainrule.insight.explanation import Explanation
from chainrule.insight.explanation_html import section
from chainrule.insight.question import Question, question
from chainrule.model.model import Examples, Model, check_fit
from chainrule.render.markup import element
from chainrule.render.mathml import mathml
from chainrule.render.network_svg import network_drawing
from chainrule.render.numbers import PRODUCT_DIGITS, significant
from chainrule.render.page import figure, fragment, page, row, table


@dataclass(frozen=True)
class Report:
    """The network's drawing and a set of explanations; ``singles`` are, by target, of the example that counts most."""

    title: str
    facts: tuple[str, ...]
    drawing: Element
    explanations: tuple[Explanation, ...]
    singles: Mapping[str, Explanation]

    def html(self) -> str:
        """The report as a page of its own: it needs no other file, no network and no script."""
        return page(self.title, *self._body())

    def _repr_html_(self) -> str:
        return fragment(*self._body())

    def _body(self) -> list[Element]:
        rows = [
            row(
                [
                    element("a", mathml(f"∂{e.of}/∂{e.wrt}"), href=f"#{_anchor(e)}"),
                    significant(e.value, PRODUCT_DIGITS),
                    "" if e.check is None else significant(e.check.difference, 1),
                ],
                range(1, 3),
            )
            for e in self.explanations
        ]
        parts = [
            element("h1", element("bdi", self.title)),
            *(element("p", element("bdi", fact), class_="soft") for fact in self.facts),
            figure(self.drawing),
            element("h2", "The derivatives"),
            table(["", "value", "off by, by complex step"], rows),
        ]
        for e in self.explanations:
            parts.append(section(e, id=_anchor(e)))
            if single := self.singles.get(e.wrt):
                parts.append(section(single, f"The example that counts the most, {single.of.strip('C[]') or 'alone'}"))
        return parts


def report(
    model: Model,
    examples: Examples,
    targets: Sequence[str] = (),
    example: int | None = None,
    aliases: Mapping[str, str] | None = None,
    of: str = "C",
    depth: int = 2,
    title: str = "The chain rule, factor by factor",
) -> Report:
    """A report on these derivatives; without targets, on the weight of each layer whose derivative is the largest.

    Over several examples, the one that counts the most for a target is explained by itself, too. Raises NotationError
    or InputError for what does not exist.
    """
    check_fit(model, examples)
    require(isinstance(title, str), "title", title, "a text")
    names = texts("targets", targets) or _largest(model, examples, example, of)
    questions = [question(model, examples, name, of, example, aliases) for name in names]
    asked = [*{str(each.q): each for each in questions}.values()]  # what is asked twice is told once
    names = [str(each.q) for each in asked]
    whole_number("depth", depth, "how many layers of sums to open, 0 or more", lambda depth: depth >= 0)
    one = len(asked[0].examples) == 1
    explanations = tuple(explain(model, examples, name, example, aliases, of, depth if one else None) for name in names)
    singles = {
        e.wrt: explain(model, examples, name, _most(e), aliases, of, depth)
        for name, e in zip(names, explanations, strict=True)
        if e.examples
    }
    drawing = network_drawing(asked[0].model.parameters, [a.q for a in asked], _names(model, asked))
    return Report(title, _facts(model, examples, asked[0]), drawing, explanations, singles)


def _most(e: Explanation) -> int:
    """The example that counts the most."""
    return max(e.examples, key=lambda c: abs(c.contribution)).example


def _facts(model: Model, examples: Examples, asked: Question) -> tuple[str, ...]:
    network = model.network
    sizes = "-".join(str(n) for n in network.sizes)
    over = (
        f"{len(examples):,} example{'s' * (len(examples) > 1)}" if asked.example is None else f"example {asked.example}"
    )
    activations = ", ".join(dict.fromkeys(network.activation))
    penalties = [f"{name} = {value:g}" for name, value in (("l1", network.l1), ("l2", network.l2)) if value]
    return (
        f"A network {sizes} with {activations}; cost {network.cost}: C = {network.C.formula}",
        f"{over}{'; penalty ' + ', '.join(penalties) if penalties else ''}",
    )


def _largest(model: Model, examples: Examples, example: int | None, of: str) -> tuple[str, ...]:
    """The weight of each layer with the largest ∂of/∂w."""
    asked = question(model, examples, "w1[0,0]", of, example)
    chain = Chain(asked)
    shares = example_shares(len(asked.examples), asked.examples.weights)
    names: list[str] = []
    for l in range(1, chain.last + 1):
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is the largest there is
            derivatives = (shares[:, None] * chain.deltas.dC_dz[l]).T @ chain.trace.a[l - 1]
        if asked.penalised:
            derivatives += penalty_derivative(chain.p.w[l], chain.network.l1, chain.network.l2)
        j, k = np.unravel_index(int(np.nan_to_num(np.abs(derivatives)).argmax()), derivatives.shape)
        names.append(str(Quantity("w", l, int(j), int(k))))
    return tuple(names) or ("w1[0,0]",)


def _names(model: Model, asked: Sequence[Question]) -> dict[str, str]:
    """What inputs and outputs are called in the data."""
    L = model.network.depth
    names = {f"a0[{k}]": name for k, name in enumerate(model.inputs.names)} if model.inputs else {}
    if model.target:
        names |= {
            f"a{L}[{j}]": model.target.output_name(j, model.network.sizes[L]) for j in range(model.network.sizes[L])
        }
    return names


def _anchor(e: Explanation) -> str:
    """A name for a place in the page."""
    return "".join(c if c.isalnum() else "-" for c in f"{e.of}-{e.wrt}").strip("-")
