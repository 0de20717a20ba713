"""Hosts that exchange arrays, by torch.distributed: gloo for what is in memory, NCCL for what is on GPUs.

The process groups belong to the company alone: nothing in torch or Lightning knows of them, so no default of theirs changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from relabel.container.companions import Companions
from relabel.container.company import Alone, Company
from relabel.errors import PlatformError

Check = Callable[[], None]

SLICE = timedelta(seconds=0.5)
"""Longest wait without a look at signals and at the other hosts."""

CONNECT = timedelta(minutes=5)
"""How long hosts that have met may take to reach each other."""

LONGEST = timedelta(days=30)
"""Of one exchange. Hosts wait for the slowest; that one is gone is noticed elsewhere."""

HANG_UP = 45.0
"""Seconds within which the reason is known why an exchange was broken off."""


@contextmanager
def joined(together: Companions | None, check: Check) -> Iterator[Company]:
    """Let the hosts that have met exchange arrays while the block runs; None is a job on one host.

    Raises PlatformError where they cannot reach each other, and what `check` raises.
    """
    if together is None:
        yield Alone()
        return
    yield Joined(together, check)


class Joined:
    """A company of several hosts, each of which can reach every other."""

    def __init__(self, together: Companions, check: Check) -> None:
        self.rank, self.names, self.size = together.rank, together.names, len(together.names)
        self._together, self._stop = together, check
        self._group = self._away(self._connected)
        together.kept.append(self)
        self._device_group: Any = None

    def gather(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Give every host's array of numbers, in the order of ranks, to every host; they may differ in their first dimension."""
        whole = np.ascontiguousarray(array)
        said = json.dumps([whole.dtype.str, whole.shape]).encode()
        about = [json.loads(each) for each in self.gather_bytes(said)]
        return [self._shared(rank, whole, dtype, shape) for rank, (dtype, shape) in enumerate(about)]

    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Give every host's bytes, in the order of ranks, to every host."""
        sizes = torch.zeros(self.size, dtype=torch.int64)
        sizes[self.rank] = len(data)
        self.add_(sizes)
        own = np.frombuffer(data, np.uint8)
        return [self._shared(rank, own, "|u1", [int(size)]).tobytes() for rank, size in enumerate(sizes)]

    def sum(self, array: NDArray[np.floating]) -> NDArray[np.floating]:
        """Add up the hosts' arrays of one shape, in the order of ranks: every host gets the same bits."""
        whole = np.ascontiguousarray(array)
        total = np.zeros_like(whole)
        for rank in range(self.size):
            total += self._shared(rank, whole, whole.dtype.str, whole.shape)
        return total

    def add_(self, tensor: torch.Tensor) -> None:
        """Add up the hosts' tensors of one shape, in place: every host gets the same bits, in an order that torch chooses."""
        options = dist.AllreduceOptions()
        options.timeout = LONGEST
        self._finish(self._group_of(tensor).allreduce([tensor], options))

    def _shared(self, rank: int, own: NDArray[Any], dtype: str, shape: Any) -> NDArray[Any]:
        """Give the array of one host to all."""
        array = own if rank == self.rank else np.empty(shape, dtype)
        if array.nbytes == 0:
            return array
        sent = array if array.flags.writeable else array.copy()
        options = dist.BroadcastOptions()
        options.rootRank, options.timeout = rank, LONGEST
        flat = torch.from_numpy(sent.reshape(-1).view(np.uint8))
        self._finish(self._group.broadcast([flat], options))
        return array

    def _finish(self, work: Any) -> None:
        """Wait for an exchange, with an eye on signals and on the other hosts."""
        while True:
            try:
                work.wait(SLICE)
            except RuntimeError as error:
                if work.is_completed():
                    raise self._broken(error) from error
                self.check()
            else:
                return

    def check(self) -> None:
        """Raise where this host must end, or another has."""
        self._stop()
        self._together.check()

    def _broken(self, error: Exception) -> Exception:
        """Say why an exchange was broken off: the company knows it soon; raises that."""
        self._stop()
        self._together.await_failure(HANG_UP)
        return PlatformError(
            f"the hosts {', '.join(self.names)} no longer reach each other ({error}): start the job again"
        )

    def _away(self, connect: Callable[[], Any]) -> Any:
        """Connect in another thread, for no signal ends that."""
        answer: Future[Any] = Future()

        def connected() -> None:
            try:
                answer.set_result(connect())
            except Exception as error:  # noqa: BLE001  # it is raised where somebody waits
                answer.set_exception(error)

        Thread(target=connected, daemon=True).start()
        while not futures.wait([answer], SLICE.total_seconds()).done:
            self.check()
        try:
            return answer.result()
        except (RuntimeError, ValueError) as error:
            raise self._broken(error) from error

    def _connected(self) -> Any:
        address, port = self._together.exchange
        listener = self._together.listener
        descriptor = None if listener is None else listener.detach()
        self._store = dist.TCPStore(  # type: ignore[attr-defined]
            address, port, self.size, self.rank == 0, CONNECT, wait_for_workers=False, master_listen_fd=descriptor
        )
        options = dist.ProcessGroupGloo._Options()  # type: ignore[attr-defined]  # noqa: SLF001  # torch's own init_process_group takes it so
        options._devices = [dist.ProcessGroupGloo.create_device(hostname=self._together.address)]  # noqa: SLF001
        options._timeout = CONNECT  # noqa: SLF001
        return dist.ProcessGroupGloo(self._store_of("memory"), self.rank, self.size, options)

    def _group_of(self, tensor: torch.Tensor) -> Any:
        if tensor.device.type == "cpu":
            return self._group
        if self._device_group is None:
            options = dist.ProcessGroupNCCL.Options()
            self._device_group = self._away(
                lambda: dist.ProcessGroupNCCL(self._store_of("device"), self.rank, self.size, options)
            )
        return self._device_group

    def _store_of(self, group: str) -> Any:
        return dist.PrefixStore(group, self._store)  # type: ignore[attr-defined]
