"""Promises of networks that wait for their device."""

from __future__ import annotations

import torch
from torch import nn

from relabel.text.placed import Placed


class Moved(nn.Linear):
    """A layer that remembers where it was sent."""

    sent: str | None = None

    def to(self, *args, **_):
        """Remember, and stay."""
        self.sent = args[0]
        return self


def test_nothing_moves_before_the_first_question() -> None:
    """What is made before a fork touches no GPU: the network is sent to its device when it is first asked for, once."""
    network = Moved(1, 1)
    placed = Placed(network, "meta")
    assert network.sent is None
    assert placed.network is network
    assert network.sent == placed.device == "meta"


def test_auto_is_what_the_machine_has() -> None:
    """A GPU where there is one, else the processors."""
    assert Placed(Moved(1, 1)).device == ("cuda" if torch.cuda.is_available() else "cpu")
