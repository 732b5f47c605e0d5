"""A derivative as equations between matrices, each with the shapes of what stands in it.

Of one example, δ, z, a and y are columns. Over several they are the matrices Δ, Z, A and Y with a row for each example,
1 is the column of as many ones, and p that of their shares. e_j is column j of the identity.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.insight.derivative import Derivative, bracketed


@dataclass(frozen=True)
class MatrixLine:
    """An equation between matrices, and the shapes of what stands on its right, in the same order."""

    formula: str
    shapes: str


def matrix_equations(d: Derivative) -> Iterator[MatrixLine]:
    """From ∂C/∂z of the last layer, δ or Δ, to the derivative by the target's whole w, b, z, a or x."""
    first = d.q.layer if d.enters_z else d.q.layer + 1
    for l in range(d.last, first - 1, -1):
        right = _last_delta(d) if l == d.last else _delta(d, l)
        yield _line(d, f"{_names(d)['δ']}{l}", right)
    right = _target(d)
    if "p" in right:
        yield MatrixLine("p = s/Σ_i s[i]", f"({d.examples})")
    l, n = d.q.layer, d.network.sizes
    name = "x" if d.q.letter == "x" else f"W{l}" if d.q.letter == "w" else f"{d.q.letter}{l}"
    result = f"({n[l]}×{n[l - 1]})" if d.q.letter == "w" else f"({n[l]})"
    yield _line(d, f"{d.mean}∂{d.of}/∂{name}", right, result)


def _names(d: Derivative) -> dict[str, str]:
    return {letter: letter.upper() if d.examples else letter for letter in "δzay"}


def _last_delta(d: Derivative) -> str:
    """∂C/∂z of the last layer."""
    l, top, (_, z, a, y) = d.last, d.top, _names(d).values()
    slope = f"σ′({z}{l})"
    if top is None:
        return f"{a}{l} − {y}" if d.a_minus_y else f"{bracketed(_dC_da(d))} ⊙ {slope}"
    itself = f"1·e_{top.j}ᵀ" if d.examples else f"e_{top.j}"
    if top.letter == "z":
        return itself
    if d.coupled(l):
        return f"Diag(A{l}·e_{top.j})·({itself} − A{l})" if d.examples else f"{top}·({itself} − a{l})"
    return f"({itself}) ⊙ {slope}" if d.examples else f"{itself} ⊙ {slope}"


def _delta(d: Derivative, l: int) -> str:
    """∂C/∂z of a layer before the last."""
    back = f"Δ{l + 1}·W{l + 1}" if d.examples else f"W{l + 1}ᵀδ{l + 1}"
    return f"({back}) ⊙ σ′({_names(d)['z']}{l})"


def _dC_da(d: Derivative) -> str:
    """∂C/∂a of the outputs; their quotients are entry by entry."""
    pattern = re.sub(r"(?<=[})])/", " ⊘ ", d.network.C.dC_da_formula)
    return pattern.format(a=f"{_names(d)['a']}{d.last}", y=_names(d)["y"])


def _target(d: Derivative) -> str:
    q, l = d.q, d.q.layer
    penalty = "".join(f" + {part.format(w=f'W{l}')}" for part in d.penalty)
    if q.letter == "w":
        share = "Diag(p)·" if d.weighted else ""
        mean = "" if d.weighted else "(1/n)·"
        return (f"{mean}Δ{l}ᵀ·{share}A{l - 1}" if d.examples else f"δ{l}·a{l - 1}ᵀ") + penalty
    right = _vector(d)
    return f"({right}) ⊘ s" if q.letter == "x" else right


def _vector(d: Derivative) -> str:
    """The derivative by the layer's b, z or a: over several examples, the mean of theirs."""
    l = d.q.layer
    if not d.enters_z and l == d.last and d.top is not None:
        return f"e_{d.top.j}"  # in every example
    if d.enters_z:
        right, transposed = f"δ{l}", f"Δ{l}ᵀ"
    elif l == d.last:
        right, transposed = _dC_da(d), f"{bracketed(_dC_da(d))}ᵀ"
    else:
        right, transposed = f"W{l + 1}ᵀδ{l + 1}", f"W{l + 1}ᵀ·Δ{l + 1}ᵀ"
    if not d.examples:
        return right
    return f"{transposed}·p" if d.weighted else f"(1/n)·{transposed}·1"


# the shapes ----------------------------------------------------------------------------------------

_SCALAR = re.compile(r"\(1/n\)·|\(2/n_L\)|2(?=\()|l1·|2·l2·|a\d+\[\d+\]·|, held to \[−1, 1\]|−(?! )")
_ENTRYWISE = re.compile(r"(?:σ′|sign)\((\w+)\)")
_MATRIX = re.compile(r"Diag\([^()]*\)|[WΔδAaZz]\d+ᵀ?|e_\d+ᵀ?|[Yyps1]")
_PRODUCT = re.compile(r"\(((?:\([^()]*\))+)\)(?!ᵀ)")


def _line(d: Derivative, left: str, right: str, result: str = "") -> MatrixLine:
    """An equation with its shapes, read off its right side: each matrix as (rows×columns), each column as (rows)."""
    entries = _ENTRYWISE.sub(r"\1", _SCALAR.sub("", right))
    entries = re.sub(r"(?<!\w)1(?= −)", _names(d)["y"], entries)  # 1 less each entry
    shapes = _MATRIX.sub(lambda match: _shape(d, match[0]), entries).replace("·", "")
    shapes = re.sub(r"\((\d+)\)(?=\(1×)", r"(\1×1)", shapes)  # a column times a row
    shapes = _PRODUCT.sub(r"\1", shapes)
    return MatrixLine(f"{left} = {right}", shapes if result in ("", shapes) else f"{shapes} = {result}")


def _shape(d: Derivative, matrix: str) -> str:
    sizes, n = d.network.sizes, d.examples
    letter, transposed = matrix[0], matrix.endswith("ᵀ")
    layer = int(matrix[1:].rstrip("ᵀ")) if matrix[1:2].isdigit() else d.last  # of y and e_j: the last
    if matrix.startswith("Diag"):
        rows, columns = n, n
    elif letter == "W":
        rows, columns = sizes[layer], sizes[layer - 1]
    elif letter in "ΔAZY":
        rows, columns = n, sizes[layer]
    else:
        rows, columns = {"p": n, "1": n, "s": sizes[0]}.get(letter, sizes[layer]), 0
    if transposed:
        rows, columns = columns or 1, rows
    return f"({rows}×{columns})" if columns else f"({rows})"
