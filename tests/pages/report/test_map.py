"""Promises of the map: what one selects on it are the rows that lie there, by mouse, by fields and by keyboard."""

import csv
import re
from collections import Counter

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.pages

VIEW = """
() => {
  const plot = Bokeh.documents[0].roots()[0], box = document.querySelector('#map-canvas').getBoundingClientRect();
  return {x: [plot.x_range.start, plot.x_range.end], y: [plot.y_range.start, plot.y_range.end],
          left: box.left, top: box.top, width: box.width, height: box.height};
}
"""
LISTED = "#map-table tbody tr td.place"
PLACE = re.compile(r"(\S+),?\s+row (\d+)")
MIDDLE = "() => document.querySelector('#map-plot').scrollIntoView({block: 'center', behavior: 'instant'})"


def listed(page) -> Counter[tuple[str, int]]:
    """Give the places of all selected rows, each a file and a row."""
    while page.locator("#map-more").is_visible():
        page.locator("#map-more").click()
    found = [PLACE.search(text) for text in page.locator(LISTED).all_inner_texts()]
    return Counter((one[1].removesuffix(","), int(one[2])) for one in found)


def named(rows) -> Counter[tuple[str, int]]:
    """Give the places of rows of the audit."""
    return Counter((row["file"], row["row"]) for row in rows)


def placed(page, rows) -> list[tuple[float, float]]:
    """Give where each row lies in the window, in pixels."""
    view = page.evaluate(VIEW)
    (x0, x1), (y0, y1) = view["x"], view["y"]
    return [
        (
            view["left"] + view["width"] * (row["x"] - x0) / (x1 - x0),
            view["top"] + view["height"] * (y1 - row["y"]) / (y1 - y0),
        )
        for row in rows
    ]


def clear_of(values: list[float], near: float) -> int:
    """Find a whole pixel near one on which no row lies."""
    return next(
        pixel for pixel in range(round(near), round(near) + 100) if all(abs(value - pixel) > 0.05 for value in values)
    )


def test_a_box_selects_exactly_the_rows_that_lie_in_it(opened, rows) -> None:
    """Dragged over the map with the mouse: the list, the count and the figures are those of the rows inside."""
    page = opened()
    page.evaluate(MIDDLE)
    view = page.evaluate(VIEW)
    places = placed(page, rows)
    left, right = (clear_of([x for x, _ in places], view["left"] + view["width"] * share) for share in (0.1, 0.3))
    top, bottom = (clear_of([y for _, y in places], view["top"] + view["height"] * share) for share in (0.3, 0.6))
    inside = [row for row, (x, y) in zip(rows, places, strict=True) if left < x < right and top < y < bottom]
    assert 3 < len(inside) < len(rows) / 2
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, bottom, steps=4)
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()
    expect(page.locator("#map-status")).to_contain_text(re.compile(rf"^{len(inside)} points? selected"))
    assert listed(page) == named(inside)
    doubtful = page.locator("#map-summary div", has_text="Doubtful").locator("dd").inner_text()
    assert int(doubtful) == sum(row["flagged"] for row in inside)


