"""Promises of the images when they learn from texts and answer texts, without a network."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.image

QUICK = {"seeds": 1, "folds": 2, "policy": "keep", "data_issues": "off"}
GOOD, BAD, OTHERS = (
    ("great", "lovely", "superb"),
    ("awful", "boring", "dreadful"),
    ("film", "plot", "cast", "the", "scene"),
)
ASK = """
import json, sys, time, urllib.request
end = time.monotonic() + 60
body = json.dumps({"instances": sys.argv[1:]}).encode()
while True:
    try:
        asked = urllib.request.Request("http://127.0.0.1:8080/invocations", body, {"Content-Type": "application/json"})
        print(*(each["class"] for each in json.load(urllib.request.urlopen(asked, timeout=30))["predictions"]))
        break
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())
    except OSError:
        assert time.monotonic() < end, "no answer"
        time.sleep(0.1)
"""
"""Asks from inside, where no port is published."""


@pytest.fixture
def texts(tmp_path) -> Callable[..., Path]:
    """Make the folder of a training job with 400 reviews whose words tell their labels, and no embeddings."""

    def make(**hyperparameters: object) -> Path:
        root = tmp_path / "ml"
        config, data = root / "input" / "config", root / "input" / "data" / "train"
        for folder in (config, data):
            folder.mkdir(parents=True)
        strings = {name: str(value) for name, value in {**QUICK, **hyperparameters}.items()}
        (config / "hyperparameters.json").write_text(json.dumps(strings))
        for number, (name, rows) in enumerate((("train", 400), ("dev", 100), ("test", 100))):
            with (data / f"{name}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([("review", "label"), *reviews(rows, number)])
        return root

    return make


def reviews(rows: int, seed: int) -> list[tuple[str, str]]:
    """Make texts of ten words, two of which tell the label."""
    rng = np.random.default_rng(seed)
    return [
        (
            " ".join([*rng.choice(OTHERS, 8), *rng.choice((BAD, GOOD)[label], 2), str(row)]),
            ("negative", "positive")[label],
        )
        for row, label in enumerate(rng.integers(0, 2, rows))
    ]


@pytest.mark.parametrize(
    ("variant", "learner"),
    [
        ("image", "linear"),
        ("image", "lstm"),
        ("text_image", "linear"),
        ("text_image", "lstm"),
        ("text_image", "boosted"),
    ],
)
def test_texts_are_learned_and_answered_without_a_network(request, texts, variant, learner) -> None:
    """A job on texts alone ends well, and its model answers texts in the same image."""
    image, root = request.getfixturevalue(variant), texts(learner=learner)
    ended = image.run(root, "train")
    assert ended.code == 0, ended.log
    with image.started(root, "serve") as name:
        answer = image.inside(name, "python3", "-c", ASK, "a superb film, lovely cast", "boring and awful, the plot")
    assert answer.log == "positive negative\n"


def test_a_model_that_needs_the_image_for_texts_says_so(image, texts) -> None:
    """In the one without, before anything is learned, and for whoever can mend it."""
    ended = image.run(texts(learner="boosted"), "train")
    assert ended.code == 2
    assert "text" in ended.log
