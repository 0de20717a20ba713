"""Windows against the model's reference: what is compared, what is kept, what the page says."""

from __future__ import annotations

import dataclasses
import html
import json
import re

import numpy as np
import pytest

from relabel.errors import UserError
from relabel.model import training_rows
from relabel.monitoring import captured, emf, journal, page, verdict, watching, windows
from relabel.monitoring.journal import Journal, Watched

ALPHA = 0.05


@pytest.fixture
def endpoint(watched_model, endpoint_of):
    """The endpoint of the watched model."""
    return endpoint_of(watched_model)


@pytest.fixture
def watched(endpoint):
    """The model, made ready."""
    return watching.watch(endpoint.served, endpoint.served.artifact.reference.read(), ALPHA)


def judged(watched, folder, size="200") -> Journal:
    """Judge all of a folder."""
    traffic = captured.read(folder, watched.served)
    about = Watched("model", "reference", size, ALPHA)
    return watching.judged(watched, traffic, windows.cut(traffic.time, windows.parse(size)), Journal(about))


def test_quiet_windows_are_quiet_and_strange_ones_are_not(watched, came):
    """Windows like the reference do not drift; one with strange rows does, its strange rows are named, and two of them prove drift."""
    found = judged(watched, came(0.0, 0.0, 0.0, 0.5, 0.5)).windows
    assert [one["drifted"] for one in found] == [False, False, False, True, True]
    assert [one["alarm"] for one in found[:3]] == [False] * 3
    assert found[4]["alarm"]
    rng = np.random.default_rng((7, 4))
    rng.standard_normal((200, 12))
    strange = {f"4-{n}/0" for n in np.flatnonzero(rng.random(200) < 0.5)}
    assert len(strange & {*found[3]["unlike"]}) >= 8


def test_rows_that_say_nothing_new_are_not_compared(tmp_path, watched, endpoint, captured_line, write):
    """Copies of a row count once, and rows that the model was trained on not at all; a window of hardly any others is not judged."""
    learned = np.eye(3, 12)
    lines = [
        captured_line(endpoint, f"l{n}", json.dumps(row.tolist()).encode(), "application/json")
        for n, row in enumerate(learned)
    ]
    lines += [captured_line(endpoint, f"c{n}", json.dumps([0.5] * 12).encode(), "application/json") for n in range(97)]
    write(tmp_path / "in", *lines)
    [found] = judged(watched, tmp_path / "in", "100").windows
    assert found["rows"] == 100
    assert found["compared"] == 1
    assert "p" not in found
    assert not found["drifted"]


def test_going_on_is_the_same_as_one_run(tmp_path, watched, came):
    """Two runs with the journal between them end as one run over all."""
    folder = came(0.0, 0.3, 0.3)
    traffic = captured.read(folder, watched.served)
    parts = windows.cut(traffic.time, windows.parse("200"))
    whole = judged(watched, folder)
    about = whole.watched
    first = watching.judged(watched, traffic, parts[:1], Journal(about))
    journal.write(tmp_path / "state.json", first)
    second = watching.judged(watched, traffic, parts[1:], journal.read(tmp_path / "state.json", about))
    journal.write(tmp_path / "state.json", second)
    journal.write(tmp_path / "whole.json", whole)
    assert (tmp_path / "state.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_journal_of_another_model_is_refused(tmp_path, watched, came):
    """Figures of different models, errors and windows are never mixed, and what is no journal is said."""
    found = judged(watched, came(0.0))
    path = tmp_path / "state.json"
    journal.write(path, found)
    with pytest.raises(UserError, match="another model and alpha"):
        journal.read(path, dataclasses.replace(found.watched, model="x", alpha=0.01))
    path.write_text("{}")
    with pytest.raises(UserError, match="no state of"):
        journal.read(path, found.watched)


def test_a_journal_of_years_stays_small(watched, came):
    """Of windows long ago the details are kept only where they drifted; all figures of time stay."""
    [quiet, loud] = judged(watched, came(0.0, 0.5)).windows
    kept = Journal(Watched("m", "r", "1d", ALPHA))
    for window in (quiet, loud, *[quiet] * 40):
        kept = kept.after(("2026-03-01T00:00:00", "x"), window, kept.evidence)
    assert len(kept.windows) == 42
    assert "moved" not in kept.windows[0]
    assert kept.windows[0]["auc"] == quiet["auc"]
    assert kept.windows[1] == loud
    assert kept.windows[-journal.DETAILED] == quiet


def test_the_page_shows_all_windows_and_runs_nothing(watched, came):
    """Every figure has its table, no script is there, nothing is loaded, and the same journal gives the same page."""
    found = judged(watched, came(0.0, 0.5))
    said = page.html(found, watched.reference, ("bad", "good"), skipped={"a line <b>": 2})
    assert said == page.html(found, watched.reference, ("bad", "good"), skipped={"a line <b>": 2})
    assert "<script" not in said
    assert "<b>" not in said
    assert "default-src 'none'" in html.unescape(said)
    assert not re.search(r'(src|href)="(?!#)', said)
    assert said.count("<svg") == said.count("<summary>The numbers") == 4
    assert all(each in said for each in found.windows[1]["unlike"])


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((0.0,), "No drift in the last of 1 window"),
        ((0.0, 0.5), "Drift"),
        ((0.5, 0.5, 0.5), "Drift: the last window, 3, drifted; all windows together prove drift since window "),
        ((0.5, 0.5, 0.5, 0.0), "; the last, 4, by itself is like the reference"),
    ],
)
def test_the_headline_says_what_there_is(watched, came, shares, said):
    """Drift now, and drift that was proved before, are both said."""
    assert said in verdict.headline(judged(watched, came(*shares)))


