"""A derivative as a short Python program that computes it again: do not trust, run.

The program needs nothing but Python. It holds the numbers of the network and of the examples, and has two ways to the
value: the article's chain rule, and differences of values alone. Both are decimal arithmetic with so many digits that
nothing is lost on the way. Its pieces are in ``proof_functions`` and ``proof_frame``; :func:`proof` picks those that
this question needs.
"""

from collections.abc import Mapping
from string import Template
from textwrap import fill, indent

from chainrule.calculus.network import Network
from chainrule.errors import InputError
from chainrule.insight import proof_frame, proof_functions
from chainrule.insight.proof_numbers import WIDTH, braced, literal, numbers, row
from chainrule.insight.question import Question

MAX_NUMBERS = 2_000_000
"""The most numbers that a program holds: about 40 MB of text."""

_LISTED = 5_000
"""Up to so many numbers are lists; Python takes a kilobyte to read a number in a list, and more are rows of text."""

_SLOW = 5
"""After so many seconds of silence a reader wonders, and a program that takes longer says so."""


def proof(question: Question, value: float) -> str:
    """The text, UTF-8, of a Python program that recomputes ``value``, the claimed ∂of/∂wrt, in two ways.

    It runs on Python 3.11 or newer, prints both ways in ASCII, and exits with 0 if both agree with the claim to within
    what rounding in float64 may do, else with 1. Raises InputError where it would hold more than MAX_NUMBERS numbers.
    """
    return _Program(question).text(float(value))


