"""Makes test_dir's data and the payloads: reviews of this project's own, 16 wide, some of their labels wrong on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from relabel.data import planted

HERE = Path(__file__).parent
WIDTH = 16
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
"""P(given | true)."""


def main() -> None:
    """Write the three splits, and their first test rows as payloads."""
    channel = HERE / "test_dir" / "input" / "data" / "train"
    for name, rows, seed in (("train", 600, 0), ("dev", 200, 1), ("test", 200, 2)):
        planted.write(channel, name, planted.reviews(rows, width=WIDTH, noise=NOISE, seed=seed))
    vectors = np.load(channel / "test.npy")[:3].astype(float).round(6).tolist()
    payloads = HERE / "payloads"
    (payloads / "embeddings.json").write_text(json.dumps({"instances": vectors}) + "\n")
    (payloads / "embeddings.jsonl").write_text("".join(f"{json.dumps(vector)}\n" for vector in vectors))
    (payloads / "embeddings.csv").write_text("".join(f"{','.join(map(str, vector))}\n" for vector in vectors))
    np.save(payloads / "embeddings.npy", np.array(vectors, np.float32))


if __name__ == "__main__":
    main()
