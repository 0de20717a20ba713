"""What all pages look like: one style sheet, light and dark, with the colours that stand for things."""

from __future__ import annotations

from importlib import resources


def base_css() -> str:
    """Give the style sheet that every page begins with."""
    return (resources.files(__name__) / "base.css").read_text(encoding="utf-8")
