"""A derivative as a short Python program that computes it again: do not trust, run.

The program needs nothing but Python. It holds the numbers of the network and of the examples, and has two ways to the
value: the article's chain rule, and differences of values alone. Both are decimal arithmetic with so many digits that
nothing is lost on the way. Here are its pieces, $name where one depends on what is asked; :func:`proof` picks those
that this question needs.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from string import Template
from textwrap import fill, indent
from typing import cast

from chainrule.calculus.network import Network
from chainrule.errors import InputError
from chainrule.insight.question import Question

MAX_NUMBERS = 2_000_000
"""The most numbers that a program holds: about 40 MB of text."""

_LISTED = 5_000
"""Up to so many numbers are lists; Python takes a kilobyte to read a number in a list, and more are rows of text."""

_WIDTH = 116
_A_LINE = 4
"""How many numbers of up to 24 characters a line has room for."""

_SLOW = 5
"""After so many seconds of silence a reader wonders, and a program that takes longer says so."""


def proof(question: Question, value: float) -> str:
    """The text, UTF-8, of a Python program that recomputes ``value``, the claimed ∂of/∂wrt, in two ways.

    It runs on Python 3.11 or newer, prints both ways in ASCII, and exits with 0 if both agree with the claim to within
    what rounding in float64 may do, else with 1. Raises InputError where it would hold more than MAX_NUMBERS numbers.
    """
    return _Program(question).text(float(value))


# the functions -------------------------------------------------------------------------------------

_HELPERS = {
    "expm1": '''
def expm1(z):
    """e^z − 1 with all its digits also where e^z is near 1."""
    with localcontext() as context:
        if z.adjusted() < -context.prec:
            return z + z * z / 2
        context.prec += max(0, -z.adjusted())
        return z.exp() - 1
''',
    "ln1p": '''
def ln1p(e):
    """ln(1 + e) with all its digits also where e is tiny."""
    with localcontext() as context:
        if e.adjusted() < -context.prec:
            return e - e * e / 2
        context.prec += max(0, -e.adjusted())
        return (1 + e).ln()
''',
    "sigmoid": '''
def sigmoid(z):
    """1/(1 + e^(−z))"""
    e = (-abs(z)).exp()
    return (1 if z >= 0 else e) / (1 + e)
''',
    "normal": '''
def normal(z):
    """Φ(z) and φ(z), the normal distribution function and density."""
    if abs(z) > 40:  # what is left out is less than 1e-349, and float64 ends at 5e-324
        return Decimal(int(z > 0)), Decimal(0)
    with localcontext() as context:
        context.Emin, context.Emax = MIN_EMIN, MAX_EMAX
        context.prec += 10 + int(z * z / 4)  # for the digits that ½ − … cancels at the far left
        density = (-z * z / 2).exp() / (2 * pi()).sqrt()
        term, total, n = z, Decimal(0), 1
        while total != total + term:  # Φ(z) = ½ + φ(z)·(z + z³/3 + z⁵/(3·5) + …)
            total, n = total + term, n + 2
            term *= z * z / n
        return Decimal("0.5") + density * total, density
''',
    "pi": '''
def pi():
    """π by the arithmetic-geometric mean of Gauss and Legendre."""
    a, b, t, p = Decimal(1), Decimal("0.5").sqrt(), Decimal("0.25"), 1
    while 4 * p < 8 * getcontext().prec:  # each step doubles the digits
        a, b, t, p = (a + b) / 2, (a * b).sqrt(), t - p * ((a - b) / 2) ** 2, 2 * p
    return (a + b) ** 2 / (4 * t)
''',
}

_VALUES = {
    "identity": '''
def identity(z):
    """σ(z) = z"""
    return z
''',
    "sigmoid": _HELPERS["sigmoid"],
    "tanh": '''
def tanh(z):
    """σ(z) = (e^z − e^(−z))/(e^z + e^(−z))"""
    m = expm1(-2 * abs(z))
    return (-m / (2 + m)).copy_sign(z)
''',
    "relu": '''
def relu(z):
    """σ(z) = max(z, 0)"""
    return z if z > hair else Decimal(0)
''',
    "leaky-relu": '''
def leaky_relu(z):
    """σ(z) = z for z > 0, else 0.01·z"""
    return z if z > hair else z * Decimal(0.01)
''',
    "elu": '''
def elu(z):
    """σ(z) = z for z > 0, else e^z − 1"""
    return z if z > 0 else expm1(z)
''',
    "softplus": '''
def softplus(z):
    """σ(z) = ln(1 + e^z)"""
    return max(z, Decimal(0)) + ln1p((-abs(z)).exp())
''',
    "silu": '''
def silu(z):
    """σ(z) = z/(1 + e^(−z))"""
    return z * sigmoid(z)
''',
    "gelu": '''
def gelu(z):
    """σ(z) = z·Φ(z)"""
    return z * normal(z)[0]
''',
    "exp": '''
def exp(z):
    """σ(z) = e^z"""
    return z.exp()
''',
    "softmax": '''
def softmax(z):
    """a_j = e^(z_j)/Σ_k e^(z_k)"""
    top = max(z)
    e = [(z_j - top).exp() for z_j in z]
    total = sum(e)
    return [e_j / total for e_j in e]
''',
}

_SLOPES = {
    "identity": '''
def identity_slope(z):
    """σ′(z) = 1"""
    return Decimal(1)
''',
    "sigmoid": '''
def sigmoid_slope(z):
    """σ′(z) = σ(z)(1 − σ(z)), and 1 − σ(z) = σ(−z)"""
    return sigmoid(z) * sigmoid(-z)
''',
    "tanh": '''
def tanh_slope(z):
    """σ′(z) = 1 − tanh² z = 4/(e^z + e^(−z))²"""
    e = (-2 * abs(z)).exp()
    return 4 * e / (1 + e) ** 2
''',
    "relu": '''
def relu_slope(z):
    """σ′(z) = 1 for z > 0, else 0; at the kink z = 0 the slope from the left"""
    return Decimal(int(z > 0))
''',
    "leaky-relu": '''
def leaky_relu_slope(z):
    """σ′(z) = 1 for z > 0, else 0.01; at the kink z = 0 the slope from the left"""
    return Decimal(1 if z > 0 else 0.01)
''',
    "elu": '''
def elu_slope(z):
    """σ′(z) = 1 for z > 0, else e^z"""
    return min(z, Decimal(0)).exp()
''',
    "softplus": '''
def softplus_slope(z):
    """σ′(z) = 1/(1 + e^(−z))"""
    return sigmoid(z)
''',
    "silu": '''
def silu_slope(z):
    """σ′(z) = s(z)(1 + z·s(−z)) with s the sigmoid"""
    return sigmoid(z) * (1 + z * sigmoid(-z))
''',
    "gelu": '''
def gelu_slope(z):
    """σ′(z) = Φ(z) + z·φ(z)"""
    return normal(z)[0] + z * normal(z)[1]
''',
    "exp": '''
def exp_slope(z):
    """σ′(z) = e^z"""
    return z.exp()
''',
}

_CALLED: Mapping[str, tuple[str, ...]] = {
    "tanh": ("expm1",),
    "elu": ("expm1",),
    "softplus": ("ln1p",),
    "softplus_slope": ("sigmoid",),
    "silu": ("sigmoid",),
    "gelu": ("pi", "normal"),
    "binary-cross-entropy of sigmoid": ("sigmoid",),
    "poisson of softplus": ("sigmoid",),
}
"""Which helpers a value, a slope or a cost calls, each after what it calls itself."""

_KINKED = ("relu", "leaky-relu")

# the costs ----------------------------------------------------------------------------------------

_HUBER = '''
def huber(r):
    """r²/2 for |r| ≤ 1, else |r| − ½"""
    return r * r / 2 if abs(r) <= 1 else abs(r) - Decimal("0.5")
'''

_COSTS = {
    "squared-error": "sum((a_j - y_j) ** 2 for a_j, y_j in zip(a[$L], y))",
    "half-squared-error": "sum((a_j - y_j) ** 2 for a_j, y_j in zip(a[$L], y)) / 2",
    "mean-squared-error": "sum((a_j - y_j) ** 2 for a_j, y_j in zip(a[$L], y)) / len(y)",
    "huber": "sum(huber(a_j - y_j) for a_j, y_j in zip(a[$L], y))",
    "cross-entropy": "-sum(y_j * a_j.ln() for a_j, y_j in zip(a[$L], y) if y_j)",
    "binary-cross-entropy": "-sum(y_j * sigmoid(z_j).ln() + (1 - y_j) * sigmoid(-z_j).ln() "
    "for z_j, y_j in zip(z[$L], y))",  # 1 − σ(z) keeps its digits as σ(−z)
    "poisson": "sum(a_j - y_j * a_j.ln() for a_j, y_j in zip(a[$L], y))",
}
_BINARY_OF_OUTPUTS = """\
-sum(
        (y_j * a_j.ln() if y_j else 0) + ((1 - y_j) * (1 - a_j).ln() if y_j != 1 else 0)
        for a_j, y_j in zip(a[$L], y)
    )"""

_DC_DA = {
    "squared-error": "2 * ($a - $y)",
    "half-squared-error": "($a - $y)",
    "mean-squared-error": "2 * ($a - $y) / len(y)",
    "huber": "max(-1, min($a - $y, 1))",
    "cross-entropy": "-$y / $a",
    "binary-cross-entropy": "(1 - $y) / sigmoid(-$z) - $y / $a",
    "poisson": "1 - $y / $a",
}

_DC_DZ: Mapping[tuple[str, str], str] = {
    ("cross-entropy", "softmax"): """\
    # ∂C/∂z_j = a_j − y_j, for outputs that are coupled: it is a_j Σ_k y_k − y_j Σ_k a_k, and there k = j cancels.
    outputs = list(enumerate(zip(a[$L], y)))
    dC_dz = [sum(each(a_j * y_k - y_j * a_k) for k, (a_k, y_k) in outputs if k != j) for j, (a_j, y_j) in outputs]
