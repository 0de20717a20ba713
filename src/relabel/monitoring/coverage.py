"""Whether what was captured could be read at all: traffic of another model must not look like traffic without drift."""

from __future__ import annotations

from relabel.errors import UserError
from relabel.monitoring.captured import NOT_SAMPLED, Traffic

FEWEST = 30
"""Records behind the last row that was judged, of which none can be read, that are no accident any more."""

HINT = "is this the model of the endpoint that captured them?"


def check(read: Traffic, new: Traffic) -> None:
    """Raise UserError where there were records and none could be read; that all of them are old is no fault.

    read: what was read, up to the last row that was judged before; new: what came behind it.
    """
    passed = _passed(read)
    if passed and not len(read) and not read.earlier:
        raise UserError(f"none of {passed:,} records could be read: {HINT}", *_reasons(read))
    if not len(new) and read.lost >= FEWEST:
        raise UserError(f"none of {read.lost:,} new records could be read: {HINT}", *_reasons(read))


def warning(read: Traffic) -> str:
    """Say that most could not be read; "" where most could."""
    passed = _passed(read)
    here = len(read) + read.skipped.get(NOT_SAMPLED, 0)
    if passed <= here:
        return ""
    return f"MOST COULD NOT BE READ: {passed:,} of {passed + here:,} records were passed over: {HINT}"


def _passed(read: Traffic) -> int:
    return sum(count for reason, count in read.skipped.items() if reason != NOT_SAMPLED)


def _reasons(read: Traffic) -> list[str]:
    return [f"{reason}: {count:,}" for reason, count in read.skipped.items() if reason != NOT_SAMPLED]
