"""Tables as spreadsheets write them: what is read, what is refused, and that no row is lost."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import reader
from conftest import ROOT
from tf1.app import UserError


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Reads a text as a series: the values, a list."""
    monkeypatch.chdir(tmp_path)

    def read_text(text, column=None, encoding=None, **arguments):
        (tmp_path / "series.csv").write_bytes(text.encode(encoding or "utf-8"))
        return reader.read_series("series.csv", column, encoding, **arguments).tolist()

    return read_text


WAVE = (1000 + 900 * np.sin(np.arange(60) / 3)).round(2)


def written(value, mark, group):
    return f"{value:,.2f}".translate(str.maketrans({",": group, ".": mark}))


@pytest.mark.parametrize("end", ["\n", "\r\n", ";\n"])
@pytest.mark.parametrize("mark, group", [(".", ""), (",", ""), (".", ","), (",", "."), (",", "\u202f"), (".", "'")])
@pytest.mark.parametrize("separator", ["\t", ";", ",", "  ", None])
def test_whatever_is_written_is_read(read, capsys, separator, mark, group, end):
    """Separators, decimals, thousands and ends of lines: the same values, whatever their combination."""
    end = end.replace(";", (separator or "").strip(" "))
    quote = '"' if "," in (separator or ",") and "," in (mark, group) else ""
    rows = [("day", "price in EUR", "name")] + [(n, written(value, mark, group), "x") for n, value in enumerate(WAVE)]
    if separator is None:
        lines = [f"{quote}{row[1]}{quote}" for row in rows[1:]]
        assert read(end.join(lines) + end) == read(end.join(["price in EUR", *lines])) == WAVE.tolist()
        return
    if separator == "  ":
        rows = [[str(cell).replace(" ", "_") for cell in row] for row in rows]
    lines = [f"{row[0]}{separator}{quote}{row[1]}{quote}{separator}{row[2]}{end}" for row in rows]
    name = rows[0][1]
    assert read("".join(lines), name) == read("".join(lines), "2") == read("".join(lines[1:]), "2") == WAVE.tolist()
    words = {"\t": "tabs", ";": "semicolons", ",": "commas", "  ": "blanks"}[separator]
    output = capsys.readouterr().out
    assert f"column '{name}', separated by {words}" in output
    assert f"column 2, without a header, separated by {words}" in output
    assert (", decimal commas" in output) == (mark == ",")
    assert (", thousands as in 1" in output) == bool(group)


@pytest.mark.parametrize(
    "text, column, values",
    [
        ("price\n1\n2\n", None, [1, 2]),
        ("price in EUR\n1,5\n2,25\n", None, [1.5, 2.25]),
        ("price;\n1,5;\n2,25;\n", None, [1.5, 2.25]),
        ('"price, in EUR"\n1\n2\n', None, [1, 2]),
        ("-0,5\n1,25\n3\n1e-1\n", None, [-0.5, 1.25, 3, 0.1]),
        ("1,5 2,5\n3,5 4,5\n", "2", [2.5, 4.5]),
        ("0,5\n1,7\n2,3\n", "2", [5, 7, 3]),
        ('a , "b, c" ,d\n1, 2 ,3\n4,"5",6\n', "b, c", [2, 5]),
        ("a, b ,c\n1,2,3\n", '"b"', [2]),
        ('"say ""x""";b\n1;2\n', 'say "x"', [1]),
        ("x,x\n1,2\n3,4\n", "2", [2, 4]),
        ("day,2,1\na,5,6\n", "2", [5]),  # a column of the name 2
        ("day,2,1\n2020,5,6\n", "3", [6]),
        ("day,2019,2020\n2020-01-01,5,6\n", "2020", [6]),
        ("day,2019\n2020-01-01,5\n2020-01-02,6\n", "2", [5, 6]),
        ("2020-01-01,5\n2020-01-02,6\n", "2", [5, 6]),
        ("2020-01-01 00:00,5.5\n2020-01-01 01:00,6\n", "2", [5.5, 6]),
        ("date time value\n2020-01-01 00:00 5,5\n2020-01-01 01:00 6,5\n", "value", [5.5, 6.5]),
        ("2019 sales\n2\n3\n", "2019 sales", [2, 3]),
        ("sep=;\na;b\n1;2,5\n2;3,5\n", "b", [2.5, 3.5]),
        ("\n\n1\n2\n\n\n", None, [1, 2]),
        ("a,b\n1,2\n3,4\n,,\n,,\n", "a", [1, 3]),  # rows without values at the end
        ("a,b,c\n1,2\n3,4,5\n", "b", [2, 4]),  # Excel drops separators at the end
        ("1.050\n2.100\n", None, [1.05, 2.1]),
        ("5.\n.5\n+1E+3\n", None, [5, 0.5, 1000]),
        ("1.050,13\n2.000\n3,5\n", None, [1050.13, 2000, 3.5]),
    ],
)
def test_tables_of_people(read, text, column, values):
    assert read(text, column) == values


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "utf-16-le", "cp1252"])
def test_encodings(read, encoding):
    assert read("größe;b\n1,5;2\n2,5;3\n", "größe", encoding) == [1.5, 2.5]


