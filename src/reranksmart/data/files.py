"""Your own pictures and captions: a captions file and a folder of pictures become a split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from reranksmart.data.layout import picture_path
from reranksmart.records import Captions
from reranksmart.storage import atomic_directory, read_jsonl, write_captions

_KEYS = ("id", "text", "image")


def read_file_captions(path: Path, *, dataset: str, languages: Sequence[str]) -> tuple[Captions, dict[str, str]]:
    """The captions of a JSON Lines file, and the picture's path below the image folder for each image id.

    Each line has the keys id, text, image and, where there are several languages, language. Ids are prefixed by the
    dataset. ValueError names the line that lacks a key, repeats an id, has an empty text or an unknown language.
    """
    ids, texts, image_ids, spoken, image_of = [], [], [], [], {}
    rows = read_jsonl(path)
    if not rows:
        raise ValueError(f"{path} holds no caption; each line needs the keys {list(_KEYS)}.")
    for number, row in enumerate(rows, start=1):
        missing = [key for key in _KEYS if not isinstance(row.get(key), str)]
        if missing:
            raise ValueError(f"{path}, line {number}: {missing} missing or not text; each line has {list(_KEYS)}.")
        language = row.get("language", languages[0])
        if language not in languages:
            raise ValueError(
                f"{path}, line {number}: language {language!r} is not among the dataset's {list(languages)}. "
                "Add it to the dataset's languages or remove the line."
            )
        image_id = f"{dataset}/{row['image']}"
        ids.append(f"{dataset}/{row['id']}")
        texts.append(row["text"])
        image_ids.append(image_id)
        spoken.append(language)
        image_of[image_id] = row["image"]
    try:
        return Captions(tuple(ids), tuple(texts), tuple(image_ids), tuple(spoken)), image_of
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def prepare_file_split(
    folder: Path, captions_file: Path, images: Path, *, dataset: str, languages: Sequence[str]
) -> Captions:
    """The captions of the split, after writing captions.jsonl and links to its pictures into ``folder``.

    ValueError where a picture is missing, lies outside ``images`` or is none that Pillow opens.
    """
    captions, image_of = read_file_captions(captions_file, dataset=dataset, languages=languages)
    root = images.resolve()
    if not root.is_dir():
        raise ValueError(f"{images} is not a folder; set the split's images to the folder of its pictures.")
    with atomic_directory(folder) as target:
        (target / "images").mkdir()
        for image_id, name in image_of.items():
            source = (root / name).resolve()
            if not source.is_relative_to(root):
                raise ValueError(
                    f"{captions_file}: image {name!r} lies outside {images}; only pictures below it are read."
                )
            if not source.is_file():
                raise ValueError(
                    f"{captions_file}: image {name!r} is not in {images}. Put the picture there or remove its captions."
                )
            require_picture(source)
            picture_path(target, image_id).symlink_to(source)
        write_captions(target / "captions.jsonl", captions)
    return captions


def require_picture(path: Path) -> None:
    """ValueError unless the whole picture can be decoded."""
    try:
        with Image.open(path) as picture:
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{path} is not a whole picture ({error}). PNG, JPEG, WebP and what else Pillow opens are read; "
            "replace the file or remove its captions."
        ) from error
