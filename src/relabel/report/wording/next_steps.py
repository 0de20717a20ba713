"""What to do next, the most useful first, with the command that does it."""

from __future__ import annotations

from dataclasses import dataclass

from relabel.report import numbers
from relabel.report.facts import Facts
from relabel.report.wording.verdict import Outcome, outcome

FEW = 1.0
"""Expected wrong labels among the first questions below which asking people is not the first thing to do."""


WORTH_MORE = {
    "more": "Get more labels, rather than cleaner ones",
    "cleaner": "Get cleaner labels, rather than more",
    "cannot tell": "More labels or cleaner ones: it cannot be told which is worth more",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: what, why, and the commands, where out/ is the job's output and my-data its data."""

    what: str
    why: str
    commands: tuple[str, ...] = ()


def steps(facts: Facts) -> list[Step]:
    """Say what to do next; every outcome has its steps, and the first is the one to take."""
    review, outlook = _review(facts), _outlook(facts)
    of: dict[Outcome, list[Step]] = {
        Outcome.GAIN: [_use("It was trained on the cleaned labels and is surely better for it."), *review],
        Outcome.PROBABILITIES: [
            _use("Its probabilities are surely better than those of the labels as given."),
            *review,
        ],
        Outcome.NO_GAIN: [*review, _more_test_rows(facts), outlook],
        Outcome.MIXED: [_decide(), *review, outlook],
        Outcome.CONTRADICTED: [_verify(), *review, outlook],
        Outcome.WORSE_PROBABILITIES: [_without(), *review, outlook],
        Outcome.LOSS: [_without(), *review, outlook],
        Outcome.NOTHING: [_use("There is nothing in the labels to wait for."), outlook, *review],
        Outcome.AMBIGUOUS: [_use("There is nothing in the labels to wait for."), outlook, *review],
        Outcome.UNCLEAR: [outlook, *review],
        Outcome.KEPT: [*review, _auto(), outlook],
        Outcome.UNTRIED: [_more_folds(facts), *review, outlook],
        Outcome.NO_EVIDENCE: [*review, outlook],
        Outcome.WOULD_HURT: [*review, outlook],
        Outcome.HELD_BACK: [*review, outlook],
    }
    first, *others = of[outcome(facts)]
    return [first, *_source(facts), *others]


def _source(facts: Facts) -> list[Step]:
    """Look where wrong labels come from, where the data tell."""
    source = facts.source
    if source is None:
        return []
    usual = facts.expected / max(1, facts.training)
    return [
        Step(
            f"Look at the labels of {source.column} “{source.value}”",
            f"{numbers.percent(source.wrong)} of the {numbers.count(source.rows)} labels are expected to be wrong there, against "
            f"{numbers.percent(usual)} of all, and models are surely right less often on them.",
        )
    ]


def _use(why: str) -> Step:
    return Step("Use the model", why, ("relabel serve --model out/model",))


def _without() -> Step:
    return Step(
        "Do not use the cleaned labels",
        "The labels as given make the better model; this trains it again, without changing a label.",
        ("relabel train --data my-data --output given --policy keep",),
    )


def _decide() -> Step:
    return Step(
        "Decide which of the two models you need",
        "One is right more often, the other is more often as sure as it should be. This trains the one of the labels as given.",
        ("relabel train --data my-data --output given --policy keep",),
    )


def _auto() -> Step:
    return Step(
        "Let treatments be tried",
        "The policy `auto` takes the best of them, or none where the evidence is lacking.",
        ("relabel train --data my-data --output again --policy auto",),
    )


def _more_folds(facts: Facts) -> Step:
    return Step(
        "Let treatments be tried",
        f"{facts.why[:1].upper()}{facts.why[1:]}.",
        ("relabel train --data my-data --output again --folds 5",),
    )


def _review(facts: Facts) -> list[Step]:
    """Ask people about the doubtful labels, where any are left to ask about."""
    if not facts.questions:
        return []
    all_, first = numbers.count(facts.questions), numbers.count(facts.first)
    if facts.first_wrong < FEW:
        few = f"Of the first {first} about {numbers.decimal(facts.first_wrong, 1)} should be wrong."
        return [Step(f"Reviewing the {all_} flagged labels is hardly worth it", few)]
    part = facts.first < facts.questions
    why = (
        f"About {numbers.count(facts.open_wrong)} of the {all_} should turn out wrong"
        f"{f', and {numbers.count(facts.first_wrong)} of the first {first}' if part else ''}. "
        "The next job trusts what people answer, and it tells how good the flags are. The first command opens a page for it, "
        "the second makes a spreadsheet."
    )
    return [
        Step(
            f"Let people look at the {f'first {first} of ' if part else ''}{all_} flagged labels",
            why,
            (
                "relabel review serve out/output/data",
                f"relabel review export out/output/data --output queue.csv --count {facts.first}",
            ),
        )
    ]


VERIFY = ("relabel review serve out/output/data --splits test --random-share 0.8 --blind",)


def _verify() -> Step:
    return Step(
        "Verify test rows",
        "The labels as given and those with their errors undone say the opposite, and the rates of these errors are not known exactly. Some hundred "
        "test rows that people looked at can decide it.",
        VERIFY,
    )


def _more_test_rows(facts: Facts) -> Step:
    smallest = numbers.decimal(100 * facts.smallest, 1)
    return Step(
        "Verify test rows, so that a smaller gain can be seen",
        f"{numbers.count(facts.plain.rows)} test rows cannot tell a gain below {smallest} points from none. Labels that people verified say more.",
        VERIFY,
    )


def _outlook(facts: Facts) -> Step:
    """Say whether more labels or cleaner ones are worth more, or how to find out."""
    if facts.more_or_cleaner:
        _, _, why = facts.more_or_cleaner.partition(": ")
        return Step(WORTH_MORE.get(facts.worth_more, "More labels or cleaner labels"), why[:1].upper() + why[1:])
    return Step(
        "Find out whether more labels or cleaner labels are worth more",
        "It fits models on parts of the rows, and on checked ones; this report then says the answer.",
        ("relabel curve my-data --results out/output/data",),
    )
