"""Labels from users' files break no format, and every formula is one that LaTeX and a browser can set.

A format is held to itself: with hostile labels it must be what it is with harmless ones, but for the labels' own text.
"""

import csv
import io
import json
import re
import sys
import unicodedata
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from subprocess import run
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

import numpy as np
import pytest
from given import golden, process, random_problem
from test_explain import CASES

from chainrule import (
    Examples,
    Explanation,
    Model,
    Network,
    ParameterVector,
    Report,
    Settings,
    explain,
    load_model,
    nudge,
    read_table,
    report,
    save_model,
    train,
)
from chainrule.calculus.activation import ACTIVATIONS
from chainrule.calculus.cost import COSTS
from chainrule.cli import main
from chainrule.cli.explain import FORMATS
from chainrule.insight import explanation_html, explanation_latex
from chainrule.insight.explanation_latex import document
from chainrule.insight.flowchart import Edge, Flowchart, Node
from chainrule.model.encoding import InputColumn, Inputs, Target
from chainrule.render.formula import latex, latex_text
from chainrule.render.json_text import json_text
from chainrule.render.markup import element, markup, picture
from chainrule.render.mathml import mathml
from chainrule.render.svg import shortened
from chainrule.render.text import fit_encoding, printable, width

LABELS = {
    "script": "<script>alert(1)</script>",
    "end of svg": "</svg></style></title>",
    "end of CDATA": "]]>",
    "comment": "--> <!-- x",
    "attribute": "\" onload='alert(1)' x=\"",
    "reference": "&amp; &#60; &lt",
    "ampersand": "a&b",
    "mathematics": "$x$ \\(y\\) \\[z\\] $$",
    "input": "\\input{/etc/passwd}",
    "end": "\\end{document} \\end{verbatim}",
    "catcodes": "% # _^~ ^^5c {",
    "closing brace": "} }} \\\\ &",
    "quotes": "\"'`''``?`!`,,--<<",
    "newline": "a\n\\end\r\nb",
    "tab": "a\tb",
    "nul": "a\0b",
    "terminal": "\x1b[31mred\x1b]0;title\x07\x9b2J\x7f",
    "mermaid": '"] --> n9["x"]\nend; click n0 "javascript:alert(1)"',
    "word end": "end",
    "graphviz": '\\N \\G "]; n0 -> n9 [label="',
    "formula": "w1[0,0] C ∂C/∂w1[0,0] Σ_j e^(x) l2·",
    "hebrew": "שלום = 3",
    "arabic": "العمر (١٢)",
    "override": "\u202eabc\u202c\u2066\u200f",
    "emoji": "👩\u200d🔬 🇪🇺",
    "marks": "e\u0301" + "\u0335" * 50,
    "latin": "".join(map(chr, range(0xC0, 0x180))),
    "other scripts": "数字 число ελ",
    "half a pair": "\ud800",
    "private": "\ue000\uffff\U0010ffff",
    "long": "x" * 10_000,
    "empty": "",
}
"""What a name or a value in a file can be."""

HARMLESS = "PLAIN"

each_label = pytest.mark.parametrize("name", LABELS)
each_drawn_label = pytest.mark.parametrize("name", [name for name, label in LABELS.items() if label])


