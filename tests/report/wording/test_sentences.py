"""Promises of the sentences: right in every outcome."""

from __future__ import annotations

import dataclasses
import shlex

import click
import pytest

from relabel.cli.main import commands
from relabel.report.facts import Facts, Gain, Source
from relabel.report.numbers import Interval
from relabel.report.wording import answer, next_steps, verdict
from relabel.report.wording.verdict import Outcome

UP, FLAT, DOWN = Interval(0.01, 0.02, 0.03), Interval(-0.01, 0.0, 0.01), Interval(-0.03, -0.02, -0.01)


def gain(accuracy: Interval, log_loss: Interval = FLAT, basis: str = "plain") -> Gain:
    """Make a gain."""
    return Gain(basis=basis, accuracy=accuracy, log_loss=log_loss, rows=1000)


BASE = Facts(
    rows=900,
    training=1000,
    expected=98.6,
    low=80.2,
    high=120.4,
    kind="class_conditional",
    kind_says="10% are wrong",
    flagged=99,
    precision=0.83,
    policy="auto",
    verdict="More than 45% are flagged; 99 left as they are.",
    plain=gain(FLAT),
    before=0.9,
    after=0.9,
    smallest=0.011,
    served=0.91,
    seeds=5,
    seed_protocol=0.97,
    questions=140,
    open_wrong=110.0,
    first=100,
    first_wrong=90.0,
)
TREATED = dataclasses.replace(BASE, done={"drop": 99}, outcome="treated", best="drop", tried=True)


def treated(accuracy: Interval, log_loss: Interval = FLAT) -> Facts:
    """Make the facts of a treatment that was worth so much."""
    return dataclasses.replace(TREATED, plain=gain(accuracy, log_loss))


CASES = {
    Outcome.GAIN: treated(UP, UP),
    Outcome.PROBABILITIES: treated(FLAT, UP),
    Outcome.NO_GAIN: treated(FLAT, FLAT),
    Outcome.MIXED: treated(UP, DOWN),
    Outcome.WORSE_PROBABILITIES: treated(FLAT, DOWN),
    Outcome.CONTRADICTED: dataclasses.replace(TREATED, plain=gain(DOWN), corrected=gain(UP, basis="corrected")),
    Outcome.LOSS: treated(DOWN, FLAT),
    Outcome.NOTHING: dataclasses.replace(BASE, kind="none", outcome="no_evidence"),
    Outcome.AMBIGUOUS: dataclasses.replace(BASE, kind="ambiguous", outcome="no_evidence"),
    Outcome.UNCLEAR: dataclasses.replace(BASE, kind="unclear", outcome="no_evidence"),
    Outcome.KEPT: dataclasses.replace(BASE, policy="keep"),
    Outcome.UNTRIED: dataclasses.replace(BASE, outcome="no_evidence", why="trials need 3 folds or more"),
    Outcome.NO_EVIDENCE: dataclasses.replace(BASE, outcome="no_evidence", tried=True),
    Outcome.WOULD_HURT: dataclasses.replace(BASE, outcome="would_hurt", tried=True),
    Outcome.HELD_BACK: dataclasses.replace(BASE, policy="drop"),
}
"""Every outcome, and facts that lead to it."""

SAID = {
    Outcome.GAIN: "Cleaning 99 labels made the model better: accuracy +2.0 points (+1.0 to +3.0).",
    Outcome.PROBABILITIES: "Cleaning 99 labels made the model's probabilities better; it is right about as often as before.",
    Outcome.NO_GAIN: "Cleaning 99 labels made no difference that 1,000 test rows can show.",
    Outcome.LOSS: "Cleaning 99 labels made the model worse: accuracy \N{MINUS SIGN}2.0 points (\N{MINUS SIGN}3.0 to \N{MINUS SIGN}1.0).",
    Outcome.NOTHING: "No sign of wrong labels: nothing was changed.",
    Outcome.WOULD_HURT: "About 99 labels are wrong, but every treatment that was tried would hurt: nothing was changed.",
}


@pytest.mark.parametrize("ended", Outcome)
def test_every_outcome_has_its_sentences(ended) -> None:
    """Each outcome is told from its facts, says in the headline whether anything was changed, and has a first step."""
    facts = CASES[ended]
    assert verdict.outcome(facts) is ended
    said = verdict.headline(facts)
    assert said.endswith(".")
    assert ("nothing was changed" in said) == (not facts.treated)
    assert SAID.get(ended, said) == said
    steps = next_steps.steps(facts)
    assert steps
    assert all(step.what and step.why.endswith(".") and "  " not in step.why for step in steps)
    for sentence in (*answer.found(facts), *answer.done(facts), *answer.worth(facts), *answer.sure(facts)):
        assert sentence.endswith(".")
        assert "  " not in sentence
        assert sentence[0].isupper() or sentence[0].isdigit()


@pytest.mark.parametrize("ended", [Outcome.LOSS, Outcome.WORSE_PROBABILITIES])
def test_a_model_that_is_worse_is_not_recommended(ended) -> None:
    """After a loss the first step is the model of the labels as given, and none says to use this one."""
    steps = next_steps.steps(CASES[ended])
    assert steps[0].what == "Do not use the cleaned labels"
    assert "--policy keep" in steps[0].commands[0]
    assert not any(step.what == "Use the model" for step in steps)


def test_a_corrected_gain_is_believed_before_the_plain_one() -> None:
    """Where wrong test labels hide a gain, the headline goes by the corrected figure."""
    facts = dataclasses.replace(TREATED, plain=gain(FLAT), corrected=gain(UP, basis="corrected"))
    assert verdict.outcome(facts) is Outcome.GAIN
    assert len(answer.worth(facts)) == 2


