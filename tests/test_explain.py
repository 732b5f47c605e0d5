"""An explanation's factors multiply, its terms add up, and what it prints can be checked by hand."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from html import unescape
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from given import golden, random_problem

from chainrule import (
    Examples,
    Explanation,
    Model,
    Network,
    ParameterVector,
    Settings,
    explain,
    gradient,
    load_problem,
    read_table,
    train,
)
from chainrule.calculus.gradient import backward, forward
from chainrule.errors import InputError, NotationError
from chainrule.insight.explain import EACH_WAY, OPENED
from chainrule.insight.explanation_tables import mean, product, sum_over_layer
from chainrule.render.formula import latex_number
from chainrule.render.json_text import json_text
from chainrule.render.text import width

Problem = tuple[Model, Examples]

EXACT = 1e-12
"""A few dozen operations of eps/2 = 1.1e-16 each, the sum of the terms' sizes being 1."""

CASES: dict[str, Problem] = {
    "linear": random_problem(0, (3, 2), "identity", "squared-error"),
    "sigmoid, depth 1": random_problem(1, (2, 3), "sigmoid", "squared-error", n=8),
    "tanh, depth 2": random_problem(2, (3, 4, 2), "tanh", "half-squared-error", weighted=True),
    "relu, depth 3": random_problem(3, (3, 5, 4, 2), ("relu", "leaky-relu", "identity"), "mean-squared-error", n=7),
    "gelu, depth 4": random_problem(4, (2, 3, 3, 3, 1), ("gelu", "silu", "elu", "softplus"), "huber", l2=0.01),
    "depth 5": random_problem(5, (2, 3, 2, 3, 2, 2), "tanh", "squared-error", l1=0.02, l2=0.01, weighted=True),
    "softmax": random_problem(6, (3, 4, 12), ("tanh", "softmax"), "cross-entropy", n=9, l2=0.1),
    "softmax, depth 1": random_problem(7, (3, 3), "softmax", "cross-entropy", weighted=True, l1=0.1),
    "one sigmoid": random_problem(8, (3, 4, 1), ("relu", "sigmoid"), "binary-cross-entropy", n=6),
    "poisson by exp": random_problem(9, (2, 3, 2), ("sigmoid", "exp"), "poisson"),
    "poisson by softplus": random_problem(10, (2, 3, 2), ("elu", "softplus"), "poisson", weighted=True),
    "twelve wide": random_problem(11, (12, 12, 12), ("silu", "identity"), "squared-error", n=6),
    "one example": random_problem(12, (2, 2, 2), "sigmoid", "squared-error", n=1, l2=0.3),
}

each_case = pytest.mark.parametrize("case", CASES)
each_case_of_several = pytest.mark.parametrize(
    "case", [case for case, (_, examples) in CASES.items() if len(examples) > 1]
)


def _names(network: Network, letters: str = "wbaz") -> list[str]:
    """Some quantities of every kind in every layer: the first and the last, where there are several."""
    names: list[str] = []
    for l in range(network.depth + 1):
        for letter in letters:
            if letter != "a" and l == 0:
                continue
            n = network.sizes[l]
            k = f",{network.sizes[l - 1] - 1}" if letter == "w" else ""
            names += [f"{letter}{l}[{j}{k}]" for j in sorted({0, n - 1})]
    return names


def _of_one_example(case: str) -> list[Explanation]:
    model, examples = CASES[case]
    return [explain(model, examples, name, i) for name in _names(model.network) for i in range(len(examples))]


def _averaged(case: str) -> list[Explanation]:
    model, examples = CASES[case]
    return [explain(model, examples, name) for name in _names(model.network)]


# the numbers ---------------------------------------------------------------------------------------


@each_case
def test_factors_multiply_to_the_value_and_terms_add_up_to_the_sum(case: str) -> None:
    for e in _of_one_example(case):
        assert prod(f.value for f in e.factors) == pytest.approx(e.value, rel=EXACT, abs=0)
        for term in e.terms:
            assert term.value == prod(f.value for f in term.factors)
        if e.summed:
            size = sum(abs(term.value) for term in e.terms)
            assert abs(sum(term.value for term in e.terms) - e.summed.value) <= EXACT * size
            assert [term.neuron for term in e.terms] == list(range(len(e.terms)))


