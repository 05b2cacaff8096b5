"""Your own pictures, with captions or without: a folder and perhaps a captions file become a split."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from reranksmart.datasets import Dataset
from reranksmart.datasets.prepared.caption_tables import captions_of_broken, read_file_captions
from reranksmart.datasets.prepared.content import doubles
from reranksmart.datasets.prepared.layout import IMAGES_FILE, Prepared, picture_path
from reranksmart.files.picture_folders import LeftOut, list_files, list_pictures, split_broken, write_left_out
from reranksmart.files.picture_names import PictureNames
from reranksmart.files.storage import write_captions, write_jsonl
from reranksmart.files.writing import atomic_directory
from reranksmart.regions.settings import RegionFiles
from reranksmart.values.records import Captions
from reranksmart.values.settings import Frozen, Languages, Name, OwnPath

_UNKNOWN = 30_000  # pictures of a split that is not there yet: as many as Flickr30k's
_LINE_BYTES = 100  # of a caption with its picture's path


class FileSplit(Frozen):
    captions: OwnPath | None = Field(
        None, description="JSON Lines or CSV file: text, image (path below `images`), id, language; null: no captions"
    )
    images: OwnPath = Field(description="folder of pictures, at any depth")


class Files(Dataset):
    """Your own pictures, with captions or without."""

    kind: Literal["files"]
    languages: Languages = ("en",)
    regions: RegionFiles | None = Field(None, description="null: regions are detected in the pictures")
    splits: dict[Name, FileSplit] = Field(description="pictures and their captions, by name")
    doubles: Literal["warn", "refuse"] = Field(
        "warn",
        description="where splits share a sentence, or a picture saved anew: say so before training, or refuse it",
    )

    disjoint = True

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        source = self.splits[split]
        captions = Path(source.captions) if source.captions else None
        found = prepare_file_split(folder, captions, Path(source.images), dataset=name, languages=self.languages)
        return Prepared(len(found.image_ids), found.left_out)

    def image_count(self, split: str) -> int:
        """About how many, by the size of the captions file or the files of the folder; resources are estimated by it."""
        source = self.splits[split]
        try:
            if source.captions is not None:
                return 1 + Path(source.captions).stat().st_size // _LINE_BYTES
            return sum(len(files) for _, _, files in os.walk(source.images)) or _UNKNOWN
        except OSError:
            return _UNKNOWN

    def has_captions(self, split: str) -> bool:
        return self.splits[split].captions is not None

    def audit(self, folders: Mapping[str, Path], *, stamps: Path | None = None) -> dict[str, int]:
        """Pictures and captions by content and id, which must differ; and sentences and looks, which had better."""
        compared, found = super().audit(folders), doubles(folders)
        told = "".join(f"\n  {one}" for one in found)
        if found and self.doubles == "refuse":
            raise ValueError(
                f"splits share what was not to be shared (doubles: refuse):{told}\nTake it out of one of the two."
            )
        if found:
            print(f"warning: a model may be tested on what it has learned:{told}", file=sys.stderr)
        shared = {f"shared_{one.what}": 0 for one in found}
        for one in found:
            shared[f"shared_{one.what}"] += one.count
        return compared | shared


@dataclass(frozen=True)
class PreparedFiles:
    """What became of a folder: its captions (none without a captions file), image ids, and what was left out."""

    captions: Captions
    image_ids: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def prepare_file_split(
    folder: Path, captions_file: Path | None, images: Path, *, dataset: str, languages: Sequence[str]
) -> PreparedFiles:
    """What there is of the split, after writing its captions and links to its pictures into ``folder``.

    Without a captions file every picture below ``images`` belongs to it. What is left out, as broken pictures with their
    captions, is listed in ``skipped.jsonl``. ValueError where no picture is whole, or no caption finds one.
    """
    if captions_file is None:
        captions = Captions((), (), (), ())
        files, left_out = list_pictures(images)
    else:
        files, left_out = list_files(images)
        names = PictureNames(files)
        captions, unmatched = read_file_captions(captions_file, dataset=dataset, languages=languages, pictures=names)
        described = {image_id.removeprefix(f"{dataset}/"): None for image_id in captions.image_ids}
        unused = (path for name, path in files.items() if name not in described and path != captions_file)
        left_out += [*unmatched, *(LeftOut.file(path, "no caption names it") for path in unused)]
        files = {name: files[name] for name in described}
    sources = {f"{dataset}/{name}": path.resolve() for name, path in files.items()}
    broken = split_broken(list(sources.values()))[1]
    unreadable = {fault.path for fault in broken}
    kept = {image_id: path for image_id, path in sources.items() if path not in unreadable}
    left_out += [LeftOut.file(fault.path, fault.reason, "broken pictures") for fault in broken]
    left_out += captions_of_broken(captions, kept)
    captions = captions.of_images(kept)
    with atomic_directory(folder) as target:
        (target / "images").mkdir()
        for image_id, source in kept.items():
            picture_path(target, image_id).symlink_to(source)
        write_captions(target / "captions.jsonl", captions)
        if captions_file is None:
            write_jsonl(target / IMAGES_FILE, ({"image_id": image_id} for image_id in kept))
        write_left_out(target, left_out)
    return PreparedFiles(captions, tuple(kept), tuple(left_out))
