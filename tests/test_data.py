"""Every kind of file becomes the table that it holds, and messages name the line where something stands."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chainrule import ChainruleError, Settings, Table, compare, find_lr, read_table, train
from chainrule.data import csv_file
from chainrule.data import table as table_module
from chainrule.errors import DataError, InputError
from chainrule.model.encoding import Target
from chainrule.model.model import Examples
from chainrule.training.train import plan

WriteCsv = Callable[..., Path]


@pytest.fixture
def csv(tmp_path: Path) -> WriteCsv:
    """Write a CSV file from its text, or its bytes."""

    def write(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def through_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every CSV file for a large one."""
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(csv_file, "_LARGE", 0)


def _contents(table: Table) -> dict[str, list[Any]]:
    """Each column as it would be used: numbers where it holds numbers, texts where it holds texts."""
    return {name: table.texts(name) if table.is_text(name) else table.numbers(name).tolist() for name in table.columns}


# CSV -----------------------------------------------------------------------------------------------

PLAIN = "a,b,c\n1,x,2.5\n2,y,-3e2\n"
WANTED = {"a": [1.0, 2.0], "b": ["x", "y"], "c": [2.5, -300.0]}

SPELLINGS = {
    "commas": PLAIN,
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "Windows line ends": PLAIN.replace("\n", "\r\n"),
    "no line end at the end": PLAIN.rstrip(),
    "a byte order mark": "\ufeff" + PLAIN,
    "quotes": '"a","b","c"\n"1","x","2.5"\n"2","y","-3e2"\n',
    "spaces around names": " a , b ,c\n1,x,2.5\n2,y,-3e2\n",
    "blank lines": "a,b,c\n1,x,2.5\n\n2,y,-3e2\n\n",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_csv_file_is_the_same_table(csv: WriteCsv, spelling: str) -> None:
    assert _contents(read_table(csv(SPELLINGS[spelling]))) == WANTED


@pytest.mark.usefixtures("through_pyarrow")
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_large_csv_file_is_the_same_table(csv: WriteCsv, spelling: str) -> None:
    assert _contents(read_table(csv(SPELLINGS[spelling]))) == WANTED


QUOTED = [
    ('"price, net",b\n1,2\n', {"price, net": [1.0], "b": [2.0]}),
    ('"say ""x""",b\n1,2\n', {'say "x"': [1.0], "b": [2.0]}),
    ('a,b\n1,"two, three"\n2,"four\nfive"\n', {"a": [1.0, 2.0], "b": ["two, three", "four\nfive"]}),
    ('"two\nlines",b\n1,2\n', {"two\nlines": [1.0], "b": [2.0]}),
    ('größe,b\n1,"näh, ""so"""\n', {"größe": [1.0], "b": ['näh, "so"']}),
]


@pytest.mark.parametrize(("content", "wanted"), QUOTED)
def test_quoted_cells_may_hold_separators_quotes_and_line_ends(
    csv: WriteCsv, content: str, wanted: dict[str, Any]
) -> None:
    assert _contents(read_table(csv(content))) == wanted


@pytest.mark.usefixtures("through_pyarrow")
@pytest.mark.parametrize(("content", "wanted"), QUOTED)
def test_quoted_cells_of_a_large_csv_file_are_read_alike(csv: WriteCsv, content: str, wanted: dict[str, Any]) -> None:
    assert _contents(read_table(csv(content))) == wanted


@pytest.mark.usefixtures("through_pyarrow")
def test_what_looks_like_no_number_stays_text_in_a_large_csv_file(csv: WriteCsv) -> None:
    table = read_table(csv("flag,day,all\ntrue,2024-01-01,1\nFALSE,2024-01-02,\n"))
    assert table.texts("flag") == ["true", "FALSE"]
    assert table.texts("day") == ["2024-01-01", "2024-01-02"]
    assert not table.is_text("all")


MISSING = sorted(table_module.MISSING)


@pytest.mark.parametrize("spelling", MISSING)
def test_a_missing_number_is_refused_by_its_line_in_the_file(csv: WriteCsv, spelling: str) -> None:
    table = read_table(csv(f"a,b\n1,2\n\n3,{spelling}\n5,{spelling}\n"))
    with pytest.raises(ChainruleError, match="row 4, column 'b': the value is missing, the first of 2"):
        table.numbers("b")


@pytest.mark.usefixtures("through_pyarrow")
@pytest.mark.parametrize("spelling", MISSING)
def test_a_missing_number_is_missing_in_a_large_csv_file_too(csv: WriteCsv, spelling: str) -> None:
    table = read_table(csv(f"a,b\n1,2\n3,{spelling}\n5,{spelling}\n"))
    with pytest.raises(ChainruleError, match="row 3, column 'b': the value is missing, the first of 2"):
        table.numbers("b")


@pytest.fixture(params=["the plain reader", "pyarrow"])
def either_reader(request: pytest.FixtureRequest) -> None:
    """Read CSV files by each of the two readers."""
    if request.param == "pyarrow":
        request.getfixturevalue("through_pyarrow")


def test_what_is_missing_is_what_pandas_takes_for_it(csv: WriteCsv) -> None:
    pandas: Any = pytest.importorskip("pandas")
    texts = [
        "",
        "?",
        "-",
        " x",
        "no",
        "None ",
        *(f(text) for text in MISSING if text for f in (str, str.lower, str.upper)),
    ]
    path = csv("a,b\n" + "".join(f"{text},x\n" for text in texts))
    frame = pandas.read_csv(path, dtype={"a": str})
    missing = [text for text, none in zip(texts, frame.a.isna(), strict=True) if none]
    assert [text for text in texts if table_module.is_missing(text)] == [*missing[:1], "None ", *missing[1:]]
    assert "none" not in missing


@pytest.mark.usefixtures("either_reader")
def test_a_text_none_is_a_value(csv: WriteCsv) -> None:
    assert read_table(csv("job,n\nnone,1\nclerk,2\nNone of these,3\n?,4\n")).missing_rows("job") == []


@pytest.mark.usefixtures("either_reader")
@pytest.mark.parametrize("column", ["n", "t"])
def test_what_was_taken_for_missing_is_told(csv: WriteCsv, tmp_path: Path, column: str) -> None:
    csv("n,t\n1,x\n\n2,y\n", "1.csv")
    path = csv("n,t\n1,x\n\nNULL,#N/A\n,\n", "2.csv")
    taken = {"n": "NULL", "t": "#N/A"}[column]
    for table in (read_table(path), read_table(tmp_path)):
        read = table.numbers if column == "n" else table.texts
        with pytest.raises(
            ChainruleError, match=rf"row 4, .*first of 2 in this column \('{taken}' stands for that\)\. Fill"
        ):
            read(column)


@pytest.mark.usefixtures("either_reader")
def test_whole_numbers_can_be_classes_as_they_are_written(csv: WriteCsv) -> None:
    table = read_table(csv("code,flag,k,x\n01,1.0,3,1.50\n10,0.0,4,2\n01,,NA,nan\n"))
    assert table.texts("code") == ["01", "10", "01"]
    assert table.numbers("code").tolist() == [1, 10, 1]
    assert table.columns["flag"] == ["1.0", "0.0", ""]
    assert [table.missing_rows(name) for name in ("code", "flag", "k", "x")] == [[], [2], [2], [2]]


def test_columns_of_texts_are_parsed_once(csv: WriteCsv, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[list[str]] = []
    really: Any = vars(table_module)["_parse"]

    def parse(column: list[str]) -> Any:
        parsed.append(column)
        return really(column)

    monkeypatch.setattr(table_module, "_parse", parse)
    table = read_table(csv("a,b,y\n" + "1,x,0\n2,y,1\n3,x,0\n" * 5)).without(["a"])
    plan(table, Settings(target=("y",)))
    assert len(parsed) == 2


@pytest.mark.usefixtures("either_reader")
def test_many_rows_are_all_read(csv: WriteCsv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "_AT_ONCE", 3)
    table = read_table(csv("a,b\n" + "".join(f"{k},t{k}\n" for k in range(10))))
    assert table.numbers("a").tolist() == list(range(10))
    assert table.texts("b") == [f"t{k}" for k in range(10)]
    assert table.where(9) == "row 11"


def test_text_among_numbers_is_refused_by_its_line_in_the_file(csv: WriteCsv) -> None:
    table = read_table(csv('a,b\n1,"one\ntwo"\n2,x\ntwo,y\n3,z\n'))
    with pytest.raises(ChainruleError, match="row 5, column 'a': 'two' is text in a column of numbers"):
        table.numbers("a")


def test_a_row_of_another_length_is_refused_by_its_line_in_the_file(csv: WriteCsv) -> None:
    with pytest.raises(ChainruleError, match="row 4: 3 cells, but the header has 2"):
        read_table(csv("a,b\n1,2\n\n1,2,3\n"))


@pytest.mark.usefixtures("through_pyarrow")
def test_a_large_csv_files_lines_are_named_as_well(csv: WriteCsv) -> None:
    with pytest.raises(ChainruleError, match="row 4: 3 cells, but the header has 2"):
        read_table(csv("a,b\n1,2\n\n1,2,3\n"))
    table = read_table(csv('a,b\n1,"one\ntwo"\n\n2,x\ntwo,y\n3,z\n'))
    with pytest.raises(ChainruleError, match="row 6, column 'a': 'two' is text in a column of numbers"):
        table.numbers("a")


def test_numbers_may_have_spaces_around_them(csv: WriteCsv) -> None:
    assert read_table(csv("a,b\n 1 ,2\n\t3,4\n")).numbers("a").tolist() == [1, 3]


def test_numbers_keep_every_bit(csv: WriteCsv) -> None:
    values = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    table = read_table(csv("a\n" + "\n".join(map(repr, values.tolist()))))
    assert table.numbers("a").tobytes() == values.tobytes()


@pytest.mark.usefixtures("through_pyarrow")
def test_numbers_of_a_large_csv_file_keep_every_bit(csv: WriteCsv) -> None:
    values = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    table = read_table(csv("a\n" + "\n".join(map(repr, values.tolist()))))
    assert table.numbers("a").tobytes() == values.tobytes()


# npz -----------------------------------------------------------------------------------------------


def _npz(path: Path, **arrays: NDArray[Any]) -> Table:
    np.savez(path / "arrays.npz", **arrays)  # pyright: ignore[reportArgumentType]
    return read_table(path / "arrays.npz")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, np.bool_])
