"""An index opened, or made for once of a folder of pictures."""

import sys
from pathlib import Path

from reranksmart.searching.folder import SETTINGS_FILE, require_made_with
from reranksmart.searching.searcher import Searcher


def open_searcher(index: Path | None, pictures: Path | None, retriever: str | None, reranker: str | None) -> Searcher:
    """An index that is there, or one made of a folder of pictures with two models, kept where ``index`` says."""
    if pictures is not None and not (index and (index / SETTINGS_FILE).is_file()):
        if retriever is None:
            raise ValueError("a folder of pictures is searched with models; give --retriever and --reranker.")
        return Searcher.of_pictures(pictures, retriever=retriever, reranker=reranker, index=index)
    if index is None:
        raise ValueError("nothing is there to be searched; give --index, or --pictures, --retriever and --reranker.")
    require_made_with(index, retriever=retriever, reranker=reranker)
    print(f"loading the index {index} ...", file=sys.stderr, flush=True)
    searcher = Searcher.load(index)
    first = searcher.contents.pictures[0].path
    if pictures is not None and not first.resolve().is_relative_to(pictures.resolve()):
        raise ValueError(
            f"{index} is an index of other pictures than {pictures}, as {first}. Leave --pictures out to search it, or name "
            "another index."
        )
    return searcher
