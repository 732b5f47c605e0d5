"""The same derivative in three spellings: entry by entry as in the article, with matrices, and as NumPy code.

The formulas are plain text as :mod:`chainrule.render.formula` reads it, which makes terminal symbols, LaTeX and MathML
of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.calculus.network import Network
from chainrule.calculus.notation import Quantity

_INDICES = "jmpqrtuvgh"
"""What the sums over one layer after another run over; i is an example, k the neuron below, l a layer, s a share."""


@dataclass(frozen=True)
class MatrixLine:
    """An equation between matrices, and the shapes of what stands on its right, in the same order."""

    formula: str
    shapes: str


@dataclass(frozen=True)
class Equations:
    """``general`` is the article's own form; ``unrolled`` follows this target to the cost in one line.

    ``matrix`` has the layers' vectors as columns, over several examples the examples as rows. ``numpy`` is a program
    that computes the derivative from w1, b1, …, and x and y of one example, or X and Y of several.
    """

    general: tuple[str, ...]
    unrolled: str
    matrix: tuple[MatrixLine, ...]
    numpy: str


def equations(
    network: Network, q: Quantity, top: Quantity | None, of: str, examples: int, weighted: bool = False
) -> Equations:
    """The equations of ∂of/∂q.

    ``examples`` is how many the mean is taken over, 0 where one example is meant; ``weighted`` whether they have
    weights s. Without ``top`` it is of the cost; with the penalty where ``of`` is C itself.
    """
    asked = _Asked(network, q, top, of, examples, weighted)
    if q.layer > asked.last:
        zero = f"∂{of}/∂{q} = 0"
        return Equations((zero,), zero, (), f"# {of} comes before {q}\nprint(0.0)\n")
    return Equations((*_general(asked),), _unrolled(asked), (*_matrix(asked),), _numpy(asked))


@dataclass(frozen=True)
class _Asked:
    network: Network
    q: Quantity
    top: Quantity | None
    of: str
    examples: int
    weighted: bool

    @property
    def last(self) -> int:
        return self.network.depth if self.top is None else self.top.layer

    @property
    def one(self) -> str:
        """What the derivative of one example is of."""
        return ("C[i]" if self.top is None else str(self.top)) if self.examples else self.of

    @property
    def canonical(self) -> bool:
        """Whether ∂C/∂z of the last layer is a − y."""
        return self.top is None and self.network.activation[-1] == self.network.C.canonical

    @property
    def penalty(self) -> list[str]:
        """The penalty's terms, for a weight called w."""
        if self.top is not None or self.q.k is None or self.of != "C":
            return []
        return [*(["l1·sign({w})"] if self.network.l1 else []), *(["2·l2·{w}"] if self.network.l2 else [])]

    def coupled(self, l: int) -> bool:
        """Whether layer l has no ∂C/∂a and ∂a/∂z of its own."""
        return l > 0 and not self.network.σ(l).elementwise


# entry by entry ------------------------------------------------------------------------------------


