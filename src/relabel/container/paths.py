"""Every place of the platform's contract, below one root. Only this module knows where the platform puts that root."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path("/opt/ml")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a training job reads and writes.

    root:              the folder that the platform mounts; every other place lies below it unless it was moved.
    hyperparameters:   input/config/hyperparameters.json.
    input_data_config: input/config/inputdataconfig.json.
    resource_config:   both spellings in use, the platform's own first.
    checkpoint_config: input/config/checkpointconfig.json.
    channels:          the folder with one folder per channel. Nothing is ever written below it.
    model:             becomes model.tar.gz.
    output_data:       becomes output.tar.gz.
    failure:           the file whose first 1024 characters become the job's failure reason.
    checkpoints:       kept by the platform across restarts.
    data:              the one folder that a person named as the data, in place of every channel; None on the platform.
    encoder:           the folder that a person named as the encoder, in place of its channel; None on the platform.
    champion:          the folder of the model that a person named as the champion, in place of its channel; None on the platform.
    reviews:           the file of answers that a person named, in place of the channel of answers; None on the platform.
    """

    root: Path
    hyperparameters: Path
    input_data_config: Path
    resource_config: tuple[Path, Path]
    checkpoint_config: Path
    channels: Path
    model: Path
    output_data: Path
    failure: Path
    checkpoints: Path
    data: Path | None = None
    encoder: Path | None = None
    champion: Path | None = None
    reviews: Path | None = None

    @classmethod
    def below(cls, root: Path) -> Paths:
        """Lay the contract out below `root`."""
        config = root / "input" / "config"
        return cls(
            root=root,
            hyperparameters=config / "hyperparameters.json",
            input_data_config=config / "inputdataconfig.json",
            resource_config=(config / "resourceconfig.json", config / "resourceConfig.json"),
            checkpoint_config=config / "checkpointconfig.json",
            channels=root / "input" / "data",
            model=root / "model",
            output_data=root / "output" / "data",
            failure=root / "output" / "failure",
            checkpoints=root / "checkpoints",
        )

    def moved(
        self,
        *,
        data: Path | None = None,
        output: Path | None = None,
        encoder: Path | None = None,
        champion: Path | None = None,
        reviews: Path | None = None,
    ) -> Paths:
        """Take what a person names from there, and lay everything that the job writes out below another folder; None leaves it.

        >>> Paths.below(Path("/ml")).moved(output=Path("out")).model
        PosixPath('out/model')
        """
        there = Paths.below(output) if output is not None else self
        return dataclasses.replace(
            self,
            model=there.model,
            output_data=there.output_data,
            failure=there.failure,
            checkpoints=there.checkpoints,
            data=data if data is not None else self.data,
            encoder=encoder if encoder is not None else self.encoder,
            champion=champion if champion is not None else self.champion,
            reviews=reviews if reviews is not None else self.reviews,
        )

    def place(self, named: Path) -> Path:
        """Find a place that a configuration file names: what it puts below the platform's root lies below ours."""
        if named.is_relative_to(DEFAULT_ROOT):
            return self.root / named.relative_to(DEFAULT_ROOT)
        return self.root / named
