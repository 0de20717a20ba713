"""Promises of the table of media types, and of the choice of the answer's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.codecs import table
from relabel.codecs.table import CSV, JSON, JSON_LINES, NPY


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("application/json", JSON),
        ("Application/JSON", JSON),
        (" application/json ; charset=utf-8", JSON),
        ("", JSON),
        ("text/csv; header=present", CSV),
        ("application/jsonlines", JSON_LINES),
        ("application/x-ndjson", JSON_LINES),
        ("application/x-npy", NPY),
        ("text/html", None),
        ("application/jsonx", None),
        ("json", None),
    ],
)
def test_a_request_s_type_is_found_however_it_is_said(said, meant) -> None:
    """Case and parameters do not matter, nothing said is JSON, and an unknown type is not guessed at."""
    assert table.of_request(said) == meant


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", CSV),
        ("*/*", CSV),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("text/html, application/json;q=0.1", JSON),
        ("application/json;q=0.2, application/x-npy;q=0.9", NPY),
        ("application/*", JSON),
        ("text/*;q=0.1, application/x-npy", NPY),
        ("application/x-ndjson", JSON_LINES),
        ("text/csv;q=0, application/json", JSON),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", CSV),
        ("*", CSV),
        ("application/json; q=.2, application/x-npy;q=.1", JSON),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
def test_an_answer_s_type_follows_what_is_asked(accept, chosen) -> None:
    """By quality and by wildcard; where anything would do, the default."""
    assert table.of_response(accept, CSV) == chosen


@given(st.text(max_size=60), st.sampled_from(list(table.CODECS)))
def test_any_header_is_understood_or_not_but_never_a_failure(text, default) -> None:
    """Headers come from anywhere."""
    assert table.of_request(text) in {*table.CODECS, None}
    assert table.of_response(text, default) in {*table.CODECS, None}
