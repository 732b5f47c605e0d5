"""The three spellings of a derivative are true: run, and evaluated by readers of our own, they give its value."""

import ast
import builtins
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from given import random_problem
from questions import PAIRS, Array, Asked, asked, derivatives, problem

from chainrule import Examples, explain, gradient
from chainrule.calculus.gradient import backward, forward, sensitivity
from chainrule.calculus.notation import Quantity
from chainrule.insight.equations import Equations, equations
from chainrule.render.formula import latex, symbols
from chainrule.render.mathml import mathml

EPS = float(np.finfo(np.float64).eps)
SEEDS = range(len(PAIRS))
each_seed = pytest.mark.parametrize("seed", SEEDS)


# what rounding may do ------------------------------------------------------------------------------


def _tolerance(q: Asked) -> float:
    """eps · the sum of the sizes of all paths · how many roundings reach each of them.

    Each factor of a path is rounded a few times; its σ′ also moves with z, which is off by eps·Σ|w a| a layer.
    """
    p, network = q.model.parameters, q.model.network
    one = [Examples(q.examples.a0[q.rows], q.examples.Y[q.rows])]
    sizes = np.zeros(len(q.rows))
    for examples in one:
        trace = forward(p, examples.a0)
        z = {l: np.abs(trace.a[l - 1]) @ np.abs(p.w[l]).T + np.abs(p.b[l]) for l in network.layers}
        roundings = 10 * sum(network.sizes) * float(max(1 + z[l].max() for l in network.layers)) ** 2
        sizes = _path_sizes(q, trace) * roundings
    scale = q.model.inputs.scale[q.q.j] if q.q.letter == "x" and q.model.inputs else 1
    penalty = np.abs(p.w[q.q.layer]).max() + 1 if q.penalised else 0
    return EPS * (float(q.shares @ sizes) / scale + 10 * penalty)


def _path_sizes(q: Asked, trace: Any) -> Array:
    """Σ |path| of each example: the recursion with every factor's size."""
    p, network, top = q.model.parameters, q.model.network, q.top
    Y = q.examples.Y[q.rows]
    last = network.depth if top is None else top.layer
    slopes = {l: np.abs(network.σ(l).derivative(trace.z[l])) for l in network.layers if network.σ(l).elementwise}
    a = trace.a[last]
    if top is None:
        outer = np.abs(sensitivity(p, trace, backward(p, trace, Y), Y, last))
        δ = np.abs(a) + np.abs(Y) if last not in slopes else outer * slopes[last] + np.abs(a) + np.abs(Y)
        outer = outer + np.abs(a) + np.abs(Y)
    else:
        outer = np.eye(network.sizes[last])[[top.j] * len(a)]
        δ = outer if top.letter == "z" or not last else outer * slopes[last] if last in slopes else 2 * a + 0 * outer
    target = q.q
    if target.layer > last:
        return np.zeros(len(a))
    for l in range(last, target.layer, -1):
        outer = δ @ np.abs(p.w[l])
        δ = outer * slopes[l - 1] if l > 1 else outer
    if target.letter in "ax":
        return outer[:, target.j]
    return δ[:, target.j] * (1 if target.k is None else np.abs(trace.a[target.layer - 1][:, target.k]))


# NumPy code ----------------------------------------------------------------------------------------


def _given(code: str) -> list[str]:
    """The names that the first line says the program starts from."""
    names = code.splitlines()[0].removeprefix("# given: ").split(", ")
    if "..." in names:
        at = names.index("...")
        last = int(names[at + 1][1:])
        names[at : at + 1] = [f"{letter}{l}" for l in range(2, last) for letter in "wb"]
    return names


