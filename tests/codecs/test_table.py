"""Promises of the table of media types."""

import pytest

from relabel.codecs import json, table


@pytest.mark.parametrize("said", ["application/json", "Application/JSON", " application/json ; charset=utf-8", ""])
def test_json_is_found_however_it_is_said(said) -> None:
    """Case and parameters do not matter, and nothing said means JSON."""
    assert table.find(said) is json


@pytest.mark.parametrize("said", ["text/html", "application/jsonx", "json"])
def test_other_types_have_no_codec(said) -> None:
    """An unknown type is not guessed at."""
    assert table.find(said) is None
