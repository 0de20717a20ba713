"""Promises of the fits behind "more labels or cleaner labels?", on made rows whose truth is known."""

import dataclasses

import numpy as np
import pytest

from relabel import settings
from relabel.data import reading
from relabel.data.examples import Examples
from relabel.errors import UserError
from relabel.evaluation.outlook import Outlook
from relabel.job import curve
from relabel.job.material import made
from relabel.settings import TrainSettings

FEW = {**curve.DEFAULTS, "max_epochs": 12, "seeds": 3, "folds": 4, "width": 16, "lr": 0.01}


def looked(root, **others) -> tuple[Outlook, Examples]:
    """Weigh the data of a channel, quickly."""
    chosen = settings.parse(TrainSettings, {**FEW, **others})
    examples = reading.read({"train": root / "input" / "data" / "train"}, chosen)
    return curve.run(
        examples, made(examples, chosen), chosen, curve.plainly(lambda _name, _done, _total: None)
    ), examples


@pytest.fixture
def noisy(channel):
    """Made reviews of which a third has the other label, in train as in dev."""
    rng = np.random.default_rng(3)
    root = channel(rows=1500, width=96)
    for name in ("train", "dev"):
        path = root / "input" / "data" / "train" / f"{name}.csv"
        header, *lines = path.read_text().splitlines()
        flipped = [line[:-1] + str(1 - int(line[-1])) if rng.random() < 0.25 else line for line in lines]
        path.write_text("\n".join([header, *flipped]) + "\n")
    return root


def test_very_noisy_labels_are_worth_cleaning(noisy) -> None:
    """With a third of the labels wrong and rows enough, checking gains, and the sentence says how much."""
    found, _ = looked(noisy, seeds=8, folds=3, lr=0.001, max_epochs=6)
    assert found.checked is not None
    assert found.answer == "cleaner", found.sentence
    assert found.doubtful > 150
    assert found.checked.low > 0


def test_the_same_data_and_seed_give_the_same_figures(channel) -> None:
    """Every draw follows from the seed; and no figure knows the labels of test."""
    root = channel(rows=300)
    found, examples = looked(root, seeds=2)
    chosen = settings.parse(TrainSettings, {**FEW, "seeds": 2})
    test = examples.split == 2
    other = dataclasses.replace(examples, labels=np.where(test, 1 - examples.labels, examples.labels))
    assert curve.run(other, made(other, chosen), chosen, curve.plainly(lambda _name, _done, _total: None)) == found


def test_every_stack_tells_how_far_it_is(channel) -> None:
    """Names of the four stacks, in order, each to its end."""
    told: dict[str, tuple[int, int]] = {}
    chosen = settings.parse(TrainSettings, {**FEW, "seeds": 2, "max_epochs": 2})
    examples = reading.read({"train": channel(rows=300) / "input" / "data" / "train"}, chosen)
    found = curve.run(
        examples,
        made(examples, chosen),
        chosen,
        curve.plainly(lambda name, done, total: told.update({name: (done, total)})),
    )
    assert found.doubtful
    assert [*told] == ["shares", "cleaned", "copy", "checked"]
    assert found.rows == 300


def test_two_folds_are_too_few(channel) -> None:
    """An audit inside a fold needs a pair of others."""
    with pytest.raises(UserError, match="folds is 2"):
        looked(channel(rows=300), folds=2)