def test_no_gain_is_claimed_where_all_hangs_on_the_rates_of_the_noise() -> None:
    """Where the given labels surely say a loss and undoing their errors surely a gain, people are asked, and the contradiction is said."""
    facts = CASES[Outcome.CONTRADICTED]
    assert "made the model better" not in verdict.headline(facts)
    assert any("says the opposite" in sentence for sentence in answer.sure(facts))
    assert next_steps.steps(facts)[0].what == "Verify test rows"


def test_a_gain_that_costs_another_figure_is_mixed() -> None:
    """More rows right and a class that is hardly found any more are both in the headline."""
    facts = dataclasses.replace(CASES[Outcome.GAIN], hurts={"macro F1": DOWN})
    assert verdict.outcome(facts) is Outcome.MIXED
    assert "macro F1 \N{MINUS SIGN}2.0" in verdict.headline(facts)


def test_a_vague_verified_gain_does_not_stand_in_for_a_sharp_one() -> None:
    """Twenty verified rows that allow anything leave the word to the other figure, and the page says so."""
    vague = Interval(-0.1, 0.01, 0.12)
    facts = dataclasses.replace(TREATED, plain=gain(UP), verified=gain(vague, basis="verified"))
    assert verdict.outcome(facts) is Outcome.GAIN
    assert any("too few to go by" in sentence for sentence in answer.sure(facts))


def test_where_wrong_labels_come_from_is_the_second_thing_to_do() -> None:
    """Where a column of the data tells, its value is named with both shares, whatever the outcome."""
    source = Source(column="annotator", value="eve", rows=700, wrong=0.31)
    for facts in CASES.values():
        step = next_steps.steps(dataclasses.replace(facts, source=source))[1]
        assert step.what == "Look at the labels of annotator “eve”"
        assert "31.0% of the 700 labels" in step.why


def test_a_poor_model_is_said_to_be_poor() -> None:
    """Hardly better than naming the commonest class, it says little of single labels; a good one is not suspected."""
    poor = dataclasses.replace(BASE, right=0.44, commonest=0.4)
    assert any("with care" in sentence for sentence in answer.found(poor))
    good = dataclasses.replace(BASE, right=0.8, commonest=0.5)
    assert not any("with care" in sentence for sentence in answer.found(good))


def test_what_people_verified_is_believed_first() -> None:
    """A verified loss outweighs any other gain."""
    facts = dataclasses.replace(
        TREATED, plain=gain(UP), corrected=gain(UP, basis="corrected"), verified=gain(DOWN, basis="verified")
    )
    assert verdict.outcome(facts) is Outcome.LOSS
    assert any("By test rows that people verified" in sentence for sentence in answer.worth(facts))


def test_a_correction_that_makes_no_sense_is_said_so() -> None:
    """Where undoing the noise gives more than 100%, the plain figure counts and the page says why."""
    facts = dataclasses.replace(treated(UP), overshoots=True)
    assert any("the one to go by" in sentence for sentence in answer.sure(facts))


def test_the_optimistic_figure_stands_beside_the_honest_one() -> None:
    """Both are said with why one of them is optimistic; where there is none, nothing is."""
    said = " ".join(answer.optimistic(BASE))
    assert "97.0%" in said
    assert "91.0%" in said
    assert "optimistic" in said
    assert answer.optimistic(dataclasses.replace(BASE, seed_protocol=None)) == []


def test_asking_people_is_not_recommended_where_it_finds_nothing() -> None:
    """Where the first questions hold less than one wrong label, the page says so and gives no command."""
    facts = dataclasses.replace(CASES[Outcome.NOTHING], first_wrong=0.4)
    [step] = [step for step in next_steps.steps(facts) if "review" in step.what.lower()]
    assert "hardly worth it" in step.what
    assert not step.commands
    assert not any("review" in step.what.lower() for step in next_steps.steps(dataclasses.replace(facts, questions=0)))


def test_an_answer_about_more_labels_is_given_where_it_was_asked() -> None:
    """The outlook's own answer replaces the command that asks for it."""
    facts = dataclasses.replace(
        CASES[Outcome.UNCLEAR], worth_more="more", more_or_cleaner="More labels: they are worth it."
    )
    step = next_steps.steps(facts)[0]
    assert (step.what, step.why, step.commands) == (
        "Get more labels, rather than cleaner ones",
        "They are worth it.",
        (),
    )


@pytest.mark.parametrize("ended", Outcome)
def test_one_label_is_one_label(ended) -> None:
    """Numbers of one are said in the singular."""
    facts = dataclasses.replace(CASES[ended], flagged=1, questions=1, first=1, seeds=1)
    facts = dataclasses.replace(facts, done={"drop": 1}) if facts.treated else facts
    said = " ".join([verdict.headline(facts), *answer.found(facts), *answer.done(facts), *answer.sure(facts)])
    assert "1 labels " not in f" {said}".replace("99 labels", "")
    assert " 1 rows" not in said
    assert " 1 are flagged" not in said
    assert "1 training runs" not in said


@pytest.mark.parametrize("ended", Outcome)
def test_every_command_that_is_named_exists(ended) -> None:
    """The commands of all steps are commands of relabel, with options that they have."""
    for facts in (CASES[ended], dataclasses.replace(CASES[ended], worth_more="more", more_or_cleaner="More: yes.")):
        for line in (line for step in next_steps.steps(facts) for line in step.commands):
            _, *words = shlex.split(line)
            found: click.Command = commands
            context = click.Context(commands)
            while isinstance(found, click.Group):
                found = found.get_command(context, words.pop(0))
                assert found is not None, line
            assert {word for word in words if word.startswith("--")} <= {
                option for parameter in found.params for option in parameter.opts
            }, line
