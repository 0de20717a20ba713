r"""How strings become settings.

SageMaker sends strings only, some clients JSON-encode them first (`"\"0.1\""`), people write `true`, `True` or `1`: `parse`
takes them all and reports every problem in one UserError.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from relabel.errors import UserError
from relabel.settings.declaration import Setting, Settings, fields

LONGEST_SHOWN = 40

S = TypeVar("S", bound=Settings)


def parse(cls: type[S], raw: Mapping[str, Any]) -> S:
    """Turn strings (or JSON values) into settings.

    Keys may be a field's name or one of its aliases, with `-` or `_`; what SageMaker adds for itself (`sagemaker_…`,
    `_tuning_objective_metric`) and `null` are passed over; retired names are accepted without effect (see `retired_notes`).

    Raises UserError with every problem at once: unknown names, values of the wrong kind or outside their range, one setting
    given twice.
    """
    known = fields(cls)
    names = {alias: name for name, field in known.items() for alias in (name, *field[2].aliases)}
    problems: list[str] = []
    given: dict[str, Any] = {}
    for key, value in raw.items():
        plain = key.strip().lstrip("-").replace("-", "_")
        if plain.startswith("sagemaker_") or plain == "_tuning_objective_metric" or plain in cls.retired:
            continue
        if plain not in names:
            problems.append(_unknown(key, names))
            continue
        name = names[plain]
        try:
            coerced = _coerce(name, value, known[name])
        except ValueError as error:
            problems.append(str(error))
            continue
        if coerced is not None and name in given and given[name] != coerced:
            problems.append(f"{name} is given twice with different values: keep one of its names")
        if coerced is not None:
            given[name] = coerced
    if problems:
        raise UserError(*problems)
    return cls(**{**_started(cls, given.get("preset", ""), given.get("learner", "")), **given})


def _started(cls: type[Settings], preset: str, learner: str) -> dict[str, Any]:
    """Give the values to start from. Of a preset, a learner with defaults of its own takes what is no recipe."""
    own = cls.learners.get(learner, {})
    chosen = cls.presets.get(preset, {})
    effort = {name: value for name, value in chosen.items() if not own or name in cls.effort}
    return {**own, **effort}


def retired_notes(cls: type[S], raw: Mapping[str, Any]) -> list[str]:
    """Say of each retired name in `raw` what happens in its place."""
    return [f"setting {name} has no effect: {why}" for name, why in cls.retired.items() if name in raw]


def from_environment(cls: type[S], environment: Mapping[str, str]) -> dict[str, str]:
    """Pick the settings that the environment gives: `RELABEL_<NAME>`, then the names in use elsewhere; first found wins."""
    found: dict[str, str] = {}
    for name, field in fields(cls).items():
        for variable in (f"RELABEL_{name.upper()}", *field[2].environment):
            if environment.get(variable, "") != "":
                found.setdefault(name, environment[variable])
    return found


def _coerce(name: str, value: Any, field: tuple[Any, Any, Setting]) -> Any:
    """Give the typed value, or None where there is none; ValueError says what was seen and what was expected."""
    hint, _, about = field
    decoded = _json_decoded(value)
    if decoded is None or value == "":
        return None
    if hint is str:
        return decoded if isinstance(decoded, str) else str(value)
    bounded: Any = Annotated[hint, Field(ge=about.low, gt=about.above, le=about.high, allow_inf_nan=False)]
    adapter = TypeAdapter(bounded if hint in (int, float) else hint)
    try:
        return adapter.validate_python(decoded)
    except ValidationError as error:
        raise ValueError(f"{name} is {_shown(value)}: {_expected(hint, about, error)}") from None


def _json_decoded(value: Any) -> Any:
    """Undo one JSON encoding of a string; what is no JSON stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value.strip()


def _expected(hint: Any, about: Setting, error: ValidationError) -> str:
    kind = {int: "a whole number", float: "a number", bool: "true or false"}.get(hint)
    if kind is None:
        return str(error.errors()[0]["msg"])[0].lower() + str(error.errors()[0]["msg"])[1:]
    allowed = about.range_text()
    return f"give {kind}{', ' + allowed if allowed else ''}{' ' + about.unit if about.unit and allowed else ''}"


def _unknown(key: str, names: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(key.lstrip("-").replace("-", "_"), names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"the settings are {', '.join(sorted(set(names.values())))}"
    return f"unknown setting {_shown(key)}: {hint}"


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")
