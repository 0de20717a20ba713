"""Promises of doubting labels one by one, on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from relabel.auditing import doubt, posterior
from relabel.auditing.examine import examine


@pytest.mark.parametrize("treated", [True, False])
def test_the_posterior_is_calibrated_for_either_kind_of_model(make, three, treated) -> None:
    """Of given or of true labels: among rows with a posterior near q about the share q is wrong, and errors rank first."""
    data = make(rows=20_000, given_true=three)
    probability = (data.eta if treated else data.probability).astype(np.float32)
    found = doubt.of(data.labels, probability, three, temperature=1.0, treated=treated)
    for low in np.arange(0, 1, 0.2):
        inside = (found.posterior >= low) & (found.posterior < low + 0.2)
        assert data.wrong[inside].mean() == pytest.approx(found.posterior[inside].mean(), abs=0.04)
    assert average_precision_score(data.wrong, found.posterior) > 3 * data.wrong.mean()
    assert (found.suggested == data.truth).mean() > (data.labels == data.truth).mean()


def test_it_is_the_posterior_of_a_jobs_audit(make) -> None:
    """A model of true labels that says what the audit says of rows says the same of their labels, one row alone or with others."""
    data = make()
    audit = examine(data.labels, data.known, training=data.all(), trusted=data.none())
    rates = audit.noise.given_true
    found = doubt.of(data.labels, data.eta, rates, temperature=1.0, treated=True)
    np.testing.assert_allclose(found.posterior, audit.posterior, atol=1e-12)
    for n in range(5):
        one = doubt.of(data.labels[[n]], data.eta[[n]], rates, temperature=1.0, treated=True)
        assert one.posterior == pytest.approx(found.posterior[[n]], abs=1e-12)


@pytest.mark.parametrize("treated", [True, False])
def test_the_temperature_undoes_a_model_that_is_too_sure(make, treated) -> None:
    """Learned from labels as given, of which some are missing: probabilities sharpened by 3 come back to what they were."""
    data = make(rows=20_000)
    right = data.eta if treated else data.probability
    sharp = right**3 / (right**3).sum(axis=1, keepdims=True)
    labels = np.where(np.arange(data.labels.size) % 4 == 0, -1, data.labels)
    learned = doubt.learn_temperature(labels, sharp, data.given_true, treated=treated)
    assert learned == pytest.approx(3, abs=0.2)
    np.testing.assert_allclose(posterior.softened(sharp, learned), right, atol=0.03)


def test_extreme_probabilities_leave_a_posterior() -> None:
    """A model that is entirely sure, noise that cannot have given the label: between 0 and 1, never NaN."""
    noise = np.array([[1.0, 0.0], [0.3, 0.7]])
    for treated in (True, False):
        found = doubt.of(
            np.array([0, 1, 0, 1]),
            np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32),
            noise,
            temperature=1.0,
            treated=treated,
        )
        assert ((found.posterior >= 0) & (found.posterior <= 1)).all()
