"""Cross-origin requests: which web pages may ask, as the setting `cors_origins` says (the Fetch standard's CORS protocol)."""

from __future__ import annotations

from collections.abc import Mapping

from relabel.serving.messages import Request, Response

EVERYBODY = "*"
DAY = 86_400
"""Seconds that a browser may remember what it was allowed."""


def answered(request: Request, response: Response, origins: str) -> Response:
    """Give the response with what lets a page read it, where the setting allows the page; refusals too, for a page should see why.

    origins: `*`, or origins like `https://example.org` with commas or spaces between them.
    """
    return response._replace(headers={**response.headers, **_allowed(request.origin, origins)})


def preflight(methods: Mapping[str, object]) -> Response:
    """Answer what a browser asks before it sends a body: the methods of this path, and the headers that count."""
    return Response(
        200,
        "text/plain",
        b"",
        {
            "Allow": ", ".join([*methods, "OPTIONS"]),
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": "Content-Type, Accept, X-Amzn-SageMaker-Custom-Attributes, X-Amzn-SageMaker-Inference-Id",
            "Access-Control-Max-Age": str(DAY),
        },
    )


def _allowed(origin: str, origins: str) -> dict[str, str]:
    known = origins.replace(",", " ").split()
    if EVERYBODY in known:
        return {"Access-Control-Allow-Origin": EVERYBODY}
    vary = {"Vary": "Origin"}  # caches must not give one page's answer to another
    return {**vary, "Access-Control-Allow-Origin": origin} if origin in known else vary
