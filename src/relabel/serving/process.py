"""What a worker's process sets for itself."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from pathlib import Path

import threadpoolctl

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""Names of settings of glibc's allocator (malloc.h)."""

KEPT = 32 << 20
"""Bytes of free memory that a process keeps."""
REUSED = 16 << 20
"""Bytes of a buffer that comes from that memory; larger ones are the system's, and go back to it at once."""


def compute_on_one_thread() -> None:
    """Let numpy, torch and trees compute on the calling thread alone: OpenMP's own setting holds for one thread, so each says it for itself."""
    threadpoolctl.threadpool_limits(1)
    torch_on_one_thread()


def torch_on_one_thread() -> None:
    """Say it for torch alone, where it is there: it may have come after a thread began."""
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)


def open_many_files() -> None:
    """Let this process and those that it starts have as many connections as the system allows; what shells give is often 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def resident() -> int:
    """Give the most memory that this process has held so far, in bytes."""
    said: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return said << 10 if sys.platform == "linux" else said  # kilobytes there, bytes elsewhere


def held() -> int:
    """Give the memory that this process holds now and that no file backs, in bytes; elsewhere than on Linux the most so far."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return resident()
    return (int(pages[1]) - int(pages[2])) * resource.getpagesize()


def trim() -> None:
    """Give free memory back to the system, all of it."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
    if give_back is not None:
        give_back(0)


def free() -> None:
    """Let go of what nothing refers to any more, and give it back to the system."""
    gc.collect()
    trim()


def settle() -> None:
    """Compute on one thread, and reuse the memory of a body for the next.

    The workers share the cores, and a model this small is slower on many. With the allocator's own thresholds the system maps, clears and
    unmaps memory for each body of some hundred kilobytes, which takes as long as reading it.
    """
    compute_on_one_thread()
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again and again would make some requests slow
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if mallopt is not None:
            mallopt(TRIM_THRESHOLD, KEPT)
            mallopt(MMAP_THRESHOLD, REUSED)
            mallopt(ARENA_MAX, 1)  # else each thread keeps free memory of its own
