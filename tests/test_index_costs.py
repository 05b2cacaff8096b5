import numpy as np
import pytest

from reranksmart.cost.index_costs import index_costs


def test_an_exact_index_recalls_everything():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((300, 16)).astype(np.float32)
    rows = {row["index"]: row for row in index_costs(vectors, vectors[:20], factories=["Flat", "HNSW8"], repeats=2)}
    assert rows["Flat"]["recall_at_10"] == 1.0
    assert rows["Flat"]["bytes_per_vector"] == pytest.approx(64, rel=0.05)
    assert 0 < rows["HNSW8"]["recall_at_10"] <= 1.0
