"""Promises of clusters."""

from __future__ import annotations

import numpy as np

from relabel.auditing import neighbours
from relabel.auditing.neighbours import QUICK
from relabel.auditing.population import clusters, judged
from relabel.data.texts import Texts


def test_topics_become_clusters_with_their_words_and_figures(make) -> None:
    """Largest first; figures are those of the rows that count, and every row is in one cluster."""
    examples, opinion = make()
    view = neighbours.view(examples.features, QUICK, seed=0)
    cluster = clusters.divide(view, seed=0)
    assert np.array_equal(cluster, clusters.divide(view, seed=0))
    flagged = opinion.wrong > 0
    about = clusters.describe(examples, cluster, judged.judge(examples, opinion), flagged, seed=0)
    assert [each.cluster for each in about] == [*range(len(about))]
    sizes = [each.rows for each in about]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == 3000
    assert sum(each.flagged for each in about) == flagged.sum()
    topics = {each.words[0] for each in about}
    assert topics == {f"topic{n}" for n in range(6)}
    for each in about:
        inside = cluster == each.cluster
        assert sum(text.startswith(each.words[0]) for text in examples.texts[inside]) > 0.95 * each.rows
        assert each.accuracy == np.mean(~flagged[inside])
        assert each.labels == {
            "no": int((examples.labels[inside] == 0).sum()),
            "yes": int(examples.labels[inside].sum()),
        }


def test_few_rows_have_no_clusters(make) -> None:
    """Each would tell of a handful."""
    examples, opinion = make(rows=80)
    cluster = clusters.divide(neighbours.view(examples.features, QUICK, seed=0), seed=0)
    assert (cluster == clusters.NONE).all()
    assert clusters.describe(examples, cluster, judged.judge(examples, opinion), opinion.wrong > 0, seed=0) == ()


def test_rows_that_nobody_labelled_have_a_cluster_without_figures(make) -> None:
    """They are counted as rows, and judged by nothing."""
    examples, opinion = make(rows=300, labels=np.full(300, -1))
    cluster = np.zeros(300, np.int16)
    (only,) = clusters.describe(examples, cluster, judged.judge(examples, opinion), opinion.wrong < 0, seed=0)
    assert (only.rows, only.loss, only.accuracy, only.expected_wrong_labels) == (300, None, None, None)


def test_short_texts_without_telling_words_have_the_words_they_have(make) -> None:
    """A cluster of function words is named by them, not by a number; words that tell more come before them."""
    examples, opinion = make(rows=600, texts=Texts.of(["not for me", "oil cream and soap"] * 300))
    cluster = np.tile(np.array([0, 1], np.int16), 300)
    about = clusters.describe(examples, cluster, judged.judge(examples, opinion), opinion.wrong > 1, seed=0)
    assert {*about[0].words} == {"not", "for", "me"}
    assert {"oil", "cream", "soap"} <= {*about[1].words}
