"""Promises of changing one cell of a CSV text."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from relabel.data.formats import records

PIECES = ["a", " ", ",", '"', "\n", "\r\n", "\u2028", "é"]  # a lone "\r" the csv module writes without quotes
VALUES = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), min_size=1, max_size=6)
)
STYLES = st.tuples(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]))


def written(table, style) -> str:
    """Write a table with a header `0,1,...`."""
    out = io.StringIO(newline="")
    quoting, end = style
    writer = csv.writer(out, quoting=quoting, lineterminator=end)
    writer.writerows([[str(n) for n in range(len(table[0]))], *table])
    return out.getvalue()


@given(TABLES, STYLES, st.booleans())
def test_the_pieces_are_the_text_and_the_values_those_of_the_csv_module(table, style, marked) -> None:
    """Nothing is lost in dividing, and every cell means what Python's own reader says."""
    text = "\ufeff" * marked + written(table, style)
    found = records.split(text)
    assert found.head + "".join(found.rows) == text
    assert found.header == tuple(str(n) for n in range(len(table[0])))
    for n, name in enumerate(found.header):
        assert found.values(name) == [row[n] for row in table]


@given(TABLES, STYLES, VALUES, st.data())
def test_one_cell_changes_and_no_other(table, style, value, data) -> None:
    """After a replacement the reader sees the new value there and the old ones elsewhere; the line end is the same."""
    n = data.draw(st.integers(0, len(table) - 1))
    place = data.draw(st.integers(0, len(table[0]) - 1))
    found = records.split(written(table, style))
    rows = [*found.rows]
    rows[n] = records.replaced(rows[n], place, value)
    assert records.newline(rows[n]) == style[1]
    read = list(csv.reader(io.StringIO(found.head + "".join(rows), newline="")))[1:]
    expected = [[*row] for row in table]
    expected[n][place] = value
    assert read == expected


def test_a_new_record_is_quoted_as_its_neighbour() -> None:
    """Strings are quoted where the neighbour's are, numbers are not, and a column that is not given is empty."""
    made = records.like(
        '"a","b",3,x\r\n', ("text", "label", "row", "note"), {"text": 'no "c"', "label": "1", "row": "7"}
    )
    assert made == '"no ""c""","1",7,\r\n'


def test_blank_lines_belong_to_the_record_before() -> None:
    """They are kept, and are no records: readers pass over them."""
    found = records.split("a,b\n1,2\n\n\n3,4")
    assert found.rows == ("1,2\n\n\n", "3,4")
    assert records.ended(found.rows[1], "\n") == "3,4\n"
