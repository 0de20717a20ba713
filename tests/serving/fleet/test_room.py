"""Promises of the memory that models may take."""

from __future__ import annotations

import pytest

from relabel.errors import UserError
from relabel.serving import process
from relabel.serving.capacity import MB
from relabel.serving.fleet import room
from relabel.serving.fleet.refusal import RefusalError
from relabel.serving.fleet.room import Room
from relabel.settings import ServeSettings

GIB = 1024 * MB


def test_models_get_their_share_less_what_the_process_has() -> None:
    """Of the memory of the container."""
    whole, half = (room.of(ServeSettings(models_share=share), 64 * GIB).models for share in (0.8, 0.4))
    assert abs((whole - half) - 0.4 * 64 * GIB) < 100 * MB
    assert abs(half + process.held() - 0.4 * 64 * GIB) < 100 * MB


def test_a_share_that_leaves_nothing_is_refused() -> None:
    """Before the server begins, with what to do."""
    with pytest.raises(UserError, match=r"leave nothing for models with models_share 0\.5: give the container more"):
        room.of(ServeSettings(), 2 * MB)


def test_what_is_mapped_or_never_opened_needs_no_memory(store) -> None:
    """Of a model's files the arrays and the description count, the training rows do not."""
    folder = store / "0"
    counted = [folder / name for name in ("model.json", "model.safetensors")]
    assert room.expected(folder).least == sum(path.stat().st_size for path in counted)


def test_a_text_model_s_terms_count(text_model) -> None:
    """They are held as strings."""
    assert room.expected(text_model).least > sum(
        (text_model / name).stat().st_size for name in ("model.json", "model.safetensors")
    )


def test_an_encoder_s_weights_are_mapped_and_count_less(text_model) -> None:
    """Ten times their size would keep out what fits."""
    before = room.expected(text_model)
    (text_model / "encoder").mkdir()
    (text_model / "encoder" / "weights").write_bytes(bytes(10_000))
    after = room.expected(text_model)
    assert (after.least - before.least, after.most - before.most) == (10_000, room.MAPPED * 10_000)


@pytest.mark.parametrize(("need", "taken", "held"), [(101, 0, 0), (50, 51, 0), (50, 0, 451)])
def test_what_does_not_fit_is_not_admitted(need, taken, held) -> None:
    """Beside other models, and beside all else that the process holds."""
    with pytest.raises(RefusalError) as caught:
        Room(100, 500, lambda: held).admit(need, taken)
    assert caught.value.status == 507
    Room(100, 500, lambda: 400).admit(100, 0)
