"""Pictures whose files are gone or hold something else, dropped from an index."""

from dataclasses import replace
from pathlib import Path

import faiss

from reranksmart.files.holding import held
from reranksmart.files.writing import remove_folder
from reranksmart.ranking.search import build_index
from reranksmart.searching.folder import (
    Part,
    PictureFile,
    part_folder,
    part_folders,
    picture_digest,
    read_index_settings,
    read_part,
    write_part,
)


def drop_deleted(index: Path) -> int:
    """How many pictures were dropped, with their captions, because their files are gone or changed; no model is run.

    Each part is replaced whole. ValueError where no picture would be left, or the first part's kind of index cannot give
    its vectors back.
    """
    read_index_settings(index)
    dropped = 0
    with held(index):
        parts = {int(folder.name): read_part(folder, index=index) for folder in part_folders(index)}
        kept = {
            number: [row for row, picture in enumerate(part.pictures) if _is_there(picture)]
            for number, part in parts.items()
        }
        first = min(parts)
        if not kept[first]:
            raise ValueError(
                f"of the pictures with which {index} was made none is left as it was; make it again with `reranksmart gallery` after "
                "deleting it."
            )
        for number, part in parts.items():
            if missing := len(part.pictures) - len(kept[number]):
                if kept[number]:
                    write_part(index, _only(part, kept[number], index=index), number=number)
                else:
                    remove_folder(part_folder(index, number))
                dropped += missing
    return dropped


def _is_there(picture: PictureFile) -> bool:
    return picture.path.is_file() and picture_digest(picture.path) == picture.sha256


def _only(part: Part, rows: list[int], *, index: Path) -> Part:
    pictures = tuple(part.pictures[row] for row in rows)
    seen = part.seen.take([part.seen.row_by_id[picture.id] for picture in pictures])
    captions = part.captions.of_images(picture.id for picture in pictures)
    row_by_caption = {caption_id: row for row, caption_id in enumerate(part.captions.ids)}
    caption_rows = [row_by_caption[caption_id] for caption_id in captions.ids]
    given = part.caption_vectors if captions.ids else None
    vectors = _rebuilt(given, caption_rows, index=index) if given is not None else None
    images = _rebuilt(part.images, rows, index=index)
    return replace(part, pictures=pictures, images=images, seen=seen, captions=captions, caption_vectors=vectors)


def _rebuilt(vectors: faiss.Index, rows: list[int], *, index: Path) -> faiss.Index:
    if not isinstance(vectors, faiss.IndexFlat):
        raise ValueError(
            f"{index} is a {type(vectors).__name__}, from which nothing can be dropped; only a Flat one gives its vectors "
            "back. Delete it and make it again with `reranksmart gallery`."
        )
    return build_index(vectors.reconstruct_n(0, vectors.ntotal)[rows])
