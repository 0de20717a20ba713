"""The answer: what was found, what was done, what it was worth."""

from __future__ import annotations

from relabel.report import numbers
from relabel.report.facts import Facts, Gain
from relabel.report.wording.verdict import Outcome, outcome

DONE = {
    "drop": "left out of training",
    "flip": "trained on with the suggested label",
    "weight": "given less weight in training, the less the more they are doubted",
    "soft": "trained on with soft labels, which share a row between the classes it may be of",
}
POLICIES = {
    "auto": "`auto`, which tries the treatments and takes the best only where the evidence is clear",
    "keep": "`keep`, which changes nothing",
    "drop": "`drop`",
    "weight": "`weight`",
    "soft": "`soft`",
    "flip": "`flip`",
}
KINDS = {
    "class_conditional": "They are wrong at rates that depend on the class: such errors can be found and treated.",
    "ambiguous": "Rows resemble several classes. Whether their labels are wrong, nobody can tell from them.",
    "none": "That is no more than any model gets wrong.",
    "unclear": "There are too few rows, or the model is too poor, to tell that from none.",
}
BASIS = {
    "verified": "by test rows that people verified",
    "corrected": "corrected for wrong labels among the test rows",
    "plain": "on the test labels as given",
}


def found(facts: Facts) -> list[str]:
    """Say what was found: how many labels are expected to be wrong, how sure that is, and what kind of noise it is."""
    share = (facts.low / facts.rows, facts.high / facts.rows) if facts.rows else (0.0, 0.0)
    sure = f"With 95% confidence it is {numbers.between((facts.low, facts.high))}, or {numbers.within(share)}."
    said = [f"{sure} {KINDS[facts.kind]}"]
    if facts.flagged and facts.precision is not None:
        said.append(
            f"{numbers.count(facts.flagged)} {'is' if facts.flagged == 1 else 'are'} flagged to be looked at; about "
            f"{numbers.percent(facts.precision, 0)} of these should turn out wrong."
        )
    if facts.poor and facts.right is not None:
        said.append(
            f"Take it with care: the model is right on only {numbers.percent(facts.right)} of these rows, {numbers.percent(facts.commonest)} have "
            "the commonest label, so it says little of single labels."
        )
    if facts.reviewed:
        said.append(f"{numbers.count(facts.reviewed)} rows were decided by people beforehand; they are not doubted.")
    return said


def done(facts: Facts) -> list[str]:
    """Say what was done, under which policy, and why; or why nothing was."""
    said = [
        f"{_rows(rows)} of {numbers.count(facts.training)} in training {'was' if rows == 1 else 'were'} {DONE[name]}."
        for name, rows in facts.done.items()
    ] or ["The model is the one of the labels as given."]
    return [*said, " ".join([f"The policy is {POLICIES.get(facts.policy, facts.policy)}.", *_why(facts)])]


def worth(facts: Facts) -> list[str]:
    """Say what it was worth, plain, corrected for noise and verified."""
    if not facts.treated:
        return ["Nothing was changed, so there is no gain to measure."]
    plain = (
        f"On the test labels as given, the model was right on {numbers.percent(facts.before)} of the rows before and "
        f"on {numbers.percent(facts.after)} after: {numbers.points(facts.plain.accuracy)}."
    )
    others = [gain for gain in (facts.corrected, facts.verified) if gain is not None]
    return [plain, *(f"{_first_up(BASIS[gain.basis])}: {numbers.points(gain.accuracy)}." for gain in others)]


