"""A part of the report: where its figures come from, and what its template is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from relabel.report.drawing import Drawing
from relabel.report.results import Results


def _none(_results: Results) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part.

    name:     its anchor, and `templates/NAME.html.j2`.
    title:    its heading and its line in the table of contents.
    context:  what the template is given by name; pure.
    drawings: its figures, drawn once; the template has them as `drawings`, a dictionary by name.
    styles:   files of static/ for it, after the page's own.
    scripts:  files of static/ that it needs, in their order; each is in the page once, whoever names it.
    styled:   its scripts make style elements, which the page's policy then allows. What they could load stays forbidden.
    library:  gives the sources of scripts of packages that must stand before these, empty where there is nothing to show.
    """

    name: str
    title: str
    context: Callable[[Results], Mapping[str, Any]]
    drawings: Callable[[Results], tuple[Drawing, ...]] = _none
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    styled: bool = False
    library: Callable[[Results], tuple[str, ...]] = _none
