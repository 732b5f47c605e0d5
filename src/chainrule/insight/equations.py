"""The same derivative in three spellings: entry by entry as in the article, with matrices, and as NumPy code.

The formulas are plain text as :mod:`chainrule.render.formula` reads it, which makes terminal symbols, LaTeX and MathML
of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.calculus.network import Network
from chainrule.calculus.notation import Quantity
from chainrule.insight.derivative import Derivative, bracketed
from chainrule.insight.matrix_equations import MatrixLine, matrix_equations
from chainrule.insight.numpy_code import numpy_code

_INDICES = "jmpqrtuvgh"
"""What the sums over one layer after another run over; i is an example, k the neuron below, l a layer, s a share."""


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
    d = Derivative(network, q, top, of, examples, weighted)
    if d.vanishes:
        zero = f"∂{of}/∂{q} = 0"
        return Equations((zero,), zero, (), f"# {of} comes before {q}\nprint(0.0)\n")
    return Equations((*_general(d),), _unrolled(d), (*matrix_equations(d),), numpy_code(d))


# with letters for layers and neurons ---------------------------------------------------------------


def _general(d: Derivative) -> Iterator[str]:
    """The article's equations: the mean, the target's own, and the way back from the last layer."""
    own = d.enters_z and d.q.layer == d.last and d.from_z  # the target's own z is where the way back starts
    layer, below = _last_layer(d) if own else ("(l)", "(l−1)")
    yield from _mean(d, _target(d, layer))
    yield from _own(d, own, layer, below)
    yield from _recursion(d)
    yield _start(d)


def _last_layer(d: Derivative) -> tuple[str, str]:
    """How the last layer and the one before are written."""
    return ("(L)", "(L−1)") if d.top is None else (str(d.last), str(d.last - 1))


def _target(d: Derivative, layer: str) -> str:
    return "x[k]" if d.q.letter == "x" else f"{d.q.letter}{layer}[j{',k' if d.q.k is not None else ''}]"


def _mean(d: Derivative, target: str) -> Iterator[str]:
    if d.examples:
        each = f"∂{d.one}/∂{target}"
        mean = f"Σ_i s[i]·{each} / Σ_i s[i]" if d.weighted else f"(1/n)·Σ_i {each}"
        yield f"{d.mean}∂{d.of}/∂{target} = {' + '.join([mean, *(part.format(w=target) for part in d.penalty)])}"


def _own(d: Derivative, own: bool, layer: str, below: str) -> Iterator[str]:
    """From the target to the a, or z, of its neuron."""
    C, target = d.one, _target(d, layer)
    link = f"∂{C}/∂z{layer}[j]" if own else f"σ′(z(l)[j])·∂{C}/∂a(l)[j]"
    if d.q.letter == "w":
        penalty = "" if d.examples else "".join(f" + {part.format(w=target)}" for part in d.penalty)
        yield f"∂{C}/∂{target} = a{below}[k]·{link}{penalty}"
    elif d.q.letter == "b" or (d.q.letter == "z" and not own):
        yield f"∂{C}/∂{target} = {link}"
    elif d.q.letter == "x":
        yield f"∂{C}/∂x[k] = (1/s[k])·∂{C}/∂a0[k]"


def _recursion(d: Derivative) -> Iterator[str]:
    """From one layer to the next."""
    C, sums = d.one, d.last - d.q.layer
    if sums > d.from_z:
        yield f"∂{C}/∂a(l)[k] = Σ_j w(l+1)[j,k]·σ′(z(l+1)[j])·∂{C}/∂a(l+1)[j]"
    if sums and d.from_z:
        layer, below = _last_layer(d)
        yield f"∂{C}/∂a{below}[k] = Σ_j w{layer}[j,k]·∂{C}/∂z{layer}[j]"


def _start(d: Derivative) -> str:
    """Where the way back starts, in the last layer."""
    C, last, top = d.one, d.last, d.top
    from_z = d.from_z and (d.q.layer < last or d.enters_z)
    if top is None:
        if from_z:
            return f"∂{C}/∂z(L)[j] = a(L)[j] − y[j]"
        return f"∂{C}/∂a(L)[j] = {d.network.C.dC_da_formula.format(a='a(L)[j]', y='y[j]')}"
    if from_z and top.letter == "a":
        return f"∂{C}/∂z{last}[j] = {top}·([j = {top.j}] − a{last}[j])"
    return f"∂{C}/∂{top.letter}{last}[j] = 1 if j = {top.j} else 0"


# for one target ------------------------------------------------------------------------------------


def _unrolled(d: Derivative) -> str:
    """From the target to the cost in one line."""
    q = d.q
    left = f"∂{d.one}/∂{q} = "
    if q.letter == "x":
        return f"{left}(1/s[{q.j}])·{_dC_da(d, 0, str(q.j))}"
    if q.letter == "a":
        return left + _bare(_dC_da(d, q.layer, str(q.j)))
    link = _dC_dz(d, q.layer, str(q.j))
    if q.k is None:
        return left + _bare(link)
    penalty = "" if d.examples else "".join(f" + {part.format(w=q)}" for part in d.penalty)
    return f"{left}a{q.layer - 1}[{q.k}]·{link}{penalty}"


def _bare(formula: str) -> str:
    """A formula that is no factor of a product, without its brackets."""
    inner = formula[1:-1]
    return inner if formula[:1] + formula[-1:] == "()" and inner.find(")") >= inner.find("(") else formula


def _dC_da(d: Derivative, l: int, j: str) -> str:
    """∂C/∂a of neuron j, a number or an index, as a factor."""
    top = d.top
    if l == d.last:
        if top is not None:
            return "1" if j == str(top.j) else "0"
        return bracketed(d.network.C.dC_da_formula.format(a=f"a{l}[{j}]", y=f"y[{j}]"))
    if top is not None and l + 1 == d.last and not (top.letter == "a" and d.coupled(l + 1)):
        return f"w{l + 1}[{top.j},{j}]" + ("" if top.letter == "z" else f"·σ′(z{l + 1}[{top.j}])")
    depth = l - d.q.layer
    if depth >= len(_INDICES):
        return f"∂{d.one}/∂a{l}[{j}]"
    index = _INDICES[depth]
    return f"Σ_{index} w{l + 1}[{index},{j}]·{_dC_dz(d, l + 1, index)}"


def _dC_dz(d: Derivative, l: int, j: str) -> str:
    """∂C/∂z of neuron j, a number or an index, as a factor."""
    top = d.top
    if l < d.last or (top is None and not d.coupled(l)):
        return f"σ′(z{l}[{j}])·{_dC_da(d, l, j)}"
    if top is None:
        return f"(a{l}[{j}] − y[{j}])"
    if top.letter == "a" and d.coupled(l):
        if j.isdigit():
            return f"{top}·(1 − {top})" if j == str(top.j) else f"(−{top}·a{l}[{j}])"
        return f"{top}·([{j} = {top.j}] − a{l}[{j}])"
    return "0" if j != str(top.j) else "1" if top.letter == "z" else f"σ′(z{l}[{j}])"
