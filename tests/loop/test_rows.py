"""Promises of rows on the disk."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.loop import rows

TEXTS = st.text(st.sampled_from("ab ,;\"'\n\r\t\x00\u2028é\ufeff="), max_size=6)


def strings(*values: str) -> np.ndarray:
    """Make a column."""
    return np.array(values, np.object_)


@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_whatever_a_client_sends_is_read_back_as_it_was(tmp_path_factory, texts) -> None:
    """Line ends of every kind, quotes, bytes of zero."""
    path = tmp_path_factory.mktemp("rows") / "pool.csv"
    made = rows.made(strings(*texts), strings(*texts), None)
    rows.write(path, made)
    found = rows.read(path)
    assert found.texts.tolist() == found.id.tolist() == texts
    assert found.hash.tolist() == made.hash.tolist()
