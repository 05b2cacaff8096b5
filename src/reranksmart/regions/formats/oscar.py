"""OSCAR's files: region features of a split in one ``torch.save`` file, and the object tags beside it.

``{split}_img_frcnn_feats.pt`` is a dict from the image's number to (R, 2054): 2048 features, x1 y1 x2 y2 divided by the
image's size, width, height. ``{split}_vg_labels.pt`` is a dict from the number to the tags, as one text: which word is
which region's is not in the file.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from reranksmart.regions.formats.images import Detections, PublishedImage, at_place
from reranksmart.regions.formats.torch_files import TensorReference, TorchFile, open_torch_file

GEOMETRY_COLUMNS = 6


def split_geometry(columns: NDArray[Any]) -> Detections:
    """Features and boxes of (R, F + 6) columns: F features, x1 y1 x2 y2, and two columns that follow from these."""
    if columns.ndim and not len(columns):
        return Detections(columns, columns)
    if columns.ndim != 2 or columns.shape[1] <= GEOMETRY_COLUMNS:
        raise ValueError(
            f"features have shape {columns.shape}; they must be (regions, 2048 + {GEOMETRY_COLUMNS}). The file is "
            "damaged or has another format; fetch it again."
        )
    end = columns.shape[1] - GEOMETRY_COLUMNS
    return Detections(columns[:, :end], columns[:, end : end + 4])


def read_oscar_features(path: Path) -> Iterator[PublishedImage]:
    """The images of an OSCAR feature file, in its order; each tensor is read when its turn comes."""
    with open_torch_file(path) as file:
        for row, (key, value) in enumerate(_items(file), start=1):
            yield PublishedImage(str(key), path, f"entry {row}", partial(_detections, file, value))


def read_object_tags(path: Path, *, image_id: Callable[[str], str]) -> dict[str, str]:
    """The tags of each image, as one text with spaces between; ``image_id`` as in ``convert_regions``."""
    tags: dict[str, str] = {}
    with open_torch_file(path) as file:
        for row, (key, value) in enumerate(_items(file), start=1):
            with at_place(f"{path}, entry {row}, image {str(key)!r}"):
                if not isinstance(value, str):
                    raise ValueError(f"its tags are {type(value).__name__}, not text; fetch the file again.")
                name = image_id(str(key))
                if name in tags:
                    raise ValueError(f"image id {name!r} occurs a second time; ids must be unique.")
                tags[name] = value
    return tags


def _items(file: TorchFile) -> Iterator[tuple[Any, Any]]:
    if not isinstance(file.value, dict):
        raise ValueError(
            f"{file.path} holds {type(file.value).__name__}, not a dict from image to features or tags; "
            "give OSCAR's {split}_img_frcnn_feats.pt or {split}_vg_labels.pt."
        )
    if not file.value:
        raise ValueError(f"{file.path} holds no image; fetch the file again.")
    for key, value in file.value.items():
        if isinstance(key, bool) or not isinstance(key, int | str):
            raise ValueError(f"{file.path}: the key {key!r} is neither a number nor text; fetch the file again.")
        yield key, value


def _detections(file: TorchFile, value: Any) -> Detections:
    if not isinstance(value, TensorReference):
        raise ValueError(f"its features are {type(value).__name__}, not a tensor; fetch the file again.")
    return split_geometry(file.read(value))
