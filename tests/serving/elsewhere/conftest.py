"""Places that models come from: a web server, S3 as moto has it, MLflow's REST API as a stand-in or as MLflow itself has it."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from moto.server import ThreadedMotoServer

from relabel.container import environment
from relabel.model import package, source
from relabel.model.package import Package

HOST = "127.0.0.1"


@dataclass
class Web:
    """A web server.

    files:    path with its query -> content; each has its hash as ETag.
    failures: statuses that the next requests get in place of an answer; 0 cuts the answer off.
    moved:    path -> where it lies now.
    asked:    path, and what was said of who asks and of what is known, for each request; `given` the bytes of each answer.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    tagged: bool = True

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        said = handler.headers
        self.asked.append((handler.path, said.get("Authorization", ""), said.get("If-None-Match", "")))
        failure = self.failures.pop(0) if self.failures else None
        if handler.path in self.moved:
            self._send(handler, 302, b"", Location=self.moved[handler.path])
        elif failure or handler.path not in self.files:
            self._send(handler, failure or 404, b"no")
        else:
            body = self.files[handler.path]
            tag = {"ETag": f'"{hashlib.md5(body).hexdigest()}"'} if self.tagged else {}  # noqa: S324  # no secret
            if tag and said.get("If-None-Match") == tag["ETag"]:
                self._send(handler, 304, b"")
            else:
                self._send(handler, 200, body[: len(body) // 2] if failure == 0 else body, len(body), **tag)

    def _send(
        self, handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int | None = None, **headers: str
    ) -> None:
        handler.send_response(status)
        for name, text in {**headers, "Content-Length": str(len(body) if length is None else length)}.items():
            handler.send_header(name, text)
        self.given.append(len(body))  # before the client can know of it
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True


@contextmanager
def listening(answer: Callable[[BaseHTTPRequestHandler], None], secured: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answer GET requests on loopback; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_said: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    if secured is not None:
        server.socket = secured.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if secured is None else 'https'}://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server without TLS, on loopback."""
    web = Web()
    with listening(web.answer) as web.url:
        yield web


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A certificate for loopback with its key; it is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "relabel's tests")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def known_certificate(certificate, monkeypatch) -> None:
    """Name the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.fixture
def secure_web(certificate) -> Iterator[Web]:
    """A web server with TLS, whose certificate only SSL_CERT_FILE can make known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    web = Web()
    with listening(web.answer, context) as web.url:
        yield web


@pytest.fixture
def s3(monkeypatch) -> Iterator[Any]:
    """A client of an S3 with the bucket `models`; the variables of this process lead there."""
    server = ThreadedMotoServer(HOST, 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, text in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "hush-hush",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/none",
        "AWS_SHARED_CREDENTIALS_FILE": "/none",
    }.items():
        monkeypatch.setenv(name, text)
    client = boto3.session.Session().client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="models")
    try:
        yield client
    finally:
        client.close()
        server.stop()