def _model(label: str) -> tuple[Model, Examples]:
    """A network whose input column, one-hot value, target and class all have this label."""
    network = Network((3, 2), "softmax", "cross-entropy", l2=0.1)
    parameters = ParameterVector(network, np.linspace(-1, 1, network.n_parameters))
    columns = (InputColumn(label), InputColumn(f"{label}c", (label, "z")))
    inputs = Inputs(columns, np.array([0.5, 0.0, 0.0]), np.array([2.0, 1.0, 1.0]))
    model = Model(parameters, inputs, Target((f"{label}t",), (label, "z"), np.zeros(0), np.ones(0)))
    return model, model.examples([[1.0, 0.0, 1.0], [0.5, 1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])


TARGETS: Sequence[tuple[str, int | None]] = [("w1.0.0", 0), ("w1.0.1", None), ("x.0", 1)]


def _meant(label: str) -> list[str]:
    """The names that the explanations of TARGETS are to tell, without what is said of them."""
    output = f"{label}t = {label}"
    return [label, output, f"{label}c={label}", output, label]


@cache
def _explanations(label: str) -> list[Explanation]:
    model, examples = _model(label)
    return [explain(model, examples, target, example) for target, example in TARGETS]


@cache
def _report(label: str) -> Report:
    return report(*_model(label), ["w1.0.0", "b1.0", "w1[0,0]"], title=label)


# text and JSON -------------------------------------------------------------------------------------


@each_label
def test_a_label_in_text_changes_nothing_beside_it_and_steers_no_terminal(name: str) -> None:
    label = LABELS[name]
    for e, plain in zip(_explanations(label), _explanations(HARMLESS), strict=True):
        assert e.text() == plain.text().replace(HARMLESS, printable(label))
        assert e.equations_text() == plain.equations_text()
        assert e.text().replace("\n", "").isprintable()
        ascii_text = fit_encoding(e.text(), "ascii")
        assert ascii_text.isascii()
        assert ascii_text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["hebrew", "arabic", "override"])
def test_text_from_right_to_left_leaves_what_is_beside_it_in_its_place(name: str) -> None:
    """By Unicode's rules a run from right to left takes along digits and signs that touch it, and no letter.

    So it must stand at the end of a line, after a letter from left to right, or before one.
    """
    for e in _explanations(LABELS[name]):
        for line in e.text().splitlines():
            if right := [at for at, c in enumerate(line) if unicodedata.bidirectional(c) in ("R", "AL")]:
                label = line.index(" is ") + len(" is ")
                assert label <= right[0]
                assert line[0].isascii(), "the line's direction is that of its first letter"
                assert line[0].isalpha()
        assert not set(e.text()) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@each_label
def test_a_label_in_json_is_read_back_as_it_is(name: str) -> None:
    label = LABELS[name]
    for e, plain in zip(_explanations(label), _explanations(HARMLESS), strict=True):
        for encoding in ("utf-8", "ascii"):
            read = json.loads(json_text(e.json(), encoding))
            expected = json.loads(json_text(plain.json(), encoding))
            assert read["meanings"] == {
                key: text.replace(HARMLESS, label) for key, text in expected.pop("meanings").items()
            }
            assert read.items() >= expected.items()


# LaTeX ---------------------------------------------------------------------------------------------

COMMANDS = {
    "frac", "tfrac", "partial", "sum", "sigma", "delta", "Delta", "Phi", "varphi", "top", "times", "odot", "oslash",
    "le", "ge", "ne", "dots", "cosh", "tanh", "ln", "max", "operatorname", "text", "infty", "approx",
    ",", ";",
}  # fmt: skip
"""What a formula may consist of."""

DOCUMENT = COMMANDS | {
    "begin", "end", "displaystyle", "quad", "cdot", "hline", "multicolumn", "renewcommand", "arraystretch", "par",
    "nobreak", "Sigma", "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar",
    "\\", "{", "}", "$", "&", "#", "%", "_",
}  # fmt: skip


def _check_latex(source: str, commands: set[str]) -> None:
    """That no command stands in it but these, that braces and environments are closed, and letters are known."""
    source = re.sub(r"(?s)\\begin\{verbatim\}\n.*?\\end\{verbatim\}", "", source)
    source = re.sub(r"(?m)^%.*\n", "", source)
    assert set(re.findall(r"\\([A-Za-z]+|.)", source)) <= commands
    environments: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{([^}]*)\}", source):
        if what == "begin":
            environments.append(name)
        else:
            assert environments.pop() == name
        assert name in ("align*", "tabular")
    assert environments == []
    depth = 0
    for brace in re.sub(r"\\.", "", source):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        assert depth >= 0
    assert depth == 0
    strange = {c for c in source if not (c == "\n" or " " <= c < "\x7f" or "À" <= c <= "ſ")}
    assert strange == set()


