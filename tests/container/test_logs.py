"""Promises of the container's log."""

import io
import logging
import re

import pytest

from relabel.container import logs, metrics


@pytest.fixture(autouse=True)
def _former_logging():
    """Leave the loggers as they were."""
    loggers = [logging.getLogger(name) for name in (None, "relabel", metrics.LOGGER)]
    former = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in former:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def test_lines_have_a_level_and_nothing_else() -> None:
    """The platform adds the time."""
    stream = io.StringIO()
    logs.configure(stream)
    logging.getLogger("relabel.job").info("%d rows", 3)
    logging.getLogger("relabel.job").warning("few")
    assert stream.getvalue() == "INFO 3 rows\nWARNING few\n"


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.ERROR])
def test_metric_lines_go_out_as_they_are_at_every_level(level) -> None:
    """Somebody who wants a quiet log still gets figures and a tuning objective."""
    stream = io.StringIO()
    logs.configure(stream, level)
    metrics.emit(dev_log_loss=0.25)
    assert stream.getvalue() == "dev_log_loss=0.25;\n"


def test_other_libraries_are_heard_from_warnings_on() -> None:
    """Their chatter stays out."""
    stream = io.StringIO()
    logs.configure(stream, logging.DEBUG)
    logging.getLogger("somebody").info("chatter")
    logging.getLogger("somebody").warning("trouble")
    assert stream.getvalue() == "WARNING trouble\n"


def test_a_second_call_replaces_the_first() -> None:
    """No line comes twice."""
    first, second = io.StringIO(), io.StringIO()
    logs.configure(first)
    logs.configure(second)
    logging.getLogger("relabel").info("once")
    assert (first.getvalue(), second.getvalue()) == ("", "INFO once\n")


def test_carriage_returns_and_colours_stay_out() -> None:
    """A record overwrites no other in the platform's log."""
    stream = io.StringIO()
    logs.configure(stream)
    logging.getLogger("relabel").error("50%%\r100%%\r\n%s", "done")
    assert not re.search("[\r\x1b]", stream.getvalue())


def test_a_traceback_follows_its_message() -> None:
    """The log has the whole cause, indented."""
    stream = io.StringIO()
    logs.configure(stream)
    logging.getLogger("relabel").error("failed", exc_info=ValueError("cause"))
    assert stream.getvalue() == "ERROR failed\n  ValueError: cause\n"


@pytest.mark.parametrize(("said", "level"), [("10", 10), ("debug", 10), ("WARNING", 30), ("", 20), ("loud", 20)])
def test_levels_are_understood_as_people_write_them(said, level) -> None:
    """Numbers and words; anything else is INFO."""
    assert logs.level(said) == level
