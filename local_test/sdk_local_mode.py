"""Fit, deploy, predict, transform and clean up through the SageMaker SDK's local mode, with an image of this machine and no AWS account.

    sdk_local_mode.py IMAGE --line v2 --folder DIR      Estimator(instance_type="local")                 requirements-sdk-v2.txt
    sdk_local_mode.py IMAGE --line v3 --folder DIR      ModelTrainer in local container mode, LocalSession   requirements-sdk-v3.txt

The two lines cannot live in one environment. Needs `docker` and `docker-compose` on the PATH. The last line of the output is the answer to
payloads/embeddings.json as JSON. DIR, which must not lie below /root, keeps the models and the transform's output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHANNEL = HERE / "test_dir" / "input" / "data" / "train"
PAYLOAD = HERE / "payloads" / "embeddings.json"
HYPERPARAMETERS = {"max_epochs": 4, "lr": 0.003, "seeds": 2, "threads": 1}
"""One thread for each host: they share the cores of one machine, and threads that wait for each other lose all of them."""
ROLE = "arn:aws:iam::123456789012:role/nobody"
JSON = "application/json"
QUIET = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
"""The SDK's own settings: it tells nobody that it is used."""


def main() -> None:
    """Run one line of the SDK."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("image")
    parser.add_argument("--line", choices=LINES, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="folder to work in")
    parser.add_argument("--port", type=int, default=8080, help="port of this machine that the endpoint takes")
    parser.add_argument("--hosts", type=int, default=1, help="instances that train together (v2)")
    said = parser.parse_args()
    folder = said.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "sdk.yaml"
    settings.write_text(QUIET)
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nobody",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(settings),
    }
    local = {"local": {"local_code": True, "container_root": str(folder), "serving_port": said.port}}
    before = containers(said.image)
    try:
        answer = LINES[said.line](said.image, folder, local, said.hosts)
    finally:
        settings.unlink()
        if left := containers(said.image) - before:  # the SDK stops its containers and leaves them
            subprocess.run(["docker", "rm", "--force", "--volumes", *left], stdout=subprocess.DEVNULL, check=False)
    sys.stdout.write(json.dumps(answer) + "\n")


def v2(image: str, folder: Path, local: dict[str, Any], hosts: int) -> Any:
    """Use the line with Estimator."""
    from sagemaker.deserializers import JSONDeserializer  # noqa: PLC0415  # one line of the SDK or the other is installed
    from sagemaker.estimator import Estimator  # noqa: PLC0415
    from sagemaker.local import LocalSession  # noqa: PLC0415
    from sagemaker.serializers import JSONSerializer  # noqa: PLC0415

    session = LocalSession()
    session.config = local
    estimator = Estimator(
        image,
        ROLE,
        hosts,
        "local",
        output_path=folder.as_uri(),
        sagemaker_session=session,
        hyperparameters=HYPERPARAMETERS,
    )
    step("fit")
    estimator.fit({"train": CHANNEL.as_uri()})
    step("deploy")
    predictor = estimator.deploy(1, "local", serializer=JSONSerializer(), deserializer=JSONDeserializer())
    try:
        step("predict")
        answer = predictor.predict(json.loads(PAYLOAD.read_text()))
    finally:
        predictor.delete_endpoint()
    step("transform")
    transformer = estimator.transformer(
        1, "local", strategy="SingleRecord", output_path=(folder / "transformed").as_uri()
    )
    # Local ones are done when this returns; waiting would ask AWS for the log.
    transformer.transform(PAYLOAD.as_uri(), content_type=JSON, wait=False)
    step("done")
    return answer


def v3(image: str, folder: Path, local: dict[str, Any], _hosts: int) -> Any:
    """Use the line with ModelTrainer; it has no class that hosts a model of one's own image locally, so its LocalSession does."""
    from sagemaker.core.local.local_session import LocalSession  # noqa: PLC0415
    from sagemaker.core.training.configs import Compute, InputData, SourceCode  # noqa: PLC0415
    from sagemaker.train.model_trainer import Mode, ModelTrainer  # noqa: PLC0415

    session = LocalSession()
    session.config = local
    source = folder / "code"
    source.mkdir()
    (source / "entry.sh").write_text("set -e\nexport RELABEL_PLAIN=1\nexec relabel train\n")
    models = {}
    for name, code in (("plain", None), ("source", SourceCode(source_dir=str(source), entry_script="entry.sh"))):
        step(f"fit, {name}")
        root = folder / name
        root.mkdir()
        trainer = ModelTrainer(
            training_mode=Mode.LOCAL_CONTAINER,
            sagemaker_session=session,
            role=ROLE,
            training_image=image,
            base_job_name="relabel",
            source_code=code,
            compute=Compute(instance_type="local_cpu", instance_count=1),
            hyperparameters=HYPERPARAMETERS,
            input_data_config=[InputData(channel_name="train", data_source=str(CHANNEL))],
            local_container_root=str(root),
        )
        trainer.train()
        models[name] = next(root.rglob("model.tar.gz"))
    step("deploy")
    client = session.sagemaker_client
    container = {"Image": image, "ModelDataUrl": models["plain"].as_uri(), "Environment": {}}
    client.create_model("relabel", container)
    client.create_endpoint_config(
        "relabel", [{"InstanceType": "local", "ModelName": "relabel", "InitialInstanceCount": 1, "VariantName": "a"}]
    )
    client.create_endpoint("relabel", "relabel")
    try:
        step("predict")
        said = session.sagemaker_runtime_client.invoke_endpoint(
            PAYLOAD.read_bytes(), "relabel", ContentType=JSON, Accept=JSON
        )
        answer = json.loads(said["Body"].read())
    finally:
        client.delete_endpoint("relabel")
    step("transform")
    client.create_transform_job(
        "relabel",
        "relabel",
        {"DataSource": {"S3DataSource": {"S3Uri": PAYLOAD.as_uri()}}, "ContentType": JSON},
        {"S3OutputPath": (folder / "transformed").as_uri()},
        {"InstanceType": "local", "InstanceCount": 1},
        BatchStrategy="SingleRecord",
    )
    step("done")
    return answer


def containers(image: str) -> set[str]:
    """List the SDK's containers of an image."""
    of = ("--filter", f"ancestor={image}", "--filter", "network=sagemaker-local")
    return set(
        subprocess.run(
            ["docker", "ps", "--all", "--quiet", *of], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def step(name: str) -> None:
    """Say what comes now, and when."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {name}\n")
    sys.stdout.flush()


LINES = {"v2": v2, "v3": v3}


if __name__ == "__main__":
    main()