@each_label
def test_a_label_in_latex_is_text(name: str) -> None:
    label = LABELS[name]
    for e, plain in zip(_explanations(label), _explanations(HARMLESS), strict=True):
        _check_latex(e.latex(), DOCUMENT)
        assert e.latex() == plain.latex().replace(HARMLESS, latex_text(label))


needs_latex = pytest.mark.skipif(which("pdflatex") is None, reason="pdflatex is not installed: no LaTeX was compiled")


def _compile(folder: Path, source: str) -> str:
    """What pdflatex has to say."""
    (folder / "x.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=batchmode", "-halt-on-error", "x.tex"]
    made = run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    log = (folder / "x.log").read_text(encoding="latin-1")
    assert made.returncode == 0, log[-3000:]
    return log


@needs_latex
def test_latex_with_labels_compiles(tmp_path: Path) -> None:
    fragments = [e.latex() for label in LABELS.values() for e in _explanations(label)[:2]]
    _compile(tmp_path, document("\n\n\\clearpage\n\n".join(fragments)))


@needs_latex
def test_latex_of_every_kind_of_network_compiles_and_fits_the_page(tmp_path: Path) -> None:
    fragments = [e.latex() for case in CASES for e in _of_every_kind(case)[::4]]
    log = _compile(tmp_path, document("\n\n".join(fragments)))
    assert [too_wide for too_wide in re.findall(r"\((\d+)\.\d*pt too wide\)", log) if int(too_wide) > 20] == []


# HTML ----------------------------------------------------------------------------------------------

_MATHML = {"math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mfrac", "msub", "msup", "msubsup", "munder"}
_TAGS = _MATHML | {
    "html", "head", "meta", "title", "style", "body", "div", "section", "h1", "h2", "h3", "p", "span", "a", "bdi",
    "strong", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "code",
    "svg", "desc", "g", "rect", "path", "circle", "text",
}  # fmt: skip
"""What a page may consist of: nothing that runs or loads."""


