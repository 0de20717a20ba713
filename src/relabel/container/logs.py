"""Plain log lines for a container: the platform adds the time, and a line is one record whatever the stream is."""

from __future__ import annotations

import logging
from typing import TextIO

from relabel.container import metrics
from relabel.errors import one_line

INDENT = "\n  "


class Plain(logging.Formatter):
    """`LEVEL message`, and metric lines as they are; no colours, no carriage returns.

    Names of files and classes are in messages, and whoever chose them may have meant harm: no other record is read as a metric line, and
    only a record's first line begins with a level, for those that follow are indented.
    """

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Make the line; a traceback follows on lines of its own."""
        if record.name == metrics.LOGGER:
            return record.getMessage()
        lines = super().format(record).replace("\r\n", "\n").split("\n")
        return INDENT.join(metrics.disarmed(one_line(line)) for line in lines)


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