""",
    ("binary-cross-entropy", "sigmoid"): """\
    # ∂C/∂z_j = a_j − y_j, with 1 − a_j as σ(−z_j).
    dC_dz = [(1 - y_j) * sigmoid(z_j) - y_j * sigmoid(-z_j) for z_j, y_j in zip(z[$L], y)]
""",
    ("poisson", "exp"): """\
    # ∂C/∂z_j = (1 − y_j/a_j) σ′(z_j), and here σ′(z_j) = a_j.
    dC_dz = [a_j - y_j for a_j, y_j in zip(a[$L], y)]
""",
    ("poisson", "softplus"): """\
    # ∂C/∂z_j = (1 − y_j/a_j) σ′(z_j); where a_j is too small for a float, σ′(z_j)/a_j is 1.
    outputs = [(a_j, y_j, sigmoid(z_j)) for z_j, a_j, y_j in zip(z[$L], a[$L], y)]
    dC_dz = [slope_j - y_j * (slope_j / a_j if a_j else 1) for a_j, y_j, slope_j in outputs]
""",
}
"""∂C/∂z of the last layer for the logarithmic costs, as one factor: apart, ∂C/∂a may be huge and σ′ tiny."""

_DF_DZ_SOFTMAX = """\
    # ∂a_J/∂z_j = a_J ([j = J] − a_j), for outputs that are coupled; and 1 − a_J is the sum of the others.
    others = [a_j for j, a_j in enumerate(a[$L]) if j != $J]
    df_dz = [a[$L][$J] * (sum(others) if j == $J else -a_j) for j, a_j in enumerate(a[$L])]