def test_a_lasso_selects_what_it_goes_round(opened, rows) -> None:
    """Drawn round half of the map, it selects that half."""
    page = opened()
    page.locator("#map-lasso").click()
    page.evaluate(MIDDLE)
    view = page.evaluate(VIEW)
    places = placed(page, rows)
    middle = clear_of([x for x, _ in places], view["left"] + view["width"] / 2)
    corners = [(view["left"] + 2, view["top"] + 2), (middle, view["top"] + 2)]
    corners += [(middle, view["top"] + view["height"] - 3), (view["left"] + 2, view["top"] + view["height"] - 3)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()
    inside = [row for row, (x, _) in zip(rows, places, strict=True) if x < middle]
    expect(page.locator("#map-status")).to_contain_text(f"{len(inside)} points selected")
    assert listed(page) == named(inside)


def test_fields_select_without_a_pointer(opened, rows, fold) -> None:
    """Cluster, label and words, by keyboard alone; the list has the rows that meet all, and the focus has not been lost."""
    page = opened()
    cluster, given = rows[0]["cluster"], rows[0]["given_label"]
    page.locator("#map-cluster").focus()
    page.locator("#map-cluster").select_option(str(cluster))
    page.locator("#map-given").select_option(label=given)
    page.locator("#map-words").focus()
    page.keyboard.type("THE")
    page.keyboard.press("Enter")
    wanted = [
        row for row in rows if row["cluster"] == cluster and row["given_label"] == given and "the" in fold(row["text"])
    ]
    assert wanted
    expect(page.locator("#map-status")).to_contain_text(re.compile(rf"^{len(wanted)} points? selected"))
    assert listed(page) == named(wanted)
    assert page.evaluate("document.activeElement !== document.body")


def test_keys_move_and_zoom_it(opened) -> None:
    """Arrows move the view, + and - zoom, 0 shows all again, Escape clears the selection and the fields that made it."""
    page = opened()
    page.locator("#map-flagged").check()
    page.locator("#map-select").click()
    expect(page.locator("#map-clear")).to_be_visible()
    plot = page.locator("#map-plot")
    plot.focus()
    whole = page.evaluate(VIEW)
    page.keyboard.press("+")
    near = page.evaluate(VIEW)
    assert near["x"][1] - near["x"][0] < whole["x"][1] - whole["x"][0]
    page.keyboard.press("ArrowRight")
    moved = page.evaluate(VIEW)
    assert moved["x"][0] > near["x"][0]
    assert moved["y"] == near["y"]
    page.keyboard.press("0")
    assert page.evaluate(VIEW)["x"] == pytest.approx(whole["x"])
    page.keyboard.press("Escape")
    expect(page.locator("#map-clear")).to_be_hidden()
    expect(page.locator("#map-flagged")).not_to_be_checked()
    assert not listed(page)


def test_a_cleared_selection_leaves_no_field_behind(opened) -> None:
    """The button that clears it empties the fields too, so that they say what is selected."""
    page = opened()
    page.locator("#map-given").select_option(index=1)
    page.locator("#map-words").fill("the")
    page.locator("#map-select").click()
    page.locator("#map-clear").click()
    assert not page.locator("#map-given").input_value()
    assert not page.locator("#map-words").input_value()
    assert not listed(page)


def test_each_colouring_says_what_its_colours_are(opened, rows) -> None:
    """The legend names every value with its rows, as the files count them, and the points change their looks."""
    page = opened()
    page.evaluate(MIDDLE)
    columns = {"given": "given_label", "predicted": "predicted_label", "split": "split", "decision": "decision"}
    seen = set()
    for key, column in columns.items():
        page.locator("#map-colour").select_option(key)
        page.wait_for_timeout(150)
        names = page.locator("#map-legend bdi").all_inner_texts()
        counts = page.locator("#map-legend .quiet").all_inner_texts()
        legend = {name: int(count.replace(",", "")) for name, count in zip(names, counts, strict=True)}
        assert legend == dict(Counter(row[column] for row in rows))
        seen.add(page.locator("#map-canvas").screenshot())
    assert len(seen) == len(columns)
    assert {"doubt", "cluster"} <= {
        *page.locator("#map-colour option").evaluate_all("all => all.map(one => one.value)")
    }


def test_a_doubtful_row_is_found_on_the_map(opened, rows) -> None:
    """From the table of doubtful rows to the map: the row is selected there, alone, and has the focus near it."""
    page = opened()
    row = page.locator("#rows-table tbody tr[data-position]").nth(3)
    wanted = rows[int(row.get_attribute("data-position"))]
    row.get_by_role("button").click()
    page.get_by_role("button", name="Show on the map").click()
    expect(page.locator("#map-status")).to_contain_text("1 point selected")
    assert listed(page) == named([wanted])


def test_a_cluster_selects_its_rows(opened, rows) -> None:
    """A press on its name in the table of clusters selects them on the map."""
    page = opened()
    link = page.locator("#clusters-table a[data-cluster]").first
    cluster = int(link.get_attribute("data-cluster"))
    link.click()
    wanted = [row for row in rows if row["cluster"] == cluster]
    expect(page.locator("#map-status")).to_contain_text(f"{len(wanted)} points selected")
    assert listed(page) == named(wanted)


def test_the_selection_can_be_taken_away_as_a_file(opened, rows) -> None:
    """The file names the rows as the job's files do; no request is made for it."""
    page = opened()
    page.locator("#map-flagged").check()
    page.locator("#map-select").click()
    with page.expect_download() as download:
        page.locator("#map-download").click()
    with download.value.path().open(newline="", encoding="utf-8") as file:
        lines = [*csv.reader(file)]
    assert lines[0] == ["file", "row", "id"]
    wanted = Counter((row["file"], str(row["row"]), row["id"]) for row in rows if row["flagged"])
    assert Counter(map(tuple, lines[1:])) == wanted
