"""The environment, read in one place.

The platform itself gives little (`TRAINING_JOB_NAME`, `AWS_REGION`, what the user set). The `SM_…` variables come from
the training toolkit and are taken when they are there. `RELABEL_…` are our own.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from relabel.container.paths import DEFAULT_ROOT, Paths

CHANNEL = "SM_CHANNEL_"
FOLDERS = ("SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR")


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says; never printed as a whole, for it may hold secrets.

    variables: all of it, as it was when it was read.
    """

    variables: Mapping[str, str] = field(repr=False)

    @property
    def root(self) -> Path:
        """Folder of the platform's contract: `RELABEL_ROOT`, or where the platform mounts it."""
        return Path(self._text("RELABEL_ROOT") or DEFAULT_ROOT)

    @property
    def paths(self) -> Paths:
        """Places below the root; `SM_MODEL_DIR` and `SM_OUTPUT_DATA_DIR` say more precisely where those two are."""
        paths = Paths.below(self.root)
        model, output_data = (self._text(name) for name in FOLDERS)
        return dataclasses.replace(
            paths,
            model=Path(model) if model else paths.model,
            output_data=Path(output_data) if output_data else paths.output_data,
        )

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Folders below which the platform puts the models of an endpoint that has many; its tests use the second."""
        return self.root / "models", self.paths.model

    @property
    def channels(self) -> dict[str, Path]:
        """Folders of `SM_CHANNEL_<NAME>` by name, in lower case since the toolkit raises it, sorted."""
        named = {
            key.removeprefix(CHANNEL).lower(): Path(text)
            for key, text in self.variables.items()
            if _is_channel(key, text)
        }
        return dict(sorted(named.items()))

    @property
    def hyperparameters(self) -> str:
        """JSON of `SM_HPS`, not yet parsed; empty where there is none."""
        return self._text("SM_HPS")

    @property
    def hosts(self) -> str:
        """JSON of `SM_HOSTS`, not yet parsed; empty where there is none."""
        return self._text("SM_HOSTS")

    @property
    def current_host(self) -> str:
        """Name of this host by `SM_CURRENT_HOST`; empty where there is none."""
        return self._text("SM_CURRENT_HOST")

    @property
    def job_name(self) -> str:
        """Name of the training job; empty outside the platform."""
        return self._text("TRAINING_JOB_NAME")

    @property
    def region(self) -> str:
        """Region of the platform; empty outside it."""
        return self._text("AWS_REGION") or self._text("AWS_DEFAULT_REGION")

    @property
    def plain(self) -> bool:
        """Whether plain lines are wanted even on a terminal; the container's scripts say so, for it may have one."""
        return self._text("RELABEL_PLAIN") not in ("", "0")

    @property
    def require_gpu(self) -> bool:
        """Whether work without a GPU is to fail: `RELABEL_REQUIRE_GPU`."""
        return self._text("RELABEL_REQUIRE_GPU") not in ("", "0")

    @property
    def cache(self) -> Path | None:
        """Folder of what was fetched and is kept for the next start: `RELABEL_CACHE`; None where nothing is said."""
        said = self._text("RELABEL_CACHE")
        return Path(said) if said else None

    @property
    def tracking_server(self) -> str:
        """Address of the MLflow server that is told of jobs: `MLFLOW_TRACKING_URI`; empty where none is."""
        return self._text("MLFLOW_TRACKING_URI")

    @property
    def run(self) -> str:
        """Name for the run of a job: `MLFLOW_RUN_NAME`, else that of the training job; empty where neither is given."""
        return self._text("MLFLOW_RUN_NAME") or self.job_name

    @property
    def tracks_texts(self) -> bool:
        """Whether a tracking server may have files that hold texts of rows: yes, unless `RELABEL_TRACK_TEXTS` is 0."""
        return self._text("RELABEL_TRACK_TEXTS") != "0"

    @property
    def revision(self) -> str:
        """Commit that the image was built of: `RELABEL_REVISION`; empty where nobody said."""
        return self._text("RELABEL_REVISION")

    @property
    def log_level(self) -> str:
        """Level of the log by the names in use elsewhere, a number or a word; empty where there is none."""
        return self._text("SAGEMAKER_CONTAINER_LOG_LEVEL") or self._text("SM_LOG_LEVEL")

    def moved(self, root: Path) -> Environment:
        """Put the contract below `root`; the toolkit's folders, which lie in another tree, are then no longer meant."""
        kept = {key: text for key, text in self.variables.items() if key not in FOLDERS and not key.startswith(CHANNEL)}
        return read({**kept, "RELABEL_ROOT": str(root)})

    def _text(self, name: str) -> str:
        return self.variables.get(name, "").strip()


def read(variables: Mapping[str, str] | None = None) -> Environment:
    """Keep the given variables, or those of this process."""
    return Environment(MappingProxyType(dict(os.environ if variables is None else variables)))


def _is_channel(key: str, text: str) -> bool:
    return key.startswith(CHANNEL) and key != CHANNEL and bool(text.strip())
