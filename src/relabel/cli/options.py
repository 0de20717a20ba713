"""Command-line options made from the fields of a settings class."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Literal, get_args, get_origin

import click

from relabel import settings


def options(cls: type[Any], only: Collection[str] | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add one option per setting, or for some of them `only`; a value stays a string, which `settings.parse` coerces and checks with all others."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for name, (hint, default, about) in reversed(settings.fields(cls).items()):
            if only is not None and name not in only:
                continue
            flags = [f"--{n.replace('_', '-')}" for n in (name, *about.aliases)]
            function = click.option(*flags, name, default=None, metavar=_metavar(hint), help=_help(about, default))(
                function
            )
        return function

    return decorate


class Sectioned(click.Command):
    """A command whose help has its own options first, and the settings of the training job in a part of their own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both parts."""
        jobs = settings.fields(settings.TrainSettings)
        parts: dict[str, list[tuple[str, str]]] = {"Options": [], "Settings of the training job": []}
        for parameter in self.get_params(ctx):
            line = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if line is not None:
                parts[[*parts][parameter.name in jobs]].append(line)
        for name, lines in parts.items():
            with formatter.section(name):
                formatter.write_dl(lines)


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Keep the options that were given."""
    return {name: value for name, value in values.items() if value is not None}


def _metavar(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "|".join(value for value in get_args(hint) if value)
    return {int: "N", float: "X", bool: "true|false"}.get(hint, "TEXT")


def _help(about: settings.Setting, default: Any) -> str:
    allowed = about.range_text()
    unit = f" {about.unit}" if about.unit else ""
    facts = [f"{allowed}{unit}"] if allowed else []
    facts += [f"default {default}"] if default != "" else []
    return f"{about.help} [{'; '.join(facts)}]" if facts else about.help
