"""The encodings that texts are sent in."""

from __future__ import annotations

from relabel.errors import UserError

UTF_8 = "utf-8"
CHARSETS = {
    **dict.fromkeys((UTF_8, "utf8", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin-1", "latin1"), "latin-1"),
}
"""Name in a Content-Type -> Python's name."""

BYTE_ORDER_MARK = "\ufeff"


def decoded(body: bytes, charset: str = UTF_8) -> str:
    """Give the text of a body without its byte order mark. A byte that is no UTF-8 becomes a lone surrogate, which `texts.problem` finds.

    Raises UserError for an encoding that is not known.
    """
    known = CHARSETS.get(charset.lower())
    if known is None:
        raise UserError(f"a charset that is not known: send {UTF_8} or iso-8859-1")
    return body.decode(known, "surrogateescape").removeprefix(BYTE_ORDER_MARK)