@each_case
def test_the_value_is_the_entry_of_the_gradient(case: str) -> None:
    model, examples = CASES[case]
    for i in (None, *range(len(examples))):
        entries = gradient(model, examples, i)[1].arrays()
        for name in _names(model.network, "wb"):
            array, index = name.partition("[")[::2]
            entry = float(entries[array][tuple(int(at) for at in index.rstrip("]").split(","))])
            e = explain(model, examples, name, i)
            sizes = [abs(c.contribution) for c in e.examples] + [abs(e.value)]
            assert abs(e.value - entry) <= EXACT * sum(sizes)


@each_case
def test_sensitivities_are_what_moving_that_quantity_does_to_the_cost(case: str) -> None:
    """∂C/∂a and ∂C/∂z of hidden neurons, against the bias of the same neuron and the recursion's own products."""
    model, examples = CASES[case]
    network, p = model.network, model.parameters
    trace = forward(p, examples.a0)
    deltas = backward(p, trace, examples.Y)
    for l in network.layers:
        for i in range(len(examples)):
            z, b = (explain(model, examples, f"{letter}{l}[0]", i).value for letter in "zb")
            assert z == b == pytest.approx(float(deltas.dC_dz[l][i, 0]), rel=EXACT, abs=0)
            a = explain(model, examples, f"a{l - 1}[0]", i)
            terms = deltas.dC_dz[l][i] * p.w[l][:, 0]
            assert abs(a.value - float(terms.sum())) <= EXACT * float(np.abs(terms).sum())


@each_case_of_several
def test_contributions_rest_and_penalty_add_up_to_the_mean(case: str) -> None:
    model, examples = CASES[case]
    shares = np.ones(len(examples)) if examples.weights is None else examples.weights
    shares = shares / shares.sum()
    for e in _averaged(case):
        parts = [c.contribution for c in e.examples]
        others = [e.rest.contribution] if e.rest else []
        penalty = [e.penalty.value] if e.penalty else []
        whole = [*parts, *others, *penalty]
        assert abs(sum(whole) - e.value) <= EXACT * sum(map(abs, whole))
        assert len(parts) + (e.rest.count if e.rest else 0) == e.n_examples == len(examples)
        assert e.factors == ()
        for c in e.examples:
            assert c.share == pytest.approx(shares[c.example], rel=EXACT)
            alone = explain(model, examples, e.wrt, c.example).value  # of numbers of the order of 1
            assert c.value == pytest.approx(alone, rel=EXACT, abs=EXACT)
            assert c.contribution == c.share * c.value
            assert prod(f.value for f in c.factors) == pytest.approx(c.value, rel=EXACT, abs=0)


@each_case_of_several
def test_the_examples_listed_are_those_that_push_the_most_either_way(case: str) -> None:
    model, examples = CASES[case]
    shares = np.ones(len(examples)) if examples.weights is None else examples.weights
    shares = shares / shares.sum()
    for name in _names(model.network):
        parts = [shares[i] * explain(model, examples, name, i).value for i in range(len(examples))]
        e = explain(model, examples, name)
        for sign, all_of_them in ((1, e.down), (-1, e.up)):
            pushing = sorted((abs(part) for part in parts if sign * part > 0), reverse=True)
            listed = [abs(c.contribution) for c in e.examples if sign * c.contribution > 0]
            assert listed == pytest.approx(pushing[: len(listed)], rel=1e-9)
            assert len(listed) == len(pushing) or len(listed) >= EACH_WAY
            assert all_of_them is not None
            assert all_of_them.count == len(pushing)
            assert all_of_them.contribution == pytest.approx(sign * sum(pushing), rel=1e-9)


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.5), (0.25, 0.0), (0.25, 0.5)])
def test_the_penalty_is_a_line_of_its_own_on_weights_only(l1: float, l2: float) -> None:
    model, examples = random_problem(20, (2, 2, 1), "tanh", "squared-error", l1=l1, l2=l2)
    w = float(model.parameters.w[1][1, 0])
    penalty = explain(model, examples, "w1[1,0]").penalty
    assert penalty is not None
    assert penalty.value == pytest.approx(l1 * np.sign(w) + 2 * l2 * w, rel=EXACT)
    assert explain(model, examples, "b1[1]").penalty is None
    assert explain(model, examples, "w1[1,0]", example=0).penalty is None


