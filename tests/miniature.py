"""Every published dataset, small: files in the published layouts, generated, with region features of their images.

``write_published(folder)`` writes them all and returns the ``datasets`` of a configuration that reads them. A caption
names what its image's regions show, so that models learn something from a few dozen images.
"""

from __future__ import annotations

import base64
import csv
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray

FEATURE_SIZE = 2048
THINGS = ("dog", "tree", "car", "boat", "guitar", "ball", "horse", "woman")
_WORDS = {
    "en": THINGS,
    "de": ("Hund", "Baum", "Auto", "Boot", "Gitarre", "Ball", "Pferd", "Frau"),
    "fr": ("chien", "arbre", "voiture", "bateau", "guitare", "ballon", "cheval", "femme"),
    "cs": ("pes", "strom", "auto", "loď", "kytara", "míč", "kůň", "žena"),
}
_FIRST = {"coco": 391895, "flickr30k": 1000092795, "cc": 1}
LAYOUT = {"train": 24, "dev": 8, "test": 10}


@dataclass(frozen=True)
class Photograph:
    """An image of a published dataset: its number there and the things that it shows, by place in THINGS."""

    dataset: str
    number: int
    shown: tuple[int, ...]

    def texts(self, language: str, count: int) -> list[str]:
        words = _WORDS.get(language, THINGS)
        orders = [[words[thing] for thing in np.roll(self.shown, turn)] for turn in range(count)]
        return [f"{' and '.join(order)} {'.' * (turn // len(order) + 1)}" for turn, order in enumerate(orders)]

    def columns(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features (R, 2048) and boxes (R, 4) in pixels of an image of 640 x 480."""
        rng = np.random.default_rng((7, self.number))
        looks = np.abs(np.random.default_rng(3).standard_normal((len(THINGS), FEATURE_SIZE)))
        features = looks[list(self.shown)] + 0.1 * rng.random((len(self.shown), FEATURE_SIZE))
        boxes = np.sort(rng.random((len(self.shown), 2, 2)) * [640, 480], axis=1).reshape(-1, 4)
        return features.astype(np.float32), boxes.astype(np.float32)


def photographs(dataset: str, count: int, *, start: int = 0) -> list[Photograph]:
    """Images ``start`` to ``start + count`` of a dataset, always the same."""
    found = []
    for place in range(start, start + count):
        number = _FIRST[dataset] + 7 * place
        shown = np.random.default_rng(number).choice(len(THINGS), size=2 + place % 2, replace=False)
        found.append(Photograph(dataset, number, tuple(shown.tolist())))
    return found


def split_photographs(dataset: str) -> dict[str, list[Photograph]]:
    """The images of train, dev and test."""
    starts = np.cumsum([0, *LAYOUT.values()])
    return {
        split: photographs(dataset, count, start=int(start))
        for (split, count), start in zip(LAYOUT.items(), starts, strict=False)
    }


def write_karpathy(
    path: Path, splits: dict[str, list[Photograph]], *, numbers: Mapping[int, Sequence[int]] | None = None
) -> Path:
    """``dataset_coco.json`` or ``dataset_flickr30k.json``: all splits in one file.

    ``numbers``: of some images, by number, the numbers of their captions; others' are made up.
    """
    rows = []
    for split, images in splits.items():
        for image in images:
            name = f"COCO_val2014_{image.number:012}.jpg" if image.dataset == "coco" else f"{image.number}.jpg"
            texts = image.texts("en", 5 + image.number % 2)
            own = [*(numbers or {}).get(image.number, ())]
            own += [10 * image.number + place for place in range(len(own), len(texts))]
            sentences = [
                {"tokens": text.split(), "raw": text, "imgid": 0, "sentid": number}
                for text, number in zip(texts, own, strict=True)
            ]
            published = "val" if split == "dev" else split
            rows.append({"filename": name, "filepath": "val2014", "split": published, "sentences": sentences})
    return _write(path, json.dumps({"images": rows, "dataset": path.stem}))


def write_oscar_coco(folder: Path, splits: dict[str, list[Photograph]]) -> Path:
    """OSCAR's ``coco_ir``: lists, captions, features and object tags of each split, and the 1k list."""
    folder.mkdir(parents=True)
    for split, images in splits.items():
        published = "minival" if split == "dev" else split
        _write(folder / f"{published}_img_keys.tsv", "".join(f"{image.number}\n" for image in images))
        texts = {image.number: json.dumps(image.texts("en", 5 + image.number % 2)) for image in images}
        torch.save(texts, folder / f"{published}_captions.pt")
        torch.save(
            {image.number: torch.from_numpy(_oscar_columns(image)) for image in images},
            folder / f"{published}_img_frcnn_feats.pt",
        )
        write_tags(folder / f"{published}_vg_labels.pt", images)
    _write(folder / "test_img_keys_1k.tsv", "".join(f"{image.number}\n" for image in splits["test"][:4]))
    return folder


def _oscar_columns(image: Photograph) -> NDArray[np.float32]:
    features, boxes = image.columns()
    unit = boxes / np.float32([640, 480, 640, 480])
    return np.concatenate([features, unit, unit[:, 2:] - unit[:, :2]], axis=1)


def write_entities(folder: Path, splits: dict[str, list[Photograph]]) -> Path:
    """Flickr30k Entities: lists and sentences with markup."""
    for split, images in splits.items():
        published = "val" if split == "dev" else split
        _write(folder / f"{published}.txt", "".join(f"{image.number}\n" for image in images))
        for image in images:
            marked = [f"[/EN#1/other A] {text}\n" for text in image.texts("en", 5)]
            _write(folder / "Sentences" / f"{image.number}.txt", "".join(marked))
    return folder


def write_multi30k(folder: Path, splits: dict[str, list[Photograph]]) -> Path:
    """Tasks 1 and 2 of Multi30k, packed as they are published."""
    for split, images in splits.items():
        one, two = {"train": ("train", "train"), "dev": ("val", "val")}.get(split, ("test_2016_flickr", "test_2016"))
        names = "".join(f"{image.number}.jpg\n" for image in images)
        _write(folder / "task1" / "image_splits" / f"{one}.txt", names)
        _write(folder / "task2" / "image_splits" / f"{two}_images.txt", names)
        for language in _WORDS:
            _pack(folder / "task1" / "raw" / f"{one}.{language}.gz", [image.texts(language, 1)[0] for image in images])
        for language in ("en", "de"):
            for version in range(5):
                texts = [image.texts(language, 5)[version] for image in images]
                _pack(folder / "task2" / "raw" / f"{two}.{version + 1}.{language}.gz", texts)
    return folder


def write_conceptual_captions(path: Path, images: Iterable[Photograph]) -> Path:
    """The published code's ``cc_test.tsv``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t", lineterminator="\n")
        rows.writerow(("caption", "image_id"))
        rows.writerows((image.texts("en", 1)[0], image.number) for image in images)
    return path


def write_xflickrco(folder: Path, images: Sequence[Photograph], languages: Sequence[str]) -> Path:
    """IGLUE's test files of half Flickr30k's, half COCO's images."""
    for language in languages:
        rows = []
        for image in images:
            name = f"COCO_val2014_{image.number:012}.jpg" if image.dataset == "coco" else f"{image.number}.jpg"
            rows.append({"sentences": image.texts(language, 1), "id": name, "img_path": name})
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        _write(folder / "annotations" / language / "test.jsonl", text)
    return folder


def write_tags(path: Path, images: Iterable[Photograph]) -> Path:
    """Object tags in OSCAR's form: COCO's under numbers, Flickr30k's under texts."""
    named = {image.number if image.dataset == "coco" else str(image.number): image for image in images}
    torch.save({key: " ".join(THINGS[thing] for thing in image.shown) for key, image in named.items()}, path)
    return path


def write_bottom_up(path: Path, images: Iterable[Photograph]) -> Path:
    """Region features as BAN's TSV."""
    rows = []
    for image in images:
        features, boxes = image.columns()
        rows.append([image.number, 640, 480, len(boxes), _encoded(boxes), _encoded(features)])
    return _write(path, "".join("\t".join(map(str, row)) + "\n" for row in rows))


def write_npz(folder: Path, images: Iterable[Photograph]) -> Path:
    """Region features as bottom-up-attention.pytorch's files, one an image."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        features, boxes = image.columns()
        named = {"x": features, "bbox": boxes, "num_bbox": len(boxes), "image_h": 480, "image_w": 640}
        np.savez_compressed(folder / f"{image.number}.npz", **named)
    return folder


def write_pt(folder: Path, images: Iterable[Photograph]) -> Path:
    """Region features as the M3P extractor's files, one an image."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in images:
        features, boxes = image.columns()
        value = {"features": features, "boxes": boxes, "num_boxes": len(boxes), "img_w": 640, "img_h": 480}
        value |= {"objects": np.array(image.shown), "cls_prob": np.full((len(boxes), 2), 0.5, np.float32)}
        torch.save(value, folder / f"{image.number}.pt")
    return folder


def write_volta(path: Path, images: Iterable[Photograph]) -> Path:
    """Region features as VOLTA's H5 file, COCO's images under their file names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for image in images:
            features, boxes = image.columns()
            coco = image.dataset == "coco"
            group = file.create_group(f"COCO_val2014_{image.number:012}" if coco else str(image.number))
            for key, value in {"features": features, "boxes": boxes, "img_w": 640, "img_h": 480}.items():
                group[key] = value
    return path


def write_published(folder: Path) -> dict[str, Any]:
    """Writes every dataset below ``folder``; returns the ``datasets`` of a configuration that reads them."""
    coco, flickr = split_photographs("coco"), split_photographs("flickr30k")
    everything = [image for images in flickr.values() for image in images]
    conceptual = photographs("cc", 12)
    mixed = [*flickr["test"][:5], *coco["test"][:5]]
    oscar = write_oscar_coco(folder / "coco_ir", coco)
    features = write_bottom_up(folder / "flickr30k_resnet101_faster_rcnn_genome.tsv", everything)
    published = {"train": "train", "dev": "minival", "test": "test", "test_1k": "test"}
    names = ("train", "dev", "test")
    return {
        "coco": {
            "kind": "coco",
            "annotations": str(write_karpathy(folder / "dataset_coco.json", coco)),
            "splits": {
                **{name: {} for name in names},
                "test_1k": {"of": "test", "image_list": str(oscar / "test_img_keys_1k.tsv")},
                **{f"fold_{fold}": {"of": "test", "fold": fold} for fold in range(1, 6)},
            },
            "regions": {
                "format": "oscar",
                "paths": [str(oscar / "test_img_frcnn_feats.pt")],
                "split_paths": {
                    name: [str(oscar / f"{published[name]}_img_frcnn_feats.pt")] for name in ("train", "dev")
                },
                "tags": {name: str(oscar / f"{published[name]}_vg_labels.pt") for name in names},
            },
        },
        "coco_ir": {
            "kind": "coco",
            "layout": "oscar",
            "annotations": str(oscar),
            "captions_per_image": None,
            "splits": {"test": {}},
            "regions": {"format": "oscar", "paths": [str(oscar / "test_img_frcnn_feats.pt")]},
        },
        "flickr30k": {
            "kind": "flickr30k",
            "annotations": str(write_karpathy(folder / "dataset_flickr30k.json", flickr)),
            "splits": {name: {} for name in names},
            "regions": {
                "format": "bottom_up_tsv",
                "paths": [str(features)],
                "tags": {name: str(write_tags(folder / f"{name}_vg_tags.pt", flickr[name])) for name in names},
            },
        },
        "entities": {
            "kind": "flickr30k",
            "division": "entities",
            "annotations": str(write_entities(folder / "entities", _other_division(flickr))),
            "splits": {name: {} for name in names},
            "regions": {"format": "bottom_up_tsv", "paths": [str(features)]},
        },
        "multi30k": {
            "kind": "multi30k",
            "annotations": str(write_multi30k(folder / "multi30k", flickr)),
            "splits": {"train": {}, "dev": {}, "test": {"of": "test_2016"}},
            "regions": {"format": "pt", "paths": [str(write_pt(folder / "m3p_features", everything))]},
        },
        "cc": {
            "kind": "conceptual_captions",
            "splits": {"dev": {"captions": str(write_conceptual_captions(folder / "cc_test.tsv", conceptual))}},
            "regions": {"format": "npz", "paths": [str(write_npz(folder / "features_test", conceptual))]},
        },
        "xflickrco": {
            "kind": "xflickrco",
            "annotations": str(write_xflickrco(folder / "xflickrco", mixed, ("en", "de"))),
            "languages": ["en", "de"],
            "splits": {"test": {}},
            "regions": {"format": "volta", "paths": [str(write_volta(folder / "xflickrco_boxes36.h5", mixed))]},
        },
    }


def _other_division(splits: dict[str, list[Photograph]]) -> dict[str, list[Photograph]]:
    """The same images divided anew: two of Karpathy's test images are in train, as 944 are in the published ones."""
    images = [image for split in ("test", "train", "dev") for image in splits[split]]
    ends = np.cumsum([0, *LAYOUT.values()])
    order = [*images[:2], *images[10:], *images[2:10]]
    return {split: order[ends[place] : ends[place + 1]] for place, split in enumerate(LAYOUT)}


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _pack(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def _encoded(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array)).decode()