@dataclass
class _Page(HTMLParser):
    """What a browser reads: elements with their attributes, in order, and texts."""

    source: str
    shape: list[Any] = field(default_factory=list[Any])
    texts: list[str] = field(default_factory=lambda: [""])
    isolated: list[str] = field(default_factory=list[str])
    attributes: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS
        self.shape.append((tag, attrs))
        self.texts.append("")
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)
        if tag == "bdi":
            self.isolated.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.shape.append(tag)
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        self.texts[-1] += data
        if self.open[-1:] == ["bdi"]:
            self.isolated[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


@cache
def _read(html: str) -> _Page:
    return _Page(html)


def _same_page(html: str, plain: str, label: str) -> _Page:
    """Checks that a page is the one with harmless labels, but for their text; short labels in pictures are cut."""
    read, expected = _Page(html), _read(plain)
    assert read.shape == expected.shape
    spelled = printable(label)
    for text, other in zip(read.texts, expected.texts, strict=True):
        relabelled = other.replace(HARMLESS, spelled)
        assert text == relabelled or (HARMLESS in other and text == shortened(relabelled, 14))
    return read


@each_label
def test_a_label_in_html_is_text_by_itself(name: str) -> None:
    label = LABELS[name]
    told: list[str] = []
    for html, plain in zip(_notebook(label), _notebook(HARMLESS), strict=True):
        told += _same_page(html, plain, label).isolated
    assert told == [printable(text) for text in _meant(label)]
    _same_page(_explanations(label)[0].page(), _explanations(HARMLESS)[0].page(), label)


@cache
def _notebook(label: str) -> list[str]:
    """What a notebook shows of each explanation."""
    return [e._repr_html_() for e in _explanations(label)]  # pyright: ignore[reportPrivateUsage]


@each_drawn_label
def test_a_label_in_a_report_is_text_by_itself(name: str) -> None:
    label = LABELS[name]
    made, plain = _report(label), _report(HARMLESS)
    page = _same_page(made.html(), plain.html(), label)
    assert page.isolated[0] == printable(label)
    _same_page(made._repr_html_(), plain._repr_html_(), label)  # pyright: ignore[reportPrivateUsage]


def _pages() -> Iterator[str]:
    yield _report(HARMLESS).html()
    problem = golden("mazur")
    yield report(problem.model, problem.examples).html()
    yield report(problem.model, problem.examples, ["w1.0.0", "b2.1", "a1.0", "w1.0.0"], depth=2).html()
    yield from (e.page() for e in _explanations(HARMLESS))


def test_a_page_needs_nothing_from_elsewhere_and_its_links_lead_somewhere() -> None:
    for html in _pages():
        page = _Page(html)
        assert "<!DOCTYPE html>" in html
        assert '<meta charset="utf-8">' in html
        assert '<meta name="viewport"' in html
        for needed in ("prefers-color-scheme", "@media print"):
            assert needed in html
        for foreign in ("@import", "url(", "javascript:"):
            assert foreign not in html
        ids = [value for _, name, value in page.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        for _, name, value in page.attributes:
            assert not name.startswith("on")
            assert name not in ("src", "action", "srcset", "data")
            assert "://" not in value or name == "xmlns"
            if name == "href":
                assert value.removeprefix("#") in ids
        assert "://" not in "".join(page.texts)


# pictures ------------------------------------------------------------------------------------------

_SVG = "{http://www.w3.org/2000/svg}"


def _read_svg(svg: str) -> Element:
    """The picture as XML, which begins with a title and a description."""
    root = fromstring(svg)
    assert root.tag == f"{_SVG}svg"
    assert [child.tag for child in root[:2]] == [f"{_SVG}title", f"{_SVG}desc"]
    assert all(child.text for child in root[:2])
    assert {child.tag.removeprefix(_SVG) for child in root.iter()} <= _TAGS
    return root


@each_drawn_label
def test_a_picture_of_labels_is_xml_of_the_same_shape(name: str) -> None:
    label = LABELS[name]
    for e, plain in zip(_explanations(label), _explanations(HARMLESS), strict=True):
        _read_svg(e.svg())
        assert e.svg() == plain.svg()
    drawn, harmless = (_read_svg(picture(_report(each).drawing)) for each in (label, HARMLESS))
    assert [(part.tag, part.attrib) for part in drawn.iter()] == [(part.tag, part.attrib) for part in harmless.iter()]
    shown = [part.text or "" for part in drawn.iter(f"{_SVG}text")]
    assert shortened(f"{label}c={label}", 14) in shown
    assert all(text.isprintable() for text in shown)
    texts = [part.text for part in _read_svg(_hostile_chart(label).svg()).iter(f"{_SVG}title")]
    assert texts[0] == f"How {printable(label)} reaches {printable(label)}"


def test_a_shortened_label_is_as_wide_as_it_may_be() -> None:
    for label in LABELS.values():
        cut = shortened(label, 14)
        assert width(cut) <= 14
        assert len(cut) <= 4 * 14
        assert cut == printable(label) or cut.endswith("…")


def _hostile_chart(label: str) -> Flowchart:
    """No label gets into a flowchart; should one ever, it would be text."""
    nodes = (Node(label, 0.5, 0, "target"), Node("a1[0]", None, 1, "more"), Node("C", 1.0, 2, "end"))
    edges = (Edge(label, "a1[0]", label, 2.0, 1.0), Edge("a1[0]", "C"))
    return Flowchart(label, label, nodes, edges)


def test_graphviz_draws_labels_as_text() -> None:
    """Graphviz itself reads no reference to a character beyond U+FFFF."""
    if which("dot") is None:
        pytest.skip("dot is not installed: no graph was drawn")
    labels = [
        label for label in LABELS.values() if len(label) < 1000 and max(printable(label), default="") < "\U00010000"
    ]
    source = "".join(_hostile_chart(label).dot() for label in labels)
    assert source.isascii()
    made = run(["dot", "-Tsvg"], input=source.encode(), capture_output=True, check=True, timeout=60)
    pictures = [part for part in re.split(r"<\?xml.*?\?>", made.stdout.decode()) if part.strip()]
    for label, svg in zip(labels, pictures, strict=True):
        root = fromstring(re.sub(r"(?s)<!DOCTYPE.*?>", "", svg))
        groups = [part.get("class") for part in root.iter(f"{_SVG}g")]
        assert (groups.count("node"), groups.count("edge")) == (3, 2)
        assert not [part for part in root.iter() if "href" in "".join(part.attrib)]
        texts = [(part.text or "").replace("\xa0", " ") for part in root.iter(f"{_SVG}text")]
        assert f"How {printable(label)} reaches {printable(label)}".split() == texts[0].split()


@each_label
def test_mermaid_has_no_character_of_a_label_that_is_syntax(name: str) -> None:
    label = LABELS[name]
    source = _hostile_chart(label).mermaid()
    text = r'"((?:[A-Za-z0-9 ]|#\d+;|<br/>)*)"'
    lines = [line for line in source.splitlines()[1:] if not line.startswith("  classDef ")]
    grammar = rf"  n\d(\[{text}\](:::(target|goal|side))?| -- {text} --> n\d| -.-> n\d)"
    assert [line for line in lines if not re.fullmatch(grammar, line)] == []
    assert len(lines) == 5
    first = re.search(text, lines[0])
    assert first
    shown = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), first[1].removesuffix("<br/>0#46;5"))
    assert shown == printable(label)


