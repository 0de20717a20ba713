"""Figures: drawn once with Matplotlib, shown in the page in its own colours, and kept as files for documents."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from relabel import looks
from relabel.report import svg

INCH = 96.0
"""Pixels of the page."""

DOTS = 200
"""Dots of an inch in the files for documents."""

LONGEST = 18
"""Letters of a name in a figure; its table has the whole name."""

COLOURS = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", looks.base_css().split("@media", 1)[0]))
"""Name -> colour of the light scheme. Figures are drawn in these; in the page each becomes the variable of its name."""

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": COLOURS["line"],
    "axes.grid": True,
    "axes.labelcolor": COLOURS["ink"],
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.facecolor": COLOURS["paper"],
    "axes.facecolor": COLOURS["paper"],
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "relabel",
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["quiet"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.color": COLOURS["quiet"],
    "ytick.labelcolor": COLOURS["ink"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The numbers of a figure, as people read them: `header` names the columns; the first of each row names the row."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure before it is drawn.

    name:  of its files and its anchor.
    title: what it shows. says: what one sees in it, for those who do not see it.
    table: its numbers.
    draw:  draws on an empty figure; called once.
    size:  width and height in pixels of the page.
    """

    name: str
    title: str
    says: str
    table: Table
    draw: Callable[[Figure], None]
    size: tuple[int, int] = (368, 264)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A figure as it is shown: `inline` in the page, `svg` and `png` as files; the rest as in `Drawing`."""

    name: str
    title: str
    says: str
    table: Table
    size: tuple[int, int]
    inline: Markup
    svg: bytes
    png: bytes


def rendered(drawing: Drawing) -> Rendered:
    """Draw a figure; the same drawing gives the same bytes.

    Matplotlib's settings are those of STYLE while it draws, and as they were afterwards. What its font has no picture for (emoji, some scripts)
    is a box in the PNG alone: pages and SVG files keep texts as texts.
    """
    width, height = drawing.size
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=(width / INCH, height / INCH), layout="constrained")
        drawing.draw(figure)
        vector, image = io.BytesIO(), io.BytesIO()
        FigureCanvasSVG(figure).print_figure(vector, format="svg", metadata={"Date": None, "Creator": None})
        FigureCanvasAgg(figure).print_figure(image, format="png", dpi=DOTS, metadata={"Software": None})
    variables = {colour: f"var(--{name})" for name, colour in COLOURS.items()}
    return Rendered(
        name=drawing.name,
        title=drawing.title,
        says=drawing.says,
        table=drawing.table,
        size=drawing.size,
        inline=svg.inline(
            vector.getvalue(),
            name=drawing.name,
            title=drawing.title,
            says=drawing.says,
            size=drawing.size,
            colours=variables,
        ),
        svg=vector.getvalue(),
        png=image.getvalue(),
    )


def short(name: str, longest: int = LONGEST) -> str:
    """Cut a name for a figure, on one line, without what XML cannot carry.

    >>> short("a very long name of a class")
    'a very long name …'
    """
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in name[: 4 * longest]).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