def _namespace(q: Asked) -> dict[str, Any]:
    model, examples = q.model, q.examples
    scaled = q.q.letter == "x" and model.inputs is not None
    mean, s = (model.inputs.mean, model.inputs.scale) if scaled and model.inputs else (np.zeros(1), np.ones(1))
    X = examples.a0 * s + mean if scaled else examples.a0
    i = q.rows[0]
    return {
        **model.parameters.arrays(), "X": X, "Y": examples.Y, "x": X[i], "y": examples.Y[i], "mean": mean, "s": s,
        "weights": examples.weights, "l1": model.network.l1, "l2": model.network.l2,
    }  # fmt: skip


def _printed(code: str, q: Asked) -> float:
    """What the program prints, run with nothing but what it says is given."""
    everything = _namespace(q)
    names = _given(code) if code.startswith("# given: ") else []
    printed: list[Any] = []
    known = {name: everything[name] for name in names}
    exec(compile(code, "numpy code", "exec"), {**known, "__builtins__": vars(builtins), "print": printed.append})
    (value,) = printed
    return float(value)


@each_seed
def test_the_numpy_code_prints_the_value_from_what_its_first_line_gives(seed: int) -> None:
    for q in asked(seed):
        printed = _printed(q.explanation.equations.numpy, q)
        assert printed == pytest.approx(q.explanation.value, rel=0, abs=_tolerance(q)), q


