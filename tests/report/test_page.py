"""Promises of the report page: one inert file, whole and the same each time."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from relabel.cli.report import command
from relabel.errors import UserError
from relabel.report import page, results
from relabel.report.sections import changes

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>&lt;b&gt;",
    "{{ 7 * 7 }} {% raw %} `code` $x_1$",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "emoji \U0001f469\u200d\U0001f4bb \U0001f1e6\U0001f1f9 \u2028 \u2029",
    "a null \0 byte and \x1b[31m red",
    "w" * 5000,
    "",
)


class Page(HTMLParser):
    """Reads a page as a browser does: its elements, attributes, and the text of each element by name."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        """Note a text."""
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Give the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def written(folder) -> str:
    """Write a report and give its source."""
    return page.write(folder).read_text(encoding="utf-8")


def changes_of(folder) -> Page:
    """Read the page with the part that shows texts, without figures."""
    return Page(page.html(results.read(folder), {"changes": []}, (changes.SECTION,)))


def test_a_report_is_the_same_to_the_byte(made) -> None:
    """The same results give the same page and the same figures, whatever stood there before."""
    folder = made()
    first = written(folder)
    figures = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    assert all(page.OURS.fullmatch(name) for name in figures)
    (folder / "figures" / "slices_99.png").write_bytes(b"old")
    assert written(folder) == first
    assert {path.name: path.read_bytes() for path in (folder / "figures").iterdir()} == figures
    assert {"gain.png", "gain.svg", "confusion_after.png", "precision.svg"} <= figures.keys()


def test_nothing_of_the_run_enters(usual) -> None:
    """When and where a job ran is not in the report, which would differ each time."""
    assert "hidden-host" not in usual
    assert "2026-01-01" not in usual


@pytest.fixture(scope="module")
def usual(usual_folder) -> str:
    """Give the page of usual results."""
    return written(usual_folder)


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_hostile_texts_are_inert_and_whole(made, text) -> None:
    """A text comes out as it is, and makes no element, no script and no attribute; what HTML cannot carry is shown by its picture."""
    plain, hostile = (
        changes_of(made(name, texts=[each] * 90)) for name, each in (("plain", "plain text"), ("hostile", text))
    )
    cut = len(text) > changes.LONGEST
    told = [one for one in hostile.elements if not cut or one != ("span", {"class": "quiet"})]
    assert [tag for tag, _ in told] == [tag for tag, _ in plain.elements if not cut or tag != "span"]
    assert {name for _, attributes in told for name in attributes} == {
        name for _, attributes in plain.elements for name in attributes
    }
    shown = "".join(hostile.texts)
    whole = text[: changes.LONGEST].replace("\0", "\u2400").replace("\x1b", "\u241b")
    assert shown.count(whole) >= "".join(plain.texts).count("plain text") > 4
    assert ("cut here" in shown) == cut


def test_hostile_names_are_inert_and_whole(made) -> None:
    """Names of classes and of columns, in tables, sentences and figures, make no element and no attribute either."""
    names = [*HOSTILE[:4], "\u05e9\u05dc\u05d5\u05dd", "a\0b", "x" * 300]
    plain = Page(written(made("plain", classes=[f"c{n}" for n in range(len(names))], rows=240)))
    hostile = Page(written(made("hostile", classes=names, rows=240, measures=("<b>shop</b>",))))
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in plain.elements}
    written_on = {name for _, attributes in hostile.elements for name in attributes}
    assert written_on <= {name for _, attributes in plain.elements for name in attributes}
    shown = "".join(hostile.texts)
    assert all(name.replace("\0", "\u2400") in shown for name in (*names, "<b>shop</b>"))


def test_a_page_loads_and_runs_nothing_but_its_own(usual) -> None:
    """The policy forbids all, but for the one style sheet and the scripts whose hashes it names; no address points anywhere else."""
    read = Page(usual)
    policy = next(one["content"] for one in read.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    [style] = re.findall(r"<style>(.*?)</style>", usual, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", usual, re.DOTALL)
    for body in (style, *scripts):
        assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy
    assert "unsafe" not in policy
    for name in ("src", "srcset", "action", "data", "poster"):
        assert not any(name in attributes for _, attributes in read.elements)
    assert all(one["href"].startswith("#") for tag, one in read.elements if "href" in one and tag in ("a", "use"))
    assert not read.all("link")


def test_headings_are_in_order_and_ids_are_unique(usual) -> None:
    """Headings never skip a level, there is one first one, and no two elements have one name, so that assistive technology can follow."""
    read = Page(usual)
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [one["id"] for _, one in read.elements if "id" in one]
    assert len(ids) == len(set(ids))
    for one in read.all("svg"):
        assert one["role"] == "img"
        assert set(one["aria-labelledby"].split()) <= set(ids)
    assert read.all("html") == [{"lang": "en"}]
    assert {one["href"][1:] for one in read.all("a")} <= set(ids)


def test_every_figure_has_its_numbers_in_a_table(usual) -> None:
    """A page has as many tables of numbers as figures."""
    read = Page(usual)
    assert len(read.all("figure")) == len(read.all("svg")) == len(read.all("details")) - 1


def test_an_older_folder_still_gives_a_report(made) -> None:
    """What an older job did not write is left out, and the page says how to get it."""
    said = written(made(measures=None))
    assert "Slices are not in these results: run the job again with this version" in said
    assert "How far the probabilities can be trusted is not in these results" in said
    assert "Which rows changed is not in these results" in said


def test_rows_without_texts_give_a_report(made) -> None:
    """Embeddings alone are enough; there are no cards without a text, which is said."""
    said = written(made(texts=[None] * 120))
    assert "have no texts to show" in said
    assert "Mended: " not in said
    assert "Mended: " in written(made("texts"))


def test_the_share_of_wrong_labels_has_one_interval(made) -> None:
    """What the sentence on the noise and the one after it would say twice is said once; other sentences stay whole."""
    folder = made()
    figures = json.loads((folder / "metrics.json").read_text())
    kind, share = figures["audit"]["kind_of_noise"], "8.8% of the training labels (6.8% to 10.8%)"
    for sentence, shown in (
        (f"{share} are wrong at rates", "<p>8.8% of the training labels are wrong at rates.</p>"),
        (f"no sign of wrong labels: {share} at most", f"<p>No sign of wrong labels: {share} at most.</p>"),
    ):
        kind["sentence"] = sentence
        (folder / "metrics.json").write_text(json.dumps(figures))
        assert shown in written(folder)


def test_many_classes_stay_readable(made) -> None:
    """Twelve classes are drawn; thirty are in a table alone, which the page says."""
    assert 'id="confusion_after-title"' in written(made("few", classes=[f"class {n}" for n in range(12)]))
    many = written(made("many", classes=[f"class {n}" for n in range(30)], rows=600))
    assert 'id="confusion_after-title"' not in many
    assert "too many classes for a readable figure" in many


def test_nothing_done_is_said_so(made) -> None:
    """Where no row was treated there is one model, and no gain."""
    said = written(made(treated=False))
    assert "there is no gain to measure" in said
    assert 'id="gain-title"' not in said
    assert 'id="confusion_before-title"' not in said


def test_another_place_leaves_the_folder_alone(made, tmp_path) -> None:
    """With an output the page goes there, and the folder stays as it was."""
    folder = made()
    before = sorted(folder.iterdir())
    assert (
        page.write(folder, tmp_path / "elsewhere" / "page.html")
        .read_text(encoding="utf-8")
        .startswith("<!DOCTYPE html>")
    )
    assert sorted(folder.iterdir()) == before


def test_a_place_that_cannot_be_written_is_said(made, tmp_path) -> None:
    """A file where a folder should be, and a folder that takes no files, are no crash of the command."""
    (tmp_path / "file").write_text("")
    folder = made()
    for output in (tmp_path / "file" / "x.html", Path("/proc/x.html")):
        done = CliRunner().invoke(command, [str(folder), "--output", str(output)])
        assert isinstance(done.exception, UserError)
        assert str(done.exception).startswith(f"{output}: cannot be written")


def test_a_report_can_be_taken_away(made) -> None:
    """Page and figures go, and nothing else does."""
    folder = made()
    before = sorted(folder.iterdir())
    page.write(folder)
    (folder / "figures" / "mine.png").write_text("stays")
    page.remove(folder)
    assert sorted(folder.iterdir()) == sorted([*before, folder / "figures"])
    assert [path.name for path in (folder / "figures").iterdir()] == ["mine.png"]


def test_data_for_scripts_end_nothing() -> None:
    """JSON in a page holds no sign that could end its element or a line of a script, and reads back as it was."""
    value = {"text": "</script><!-- & \u2028\u2029 \0"}
    said = page.as_json(value)
    assert not set("<>&\u2028\u2029") & set(said)
    assert json.loads(said) == value


def test_prose_shows_code_and_nothing_else() -> None:
    """What stands between backticks is code; what looks like an element is text; a lone backtick stays."""
    assert page.prose("a `<b>` c") == "a <code><bdi>&lt;b&gt;</bdi></code> c"
    assert page.prose("it`s <i>") == "it`s &lt;i&gt;"