# names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["w2[1,0]", "w2.1.0", "wL[1,0]", "wL.1.0", "w(L)[1,0]", " w2[ 1 , 0 ] ", "out"])
def test_every_spelling_of_a_weight_is_the_same_weight(text: str) -> None:
    model, examples = CASES["tanh, depth 2"]
    assert explain(model, examples, text, aliases={"out": "w2.1.0"}).wrt == "w2[1,0]"


@pytest.mark.parametrize("text", ["a1[0]", "a1.0", "a(L-1)[0]", "a(L - 1).0", "aL-1[0]"])
def test_layers_can_be_counted_from_the_last(text: str) -> None:
    model, examples = CASES["tanh, depth 2"]
    assert explain(model, examples, text).wrt == "a1[0]"


def test_a_problem_files_aliases_name_its_parameters(tmp_path: Path) -> None:
    path = tmp_path / "named.toml"
    source = (Path(__file__).parent / "goldens" / "mazur.toml").read_text(encoding="utf-8")
    path.write_text(source + '\n[aliases]\nw5 = "w2[0,0]"\n', encoding="utf-8")
    problem = load_problem(path)
    assert explain(problem.model, problem.examples, "w5", aliases=problem.aliases).value == pytest.approx(0.082167041)


def test_what_does_not_exist_is_refused() -> None:
    model, examples = CASES["tanh, depth 2"]
    for name in ("w2[2,0]", "z0[0]", "a3[0]", "w0[0,0]", "b1[0,0]", "w1[0]", "q", ""):
        with pytest.raises(NotationError):
            explain(model, examples, name)
    for i in (-1, len(examples)):
        with pytest.raises(InputError, match="there are 4 examples, 0 to 3"):
            explain(model, examples, "w1[0,0]", i)


# JSON ----------------------------------------------------------------------------------------------


@each_case
def test_the_json_has_everything_at_full_precision(case: str) -> None:
    for e in [*_of_one_example(case), *_averaged(case)]:
        record = json.loads(json_text(e.json(), "utf-8"))
        assert record.keys() >= {"of", "wrt", "value", "factors", "terms", "examples", "penalty"}
        assert record["value"] == e.value
        assert [(f["symbol"], f["formula"], f["value"]) for f in record["factors"]] == [
            (f.symbol, f.formula, f.value) for f in e.factors
        ]
        assert [term["value"] for term in record["terms"]] == [term.value for term in e.terms]
        rest = [e.rest.contribution] if e.rest else []
        assert [entry["contribution"] for entry in record["examples"]] == [c.contribution for c in e.examples] + rest
        assert record["penalty"] == (vars(e.penalty) if e.penalty else None)


# what is printed -----------------------------------------------------------------------------------


