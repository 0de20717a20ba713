"""How far a loop is: what waits for whom, what labels were spent, how good the models were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relabel.evaluation import shares
from relabel.loop import asking, wording
from relabel.loop.asking import Asked
from relabel.loop.folder import Loop

NEXT = {
    "": "collect traffic, for a new round",
    "collect": "select what to label",
    "select": "people answer: export and import; then train",
    "train": "promote, if the evidence says so",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that people were asked about: all, those whose label is settled (or that no class fits), those on which people disagree."""

    asked: int
    answered: int
    disputed: int


def asked(loop: Loop) -> Asked:
    """Read all rows that people were asked about, of every round whose choice is in the journal."""
    paths = sorted(loop.folder.glob(f"rounds/*/{asking.NAME}"))
    found = asking.read([path for path in paths if loop.journal.last("select", int(path.parent.name)) is not None])
    return wording.told(loop, found)


def waiting(loop: Loop) -> Waiting:
    """Count what waits for people."""
    rows = asked(loop)
    verdicts = asking.verdicts(rows, loop.answers()).values()
    disputed = sum(verdict.answer is None for verdict in verdicts)
    return Waiting(len(rows), len(verdicts) - disputed, disputed)


def stands(loop: Loop) -> dict[str, Any]:
    """Give every figure as plain values for JSON."""
    number, last = loop.at()
    waits = waiting(loop)
    events = [event for event in loop.journal.events() if event.round]
    rounds: dict[int, dict[str, Any]] = {}
    for event in events:
        own = rounds.setdefault(event.round, {"round": event.round})
        own |= {"collect": _collected, "select": _selected, "train": _trained, "decide": _decided}.get(
            event.step, lambda _facts: {}
        )(event.facts)
    open_ = waits.asked - waits.answered
    people = f" ({open_:,} rows open)" if last == "select" and open_ else ""
    todo = "train" if last == "select" and not open_ else NEXT[last]
    return {
        "serving": loop.serving(),
        "labels": waits.answered,
        "answers": len(loop.answers()),
        "disputed": waits.disputed,
        "open": open_,
        "rounds": list(rounds.values()),
        "next": f"round {number}: {todo}{people}",
    }


def sentence(one: dict[str, Any]) -> str:
    """Say one round in words."""
    parts = [f"{one.get('collected', 0):,} rows collected"]
    if "chosen" in one:
        parts.append(f"{sum(one['chosen'].values()):,} chosen")
    if "labels" in one:
        parts.append(f"trained with {sum(one['labels'].values()):,} labels of people")
    for side in ("champion", "challenger"):
        if side in one.get("accuracy", {}):
            low, value, high = (100 * figure for figure in one["accuracy"][side])
            parts.append(f"{side} {value:.1f}% ({low:.1f} to {high:.1f})")
    if "promoted" in one:
        parts.append("promoted" + (" by force" if one["forced"] else "") if one["promoted"] else "kept the champion")
    return ", ".join(parts)


def _collected(facts: Any) -> dict[str, Any]:
    return {"collected": facts["in_round"]}


def _selected(facts: Any) -> dict[str, Any]:
    return {"chosen": facts["rows"]}


def _trained(facts: Any) -> dict[str, Any]:
    return {"labels": facts["labels"], "models": {side: facts[side] for side in ("champion", "challenger")}}


def _decided(facts: Any) -> dict[str, Any]:
    """Give the accuracy of both on the rows that neither learned from, as low, value, high."""
    found = {
        side: shares.wilson(said["accuracy"] * facts["rows"], facts["rows"]) for side, said in facts["scores"].items()
    }
    accuracy = {side: [one.low, one.value, one.high] for side, one in found.items() if one is not None}
    return {"accuracy": accuracy, "rows": facts["rows"], "promoted": facts["promoted"], "forced": facts["forced"]}
