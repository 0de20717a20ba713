"""Promises of the places of the contract."""

import dataclasses
from pathlib import Path

from relabel.container.paths import DEFAULT_ROOT, Paths


def test_the_contract_of_the_platform_is_laid_out_below_its_root() -> None:
    """Every place has the name that the platform gives it."""
    paths = Paths.below(DEFAULT_ROOT)
    assert paths.hyperparameters == Path("/opt/ml/input/config/hyperparameters.json")
    assert paths.input_data_config == Path("/opt/ml/input/config/inputdataconfig.json")
    assert [path.name for path in paths.resource_config] == ["resourceconfig.json", "resourceConfig.json"]
    assert paths.checkpoint_config == Path("/opt/ml/input/config/checkpointconfig.json")
    assert paths.channels == Path("/opt/ml/input/data")
    assert paths.model == Path("/opt/ml/model")
    assert paths.output_data == Path("/opt/ml/output/data")
    assert paths.failure == Path("/opt/ml/output/failure")
    assert paths.checkpoints == Path("/opt/ml/checkpoints")


def test_another_root_moves_every_place(tmp_path) -> None:
    """Nothing stays behind when the root is elsewhere."""
    paths = Paths.below(tmp_path)
    for field in dataclasses.fields(paths):
        value = getattr(paths, field.name)
        places = value if isinstance(value, tuple) else (value,)
        assert all(place is None or place.is_relative_to(tmp_path) for place in places), field.name


def test_an_output_folder_takes_all_that_the_job_writes(tmp_path) -> None:
    """Inputs stay where they were."""
    paths = Paths.below(DEFAULT_ROOT).moved(output=tmp_path)
    written = (paths.model, paths.output_data, paths.failure, paths.checkpoints)
    assert all(place.is_relative_to(tmp_path) for place in written)
    assert len(set(written)) == 4
    assert paths.channels == Paths.below(DEFAULT_ROOT).channels
    assert paths.data is None


def test_moving_nothing_changes_nothing(tmp_path) -> None:
    """None leaves a place where it is, also one that was moved before."""
    paths = Paths.below(tmp_path).moved(data=tmp_path / "rows", output=tmp_path / "out")
    assert paths.moved() == paths


def test_a_place_that_the_platform_names_follows_the_root(tmp_path) -> None:
    """A configuration file copied from the platform does not make a local job write to the platform's folders."""
    paths = Paths.below(tmp_path)
    assert paths.place(DEFAULT_ROOT / "checkpoints" / "a") == tmp_path / "checkpoints" / "a"
    assert paths.place(Path("/elsewhere")) == Path("/elsewhere")
    assert Paths.below(DEFAULT_ROOT).place(DEFAULT_ROOT / "checkpoints") == DEFAULT_ROOT / "checkpoints"
