"""What a setting is: a field of a frozen dataclass that tells people its help, unit, range and other names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

KEY = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a field tells people: help, unit, range (bounds included unless `above`), and its other names."""

    help: str
    unit: str = ""
    low: float | None = None
    above: float | None = None
    high: float | None = None
    aliases: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

    def range_text(self) -> str:
        """Say the allowed values: `2 to 100`, `above 0`, `` where anything goes."""
        low = f"above {self.above:g}" if self.above is not None else f"{self.low:g}" if self.low is not None else ""
        if self.high is None:
            return low if self.above is not None or not low else f"{low} or more"
        return f"{low} to {self.high:g}"


def setting(default: Any, **about: Any) -> Any:
    """Declare a field with its Setting."""
    return dataclasses.field(default=default, metadata={KEY: Setting(**about)})


class Settings:
    """What the classes below share.

    presets: name -> values to start from.
    learners: name -> values that a learner needs in place of the defaults; a preset's own recipe, which is for the mlp, is not for them.
    effort: settings of a preset that hold for every learner; its others are the usual learner's.
    retired: names that are accepted and have no effect -> what happens in their place.
    """

    __slots__ = ()
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    learners: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    effort: ClassVar[tuple[str, ...]] = ()
    retired: ClassVar[Mapping[str, str]] = {}


def fields(cls: type[Any]) -> dict[str, tuple[Any, Any, Setting]]:
    """List the settings of a class: name -> (type, default, Setting)."""
    hints = get_type_hints(cls)
    return {f.name: (hints[f.name], f.default, f.metadata[KEY]) for f in dataclasses.fields(cls)}


def as_dict(settings: Settings) -> dict[str, Any]:
    """Give the settings as plain values, in the order of their declaration."""
    return {name: getattr(settings, name) for name in fields(type(settings))}


def markdown(cls: type[Settings]) -> str:
    """Make the table of the settings, with other names (of options, of variables), default and range."""
    lines = ["| setting | default | range | what it is |", "|---|---|---|---|"]
    for name, (hint, default, about) in fields(cls).items():
        choices = ", ".join(value for value in get_args(hint) if value) if get_origin(hint) is Literal else ""
        names = ", ".join(f"`{n}`" for n in (name, *about.aliases, *about.environment))
        allowed = f"{about.range_text()} {about.unit}".strip() if about.range_text() else choices
        lines.append(f"| {names} | {f'`{default}`' if default != '' else ''} | {allowed} | {about.help} |")
    return "\n".join(lines)