def sure(facts: Facts) -> list[str]:
    """Say how far the gain is to be trusted, and which of its figures; nothing where there is none."""
    if not facts.treated:
        return []
    runs = f" and {facts.seeds} training runs" if facts.seeds > 1 else "; one training run says nothing of others"
    width = (
        f"Intervals are of 95%, over {numbers.count(facts.plain.rows)} test rows{runs}. On these rows a gain below "
        f"{numbers.decimal(100 * facts.smallest, 1)} points could not have been told from none."
    )
    said = [width]
    if facts.unlike is not None:
        seen, usual = (numbers.percent(share) for share in facts.unlike)
        said.append(
            f"The test labels are of another kind than those of training: {seen} of them are not as predicted, where {usual} would be with the same "
            "errors. So these errors cannot be undone on test, and the figure on the labels as given is the one to go by."
        )
    if facts.overshoots:
        said.append(
            "Corrected for noise the models would be right on more than 100%. So the test labels are cleaner than those the noise was "
            "learned from, and the figure on the labels as given is the one to go by."
        )
    plain, gain = facts.plain.accuracy, facts.gain.accuracy
    if facts.verified is not None and facts.gain is not facts.verified:
        said.append(
            f"The test rows that people verified are too few to go by: {numbers.points(facts.verified.accuracy)} is what they say."
        )
    if facts.contradicted:
        said.append(
            "The figure on the labels as given says the opposite. Wrong test labels speak for a model that repeats them, and undoing them "
            "takes rates that are not known exactly; so neither is to be believed before people verified test rows."
        )
    elif (plain.above and gain.below) or (plain.below and gain.above):
        said.append(
            f"The figure on the labels as given says the opposite. The one {BASIS[facts.gain.basis]} is to be believed: wrong test labels speak "
            "for a model that repeats them."
        )
    elif facts.gain.basis == "corrected":
        said.append(
            "Wrong test labels hide a part of a gain. The corrected figure undoes that with the rates at which labels are wrong, so it is the one to "
            "go by; how well those rates are known is not in its interval."
        )
    elif facts.gain.basis == "verified":
        said.append("People looked at test rows, some of them drawn by chance, so that figure is the one to go by.")
    return said


def verdict_of_gain(gain: Gain) -> str:
    """Say in a word or two what an interval says."""
    if gain.accuracy.above:
        return "surely better"
    return "surely worse" if gain.accuracy.below else "not told from none"


def optimistic(facts: Facts) -> list[str]:
    """Hold the seed protocol's figure against the honest one, and say why it is optimistic."""
    if facts.seed_protocol is None:
        return []
    seed, honest = numbers.percent(facts.seed_protocol), numbers.percent(facts.served)
    says = f"Scored the easy way, the same model would be said to be right on {seed} of the test rows"
    if facts.seed_protocol > facts.served:
        points = numbers.signed(100 * (facts.seed_protocol - facts.served), 1)
        says = f"{says}, not {honest} ({points} points)."
    else:
        says = f"{says}. Here that happens to be no more than the honest {honest}."
    why = (
        "That figure comes from test labels that the audit changed first: where confident learning doubts a label, it becomes what models of the "
        "same kind say, and then the model is asked to agree with them. So it is optimistic: it would rise on labels without a single error. "
        "Every other figure of this report keeps the test labels as they were given."
    )
    return [says, why]


def _why(facts: Facts) -> list[str]:
    """Say why this was done, or not."""
    ended = outcome(facts)
    if facts.treated and facts.policy == "auto":
        return [
            f"It chose `{facts.best}`: on rows that no treatment touched, that was surely better than leaving labels alone."
        ]
    reasons = {
        Outcome.NOTHING: "There was nothing to treat.",
        Outcome.AMBIGUOUS: "Treating ambiguous rows would take the hard cases away, not errors.",
        Outcome.UNCLEAR: "To treat labels on so little evidence would be a guess.",
        Outcome.KEPT: "Another policy would treat the doubtful rows.",
        Outcome.UNTRIED: f"{_first_up(facts.why)}.",
        Outcome.NO_EVIDENCE: "It tried the treatments on rows that none of them touched, and the best may as well have gained nothing.",
        Outcome.WOULD_HURT: "It tried the treatments on rows that none of them touched, and all made the model worse.",
        Outcome.HELD_BACK: facts.verdict,
    }
    return [reasons[ended]] if ended in reasons else []


def _rows(rows: int) -> str:
    return f"{numbers.count(rows)} {'row' if rows == 1 else 'rows'}"


def _first_up(said: str) -> str:
    return said[:1].upper() + said[1:]
