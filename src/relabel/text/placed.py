"""A network that goes to its device when it is first asked."""

from __future__ import annotations

from functools import cached_property
from typing import Any


class Placed:
    """A network of torch, and where it computes. Nothing touches a GPU before the first look at either.

    An endpoint loads its model before it forks its workers, and CUDA does not survive a fork.
    """

    def __init__(self, network: Any, device: str = "auto") -> None:
        """device: "auto" takes a GPU where there is one."""
        self._network, self._wanted = network, device

    @cached_property
    def device(self) -> str:
        """Name of the device."""
        import torch  # noqa: PLC0415  # seconds, so only where a network is

        if self._wanted != "auto":
            return self._wanted
        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def network(self) -> Any:
        """The network, on its device."""
        return self._network.to(self.device)
