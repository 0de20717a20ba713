"""What models of texts ask for: libraries that only some installations have, and an encoder."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from relabel.doctor.findings import Finding, ok, problem
from relabel.errors import UserError
from relabel.model.artifact import Artifact
from relabel.settings import TrainSettings
from relabel.text import encoder_files
from relabel.text.subwords import MISSING

OF_MODELS: Mapping[str, tuple[str, ...]] = {
    "lstm": ("torch",),
    "pooled": ("torch",),
    "convolutional": ("torch",),
    "fine_tuned": ("torch", "transformers"),
}
"""Kind of model -> libraries that an endpoint of it needs beside numpy."""

OF_READERS: Mapping[str, tuple[str, ...]] = {"encoder": ("torch", "transformers"), "subwords": ("tokenizers",)}
"""How texts are read -> libraries for it."""

LEARNERS_OF_EMBEDDINGS = ("", "mlp")


def served(found: Artifact) -> Iterator[Finding]:
    """Name what an endpoint of this model would miss."""
    read = () if found.text is None else OF_READERS.get(found.text.kind, ())
    yield from _missing("model", (*OF_MODELS.get(found.model.kind, ()), *read))


def trained(chosen: TrainSettings, encoder: Path | None) -> Iterator[Finding]:
    """Name what a job with these settings would miss.

    encoder: folder of the channel `encoder`, or None.
    """
    boosted = chosen.learner == "boosted" or (
        chosen.baselines == "all" and chosen.learner not in LEARNERS_OF_EMBEDDINGS
    )
    of_encoder = () if encoder is None else ("transformers",)
    yield from _missing("learner", (*(("xgboost",) if boosted else ()), *of_encoder))
    if encoder is not None:
        yield _encoder(encoder, chosen)
    elif chosen.learner == "fine_tuned":
        yield problem("encoder", "the learner fine_tuned needs an encoder: give its folder as the channel `encoder`")


def _encoder(folder: Path, chosen: TrainSettings) -> Finding:
    """Read what the encoder's folder says of itself, as the job does before it loads anything."""
    try:
        about = encoder_files.describe(folder, pooling=chosen.encoder_pooling)
    except UserError as error:
        return problem("encoder", "; ".join(error.problems))
    return ok(
        "encoder",
        f"{folder}: pooling {about.settings['pooling']}, at most {about.settings['max_tokens']} tokens of a text",
    )


def _missing(subject: str, names: Iterable[str]) -> Iterator[Finding]:
    missing = [name for name in dict.fromkeys(names) if importlib.util.find_spec(name) is None]
    if missing:
        yield problem(subject, MISSING.format(" and ".join(missing)))
