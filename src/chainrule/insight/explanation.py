"""The records that an explanation consists of: plain data; how each looks is in the modules named explanation_*."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chainrule.errors import InputError
from chainrule.insight.equations import Equations
from chainrule.insight.flowchart import Flowchart


@dataclass(frozen=True)
class Factor:
    """One factor of the chain rule: ∂a1[0]/∂z1[0], its formula σ′(z1[0]), its value, and what it means here."""

    symbol: str
    formula: str
    value: float
    meaning: str = ""


@dataclass(frozen=True)
class Term:
    """One row of a sum over a layer: what passes through neuron ``neuron``; the factors multiply to the value."""

    symbol: str
    neuron: int
    factors: tuple[Factor, ...]
    value: float


@dataclass(frozen=True)
class Step:
    """One line of a rearrangement: the same number, written in another way."""

    formula: str
    value: float
    because: str


@dataclass(frozen=True)
class Sum:
    """A derivative as the sum over a layer: ``total`` is the factor that it makes, ``terms`` its rows.

    The rows run over ``index``; ``columns`` are the factors' names with that index, ``over`` says in words what it runs
    over, ``last`` is the formula of the last factor. ``steps`` shorten the sum, as softmax's with cross-entropy.
    """

    layer: int
    neuron: int
    total: Factor
    index: str
    over: str
    columns: tuple[str, ...]
    last: str
    terms: tuple[Term, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Output:
    """One output at the cost: what ∂C/∂a is made of."""

    layer: int
    neuron: int
    a: float
    y: float
    dC_da: float


@dataclass(frozen=True)
class Contribution:
    """What one example adds to the mean: ``contribution`` = ``share`` × ``value``, where value is ∂C_i/∂(…)."""

    example: int
    share: float
    value: float
    contribution: float
    factors: tuple[Factor, ...]


@dataclass(frozen=True)
class Rest:
    """What a number of examples that are not listed add to the mean together."""

    count: int
    contribution: float


@dataclass(frozen=True)
class Penalty:
    """The penalty's own share of the derivative."""

    symbol: str
    formula: str
    value: float


@dataclass(frozen=True)
class Check:
    """The same derivative by a method that knows no derivative, and by how much it differs.

    ``difference`` is relative to the sum of the absolute values that the explained value is the sum of, over the
    examples and over every way from the target to what is differentiated.
    """

    method: str
    value: float
    difference: float


@dataclass(frozen=True)
class Explanation:
    """∂of/∂wrt = ``value``.

    For one example, ``factors`` multiply to the value (less the ``penalty``), ``reason`` says which of them makes it
    small or large, and ``sums`` are the factors that are sums over a layer, opened from the target towards the cost as
    deep as was asked; ``deeper`` says whether there are more. Once that depth reaches the cost, ``outputs`` are the
    outputs' own ∂C/∂a, of ``output_formula``. ``steps`` shorten the product to a − y where the output's σ goes with its
    cost.

    Over several examples a mean of products is not a product of means, so there are no factors: ``examples`` lists
    those that push the target the most, up and down, each with factors of its own (``columns`` are their names), and
    ``rest`` gathers the others; ``up`` and ``down`` gather all of either direction.

    ``context`` are further numbers of the same neuron, ``activation`` its σ by name, ``meanings`` what inputs and
    outputs are called in the data, ``check`` the value by an independent way, ``notes`` are remarks, such as that a
    derivative was taken at a kink.
    """

    of: str
    wrt: str
    value: float
    n_examples: int
    equations: Equations
    factors: tuple[Factor, ...] = ()
    reason: str = ""
    sums: tuple[Sum, ...] = ()
    deeper: bool = False
    outputs: tuple[Output, ...] = ()
    output_formula: str = ""
    steps: tuple[Step, ...] = ()
    columns: tuple[str, ...] = ()
    examples: tuple[Contribution, ...] = ()
    rest: Rest | None = None
    up: Rest | None = None
    down: Rest | None = None
    penalty: Penalty | None = None
    context: Mapping[str, float] | None = None
    activation: str | None = None
    meanings: Mapping[str, str] | None = None
    flowchart: Flowchart | None = None
    check: Check | None = None
    notes: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """The rows of the first sum, which makes one of the factors, or the value itself."""
        return self.sums[0].terms if self.sums else ()

    @property
    def summed(self) -> Factor | None:
        """What ``terms`` add up to, such as ∂C/∂a1[0]."""
        return self.sums[0].total if self.sums else None

    def json(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, at full precision."""
        record: dict[str, Any] = asdict(self)
        record["summed"] = None if self.summed is None else asdict(self.summed)
        record["terms"] = [asdict(term) for term in self.terms]
        record["examples"] = list(record["examples"])
        if rest := record.pop("rest"):
            record["examples"].append({"rest": rest["count"], "contribution": rest["contribution"]})
        return record

    def text(self) -> str:
        """The explanation as plain text, no wider than 80 columns where the numbers allow it."""
        from chainrule.insight.explanation_text import text

        return text(self)

    def equations_text(self) -> str:
        """The three spellings as plain text: entry by entry, with matrices and their shapes, as NumPy code."""
        from chainrule.insight.explanation_text import equations_text

        return equations_text(self)

    def latex(self) -> str:
        r"""A LaTeX fragment: the equation with its numbers, and the sums as tables; it needs amsmath."""
        from chainrule.insight.explanation_latex import latex

        return latex(self)

    def svg(self) -> str:
        """A picture: the flowchart from the target to the cost; over several examples, what each of them adds."""
        from chainrule.insight.explanation_svg import svg

        return svg(self)

    def html(self) -> str:
        """An HTML fragment with everything, sums to be unfolded, equations in MathML, and the picture; no script."""
        from chainrule.insight.explanation_html import html

        return html(self)

    def page(self) -> str:
        """:meth:`html` as a page of its own."""
        from chainrule.insight.explanation_html import whole_page

        return whole_page(self)

    def dot(self) -> str:
        """The flowchart in Graphviz's language. Raises InputError over several examples, which have none."""
        return self._chart().dot()

    def mermaid(self) -> str:
        """The flowchart in Mermaid's language. Raises InputError over several examples, which have none."""
        return self._chart().mermaid()

    def _chart(self) -> Flowchart:
        if self.flowchart is None:
            raise InputError(
                f"a mean over {self.n_examples:,} examples has no flowchart of its own; choose an example (--example I)"
            )
        return self.flowchart

    def _repr_html_(self) -> str:
        return self.html()

    def __str__(self) -> str:
        return self.text()