def _general(asked: _Asked) -> Iterator[str]:
    """The article's equations, with letters for layers and neurons."""
    q, C, last = asked.q, asked.one, asked.last
    coupled = asked.coupled(last)
    top, below = ("(L)", "(L−1)") if asked.top is None else (str(last), str(last - 1))
    at_the_end = q.layer == last and coupled and q.letter in "wbz"
    here, before = (top, below) if at_the_end else ("(l)", "(l−1)")
    name = "x[k]" if q.letter == "x" else f"{q.letter}{here}[j{',k' if q.k is not None else ''}]"
    if asked.examples:
        mean = f"Σ_i s[i]·∂{C}/∂{name} / Σ_i s[i]" if asked.weighted else f"(1/n)·Σ_i ∂{C}/∂{name}"
        yield f"∂{asked.of}/∂{name} = {' + '.join([mean, *(part.format(w=name) for part in asked.penalty)])}"
    link = f"∂{C}/∂z{here}[j]" if at_the_end else f"σ′(z(l)[j])·∂{C}/∂a(l)[j]"
    if q.letter == "w":
        penalty = "" if asked.examples else "".join(f" + {part.format(w=name)}" for part in asked.penalty)
        yield f"∂{C}/∂{name} = a{before}[k]·{link}{penalty}"
    elif q.letter == "b" or (q.letter == "z" and not at_the_end):
        yield f"∂{C}/∂{name} = {link}"
    elif q.letter == "x":
        yield f"∂{C}/∂x[k] = (1/s[k])·∂{C}/∂a0[k]"
    if last - q.layer > coupled:
        yield f"∂{C}/∂a(l)[k] = Σ_j w(l+1)[j,k]·σ′(z(l+1)[j])·∂{C}/∂a(l+1)[j]"
    if q.layer < last and coupled:
        yield f"∂{C}/∂a{below}[k] = Σ_j w{top}[j,k]·∂{C}/∂z{top}[j]"
    if asked.top is None and coupled and (q.layer < last or q.letter in "wbz"):
        yield f"∂{C}/∂z(L)[j] = a(L)[j] − y[j]"
    elif asked.top is None:
        yield f"∂{C}/∂a(L)[j] = {asked.network.C.dC_da_formula.format(a='a(L)[j]', y='y[j]')}"
    elif asked.top.letter == "z":
        yield f"∂{C}/∂z{last}[j] = 1 if j = {asked.top.j} else 0"
    elif coupled and (q.layer < last or q.letter in "wbz"):
        yield f"∂{C}/∂z{last}[j] = {C}·([j = {asked.top.j}] − a{last}[j])"
    else:
        yield f"∂{C}/∂a{last}[j] = 1 if j = {asked.top.j} else 0"


def _unrolled(asked: _Asked) -> str:
    """From the target to the cost in one line."""
    q, C = asked.q, asked.one
    left = f"∂{C}/∂{q} = "
    if q.letter == "x":
        return f"{left}(1/s[{q.j}])·{_dC_da(asked, 0, str(q.j))}"
    if q.letter == "a":
        return left + _bare(_dC_da(asked, q.layer, str(q.j)))
    link = _dC_dz(asked, q.layer, str(q.j))
    if q.k is None:
        return left + _bare(link)
    penalty = "" if asked.examples else "".join(f" + {part.format(w=q)}" for part in asked.penalty)
    return f"{left}a{q.layer - 1}[{q.k}]·{link}{penalty}"


def _bare(formula: str) -> str:
    """A formula that is no factor of a product, without its brackets."""
    inner = formula[1:-1]
    return inner if formula[:1] + formula[-1:] == "()" and inner.find(")") >= inner.find("(") else formula


def _dC_da(asked: _Asked, l: int, j: str) -> str:
    top = asked.top
    if l == asked.last:
        if top is not None:
            return "1" if j == str(top.j) and top.letter == "a" else "0"
        return _bracketed(asked.network.C.dC_da_formula.format(a=f"a{l}[{j}]", y=f"y[{j}]"))
    if top is not None and l + 1 == asked.last and not (top.letter == "a" and asked.coupled(l + 1)):
        return f"w{l + 1}[{top.j},{j}]" + ("" if top.letter == "z" else f"·σ′(z{l + 1}[{top.j}])")
    depth = l - asked.q.layer
    if depth >= len(_INDICES):
        return f"∂{asked.one}/∂a{l}[{j}]"
    index = _INDICES[depth]
    return f"Σ_{index} w{l + 1}[{index},{j}]·{_dC_dz(asked, l + 1, index)}"


def _dC_dz(asked: _Asked, l: int, j: str) -> str:
    top = asked.top
    if l == asked.last and top is not None:
        if top.letter == "a" and asked.coupled(l):
            own = f"a{l}[{top.j}]·(1 − a{l}[{top.j}])"
            return own if j == str(top.j) else f"{top}·([{j} = {top.j}] − a{l}[{j}])"
        return "0" if j != str(top.j) else "1" if top.letter == "z" else f"σ′(z{l}[{j}])"
    if l == asked.last and asked.coupled(l):
        return f"(a{l}[{j}] − y[{j}])"
    return f"σ′(z{l}[{j}])·{_dC_da(asked, l, j)}"