@each_seed
def test_the_numpy_code_has_nothing_that_it_does_not_use(seed: int) -> None:
    for q in asked(seed):
        code = q.explanation.equations.numpy
        tree = ast.parse(code)
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        loaded = {name.id for name in names if isinstance(name.ctx, ast.Load)}
        bound = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        bound |= {name.asname or name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
        bound |= {*_given(code)} if code.startswith("# given: ") else set()
        assert bound <= loaded, (bound - loaded, code)
        assert not re.search(r"= \(\w+\)|\((\w+)\)\.T|^(\w+) = \2$|  \n|\n\n\n|[^\n -~]|.{90}", code, re.MULTILINE), (
            code
        )
        assert code.endswith("\n")


# a reader of equations -----------------------------------------------------------------------------


class Matrix:
    """A matrix that multiplies only what it fits and adds only what has its shape; a column is n×1."""

    def __init__(self, entries: Array) -> None:
        self.entries = entries

    @property
    def T(self) -> "Matrix":
        return Matrix(self.entries.T)

    def __rmatmul__(self, scalar: float) -> "Matrix":
        return Matrix(scalar * self.entries)

    def __matmul__(self, other: "Matrix") -> "Matrix":
        assert self.entries.shape[1] == other.entries.shape[0]
        return Matrix(self.entries @ other.entries)

    def _with(self, other: "Matrix") -> tuple[Array, Array]:
        assert self.entries.shape == other.entries.shape
        return self.entries, other.entries

    def __mul__(self, other: "Matrix") -> "Matrix":
        return Matrix(np.multiply(*self._with(other)))

    def __truediv__(self, other: "Matrix") -> "Matrix":
        return Matrix(np.divide(*self._with(other)))

    def __add__(self, other: "Matrix") -> "Matrix":
        return Matrix(np.add(*self._with(other)))

    def __sub__(self, other: "Matrix") -> "Matrix":
        return Matrix(np.subtract(*self._with(other)))

    def __rsub__(self, scalar: float) -> "Matrix":
        return Matrix(scalar - self.entries)

    def __neg__(self) -> "Matrix":
        return Matrix(-self.entries)

    def __getitem__(self, j: int) -> float:
        return float(self.entries[j, 0])

    def map(self, function: Any) -> "Matrix":
        return Matrix(function(self.entries))


_AS_PYTHON = (
    (r"\(([^()]*), held to \[−1, 1\]\)", r"clip(\1)"),
    (r"^(.*), held to \[−1, 1\]$", r"clip(\1)"),
    (r"(?<!\w)2\(", "2·("),
    ("2·l2", "(2*l2)"),
    (r"\(2/n_L\)", "(2/n_L)·"),
    (r"\(1/n\)·(2|\(2/n_L\))(?=·)", r"(\1/n)"),
    (r"(?<!\w)1(?=·)|(?<=·)1(?!\w)", "ones"),
    (r"(?<=ᵀ)(?=[Wδ])", "·"),
    ("σ′", "slope"),
    ("ᵀ", ".T"),
    ("−", "-"),
    ("⊙", "*"),
    ("⊘", "/"),
    ("·", "@"),
)


def _as_python(formula: str) -> str:
    for ours, pythons in _AS_PYTHON:
        formula = re.sub(ours, pythons, formula)
    return formula


def _column(entries: Array) -> Matrix:
    return Matrix(np.asarray(entries, float).reshape(-1, 1))


def _matrices(q: Asked) -> dict[str, Any]:
    """What the names in a matrix equation stand for, before the first δ."""
    model, network, p = q.model, q.model.network, q.model.parameters
    many = len(q.rows) > 1
    trace = forward(p, q.examples.a0[q.rows])
    slopes: dict[int, int] = {}
    known: dict[str, Any] = {f"W{l}": Matrix(p.w[l]) for l in network.layers}
    for letter, arrays in (("z", trace.z), ("a", trace.a)):
        for l, array in arrays.items():
            known[f"{letter.upper()}{l}" if many else f"{letter}{l}"] = Matrix(array) if many else _column(array[0])
    for name, value in list(known.items()):
        if name[0] in "zZ":
            slopes[id(value)] = int(name[1:])
    Y = q.examples.Y[q.rows]
    known["Y" if many else "y"] = Matrix(Y) if many else _column(Y[0])
    for l, n in enumerate(network.sizes):
        if l == (network.depth if q.top is None else q.top.layer):
            known |= {f"e_{j}": _column(np.eye(n)[j]) for j in range(n)}
    scale = model.inputs.scale if model.inputs else np.ones(network.sizes[0])
    return known | {
        "slope": lambda z: z.map(network.σ(slopes[id(z)]).derivative),  # type: ignore[reportUnknownLambdaType]
        "sign": lambda w: w.map(np.sign),  # type: ignore[reportUnknownLambdaType]
        "clip": lambda r: r.map(lambda r: np.clip(r, -1, 1)),  # type: ignore[reportUnknownLambdaType]
        "Diag": lambda v: Matrix(np.diagflat(v.entries)),  # type: ignore[reportUnknownLambdaType]
        "ones": _column(np.ones(len(q.rows))),
        "n": len(q.rows), "n_L": network.sizes[-1], "l1": network.l1, "l2": network.l2,
        "s": _column(scale), "p": _column(q.shares),
    }  # fmt: skip


def _evaluated(q: Asked) -> Matrix:
    """The last of the matrix equations, each computed from those before; each with its shapes."""
    known = _matrices(q)
    value = Matrix(np.zeros((0, 0)))
    lines = q.explanation.equations.matrix
    for line in lines:
        left, _, right = line.formula.partition(" = ")
        if left == "p":
            assert right == "s/Σ_i s[i]"
            assert line.shapes == f"({len(q.rows)})"
            continue
        value = eval(_as_python(right), {"__builtins__": {}}, known)
        known[left] = value
        _check_shapes(line.shapes, right, value.entries.shape, known, last=line is lines[-1])
    return value


def _check_shapes(shapes: str, right: str, result: tuple[int, ...], known: Mapping[str, Any], last: bool) -> None:
    """The shapes are those of the formula's matrices, in their order; they fit, and make what they say."""
    product, _, makes = shapes.partition(" = ")
    written = _shapes(product)
    right = re.sub(r"(?<!\w)1(?= −)", "y" if "y" in right else "Y", right)  # 1 less each y
    assert written == [_shape_of(name, known) for name in _LEAF.findall(right)], (shapes, right)
    made = eval(re.sub(r"(\)|\.T)(?=S|\()", r"\1@", _shapes_as_python(product)), {"S": _any})
    assert made.entries.shape == result, (shapes, right)
    if makes or last:
        assert _shapes(makes) == ([result] if len(written) > 1 else []), (shapes, right)


_LEAF = re.compile(
    r"Diag\([^()]*\)|(?:(?<!\w)1(?=·)|(?<=·)1(?!\w)|[WδΔ]\d+|[aAzZ]\d+(?!\[)|(?<!\w)(?:e_\d+|[yYsp])(?![a-z\d]))ᵀ?"
)


def _shape_of(name: str, known: Mapping[str, Any]) -> tuple[int, int]:
    if name.startswith("Diag"):
        return (known["ones"].entries.shape[0],) * 2
    if name == "1":
        return known["ones"].entries.shape
    rows, columns = known[name.rstrip("ᵀ")].entries.shape
    return (columns, rows) if name.endswith("ᵀ") else (rows, columns)


def _shapes(text: str) -> list[tuple[int, int]]:
    return [(int(rows), int(columns or 1)) for rows, columns in re.findall(r"\((\d+)(?:×(\d+))?\)", text)]


def _shapes_as_python(text: str) -> str:
    return _as_python(re.sub(r"\((\d+)(?:×(\d+))?\)", lambda shape: f"S({shape[1]},{shape[2] or 1})", text))


def _any(rows: int, columns: int) -> Matrix:
    """Some matrix of this shape, which nothing is divided by in vain."""
    return Matrix(np.random.default_rng().random((rows, columns)))


@each_seed
def test_the_matrix_equations_fit_and_give_the_value(seed: int) -> None:
    for q in asked(seed):
        e = q.explanation
        if not e.equations.matrix:
            assert e.value == 0
            assert f"{q.of} comes before {q.target}" in e.equations.numpy
            continue
        value = _evaluated(q)
        at = (q.q.j, q.q.k or 0)
        assert value.entries[at] == pytest.approx(e.value, rel=0, abs=_tolerance(q)), q


@each_seed
def test_the_matrix_equation_of_a_weight_or_bias_gives_its_whole_part_of_the_gradient(seed: int) -> None:
    model, examples = problem(seed)
    for l in model.network.layers:
        for letter, i in (("w", None), ("b", None), ("w", 0), ("b", 1)):
            name = f"{letter}{l}[0{',0' if letter == 'w' else ''}]"
            part = gradient(model, examples, i)[1].arrays()[f"{letter}{l}"]
            value = _evaluated(Asked(seed, name, "C", i)).entries
            assert value.reshape(part.shape) == pytest.approx(part, rel=1e-11, abs=1e-11)  # numbers of the order of 1


# a reader of formulas, entry by entry --------------------------------------------------------------

_LAYER = r"\d+|\([lL](?:[-+]1)?\)"
_DERIVATIVE = rf"∂(?:C(?:\[\w+\])?|[az]\d+\[\d+\])/∂([a-z])({_LAYER})?\[([^]]*)\]"


def _entry_as_python(formula: str) -> str:
    """A formula as a Python expression: a(l−1)[k] is Q('a', l-1, k), a derivative D(…), σ′(z2[j]) is slope(2, j)."""
    text = re.sub(r"\(([^()]*), held to \[−1, 1\]\)", r"clip(\1)", formula)
    text = re.sub(r"^(.*), held to \[−1, 1\]$", r"clip(\1)", text)
    text = re.sub(r"(?<!\w)2\(", "2·(", text).replace("(2/n_L)", "(2/n_L)·")
    text = _sums_as_python(text.replace("−", "-"))
    text = re.sub(r"\[(\w+) = (\w+)\]", r"(\1 == \2)", text)
    text = re.sub(r"(?<= if )(\w+) = (\w+)", r"\1 == \2", text)
    text = re.sub(_DERIVATIVE, lambda m: f"D('{m[1]}', {m[2]}, '{m[3]}', i, {m[3]})", text)
    text = re.sub(rf"σ′\(z({_LAYER})\[(\w+)\]\)", r"slope(\1, \2)", text)
    text = re.sub(rf"(?<!\w)([ways])({_LAYER})?\[([^]]*)\]", lambda m: f"Q('{m[1]}', {m[2]}, '{m[3]}', {m[3]})", text)
    return text.replace("·", "*")


def _sums_as_python(text: str) -> str:
    """Σ_j … as a sum over the layer whose weights have j as their first index; to the end of its product."""
    start = text.find("Σ_")
    if start < 0:
        return text
    index, rest = text[start + 2], text[start + 4 :]
    depth = 0
    for end, c in enumerate(rest):
        depth += (c == "(") - (c == ")")
        if depth < 0 or (not depth and rest[end : end + 3] in (" + ", " / ")):
            break
    else:
        end = len(rest)
    body = rest[:end]
    layer = re.search(rf"w({_LAYER})\[{index},", body)
    n = f"sizes[{layer[1]}]" if layer else "n"
    return f"{text[:start]}sum({_sums_as_python(body)} for {index} in range({n})){_sums_as_python(rest[end:])}"


class _Numbers:
    """What the names in an entry's formula stand for, in the example of row i of the question's."""

    def __init__(self, q: Asked) -> None:
        self.q, self.network, self.p = q, q.model.network, q.model.parameters
        self.trace = forward(self.p, q.examples.a0[q.rows])
        self.Y = q.examples.Y[q.rows]
        F = max(float((np.abs(self.trace.a[l - 1]) @ np.abs(self.p.w[l]).T).max()) for l in self.network.layers)
        self.roundings = 20 * sum(self.network.sizes) * (1 + F)

    def derivative(self, row: int, q: Quantity) -> float:
        top = self.q.top
        found = _derivatives(self.q.seed, q)
        i = self.q.rows[row]
        return float(found["C"][i] if top is None else found[f"{top.letter}{top.layer}"][i, top.j])

    def mean(self, q: Quantity) -> float:
        return sum(float(s) * self.derivative(i, q) for i, s in enumerate(self.q.shares)) + self._penalty(q)

    def _penalty(self, q: Quantity) -> float:
        if not self.q.penalised or q.k is None:
            return 0
        w = float(self.p.w[q.layer][q.j, q.k])
        return self.network.l1 * float(np.sign(w)) + 2 * self.network.l2 * w

    def value(self, formula: str, row: int, sized: bool = False, **indices: int) -> float:
        """The formula's value; with ``sized``, that of the same formula with the sizes of its numbers, all added."""
        expression = _entry_as_python(formula)
        if sized:
            expression = re.sub(r"(?<=[^ ] )(?<!/\(1 )- |(?<=\()-(?=[\w(])|^-", "+ ", expression)
        return float(eval(expression, self._names(row, sized) | {"i": row} | indices))

    def _names(self, row: int, sized: bool) -> dict[str, Any]:
        network, model = self.network, self.q.model
        size: Any = abs if sized else float

        def Q(letter: str, l: int | None, names: str, *at: int) -> float:
            if letter == "y":
                return size(self.Y[row][at])
            if letter == "s":
                scale = self.q.examples.weights if names == "i" else model.inputs.scale if model.inputs else None
                return 1.0 if scale is None else float(scale[at])
            assert l is not None
            return size(self.p.w[l][at] if letter == "w" else self.trace.a[l][row][at])

        def D(letter: str, l: int | None, _: str, i: int, *at: int) -> float:
            return size(self.derivative(i, Quantity(letter, l or 0, *at)))

        def slope(l: int, j: int) -> float:
            value = float(network.σ(l).derivative(self.trace.z[l][row : row + 1, j])[0])
            return abs(value) + 1 if sized else value  # + 1: it moves with z, whose own rounding is in ``roundings``

        return {
            "__builtins__": {}, "Q": Q, "D": D, "slope": slope, "sum": sum, "range": range,
            "sizes": network.sizes, "L": network.depth,
            "n": len(self.q.rows), "n_L": network.sizes[-1], "l1": network.l1, "l2": network.l2,
            "clip": float if sized else _clip, "sign": np.abs if sized else np.sign,
        }  # fmt: skip


def _clip(r: float) -> float:
    return min(max(r, -1.0), 1.0)


@cache
def _derivatives(seed: int, q: Quantity) -> Mapping[str, Array]:
    return derivatives(*problem(seed), q)


@each_seed
def test_the_equation_followed_from_the_target_to_the_cost_gives_the_value(seed: int) -> None:
    for q in asked(seed):
        left, _, right = q.explanation.equations.unrolled.partition(" = ")
        averaged = len(q.rows) > 1
        assert left == f"∂{'C[i]' if averaged and q.top is None else q.explanation.of}/∂{q.target}"
        numbers = _Numbers(q)
        value = float(q.shares @ [numbers.value(right, row) for row in range(len(q.rows))])
        size = float(q.shares @ [numbers.value(right, row, sized=True) for row in range(len(q.rows))])
        penalty = q.explanation.penalty.value if len(q.rows) > 1 and q.explanation.penalty else 0
        tolerance = EPS * numbers.roundings * (size + abs(penalty))
        assert value + penalty == pytest.approx(q.explanation.value, rel=0, abs=tolerance), q


@each_seed
def test_the_general_equations_are_true_of_every_layer_and_neuron_they_speak_of(seed: int) -> None:
    for q in asked(seed):
        numbers = _Numbers(q)
        for at, formula in enumerate(q.explanation.equations.general):
            left, _, right = formula.partition(" = ")
            if right == "0":  # what is differentiated comes before
                assert q.explanation.value == 0
                continue
            mean = at == 0 and len(q.rows) > 1 and left.removeprefix("mean of ").startswith(f"∂{q.explanation.of}/")
            assert left.startswith("mean of ") == (mean and q.top is not None), formula
            derivative = re.fullmatch(_DERIVATIVE, left.removeprefix("mean of ").replace("−", "-"))
            assert derivative, formula
            instances = [*_instances(q, derivative, formula)]
            assert instances, formula
            for instance in instances:
                row = instance["l"] % len(q.rows)
                value, size = (numbers.value(right, row, sized, **instance) for sized in (False, True))
                names = {**instance, "L": q.model.network.depth}
                l = eval(derivative[2] or "0", names)
                quantity = Quantity(derivative[1], l, *eval(f"({derivative[3]},)", names))
                expected = numbers.mean(quantity) if mean else numbers.derivative(row, quantity)
                if not mean and len(q.rows) == 1 and q.penalised and quantity.letter == "w":
                    expected = numbers.mean(quantity)
                assert value == pytest.approx(expected, rel=0, abs=EPS * numbers.roundings * size), (
                    q,
                    formula,
                    instance,
                )


def _instances(q: Asked, left: re.Match[str], formula: str) -> Iterator[dict[str, int]]:
    """The l, j and k that a general equation speaks of: layers up to the last that has what it names."""
    sizes, L = q.model.network.sizes, q.model.network.depth
    last = L if q.top is None else q.top.layer
    joined = q.model.network.activation[last - 1] == "softmax" or (q.top is not None and q.top.letter == "z")
    lowest = 0 if left[1] in "ax" else 1
    highest = last
    if "(l+1)" in formula:
        highest = last - 1 - joined
    elif "σ′(z(l)[j])" in formula and joined:
        highest = last - 1
    layers = range(lowest, highest + 1) if "(l)" in formula else range(1)
    for l in layers:
        layer = int(eval(left[2] or "0", {"l": l, "L": L}))
        first = left[3][0]
        for at in range(sizes[layer]):
            below = range(sizes[layer - 1]) if left[1] == "w" else range(1)
            yield from ({"l": l, first: at, **({"k": k} if left[1] == "w" else {})} for k in below)


# other ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 12])
def test_deep_networks_have_an_index_for_ten_sums_and_then_a_derivative(depth: int) -> None:
    model, examples = random_problem(1, [2] * (depth + 1), "tanh", "squared-error")
    e = explain(model, examples, "w1[0,0]", 0)
    indices = re.findall(r"Σ_(\w)", e.equations.unrolled)
    assert len(indices) == len({*indices}) == min(depth - 1, 10)
    assert not {*indices} & {*"iklnswxyzabCL"}
    assert e.equations.unrolled.endswith("∂C[0]/∂a11[h]" if depth == 12 else "·2(a8[u] − y[u])")
    assert _given(e.equations.numpy) == [f"{letter}{l}" for l in range(1, depth + 1) for letter in "wb"] + ["x", "y"]


def test_every_equation_can_be_printed_typeset_and_shown() -> None:
    formulas: set[str] = set()
    for seed in SEEDS:
        for q in asked(seed):
            eq = q.explanation.equations
            formulas |= {
                *eq.general,
                eq.unrolled,
                *(text for line in eq.matrix for text in (line.formula, line.shapes)),
            }
    for formula in formulas:
        assert re.sub(r"[\[\]⁰-⁹¹²³⁽⁾⁺⁻ˡᴸ]", "", symbols(formula))
        assert "^{}" not in latex(formula)
        assert mathml(formula).tag == "math"
        assert not re.search(r"\[(\d+) = \d+\]|  |\(\)|·\)|--|\(\(\w+\)\)", formula), formula


_MISTAKES = [
    ("numpy", "w2.T @", "w2 @"),
    ("numpy", "dC_da1 * ", "1 * "),
    ("numpy", "(a2 - y)", "(y - a2)"),
    ("numpy", "_slope(z1)", "_slope(z2)"),
    ("numpy", "2 * (", "("),
    ("matrix", "W2ᵀδ2", "W2·δ2"),
    ("matrix", "δ1·a0ᵀ", "δ1ᵀ·a0"),
    ("matrix", "a2 − y", "y − a2"),
    ("matrix", "σ′(z1)", "σ′(z2)"),
    ("unrolled", "w2[j,1]", "w2[1,j]"),
    ("unrolled", "a0[0]", "a1[0]"),
    ("unrolled", "σ′(z1[1])·", ""),
    ("unrolled", "2(a2[j] − y[j])", "(a2[j] − y[j])"),
]


@pytest.mark.parametrize(("spelling", "right", "wrong"), _MISTAKES)
def test_a_mistake_in_a_spelling_is_caught(
    monkeypatch: pytest.MonkeyPatch, spelling: str, right: str, wrong: str
) -> None:
    def mistaken(*arguments: Any) -> Equations:
        eq = equations(*arguments)
        assert right in str(eq)
        lines = tuple(replace(line, formula=line.formula.replace(right, wrong)) for line in eq.matrix)
        return Equations(eq.general, eq.unrolled.replace(right, wrong), lines, eq.numpy.replace(right, wrong))

    monkeypatch.setattr("chainrule.insight.explain.equations", mistaken)
    q = Asked(1, "w1[1,0]", "C", 0)
    value, eq, tolerance = q.explanation.value, q.explanation.equations, _tolerance(q)
    found = {
        "numpy": lambda: _printed(eq.numpy, q),
        "matrix": lambda: _evaluated(q).entries[1, 0],
        "unrolled": lambda: _Numbers(q).value(eq.unrolled.partition(" = ")[2], 0),
    }[spelling]
    try:
        wrong_value = found()
    except (AssertionError, ValueError, IndexError):  # it does not fit
        return
    assert abs(wrong_value - value) > 1000 * tolerance
