"""Promises of what hosts exchange: real processes on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent("""
    import os
    import sys
    import numpy as np
    import torch
    from relabel.container.companions import Ending, Meeting, met
    from relabel.container.configuration import Hosts
    from relabel.errors import PlatformError
    from relabel.training.hosts import joined

    me, names, dies = sys.argv[1], tuple(sys.argv[2].split(",")), sys.argv[3]
    never = lambda: None
    with met(Meeting(Hosts(me, names)), never, print) as together, joined(together, never) as company:
        rank = company.rank
        rows = np.arange(rank * 3, dtype=np.uint64).reshape(-1, 3) + np.uint64(rank)
        assert [each.tolist() for each in company.gather(rows)] == [
            (np.arange(r * 3).reshape(-1, 3) + r).tolist() for r in range(3)
        ]
        assert [each.dtype for each in company.gather(np.ones(rank, bool))] == [np.dtype(bool)] * 3
        assert company.gather_bytes(b"x" * rank) == [b"", b"x", b"xx"]
        parts = [np.full(2, 0.1 * (r + 1)) for r in range(3)]
        assert company.sum(parts[rank]).tolist() == (parts[0] + parts[1] + parts[2]).tolist()
        tensor = torch.full((5, 3), rank + 1.0)
        company.add_(tensor)
        assert (tensor == 6).all()
        if me == dies:
            sys.stdout.flush()
            os._exit(9)
        code = 0
        if dies:
            try:
                company.sum(np.ones(3))
            except PlatformError as error:
                print(error)
                code = 3
        elif rank:
            together.await_leave(never)
        together.leave(Ending(code, "the other is gone" if code else ""), never)
        sys.stdout.flush()
        os._exit(code)  # as the job does
""")


@pytest.mark.parametrize(("dies", "codes"), [("", [0, 0, 0]), ("b", [3, 9, 3])])
def test_hosts_exchange_arrays_until_one_is_gone(dies, codes) -> None:
    """Of every type and length, in the order of ranks; who waits for a dead host hears its name."""
    leader = f"127.{os.getpid() % 250 + 1}.253.{len(dies) + 1}"
    command = [sys.executable, "-c", PROGRAM]
    here = {**os.environ, "OMP_NUM_THREADS": "1"}
    hosts = [
        subprocess.Popen(
            [*command, name, f"{leader},b,c", dies],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=here,
        )
        for name in (leader, "b", "c")
    ]
    said = [host.communicate(timeout=90)[0] for host in hosts]
    assert [host.returncode for host in hosts] == codes, said
    assert not dies or all("b ended without a word" in said[n] for n in (0, 2))
