"""Promises of the CSV reader."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.data.formats import csv as csv_format
from relabel.data.formats.csv import read
from relabel.errors import UserError


def parsed(path, data: bytes, wanted=("review", "label")) -> dict[str, list[str]]:
    """Write the bytes, read the wanted columns."""
    path.write_bytes(data)
    return {name: column.tolist() for name, column in read(path, wanted).values.items()}


def refused(path, data: bytes) -> str:
    """Write the bytes, read them in vain, give the message."""
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read(path, ("review", "label"))
    return str(caught.value)


@pytest.fixture
def path(tmp_path):
    """Give a place for one file."""
    return tmp_path / "a.csv"


def test_texts_stay_as_they_are(path) -> None:
    """Quotes, commas, newlines, accents, and words that mean "missing" elsewhere are texts like others."""
    texts = [
        "NA",
        "null",
        "NaN",
        "",
        "None",
        'say "hi"',
        "a,b",
        "two\nlines",
        "two\r\nlines",
        "né ☃",
        " spaces ",
        "#N/A",
        "007",
        "true",
    ]
    written = io.StringIO()
    csv.writer(written).writerows([["review", "label"], *([text, "1"] for text in texts)])
    assert parsed(path, written.getvalue().encode()) == {"review": texts, "label": ["1"] * len(texts)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), st.integers(0, 9)),
        min_size=1,
    )
)
def test_any_text_survives(path, rows) -> None:
    """What the standard library writes is read back, whatever the texts are."""
    written = io.StringIO()
    csv.writer(written).writerows([["review", "label"], *rows])
    assert parsed(path, written.getvalue().encode()) == {
        "review": [t for t, _ in rows],
        "label": [str(n) for _, n in rows],
    }


def test_a_byte_order_mark_is_no_part_of_a_name(path) -> None:
    """Files of spreadsheet programs begin with one."""
    assert parsed(path, "\ufeffreview,label\na,1\n".encode()) == {"review": ["a"], "label": ["1"]}


def test_only_wanted_columns_are_read(path) -> None:
    """Other columns are named in the header and not read; wanted ones that are missing are left away."""
    path.write_bytes(b"x,label,y\n1,2,3\n")
    table = read(path, ("review", "label"))
    assert (table.rows, table.header, list(table.values)) == (1, ("x", "label", "y"), ["label"])


def test_rows_are_counted_without_wanted_columns(path) -> None:
    """A file without any wanted column still tells its number of rows."""
    path.write_bytes(b"x,y\n1,2\n3,4\n")
    assert read(path, ("label",)).rows == 2


def test_undecodable_bytes_are_located(path) -> None:
    """The message has the byte, its offset and its line, and no text."""
    message = refused(path, b"review,label\nfirst,1\nsec\xffond,0\n")
    assert "0xff at offset 24 (line 3)" in message
    assert "ond" not in message
    assert "UTF-16" in refused(path, "review,label\na,1\n".encode("utf-16"))


def test_torn_rows_are_located(path) -> None:
    """Rows with more or fewer values than the header are counted and named by number, never quoted."""
    message = refused(path, b"review,label\nsecret,1\nsecret\nsecret,0\nsecret,1,1\n")
    assert "header's 2 in 2 rows (1, 3, counted from 0)" in message
    assert "secret" not in message


def test_a_quote_that_never_ends_is_found(path, monkeypatch) -> None:
    """A missing quote, which swallows the rest of the file, is a problem however long that rest is."""
    monkeypatch.setattr(csv_format, "BLOCK", 1 << 12)
    assert "close every quote" in refused(path, b'review,label\na,1\n"b,0\nc,1\n')
    assert "never closed" in refused(path, b'review,label\na,1\n"b,0\n' + b"0123456789,1\n" * 2000)


def test_a_column_given_twice_is_refused(path) -> None:
    """Two label columns are not guessed between."""
    assert "`label` is there more than once" in refused(path, b"review,label,label\na,1,0\n")
    assert "`review` is there more than once" in refused(path, b"review,review,label\na,b,0\n")


def test_a_file_without_any_line_has_no_header(path) -> None:
    """An empty file is a problem, one with its header alone has no rows."""
    assert "header" in refused(path, b"")
    assert "no rows" in refused(path, b"review,label")
    path.write_bytes(b"review,label\n")
    assert read(path, ("label",)).rows == 0
