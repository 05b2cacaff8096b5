"""The captions of a published dataset's split, as its settings ask for them; every place in them is a path by now."""

from __future__ import annotations

from pathlib import Path

from reranksmart.config import Coco, ConceptualCaptions, Flickr30k, Multi30k, PublishedDataset
from reranksmart.datasets.coco import coco_1k, coco_folds, read_coco, read_coco_numbers, read_oscar_coco
from reranksmart.datasets.conceptual_captions import read_conceptual_captions, read_conceptual_captions_rows
from reranksmart.datasets.flickr30k import read_flickr30k, read_flickr30k_entities
from reranksmart.datasets.multi30k import read_multi30k
from reranksmart.datasets.published.captions import first_images
from reranksmart.datasets.xflickrco import read_xflickrco
from reranksmart.values.records import Captions


def read_published(dataset: PublishedDataset, split: str) -> Captions:
    """The captions of a split; ValueError where a file is missing, broken or not of this publication."""
    first = dataset.splits[split].first
    captions = _read(dataset, split)
    return first_images(captions, first) if first else captions


def read_caption_numbers(dataset: Coco, split: str) -> dict[str, int]:
    """COCO's own number of each caption of a split, with those beyond the five that are read of an image."""
    return read_coco_numbers(Path(str(dataset.annotations)), split=dataset.splits[split].of or split)


def _read(dataset: PublishedDataset, split: str) -> Captions:
    of = dataset.splits[split].of or split
    if isinstance(dataset, Coco):
        return _read_coco(dataset, split)
    if isinstance(dataset, Flickr30k):
        return _read_flickr30k(dataset, split)
    if isinstance(dataset, Multi30k):
        tasks = [(task, language) for language, task in dataset.tasks.items()]
        folder = Path(dataset.annotations)
        return Captions.concatenated(
            read_multi30k(folder, task=task, split=of, languages=[language]) for task, language in tasks
        )
    if isinstance(dataset, ConceptualCaptions):
        path = Path(dataset.splits[split].captions)
        return read_conceptual_captions(path) if dataset.layout == "table" else read_conceptual_captions_rows(path)[0]
    return read_xflickrco(Path(dataset.annotations), languages=dataset.languages, split=of)


def _read_coco(dataset: Coco, split: str) -> Captions:
    subset = dataset.splits[split]
    each = dataset.captions_per_image
    if subset.annotations:
        captions = read_coco(Path(subset.annotations), captions_per_image=each)
    elif dataset.layout == "karpathy":
        captions = read_coco(Path(str(dataset.annotations)), split=subset.of or split, captions_per_image=each)
    else:
        captions = read_oscar_coco(Path(str(dataset.annotations)), split=subset.of or split, captions_per_image=each)
    if subset.image_list:
        captions = coco_1k(captions, Path(subset.image_list))
    return coco_folds(captions)[subset.fold - 1] if subset.fold else captions


def _read_flickr30k(dataset: Flickr30k, split: str) -> Captions:
    subset = dataset.splits[split]
    each = dataset.captions_per_image
    if subset.annotations:
        return read_flickr30k(Path(subset.annotations), captions_per_image=each)
    folder = Path(str(dataset.annotations))
    if dataset.division == "karpathy":
        return read_flickr30k(folder, split=subset.of or split, captions_per_image=each)
    sentences = Path(dataset.sentences) if dataset.sentences else None
    return read_flickr30k_entities(folder, split=subset.of or split, captions_per_image=each, sentences=sentences)
