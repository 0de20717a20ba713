"""The least that a server in Python can do with a request: read its body, answer a constant.

gunicorn --worker-class asgi --http-parser python --workers 2 floor:app
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
}
BODY = {"type": "http.response.body", "body": b"{}"}


async def app(
    _scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Callable[[dict], Awaitable[None]]
) -> None:
    """Answer every path alike."""
    while (await receive()).get("more_body"):
        pass
    await send(HEAD)
    await send(BODY)
