"""Plain log lines for a container: the platform adds the time, and a line is one record whatever the stream is."""

from __future__ import annotations

import logging
from typing import TextIO

from relabel.container import metrics


class Plain(logging.Formatter):
    """`LEVEL message`, and metric lines as they are; no colours, no carriage returns."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Make the line; a traceback follows on lines of its own."""
        shown = record.getMessage() if record.name == metrics.LOGGER else super().format(record)
        return shown.replace("\r", "")


def configure(stream: TextIO, level: int = logging.INFO) -> None:
    """Send the log to `stream`: relabel's from `level` on, other libraries' warnings, and metric lines at every level.

    A second call replaces the first.
    """
    root = logging.getLogger()
    for former in [handler for handler in root.handlers if isinstance(handler.formatter, Plain)]:
        root.removeHandler(former)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Plain())
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("relabel").setLevel(level)
    logging.getLogger(metrics.LOGGER).setLevel(logging.INFO)
    logging.getLogger("torch.utils.flop_counter").setLevel(
        logging.ERROR
    )  # it misses triton, which the image does without


def level(said: str) -> int:
    """Understand a level as people write it, a number or a word; INFO where it is neither.

    >>> level("20"), level("debug"), level("")
    (20, 10, 20)
    """
    if said.isdecimal():
        return int(said)
    return logging.getLevelNamesMapping().get(said.upper(), logging.INFO)