def _cells(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def _last_number(line: str) -> Decimal:
    return Decimal(_cells(line)[-1])


def _tables(text: str) -> list[list[Decimal]]:
    """The last column of each table that ends in a row called sum: the parts, then the sum."""
    tables: list[list[Decimal]] = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.splitlines()
        ends = [at for at, line in enumerate(lines) if line.endswith(("= term", "= part")) or line.startswith("  sum ")]
        if ends:
            header, total = ends
            rows = [line for line in lines[header + 1 : total + 1] if len(_cells(line)) > 1]  # the others are headings
            tables.append(list(map(_last_number, rows)))
    return tables


def _product(text: str) -> list[str]:
    """The lines of the product, factor by factor, and of its value."""
    return [line for line in text.splitlines() if re.match(r"   ∂|[×=+]  ", line)]


@each_case
def test_printed_parts_add_up_exactly_to_the_printed_sum(case: str) -> None:
    for e in [*_of_one_example(case), *_averaged(case)]:
        tables = _tables(e.text())
        assert len(tables) == bool(e.summed or e.examples)
        for *parts, total in tables:
            assert sum(parts) == total
            half = Decimal("0.5").scaleb(int(total.as_tuple().exponent)) if total else Decimal("1e-6")
            assert abs(total - Decimal(e.summed.value if e.summed else e.value)) <= half


@each_case
def test_every_format_shows_the_tables_that_add_up(case: str) -> None:
    for e in [_of_one_example(case)[0], _averaged(case)[-1]]:
        tables = [mean(e)] if e.examples else [product(e), *map(sum_over_layer, e.sums)]
        for table in tables:
            *parts, total = [row.cells[-1].text for row in table.rows if row.kind != "heading"]
            assert table is tables[0] or sum(map(Decimal, parts)) == Decimal(total)
            numbers = [cell.text for row in table.rows for cell in row.cells if cell.kind == "number" and cell.text]
            shown = {form: _plain(show()) for form, show in (("text", e.text), ("html", e.html))}
            latex = e.latex()
            for number in numbers:
                assert all(number in words for words in shown.values()), number
                assert f"${latex_number(number)}$" in latex or number in latex


@pytest.mark.parametrize("case", ["sigmoid, depth 1", "one example", "softmax", "one sigmoid", "twelve wide"])
def test_the_numbers_in_a_picture_of_examples_add_up(case: str) -> None:
    for e in _averaged(case):
        if e.flowchart:
            continue
        *parts, total = re.findall(r'class="ink mono finish"[^>]*>([^<]*)<', e.svg())
        assert sum(map(Decimal, parts)) == Decimal(total), (e.wrt, parts)
        assert len(parts) >= len(e.examples)


def _plain(page: str) -> list[str]:
    """The words of a text, or of a page without its markup."""
    return unescape(re.sub(r"<[^>]*>", " ", page)).split()


@each_case
def test_a_printed_product_is_what_multiplying_the_printed_factors_gives(case: str) -> None:
    for e in _of_one_example(case):
        if e.penalty or len(e.factors) == 1:
            continue
        *factors, value = map(_last_number, _product(e.text()))
        assert len(factors) == len(e.factors)
        # each of three factors of 9 digits is off by up to 0.5e-8 of itself, the product of 8 by 0.5e-7
        assert prod(factors) == pytest.approx(value, rel=Decimal("6.5e-8"), abs=0)


def test_a_printed_product_and_its_penalty_add_up_exactly() -> None:
    model, examples = CASES["one example"]
    for name in _names(model.network, "w"):
        text = explain(model, examples, name).text()
        summed = [_last_number(line) for line in _product(text)[3:]]
        assert sum(summed[:-1]) == summed[-1]


@cache
def _digits() -> Problem:
    table = read_table("digits")
    model = train(table, Settings(hidden=(16, 12), epochs=2)).model
    return model, model.examples_of(table)


def _golden(name: str) -> Problem:
    problem = golden(name)
    return problem.model, problem.examples


@pytest.mark.parametrize("name", ["mazur", "article_chain", "article_layers", "digits"])
def test_explanations_fit_80_columns(name: str) -> None:
    model, examples = _digits() if name == "digits" else _golden(name)
    n = len(examples)
    for wrt in _names(model.network):
        for i in (None, 0, n // 2, n - 1):
            assert _too_wide(explain(model, examples, wrt, i).text()) == []


@each_case
def test_explanations_of_every_activation_and_cost_fit_80_columns(case: str) -> None:
    for e in [*_of_one_example(case), *_averaged(case)]:
        assert _too_wide(e.text()) == []
        assert _too_wide(e.equations_text()) == []


def _too_wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if width(line) > 80]


def test_a_scaled_input_says_what_it_is_called_in_the_data() -> None:
    model, examples = _digits()
    assert "a0[20] is pixel20, standardised" in explain(model, examples, "w1[0,20]").text()
    assert "a3[7] is digit = 7" in explain(model, examples, "b3[7]", 0).text()


def test_a_long_sum_shows_the_terms_that_count_and_one_line_for_the_others() -> None:
    model, examples = CASES["twelve wide"]
    text = explain(model, examples, "a1[0]", 0).text()
    assert "… 4 more" in text
    assert len(_tables(text)[0]) == 8 + 1 + 1


# zero, kinks, saturation ---------------------------------------------------------------------------


def _one(
    activation: Sequence[str], cost: str, arrays: dict[str, Any], x: Sequence[float], y: Sequence[float]
) -> Problem:
    sizes = [len(x), *(len(arrays[f"b{l}"]) for l in range(1, len(activation) + 1))]
    model = Model(ParameterVector.from_arrays(Network(sizes, activation, cost), arrays))
    return model, model.examples([x], [y])


def test_where_nothing_passes_the_largest_terms_are_opened_and_drawn() -> None:
    model, examples = random_problem(13, (2, 3, 12, 10, 2), ("relu", "tanh", "tanh", "identity"), "squared-error")
    model.parameters.b[1][0] = -100
    e = explain(model, examples, "w1[0,1]", 0, depth=3)
    assert e.value == 0
    first, *second = (s for s in e.sums if s.layer <= 2)
    assert (first.neuron, len(first.terms)) == (0, 12)
    largest = sorted(first.terms, key=lambda term: -abs(term.value))
    assert [s.neuron for s in second] == [term.neuron for term in largest[:OPENED]]
    assert e.flowchart is not None
    drawn = {node.name for node in e.flowchart.nodes if node.name.startswith("z2[")}
    assert drawn == {f"z2[{term.neuron}]" for term in largest[: len(drawn)]}
    assert 1 < len(drawn) < 12
    third = {s.neuron: sum(abs(w.terms[s.neuron].value) for w in second) for s in e.sums if s.layer == 3}
    others = [sum(abs(w.terms[j].value) for w in second) for j in range(10) if j not in third]
    assert len(third) == OPENED
    assert min(third.values()) >= max(others)


def test_a_derivative_of_0_says_that_nothing_happens() -> None:
    model, examples = _one(["relu", "identity"], "squared-error", _arrays(-1.0, 1.0), [2.0], [1.0])
    e = explain(model, examples, "w1[0,0]")
    assert e.value == 0
    assert "∂C/∂w1[0,0] = 0      C does not react to a small change of w1[0,0]" in e.text()
    assert not re.search(r"-0(?![.\d])", e.text())


def _arrays(w1: float, w2: float) -> dict[str, Any]:
    return {"w1": [[w1]], "b1": [0.0], "w2": [[w2]], "b2": [0.0]}


@pytest.mark.parametrize(("activation", "slope"), [("relu", "σ′(0) = 0"), ("leaky-relu", "σ′(0) = 0.01")])
def test_a_kink_that_a_shown_factor_uses_is_noted(activation: str, slope: str) -> None:
    model, examples = _one([activation, "identity"], "squared-error", _arrays(1.0, 1.0), [0.0], [1.0])
    for name in ("w1[0,0]", "b1[0]", "z1[0]", "a0[0]"):
        e = explain(model, examples, name)
        assert len(e.notes) == 1
        assert e.notes[0].startswith(f"z1[0] is exactly 0, where {activation} has no derivative: {slope}")
        assert "note: z1[0] is exactly 0" in e.text()
        assert _too_wide(e.text()) == []
    assert explain(model, examples, "a1[0]").notes == ()
    assert explain(model, examples, "w2[0,0]").notes == ()


def test_kinks_of_the_examples_shown_are_counted() -> None:
    model, _ = _one(["relu", "identity"], "squared-error", _arrays(1.0, 1.0), [0.0], [1.0])
    examples = model.examples([[0.0], [1.0], [0.0]], [[1.0], [0.0], [2.0]])
    assert explain(model, examples, "b1[0]").notes == (
        "2 of the examples take a derivative at a kink; --example tells more",
    )


def test_an_l1_penalty_at_weight_0_is_noted() -> None:
    model, examples = random_problem(21, (2, 1), "tanh", "squared-error", l1=0.1)
    model.parameters.w[1][0, 0] = 0
    assert explain(model, examples, "w1[0,0]").notes == (
        "w1[0,0] is exactly 0, where |w1[0,0]| has no derivative: 0 is taken",
    )
    assert explain(model, examples, "w1[0,1]").notes == ()


SATURATED = [
    (output, cost, z, y)
    for output, cost in [
        ("sigmoid", "squared-error"),
        ("sigmoid", "binary-cross-entropy"),
        ("softmax", "cross-entropy"),
        ("softplus", "poisson"),
        ("tanh", "huber"),
        ("gelu", "squared-error"),
    ]
    for z in (-800.0, -709.0, 709.0, 800.0)
    for y in ([1.0, 0.0], [0.0, 1.0])
]


@pytest.mark.parametrize(("output", "cost", "z", "y"), SATURATED)
def test_saturated_neurons_give_finite_factors_that_still_multiply_and_add_up(
    output: str, cost: str, z: float, y: list[float]
) -> None:
    """At z2 = ±800 e^(−z), 1 − a and y/a leave float64's range, at ±709 they are at its edge; beside a moderate z2."""
    w = {"w1": [[1.0], [0.5]], "b1": [0.0, 0.1], "w2": [[z, 0.0], [0.3, -0.2]], "b2": [0.0, 0.0]}
    model, examples = _one(["identity", output], cost, w, [1.0], y)
    for name in [*_names(model.network, "wbz"), "a0[0]", "a1[0]", "a1[1]"]:
        e = explain(model, examples, name)
        json.dumps(e.json(), allow_nan=False)
        assert prod(f.value for f in e.factors) == pytest.approx(e.value, rel=EXACT, abs=0)
        size = sum(abs(term.value) for term in e.terms)
        if e.summed:
            assert abs(sum(term.value for term in e.terms) - e.summed.value) <= EXACT * size
        for *parts, total in _tables(e.text()):
            assert sum(parts) == total
        assert len({tuple(f.symbol.count("∂") for f in term.factors) for term in e.terms}) <= 1


def test_softmax_terms_survive_probabilities_whose_product_underflows() -> None:
    w = {"w1": [[-500.0], [0.0], [-500.0]], "b1": [0.0, 0.0, 0.0]}
    model, examples = _one(["softmax"], "cross-entropy", w, [1.0], [1.0, 0.0, 0.0])
    e = explain(model, examples, "z1[2]")
    assert e.value == pytest.approx(np.exp(-500), rel=EXACT, abs=0)
    assert sum(term.value for term in e.terms) == pytest.approx(e.value, rel=EXACT, abs=0)


def test_rows_of_the_mean_have_the_same_factors_even_where_one_is_saturated() -> None:
    w = {"w1": [[800.0]], "b1": [0.0]}
    model, _ = _one(["sigmoid"], "binary-cross-entropy", w, [1.0], [1.0])
    examples = model.examples([[-1.0], [0.001], [0.002]], [[1.0], [0.0], [0.0]])
    e = explain(model, examples, "w1[0,0]")
    assert [len(c.factors) for c in e.examples] == [2, 2, 2]
    assert e.text().count("∂C[i]/∂z1[0]") == 1


def test_a_derivative_beyond_float64_is_said_to_be_so() -> None:
    w = {"w1": [[-800.0]], "b1": [0.0]}
    model, examples = _one(["sigmoid"], "binary-cross-entropy", w, [1.0], [1.0])
    e = explain(model, examples, "a1[0]")
    assert not isfinite(e.value)
    assert "∂C/∂a1[0] = -inf      beyond what float64 can hold" in e.text()
    assert json.loads(json_text(e.json(), "utf-8"))["value"] is None


def test_a_sum_beyond_float64_is_shown_as_it_is() -> None:
    model, examples = _one(["identity", "exp"], "squared-error", _arrays(1.0, 1000.0), [1.0], [0.0])
    text = explain(model, examples, "w1[0,0]").text()
    assert [_cells(line)[-1] for line in text.splitlines() if line.startswith(("  0 ", "  sum "))] == ["inf", "inf"]
