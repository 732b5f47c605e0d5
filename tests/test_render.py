"""Printed numbers are the numbers, what is shown adds up, and text fits where it is shown."""

import csv
import json
from decimal import Decimal
from io import StringIO
from math import isfinite, nan
from typing import cast
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.cost import COSTS
from chainrule.render.csv_text import csv_text
from chainrule.render.json_text import json_text
from chainrule.render.numbers import PRODUCT_DIGITS, close, percent, significant
from chainrule.render.plot import Panel, epochs_picture
from chainrule.render.text import columns, fit_encoding, printable, width

finite = st.floats(allow_nan=False, allow_infinity=False)


# numbers -------------------------------------------------------------------------------------------


@given(finite, st.integers(4, 17))
def test_a_number_is_printed_to_so_many_significant_digits(value: float, digits: int) -> None:
    printed = Decimal(significant(value, digits))
    assert printed == Decimal(f"{value:.{digits - 1}e}")
    assert len(printed.as_tuple().digits) <= max(digits, 9)  # 9: whole numbers below 1e9 keep their zeros


@given(st.floats(1e-6, 9.9e8), st.integers(4, 9))
def test_numbers_of_ordinary_size_are_printed_without_an_exponent(value: float, digits: int) -> None:
    assert "e" not in significant(value, digits)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.05, "0.05"),
        (1.0, "1"),
        (1000.0, "1000"),
        (0.741365070, "0.741365070"),
        (1 / 3, "0.333333333"),
        (-2 / 3, "-0.666666667"),
        (1e9, "1e9"),
        (1e-7, "1e-7"),
        (1.25e-300, "1.25e-300"),
        (float("inf"), "inf"),
        (nan, "nan"),
    ],
)
def test_numbers_read_well(value: float, printed: str) -> None:
    assert significant(value) == printed


@given(st.lists(finite, min_size=1, max_size=12), finite, st.integers(4, 12))
def test_printed_terms_and_rest_add_up_exactly_to_the_printed_total(
    terms: list[float], total: float, digits: int
) -> None:
    closed = close(terms, total, digits)
    assert sum(map(Decimal, closed.terms)) + Decimal(closed.rest) == Decimal(closed.total)
    assert closed.rest_is_zero == (Decimal(closed.rest) == 0)
    largest = max(map(abs, (*terms, total)))
    unit = Decimal(largest) * Decimal(10) ** (1 - digits)  # of the last digit, or up to ten times it
    for value, printed in zip((*terms, total), (*closed.terms, closed.total), strict=True):
        assert abs(Decimal(value) - Decimal(printed)) <= unit / 2


@given(st.lists(finite, min_size=1, max_size=12), finite)
def test_printed_terms_end_at_the_same_decimal(terms: list[float], total: float) -> None:
    closed = close(terms, total)
    shown = [Decimal(text).as_tuple().exponent for text in (*closed.terms, closed.rest, closed.total) if text != "0"]
    assert len(set(shown)) <= 1


def test_what_cannot_add_up_is_printed_as_it_is() -> None:
    closed = close([1.0, float("inf")], float("inf"))
    assert (closed.terms, closed.total, closed.rest_is_zero) == (("1", "inf"), "inf", True)


def test_a_total_has_the_digits_of_a_product() -> None:
    assert close([0.055399425, -0.0190491183], 0.0363503064).total == "+0.036350307"[: len("+0.0363503")] + "06"
    assert len(Decimal(close([1.0], 1 / 3).terms[0]).as_tuple().digits) == PRODUCT_DIGITS


def test_a_share_is_a_percentage() -> None:
    assert percent(0.98051) == "98.05 %"


# JSON and CSV --------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(), st.floats() | st.text() | st.lists(st.floats())))
def test_json_is_whole_and_has_null_for_what_json_does_not_have(record: dict[str, object]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads(json_text(record, "utf-8"), parse_constant=refuse)
    assert read == {key: _or_null(value) for key, value in record.items()}


def _or_null(value: object) -> object:
    if isinstance(value, list):
        return [_or_null(each) for each in cast("list[object]", value)]
    return None if isinstance(value, float) and not isfinite(value) else value


def test_json_is_ascii_where_the_encoding_is() -> None:
    assert json_text({"∂": "σ"}, "ascii").isascii()
    assert json.loads(json_text({"∂": "σ"}, "ascii")) == {"∂": "σ"}
    assert "∂" in json_text({"∂": "σ"}, "utf-8")


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")), min_size=2, max_size=2)))
def test_csv_reads_back_and_no_cell_is_a_formula(rows: list[list[str]]) -> None:
    read = list(csv.reader(StringIO(csv_text(["a", "b"], rows), newline="")))
    for row, back in zip(rows, read[1:], strict=True):
        for cell, shown in zip(row, back, strict=True):
            assert shown in (cell, f"'{cell}")
            assert not shown.startswith(("=", "@", "\t")), "a spreadsheet would run it"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd", "'+cmd"),
        ("-inf", "'-inf"),
        ("-1_0", "'-1_0"),
        ("\t5", "'\t5"),
        ("＝1+1", "'＝1+1"),
        ("-3.5", "-3.5"),
        ("-.5e-7", "-.5e-7"),
        ("+2", "+2"),
    ],
)
def test_formulas_are_made_inert_and_numbers_are_not(cell: str, shown: str) -> None:
    assert csv_text([cell], [[cell]]) == f"{shown}\n{shown}\n"


