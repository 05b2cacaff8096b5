"""Which captions are true of which images in a gallery: by truth for composed scenes, else by description; in one's own files by content too."""

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from reranksmart.datasets.composed.propositions import read_propositions, relevance
from reranksmart.datasets.composed.scenes import read_scenes
from reranksmart.datasets.composed.splits import concepts_of
from reranksmart.datasets.composed.stamps import read_stamps
from reranksmart.datasets.prepared.content import true_by_content
from reranksmart.datasets.prepared.layout import RELEVANT_FILE, read_image_ids
from reranksmart.datasets.prepared.overlap import overlaps
from reranksmart.files.picture_folders import SKIPPED_FILE
from reranksmart.files.storage import read_captions, read_jsonl
from reranksmart.values.records import Relevance


def relevance_of(splits: Sequence[Path], *, stamps: Path | None = None) -> Relevance:
    """The true pairs in a gallery of these prepared splits; ValueError where two of them share an image.

    ``stamps`` are those of composed scenes, which say what else a caption is true of than its own image.
    """
    _require_disjoint(splits)
    composed = [folder for folder in splits if stamps is not None and (folder / "propositions.jsonl").exists()]
    parts = [read_captions(folder / "captions.jsonl").relevance() for folder in splits if folder not in composed]
    if stamps is not None and composed:
        meanings = {
            key: value for folder in composed for key, value in read_propositions(folder / "propositions.jsonl").items()
        }
        scenes = [scene for folder in composed for scene in read_scenes(folder / "scenes.jsonl")]
        parts.insert(0, relevance(meanings, scenes, concepts_of(read_stamps(stamps))))
    for judged in (folder / RELEVANT_FILE for folder in splits):
        rows = read_jsonl(judged) if judged.exists() else []
        parts.append(Relevance(tuple(row["caption_id"] for row in rows), tuple(row["image_id"] for row in rows)))
    own = [folder for folder in splits if (folder / SKIPPED_FILE).exists()]  # no others have it
    if own and len(more := (by_content := true_by_content(own)).caption_ids):
        parts.append(by_content)
        print(
            f"{len(more):,} pairs of caption and picture are right besides those in the captions file: the same text, or the "
            "same picture.",
            file=sys.stderr,
        )
    return Relevance(
        tuple(chain.from_iterable(part.caption_ids for part in parts)),
        tuple(chain.from_iterable(part.image_ids for part in parts)),
    )


def _require_disjoint(splits: Sequence[Path]) -> None:
    """ValueError where two splits of a gallery share an image: it would stand there twice."""
    for shared in overlaps({f"{folder.parent.name}.{folder.name}": read_image_ids(folder) for folder in splits}):
        if shared.shared:
            raise ValueError(f"{shared}; a gallery has each image once. Leave one of the two splits out.")
