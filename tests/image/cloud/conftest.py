"""AWS and its registry as far as a push needs them: the registry is real, the AWS command line too, AWS itself is moto."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

SCRIPT = Path(__file__).parents[3] / "build_and_push.sh"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Registry:
    """A registry on loopback, by `host:port`."""

    address: str

    def asked(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[bytes, dict[str, str]]:
        """Ask below /v2, or by a whole address; the answer's body, and its headers in lower case."""
        url = path if path.startswith("http:") else f"http://{self.address}/v2/{path}"
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        with urllib.request.urlopen(urllib.request.Request(url, body, named, method=method), timeout=10) as answer:  # noqa: S310
            return answer.read(), {name.lower(): text for name, text in answer.headers.items()}


@pytest.fixture(scope="package")
def registry(engine, tmp_path_factory) -> Iterator[Registry]:
    """Debian's registry, empty at first; what the engine has for it goes with it."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("there is no docker-registry: install it (Debian has it under this name)")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    folder = tmp_path_factory.mktemp("registry")
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    process = subprocess.Popen(
        [program, "serve", folder / "config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    started = Registry(f"127.0.0.1:{port}")
    try:
        for _ in range(100):
            try:
                started.asked("")
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield started
    finally:
        process.terminate()
        process.wait(10)
        named = engine.call("images", "--format", "{{.Repository}}:{{.Tag}}", f"{started.address}/*").log.split()
        if named:
            engine.call("rmi", *named)


@dataclass(frozen=True)
class Cloud:
    """AWS as far as the script needs it; `environment` is a user's."""

    url: str
    environment: dict[str, str]

    def client(self, service: str) -> object:
        """Look at it beside the script."""
        return boto3.client(service, REGION, endpoint_url=self.url, aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106

    def push(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {**self.environment, **variables}
        return subprocess.run(
            [SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture
def cloud(engine, registry, tmp_path) -> Iterator[Cloud]:
    """AWS's answers, with no permissions checked, and a user whose registry is the one on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DOCKER": engine.client,
        "DOCKER_CONFIG": str(tmp_path),
        "RELABEL_REGISTRY": registry.address,
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": REGION,
    }
    try:
        yield Cloud(url, environment)
    finally:
        server.stop()


@pytest.fixture
def mirror() -> list[str]:
    """What a build needs, beside BASE_IMAGE, where no registry of packages is reached."""
    wheels = os.environ.get("PIP_FIND_LINKS_URL")
    return ["--network", "host", "--build-arg", f"PIP_FIND_LINKS={wheels}"] if wheels else []
