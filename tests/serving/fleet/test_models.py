"""Promises of the models that are loaded: one truth whatever happens at a time, and memory that comes back."""

from __future__ import annotations

import dataclasses
import shutil
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from relabel.model import artifact
from relabel.serving import process, served
from relabel.serving.fleet.models import Models
from relabel.serving.fleet.refusal import RefusalError
from relabel.serving.fleet.room import Room
from relabel.serving.served import Served

from .conftest import ROOM, save

NAMES = st.sampled_from(["a", "b", "a/b", "../a", "%2e"])
VECTOR = np.ones((1, 2), np.float32)


def favourite(model: Served) -> int:
    """Give the class that a model always says."""
    return int(model(VECTOR).argmax())


def refused(work: Callable[[], object]) -> int:
    """Give the status of a refusal."""
    with pytest.raises(RefusalError) as caught:
        work()
    return caught.value.status


class Against(RuleBasedStateMachine):
    """Models against a plain dict from names to favourites."""

    store: Path

    @initialize()
    def begin(self) -> None:
        self.models = Models([self.store], ROOM)
        self.expected: dict[str, int] = {}

    @rule(name=NAMES, which=st.integers(0, 2))
    def load(self, name: str, which: int) -> None:
        if name in self.expected:
            assert refused(lambda: self.models.load(name, str(self.store / str(which)))) == 409
        else:
            self.models.load(name, str(self.store / str(which)))
            self.expected[name] = which

    @rule(name=NAMES, where=st.sampled_from([("broken", 400), ("none", 404), ("..", 400)]))
    def load_none(self, name: str, where: tuple[str, int]) -> None:
        folder, status = where
        wanted = 409 if name in self.expected else status
        assert refused(lambda: self.models.load(name, str(self.store / folder))) == wanted

    @rule(name=NAMES)
    def unload(self, name: str) -> None:
        if name in self.expected:
            self.models.unload(name)
            del self.expected[name]
        else:
            assert refused(lambda: self.models.unload(name)) == 404

    @rule(name=NAMES)
    def ask(self, name: str) -> None:
        if name in self.expected:
            assert self.models.use(name, favourite) == self.expected[name]
        else:
            assert refused(lambda: self.models.use(name, favourite)) == 404

    @rule(name=NAMES)
    def look_up(self, name: str) -> None:
        if name in self.expected:
            assert self.models.get(name).url == str(self.store / str(self.expected[name]))
        else:
            assert refused(lambda: self.models.get(name)) == 404

    @invariant()
    def lists_what_is_there(self) -> None:
        if hasattr(self, "models"):
            assert [each.name for each in self.models.after("", 9)] == sorted(self.expected)
            assert sum(entry.users for entry in self.models._entries.values()) == self.models._leaving == 0


def test_whatever_is_asked_in_a_row_a_dict_says_the_same(store) -> None:
    """Loads, unloads, predictions and lists of any names."""
    machine = type("Here", (Against,), {"store": store})
    state = machine.TestCase.settings
    machine.TestCase.settings = settings(state, max_examples=12, stateful_step_count=20, deadline=None)
    machine.TestCase("runTest").runTest()


@contextmanager
def gated(models: Models) -> Iterator[threading.Event]:
    """Let a prediction begin and wait; it ends when the event is set."""
    begun, let_go = threading.Event(), threading.Event()

    def slow(model: Served) -> int:
        begun.set()
        assert let_go.wait(20)
        return favourite(model)

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(models.use, "a", slow)
        assert begun.wait(20)
        try:
            yield let_go
        finally:
            let_go.set()
        assert answer.result(20) == 1


def test_a_prediction_under_way_ends_with_the_model_that_it_began_with(store) -> None:
    """Unloading waits for it, later requests are a 404, and the name can have another model meanwhile."""
    models = Models([store], ROOM)
    models.load("a", str(store / "1"))
    with gated(models) as let_go, ThreadPoolExecutor(1) as threads:
        unloaded = threads.submit(models.unload, "a")
        while models.after("", 1):
            pass
        assert refused(lambda: models.use("a", favourite)) == 404
        models.load("a", str(store / "2"))
        assert models.use("a", favourite) == 2
        assert not unloaded.done()
        let_go.set()
        unloaded.result(20)
    assert models.use("a", favourite) == 2


def test_a_name_that_is_loaded_twice_at_once_is_loaded_once(store) -> None:
    """One load is done, all others hear that the name is taken."""
    models = Models([store], ROOM)
    together = threading.Barrier(4)

    def load(_turn: int) -> int:
        together.wait(20)
        try:
            models.load("a", str(store / "0"))
        except RefusalError as error:
            return error.status
        return 200

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(load, range(4))) == [200, 409, 409, 409]


