"""Promises of what is remembered of the models that are loaded."""

from __future__ import annotations

from relabel.serving.fleet import journal
from relabel.serving.fleet.journal import Journal
from relabel.serving.fleet.models import Models

from .conftest import ROOM


def test_the_last_that_was_written_is_read() -> None:
    """Longer or shorter than before; nothing where nothing was."""
    with Journal() as kept:
        assert kept.read() == {}
        for models in ({"a": "/a", "b/é": "/b"}, {"a": "/a"}, {}):
            kept.write(models)
            assert kept.read() == models


def test_what_was_not_written_to_its_end_is_nothing() -> None:
    """A process may be killed at any moment."""
    with Journal() as kept:
        kept.write({"a": "/a", "b": "/b"})
        kept._file.truncate(journal.HEAD + 9)
        assert kept.read() == {}


def test_a_model_that_has_gone_does_not_keep_others_from_coming_back(store, caplog) -> None:
    """The log names it."""
    models = Models([store], ROOM)
    journal.restore(models, {"a": str(store / "none"), "b": str(store / "1")}, 60)
    assert [each.name for each in models.after("", 9)] == ["b"]
    assert '"a" is no longer loaded' in caplog.text


def test_coming_back_ends_in_time(store, caplog) -> None:
    """A process that is silent for too long would be killed again; the log says so."""
    models = Models([store], ROOM)
    journal.restore(models, {"a": str(store / "1")}, -1)
    assert models.after("", 9) == []
    assert "no more time" in caplog.text
