"""The points of a report's map."""

from __future__ import annotations

import base64
import json

import numpy as np
import pyarrow as pa
import pytest

from relabel.report.sections import population as population_map


def unpacked(packed: dict[str, str]) -> np.ndarray:
    """Read numbers as the page's script does."""
    return np.frombuffer(base64.b64decode(packed["bytes"]), np.dtype(packed["kind"]).newbyteorder("<"))


def test_every_point_is_the_row_it_says(make) -> None:
    """Place, chance, text and label of a point are those of its row."""
    data = population_map.context(make([f"text {n}" for n in range(9)]))["data"]
    numbers = {name: unpacked(values) for name, values in data["numbers"].items()}
    given = data["names"]["given"]
    for n, position in enumerate(numbers["position"].tolist()):
        assert data["texts"][n] == f"text {position}"
        assert numbers["x"][n] == position
        assert numbers["flagged"][n] == (position % 3 == 0)
        assert numbers["posterior"][n] == pytest.approx(np.linspace(0.9, 0.1, 9)[position])
        assert given["names"][unpacked(given["codes"])[n]] == ("no", "yes")[position % 2]


def test_counts_are_of_all_rows_and_not_of_the_drawn(make, monkeypatch) -> None:
    """The legend counts the data; the sentence tells that not all of it is drawn."""
    monkeypatch.setattr(population_map, "MOST", 10)
    shown = population_map.context(make(["text"] * 90))
    assert shown["data"]["names"]["given"]["rows"] == [45, 45]
    assert sum(shown["data"]["names"]["doubt"]["rows"]) == 90
    assert not shown["data"]["whole"]
    assert shown["sentence"].startswith("10 of 90 rows are drawn")
    assert unpacked(shown["data"]["numbers"]["weight"]).sum() == pytest.approx(90)


def test_bands_hold_the_chances_that_they_name(make) -> None:
    """A row is in the band of the probability that its label is wrong."""
    data = population_map.context(make(["a"] * 5, posterior=[0.0, 0.1, 0.5, 0.9, 1.0], flagged=[False] * 5))["data"]
    codes = unpacked(data["names"]["doubt"]["codes"])
    assert [data["names"]["doubt"]["names"][code] for code in codes] == [
        "under 10%",
        "10% to 50%",
        "50% to 90%",
        "90% and more",
        "90% and more",
    ]


def test_rows_without_label_or_cluster_are_named_so(make) -> None:
    """What is missing has a name of its own, after all others, and its loss is no number."""
    data = population_map.context(make(["a", "b", "c"], given=["yes", None, "no"], flagged=[False] * 3))["data"]
    assert data["names"]["given"]["names"] == ["no", "yes", "no label"]
    assert data["names"]["cluster"]["names"] == ["cream", "soap", "in no cluster"]
    assert np.isnan(unpacked(data["numbers"]["loss"])).tolist() == [False, True, False]


def test_texts_fit_a_page_whatever_they_are(make, monkeypatch) -> None:
    """Where texts are too much for the page, all are cut shorter, and the template is told how short."""
    monkeypatch.setattr(population_map, "BUDGET", 9000)
    shown = population_map.context(make(["中" * 400] * 60))
    assert shown["cut"] == 30
    assert {len(text) for text in shown["data"]["texts"]} == {31}


def test_results_without_texts_carry_none(make) -> None:
    """Rows of embeddings alone make a map without texts and without ids."""
    data = population_map.context(make([None] * 6))["data"]
    assert (data["texts"], data["ids"]) == (None, None)


def test_data_for_the_page_are_json(make) -> None:
    """Everything that is handed to the script can be written, with no number that JSON lacks."""
    data = population_map.context(make(["</script>", None, "&\N{LINE SEPARATOR}"], given=[None, "no", "yes"]))["data"]
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_same_results_make_the_same_map(make, monkeypatch) -> None:
    """Nothing about the sample is left to chance."""
    monkeypatch.setattr(population_map, "MOST", 20)
    texts = [str(n) for n in range(100)]
    assert population_map.context(make(texts)) == population_map.context(make(texts))


def test_an_older_job_has_no_map_and_no_library(make) -> None:
    """Results without population.parquet give neither points nor the megabyte that would draw them."""
    found = make(["a", "b"], population=None)
    assert population_map.context(found)["data"] is None
    assert population_map.library(found) == ()


def test_the_library_is_that_of_the_package_and_ends_no_element(make) -> None:
    """BokehJS is found where the package keeps it, and can stand in a page."""
    (source,) = population_map.library(make(["a", "b"]))
    assert "Bokeh" in source
    assert "</script" not in source


def test_many_files_and_names_are_kept_apart(make) -> None:
    """Codes point at names however many there are."""
    found = make(["a"] * 300)
    names = [f"part {n}" for n in range(300)]
    audit = found.audit.set_column(0, "file", pa.array(names).dictionary_encode())
    data = population_map.context(make(["a"] * 300, audit=audit))["data"]
    said = [data["names"]["file"]["names"][code] for code in unpacked(data["names"]["file"]["codes"])]
    assert said == [names[position] for position in unpacked(data["numbers"]["position"])]


def test_the_directions_are_said_as_what_they_are(make) -> None:
    """Components come with the variance that they hold; a layout of UMAP comes with how to read it."""
    assert population_map.context(make(["a", "b"]))["projection"] == (
        "The two directions are the first principal components of a made layer, and hold 50% and 25% of its variance."
    )
    found = make(["a", "b"])
    found.overview["projection"] = {"method": "umap", "of": "the last layer", "explained": None}
    assert population_map.context(found)["projection"].startswith("UMAP has laid out the last layer")
