"""An endpoint: the loaded model and all that decides how requests are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from relabel.serving.capacity import Capacity
from relabel.serving.served import Served
from relabel.settings import ServeSettings


class Terms(Protocol):
    """What doors must know of what they lead to."""

    @property
    def settings(self) -> ServeSettings:
        """How it works."""
        ...

    @property
    def capacity(self) -> Capacity:
        """How much it takes on."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """What the handler answers from.

    draining: says whether the server is about to stop; asked at every request.
    """

    served: Served
    settings: ServeSettings
    capacity: Capacity
    draining: Callable[[], bool] = lambda: False
