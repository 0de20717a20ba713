"""Promises of reading what the platform says of a job."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.container import configuration, environment
from relabel.container.configuration import Configuration, Hosts
from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.errors import UserError

NOTHING = environment.read({})


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """An empty contract: its folders, and no file."""
    places = Paths.below(tmp_path)
    places.channels.mkdir(parents=True)
    places.hyperparameters.parent.mkdir(parents=True)
    return places


def channels(paths: Paths, *names: str) -> None:
    """Make a folder for each channel."""
    for name in names:
        (paths.channels / name).mkdir()


def read(paths: Paths, **variables: str) -> Configuration:
    """Read in an environment of these variables alone."""
    return configuration.read(paths, environment.read(variables))


def problems(paths: Paths, here: Environment = NOTHING) -> tuple[str, ...]:
    """Give the problems of a configuration that must have some."""
    with pytest.raises(UserError) as raised:
        configuration.read(paths, here)
    return raised.value.problems


@pytest.mark.parametrize("said", [None, "", " \n", "null", "{}"])
def test_files_that_say_nothing_leave_it_to_the_folders(paths, said) -> None:
    """Missing, blank, null and empty files mean one host, no hyperparameters, and the channels that are there."""
    channels(paths, "train", "dev")
    for file in (paths.hyperparameters, paths.input_data_config, paths.resource_config[0], paths.checkpoint_config):
        if said is not None:
            file.write_text(said)
    assert read(paths) == Configuration(
        hyperparameters={},
        channels={"dev": paths.channels / "dev", "train": paths.channels / "train"},
        hosts=Hosts("localhost", ("localhost",)),
        checkpoints=paths.checkpoints,
    )


def test_a_machine_without_any_of_it_has_an_empty_configuration(tmp_path) -> None:
    """No root at all is nothing said; whoever needs a channel says so."""
    assert read(Paths.below(tmp_path / "none")).channels == {}


def test_hyperparameters_are_kept_as_given(paths) -> None:
    """Types are given to them elsewhere: quotes, numbers and nulls pass through."""
    given = {"lr": "0.1", "policy": '"drop"', "folds": 5, "preset": None, "sagemaker_program": "x"}
    paths.hyperparameters.write_text(json.dumps(given))
    assert read(paths, SM_HPS='{"lr": 9}').hyperparameters == given


def test_the_toolkit_fills_in_for_missing_files(paths, tmp_path) -> None:
    """SM_HPS, SM_CHANNEL_…, SM_HOSTS and SM_CURRENT_HOST speak where no file does."""
    (tmp_path / "rows").mkdir()
    found = read(
        paths,
        SM_HPS='{"lr": 0.1}',
        SM_CHANNEL_TRAIN=str(tmp_path / "rows"),
        SM_HOSTS='["algo-2", "algo-1"]',
        SM_CURRENT_HOST="algo-2",
    )
    assert found.hyperparameters == {"lr": 0.1}
    assert found.channels == {"train": tmp_path / "rows"}
    assert found.hosts == Hosts("algo-2", ("algo-2", "algo-1"))


def test_files_win_over_the_toolkit(paths) -> None:
    """What the platform wrote for this job is what counts."""
    channels(paths, "train")
    paths.input_data_config.write_text('{"train": {"TrainingInputMode": "File"}}')
    assert read(paths, SM_CHANNEL_DEV="/nowhere").channels == {"train": paths.channels / "train"}


def test_only_visible_folders_are_channels(paths) -> None:
    """Hidden folders and files beside the channels, such as manifests, are passed over."""
    channels(paths, "train", ".ipynb_checkpoints")
    (paths.channels / "train-manifest").write_text("x")
    assert list(read(paths).channels) == ["train"]


@settings(deadline=None)
@given(
    names=st.sets(st.text("abcdefgh.-_0123456789", min_size=1, max_size=8).filter(lambda n: n[0] != "."), max_size=6)
)
def test_inferred_channels_are_the_folders_in_order(tmp_path_factory, names) -> None:
    """Whatever the folders are called, each is a channel once, sorted by name."""
    paths = Paths.below(tmp_path_factory.mktemp("root"))
    paths.channels.mkdir(parents=True)
    channels(paths, *names)
    assert list(read(paths).channels) == sorted(names)


def test_a_person_s_folder_is_the_train_channel(paths, tmp_path) -> None:
    """A folder of files is the channel `train`, whatever the files of the platform say."""
    paths.input_data_config.write_text('{"dev": {}}')
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "train.csv").write_text("review,label\n")
    assert read(paths.moved(data=rows)).channels == {"train": rows}


def test_a_person_s_folder_may_hold_channels(paths, tmp_path) -> None:
    """A folder with a folder `train` in it holds one channel per folder, whatever lies beside them."""
    for name in ("train", "test"):
        (tmp_path / "rows" / name).mkdir(parents=True)
    (tmp_path / "rows" / "README.md").write_text("x")
    assert list(read(paths.moved(data=tmp_path / "rows")).channels) == ["test", "train"]


def test_a_person_s_folder_that_is_not_there_is_named(paths, tmp_path) -> None:
    """The message has the path that was given."""
    assert str(tmp_path / "absent") in problems(paths.moved(data=tmp_path / "absent"))[0]


def test_the_model_channel_is_no_data(paths) -> None:
    """An earlier artifact is never read as rows."""
    channels(paths, "model", "train")
    found = read(paths)
    assert found.model_channel == paths.channels / "model"
    assert found.data_channels == {"train": paths.channels / "train"}


def test_what_the_sdk_adds_for_source_code_is_no_data(paths) -> None:
    """A training job that the SDK starts with a script has channels of the SDK's own."""
    channels(paths, "code", "sm_drivers", "train")
    assert read(paths).data_channels == {"train": paths.channels / "train"}