@pytest.mark.parametrize(
    "text, column, message",
    [
        ("2019_00\n2019_01\n", None, "has '2019_00' in line 1, which is not a number"),
        ("1\n2019_01\n", None, "has '2019_01' in line 2, which is not a number"),
        ("a,b\n1,１２\n", "b", "has '１２' in line 2, which is not a number"),
        ("12..5\n2\n", None, "has '12..5' in line 1, which is not a number: a header that begins with a digit needs"),
        ("1|2\n3|4\n", None, "has '1|2' in line 1"),
        ("1\n2;3\n", None, "has '2;3' in line 2, which is not a number, and by the first lines semicolons separate no"),
        ("1.5\n1,5\n", None, "has '1,5' in line 2, and '1.5' in line 1: write all with points, or all with commas"),
        ("1,5\n1.5\n", None, "has '1.5' in line 2, and '1,5' in line 1"),
        ("9\n1,050\n2,100\n", None, "has 1,050 in line 2: is it 1050 or 1.05? Nothing in its column says so: give"),
        ("1.050\n2.100\n1,5\n", None, "has 1.050 in line 1: is it 1.05 or 1050?"),
        ("1,050\n2.100\n", None, "has 1,050 in line 1: is it 1050 or 1.05?"),
        ('a,b\n1,"1,050"\n', "b", "has 1,050 in line 2: is it 1050 or 1.05?"),
        ('a,b\n1,"1,05,000.5"\n', "b", "has '1,05,000.5' in line 2, which is not a number"),
        ('a,b\n1,"0,050.5"\n', "b", "has '0,050.5' in line 2, which is not a number"),
        ("0,5\n1,7\n2,3\n", None, "'0,5' and '1,7', which may be numbers with decimal commas, or two columns"),
        ("20200101,15\n20200131,17\n20200201,18\n", None, "which may be numbers with decimal commas, or two columns"),
        ("100000,5\n100001,6\n100002,7\n", None, "which may be numbers with decimal commas, or two columns"),
        ("2000,15\n2002,17\n2004,18\n", None, "which may be numbers with decimal commas, or two columns"),
        ("2004,15\n2003,17\n2002,18\n", None, "which may be numbers with decimal commas, or two columns"),
        ("12,15\n14,17\n13,18\n", "1", "give --decimal=comma, or --column=2, or the file a header"),
        ("a\tb\n1\t2\n", None, "has the columns a, b, separated by tabs: choose one with --column=NAME or its number"),
        ("a b\n1 2\n", "c", "--column=c: series.csv has the columns a, b, separated by blanks"),
        ("a;b\n1;2\n", "3", "--column=3: series.csv has the columns a, b, separated by semicolons"),
        ("a;b\n1;2;3\n", "3", "--column=3: series.csv has the columns a, b, separated by semicolons"),
        ("a;b\n1;2\n", "0", "--column=0: "),
        ("a;b\n1;2\n", "９", "--column=９: "),
        (",a\n1,2\n", "", "--column=: series.csv has the columns , a"),  # of an unset variable
        (
            "x,x\n1,2\n",
            "x",
            "--column=x: series.csv has the columns x, x, separated by commas: choose by number, 1 or 2",
        ),
        ("3,2,1\n4,5,6\n", "2", "names or values? Give the file a header with words"),
        ("a,b\n1,2,3\n", "b", "has 3 columns in line 2, 2 in line 1, separated by commas"),
        ("a,b\n1,1,050.13\n", "b", "has 3 columns in line 2, 2 in line 1"),
        ("", "c", "--column=c: series.csv is empty"),
        ("1\n-inf\n", None, "has -inf in line 2: a series has finite numbers only"),
        ("1\n1e999\n", None, "has 1e999 in line 2: a series has finite numbers only"),
        ("a;b\n1;1,5e200\n", "b", "has 1,5e200 in line 2: rescale the series"),
        ("1\n2\0\n", None, "has a NUL character"),
        ("1\n" + "1" * 70000, None, "has more than 65536 characters in line 2"),
    ],
)
def test_what_is_refused(read, text, column, message):
    with pytest.raises(UserError) as error:
        read(text, column)
    assert message in str(error.value)


