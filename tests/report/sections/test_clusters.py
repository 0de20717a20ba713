"""Clusters as a report shows them."""

from __future__ import annotations

from relabel.report.sections import clusters


def test_the_cluster_with_most_wrong_labels_comes_first(make) -> None:
    """Clusters stand by the share of labels that is expected to be wrong."""
    shown = clusters.context(make(["a", "b"], words=("cream", "soap", "brush")))
    assert [(one.number, one.name) for one in shown["clusters"]] == [(2, "brush"), (1, "soap"), (0, "cream")]
    assert shown["worst"].name == "brush"


def test_labels_are_the_commonest_and_the_rest_is_counted(make) -> None:
    """A cluster names its three commonest labels with their shares, and counts the rows of all others."""
    found = make(["a"] * 2, words=("cream",))
    found.overview["clusters"][0]["labels"] = {"a": 10, "b": 60, "c": 20, "d": 5, "e": 5}
    (cluster,) = clusters.context(found)["clusters"]
    assert cluster.labels == [("b", 60, 0.6), ("c", 20, 0.2), ("a", 10, 0.1)]
    assert cluster.rest == 10


def test_a_cluster_without_words_is_named_by_its_number(make) -> None:
    """Clusters of rows that have no texts can be told apart."""
    found = make([None, None], words=("", ""))
    for one in found.overview["clusters"]:
        one["words"] = []
    assert {one.name for one in clusters.context(found)["clusters"]} == {"cluster 1", "cluster 2"}


def test_a_cluster_that_nothing_is_known_of_is_shown(make) -> None:
    """A cluster of unlabelled rows has no loss, and that is no failure."""
    found = make(["a"], words=("cream",))
    found.overview["clusters"][0] |= {"loss": None, "accuracy": None, "expected_wrong_labels": None, "labels": {}}
    shown = clusters.context(found)
    assert shown["clusters"][0].loss is None
    assert shown["worst"] is None


def test_results_without_an_overview_have_no_clusters(make) -> None:
    """An older folder gives an empty list."""
    assert clusters.context(make(["a"], overview=None))["clusters"] == []