def test_without_a_model_channel_there_is_none(paths) -> None:
    """Most jobs start from nothing."""
    assert read(paths).model_channel is None


def test_a_named_channel_without_a_folder_is_a_problem(paths) -> None:
    """Reading on without it would train on less than the person gave."""
    channels(paths, "train")
    paths.input_data_config.write_text('{"train": null, "dev": {}}')
    (problem,) = problems(paths)
    assert "channel `dev`" in problem
    assert str(paths.channels / "dev") in problem


def test_a_toolkit_channel_without_a_folder_is_a_problem(paths) -> None:
    """The message says where the name came from."""
    (problem,) = problems(paths, environment.read({"SM_CHANNEL_TRAIN": "/nowhere"}))
    assert "channel `train`" in problem
    assert "SM_CHANNEL" in problem


def test_pipe_mode_is_refused_with_the_way_out(paths) -> None:
    """One message per such channel names FastFile; its missing folder is not a second problem."""
    paths.input_data_config.write_text('{"train": {"TrainingInputMode": "Pipe"}}')
    (problem,) = problems(paths)
    assert "FastFile" in problem


SHARDED = {"S3DistributionType": "ShardedByS3Key"}


def test_sharded_channels_are_named_and_may_be_empty_here(paths) -> None:
    """Of several hosts one may get no file of a small channel, and then perhaps no folder: the channel is there nevertheless."""
    channels(paths, "train", "test")
    paths.input_data_config.write_text(json.dumps({"train": SHARDED, "dev": SHARDED, "test": {}}))
    paths.resource_config[0].write_text('{"current_host": "a", "hosts": ["a", "b"]}')
    told = read(paths)
    assert list(told.channels) == ["dev", "test", "train"]
    assert told.sharded == {"train", "dev"}


@pytest.mark.parametrize("name", ["model", "encoder", "reviewed"])
def test_what_every_host_needs_whole_may_not_be_sharded(paths, name) -> None:
    """The message says what to use."""
    channels(paths, "train", name)
    paths.input_data_config.write_text(json.dumps({"train": {}, name: SHARDED}))
    paths.resource_config[0].write_text('{"current_host": "a", "hosts": ["a", "b"]}')
    (problem,) = problems(paths)
    assert f"`{name}`" in problem
    assert "FullyReplicated" in problem


def test_one_shard_is_the_whole(paths) -> None:
    """On one host ShardedByS3Key gives every row, so its folder must be there."""
    channels(paths, "train")
    paths.resource_config[0].write_text('{"current_host": "a", "hosts": ["a"]}')
    paths.input_data_config.write_text(json.dumps({"train": SHARDED}))
    assert list(read(paths).channels) == ["train"]
    paths.input_data_config.write_text(json.dumps({"train": SHARDED, "dev": SHARDED}))
    assert "no folder" in problems(paths)[0]


@pytest.mark.parametrize("spelling", [0, 1])
def test_both_spellings_of_the_resource_configuration_are_read(paths, spelling) -> None:
    """The platform writes resourceconfig.json, its example says resourceConfig.json; newer keys are passed over."""
    said = {"current_host": "algo-2", "hosts": ["algo-1", "algo-2"], "current_instance_type": "ml.c5.large"}
    paths.resource_config[spelling].write_text(json.dumps(said))
    hosts = read(paths).hosts
    assert hosts == Hosts("algo-2", ("algo-1", "algo-2"))
    assert hosts.leader == "algo-1"
    assert not hosts.is_leader


