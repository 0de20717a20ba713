"""report.html: the sections of a report put together into one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from relabel import files, looks
from relabel.report import facts, numbers, results
from relabel.report.contents import SECTIONS
from relabel.report.drawing import Rendered, rendered
from relabel.report.results import Results
from relabel.report.section import Section
from relabel.report.wording import next_steps, verdict

NAME, FIGURES = "report.html", "figures"

OURS = re.compile(
    r"(classes|confusion_(before|after)|gain|label_worth|learning_curve|noise_rates|optimistic|per_class|precision|reliability|seeds|slices_\d+)"
    r"\.(svg|png)"
)
"""Figures that a report may write; whatever else lies beside them is somebody's own."""

CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
"""What HTML cannot carry, such as a null byte, is shown by its picture, so that a text stays whole."""

ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"}


def write(folder: Path, output: Path | None = None) -> Path:
    """Write the report of a job's `output/data` folder, and its figures for documents beside it in `figures/`.

    output: write the page there instead, and no figures: the folder stays as it is.

    Raises UserError, with all problems, where the folder holds no results of a job.
    """
    found = results.read(folder)
    drawn = {section.name: [rendered(one) for one in section.drawings(found)] for section in SECTIONS}
    path = output or folder / NAME
    if output is None:
        _write_figures(folder / FIGURES, [one for each in drawn.values() for one in each])
    files.write_text(path, html(found, drawn))
    return path


def remove(folder: Path) -> None:
    """Take away what an earlier report left in a job's `output/data` folder."""
    (folder / NAME).unlink(missing_ok=True)
    _write_figures(folder / FIGURES, [])
    if (folder / FIGURES).is_dir() and not any((folder / FIGURES).iterdir()):
        (folder / FIGURES).rmdir()


def html(found: Results, drawn: Mapping[str, Sequence[Rendered]], sections: Sequence[Section] = SECTIONS) -> str:
    """Put the page together; the same results give the same page, to the byte."""
    templates = environment()
    bodies = {
        section.name: Markup(  # noqa: S704  # a template with autoescape made it
            templates.get_template(f"{section.name}.html.j2").render(
                **section.context(found), drawings={one.name: one for one in drawn[section.name]}
            )
        )
        for section in sections
    }
    scripts, known = _scripts(found, sections), facts.gathered(found)
    style = looks.base_css() + "".join(_static(name) for name in _named("styles", sections, "report.css"))
    return templates.get_template("report.html.j2").render(
        headline=verdict.headline(known),
        next_step=next_steps.steps(known)[0].what,
        sections=[{"name": one.name, "title": one.title, "body": bodies[one.name]} for one in sections],
        policy=_policy(style, scripts, styled=any(one.styled and one.library(found) for one in sections)),
        style=Markup(style),  # noqa: S704  # our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704  # files of ours and of packages
        rows=found.audit.num_rows,
        data=found.metrics["data"].get("digest", ""),
    )


def as_json(value: Any) -> Markup:
    """Write data for a script of the page: JSON that ends no element and no line."""
    said = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(said.translate(ESCAPES))  # noqa: S704  # escaped just here


def prose(said: str) -> Markup:
    """Show what stands between backticks as code, and as one piece whatever direction it is written in."""
    parts = _whole(said).split("`")
    last = len(parts) - 1
    return Markup("").join(
        Markup("<code><bdi>{}</bdi></code>").format(part)
        if n % 2 and n < last
        else Markup("{}{}").format("`" * (n % 2), part)
        for n, part in enumerate(parts)
    )


def environment(*packages: str) -> jinja2.Environment:
    """Give what renders templates of the packages, or else of the report's own; what they are given is text, and never markup."""
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in (*packages, "relabel.report")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_whole,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "as_json": as_json,
        "prose": prose,
        "count": numbers.count,
        "percent": numbers.percent,
        "decimal": numbers.decimal,
        "within": numbers.within,
        "between": numbers.between,
    }
    return made


def _whole(value: Any) -> Any:
    """Show what HTML cannot carry."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return value.translate(CONTROLS)


def _scripts(found: Results, sections: Sequence[Section]) -> list[str]:
    """Libraries, then our own files, each once; an inline script must not hold the end of its own element."""
    sources = [source for section in sections for source in section.library(found)]
    sources += [_static(name) for name in _named("scripts", sections)]
    return [source.replace("</script", "<\\/script").replace("<!--", "<\\!--") for source in sources]


def _named(what: str, sections: Sequence[Section], *first: str) -> list[str]:
    """List the files of a kind that sections name, each once."""
    return list(dict.fromkeys([*first, *(name for section in sections for name in getattr(section, what))]))


def _policy(style: str, scripts: Sequence[str], *, styled: bool) -> str:
    """Content security policy: nothing is loaded, and nothing runs but these scripts."""
    allowed = " ".join(source_hash(script) for script in scripts) or "'none'"
    styles = "'unsafe-inline'" if styled else source_hash(style)  # beside a hash, browsers ignore the other
    return f"default-src 'none'; img-src data:; style-src {styles}; script-src {allowed}; base-uri 'none'; form-action 'none'"


def source_hash(source: str) -> str:
    """Give the hash by which a content security policy lets an inline script or style through."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _static(name: str) -> str:
    return (resources.files(__package__) / "static" / name).read_text(encoding="utf-8")


def _write_figures(folder: Path, drawn: Sequence[Rendered]) -> None:
    """Write the figures, and take away those of an earlier report."""
    for one in drawn:
        files.write_bytes(folder / f"{one.name}.svg", one.svg)
        files.write_bytes(folder / f"{one.name}.png", one.png)
    names = {one.name for one in drawn}
    for path in sorted(folder.glob("*.*")):
        if OURS.fullmatch(path.name) and path.stem not in names:
            path.unlink()
