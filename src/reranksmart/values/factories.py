"""faiss factory strings, tried before anything is computed."""

import re
from typing import Annotated

import numpy as np
from pydantic import AfterValidator

_KNOWN = re.compile(r"Flat|HNSW\d+(,Flat)?|IVF\d+,(Flat|SQ8|RaBitQ(,RFlat|,Refine\(SQ8\))?)")
_LISTS = re.compile(r"IVF(\d+)")
_IN_SHARES = re.compile(r"IVF\d+(_HNSW\d+)?,(Flat|SQ\w+|PQ\d+(x\d+)?|RaBitQ)")
_SAMPLE, _SAMPLE_A_LIST = 100_000, 64
_TRIED = 256  # vectors: what product quantisation learns from at least, and then at once


def require_factory(factory: str, *, width: int = 128) -> str:
    """The string; ValueError unless faiss makes an index of it that finds vectors by inner product, tried on a few.

    With four lists for as many as it names: whether they are too many is for the gallery itself to tell.
    """
    if _KNOWN.fullmatch(factory):
        return factory
    import faiss  # for other strings alone: it takes a second

    drawn = np.random.default_rng(0).standard_normal((_TRIED, width), dtype=np.float32)
    faiss.normalize_L2(drawn)
    try:
        index = faiss.index_factory(width, _LISTS.sub("IVF4", factory), faiss.METRIC_INNER_PRODUCT)
        if isinstance(index, faiss.IndexIVFPQ):
            index.do_polysemous_training, index.pq.cp.min_points_per_centroid = False, 1  # type: ignore[attr-defined]  # no minute, no warnings
        index.train(drawn)
        index.add(drawn)
        _, rows = index.search(drawn[:1], 1)
        again = faiss.deserialize_index(faiss.serialize_index(index))
        again.add(drawn[:1])  # as an index of your own pictures grows
        if again.metric_type != faiss.METRIC_INNER_PRODUCT or rows[0, 0] < 0:
            raise RuntimeError("it ranks by another measure, or finds nothing")
    except (RuntimeError, TypeError) as error:  # TypeError: no text of UTF-8
        raise ValueError(
            f"{factory!r} is not an index that faiss can make, fill and search by inner product "
            f"({str(error).splitlines()[0].rsplit(': ', maxsplit=1)[-1]}). Use a factory string such as 'Flat', 'HNSW32', 'IVF64,Flat' or "
            "'IVF64,RaBitQ,RFlat'."
        ) from error
    return factory


def learned_from(factory: str) -> int:
    """How many vectors an index learns from at most; faiss warns below 39 for each of its lists."""
    lists = _LISTS.search(factory)
    return max(_SAMPLE, _SAMPLE_A_LIST * int(lists[1]) if lists else 0)


def is_filled_in_shares(factory: str) -> bool:
    """Whether several jobs can fill such an index, and its lists can lie on the disk."""
    return _IN_SHARES.fullmatch(factory) is not None


Factory = Annotated[str, AfterValidator(require_factory)]