def _bracketed(formula: str) -> str:
    """A formula as a factor of a product."""
    return formula if formula.startswith(("2(", "(2/n_L)(")) else f"({formula})"


# with matrices -------------------------------------------------------------------------------------


def _matrix(asked: _Asked) -> Iterator[MatrixLine]:
    q, top, sizes, n = asked.q, asked.top, asked.network.sizes, asked.examples
    last, C = asked.last, asked.of
    δ, a, z, y = ("Δ", "A", "Z", "Y") if n else ("δ", "a", "z", "y")

    def layer(l: int) -> str:
        return f"({n}×{sizes[l]})" if n else f"({sizes[l]})"

    first = max(q.layer + (q.letter in "ax"), 1)
    for l in range(last, first - 1, -1):
        slope = f"σ′({z}{l})"
        if l < last:
            back = f"({δ}{l + 1}·W{l + 1})" if n else f"(W{l + 1}ᵀ{δ}{l + 1})"
            shapes = f"{layer(l + 1)}{_shape(sizes, l + 1)}" if n else f"{_shape(sizes, l + 1, True)}{layer(l + 1)}"
            yield MatrixLine(f"{δ}{l} = {back} ⊙ {slope}", f"{shapes} ⊙ {layer(l)}")
        elif top is None and (asked.canonical or asked.coupled(l)):
            yield MatrixLine(f"{δ}{l} = {a}{l} − {y}", f"{layer(l)} − {layer(l)}")
        elif top is None:
            outer = _bracketed(asked.network.C.dC_da_formula.format(a=f"{a}{l}", y=y))
            yield MatrixLine(f"{δ}{l} = {outer} ⊙ {slope}", f"{layer(l)} ⊙ {layer(l)}")
        elif top.letter == "z":
            yield MatrixLine(f"{δ}{l} = e_{top.j}", layer(l))
        elif asked.coupled(l):
            itself = f"{a}{l}·e_{top.j} ⊙ " if n else f"a{l}[{top.j}]·"
            shapes = f"({n}×1) ⊙ {layer(l)}" if n else f"(1){layer(l)}"
            yield MatrixLine(f"{δ}{l} = {itself}(e_{top.j} − {a}{l})", shapes)
        else:
            yield MatrixLine(f"{δ}{l} = e_{top.j} ⊙ {slope}", f"{layer(l)} ⊙ {layer(l)}")
    l = q.layer
    D = "Diag(s)·" if asked.weighted else ""
    mean = ("(1/Σ_i s[i])·" if asked.weighted else "(1/n)·") if n else ""
    diagonal = f"({n}×{n})" if asked.weighted else ""
    if q.letter == "w":
        penalty = "".join(f" + {part.format(w=f'W{l}')}" for part in asked.penalty)
        shape = _shape(sizes, l)
        outer = f"{δ}{l}ᵀ·{D}{a}{l - 1}" if n else f"{δ}{l}·{a}{l - 1}ᵀ"
        shapes = f"({sizes[l]}×{n}){diagonal}({n}×{sizes[l - 1]})" if n else f"({sizes[l]}×1)(1×{sizes[l - 1]})"
        added = f" + {shape}" * len(asked.penalty)
        yield MatrixLine(f"∂{C}/∂W{l} = {mean}{outer}{penalty}", f"{shapes}{added} = {shape}")
        return
    if q.letter in "bz":
        right, shapes = f"{δ}{l}", layer(l)
    elif l == last:
        right, shapes = _output_vector(asked, a, y), layer(l)
    else:
        right = f"{δ}{l + 1}·W{l + 1}" if n else f"W{l + 1}ᵀ{δ}{l + 1}"
        shapes = f"{layer(l + 1)}{_shape(sizes, l + 1)}" if n else f"{_shape(sizes, l + 1, True)}{layer(l + 1)}"
    if q.letter == "x":
        right, shapes = f"({right}) ⊘ s", f"{shapes} ⊘ ({sizes[0]})"
    if n:
        right, shapes = f"{mean}1ᵀ·{D}({right})", f"(1×{n}){diagonal}{shapes}"
    name = "x" if q.letter == "x" else f"{q.letter}{l}"
    yield MatrixLine(f"∂{C}/∂{name} = {right}", f"{shapes} = ({sizes[l]})" if shapes != f"({sizes[l]})" else shapes)


