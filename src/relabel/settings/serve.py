"""How the endpoint works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from relabel.settings.declaration import Settings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(Settings):
    """How the endpoint works."""

    port: int = setting(8080, low=1, high=65535, help="port to listen on", environment=("SAGEMAKER_BIND_TO_PORT",))
    workers: int = setting(
        0,
        low=0,
        high=256,
        help="worker processes; 0 is one per processor core, at most 4",
        environment=("SAGEMAKER_MODEL_SERVER_WORKERS", "MODEL_SERVER_WORKERS"),
    )
    timeout: int = setting(
        60,
        low=1,
        unit="s",
        help="a worker that is silent for longer is replaced, a body that stops coming for longer is refused",
        environment=("SAGEMAKER_MODEL_SERVER_TIMEOUT", "MODEL_SERVER_TIMEOUT"),
    )
    max_payload_mb: int = setting(
        25,
        low=0,
        high=1024,
        unit="MB",
        help="largest request body; 0 is 1024 MB",
        environment=("SAGEMAKER_MAX_PAYLOAD_IN_MB",),
    )
    max_content_length: int = setting(
        0,
        low=0,
        unit="bytes",
        help="largest request body in bytes, in place of max_payload_mb; 0 is off",
        environment=("MAX_CONTENT_LENGTH",),
    )
    accept: str = setting(
        "",
        help="media types of the answer where a request does not say any; empty is the type of the request",
        environment=("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",),
    )
    bad_records: Literal["refuse", "report"] = setting(
        "refuse",
        help="what a record that cannot be read does: `refuse` the request, or `report` it in its place of the answer",
    )
    batch: bool = setting(
        False, help="serve a batch transform job: bodies of 100 MB at least", environment=("SAGEMAKER_BATCH",)
    )
    log_share: float = setting(1.0, low=0, high=1, help="share of the requests that are logged; failures always are")
    plain_lines: bool = setting(
        False,
        help="each line of `text/plain` is a text of its own; so it is where `batch` is set, or a request says `lines=true`",
    )
    cors_origins: str = setting(
        "",
        help="web pages that may ask from a browser: `*`, or origins like `https://example.org` with commas between; empty is none",
    )
    query_text: bool = setting(
        False, help="answer `GET /?input_str=…` too; off, because addresses end up in logs on the way"
    )
    model_uri: str = setting(
        "",
        help="where the model is, in place of the platform's folder: a path, `https://…`, `s3://…`, `models:/…`, `runs:/…`; see "
        "docs/model_from_elsewhere.md",
    )
    multi_model: bool = setting(
        False,
        help="serve many models, which are loaded and unloaded while it runs; see docs/multi_model.md",
        environment=("SAGEMAKER_MULTI_MODEL",),
    )
    models_share: float = setting(
        0.5, above=0, high=0.9, help="share of the memory that all models of a multi-model endpoint may take together"
    )
    model_sha256: str = setting("", help="hash that the model must have, of its archive or of its `model.json`")

    def limit(self) -> int:
        """Give the largest body in bytes."""
        megabytes = max(self.max_payload_mb or 1024, 100 if self.batch else 0)
        return self.max_content_length or megabytes << 20