"""

_BACK = """\
    for l in range($above, $layer, -1):  # from layer to layer: for each neuron k the sum over the next layer
        d${f}_da = [sum(each(w_jk * d_j) for w_jk, d_j in zip(column, d${f}_dz)) for column in zip(*w[l + 1])]
        d${f}_dz = [slope[l](z_k) * d_k for z_k, d_k in zip(z[l], d${f}_da)]
"""

_SUM = """\
    d${f}_da = sum(each(row[$j] * d) for row, d in zip(w[$next], d${f}_dz))  # the sum over the next layer
"""

# the frame -----------------------------------------------------------------------------------------

_HEAD = '''
"""Is $symbol = $value? Do not trust, run this: it needs nothing but Python 3.11 or newer.

$what
That is computed in two ways that have only the forward calculation in common:
  1. by the chain rule, factor by factor;
  2. from values of $f alone: let $wrt be larger and smaller by a tiny h, and see by how much $f changes.
The numbers are the very floats of the network, and the arithmetic is decimal, with 60 digits or more.
"""
'''

_IMPORTS = """
import sys
from decimal import $names
from math import prod
"""

_EXACT = '''
def exact(numbers):
    """The same numbers as decimals, to the last digit."""
    return [exact(v) for v in numbers] if isinstance(numbers, list) else Decimal(numbers)
'''

_EXACT_FROM_TEXT = '''
def exact(numbers):
    """The same numbers as decimals, to the last digit; a row of them is a text."""
    if isinstance(numbers, str):
        return [Decimal(float(v)) for v in numbers.split()]
    return [exact(v) for v in numbers] if isinstance(numbers, list) else Decimal(numbers)
'''

_FORWARD = '''
def forward($arguments):
    """Every z and a from the input a0: z = Wa + b with the a of the layer before, and a = σ(z)."""
    z, a = {}, {0: list(a0)}
$move_0\
    for l in w:
        z[l] = [sum(w_jk * a_k for w_jk, a_k in zip(row, a[l - 1])) + b_j for row, b_j in zip(w[l], b[l])]
$move_z\
        a[l] = $activate
$move_a\
    return z, a
'''

_MEAN = '''
def mean(g):
    """The average of g over the examples: Σ s_i g_i / Σ s_i, where s_i is the weight of example i."""
    return sum(s * g($given) for s, $given in examples) / sum(s for s, *_ in examples)
'''

_CHAIN_RULE = '''
def chain_rule($given, each=Decimal):
    """The factors of $symbol$of_one; with each=abs, no term of a sum cancels another."""
    z, a = forward(a0)
$body\
    return [$factors]


def by_chain_rule(each=Decimal):
    """$whole."""
$total
'''

_CHANGED = '''
def $f($h):
    """$what when $wrt is larger by h: no derivative in here."""
$body
'''

_FIRST_WAY = """
# 1. The chain rule. The claim comes from floats, with 16 digits and exponents down to -308. What their rounding may do
# is seen by doing the same with 15 and with 14 digits: ten times the larger change is allowed. So is 1e-14 of the size,
# the value were there no minus signs, for what by chance needs no rounding in decimals, such as 1/5.
rough = [like_floats(15), like_floats(14)]
for digits in 60, 460:
    setcontext(Context(prec=digits, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[]))
    chain, size = by_chain_rule(), by_chain_rule(abs)
    change = max((abs(v - chain) for v in rough if v.is_finite()), default=0)
    if 10 * change < abs(chain):
        break  # else nearly all digits cancel, as in 1 - a of a saturated neuron, and 60 may be too few
