"""Which column holds the texts."""

from __future__ import annotations

from collections.abc import Collection

from relabel.settings import TrainSettings

ALSO = ("text", "sentence", "content")
"""Names that are taken, the first of them that is there, where the file has no column of the name that is set by default."""


def found(header: Collection[str], settings: TrainSettings) -> str:
    """Give the column of the texts in a file: the one that the settings name or, if they name none, one of its usual names.

    >>> found(["text", "label"], TrainSettings()), found(["text", "label"], TrainSettings(text_column="body"))
    ('text', 'body')
    """
    named = settings.text_column
    if named in header or named != TrainSettings().text_column:
        return named
    others = {settings.label_column, settings.id_column}
    return next((name for name in ALSO if name in header and name not in others), named)
