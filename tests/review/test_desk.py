"""Promises of the desk: who is asked what, and what comes of the answers."""

from relabel.data.examples import Split
from relabel.data.reviews import Answer
from relabel.review.desk import BATCH, Person

ANN, BOB = Person("ann", "w1"), Person("bob", "w2")


def test_two_people_are_asked_different_questions(seat) -> None:
    """Also one person in two windows; and a window asks ahead of what it has."""
    desk = seat()
    (first, why), (other, _) = desk.next(ANN), desk.next(BOB)
    assert why == "conflict"
    assert len({first, other, desk.next(Person("ann", "w3"))[0], desk.next(ANN, [first])[0]}) == 4
    assert desk.next(ANN)[0] == first, "asked again without an answer, it is the same"


def test_a_question_whose_holder_has_gone_is_asked_of_another(seat) -> None:
    """A lease ends by itself."""
    clock = [0.0]
    desk = seat(clock)
    first, _ = desk.next(ANN)
    clock.append(1000.0)
    assert desk.next(BOB)[0] == first


def test_everything_is_asked_once_and_skips_come_last(seat, decide) -> None:
    """The skipped one goes to others at once, and to its person when nothing else is left."""
    desk = seat(random_share=0.3)
    skipped, _ = desk.next(ANN)
    decide(desk, skipped, "ann", None)
    assert desk.next(BOB)[0] == skipped
    desk.hold([], BOB)
    asked = []
    while (found := desk.next(ANN)) is not None and found[0] != skipped:
        asked.append(found[0])
        decide(desk, found[0], "ann", "1", found[1])
    assert len(asked) == len(set(asked)) == len(desk.questions) - 1
    assert found[0] == skipped
    decide(desk, skipped, "ann", "0")
    assert desk.next(ANN) is None
    assert desk.progress().open == 0


def test_the_drawn_ones_are_among_them(seat) -> None:
    """A share of each batch is drawn by chance, and says so to whoever measures."""
    desk = seat(random_share=0.2)
    seen: list[int] = []
    why = []
    while (found := desk.next(ANN, seen)) is not None:
        seen.append(found[0])
        why.append(found[1])
    assert len(seen) < BATCH
    assert why.count("random") == round(0.2 * len(seen))


def test_several_people_answer_each_question_where_that_is_wished(seat, decide) -> None:
    """It is asked until so many have answered; a dispute is asked of one who has not."""
    desk = seat(people=2)
    first, _ = desk.next(ANN)
    decide(desk, first, "ann", "0")
    assert desk.next(ANN)[0] != first
    assert desk.next(BOB)[0] == first
    decide(desk, first, "bob", "1")
    assert desk.progress().disputed == 1
    assert desk.next(Person("cleo", "w4")) == (first, "disputed")
    decide(desk, first, "cleo", "1", "disputed")
    assert desk.next(Person("dora", "w5"))[0] != first
    assert desk.progress().disputed == 0


def test_undo_opens_the_question_and_what_held_before_holds_again(seat, decide) -> None:
    """Of two answers of a person the later one holds, until it is taken back."""
    desk = seat()
    first, _ = desk.next(ANN)
    decide(desk, first, "ann", "0")
    later = decide(desk, first, "ann", "1")
    assert desk.verdicts()[first].answer == "1"
    assert desk.withdraw(later.id, BOB) is None
    desk.withdraw(later.id, ANN)
    assert desk.verdicts()[first].answer == "0"
    desk.withdraw(later.id - 1, ANN)
    assert first not in desk.verdicts()
    assert not desk.people()
    assert desk.next(ANN)[0] == first


def test_a_desk_opened_anew_is_as_it_was(seat, decide) -> None:
    """Answers, skips, undos: all from the file; and two open desks hear of each other."""
    desk, beside = seat(), seat()
    for answer in ("0", "1", None, "neither"):
        question, why = desk.next(ANN)
        decide(desk, question, "ann", answer, why)
    desk.withdraw(desk.decisions("ann")[-1].id, ANN)
    again = seat()
    assert again.verdicts() == desk.verdicts()
    assert again.skipped("ann") == desk.skipped("ann")
    assert again.decisions("ann") == desk.decisions("ann")
    assert again.progress() == desk.progress() == beside.progress()


def test_answers_given_elsewhere_are_not_asked_again(seat) -> None:
    """And count in the progress; only the splits that are wished are asked."""
    known = seat().questions
    earlier = [Answer(row_hash=known.row_hash[known.shown[0]], answer="1", reviewer="eve", time="2026-01-01")]
    desk = seat(earlier=earlier, splits=(Split.TRAIN,))
    seen: list[int] = []
    while (found := desk.next(ANN, seen)) is not None:
        seen.append(found[0])
    assert 0 not in seen
    assert {desk.questions.split_name(one) for one in seen} == {"train"}
    assert desk.people() == {"eve": 1}
