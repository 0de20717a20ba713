"""SVG as Matplotlib writes it, made part of a page: its colours, its letters, its names, and nothing that styles the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from markupsafe import Markup

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
DROPPED = ("metadata", "style")
WRITTEN = ("fill", "stroke", "opacity", "text-anchor", "font-size", "font-weight")
"""Properties that are kept, by how they begin; fonts are the page's."""


def inline(
    source: bytes, *, name: str, title: str, says: str, size: tuple[int, int], colours: Mapping[str, str]
) -> Markup:
    """Make an element of a page.

    source:  SVG file of our own figures.
    name:    unique on the page; all ids begin with it.
    size:    in pixels, at which it is shown where there is room.
    colours: colour -> what stands for it in the page, such as `var(--ink)`.

    Styles become attributes, for a page may forbid inline styles.
    """
    root = ET.fromstring(source)  # noqa: S314  # written by Matplotlib a moment ago
    ids = {element.get("id", ""): f"{name}-{number}" for number, element in enumerate(root.iter()) if element.get("id")}
    used = _used(root)
    for element in root.iter():
        _plain(element, ids, used, colours)
    for parent in list(root.iter()):
        for child in [one for one in parent if _tag(one) in DROPPED]:
            parent.remove(child)
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {size[0] * 0.75:g} {size[1] * 0.75:g}",
            "width": str(size[0]),
            "height": str(size[1]),
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-says",
            "stroke-linejoin": "round",
            "stroke-linecap": "butt",
        }
    )
    for place, (tag, text) in enumerate((("title", title), ("desc", says))):
        element = ET.Element(tag, {"id": f"{name}-{'title' if tag == 'title' else 'says'}"})
        element.text = _clean(text)
        root.insert(place, element)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704  # ElementTree escapes texts and attributes


def _used(root: ET.Element) -> set[str]:
    """Give the ids that something refers to."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    found = [re.match(r"#(.+)$|url\(#([^)]+)\)", value) for value in values]
    return {one.group(one.lastindex or 1) for one in found if one}


def _plain(element: ET.Element, ids: Mapping[str, str], used: set[str], colours: Mapping[str, str]) -> None:
    """Change one element in its place."""
    element.tag = _tag(element)
    own = element.attrib.pop("id", "")
    style = element.attrib.pop("style", "")
    attributes = {("href" if key == f"{{{XLINK}}}href" else key): value for key, value in element.attrib.items()}
    if own in used:
        attributes["id"] = own
    for part in style.split(";"):
        key, _, value = (each.strip() for each in part.partition(":"))
        if key.startswith(WRITTEN):
            attributes[key] = value
        elif key == "font":
            attributes |= _font(value)
    element.attrib.clear()
    element.attrib.update({key: _renamed(value, ids, colours) for key, value in attributes.items()})


def _font(value: str) -> dict[str, str]:
    """Take size and weight out of a font.

    >>> _font("bold 9px 'DejaVu Sans'")
    {'font-size': '9px', 'font-weight': 'bold'}
    """
    size = re.search(r"[\d.]+px", value)
    weight = re.search(r"\b(bold|[1-9]00)\b", value)
    found = {"font-size": size.group() if size else "", "font-weight": weight.group() if weight else ""}
    return {key: each for key, each in found.items() if each}


def _renamed(value: str, ids: Mapping[str, str], colours: Mapping[str, str]) -> str:
    if value.startswith("#") and value[1:] in ids:
        return f"#{ids[value[1:]]}"
    if match := re.fullmatch(r"url\(#([^)]+)\)", value):
        return f"url(#{ids[match.group(1)]})"
    return colours.get(value, ids.get(value, value))


def _tag(element: ET.Element) -> str:
    return element.tag.removeprefix(f"{{{SVG}}}") if isinstance(element.tag, str) else ""


def _clean(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