# a nudge -------------------------------------------------------------------------------------------


@each_label
def test_a_nudge_of_a_labelled_input_tells_it_as_text(name: str) -> None:
    label = LABELS[name]
    n, plain = (nudge(*_model(each), "x.0", 0.1, 0) for each in (label, HARMLESS))
    assert n.text().replace("\n", "").isprintable()
    told = plain.text().replace(HARMLESS, printable(label))
    assert n.text().split() == told.split() or len(label) > 60
    for encoding in ("utf-8", "ascii"):
        assert json.loads(json_text(n.json(), encoding))["meanings"]["x[0]"] == label


def test_a_nudges_picture_and_html_are_whole() -> None:
    pytest.importorskip("matplotlib")
    n = nudge(*_model(LABELS["script"]), "x.0", 0.1, 0)
    fromstring(n.svg())
    html = n._repr_html_()  # pyright: ignore[reportPrivateUsage]
    assert set(re.findall(r"<([a-z0-9]+)", html)) == {"div", "style", "h2", "img", "pre"}
    source = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    assert source
    fromstring(b64decode(source[1]))
    assert "&lt;script&gt;" in html


# a real file, and the command line -----------------------------------------------------------------


def _csv_labels() -> dict[str, str]:
    """Labels that a CSV file can hold: no NUL, no half of a character, spaces around them not kept, none empty."""
    refused = ("nul", "half a pair", "empty")
    return {name: " ".join(label.split(" ")).strip() for name, label in LABELS.items() if name not in refused}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model file, and the CSV file that it is of: hostile column names, categories and classes."""
    folder = tmp_path_factory.mktemp("labels")
    labels = list(_csv_labels().values())
    categories, classes = labels[:12], labels[-5:]
    with (folder / "d.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*labels, "<b>category", "<i>target"])
        for i in range(60):
            writer.writerow([*(f"{(i * 7 + k) % 11}" for k in range(len(labels))), categories[i % 12], classes[i % 5]])
    settings = Settings(hidden=(3,), epochs=1, target=("<i>target",))
    model = train(read_table(folder / "d.csv"), settings).model
    save_model(model, folder / "m.safetensors")
    assert model.inputs
    assert [column.name for column in model.inputs.columns] == [*labels, "<b>category"]
    return folder / "m.safetensors", folder / "d.csv"


def test_labels_from_a_file_come_back_from_the_model_and_into_every_format(trained: tuple[Path, Path]) -> None:
    model = load_model(trained[0])
    assert model.inputs
    assert model.target
    examples = model.examples_of(read_table(trained[1]))
    names = [f"w1[0,{k}]" for k in range(0, len(model.inputs.names), 4)]
    for name in [*names, *(f"w2[{j},0]" for j in range(5))]:
        e = explain(model, examples, name, 0)
        assert e.meanings
        (meaning,) = e.meanings.values()
        assert _Page(e.page()).isolated == [printable(meaning.removesuffix(", standardised"))]
        assert latex_text(meaning) in e.latex()
        _check_latex(e.latex(), DOCUMENT)
        assert printable(meaning) in e.text()
        _read_svg(e.svg())
    _read_svg(picture(report(model, examples, names[:3]).drawing))


def _called(monkeypatch: pytest.MonkeyPatch, encoding: str, *argv: str) -> bytes:
    """What the command line writes to a standard output of this encoding."""
    written = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
        patch.setattr(sys, "argv", ["chainrule", *argv])
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        assert not ended.value.code
        return written.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
@pytest.mark.parametrize("form", ["text", *FORMATS, "json"])
def test_the_command_line_writes_every_format_whole_in_every_encoding(
    form: str, encoding: str, trained: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = map(str, trained)
    at = list(_csv_labels()).index("hebrew")
    argv = ["explain", model, f"w1.0.{at}", "--data", data, "--example", "0", "--format", form]
    text = _called(monkeypatch, encoding, *argv).decode(encoding)
    e = explain(load_model(model), load_model(model).examples_of(read_table(data)), f"w1.0.{at}", 0)
    match form:
        case "html":
            assert _Page(text).texts == _Page(e.page()).texts
        case "svg":
            assert [part.text for part in _read_svg(text).iter()] == [part.text for part in _read_svg(e.svg()).iter()]
        case "json":
            assert json.loads(text) == json.loads(json_text(e.json(), "utf-8"))
        case "latex":
            _check_latex(text, DOCUMENT)
        case "dot" | "mermaid":
            assert text == (e.dot() if form == "dot" else e.mermaid())
        case _:
            assert text.replace("\n", "").isprintable()


def test_a_process_whose_output_is_ascii_writes_pages_and_pictures_whole() -> None:
    path = str(Path(__file__).parent / "goldens" / "mazur.toml")
    readers: dict[str, Callable[[str], Iterable[str]]] = {
        "html": lambda html: _Page(html).texts,
        "svg": lambda svg: _read_svg(svg).itertext(),
    }
    for form, read in readers.items():
        made = process("explain", path, "w1.0.0", "--format", form, PYTHONIOENCODING="ascii")
        assert made.stdout.isascii()
        assert "σ′" in "".join(read(made.stdout))


# formulas ------------------------------------------------------------------------------------------


@cache
def _of_every_kind(case: str) -> list[Explanation]:
    """Explanations of every kind of target, of every kind of node, of one example and averaged."""
    model, examples = CASES[case]
    L, sizes = model.network.depth, model.network.sizes
    hidden = [f"z{L - 1}.0", f"a{L - 1}.0"] if L > 1 else []
    made: list[Explanation] = []
    for of in ("C", f"a{L}.{sizes[L] - 1}", f"z{L}.0", *hidden):
        targets = ["x.0", "a0.0", "w1.0.0", "b1.0", "z1.0", "a1.0", f"w{L}.0.0", f"b{L}.0", f"z{L}.0", f"a{L}.0"]
        for at, target in enumerate(dict.fromkeys(targets)):
            made.append(explain(model, examples, target, at % len(examples), of=of, depth=L + 1))
            if len(examples) > 1:
                made.append(explain(model, examples, target, of=of))
    return made


@cache
def _formulas() -> set[str]:
    """Every formula that a format asks for, of every kind of network."""
    asked: list[str] = []

    def record(formula: str) -> str:
        asked.append(formula)
        return ""

    def recorded_mathml(formula: str, display: bool = False) -> Element:
        return Element("math", alttext=record(formula))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explanation_html, "mathml", recorded_mathml)
        patch.setattr(explanation_latex, "mathematics", record)
        for case in CASES:
            for e in _of_every_kind(case):
                e.latex()
                e.html()
    for σ in ACTIVATIONS.values():
        asked += [σ.formula, σ.derivative_formula]
    for cost in COSTS.values():
        asked += [cost.formula, cost.dC_da_formula.format(a="a2[j]", y="y[j]")]
    return set(asked)


@pytest.mark.parametrize("case", CASES)
def test_nothing_that_is_printed_lacks_an_ascii_spelling(case: str) -> None:
    for e in _of_every_kind(case):
        assert "?" not in fit_encoding(e.text() + e.equations_text(), "ascii")


def test_every_formula_is_latex_of_known_commands() -> None:
    assert len(_formulas()) > 300
    for formula in _formulas():
        source = latex(formula)
        _check_latex(source, COMMANDS)
        assert source.isascii()
        assert "$" not in source
        assert "%" not in source


def test_every_formula_is_mathml() -> None:
    for formula in _formulas():
        for display in (False, True):
            made = mathml(formula, display)
            assert "&amp;#" not in markup(made)
            root = fromstring(tostring(made))
            assert {part.tag.rpartition("}")[2] for part in root.iter()} <= _MATHML
            content = "".join(root.itertext())
            assert not set(content) & set("\\{}_^$&")
            assert content.count("σ") == formula.count("σ")
            assert content.count("′") == formula.count("′")
            assert root.get("alttext") == formula


@pytest.mark.parametrize(
    ("formula", "spelled"),
    [
        ("σ′(z2[1])", "σ'(z^{(2)}_{1})".replace("σ", r"\sigma ")),
        ("a(l−1)[k]", "a^{(l-1)}_{k}"),
        ("∂C[3]/∂w2[1,0]", r"\frac{\partial C_{3}}{\partial w^{(2)}_{1,0}}"),
        ("Σ_(m≠5) y[m]", r"\sum_{m\ne 5}  y_{m}"),
        ("W2ᵀδ2", r"W^{(2)\top}\delta^{(2)}"),
        ("Σ over layer 2", r"\sum  \;\text{over layer}\; 2"),
        ("Diag(s)·A0", r"\operatorname{Diag}(s)\,A^{(0)}"),
    ],
)
def test_formulas_in_latex(formula: str, spelled: str) -> None:
    assert latex(formula) == spelled


def test_formulas_in_mathml_look_as_in_print() -> None:
    """A prime is not raised twice, a sum has its limits below it, a sign no space after it, a name some around it."""

    def inside(formula: str, display: bool = False) -> str:
        return re.sub(r"</?math[^>]*>", "", markup(mathml(formula, display)).replace(' stretchy="false"', ""))

    assert "<mrow><mi>σ</mi><mi>′</mi></mrow><mo>(</mo>" in inside("σ′(z)")
    assert "<munder><mo>∑</mo><mrow><mi>j</mi></mrow></munder>" in inside("Σ_j a2[j]", display=True)
    assert '<mo>(</mo><mo form="prefix">−</mo><mi>z</mi>' in inside("σ(−z)")
    assert '<mi>y</mi><mspace width="0.167em"></mspace><mi>ln</mi><mspace' in inside("y ln a")
    assert "<mi>⊤</mi>" in inside("W2ᵀδ2")
    assert "<mo>(</mo><mi>l</mi><mo>−</mo><mn>1</mn><mo>)</mo>" in inside("a(l−1)[k]")


def test_a_style_of_a_picture_touches_no_other_picture_of_the_page() -> None:
    """Such as another library's in the same notebook."""
    problem = random_problem(0, (2, 2), "tanh", "squared-error")
    style = _read_svg(explain(*problem, "w1.0.0", 0).svg()).findtext(f"{_SVG}style", "")
    for selector in re.findall(r"[}\n]\s*([^@{}\n]*?) \{", style):
        assert selector.startswith(".drawing ")


def test_text_of_an_element_is_never_markup() -> None:
    for label in LABELS.values():
        page = _Page(markup(element("p", label, title=label)))
        assert page.shape == [("p", [("title", printable(label))]), "p"]
        assert "".join(page.texts) == printable(label)
