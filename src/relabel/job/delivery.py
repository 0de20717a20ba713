"""The artifact that a job leaves: the model that is served, with all that an endpoint, a later job and a watch need to know of it.

Letters: n training rows, h rows of the choosing half of dev, C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import relabel
from relabel.auditing import doubt
from relabel.data.examples import Split
from relabel.job import sampling
from relabel.job.champion import Champion
from relabel.job.judging import Judged
from relabel.job.material import Material
from relabel.model import training_rows
from relabel.model.artifact import Artifact
from relabel.results.findings import Findings
from relabel.settings import as_dict


def artifact_of(findings: Findings, winner: Judged, material: Material, champion: Champion | None) -> Artifact:
    """Make what is served. The temperature of its label audit is learned on the choosing half of dev.

    winner:   the models among which is the one that is served.
    champion: the one from whose weights it may have started.
    """
    examples, given_true, served = findings.examples, findings.audit.noise.given_true, findings.served
    treated = served.fitted_on == "treated"
    given, dev = examples.as_given()[winner.choosing], winner.dev[winner.best]
    return Artifact(
        model=winner.model,
        classes=examples.classes,
        fitted_on="treated" if treated else "given",
        noise=given_true,
        temperature=doubt.learn_temperature(given, dev, given_true, treated=treated),
        input="text" if material.of_texts else "embedding",
        text=material.text,
        training_rows=_known_again(findings, material, champion if served.start else None),
        reference=sampling.reference_of(examples, material.inputs, winner.model, findings.settings),
        provenance={
            "relabel": relabel.__version__,
            "data": findings.data,
            "settings": as_dict(findings.settings),
            "seed": served.seed,
            **({"start": served.start} if served.start else {}),
            "test": {"accuracy": served.test.accuracy, "log_loss": served.test.log_loss, "rows": served.test.rows},
        },
    )


def _known_again(findings: Findings, material: Material, start: Champion | None) -> NDArray[np.uint64]:
    """Hash the training rows (n,), by all that an endpoint of the model takes; with them come those of the model that it started from."""
    examples, found = findings.examples, [np.empty(0, np.uint64)]
    rows = examples.rows(Split.TRAIN)
    if findings.served.fitted_on == "treated":
        rows = rows[findings.treatment.weights[rows] > 0]
    if not material.of_texts:
        found.append(training_rows.collected(material.vectors, rows))
    if material.text is not None and examples.texts is not None:
        found.append(training_rows.collected_texts(examples.texts.among(rows)))
    if start is not None:  # what the champion learned from is in the weights
        assert start.artifact.training_rows is not None  # noqa: S101  # else no model starts from it
        found.append(start.artifact.training_rows)
    return np.unique(np.concatenate(found))
