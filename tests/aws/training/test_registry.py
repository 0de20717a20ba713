"""Promises of `relabel aws register`."""

from __future__ import annotations

import json

from relabel.aws import results
from relabel.codecs import table

BUCKET = "relabel-123456789012-eu-west-1"
COMPARED = {"champion": "0123456789ab", "challenger": "ba9876543210", "decision": "promote", "gain": {}}


def fetched(tmp_path, archives, **record: str):
    """A folder as `relabel aws train` fetches it."""
    (tmp_path / "in").mkdir()
    for name, content in archives.items():
        (tmp_path / "in" / name).write_bytes(content)
    results.unpack(tmp_path / "in", tmp_path / "out", {"job": "relabel-a", **record})
    return tmp_path / "out"


def test_a_version_has_the_figures_that_speak_for_it(relabel, cloud, tmp_path, archives) -> None:
    """Gain, test accuracy, data, hash and decision in its facts; the whole figures in S3; the types that an endpoint speaks; registered once."""
    folder = fetched(tmp_path, archives, image="image:1", model=f"s3://{BUCKET}/out/relabel-a/output/model.tar.gz")
    (folder / "output/data/champion.json").write_text(json.dumps(COMPARED))
    first = json.loads(relabel("aws", "register", folder, "--json", "--approval", "approved", "--tag", "a=b").out)
    again = json.loads(relabel("aws", "register", folder, "--json").out)
    assert (first["registered"], again["registered"]) == (True, False)
    assert first["model_package"] == again["model_package"]
    sagemaker = cloud.client("sagemaker")
    assert len(sagemaker.list_model_packages(ModelPackageGroupName="relabel-models")["ModelPackageSummaryList"]) == 1
    version = sagemaker.describe_model_package(ModelPackageName=first["model_package"])
    facts = version["CustomerMetadataProperties"]
    assert facts["gain"] == "+0.017500"
    assert facts["test_accuracy"] == "0.760000"
    assert facts["decision"] == "promote"
    assert facts["data_digest"] == "d" * 32
    assert len(facts["model_sha256"]) == 64
    assert version["ModelApprovalStatus"] == "Approved"
    place = version["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
    quality = json.load(cloud.client("s3").get_object(Bucket=BUCKET, Key=place)["Body"])
    assert quality["binary_classification_metrics"]["accuracy"]["value"] == 0.76
    assert quality["relabel"]["champion"] == COMPARED
    (container,) = version["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"].endswith("out/relabel-a/output/model.tar.gz")


def test_a_model_that_was_trained_here_is_uploaded(relabel, cloud, tmp_path, archives) -> None:
    """It is packed for hosting first; without an image to serve it nothing is registered."""
    folder = fetched(tmp_path, archives)
    assert relabel("aws", "register", folder).code == 2
    assert relabel("aws", "register", folder, "--image", "image:1", "--group", "mine").code == 0
    keys = [each["Key"] for each in cloud.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert {key.rpartition("/")[2] for key in keys} == {"model.tar.gz", "model_quality.json"}
    groups = cloud.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupName"] for each in groups] == ["relabel-mine"]


def test_the_models_own_folder_will_do(relabel, cloud, tmp_path, archives) -> None:
    """The job's folder and the model's in it are the same version, with the job's record and figures."""
    folder = fetched(tmp_path, archives, image="image:1", model=f"s3://{BUCKET}/out/relabel-a/output/model.tar.gz")
    whole, own = (json.loads(relabel("aws", "register", each, "--json").out) for each in (folder, folder / "model"))
    assert (whole["registered"], own["registered"]) == (True, False)
    assert (
        len(
            cloud.client("sagemaker").list_model_packages(ModelPackageGroupName="relabel-models")[
                "ModelPackageSummaryList"
            ]
        )
        == 1
    )
    assert own["facts"] == whole["facts"]


def test_a_model_of_vectors_takes_what_carries_vectors(tmp_path, archives) -> None:
    """Its types are those of the endpoint's own table, plain text not among them."""
    from relabel.aws import registry  # noqa: PLC0415
    from relabel.model import artifact  # noqa: PLC0415

    types = registry.types(artifact.load(fetched(tmp_path, archives) / "model"))
    assert types == tuple(known for known in table.CODECS if known != table.PLAIN)