allowed = 10 * change + size * Decimal("1e-14") + Decimal("1e-322")
"""

_LIKE_FLOATS = '''
def like_floats(digits):
    """The chain rule with few digits, and with exponents that end where those of floats do."""
    with localcontext(Context(prec=digits, Emin=-307, Emax=308, traps=[])):
        return by_chain_rule()
'''

_DIFFERENCES = '''
def slopes(digits):
    """The slope of $f to the left and to the right, for h = 10^-digits."""
    h = Decimal(10) ** -digits
    with localcontext() as context:  # the smallest change that a float can tell still has 30 digits
        context.prec = 30 + digits + max(0, $f(0).adjusted()) + min(350, max(0, -size.adjusted()))
        here = $f(0)
        return (here - $f(-h)) / h, ($f(h) - here) / h
'''

_SECOND_WAY = """
# 2. Differences of values.
left, right = slopes(40)
if not abs(right - left) <= allowed:  # a kink; or a curve too sharp for this h, which a smaller one will tell
    left, right = slopes(440)
difference = (left + right) / 2
"""

_KINK = """
if not abs(right - left) <= allowed:
    print("There is a KINK here. The slope to the left is", show(left), "and to the right", show(right))
"""

_KINK_OF_ACTIVATION = """\
    print("By convention z = 0 counts as z < 0. So once more, with the kink moved a hair to the right of 0.")
    hair = Decimal("1e-400")
    difference = sum(slopes(440)) / 2
