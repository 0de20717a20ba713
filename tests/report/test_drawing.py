"""Promises of figures: text stays text, colours are the page's, and nothing of the process is left changed."""

from __future__ import annotations

import dataclasses
import re

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from relabel.report import drawing
from relabel.report.drawing import Drawing, Table


def one(label: str = "a label", name: str = "one") -> Drawing:
    """Make a small figure that says `label`."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=drawing.COLOURS["after"])
        axes.scatter([0], [1], color=drawing.COLOURS["bad"])
        axes.set_title(label)

    table = Table(header=("x", "y"), rows=[("0", "1")])
    return Drawing(name=name, title="A title", says="What is seen", table=table, draw=draw)


def test_a_figure_is_the_same_to_the_byte() -> None:
    """The same drawing gives the same files."""
    first, second = drawing.rendered(one()), drawing.rendered(one())
    assert (first.svg, first.png, first.inline) == (second.svg, second.png, second.inline)


def test_settings_of_matplotlib_are_left_as_they_were() -> None:
    """Drawing changes no setting of the process, and does not depend on one."""
    usual = drawing.rendered(one()).svg
    with mpl.rc_context({"font.size": 30.0, "svg.fonttype": "path"}):
        before = dict(mpl.rcParams)
        assert drawing.rendered(one()).svg == usual
        assert dict(mpl.rcParams) == before


def test_a_page_gives_its_own_colours() -> None:
    """No colour of the light scheme is left in the page's figure, and no style that a policy would forbid; the file keeps them."""
    made = drawing.rendered(one())
    assert "var(--after)" in made.inline
    assert "var(--ink)" in made.inline
    assert not re.findall(r"#[0-9a-f]{6}", made.inline)
    assert "style" not in made.inline
    assert b"#0b5cad" in made.svg


@pytest.mark.parametrize("label", ["<b>&amp;", "$x^2$ \\alpha", "\U0001f600 \u05e9\u05dc\u05d5\u05dd", "100% {curly}"])
def test_text_stays_text(label) -> None:
    """Names are no markup and no formulas, and are found as they are in the SVG."""
    made = drawing.rendered(one(label))
    escaped = label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in made.inline
    assert made.png.startswith(b"\x89PNG")


def test_ids_belong_to_one_figure() -> None:
    """Two figures of a page share no id, and each refers to its own alone."""
    first, second = (drawing.rendered(dataclasses.replace(one(), name=name)).inline for name in ("first", "second"))
    ids = [set(re.findall(r' id="([^"]+)"', each)) for each in (first, second)]
    assert not ids[0] & ids[1]
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', first))
    assert used
    assert used <= ids[0]


def test_a_name_is_cut_to_one_line() -> None:
    """Long names are cut, and what XML cannot carry is left out."""
    assert drawing.short("x" * 50) == "x" * 17 + "…"
    assert drawing.short("a\0b\nc\x1b") == "a b c"
