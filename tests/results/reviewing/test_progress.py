"""Promises of the status of a review, on rows whose errors are known."""

import numpy as np
import pytest

from relabel.data.reviews import Answer, settled, verdicts
from relabel.results.reviewing import progress, questions, queue


def review(asked, truth, drawn) -> dict:
    """Answer every question of a queue rightly."""
    return {
        question: settled(
            [Answer(row_hash="", answer=truth[question], why=why, given=str(asked.given[asked.shown[question]]))]
        )
        for question, why in zip(drawn.question.tolist(), drawn.why, strict=True)
    }


def simulated(size, made, *, rng, times=1.0) -> tuple[questions.Questions, np.ndarray]:
    """Make rows whose labels are wrong with `times` the posterior's probability; the likely ones are flagged."""
    wrong = rng.beta(0.15, 2.0, size)
    rows = [(f"t{n}", "0", "1", p, p > 0.5, "train", "train/a.csv", n) for n, p in enumerate(wrong)]
    truth = np.where(rng.random(size) < np.minimum(wrong * times, 1), "1", "0")
    return questions.gathered(made(rows), ("0", "1"), "d"), truth


def test_counts_say_what_people_answered(asked, imported) -> None:
    """Wrong, right, neither and disputed; duplicates count among the errors."""
    found = verdicts(imported("label_studio.json").answers, asked.of_hash())
    told = progress.measured(asked, np.ones(6, bool), found, least=0.05, asked=6)
    assert (told.asked, told.answered) == (6, 4)
    assert (told.wrong, told.right, told.neither, told.disputed) == (2, 0, 1, 1)
    assert told.errors == 2
    assert told.precision.value == 1.0
    assert told.expected_precision == pytest.approx((0.97 + 0.9) / 2)
    assert told.recall is None
    assert told.open == 3, "the disputed one and two without an answer"
    assert told.next[10] == pytest.approx(1.0 + 0.03 + 0.05)


def test_a_duplicate_that_is_put_right_counts(asked, imported) -> None:
    """The shown row was right or wrong, and the errors are those of all its copies."""
    found = verdicts(imported("output.manifest").answers, asked.of_hash())
    told = progress.measured(asked, np.ones(6, bool), found, least=0.05)
    assert (told.wrong, told.right, told.neither, told.errors) == (3, 0, 1, 3)


def test_recall_and_remaining_errors_are_near_the_truth(made) -> None:
    """Over many reviews the estimates are right in the mean, and most intervals hold the truth."""
    rng = np.random.default_rng(0)
    shares, held, left_held = [], 0, 0
    for seed in range(60):
        asked, truth = simulated(1500, made, rng=rng)
        everyone = np.ones(len(asked), bool)
        drawn = queue.drawn(asked, everyone, {}, count=300, random_share=0.5, seed=seed)
        found = review(asked, truth, drawn)
        told = progress.measured(asked, everyone, found, least=0.05)
        wrong = truth == "1"
        real = wrong[asked.flagged].sum() / wrong.sum()
        shares.append(told.recall.value - real)
        held += told.recall.low <= real <= told.recall.high
        answered = np.isin(np.arange(len(asked)), [*found])
        left_held += told.remaining.low <= wrong[~answered].sum() <= told.remaining.high
    assert abs(np.mean(shares)) < 0.03
    assert held >= 54
    assert left_held >= 54


def test_expectations_follow_what_was_found(made) -> None:
    """Where half of what the posterior expects is found, the rest is halved, and it says so."""
    asked, truth = simulated(4000, made, rng=np.random.default_rng(1), times=0.5)
    everyone = np.ones(len(asked), bool)
    flagged = int(asked.flagged.sum())
    drawn = queue.drawn(asked, everyone, {}, count=flagged // 2, random_share=0, seed=0)
    told = progress.measured(asked, everyone, review(asked, truth, drawn), least=0.05)
    assert told.flagged.answers == flagged // 2
    assert told.flagged.factor == pytest.approx(0.5, abs=0.12)
    assert told.unflagged.factor == 1, "nothing was drawn there"
    untouched = progress.measured(asked, everyone, {}, least=0.05)
    assert untouched.flagged.factor == 1
    assert untouched.next[10] > told.next[10] * 1.5


def test_the_stopping_estimate_counts_what_is_worth_the_work(made) -> None:
    """Questions from the least value on, and what stays beyond them."""
    asked, _ = simulated(500, made, rng=np.random.default_rng(2))
    told = progress.measured(asked, np.ones(500, bool), {}, least=0.1)
    worth = asked.wrong >= 0.1
    assert told.until_stop == worth.sum()
    assert told.remaining_then == pytest.approx(asked.wrong[~worth].sum())
    assert told.remaining.value == pytest.approx(asked.wrong.sum())
    assert told.next[100] == pytest.approx(np.sort(asked.wrong)[::-1][:100].sum())


def test_rows_reviewed_before_the_audit_count_as_found_and_no_more(made) -> None:
    """Their label is the answer by now: what it was then tells whether it was wrong."""
    rows = [(f"t{n}", "1", "1", 0.0, False, "train", "train/a.csv", n) for n in range(3)]
    asked = questions.gathered(made(rows, reviewed=[True, True, False]), ("0", "1"), "d")
    found = {n: settled([Answer(row_hash="", answer="1", given=given)]) for n, given in enumerate("01")}
    told = progress.measured(asked, np.ones(3, bool), found, least=0.05)
    assert (told.wrong, told.right, told.errors, told.open) == (1, 1, 1, 1)
    assert told.precision is None
