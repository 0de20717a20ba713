"""Where the time of a request goes inside the process: reading, predicting and writing in a warm loop, without a server.

python benchmarks/handler.py
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import simdjson

from relabel.codecs.codec import Predictions, Takes
from relabel.codecs.table import CODECS
from relabel.serving import capacity, handler, process, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request
from relabel.settings import ServeSettings
from serving import CSV, JSON, Load, make_loads, make_model


def microseconds(work: Callable[[], object]) -> float:
    """Time a piece of work: the best of five rounds of a fifth of a second."""
    best = float("inf")
    for _ in range(5):
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < 0.2:
            work()
            count += 1
        best = min(best, (time.perf_counter() - began) / count)
    return best * 1e6


def with_labels(load: Load) -> tuple[str, bytes] | None:
    """Give Content-Type and body of the same records with labels, where the type has a place for them."""
    if load.kind == JSON:
        labels = json.dumps({"labels": ["negative"] * len(load.expected)})[1:]
        return JSON, load.body[:-1] + b", " + labels.encode()
    if load.kind == CSV:
        return f"{CSV}; label_size=1", b"\n".join(b"negative," + line for line in load.body.split(b"\n"))
    return None


def main() -> None:
    """Print a line for each load, and one for the same with labels."""
    rng, settings = np.random.default_rng(0), ServeSettings()
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder), rng)
        loads = make_loads(Path(folder), rng)
        model = served.load(Path(folder))
    endpoint = Endpoint(model, settings, capacity.of(settings, cores=1, memory=1 << 33))
    process.settle()
    print(f"{'microseconds':28}{'simdjson':>10}{'read':>10}{'predict':>10}{'write':>10}{'handle':>10}")
    for load in loads:
        codec = CODECS[load.kind]
        vectors = codec.decode(load.body, Takes(768)).inputs
        said = Predictions(load.expected, model.artifact.classes)
        text = b"[[" + load.body.replace(b"\n", b"],[") + b"]]" if load.kind == CSV else load.body
        request = Request("POST", "/invocations", load.kind, body=load.body)
        figures = [
            microseconds(lambda text=text: simdjson.Parser().parse(text)) if load.kind in (JSON, CSV) else float("nan"),
            microseconds(lambda codec=codec, load=load: codec.decode(load.body, Takes(768))),
            microseconds(lambda vectors=vectors: model.predictor(vectors)),
            microseconds(lambda codec=codec, said=said: codec.encode(said)),
            microseconds(lambda request=request: handler.handle(request, endpoint)),
        ]
        print(f"{load.name:28}" + "".join(f"{figure:10.1f}" for figure in figures))
        if labelled := with_labels(load):
            kind, body = labelled
            request = Request("POST", "/invocations", kind, body=body)
            took = microseconds(lambda request=request: handler.handle(request, endpoint))
            print(f"{'  the same with labels':68}{took:10.1f}")


if __name__ == "__main__":
    main()
