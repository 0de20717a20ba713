"""Promises of what a card says."""

from relabel.review import cards
from relabel.review.material import Words


def test_a_text_s_pieces_together_are_the_text(seat, hostile) -> None:
    """Whatever signs are in it, none is lost, changed or made into markup."""
    desk = seat()
    for words in (None, Words("1", (("script", 2.0), ("\u05e9\u05dc\u05d5\u05dd", 1.0), ("amp", -1.0)))):
        pieces = cards.marked(hostile, words)
        assert "".join(piece for piece, _ in pieces) == hostile
    assert [sign for _, sign in pieces if sign] == [1, 1, 1, -1]
    row = desk.questions.text.tolist().index(hostile)
    card = cards.card(desk.material, int(desk.questions.question[row]), "worst")
    assert card["text"] == [[hostile, 0]]


def test_the_words_behind_the_doubt_are_marked_where_they_stand(seat) -> None:
    """Whole words in any case, several words at once, stems where the model reads stems; weak ones are left alone."""
    words = Words("1", (("not good", 2.0), ("good", -1.9), ("a", 0.1)))
    assert cards.marked("A goodness, Not  good. Good!", words) == [
        ["A goodness, ", 0],
        ["Not  good", 1],
        [". ", 0],
        ["Good", -1],
        ["!", 0],
    ]
    assert cards.marked("lovingly", Words("1", (("lov", 1.0),), whole=False)) == [["lovingly", 1]]
    desk = seat()
    card = cards.card(desk.material, int(desk.questions.question[5]), "worst")
    assert card["text"] == [["review 5 of the ", 0], ["lovely", 1], [" ", 0], ["soap", -1]]
    assert card["words"] == {
        "label": "0",
        "chips": [{"word": "lovely", "weight": 2.0}, {"word": "soap", "weight": -1.0}],
    }


def test_a_card_tells_what_an_answer_settles_and_what_stands_nearby(seat) -> None:
    """Duplicates with their labels; neighbours, nearest first, with what they carry."""
    desk = seat()
    conflict = cards.card(desk.material, 0, "conflict")
    assert (conflict["rows"], conflict["labels"]) == (
        2,
        [{"name": "0", "rows": 1}, {"name": "1", "rows": 1}],
    )
    assert conflict["neighbours"] is None
    near = cards.card(desk.material, int(desk.questions.question[5]), "worst")["neighbours"]
    assert [one["says"] for one in near["rows"]] == ["suggested", "given", "suggested"]
    assert (near["of"], near["given"], near["suggested"]) == (3, 1, 2)


def test_a_blind_card_says_nothing_that_could_lead(seat) -> None:
    """No label, doubt, reason, word or neighbour is in it, not even unseen."""
    desk = seat()
    card = cards.card(desk.material, int(desk.questions.question[5]), "worst", blind=True)
    assert set(card) == {"id", "split", "number", "rows", "blind", "text"}
    assert card["text"] == [["review 5 of the lovely soap", 0]]


def test_posteriors_have_words() -> None:
    """From almost certainly wrong to probably right."""
    assert [cards.doubt(share) for share in (1.0, 0.85, 0.5, 0.3, 0.0)] == [words for _, words in cards.DOUBTS]


def test_an_excerpt_is_one_short_line() -> None:
    """Cut between words, or within one that is too long."""
    assert cards.excerpt("a\n b") == "a b"
    assert cards.excerpt("word " * 100).endswith("word…")
    assert len(cards.excerpt("x" * 500)) == cards.LONGEST + 1
    assert cards.excerpt(None) == ""
