"""An index of inverted lists made by several jobs: each fills its share of the vectors, then the lists are joined on disk."""

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from faiss.contrib.ondisk import merge_ondisk

from reranksmart.files.reading import reading
from reranksmart.files.stored_embeddings import StoredEmbeddings
from reranksmart.ranking.gpu_index import filled
from reranksmart.ranking.search import read_index
from reranksmart.values.shards import Shard

_TOGETHER = 65_536  # vectors that faiss assigns to lists at once: shares of whole such blocks get the lists of one job


def fill_share(index: faiss.Index, vectors: StoredEmbeddings, job: Shard) -> faiss.Index:
    """The trained index with one job's share of the vectors: consecutive ones, of which a block is read at a time."""
    starts = np.array_split(np.arange(0, len(vectors), _TOGETHER), job.count)[job.index]
    blocks = (np.arange(start, min(start + _TOGETHER, len(vectors))) for start in starts.tolist())
    return filled(index, ((vectors[rows], rows) for rows in blocks))


def merge_shares(trained: Path, shares: Sequence[Path], output: Path) -> None:
    """Writes the index with the vectors of all ``shares``, in their order, and its lists into a file beside it.

    All are memory-mapped, so that they may be larger than the memory.
    """
    index = read_index(trained)
    for share in shares:
        with reading(share):
            share.stat()  # faiss has one error for a missing and a damaged file
    lists = output.with_suffix(".lists")
    with reading(shares[0].parent):
        merge_ondisk(index, [str(share) for share in shares], str(lists))
    merged = faiss.downcast_InvertedLists(faiss.extract_index_ivf(index).invlists)  # type: ignore[arg-type]
    merged.filename = lists.name  # type: ignore[attr-defined]  # its folder gets another name
    faiss.write_index(index, str(output))
