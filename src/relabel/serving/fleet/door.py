"""The door of a multi-model endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from relabel.serving.door import Entrance, Pool, Receive, Scope, Send
from relabel.serving.drain import Drain
from relabel.serving.fleet import api
from relabel.serving.fleet.api import Fleet
from relabel.serving.messages import Request, Response
from relabel.serving.request_log import RequestLog

CHANGES, CHANGES_WAITING = 4, 1024
"""Models that are loaded or unloaded at a time, of which all but one wait, for each other or for requests; and those that wait in line."""


class FleetDoor(Entrance):
    """Small bodies for models of vectors are answered at once, all else that may take long by threads; changes have threads of their own."""

    def __init__(self, fleet: Fleet, log: RequestLog, drain: Drain) -> None:
        super().__init__(fleet, log, drain)
        self._fleet = fleet
        self._changes = Pool(CHANGES, CHANGES_WAITING, "changes")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whose path stays as it was sent: a name may have a slash."""
        await self._own({**scope, "path": scope["raw_path"].decode("latin-1")}, receive, send)

    def _waits(self, request: Request) -> bool:
        return api.waits(request)

    def _is_quick(self, request: Request) -> bool:
        name = api.asked(request)
        return bool(name) and not self._fleet.models.takes_texts(name)

    def _pool(self, request: Request) -> Pool:
        return self._threads if api.asked(request) else self._changes

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        return [api.handle(request, self._fleet) for request in requests]
