"""Promises of reading the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

from relabel.container import environment
from relabel.container.paths import DEFAULT_ROOT, Paths
from relabel.settings import TrainSettings, from_environment


def test_without_variables_the_contract_is_where_the_platform_puts_it() -> None:
    """Nothing said means the platform's root, no channels, no job and ordinary output."""
    here = environment.read({})
    assert here.paths == Paths.below(DEFAULT_ROOT)
    assert here.channels == {}
    assert (here.hyperparameters, here.hosts, here.current_host, here.job_name, here.region) == ("",) * 5
    assert not here.plain


def test_the_environment_of_this_process_is_taken_by_default(monkeypatch) -> None:
    """What is set afterwards does not change what was read."""
    monkeypatch.setenv("TRAINING_JOB_NAME", "job-1")
    here = environment.read()
    monkeypatch.setenv("TRAINING_JOB_NAME", "job-2")
    assert here.job_name == "job-1"


def test_one_variable_moves_the_whole_contract(tmp_path) -> None:
    """RELABEL_ROOT is all it takes to run elsewhere."""
    assert environment.read({"RELABEL_ROOT": str(tmp_path)}).paths == Paths.below(tmp_path)


def test_the_toolkit_says_more_precisely_where_its_folders_are(tmp_path) -> None:
    """SM_MODEL_DIR and SM_OUTPUT_DATA_DIR win for those two places, also beside RELABEL_ROOT."""
    said = {"RELABEL_ROOT": str(tmp_path), "SM_MODEL_DIR": "/m", "SM_OUTPUT_DATA_DIR": "/o"}
    paths = environment.read(said).paths
    assert (paths.model, paths.output_data) == (Path("/m"), Path("/o"))
    assert paths.failure == Paths.below(tmp_path).failure


def test_channels_of_the_toolkit_have_their_own_names_back() -> None:
    """Names are lower case and sorted; an empty one is none."""
    said = {"SM_CHANNEL_TRAIN": "/t", "SM_CHANNEL_DEV": "/d", "SM_CHANNEL_TEST": " ", "SM_CHANNELS": '["train"]'}
    assert list(environment.read(said).channels.items()) == [("dev", Path("/d")), ("train", Path("/t"))]


def test_a_root_given_later_leaves_the_toolkits_folders_out(tmp_path) -> None:
    """A demonstration in a temporary folder never writes into the platform's folders; the other variables stay."""
    said = {"SM_MODEL_DIR": "/m", "SM_OUTPUT_DATA_DIR": "/o", "SM_CHANNEL_TRAIN": "/t", "AWS_REGION": "eu-central-1"}
    moved = environment.read(said).moved(tmp_path)
    assert moved.paths == Paths.below(tmp_path)
    assert moved.channels == {}
    assert moved.region == "eu-central-1"


def test_variables_serve_the_settings() -> None:
    """What was read is what `settings.from_environment` takes."""
    here = environment.read({"RELABEL_FOLDS": "7", "RELABEL_ROOT": "/x", "RELABEL_PLAIN": "1"})
    assert from_environment(TrainSettings, here.variables) == {"folds": "7"}


def test_what_is_fetched_is_kept_where_the_user_says() -> None:
    """`RELABEL_CACHE`, or nowhere in particular."""
    assert environment.read({"RELABEL_CACHE": " /kept "}).cache == Path("/kept")
    assert environment.read({}).cache is None


def test_secrets_do_not_show_when_it_is_printed() -> None:
    """A log line or a traceback with the environment in it gives nothing away."""
    assert "hunter2" not in repr(environment.read({"AWS_SECRET_ACCESS_KEY": "hunter2"}))


def test_it_cannot_be_changed() -> None:
    """A reading is a fact."""
    with pytest.raises(TypeError):
        environment.read({}).variables["A"] = "b"  # type: ignore[index]


@pytest.mark.parametrize(("said", "plain"), [("", False), ("0", False), ("1", True), ("true", True)])
def test_plain_lines_can_be_asked_for(said, plain) -> None:
    """The container's scripts ask by RELABEL_PLAIN=1."""
    assert environment.read({"RELABEL_PLAIN": said}).plain is plain


def test_the_container_side_loads_the_standard_library_only() -> None:
    """The supervisor and the readers of the contract start at once: nothing heavy comes with them."""
    modules = "configuration, environment, failure, logs, memory, metrics, paths, signals, supervisor"
    code = f"import sys; from relabel.container import {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"numpy", "pydantic", "torch", "pandas", "click", "relabel.settings"}
    assert heavy.isdisjoint(loaded)
    assert "relabel.container.supervisor" in loaded