def _output_vector(asked: _Asked, a: str, y: str) -> str:
    if asked.top is not None:
        return f"e_{asked.top.j}" if asked.top.letter == "a" else "0"
    return asked.network.C.dC_da_formula.format(a=f"{a}{asked.last}", y=y)


def _shape(sizes: tuple[int, ...], l: int, transposed: bool = False) -> str:
    """The shape of W of layer l."""
    rows, columns = sizes[l], sizes[l - 1]
    return f"({columns}×{rows})" if transposed else f"({rows}×{columns})"


# as NumPy code -------------------------------------------------------------------------------------

_VALUE = {
    "identity": "z",
    "sigmoid": "1 / (1 + np.exp(-z))",
    "tanh": "np.tanh(z)",
    "relu": "np.maximum(z, 0)",
    "leaky-relu": "np.where(z > 0, z, 0.01 * z)",
    "elu": "np.where(z > 0, z, np.expm1(np.minimum(z, 0)))",
    "softplus": "np.logaddexp(z, 0)",
    "silu": "z / (1 + np.exp(-z))",
    "gelu": "z * normal_cdf(z)",
    "exp": "np.exp(z)",
}
_SLOPE = {
    "identity": "np.ones_like(z)",
    "sigmoid": "sigmoid(z) * sigmoid(-z)",
    "tanh": "1 / np.cosh(z) ** 2",
    "relu": "np.where(z > 0, 1.0, 0.0)",
    "leaky-relu": "np.where(z > 0, 1.0, 0.01)",
    "elu": "np.exp(np.minimum(z, 0))",
    "softplus": "1 / (1 + np.exp(-z))",
    "silu": "(1 + z / (1 + np.exp(z))) / (1 + np.exp(-z))",
    "gelu": "normal_cdf(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)",
    "exp": "np.exp(z)",
}
_NORMAL_CDF = """normal_cdf = np.vectorize(lambda z: math.erfc(-z / math.sqrt(2)) / 2)
"""
_SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""
_DC_DA = {
    "squared-error": "2 * ({a} - {y})",
    "half-squared-error": "{a} - {y}",
    "mean-squared-error": "2 * ({a} - {y}) / {a}.shape[-1]",
    "huber": "np.clip({a} - {y}, -1, 1)",
    "cross-entropy": "-{y} / {a}",
    "binary-cross-entropy": "-{y} / {a} + (1 - {y}) / (1 - {a})",
    "poisson": "1 - {y} / {a}",
}


