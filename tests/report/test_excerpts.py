"""Texts that are shown in part."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from relabel.report import excerpts


@given(text=st.text(max_size=80), most=st.integers(1, 60))
def test_a_cut_text_begins_the_whole_one_and_counts_the_rest(text, most) -> None:
    """What is kept stands at the beginning of the text, and kept and left out make the whole."""
    kept, left_out = excerpts.cut(text, most)
    if len(text) <= most:
        assert (kept, left_out) == (text, 0)
    else:
        assert kept.endswith("…")
        assert text.startswith(kept[:-1])
        assert len(kept) - 1 + left_out == len(text)
        assert len(kept) - 1 <= most


def test_a_joined_picture_is_not_left_open() -> None:
    """No cut ends in the sign that joins two pictures, which would join the dots to the last one."""
    assert excerpts.cut("👩\u200d👩\u200d👧 family", 2) == ("👩…", 11)


@given(texts=st.lists(st.text(max_size=50), max_size=20))
def test_texts_take_no_more_than_the_budget(texts) -> None:
    """Written into a page, texts at the chosen length take at most the budget, unless the shortest is too long already."""
    cuts, budget = (40, 20, 10, 5), 400
    most = excerpts.longest(texts, cuts, budget)
    shorts = [excerpts.cut(text, most)[0] for text in texts]
    if most != cuts[-1]:
        page = [
            json.dumps(text, ensure_ascii=False)[1:-1].replace("<", r"\u003c").replace("&", r"\u0026")
            for text in shorts
        ]
        assert sum(len(text.encode(errors="replace")) for text in page) <= budget