# text ----------------------------------------------------------------------------------------------


def test_text_is_left_alone_where_it_can_be_written() -> None:
    assert fit_encoding("∂C/∂w = σ′", "utf-8") == "∂C/∂w = σ′"
    assert fit_encoding("plain", "ascii") == "plain"


@given(st.text(), st.sampled_from(["ascii", "latin-1", "cp1252", "no such encoding", None]))
def test_text_can_always_be_written(text: str, encoding: str | None) -> None:
    fitted = fit_encoding(text, encoding)
    known = "ascii" if encoding in ("no such encoding", None) else encoding
    assert fitted.encode(known).decode(known) == fitted


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a_k⁽ˡ⁻¹⁾ and z_j⁽ᴸ⁾", "a_k^(l-1) and z_j^(L)"),
        ("10⁻²⁰, 2⁶³ and x²", "10^-20, 2^63 and x^2"),
        ("Δ² = (Δ³·W³ᵀ) ⊙ σ′(Z²)", "Delta^2 = (Delta^3*W^3^T) (*) s'(Z^2)"),
        ("Σ_(m≠5) y[m]", "sum_(m!=5) y[m]"),
    ],
)
def test_a_power_and_a_sign_have_an_ascii_spelling(text: str, spelled: str) -> None:
    assert fit_encoding(text, "ascii") == spelled


@pytest.mark.parametrize("formula", [f for σ in ACTIVATIONS.values() for f in (σ.formula, σ.derivative_formula)])
def test_every_activations_formula_has_an_ascii_spelling(formula: str) -> None:
    assert "?" not in fit_encoding(formula, "ascii")


@pytest.mark.parametrize("formula", [f for C in COSTS.values() for f in (C.formula, C.dC_da_formula)])
def test_every_costs_formula_has_an_ascii_spelling(formula: str) -> None:
    assert "?" not in fit_encoding(formula, "ascii")


@given(
    st.lists(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"])), min_size=3, max_size=3), min_size=1)
)
def test_columns_line_up_without_losing_a_cell(rows: list[list[str]]) -> None:
    lines = columns(rows, right=(False, True, True))
    assert [line.split() for line in lines] == [[cell for cell in row if cell] for row in rows]
    ends = {len(line) for line, row in zip(lines, rows, strict=True) if row[2]}
    assert len(ends) <= 1


def test_wide_characters_take_two_cells_and_accents_none() -> None:
    assert [width(text) for text in ("a", "é", "e\u0301", "数字")] == [1, 1, 1, 4]
    wide, narrow = columns([["数字", "x"], ["ab", "y"]], right=(False, False))
    assert width(wide) == width(narrow)


@given(st.text())
def test_what_is_printed_cannot_steer_the_terminal(text: str) -> None:
    assert printable(text).isprintable()


def test_control_characters_are_spelled_out() -> None:
    assert printable("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert printable("größe 数") == "größe 数"


# pictures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_curves_by_epoch_are_a_picture_with_its_title(kind: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    picture = epochs_picture([1, 2, 3], [Panel("C", {"cost": [1.0, 0.5, 0.25]})], None, "digits by adam", kind)
    assert picture.startswith(start)
    assert b"digits by adam" in picture


@pytest.mark.parametrize("title", [r"a$\bad$.csv: 2-1", "$x", "\x1b[31mred\x1b[0m", "<b>&amp;", r"\frac{"])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_title_is_text_and_nothing_else(title: str) -> None:
    pytest.importorskip("matplotlib")
    root = ElementTree.fromstring(epochs_picture([1, 2], [Panel("C", {"cost": [1.0, 0.5]})], 1, title, ".svg"))
    assert root.findtext("{http://www.w3.org/2000/svg}title") == printable(title)