class _Program:
    """The pieces for one question. ``last`` is the layer of what is differentiated; ``layers`` are those it takes."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.q = question.q
        self.top = question.top
        self.p = question.model.parameters
        self.network: Network = self.p.network
        self.last = self.network.depth if self.top is None else self.top.layer
        self.layers = range(1, max(self.last, self.q.layer) + 1)
        self.several = len(question.examples) > 1
        self.kinked = any(self.network.σ(l).kinks for l in self.layers)
        self.symbol = f"d{question.of}/d{self.q}"
        self.f = "C" if self.top is None else "f"
        self.given = "a0, y" if self.top is None else "a0"

    def text(self, value: float) -> str:
        """The program."""
        self.check_size()
        sections = [
            self.head(value),
            *self.functions(),
            self.forward(),
            self.fill(proof_frame.MEAN) if self.several else "",
            self.chain_rule(),
            proof_frame.LIKE_FLOATS,
            self.changed(),
            self.fill(proof_frame.DIFFERENCES),
            proof_frame.SHOW,
            self.calculation(),
        ]
        return "\n\n\n".join(section.strip("\n") for section in sections if section) + "\n"

    def fill(self, template: str, **values: object) -> str:
        """The template with its $names replaced."""
        common = {"f": self.f, "wrt": self.q, "symbol": self.symbol, "given": self.given, "L": self.last, "j": self.q.j}
        return Template(template).substitute(common, **values)

    @property
    def n_numbers(self) -> int:
        """How many numbers the program holds."""
        n_0, n_L = self.network.sizes[0], self.network.sizes[-1]
        parameters = sum(self.p.w[l].size + self.p.b[l].size for l in self.layers)
        return parameters + len(self.question.examples) * (n_0 + 1 + (n_L if self.top is None else 0))

    @property
    def as_text(self) -> bool:
        """Whether its rows of numbers are texts."""
        return self.n_numbers > _LISTED

    def check_size(self) -> None:
        """Raise InputError where the program would be too long."""
        if self.n_numbers > MAX_NUMBERS:
            remedy = "ask for one example (--example I), or give fewer" if self.several else "take a smaller network"
            raise InputError(
                f"proof: the program would hold {self.n_numbers:,} numbers of the network and of "
                f"{len(self.question.examples):,} examples, and {MAX_NUMBERS:,} are the most; {remedy}"
            )

    # what it says of itself, and its numbers ------------------------------------------------------

    def head(self, value: float) -> str:
        """The docstring, the imports and the numbers."""
        names = ["MAX_EMAX", "MIN_EMIN", "Context", "Decimal", "localcontext", "setcontext"]
        if "pi" in self.helpers():
            names.insert(4, "getcontext")
        sections = [
            self.fill(proof_frame.HEAD, value=repr(value), what=self.description()),
            self.fill(proof_frame.IMPORTS, names=", ".join(names)),
        ]
        exact = self.fill(proof_frame.EXACT_FROM_TEXT if self.as_text else proof_frame.EXACT)
        head = "\n\n".join(section.strip("\n") for section in sections)
        return f"{head}\n\n\n{exact.strip()}\n\n\n{self.numbers(value)}"

    def description(self) -> str:
        """Which derivative of which network."""
        network, n = self.network, len(self.question.examples)
        sizes = "-".join(map(str, network.sizes))
        kinds = ", ".join(dict.fromkeys(network.activation))
        of = f"f = {self.top}" if self.top else f"the cost {self.question.of} = {network.C.formula}"
        over = f", averaged over {n} examples" if self.several else ""
        penalty = ", with the penalty on the weights" if self.question.penalised else ""
        lines = [
            f"The network has {sizes} neurons in its layers 0 to {network.depth}, with {kinds}.",
            f"Its derivative is that of {of}{over}{penalty}, with respect to {self.q}.",
        ]
        return "\n".join(fill(line, WIDTH, break_on_hyphens=False) for line in lines)

    def numbers(self, value: float) -> str:
        """The claim, the network, the examples."""
        lines = [f"CLAIMED = exact({literal(value)})"]
        if self.layers:
            lines += ["", "# w[l][j][k] is the weight into neuron j of layer l from neuron k of layer l − 1."]
        for name, arrays in (("w", self.p.w), ("b", self.p.b)):
            entries = [f"{l}: exact({numbers(arrays[l].tolist(), 4, self.as_text)})" for l in self.layers]
            lines.append(f"{name} = {braced(entries)}")
        if self.question.penalised:
            lines.append(f"l1, l2 = exact([{self.network.l1!r}, {self.network.l2!r}])")
        if self.q.letter == "x":
            lines.append(f"scale = exact({self.question.scale!r})  # a0[{self.q.j}] = (x[{self.q.j}] − mean)/scale")
        return "\n".join([*lines, *self.examples()])

    def examples(self) -> list[str]:
        """What enters layer 1, the targets where they count, and the weights."""
        examples = self.question.examples
        columns = {"a0": examples.a0.tolist()} | ({"y": examples.Y.tolist()} if self.top is None else {})
        if not self.several:
            return [f"{name} = exact({numbers(rows[0], 0, self.as_text)})" for name, rows in columns.items()]
        s = [1.0] * len(examples) if examples.weights is None else examples.weights.tolist()
        rows = zip(s, *columns.values(), strict=True)
        parts = [[repr(s_i), *(numbers(part, 8, self.as_text) for part in example)] for s_i, *example in rows]
        return [
            "",
            f"# Each example: its weight, {'a0 and y' if self.top is None else 'and a0'}.",
            "examples = exact([",
            *(row(part) for part in parts),
            "])",
        ]

    # σ, σ′ and what they call ---------------------------------------------------------------------

    @property
    def sloped(self) -> range:
        """The layers whose σ′ the chain rule takes, from the target up."""
        first = self.q.layer + (self.q.letter in "ax")
        own = self.top.letter == "a" if self.top is not None else not self.network.C.activations
        return range(max(first, 1), self.last + own)

    def activations(self) -> dict[int, str]:
        """The name of each layer's σ."""
        return {l: self.network.activation[l - 1] for l in self.layers}

    def slopes(self) -> dict[int, str]:
        """The name of each σ that σ′ is needed of, by layer; softmax has none of its own."""
        return {l: name for l, name in self.activations().items() if l in self.sloped and name != "softmax"}

    def helpers(self) -> list[str]:
        """What the functions call, each after what it calls itself."""
        names = list(self.activations().values())
        names += [f"{name}_slope" for name in self.slopes().values()]
        names += [f"{self.network.cost} of {self.network.activation[-1]}"] if self.top is None else []
        return list(dict.fromkeys(helper for name in names for helper in proof_functions.CALLED.get(name, ())))

    def functions(self) -> list[str]:
        """Every function of a number, then which layer has which."""
        values, slopes = self.activations(), self.slopes()
        pieces = [proof_functions.HELPERS[name] for name in self.helpers()]
        pieces += [proof_functions.VALUES[name] for name in dict.fromkeys(values.values())]
        pieces += [proof_functions.SLOPES[name] for name in dict.fromkeys(slopes.values())]
        pieces += [proof_functions.HUBER] if self.top is None and self.network.cost == "huber" else []
        pieces = list(dict.fromkeys(piece.strip("\n") for piece in pieces))  # sigmoid may be both helper and σ
        tables: list[str] = []
        if self.kinked:
            tables.append("hair = Decimal(0)  # how far to the right of 0 the kink of ReLU is taken to be")
        if elementwise := {l: name for l, name in values.items() if name != "softmax"}:
            tables.append(f"σ = {_table(elementwise, '')}")
        if slopes:
            tables.append(f"slope = {_table(slopes, '_slope')}  # σ′")
        return [*pieces, "\n".join(tables)]

    # the two ways ---------------------------------------------------------------------------------

    def forward(self) -> str:
        """The forward calculation, where a node of the network is moved also with its h."""
        q, node = self.q, self.q.letter in "axz"
        elementwise = "[σ[l](z_j) for z_j in z[l]]"
        if self.layers and self.network.activation[self.layers[-1] - 1] == "softmax":
            last = self.layers[-1]
            elementwise = "softmax(z[l])" if last == 1 else f"softmax(z[l]) if l == {last} else {elementwise}"
        move = f"        if l == {q.layer}:\n            {q.letter}[{q.layer}][{q.j}] += h\n"
        return self.fill(
            proof_frame.FORWARD,
            arguments="a0, h=0" if node else "a0",
            activate=elementwise,
            move_0=f"    a[0][{q.j}] += h{' / scale' if q.letter == 'x' else ''}\n" if node and q.layer == 0 else "",
            move_z=move if q.letter == "z" else "",
            move_a=move if q.letter == "a" and q.layer > 0 else "",
        )

    def chain_rule(self) -> str:
        """The chain rule for one example, and its average with the penalty's share."""
        body, factors = self.factors()
        call = f"prod(map(each, chain_rule({self.given}, each)), start=Decimal(1))"
        total = f"mean(lambda {self.given}: {call})" if self.several else call
        whole = f"{self.symbol}: the product of its factors"
        whole += ", averaged over the examples" if self.several else ""
        lines: list[str] = []
        if self.question.penalised:
            whole += ", and the penalty's own share"
            lines += [f"    value = {total}", f"    v = {self.parameter}"]
            parts = ["l1 * ((v > 0) - (v < 0))"] if self.network.l1 else []
            parts += ["2 * l2 * v"] if self.network.l2 else []
            total = f"value + each({' + '.join(parts)})"
        return self.fill(
            proof_frame.CHAIN_RULE,
            of_one=" of one example" if self.several else "",
            body=body,
            factors=", ".join(factors.values()),
            whole=whole,
            total="\n".join([*lines, f"    return {total}"]),
        )

    @property
    def parameter(self) -> str:
        """The weight or bias that the question is about, in the program's words."""
        q = self.q
        return f"{q.letter}[{q.layer}][{q.j}]" + ("" if q.k is None else f"[{q.k}]")

    @property
    def apart(self) -> bool:
        """Whether ∂C/∂a and σ′ of the last layer are two factors."""
        return self.top is None and (self.network.cost, self.network.activation[-1]) not in proof_functions.DC_DZ

    def factors(self) -> tuple[str, dict[str, str]]:
        """The lines that the factors need, and the factors: what each is called, and its expression."""
        q, l, j = self.q, self.q.layer, self.q.j
        node = q.letter in "ax"
        d = f"d{self.question.of}"
        if l > self.last or (l == self.last and node and self.top is not None and self.top.letter == "z"):
            return f"    # {self.top} comes before {q}, and does not depend on it.\n", {self.symbol: "Decimal(0)"}
        lines, found = "", dict[str, str]()
        if l < self.last:
            lines = self.outermost()
            if self.last - 1 > l:
                lines += self.fill(proof_functions.BACK, above=self.last - 1, layer=l)
            lines += self.fill(proof_functions.SUM, next=l + 1)
            found[f"{d}/da{l}[{j}]"] = f"d{self.f}_da"
        elif node and self.top is not None:
            found[f"{d}/da{l}[{j}]"] = f"Decimal({int(self.top.j == j)})"
        elif node or self.apart:
            found[f"{d}/da{l}[{j}]"] = self.dC_da(f"a[{l}][{j}]", f"y[{j}]", f"z[{l}][{j}]")
        else:
            lines = self.outermost()
            found[f"{d}/dz{l}[{j}]"] = f"d{self.f}_dz[{j}]"
        if not node and (l < self.last or self.apart):
            found[f"da{l}[{j}]/dz{l}[{j}]"] = f"slope[{l}](z[{l}][{j}])"
        if q.k is not None:
            found[f"dz{l}[{j}]/d{q}"] = f"a[{l - 1}][{q.k}]"
        if q.letter == "x":
            found[f"da0[{j}]/d{q}"] = "1 / scale"
        return lines, found

    def dC_da(self, a: str, y: str, z: str) -> str:
        """∂C/∂a of an output."""
        return Template(proof_functions.DC_DA[self.network.cost]).substitute(a=a, y=y, z=z)

    def outermost(self) -> str:
        """∂C/∂z, or ∂f/∂z, of every neuron of the last layer."""
        L, top = self.last, self.top
        if top is None:
            if not self.apart:
                return self.fill(proof_functions.DC_DZ[self.network.cost, self.network.activation[-1]])
            dC_da = self.dC_da("a_j", "y_j", "z_j")
            each = f"for z_j, a_j, y_j in zip(z[{L}], a[{L}], y)]"
            return f"    # ∂C/∂z_j = ∂C/∂a_j · σ′(z_j)\n    dC_dz = [{dC_da} * slope[{L}](z_j) {each}\n"
        if top.letter == "a" and self.network.activation[L - 1] == "softmax":
            return self.fill(proof_functions.DF_DZ_SOFTMAX, J=top.j)
        own = f"slope[{L}](z_j)" if top.letter == "a" else "Decimal(1)"
        return f"    df_dz = [{own} if j == {top.j} else Decimal(0) for j, z_j in enumerate(z[{L}])]\n"

    def changed(self) -> str:
        """What is differentiated as a function of the change h."""
        node = self.q.letter in "axz"
        run = f"z, a = forward(a0{', h' if node else ''})"
        lines: list[str] = []
        before = ""
        if not node:
            before = f"before = {self.parameter}\n\n\n"
            lines.append(f"{self.parameter} = before + h")
        if self.several:
            lines += ["", f"def one({self.given}):", f"    {run}", f"    return {self.measured()}", ""]
            total = "mean(one)"
        else:
            lines.append(run)
            total = self.measured()
        if self.question.penalised:
            l1, l2 = self.network.l1, self.network.l2
            lines.append("weights = [v for l in w for row in w[l] for v in row]")
            parts = (["l1 * sum(map(abs, weights))"] if l1 else []) + (
                ["l2 * sum(v * v for v in weights)"] if l2 else []
            )
            lines.append(f"penalty = {' + '.join(parts)}")
            total += " + penalty"
        lines.append(f"return {total}")
        body = indent("\n".join(lines), "    ").strip("\n")
        return before + self.fill(proof_frame.CHANGED, h="h", what=self.question.of, body=body).strip("\n")

    def measured(self) -> str:
        """The cost of one example, or the a or z in question, after the forward calculation."""
        if self.top is not None:
            return f"{self.top.letter}[{self.top.layer}][{self.top.j}]"
        of_outputs = self.q.letter == "a" and self.q.layer == self.last
        if of_outputs and self.network.cost == "binary-cross-entropy":
            return self.fill(proof_functions.BINARY_OF_OUTPUTS)
        return self.fill(proof_functions.COSTS[self.network.cost])

    def calculation(self) -> str:
        """What the program does, from top to bottom."""
        steps: list[str] = []
        if (seconds := self.seconds()) > _SLOW:
            steps.append(self.fill(proof_frame.WAIT, seconds=f"{seconds:.0f}"))
        steps.append(proof_frame.FIRST_WAY)
        if not self.several:
            names = ", ".join(f'"{name}"' for name in self.factors()[1])
            these = " these, plus the penalty's own share" if self.question.penalised else ""
            steps.append(self.fill(proof_frame.FACTORS, names=f"[{names}]", these=these))
        steps.append(proof_frame.SECOND_WAY)
        penalised = self.question.penalised and self.network.l1
        if self.kinked or penalised:
            kink = proof_frame.KINK.strip("\n") + "\n"
            kink += proof_frame.KINK_OF_ACTIVATION if self.kinked else ""
            kink += proof_frame.KINK_OF_PENALTY if penalised else ""
            steps.append(kink)
        steps.append(self.fill(proof_frame.VERDICT))
        first, *others = (step.strip("\n") for step in steps)
        return "\n\n".join([first, *others])

    def seconds(self) -> float:
        """About how long the program runs."""
        sizes = self.network.sizes
        products = 12 * sum(self.p.w[l].size for l in self.layers)
        functions = 12 * sum(sizes[l] for l in self.layers)
        return len(self.question.examples) * (products * 0.2e-6 + functions * 20e-6) + 2e-6 * self.n_numbers


def _table(names: Mapping[int, str], ending: str) -> str:
    """{1: sigmoid, 2: tanh} as source text."""
    entries = [f"{l}: {name.replace('-', '_')}{ending}" for l, name in names.items()]
    return braced(entries)
