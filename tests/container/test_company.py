"""Promises of what all hosts of a job must agree on."""

from __future__ import annotations

import pytest

from relabel.container.company import Alone, agree
from relabel.errors import PlatformError

WORDS = {"when": "at the start", "have": "was given something else", "give": "image"}


def test_hosts_that_say_the_same_agree(hosts) -> None:
    """Nothing happens; a host alone agrees with itself."""
    hosts(3, lambda company: agree(company, "same", **WORDS))
    agree(Alone(), "anything", **WORDS)


def test_every_host_hears_which_of_them_differ(hosts) -> None:
    """Those that differ from the first are named, to these too."""

    def said(company) -> str:
        with pytest.raises(PlatformError) as heard:
            agree(company, "same" if company.rank != 1 else "other", **WORDS)
        return str(heard.value)

    expected = "at the start, algo-2 was given something else than algo-1: give all hosts the same image"
    assert hosts(3, said) == [expected] * 3
