"""The verdict on a job: one of a few outcomes, and the sentence that says it."""

from __future__ import annotations

from enum import StrEnum

from relabel.report import numbers
from relabel.report.facts import Facts, Gain


class Outcome(StrEnum):
    """How a job ended."""

    GAIN = "gain"
    """Rows were treated, and the models are surely right more often."""
    PROBABILITIES = "probabilities"
    """Rows were treated, and the probabilities are surely better; how often they are right is the same as far as one sees."""
    NO_GAIN = "no gain"
    """Rows were treated, and no difference is seen."""
    MIXED = "mixed"
    """Rows were treated, and one figure is surely better, another surely worse."""
    WORSE_PROBABILITIES = "worse probabilities"
    """Rows were treated, and the probabilities are surely worse."""
    CONTRADICTED = "contradicted"
    """Rows were treated, and whether that helped depends on how noisy the test labels are."""
    LOSS = "loss"
    """Rows were treated, and the models are surely right less often."""
    NOTHING = "nothing to find"
    """No sign of wrong labels; nothing was changed."""
    AMBIGUOUS = "ambiguous"
    """Labels disagree where rows resemble several classes; nothing was changed."""
    UNCLEAR = "unclear"
    """Whether labels are wrong cannot be told; nothing was changed."""
    KEPT = "kept"
    """Labels are wrong, and nothing was changed, as was asked."""
    UNTRIED = "untried"
    """Labels are wrong, and treatments could not be tried, so none was chosen."""
    NO_EVIDENCE = "no evidence"
    """Labels are wrong, and no treatment that was tried surely helped."""
    WOULD_HURT = "would hurt"
    """Labels are wrong, and every treatment that was tried would hurt."""
    HELD_BACK = "held back"
    """Labels are wrong, and the limits of the policy left all rows as they are."""


OF_KIND = {"none": Outcome.NOTHING, "ambiguous": Outcome.AMBIGUOUS, "unclear": Outcome.UNCLEAR}
OF_CHOICE = {"no_evidence": Outcome.NO_EVIDENCE, "would_hurt": Outcome.WOULD_HURT}


def outcome(facts: Facts) -> Outcome:
    """Say how the job ended."""
    if facts.treated:
        return Outcome.CONTRADICTED if facts.contradicted else _treated(facts.gain, hurts=bool(facts.hurts))
    if facts.kind in OF_KIND:
        return OF_KIND[facts.kind]
    if facts.policy == "keep":
        return Outcome.KEPT
    if facts.outcome == "no_evidence" and not facts.tried:
        return Outcome.UNTRIED
    return OF_CHOICE.get(facts.outcome, Outcome.HELD_BACK)


def headline(facts: Facts) -> str:
    """Say the verdict in one sentence.

    Raises nothing: every outcome has its sentence.
    """
    cleaned = f"Cleaning {numbers.count(facts.treated)} {'label' if facts.treated == 1 else 'labels'}"
    wrong = f"About {numbers.count(facts.expected)} labels are wrong"
    accuracy = f"accuracy {numbers.points(facts.gain.accuracy)}"
    others = [f"{name} {numbers.points(gain)}" for name, gain in facts.hurts.items()]
    if facts.gain.log_loss.below or facts.gain.log_loss.above:
        others.insert(0, f"log loss better by {numbers.gained(facts.gain.log_loss)}")
    said = {
        Outcome.GAIN: f"{cleaned} made the model better: {accuracy}",
        Outcome.PROBABILITIES: f"{cleaned} made the model's probabilities better; it is right about as often as before",
        Outcome.NO_GAIN: f"{cleaned} made no difference that {numbers.count(facts.gain.rows)} test rows can show",
        Outcome.MIXED: f"{cleaned} helped in one way and hurt in another: {', '.join([accuracy, *others])}",
        Outcome.WORSE_PROBABILITIES: f"{cleaned} made the model's probabilities worse: do not use this cleaning",
        Outcome.CONTRADICTED: f"Whether cleaning helped depends on how many test labels are wrong: {accuracy} with their errors undone, "
        f"{numbers.points(facts.plain.accuracy)} without",
        Outcome.LOSS: f"{cleaned} made the model worse: {accuracy}",
        Outcome.NOTHING: "No sign of wrong labels: nothing was changed",
        Outcome.AMBIGUOUS: "Some rows are ambiguous, but no label is plainly wrong: nothing was changed",
        Outcome.UNCLEAR: "Too little evidence to tell whether labels are wrong: nothing was changed",
        Outcome.KEPT: f"{wrong}; nothing was changed, as the policy asks",
        Outcome.UNTRIED: f"{wrong}; nothing was changed, for treatments could not be tried",
        Outcome.NO_EVIDENCE: f"{wrong}, but no treatment surely helped: nothing was changed",
        Outcome.WOULD_HURT: f"{wrong}, but every treatment that was tried would hurt: nothing was changed",
        Outcome.HELD_BACK: f"{wrong}, but the limits of the policy kept them all: nothing was changed",
    }
    return f"{said[outcome(facts)]}."


def _treated(gain: Gain, *, hurts: bool) -> Outcome:
    """Say what a gain is worth; hurts: another figure is surely worse."""
    accuracy, log_loss = gain.accuracy, gain.log_loss
    better, worse = accuracy.above or log_loss.above, accuracy.below or log_loss.below or hurts
    if better and worse:
        return Outcome.MIXED
    if accuracy.above:
        return Outcome.GAIN
    if accuracy.below:
        return Outcome.LOSS
    if log_loss.above:
        return Outcome.PROBABILITIES
    return Outcome.WORSE_PROBABILITIES if worse else Outcome.NO_GAIN
