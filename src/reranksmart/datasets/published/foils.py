"""Published choices between true captions of a picture and a false one, prepared as twins.

Image 2 i has the picture and its true captions, image 2 i + 1 the same picture and as many copies of the false caption:
the one is the other's *foil*. So the scores of twins answer which caption a picture chooses.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from pydantic import model_validator

from reranksmart.datasets.prepared.layout import FOILS_FILE, Prepared, picture_path
from reranksmart.datasets.published.captions import PublishedCaption, collect
from reranksmart.datasets.published.settings import PublishedInEnglish
from reranksmart.files.picture_folders import fault_of
from reranksmart.files.storage import write_captions, write_jsonl
from reranksmart.files.writing import atomic_directory
from reranksmart.run.progress import progress


@dataclass(frozen=True)
class Choice:
    """A picture's file name, its true captions and a false one; ``place`` is where it stands, for faults to name.

    ``box`` is the part of the picture that is shown, in pixels: left, top, right, bottom; None: all of it.
    """

    image_id: str
    picture: str
    true: tuple[str, ...]
    false: str
    place: str
    box: tuple[int, int, int, int] | None = None


class Foils(PublishedInEnglish):
    """A dataset of choices between captions. Its pictures are needed: region files know no foils."""

    foils = True
    each = 1

    @model_validator(mode="after")
    def _has_pictures(self) -> "Foils":
        if not self.images or self.regions is not None:
            raise ValueError(
                "a picture must stand beside both captions; give images, folders of pictures, and no regions"
            )
        return self

    def choices(self, split: str) -> list[Choice]:
        """The choices of a split, in the order of the file."""
        raise NotImplementedError

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        chosen = self.choices(split)[: self.splits[split].first]
        return prepare_foils(folder, chosen, [Path(place) for place in self.images], source=Path(split))

    def image_count(self, split: str) -> int:
        return 2 * super().image_count(split)


def prepare_foils(folder: Path, choices: Sequence[Choice], pictures: Sequence[Path], *, source: Path) -> Prepared:
    """The images that the split has, after writing pictures, captions and the list of foils into ``folder``.

    ValueError where a picture is in none of the folders ``pictures``, or cannot be read to be cut.
    """
    found = {choice.picture: _find(choice, pictures) for choice in choices}
    captions = collect(_captions(choices), source=source)
    with atomic_directory(folder) as target:
        (target / "images").mkdir()
        for choice in progress(choices, what="pictures", total=len(choices)):
            for image_id in (choice.image_id, foil_of(choice.image_id)):
                _show(found[choice.picture], picture_path(target, image_id), choice)
        write_captions(target / "captions.jsonl", captions)
        write_jsonl(target / FOILS_FILE, ({"image_id": foil_of(choice.image_id)} for choice in choices))
    return Prepared(2 * len(choices))


def foil_of(image_id: str) -> str:
    """The id of the image that stands for the false caption."""
    stem, dot, ending = image_id.partition(".")
    return f"{stem}-foil{dot}{ending}"


def _captions(choices: Iterable[Choice]) -> Iterator[PublishedCaption]:
    for choice in choices:
        for image_id, texts in (
            (choice.image_id, choice.true),
            (foil_of(choice.image_id), (choice.false,) * len(choice.true)),
        ):
            for number, text in enumerate(texts):
                yield PublishedCaption(f"{image_id}#{number}", text, image_id, "en", choice.place)


def _find(choice: Choice, pictures: Sequence[Path]) -> Path:
    for root in pictures:
        if (path := root / choice.picture).is_file():
            return path
    raise ValueError(
        f"{choice.place}: picture {choice.picture!r} is in none of {list(map(str, pictures))}. Add the folder that holds "
        "it to the dataset's images."
    )


def _show(source: Path, target: Path, choice: Choice) -> None:
    if choice.box is None:
        target.symlink_to(source.resolve())
        return
    if fault := fault_of(source):
        raise ValueError(f"{choice.place}: {source} is not a whole picture ({fault}). Replace the file.")
    with Image.open(source) as picture:
        picture.convert("RGB").crop(choice.box).save(target, format="PNG")