@dataclass
class Tracking:
    """What MLflow 3 answers to the calls that a model is found by: their paths, names and statuses, and nothing else of it.

    The tests of MLflow run with this, and with MLflow itself where MLFLOW_PYTHON names an interpreter that has it.

    root: where artifacts lie; `location` what the server says of where they lie, `ROOT` its place there.
    """

    root: Path
    url: str = ""
    location: str = "mlflow-artifacts:/ROOT"
    versions: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def log(self, folder: Path, path: str) -> str:
        """Keep a folder as an artifact of a new run; the run's id."""
        run = hashlib.md5(f"{len(list(self.root.iterdir()))}".encode()).hexdigest()  # noqa: S324  # a name
        shutil.copytree(folder, self.root / run / "artifacts" / path)
        return run

    def register(self, name: str, run: str, path: str, alias: str) -> str:
        """Make a version of a model of what a run has; its number."""
        there = self.versions.setdefault(name, [])
        there.append(f"{self._artifacts(run)}/{path}")
        self.aliases[name, alias] = str(len(there))
        return str(len(there))

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.asked.append((handler.path, handler.headers.get("Authorization", "")))
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        path = urllib.parse.unquote(parts.path).removeprefix("/api/2.0/")
        status, body = self._file(path) if path.startswith("mlflow-artifacts/artifacts/") else self._said(path, query)
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _file(self, path: str) -> tuple[int, bytes]:
        there = self.root.joinpath(*path.split("/")[2:])
        return (200, there.read_bytes()) if there.is_file() else (404, b"{}")

    def _said(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        try:
            said = self._calls()[path](query)
        except (KeyError, IndexError):
            return (400 if path.endswith("alias") else 404), b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'
        return 200, json.dumps(said).encode()

    def _calls(self) -> dict[str, Callable[[Mapping[str, str]], Any]]:
        return {
            "mlflow/registered-models/alias": lambda q: {
                "model_version": {"name": q["name"], "version": self.aliases[q["name"], q["alias"]]}
            },
            "mlflow/model-versions/get-download-uri": lambda q: {
                "artifact_uri": self.versions[q["name"]][int(q["version"]) - 1]
            },
            "mlflow/runs/get": lambda q: {
                "run": {
                    "info": {
                        "artifact_uri": self._artifacts({p.name: p.name for p in self.root.iterdir()}[q["run_id"]])
                    }
                }
            },
            "mlflow-artifacts/artifacts": lambda q: {
                "files": [
                    {"path": each.name, "is_dir": each.is_dir()} for each in sorted((self.root / q["path"]).iterdir())
                ]
                if (self.root / q["path"]).is_dir()
                else []
            },
        }

    def _artifacts(self, run: str) -> str:
        return f"{self.location.replace('ROOT', run)}/artifacts"


@dataclass
class Real:
    """MLflow itself, with artifacts that go through the server."""

    python: str
    url: str

    def log(self, folder: Path, path: str) -> str:
        """See Tracking."""
        return self._done(
            f"with mlflow.start_run() as run:\n    mlflow.log_artifacts({str(folder)!r}, {path!r})\nprint(run.info.run_id)"
        )

    def register(self, name: str, run: str, path: str, alias: str) -> str:
        """See Tracking."""
        return self._done(
            f"uri = client.get_run({run!r}).info.artifact_uri + '/' + {path!r}\n"
            f"client.search_registered_models(filter_string=\"name='{name}'\") or client.create_registered_model({name!r})\n"
            f"made = client.create_model_version({name!r}, uri, {run!r})\n"
            f"client.set_registered_model_alias({name!r}, {alias!r}, made.version)\nprint(made.version)"
        )

    def _done(self, program: str) -> str:
        head = "import mlflow\nclient = mlflow.MlflowClient()\n"
        done = subprocess.run(
            [self.python, "-c", head + program],
            env={**os.environ, "MLFLOW_TRACKING_URI": self.url},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout.split()[-1]


@contextmanager
def started_mlflow(python: str, folder: Path) -> Iterator[Real]:
    """Start MLflow's server, and wait until it answers."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port = found.getsockname()[1]
    store = ["--backend-store-uri", f"sqlite:///{folder}/m.db", "--serve-artifacts", "--artifacts-destination"]
    place = ["--host", HOST, "--port", str(port), "--workers", "1"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [python, "-m", "mlflow", "server", *store, str(folder / "artifacts"), *place],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url = f"http://{HOST}:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/health", timeout=5).close()  # noqa: S310
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
        yield Real(python, url)
    finally:
        os.killpg(process.pid, 9)
        process.wait()


PYTHON = os.environ.get("MLFLOW_PYTHON", "")


@pytest.fixture
def tracking(tmp_path) -> Iterator[Tracking]:
    """The stand-in."""
    (tmp_path / "tracking").mkdir()
    made = Tracking(tmp_path / "tracking")
    with listening(made.answer) as made.url:
        yield made


@pytest.fixture(scope="session")
def real_mlflow(tmp_path_factory) -> Iterator[Real]:
    """MLflow itself, started once."""
    with started_mlflow(PYTHON, tmp_path_factory.mktemp("mlflow")) as started:
        yield started


@pytest.fixture(params=["tracking", *(["real_mlflow"] if PYTHON else [])])
def mlflow(request) -> Tracking | Real:
    """An MLflow server."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def packed(model_folder, tmp_path) -> Package:
    """The model as an archive."""
    return package.pack(model_folder, tmp_path / "packed" / "model.tar.gz")


@pytest.fixture
def fetch(tmp_path) -> Callable[..., Path]:
    """Fetch as an endpoint does, into a cache of this test, with these variables."""
    return lambda uri, sha256="", **variables: source.fetch(
        uri, environment.read({"RELABEL_CACHE": str(tmp_path / "cache"), **variables}), sha256
    )


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Try again at once."""
    monkeypatch.setattr("relabel.model.sources.http.PAUSES", (0.0, 0.0, 0.0))