@given(names=st.lists(st.text("algo-0123456789xyz", min_size=1), min_size=1, max_size=6, unique=True))
def test_every_host_finds_the_same_leader(names) -> None:
    """Exactly one of the hosts leads, in whatever order they are listed."""
    views = [Hosts(current, tuple(order)) for current, order in zip(names, [names, names[::-1]] * 3, strict=False)]
    assert len({view.leader for view in views}) == 1
    assert sum(view.is_leader for view in views) == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"current_host": "c", "hosts": ["a", "b"]}', "'c' is not one of the hosts a, b"),
        ('{"hosts": ["a", "b"]}', "no `current_host`"),
        ('{"current_host": "a", "hosts": "a"}', "as a list of names"),
        ('{"current_host": 1, "hosts": ["a"]}', "as a list of names"),
    ],
)
def test_hosts_that_contradict_each_other_are_a_problem(paths, said, expected) -> None:
    """A job that does not know which host it is would write over the others' results."""
    paths.resource_config[0].write_text(said)
    (problem,) = problems(paths)
    assert expected in problem


@pytest.mark.parametrize("said", ['{"current_host": "a"}', '{"hosts": ["a"]}'])
def test_one_host_needs_no_second_mention(paths, said) -> None:
    """One name is enough to know the only host."""
    paths.resource_config[0].write_text(said)
    assert read(paths).hosts == Hosts("a", ("a",))


def test_the_checkpoint_folder_of_the_file_wins(paths, tmp_path) -> None:
    """LocalPath is where the platform keeps checkpoints; one below the platform's root follows ours."""
    paths.checkpoint_config.write_text(json.dumps({"LocalPath": str(tmp_path / "kept")}))
    assert read(paths).checkpoints == tmp_path / "kept"
    paths.checkpoint_config.write_text('{"LocalPath": "/opt/ml/checkpoints/mine"}')
    assert read(paths).checkpoints == paths.checkpoints / "mine"


def test_all_problems_of_all_files_come_at_once(paths) -> None:
    """Each broken file is named once, in one error, and none of their content is repeated."""
    paths.hyperparameters.write_text('{"lr": "0.1", "token": "hunter2')
    paths.resource_config[0].write_text('["hunter2"]')
    paths.checkpoint_config.write_bytes(b'{"LocalPath": "\xff"}')
    paths.input_data_config.write_text('{"dev": {}, "train": {"TrainingInputMode": "Pipe"}, "test": 3}')
    found = problems(paths)
    for part in ("hyperparameters.json", "resourceconfig.json", "not UTF-8", "no folder", "FastFile", "a number"):
        assert sum(part in problem for problem in found) >= 1, part
    assert "hunter2" not in "".join(found)


def test_truncated_json_is_a_problem_that_says_where(paths) -> None:
    """A person can open the file at the line that is named."""
    paths.hyperparameters.write_text('{\n"lr": ')
    (problem,) = problems(paths)
    assert str(paths.hyperparameters) in problem
    assert "line 2" in problem


def test_broken_json_of_the_toolkit_names_its_variable(paths) -> None:
    """The environment is checked as files are."""
    (problem,) = problems(paths, environment.read({"SM_HPS": "{"}))
    assert "SM_HPS" in problem


def test_a_byte_order_mark_is_no_problem(paths) -> None:
    """Some editors put one before JSON that people write by hand."""
    paths.hyperparameters.write_bytes(b'\xef\xbb\xbf{"lr": "0.1"}')
    assert read(paths).hyperparameters == {"lr": "0.1"}


def test_a_file_that_is_a_folder_is_a_problem(paths) -> None:
    """What cannot be read is reported like what is broken."""
    paths.hyperparameters.mkdir()
    (problem,) = problems(paths)
    assert "cannot be read" in problem


def test_reading_writes_nothing(paths) -> None:
    """Channels may be read-only mounts: everything stays as it was."""
    channels(paths, "train")
    before = sorted((str(path), path.stat().st_mtime_ns) for path in paths.root.rglob("*"))
    read(paths)
    assert sorted((str(path), path.stat().st_mtime_ns) for path in paths.root.rglob("*")) == before


def test_answers_that_a_person_names_stand_in_place_of_their_channel(paths, tmp_path) -> None:
    """The file is the channel `reviewed`; one that is not there is a problem that names it."""
    channels(paths, "train", "reviewed")
    answers = tmp_path / "answers.jsonl"
    answers.write_text("")
    assert read(paths.moved(reviews=answers)).channels == {"train": paths.channels / "train", "reviewed": answers}
    (problem,) = problems(paths.moved(reviews=tmp_path / "none.jsonl"))
    assert str(tmp_path / "none.jsonl") in problem
