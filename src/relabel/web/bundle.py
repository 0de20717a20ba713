"""What is sent to AWS: the handler and the page as one archive, the same bytes for the same files."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

from relabel import looks
from relabel.web import handler

HERE = Path(__file__).parent
PAGE = HERE / "page"
TEMPLATE = HERE / "template.yaml"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive."""
READABLE = 0o644 << 16
"""Rights of a file in an archive: Lambda runs as nobody in particular."""


def pages() -> dict[str, str]:
    """Give the page's files as the handler serves them: path -> content."""
    return {**handler.pages(PAGE), "/base.css": looks.base_css()}


def files() -> dict[str, str]:
    """Give the page's files by name, for a bucket."""
    return {"index.html" if path == handler.PAGE else path[1:]: text for path, text in pages().items()}


def zipped() -> bytes:
    """Pack the handler and the page, as Lambda unpacks them."""
    source = Path(handler.__file__).read_text(encoding="utf-8")
    members = {"handler.py": source, **{f"page/{name}": text for name, text in files().items()}}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(members.items()):
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr, member.compress_type = READABLE, zipfile.ZIP_DEFLATED
            archive.writestr(member, text)
    return packed.getvalue()


def key(packed: bytes) -> str:
    """Name an archive in a bucket by what is in it."""
    return f"data/web/{hashlib.sha256(packed).hexdigest()[:16]}.zip"