"""

_KINK_OF_PENALTY = """\
    print("By convention |w| has the slope 0 at w = 0, the mean of its two.")
"""

_SHOW = '''
def show(v):
    """Twenty digits of a number."""
    return f"{Decimal(v).normalize():.20g}"
'''

_FACTORS = """
print("$symbol is the product of$these")
for name, factor in zip($names, chain_rule($given)):
    print(f"  {name:17}  {show(factor)}")
print()
"""

_VERDICT = """
agree = abs(CLAIMED - chain) <= allowed and abs(CLAIMED - difference) <= allowed
print("$symbol")
for name, v in ("as claimed", CLAIMED), ("by the chain rule", chain), ("by differences", difference):
    print(f"  {name:17}  {show(v):27}  off by {float(abs(CLAIMED - v)):.1e}")
print(f"Floats may be off by {float(allowed):.1e}.", "The claim AGREES with both." if agree else "The claim DIFFERS.")
sys.exit(0 if agree else 1)
"""

_WAIT = """
print("This takes about $seconds seconds ...", file=sys.stderr)
"""


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
            self.fill(_MEAN) if self.several else "",
            self.chain_rule(),
            _LIKE_FLOATS,
            self.changed(),
            self.fill(_DIFFERENCES),
            _SHOW,
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
            self.fill(_HEAD, value=repr(value), what=self.description()),
            self.fill(_IMPORTS, names=", ".join(names)),
        ]
        exact = self.fill(_EXACT if self.n_numbers <= _LISTED else _EXACT_FROM_TEXT)
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
        return "\n".join(fill(line, _WIDTH, break_on_hyphens=False) for line in lines)

    def numbers(self, value: float) -> str:
        """The claim, the network, the examples."""
        lines = [f"CLAIMED = exact({_literal(value)})"]
        if self.layers:
            lines += ["", "# w[l][j][k] is the weight into neuron j of layer l from neuron k of layer l − 1."]
        for name, arrays in (("w", self.p.w), ("b", self.p.b)):
            entries = [f"{l}: exact({self.shown(arrays[l].tolist(), 4)})" for l in self.layers]
            lines.append(f"{name} = {_braced(entries)}")
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
            return [f"{name} = exact({self.shown(rows[0], 0)})" for name, rows in columns.items()]
        s = [1.0] * len(examples) if examples.weights is None else examples.weights.tolist()
        rows = zip(s, *columns.values(), strict=True)
        parts = [[repr(s_i), *(self.shown(part, 8) for part in example)] for s_i, *example in rows]
        return [
            "",
            f"# Each example: its weight, {'a0 and y' if self.top is None else 'and a0'}.",
            "examples = exact([",
            *(_row(part) for part in parts),
            "])",
        ]

    def shown(self, values: Sequence[object], at_column: int) -> str:
        """A list of numbers, or of lists of numbers, as source text."""
        margin = " " * at_column
        nested = isinstance(values[0], list)
        parts = [
            self.shown(cast("list[object]", row), at_column + 4) if isinstance(row, list) else repr(row)
            for row in values
        ]
        text = self.n_numbers > _LISTED and not nested
        line = f'"{" ".join(parts)}"' if text else f"[{', '.join(parts)}]"
        if len(line) + at_column <= _WIDTH - 12 and "\n" not in line:
            return line
        a_line = 1 if nested else _A_LINE
        chunks = [parts[at : at + a_line] for at in range(0, len(parts), a_line)]
        if text:
            return '"""' + "\n".join(" ".join(chunk) for chunk in chunks) + '"""'
        return "[\n" + "".join(f"{margin}    {', '.join(chunk)},\n" for chunk in chunks) + f"{margin}]"

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
        return list(dict.fromkeys(helper for name in names for helper in _CALLED.get(name, ())))

    def functions(self) -> list[str]:
        """Every function of a number, then which layer has which."""
        values, slopes = self.activations(), self.slopes()
        pieces = [_HELPERS[name] for name in self.helpers()]
        pieces += [_VALUES[name] for name in dict.fromkeys(values.values())]
        pieces += [_SLOPES[name] for name in dict.fromkeys(slopes.values())]
        pieces += [_HUBER] if self.top is None and self.network.cost == "huber" else []
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
            _FORWARD,
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
            _CHAIN_RULE,
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
        return self.top is None and (self.network.cost, self.network.activation[-1]) not in _DC_DZ

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
                lines += self.fill(_BACK, above=self.last - 1, layer=l)
            lines += self.fill(_SUM, next=l + 1)
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
        return Template(_DC_DA[self.network.cost]).substitute(a=a, y=y, z=z)

    def outermost(self) -> str:
        """∂C/∂z, or ∂f/∂z, of every neuron of the last layer."""
        L, top = self.last, self.top
        if top is None:
            if not self.apart:
                return self.fill(_DC_DZ[self.network.cost, self.network.activation[-1]])
            dC_da = self.dC_da("a_j", "y_j", "z_j")
            each = f"for z_j, a_j, y_j in zip(z[{L}], a[{L}], y)]"
            return f"    # ∂C/∂z_j = ∂C/∂a_j · σ′(z_j)\n    dC_dz = [{dC_da} * slope[{L}](z_j) {each}\n"
        if top.letter == "a" and self.network.activation[L - 1] == "softmax":
            return self.fill(_DF_DZ_SOFTMAX, J=top.j)
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
        return before + self.fill(_CHANGED, h="h", what=self.question.of, body=body).strip("\n")

    def measured(self) -> str:
        """The cost of one example, or the a or z in question, after the forward calculation."""
        if self.top is not None:
            return f"{self.top.letter}[{self.top.layer}][{self.top.j}]"
        of_outputs = self.q.letter == "a" and self.q.layer == self.last
        if of_outputs and self.network.cost == "binary-cross-entropy":
            return self.fill(_BINARY_OF_OUTPUTS)
        return self.fill(_COSTS[self.network.cost])

    def calculation(self) -> str:
        """What the program does, from top to bottom."""
        steps: list[str] = []
        if (seconds := self.seconds()) > _SLOW:
            steps.append(self.fill(_WAIT, seconds=f"{seconds:.0f}"))
        steps.append(_FIRST_WAY)
        if not self.several:
            names = ", ".join(f'"{name}"' for name in self.factors()[1])
            these = " these, plus the penalty's own share" if self.question.penalised else ""
            steps.append(self.fill(_FACTORS, names=f"[{names}]", these=these))
        steps.append(_SECOND_WAY)
        penalised = self.question.penalised and self.network.l1
        if self.kinked or penalised:
            kink = _KINK.strip("\n") + "\n"
            kink += _KINK_OF_ACTIVATION if self.kinked else ""
            kink += _KINK_OF_PENALTY if penalised else ""
            steps.append(kink)
        steps.append(self.fill(_VERDICT))
        first, *others = (step.strip("\n") for step in steps)
        return "\n\n".join([first, *others])

    def seconds(self) -> float:
        """About how long the program runs."""
        sizes = self.network.sizes
        products = 12 * sum(self.p.w[l].size for l in self.layers)
        functions = 12 * sum(sizes[l] for l in self.layers)
        return len(self.question.examples) * (products * 0.2e-6 + functions * 20e-6) + 2e-6 * self.n_numbers


def _literal(value: float) -> str:
    """A float as the source of a number that Decimal takes."""
    return repr(value) if isfinite(value) else f'"{value!r}"'


def _row(parts: Sequence[str]) -> str:
    """One example, in one line where there is room."""
    line = f"    [{', '.join(parts)}],"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    return "    [\n" + "".join(f"        {part},\n" for part in parts) + "    ],"


def _table(names: Mapping[int, str], ending: str) -> str:
    """{1: sigmoid, 2: tanh} as source text."""
    entries = [f"{l}: {name.replace('-', '_')}{ending}" for l, name in names.items()]
    return _braced(entries)


def _braced(entries: Sequence[str]) -> str:
    """The entries of a dict, in one line where there is room."""
    line = f"{{{', '.join(entries)}}}"
    if len(line) <= _WIDTH - 20 and "\n" not in line:
        return line
    return "{\n" + "".join(f"    {entry},\n" for entry in entries) + "}"
