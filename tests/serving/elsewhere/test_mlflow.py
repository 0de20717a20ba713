"""Promises of models from MLflow: of its API as a stand-in has it, and as MLflow itself has it where MLFLOW_PYTHON names one."""

from __future__ import annotations

import shutil

import pytest

from relabel.errors import PlatformError, UserError
from relabel.model import artifact
from relabel.model.sources import http

pytestmark = pytest.mark.mlflow


@pytest.fixture
def logged(mlflow, model_folder, packed) -> tuple[str, str]:
    """A run that has the model as a folder with strangers around it, and as an archive; its id, and the number of the version made of it."""
    folder = packed.path.parent / "run"
    shutil.copytree(model_folder, folder / "model")
    (folder / "model" / "MLmodel").write_text("flavors: {}")
    (folder / "packed").mkdir()
    shutil.copy(packed.path, folder / "packed" / "model.tar.gz")
    run = mlflow.log(folder, "out")
    return run, mlflow.register("films", run, "out/model", "champion")


def test_every_address_of_a_model_leads_to_it(fetch, mlflow, logged, packed) -> None:
    """By version, by alias, by run, by path; a folder, a folder around it, an archive, a folder with one."""
    run, version = logged
    folder = fetch(f"models:/films/{version}", MLFLOW_TRACKING_URI=mlflow.url)
    assert {each.name for each in folder.iterdir()} == set(artifact.FILES)
    for uri in ("models:/films@champion", f"runs:/{run}/out/model", f"runs:/{run}/out", f"runs:/{run}"):
        assert fetch(uri, MLFLOW_TRACKING_URI=f"{mlflow.url}/") == folder
    for uri in (f"runs:/{run}/out/packed", f"runs:/{run}/out/packed/model.tar.gz"):
        assert fetch(uri, MLFLOW_TRACKING_URI=mlflow.url).name == packed.sha256


def test_a_hash_is_checked(fetch, mlflow, logged) -> None:  # noqa: ARG001  # there is a model
    """That of the folder's description."""
    with pytest.raises(UserError, match=r"hash of model\.json is"):
        fetch("models:/films@champion", "0" * 64, MLFLOW_TRACKING_URI=mlflow.url)


@pytest.mark.parametrize(
    "uri",
    ["models:/films/99", "models:/films@nobody", "models:/none/1", "runs:/0123456789abcdef0123456789abcdef/a"],
)
def test_what_mlflow_does_not_know_is_the_user_s_to_mend(fetch, mlflow, logged, uri) -> None:  # noqa: ARG001  # there is a model
    """By the address that was given."""
    with pytest.raises(UserError, match=uri):
        fetch(uri, MLFLOW_TRACKING_URI=mlflow.url)


@pytest.mark.parametrize(
    "uri", ["models:/films", "models:/films/Production", "runs:/", "mlflow-artifacts:/", "mlflow-artifacts:/../a"]
)
def test_an_address_without_its_parts_is_refused(fetch, uri) -> None:
    """With what is missing."""
    with pytest.raises(UserError, match="give"):
        fetch(uri, MLFLOW_TRACKING_URI="http://127.0.0.1:9")


@pytest.mark.parametrize("address", ["", "sqlite:///mlflow.db", "databricks"])
def test_a_server_s_address_is_needed(fetch, address) -> None:
    """In MLflow's own variable."""
    with pytest.raises(UserError, match="MLFLOW_TRACKING_URI"):
        fetch("models:/films/1", MLFLOW_TRACKING_URI=address)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_does_not_answer_is_the_platform_s_fault(fetch) -> None:
    """Without the password that its address has."""
    with pytest.raises(PlatformError, match=r"127.0.0.1:9.*refused") as failed:
        fetch("models:/films/1", MLFLOW_TRACKING_URI="http://ann:hush@127.0.0.1:9")
    assert "hush" not in str(failed.value)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MLFLOW_TRACKING_TOKEN": "hush"}, "Bearer hush"),
        ({"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "hush"}, http.basic("ann", "hush")),
    ],
)
def test_the_server_is_told_who_asks(fetch, mlflow, logged, variables, said) -> None:  # noqa: ARG001  # there is a model
    """At every call, by MLflow's own variables."""
    fetch("models:/films@champion", MLFLOW_TRACKING_URI=mlflow.url, **variables)
    if hasattr(mlflow, "asked"):  # of MLflow itself it is enough that it answers
        assert {authorization for _, authorization in mlflow.asked} == {said}


def test_artifacts_of_another_server_are_not_asked_for(fetch) -> None:
    """It would be told this one's credentials."""
    with pytest.raises(UserError, match="another server"):
        fetch("mlflow-artifacts://elsewhere/1/model", MLFLOW_TRACKING_URI="http://127.0.0.1:9")


@pytest.mark.parametrize("store", ["s3", "this machine"])
def test_a_store_beside_the_server_is_read_without_it(fetch, s3, tracking, model_folder, store) -> None:
    """In S3 with the credentials of AWS, in a folder that both machines have in place."""
    run = tracking.log(model_folder, "model")
    for name in artifact.FILES:
        s3.upload_file(str(model_folder / name), "models", f"{run}/artifacts/model/{name}")
    tracking.location = "s3://models/ROOT" if store == "s3" else f"file://{tracking.root}/ROOT"
    found = fetch(f"runs:/{run}/model", MLFLOW_TRACKING_URI=tracking.url)
    assert artifact.load(found).tensors_sha256 == artifact.load(model_folder).tensors_sha256
    assert len(tracking.asked) == 1


def test_a_store_that_is_not_known_here_is_named(fetch, tracking, model_folder) -> None:
    """With those that are."""
    run, tracking.location = tracking.log(model_folder, "model"), "gs://models/ROOT"
    with pytest.raises(UserError, match=r"gs://models/.*known here"):
        fetch(f"runs:/{run}/model", MLFLOW_TRACKING_URI=tracking.url)