def test_predictions_do_not_wait_for_a_load(store) -> None:
    """However long it takes; unloading of another model does."""
    begun, let_go = threading.Event(), threading.Event()

    def slow(folder: Path) -> Served:
        if folder.name == "2":
            begun.set()
            assert let_go.wait(20)
        return served.load(folder)

    models = Models([store], ROOM, slow)
    models.load("a", str(store / "1"))
    with ThreadPoolExecutor(1) as threads:
        loaded = threads.submit(models.load, "b", str(store / "2"))
        assert begun.wait(20)
        assert models.use("a", favourite) == 1
        assert [each.name for each in models.after("", 9)] == ["a"]
        assert refused(lambda: models.use("b", favourite)) == 404
        let_go.set()
        loaded.result(20)
    assert models.use("b", favourite) == 2


def test_no_answer_is_of_another_model_whatever_comes_at_once(store) -> None:
    """Four threads load, ask and unload the same names: each answer is one that the name could give, and nothing is left."""
    models = Models([store], ROOM)

    def work(seed: int) -> list[int]:
        rng, strange = np.random.default_rng(seed), []
        for _ in range(40):
            name = int(rng.integers(3))
            try:
                match rng.integers(4):
                    case 0:
                        models.load(str(name), str(store / str(name)))
                    case 1:
                        models.unload(str(name))
                    case _:
                        if models.use(str(name), favourite) != name:
                            strange.append(name)
            except RefusalError as error:
                if error.status not in (404, 409):
                    strange.append(error.status)
        return strange

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(4))) == [[]] * 4
    for each in models.after("", 9):
        models.unload(each.name)
    assert (models._entries, models._leaving) == ({}, 0)


def test_nothing_of_a_model_is_left_when_unload_returns(store, tmp_path) -> None:
    """Though somebody asked it at that moment. While it is loaded none of its files is mapped: to cut one would end the process."""
    kept: list[weakref.ref[object]] = []

    def noted(folder: Path) -> Served:
        model = served.load(folder)
        kept.append(weakref.ref(model.predictor))
        return model

    folder = shutil.copytree(store / "1", tmp_path / "held")
    models = Models([tmp_path], ROOM, noted)
    models.load("a", str(folder))
    assert str(folder) not in Path("/proc/self/maps").read_text()
    with gated(models) as let_go, ThreadPoolExecutor(1) as threads:
        unloaded = threads.submit(models.unload, "a")
        let_go.set()
        unloaded.result(20)
        assert kept[0]() is None


def test_what_a_failed_load_took_is_free_too(store) -> None:
    """The next model gets the whole room."""
    held: list[weakref.ref[object]] = []

    def failing(folder: Path) -> Served:
        model = served.load(folder)
        held.append(weakref.ref(model.predictor))
        raise MemoryError

    models = Models([store], ROOM, failing)
    assert refused(lambda: models.load("a", str(store / "0"))) == 507
    assert held[0]() is None
    assert (models._entries, models._leaving) == ({}, 0)


def test_memory_comes_back_to_the_system(tmp_path) -> None:
    """Twenty megabytes of weights are there while the model is, and gone with it, three times over."""
    width = 1600
    folder = save(tmp_path / "large", 0)
    loaded = served.load(folder).artifact
    sizes = {"inputs": width, "width": width, "depth": 1, "classes": 3}
    tensors = {"mean": np.zeros(width, np.float32), "scale": np.ones(width, np.float32)}
    tensors |= {"weight.0": np.ones((width, width), np.float32), "bias.0": np.zeros(width, np.float32)}
    tensors |= {"weight.1": np.ones((width, 3), np.float32), "bias.1": np.zeros(3, np.float32)}
    model = dataclasses.replace(loaded.model, sizes=sizes, tensors=tensors)
    artifact.save(folder, dataclasses.replace(loaded, model=model))
    del loaded, tensors, model
    models = Models([tmp_path], ROOM)
    process.free()
    before = process.held()
    for _ in range(3):
        models.load("a", str(folder))
        assert process.held() - before > 15 << 20
        assert models._entries["a"].size > 15 << 20
        models.unload("a")
        assert abs(process.held() - before) < 8 << 20


def test_room_is_what_others_left(store) -> None:
    """Models that have come are counted by what they took, those that have gone are not."""
    models = Models([store], Room(3 << 20, 1 << 40, lambda: 0))
    models.load("a", str(store / "0"))
    taken = models._entries["a"].size
    assert 0 < taken < 1 << 20
    tight = Models([store], Room((1 << 20) + 20_000, 1 << 40, lambda: 0))
    names = [str(number) for number in range(40)]
    loaded = [name for name in names if _fits(tight, name, store)]
    assert 1 < len(loaded) < 40
    assert loaded == names[: len(loaded)]
    tight.unload("0")
    tight.load("again", str(store / "0"))


def _fits(models: Models, name: str, store: Path) -> bool:
    try:
        models.load(name, str(store / "0"))
    except RefusalError as error:
        if error.status == 507:
            return False
        raise
    return True
