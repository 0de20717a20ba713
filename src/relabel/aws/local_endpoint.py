"""The process that keeps an endpoint of the SDK's local mode: the SDK reads the container's log in a thread for as long as it lives.

`python -m relabel.aws.local_endpoint FOLDER NAME IMAGE PORT`, the container's variables as JSON on standard input; ended by SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from relabel.aws import local

READY = "relabel: the endpoint is in service"
MODELS = "models"
ENDING = threading.Event()


def main(folder: Path, name: str, image: str, port: int, environment: dict[str, str]) -> None:
    """Start the endpoint, say so in the log, wait for SIGTERM, end it."""
    # No signals are blocked in place of this: the SDK's own processes would inherit that, and it ends them by SIGTERM.
    signal.signal(signal.SIGTERM, _end)
    label = local.label(folder, name)
    session = local.session(folder, label, port=port)
    archive = folder.resolve() / MODELS / name / "model.tar.gz"
    client = session.sagemaker_client
    client.create_model(name, {"Image": image, "ModelDataUrl": archive.as_uri(), "Environment": environment})
    variant = {"InstanceType": "local", "ModelName": name, "InitialInstanceCount": 1, "VariantName": "all"}
    client.create_endpoint_config(name, [variant])
    try:
        with suppress(SystemExit):
            client.create_endpoint(name, name)
            _say(READY)
            if not ENDING.is_set():  # what the signal raised may have been caught on its way
                signal.pause()
        client.delete_endpoint(name)
    except Exception as error:  # noqa: BLE001  # said in the log; the SDK's thread would keep the process
        _say(f"{type(error).__name__}: {error}")
    finally:
        local.remove_containers(label)
        os._exit(0)


def _end(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ENDING.set()
    raise SystemExit


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), json.load(sys.stdin))
