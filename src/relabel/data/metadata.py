"""Columns that nothing is learned from: where a row comes from, who labelled it. Errors are looked at by them."""

from __future__ import annotations

from relabel.settings import TrainSettings


def names(settings: TrainSettings) -> tuple[str, ...]:
    """Give the columns that are asked for.

    >>> names(TrainSettings(metadata_columns="source, annotator,"))
    ('source', 'annotator')
    """
    told = (name.strip() for name in settings.metadata_columns.split(","))
    return tuple(dict.fromkeys(name for name in told if name))