def test_the_metric_line_is_what_cloudwatch_reads(watched, came):
    """One line of JSON declares its metrics, has each of them as a number, and the time of the window's end in milliseconds."""
    for window in judged(watched, came(0.5)).windows:
        line = emf.line("abc", window)
        assert "\n" not in line
        said = json.loads(line)
        [declared] = said["_aws"]["CloudWatchMetrics"]
        names = [metric["Name"] for metric in declared["Metrics"]]
        assert names == list(emf.METRICS)
        assert all(isinstance(said[name], int | float) for name in names)
        assert said["Drift"] == 1
        assert declared["Dimensions"] == [["Model"]]
        assert said["Model"] == "abc"
        assert said["_aws"]["Timestamp"] == np.datetime64(window["end"], "ms").astype(int)


def test_a_model_of_words_is_watched_by_its_words(tmp_path, text_model, endpoint_of, captured_line, write):
    """Texts of words that the model does not know are drift, without any text in the reference."""
    from relabel.model import artifact, reference  # noqa: PLC0415

    endpoint = endpoint_of(text_model)
    rng = np.random.default_rng(0)

    def texts(count, words):
        return [" ".join(rng.choice(words, rng.integers(3, 9))) for _ in range(count)]

    known = ["good", "great", "bad", "dull", "film", "the", "a"]
    sample = texts(200, known)
    tokens = endpoint.served.read(sample)
    held = reference.made(tokens, tokens, endpoint.served(tuple(sample)))
    artifact.save(text_model, dataclasses.replace(endpoint.served.artifact, reference=held))
    endpoint = endpoint_of(text_model)
    watched = watching.watch(endpoint.served, endpoint.served.artifact.reference.read(), ALPHA)
    for folder, words in (("same", known), ("other", ["buena", "mala", "film", "una", "la"])):
        lines = [
            captured_line(endpoint, f"{folder}{n}", text.encode(), "text/plain")
            for n, text in enumerate(texts(150, words))
        ]
        write(tmp_path / folder, *lines)
    same, other = (judged(watched, tmp_path / folder, "1000").windows[0] for folder in ("same", "other"))
    assert not same["drifted"]
    assert other["drifted"]
    assert reference.STRANGE in {one["name"] for one in other["moved"]}
    assert b"film" not in (text_model / reference.FILE).read_bytes()


def test_a_tiny_reference_is_refused(endpoint):
    """With too few rows nothing can be told, and that is said."""
    held = endpoint.served.artifact.reference.read()
    few = dataclasses.replace(held, seen=held.seen[:9], probability=held.probability[:9])
    with pytest.raises(UserError, match="has 9 rows"):
        watching.watch(endpoint.served, few, ALPHA)


def test_an_empty_text_among_the_training_rows_hides_no_vectors(watched_model, endpoint_of):
    """Of a model that takes both, rows that came as vectors have no text: nothing is known of them by it."""
    served = endpoint_of(watched_model).served
    known = np.sort(training_rows.text_hashes(["", "seen"]))
    learned = dataclasses.replace(served, artifact=dataclasses.replace(served.artifact, training_rows=known))
    rows = np.random.default_rng(0).standard_normal((3, 12)).astype(np.float32)
    traffic = captured.Traffic(
        ids=np.array(["a/0", "b/0", "c/0"], object),
        time=np.zeros(3, "datetime64[s]"),
        vectors=rows,
        texts=np.array(["", "seen", "new"], object),
        probability=np.full((3, 2), 0.5, np.float32),
        label=np.zeros(3, np.int64),
    )
    assert watching._compared(learned, traffic).tolist() == [0, 2]