def test_arrays_of_any_numbers_become_columns(tmp_path: Path, dtype: type[np.generic]) -> None:
    X = np.array([[1, 0], [0, 1], [1, 1]], dtype)
    table = _npz(tmp_path, X=X, y=np.array([1, 0, 1], dtype))
    assert list(table.columns) == ["x0", "x1", "y"]
    assert table.target == ("y",)
    assert table.numbers("x0").tolist() == [1, 0, 1]
    assert table.numbers("y").tolist() == [1, 0, 1]


def test_targets_may_be_texts_or_several_or_none(tmp_path: Path) -> None:
    X = np.zeros((2, 1))
    assert _npz(tmp_path, X=X, y=np.array(["cat", "dog"])).texts("y") == ["cat", "dog"]
    several = _npz(tmp_path, X=X, y=np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert several.target == ("y0", "y1")
    assert several.numbers("y1").tolist() == [2, 4]
    assert _npz(tmp_path, X=X).target == ()


def test_rows_of_arrays_count_from_0(tmp_path: Path) -> None:
    table = _npz(tmp_path, X=np.array([[1.0], [np.nan]]))
    with pytest.raises(ChainruleError, match="row 1, column 'x0'"):
        table.numbers("x0")


# Parquet -------------------------------------------------------------------------------------------


def test_parquet_columns_of_every_kind_are_read(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow")
    pq: Any = pytest.importorskip("pyarrow.parquet")
    columns = {
        "float": pa.array([1.5, -2.0]),
        "int": pa.array([1, 2], pa.int8()),
        "bool": pa.array([True, False]),
        "text": pa.array(["x", "y"]),
        "category": pa.array(["u", "v"]).dictionary_encode(),
        "decimal": pa.array([Decimal("1.25"), Decimal("-0.50")]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert _contents(read_table(tmp_path / "t.parquet")) == {
        "float": [1.5, -2.0],
        "int": [1, 2],
        "bool": [1, 0],
        "text": ["x", "y"],
        "category": ["u", "v"],
        "decimal": [1.25, -0.5],
    }


def test_parquet_nulls_are_missing_values(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow")
    pq: Any = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"n": [1, None], "t": ["x", None]}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    for read, name in ((table.numbers, "n"), (table.texts, "t")):
        with pytest.raises(ChainruleError, match=f"row 1, column '{name}': the value is missing"):
            read(name)


def test_a_parquet_column_without_numbers_can_be_dropped(tmp_path: Path) -> None:
    pa: Any = pytest.importorskip("pyarrow")
    pq: Any = pytest.importorskip("pyarrow.parquet")
    rows = range(30)
    days = pa.array([date(2024, 1, 1 + day) for day in rows])
    pq.write_table(pa.table({"day": days, "x": [*rows], "y": ["a", "b"] * 15}), tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    with pytest.raises(ChainruleError, match=r"column 'day' holds 30 different texts; .* --drop 'day'"):
        plan(table, Settings(target=("y",)))
    assert plan(table, Settings(target=("y",), dropped=("day",))).model.network.sizes[0] == 1


# folders -------------------------------------------------------------------------------------------


def test_a_folder_is_one_table_in_the_order_of_its_names(csv: WriteCsv, tmp_path: Path) -> None:
    csv("a,b\n3,z\n", "2.csv")
    csv("b,a\nx,1\ny,2\n", "1.csv")
    (tmp_path / "readme.txt").write_text("not data")
    assert _contents(read_table(tmp_path)) == {"b": ["x", "y", "z"], "a": [1, 2, 3]}


def test_a_row_of_a_folder_is_named_by_its_file_and_line(csv: WriteCsv, tmp_path: Path) -> None:
    csv("a\n1\n2\n", "1.csv")
    csv("a\n3\n\nfour\n", "2.csv")
    with pytest.raises(ChainruleError, match=r"2\.csv row 4, column 'a': 'four' is text"):
        read_table(tmp_path).numbers("a")


def test_a_folder_of_different_tables_is_refused(csv: WriteCsv, tmp_path: Path) -> None:
    csv("a,b\n1,2\n", "1.csv")
    csv("a,c\n1,2\n", "2.csv")
    with pytest.raises(ChainruleError, match=r"its columns differ from .*1\.csv's in 'b', 'c'"):
        read_table(tmp_path)


# bundled data --------------------------------------------------------------------------------------


def test_the_bundled_digits_are_those_of_scikit_learn() -> None:
    datasets: Any = pytest.importorskip("sklearn.datasets", reason="scikit-learn has the original digits")
    bunch = datasets.load_digits()
    table = read_table("digits")
    X = np.stack([table.numbers(f"pixel{k}") for k in range(64)], axis=1)
    assert X.tolist() == bunch.data.tolist()
    assert table.texts("digit") == [str(y) for y in bunch.target.tolist()]
    assert table.target == ("digit",)


@pytest.mark.parametrize(("name", "sizes"), [("iris", (4, 3)), ("wine", (13, 3)), ("breast-cancer", (30, 1))])
def test_scikit_learns_data_sets_come_with_their_names(name: str, sizes: tuple[int, int]) -> None:
    pytest.importorskip("sklearn")
    model = plan(read_table(name), Settings(hidden=())).model
    assert model.network.sizes == sizes
    assert model.target is not None
    assert model.target.classes is not None
    assert not model.target.classes[0].isdigit()
    assert model.inputs is not None
    assert not any(name.startswith("x0") for name in model.inputs.names)


# classes or numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["b", "a", "b"], ("a", "b")),
        (["10", "9", "10"], ("9", "10")),
        (np.array([2.0, 0.0, 1.0]), ("0", "1", "2")),
        (np.array([2.5, 0.0, 1.0]), None),
        (np.arange(20.0), tuple(str(k) for k in range(20))),
        (np.arange(21.0), None),
        (["1.5", "2", "3"], None),
        (["1", "NA", "x", "y"], ...),
    ],
)
def test_a_target_is_taken_for_what_its_values_are(values: Any, classes: Any) -> None:
    table = Table("table", {"y": values})
    everything = np.arange(table.n_rows)
    if classes is ...:
        with pytest.raises(ChainruleError, match="row 1, column 'y': the value is missing"):
            Target.learn(table, ["y"], "auto", everything, standardise=False)
    else:
        assert Target.learn(table, ["y"], "auto", everything, standardise=False).classes == classes


@pytest.mark.parametrize(("task", "classes"), [("numbers", None), ("classes", ("0", "1"))])
def test_a_task_that_is_named_is_the_task(task: str, classes: Any) -> None:
    table = Table("table", {"y": np.array([0.0, 1.0, 1.0])})
    assert Target.learn(table, ["y"], task, np.arange(3), standardise=False).classes == classes


def test_a_table_of_ones_own_takes_lists_and_arrays() -> None:
    table = Table("mine", {"n": [1, 2.5], "t": ["a", "b"], "b": np.array([True, False])})  # pyright: ignore[reportArgumentType]
    assert table.numbers("n").tolist() == [1, 2.5]
    assert table.texts("t") == ["a", "b"]
    assert table.numbers("b").tolist() == [1, 0]
    assert repr(table) == "Table('mine', 2 rows, 3 columns)"


# DataFrames ----------------------------------------------------------------------------------------


@pytest.fixture
def frame() -> Any:
    """A DataFrame with a column of every kind, each with a missing value where its kind can have one."""
    pd: Any = pytest.importorskip("pandas")
    return pd.DataFrame(
        {
            "float": [1.5, 2, None],
            "int": [1, 2, 3],
            "Int64": pd.array([1, None, 3], dtype="Int64"),
            "objects": np.array(["a", "b", None], dtype=object),
            "numbers as objects": np.array([1, None, Decimal("2.5")], dtype=object),
            "mixed": np.array([1, "a", "b"], dtype=object),
            "string": pd.array(["x", pd.NA, "y"], dtype="string"),
            "category": pd.Categorical(["u", "v", None]),
            "numbers as categories": pd.Categorical([1, 2, 1]),
            "bool": [True, False, True],
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "none": ["none", "None", "NA"],
            "nothing": [None, None, None],
        }
    )


@pytest.mark.usefixtures("either_reader")
def test_a_data_frame_is_the_table_of_its_csv_file(frame: Any, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "t.csv", index=False)
    written = read_table(tmp_path / "t.csv")
    for table in (Table("frame", frame), Table("series", {name: frame[name] for name in frame})):
        assert list(table.columns) == list(written.columns)
        for name in table.columns:
            assert table.is_text(name) == written.is_text(name), name
            assert table.missing_rows(name) == written.missing_rows(name), name
            known = [row for row in range(3) if row not in table.missing_rows(name)]
            cells = [[t.columns[name][row] for row in known] for t in (table, written)]
            assert cells[0] == cells[1] or [float(x) for x in cells[0]] == [float(x) for x in cells[1]], name


def test_a_model_is_trained_on_a_data_frame() -> None:
    pd: Any = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {"x": [1.0, 2, 3] * 4, "flag": [True, False, True] * 4, "y": pd.Categorical(["a", "b", "a"] * 4)}
    )
    made = plan(Table("frame", frame), Settings(target=("y",))).model
    assert made.inputs is not None
    assert made.inputs.names == ["x", "flag=False", "flag=True"]
    assert made.target is not None
    assert made.target.classes == ("a", "b")


def test_columns_of_a_data_frame_that_hold_no_numbers_are_texts(frame: Any) -> None:
    frame["day"] = np.array(["2024-01-01", "2024-01-02", "NaT"], "M8[D]")
    frame["list"] = [[1], [2, 3], None]
    frame[7] = [1.0, 2.0, 3.0]
    table = Table("frame", frame)
    assert table.columns["list"] == ["[1]", "[2, 3]", ""]
    assert table.missing_rows("day") == [2]
    assert table.numbers("7").tolist() == [1, 2, 3]


def test_a_data_frame_with_a_name_twice_is_refused() -> None:
    pd: Any = pytest.importorskip("pandas")
    with pytest.raises(DataError, match="frame: two columns are called 'a'; rename one"):
        Table("frame", pd.DataFrame([[1, 2]], columns=["a", "a"]))


@pytest.mark.usefixtures("through_pyarrow")
def test_classes_are_called_alike_by_both_readers(csv: WriteCsv, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of a folder may be read by either, and half steps are classes too."""
    text = "x,y\n" + "".join(f"{i / 7},{(i % 10) / 2}\n" for i in range(50))
    large = read_table(csv(text))
    monkeypatch.setattr(csv_file, "_LARGE", 10**9)
    small = read_table(csv(text, "small.csv"))
    assert large.texts("y") == small.texts("y") == [str((i % 10) / 2) for i in range(50)]


def test_no_rows_are_nothing_to_learn_from(frame: Any) -> None:
    with pytest.raises(DataError, match=r"^table: no rows; there is nothing to learn from$"):
        train(frame.iloc[:0], Settings(target=(str(frame.columns[0]),)))


def test_a_data_frame_is_taken_where_a_table_is_wanted(frame: Any) -> None:
    assert table_module.as_table(frame).columns.keys() == set(frame.columns)
    table = Table("frame", frame)
    assert table_module.as_table(table) is table
    for other in ("good.csv", np.ones((3, 2)), {"x": [1.0]}):
        with pytest.raises(InputError, match=r"^data: .+ is not a Table, as read_table gives it, or a DataFrame$"):
            table_module.as_table(other, "data")


def test_training_and_reading_take_data_frames() -> None:
    pd: Any = pytest.importorskip("pandas")
    x = np.linspace(-1, 1, 60)
    frame = pd.DataFrame({"x": x, "kind": np.where(x > 0, "up", "down")})
    settings = Settings(target=("kind",), hidden=(4,), epochs=3)
    trained = train(frame, replace(settings, validation=frame.iloc[::4]))
    assert trained.n_validation == 15
    assert trained.model.predict(frame[["x"]]) == trained.model.predict(Table("t", {"x": x}))
    assert len(trained.model.examples_of(frame)) == 60
    assert compare(frame, settings, lr=[0.1, 0.01]).source == "table"
    assert find_lr(frame, settings, steps=20).text() == find_lr(Table("table", frame), settings, steps=20).text()


def test_examples_are_shown_by_their_shapes() -> None:
    assert repr(Examples(np.zeros((3, 4)), np.zeros((3, 1)))) == "Examples(a0 (3, 4), Y (3, 1))"
    assert repr(Examples(np.zeros((3, 4)), np.zeros((3, 1)), np.ones(3))).endswith(", Y (3, 1), weights (3,))")


@pytest.mark.parametrize("column", [np.zeros((2, 2)), np.zeros(2, complex), [[1], [2, 3]], None])
def test_a_table_refuses_what_is_no_column(column: object) -> None:
    with pytest.raises(DataError, match="column 'c'"):
        Table("mine", {"c": column})  # pyright: ignore[reportArgumentType]


def test_a_table_refuses_columns_of_different_lengths() -> None:
    with pytest.raises(DataError, match="3 rows, others have 2"):
        Table("mine", {"a": ["x", "y"], "b": np.zeros(3)})
