"""What a finished job knows; every table of the results is a view of it.

Letters: N rows of all splits, C classes, S seeds, n test rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.carried import Carried
from relabel.auditing.data_issues.issue import Issue
from relabel.auditing.examine import Audit
from relabel.auditing.policies import Treatment
from relabel.auditing.population.population import Population
from relabel.data.examples import Examples
from relabel.evaluation.comparison import Comparison
from relabel.evaluation.evidence import Choice
from relabel.evaluation.metrics import Scores
from relabel.evaluation.outlook import Outlook
from relabel.evaluation.promotion import Promotion
from relabel.evaluation.verified import Verified
from relabel.model.explanation import Explanation
from relabel.model.faithfulness import Faithfulness
from relabel.settings import TrainSettings
from relabel.training.folds import FoldPlan
from relabel.training.side_model import Fidelity


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """The model that the endpoint gets.

    seed:         which of the S models trained after the treatment it is, from 0: the one with the best log loss on the choosing
                  half of dev.
    fitted_on:    given, or treated labels.
    before, dev, test: scores: on test of the same seed before the treatment, of the served one on the choosing half of dev and on test.
    start:         short hash of the model that it was trained on from; "" where it began anew.
    """

    seed: int
    fitted_on: str
    before: Scores
    dev: Scores
    test: Scores
    start: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What the compared models say of the test rows.

    rows:          (n,) intp, the test rows that count.
    before, after: (n, C) float32, probabilities by the mean of the S models.
    """

    rows: NDArray[np.intp]
    before: NDArray[np.float32]
    after: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Contest:
    """The model that serves now, the champion, against the one that this job would serve, the challenger.

    champion:   its short hash.
    left_out:   why test rows were left out -> how many.
    notes:      sentences that a person should read.
    comparison: champion before, challenger after; None where no row is left.
    promotion:  what was decided.
    """

    champion: str
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    comparison: Comparison | None
    promotion: Promotion


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Words that speak for the suggested label of doubtful rows.

    rows:         (n,) intp, the worst first.
    of:           how many rows that are doubtful have a text.
    reasons:      (n,) of each row.
    faithfulness: of the reasons; None where there was too little to measure.
    fidelity:     of the model of words that stands in for one of embeddings; None where the model itself was asked, or too few rows
                  were held out.
    side:         whether a model of words stands in.
    """

    rows: NDArray[np.intp]
    of: int
    reasons: tuple[Explanation, ...]
    faithfulness: Faithfulness | None
    fidelity: Fidelity | None = None
    side: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Everything that the results are written from.

    data:              digest of the data.
    model:             hash of the served model's tensors, as its artifact carries it.
    cross_validation:  scores of the networks' out-of-fold probabilities on the training rows as given.
    audit:             of the last pass.
    self_confidence:   (N,) out-of-fold probability of the given label.
    cleanlab_flagged:  (N,) by confident learning, over all rows.
    cleanlab_given_true: (C, C) noise rates from cleanlab's confident joint, to stand beside ours.
    choice:            what the policy auto chose and why; None under any other.
    comparison:        before and after on the test rows.
    predicted:         what it compares, row by row.
    noise_of_test:     whether the test labels carry the noise that was learned from those of train; where not, nothing is corrected for it.
    data_issues:       other issues of the data, none where they were not looked for.
    relabelled_test:   scores of the served model on test labels that the audit changed: the seed's protocol, optimistic.
    verified:          before and after on test rows that people verified; None where they are too few.
    baselines:         scores on test of plain learners, trained on the labels as given, by name.
    explained:         words behind the doubt; None where no doubtful row has a text.
    outlook:           what more labels and cleaner ones would be worth; None where it was not asked.
    population:        all rows seen together; None where no report is wanted.
    contest:           champion against challenger; None where no champion is given.
    """

    examples: Examples
    settings: TrainSettings
    data: str
    model: str
    plan: FoldPlan
    cross_validation: Scores
    audit: Audit
    self_confidence: NDArray[np.float64]
    cleanlab_flagged: NDArray[np.bool_]
    cleanlab_given_true: NDArray[np.float64]
    choice: Choice | None
    treatment: Treatment
    comparison: Comparison
    predicted: Predicted
    noise_of_test: Carried
    served: Served
    relabelled_test: Scores
    verified: Verified | None = None
    data_issues: tuple[Issue, ...] = ()
    baselines: Mapping[str, Scores] = field(default_factory=dict)
    explained: Explained | None = None
    outlook: Outlook | None = None
    population: Population | None = None
    contest: Contest | None = None
