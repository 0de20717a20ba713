"""How far explanations are to be believed: what leaving out the words that they name does to the prediction.

Letters: n texts, k words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from relabel.model.explanation import Asked, Explanation
from relabel.model.predictor import Predictor
from relabel.text.reader import Reader

WORDS = 5
"""Most words k that are left out."""

DRAWS = 3
"""How often as many words are drawn at random."""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Means over texts that have words which speak for their class; of each text as many are left out as it has of these, `words` at most.

    texts:      n.
    words:      k.
    fall:       of the probability of the class, when the words that an explanation puts first are left out (the comprehensiveness of
                DeYoung et al. 2020).
    random:     the same with as many words drawn at random.
    difference: fall - random; above 0 the explanations know more than chance does.
    low, high:  95% interval of the difference, over texts.
    area:       the mean fall over leaving out the first word, the first two, up to all of them (the area over the perturbation curve of
                Samek et al. 2017).
    """

    texts: int
    words: int
    fall: float
    random: float
    difference: float
    low: float
    high: float
    area: float

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return dataclasses.asdict(self)

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"Without the up to {self.words} words that the explanations name first, the probability of the class falls by {self.fall:.3f} on the "
            f"mean of {self.texts} texts; without as many words at random, by {self.random:.3f} "
            f"(difference {self.difference:.3f}, 95% interval {self.low:.3f} to {self.high:.3f})."
        )


def measure(
    texts: Sequence[str],
    explanations: Sequence[Explanation],
    read: Reader,
    predictor: Predictor,
    *,
    words: int = WORDS,
    seed: int = 0,
) -> Faithfulness | None:
    """Leave out the words (k at most) that speak most for the class, one after another, and as many at random.

    None where fewer than two texts have such words: there is nothing to measure.
    """
    asked, rng = Asked(read, predictor), np.random.default_rng(seed)
    named = [[word for word, weight in each.words if weight > 0][:words] for each in explanations]
    used = [n for n, own in enumerate(named) if own]
    if len(used) < 2:  # noqa: PLR2004  # an interval needs two
        return None
    split = [asked.split(texts[n]) for n in used]
    labels = np.array([explanations[n].label for n in used])
    left_out = [
        [(), *(own[:k] for k in range(1, len(own) + 1)), *(_drawn(text.distinct, len(own), rng) for _ in range(DRAWS))]
        for own, text in zip([named[n] for n in used], split, strict=True)
    ]
    falls = [own[0] - own[1:] for own in asked.without(split, labels, left_out)]
    first = np.array([own[-DRAWS - 1] for own in falls])
    drawn = np.array([own[-DRAWS:].mean() for own in falls])
    gain = first - drawn
    reach = 1.96 * float(gain.std(ddof=1)) / np.sqrt(gain.size)
    return Faithfulness(
        texts=len(used),
        words=words,
        fall=float(first.mean()),
        random=float(drawn.mean()),
        difference=float(gain.mean()),
        low=float(gain.mean() - reach),
        high=float(gain.mean() + reach),
        area=float(np.mean([own[:-DRAWS].mean() for own in falls])),
    )


def _drawn(words: list[str], count: int, rng: np.random.Generator) -> list[str]:
    return [words[n] for n in rng.choice(len(words), count, replace=False)]
