"""Label Studio: tasks with predictions in, and both kinds of its export out.

JSON       a list of tasks, each with its `data` and `annotations`: who, when, whether skipped, and the result
JSON-MIN   a list of flat objects, one per annotation: the data, the choice under the name of the control, who and when

JSON-MIN writes the task's own number over a field `id` of the data, so a row's own name is `row_id` here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from relabel.errors import UserError
from relabel.results.reviewing import wording
from relabel.results.reviewing.entries import Entry, Reading
from relabel.results.reviewing.formats.json_lines import place, string

CONTROL, OBJECT = "sentiment", "text"
"""Names of the choices and of the text in the labelling interface."""

MODEL = "relabel"
OURS = ("answer", "reviewer", "time")
"""Fields that are Label Studio's to fill in."""


def write(records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
    """Write a task for each question, with the suggested label chosen beforehand where there is one."""
    tasks = [_task(record, classes) for record in records]
    return (json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode()


def answered(records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
    """Write an export of the kind JSON with a task for each answer."""
    tasks = [
        _task(record, classes) | {"id": n, "annotations": [_annotation(record, classes)]}
        for n, record in enumerate(records, 1)
    ]
    return (json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode()


def companions(classes: Sequence[str]) -> dict[str, bytes]:
    """Give the labelling interface: paste it under Settings, Labeling Interface, Code."""
    choices = "".join(f"    <Choice value={quoteattr(choice)}/>\n" for choice in wording.choices(classes))
    interface = (
        f'<View>\n  <Text name="{OBJECT}" value="$text"/>\n'
        f'  <Choices name="{CONTROL}" toName="{OBJECT}" choice="single" required="true">\n{choices}  </Choices>\n</View>\n'
    )
    return {".interface.xml": interface.encode()}


def read(data: bytes, attribute: str = "") -> Reading:
    """Read an export, JSON or JSON-MIN; of whichever kind each object is.

    attribute: name of the control whose choices are the answers, where the interface has several.

    Raises UserError where the file holds no list of tasks.
    """
    found = Reading()
    for record, task in enumerate(_tasks(data)):
        where = f"task {task['id']}" if isinstance(task, dict) and "id" in task else f"task at place {record + 1}"
        if not isinstance(task, dict):
            found.torn[record] = (where, "no JSON object")
        elif isinstance(task.get("data"), dict):
            _read_task(record, where, task, attribute, found)
        else:
            _read_flat(record, where, task, attribute or CONTROL, found)
    return found


def cut(data: bytes, records: Collection[int]) -> bytes:
    """Give these tasks as they stood."""
    kept = [task for record, task in enumerate(_tasks(data)) if record in records]
    return (json.dumps(kept, ensure_ascii=False, indent=1) + "\n").encode()


def _annotation(record: dict[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    return {
        "completed_by": {"username": record["reviewer"]},
        "was_cancelled": False,
        "created_at": record["time"],
        "updated_at": record["time"],
        "result": [_region_of(record, wording.choice(record["answer"], classes))],
    }


def _task(record: dict[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    data = {name: value for name, value in record.items() if name not in OURS}
    if not record["suggested"]:  # nobody is to be led
        return {"data": data}
    result = _region_of(record, wording.shown(record["suggested"], classes))
    return {
        "data": data,
        "predictions": [{"model_version": MODEL, "score": record["posterior"], "result": [result]}],
    }


def _region_of(record: dict[str, Any], choice: str) -> dict[str, Any]:
    return {
        "value": {"choices": [choice]},
        "id": record["row_hash"][:10],
        "from_name": CONTROL,
        "to_name": OBJECT,
        "type": "choices",
    }


def _tasks(data: bytes) -> list[Any]:
    try:
        loaded = json.loads(data.decode("utf-8-sig"))
    except ValueError as error:  # a JSONDecodeError quotes nothing, but its text is longer than its place
        at = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UserError(f"no JSON{at}: give the export as Label Studio wrote it") from None
    tasks = [loaded] if isinstance(loaded, dict) else loaded
    if not isinstance(tasks, list):
        raise UserError("no list of tasks: give an export of the kind JSON or JSON-MIN")
    return tasks


def _read_task(record: int, where: str, task: dict[str, Any], control: str, found: Reading) -> None:
    """Read the annotations of a task; drafts and skipped ones are no decisions."""
    about = {**place({**_object(task.get("meta")), **task["data"]}), "row": _whole(task["data"].get("row"))}
    annotations = task.get("annotations", task.get("completions"))  # the second is what early versions called them
    if annotations is not None and not isinstance(annotations, list):
        found.torn[record] = (where, "`annotations` that are no list")
        return
    found.passed["drafts that were not submitted"] += len(task.get("drafts") or [])
    submitted = [one for one in annotations or [] if isinstance(one, dict) and not _skipped(one)]
    found.passed["skipped by the annotator"] += len(annotations or []) - len(submitted)
    if not submitted:
        found.entries.append(Entry(record=record, where=where, **about))
    for one in submitted:
        choices = _choices(one.get("result"), control)
        if choices is None:
            found.torn[record] = (where, "a `result` that is none of choices")
            continue
        if not choices:
            found.passed["submitted without a choice"] += 1
        time = string(one.get("updated_at") or one.get("created_at"))
        entry = Entry(
            record=record, where=where, choices=choices, reviewer=_person(one.get("completed_by")), time=time, **about
        )
        found.entries.append(entry)


def _read_flat(record: int, where: str, task: dict[str, Any], control: str, found: Reading) -> None:
    """Read one object of JSON-MIN: the choice is a string, or an object where there are several."""
    chosen = task.get(control)
    regions = chosen if isinstance(chosen, list) else [] if chosen in (None, "") else [chosen]
    choices = [_region(region) for region in regions]
    if any(choice is None for choice in choices):
        found.torn[record] = (where, f"a `{control}` that is no choice")
        return
    if not choices and task.get("annotation_id") is not None:
        found.passed[f"submitted without a choice in `{control}`"] += 1
    found.entries.append(
        Entry(
            record=record,
            where=where,
            choices=_unlike(choice for several in choices for choice in several or ()),
            reviewer=_person(task.get("annotator")),
            time=string(task.get("updated_at") or task.get("created_at")),
            row=_whole(task.get("row")),
            **place(task),
        )
    )


def _choices(result: Any, control: str) -> tuple[str, ...] | None:
    """What was chosen, in the named control or in any; None where the result is no list of regions."""
    if not isinstance(result, list | None) or not all(isinstance(region, dict) for region in result or []):
        return None
    regions = [r for r in result or [] if r.get("type") == "choices" and control in ("", r.get("from_name"))]
    chosen = [_region(region.get("value")) for region in regions]
    return None if None in chosen else _unlike(choice for several in chosen for choice in several or ())


def _region(value: Any) -> list[str] | None:
    """The choices of one region."""
    if isinstance(value, str):
        return [value]
    chosen = value.get("choices") if isinstance(value, dict) else None
    return chosen if isinstance(chosen, list) and all(isinstance(one, str) for one in chosen) else None


def _unlike(choices: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(choices))


def _skipped(annotation: dict[str, Any]) -> bool:
    return bool(annotation.get("was_cancelled") or annotation.get("skipped"))


def _person(who: Any) -> str:
    """Name a person: by e-mail address where the export has it, else by number."""
    about = _object(who)
    return string(about.get("email") or about.get("username") or about.get("id")) if about else string(who)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