def test_a_line_of_any_length_is_met_wherever_blocks_end(read, monkeypatch):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 7)
    values = [12345.678, -2.5, 1, 1e-7] * 20
    assert read("".join(f"{value!r}\n" for value in values)) == values
    monkeypatch.setattr(reader, "_SERIES_LINE", 20)
    assert read("1" * 20 + "\n2\n") == [float("1" * 20), 2]
    with pytest.raises(UserError, match="has more than 20 characters in line 3"):
        read("1\n2\n" + "1" * 21 + "\n2\n")


@pytest.mark.parametrize("place", ["first", "second"])
@pytest.mark.parametrize("header", [True, False])
def test_a_quote_that_does_not_close_is_named_by_its_line(read, header, place):
    """What a lenient parser takes for one cell of many lines would lose them."""
    rows = [f"{n},{n}.5" for n in range(120)]
    if header:
        rows[0] = "day,price"
    damaged = list(rows)
    for line in (4, 61):
        cells = damaged[line - 1].split(",")
        cells[place == "second"] = '"' + cells[place == "second"]
        damaged[line - 1] = ",".join(cells)
    with pytest.raises(UserError, match="has a quote in line 4 that opens there and does not close"):
        read("\n".join(damaged), "2")
    for line in (5, 61, 120):
        with pytest.raises(UserError, match=f"has a quote in line {line} that opens there"):
            read("\n".join([*rows[: line - 1], '"' + rows[line - 1], *rows[line:]]), "2")
    assert len(read("\n".join(rows), "2")) == 120 - header
    rows[60] += '"'
    with pytest.raises(UserError, match="in line 61, which is not a number"):
        read("\n".join(rows), "2")


MARKS = ["", "nan", "NaN", "null", "NULL", "?", "NA", "N/A", "-", "#N/A", "None", '""', " "]


@pytest.mark.parametrize("mark", MARKS)
def test_missing_values(read, capsys, mark):
    text = f"day;price\n1;1,5\n2;{mark}\n3;{mark}\n4;4,5\n5;{mark}\n6;1\n"
    cell = repr(mark) if mark.strip('" ') else "an empty field"
    with pytest.raises(UserError) as error:
        read(text, "price")
    assert f"has {cell} in line 3, a missing value (3 in all): fill or cut gaps first, or let --miss" in str(
        error.value
    )
    assert read(text, "price", missing="interpolate") == [1.5, 2.5, 3.5, 4.5, 2.75, 1]
    assert "series.csv: 3 missing values are interpolated, the first in line 3\n" in capsys.readouterr().out
    for lines, end in itertools.product(([mark or "?", "2", "3"], ["2", "3", mark or "?"]), ("", "\n")):
        with pytest.raises(UserError, match=r"(begins|ends) with a missing value, in line [24]"):
            read("\n".join(f"x;{line}" for line in ["price", *lines]) + end, "2", missing="interpolate")


def test_an_empty_line_is_an_empty_field(read):
    assert read("1\n\n3\n", missing="interpolate") == [1, 2, 3]
    with pytest.raises(UserError, match="has an empty field in line 2"):
        read("1\n\n3\n")


@pytest.mark.parametrize("decimal, values", [("point", [1050, 2100]), ("comma", [1.05, 2.1])])
def test_the_user_says_how_decimals_are_written(read, decimal, values):
    assert read("1,050\n2,100\n", decimal=decimal) == values
    assert read('a,b\n1,"1,050"\n2,"2,100"\n', "b", decimal=decimal) == values
    assert read("0,5\n1,7\n2,3\n", decimal="comma") == [0.5, 1.7, 2.3]
    with pytest.raises(UserError, match="'2.5' in line 2, which is not a number"):
        read("1,5\n2.5\n", decimal="comma")


def test_of_a_wide_table_one_column_is_kept(tmp_path):
    """600,000 rows x 8: the numbers of a column are 5 MB."""
    path = tmp_path / "wide.csv"
    path.write_text("a,b,c,d,e,f,g,h\n" + "".join(f"{n}.25,b,c,d,e,f,g,{n}.5\n" for n in range(600_000)))
    code = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
import reader
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
values = reader.read_series({str(path)!r}, "h")
assert values.tolist()[::1000] == [n + 0.5 for n in range(0, 600_000, 1000)] and len(values) == 600_000
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(output.split()[-1]) < 80  # MiB; 39 as it is, 432 with all cells