def _numpy(asked: _Asked) -> str:
    """A program that prints the derivative, from w1, b1, … and the example or the examples."""
    network, q, top, n = asked.network, asked.q, asked.top, asked.examples
    last, first = asked.last, max(q.layer + (q.letter in "ax"), 1)
    used = sorted({network.activation[l - 1] for l in range(1, last + 1)})
    sloped = {network.activation[l - 1] for l in range(first, last + 1) if not (l == last and _slopeless(asked))}
    lines = ["import math", ""] if "gelu" in used else []
    lines += ["import numpy as np", ""]
    lines += [_NORMAL_CDF] if "gelu" in used else []
    for name in used:
        function = name.replace("-", "_")
        lines += [_SOFTMAX] if name == "softmax" else [f"def {function}(z):", f"    return {_VALUE[name]}", ""]
        if name in sloped:
            lines += [f"def {function}_slope(z):", f"    return {_SLOPE[name]}", ""]
    x, y = ("X", "Y") if n else ("x", "y")
    scaled = q.letter == "x"
    lines += ["# forward", f"a0 = ({x} - mean) / s" if scaled else f"a0 = {x}  # as it enters layer 1"]
    for l in range(1, last + 1):
        lines += [f"z{l} = a{l - 1} @ w{l}.T + b{l}" if n else f"z{l} = w{l} @ a{l - 1} + b{l}"]
        lines += [f"a{l} = {network.activation[l - 1].replace('-', '_')}(z{l})"]
    t = "C" if top is None else "t"
    lines += ["", "# backward" if top is None else f"# backward; t is {top}"]
    for l in range(last, first - 1, -1):
        slope = f"{network.activation[l - 1].replace('-', '_')}_slope(z{l})"
        if l < last:
            lines += [f"d{t}_da{l} = " + (f"d{t}_dz{l + 1} @ w{l + 1}" if n else f"w{l + 1}.T @ d{t}_dz{l + 1}")]
            lines += [f"d{t}_dz{l} = d{t}_da{l} * {slope}"]
        elif top is None and (asked.canonical or asked.coupled(l)):
            lines += [f"d{t}_dz{l} = a{l} - {y}"]
        elif top is None:
            lines += [f"dC_da{l} = {_DC_DA[network.cost].format(a=f'a{l}', y=y)}", f"dC_dz{l} = dC_da{l} * {slope}"]
        else:
            one = f"np.eye({network.sizes[l]})[{top.j}]"
            own = f"a{l}[..., {top.j}, None] * ({one} - a{l})" if asked.coupled(l) else f"{one} * {slope}"
            lines += [f"dt_dz{l} = {f'np.zeros_like(z{l}) + {one}' if top.letter == 'z' else own}"]
    lines += [*_numpy_target(asked, t, x, y)]
    return "\n".join(lines) + "\n"


def _slopeless(asked: _Asked) -> bool:
    """Whether σ′ of the last layer is not called for by name."""
    if asked.coupled(asked.last):
        return True
    return asked.canonical if asked.top is None else asked.top.letter == "z"


def _numpy_target(asked: _Asked, t: str, x: str, y: str) -> Iterator[str]:
    """The last lines: from ∂C/∂z to the target, and its entry."""
    q, n, l = asked.q, asked.examples, asked.q.layer
    name = f"d{t}_d{'x' if q.letter == 'x' else q.letter + str(l)}"
    rows = ("share[:, None] * " if asked.weighted else "") if n else ""
    if n:
        yield "share = weights / weights.sum()" if asked.weighted else f"n = len({x})"
    mean = " / n" if n and not asked.weighted else ""
    if q.letter == "w":
        penalty = {"l1·sign({w})": f" + l1 * np.sign(w{l})", "2·l2·{w}": f" + 2 * l2 * w{l}"}
        added = "".join(penalty[part] for part in asked.penalty)
        outer = f"({rows}d{t}_dz{l}).T @ a{l - 1}" if n else f"np.outer(d{t}_dz{l}, a{l - 1})"
        yield f"{name} = {outer}{mean}{added}"
        yield f"print({name}[{q.j}, {q.k}])"
        return
    if q.letter in "bz":
        vector = f"d{t}_dz{l}"
    elif l < asked.last:
        vector = f"d{t}_dz{l + 1} @ w{l + 1}" if n else f"w{l + 1}.T @ d{t}_dz{l + 1}"
    elif asked.top is not None:
        vector = f"np.zeros_like(a{l}) + np.eye({asked.network.sizes[l]})[{asked.top.j}]" + " * 0" * (
            asked.top.letter == "z"
        )
    else:
        vector = _DC_DA[asked.network.cost].format(a=f"a{l}", y=y)
    if q.letter == "x":
        vector = f"({vector}) / s"
    yield f"{name} = " + (f"({rows}({vector})).sum(axis=0){mean}" if n else vector)
    yield f"print({name}[{q.j}])"
