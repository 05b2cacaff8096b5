"""ARO: does a model bind relations and attributes to objects? Visual Genome pictures with one true and one false caption.

Yuksekgonul et al. 2023. Of each picture the part that the captions are about is shown, as in the published evaluation.
"""

from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from reranksmart.datasets.published.foils import Choice, Foils
from reranksmart.datasets.published.settings import UsedSplits
from reranksmart.datasets.published.texts import field_of, read_json_text
from reranksmart.values.settings import Place


class Aro(Foils):
    kind: Literal["aro"]
    annotations: Place = Field(description="the folder that holds visual_genome_{split}.json")
    splits: UsedSplits

    sizes: ClassVar = {"relation": 23_937, "attribution": 28_748}

    def choices(self, split: str) -> list[Choice]:
        return read_aro(Path(self.annotations), split=self.published_name(split))


def read_aro(folder: Path, *, split: str) -> list[Choice]:
    """The choices of ``visual_genome_{split}.json``, in its order."""
    path = folder / f"visual_genome_{split}.json"
    content = read_json_text(path)
    if not isinstance(content, list) or not content:
        raise ValueError(f"{path} must hold a list of records. Fetch the file again.")
    return [_choice(row, f"aro/{split}-{number}.png", f"{path}, record {number}") for number, row in enumerate(content)]


def _choice(row: Any, image_id: str, place: str) -> Choice:
    left, top, width, height = (field_of(row, f"bbox_{key}", int, place) for key in "xywh")
    if width < 1 or height < 1:
        raise ValueError(
            f"{place}: the box is {width} x {height} pixels, so that nothing can be seen. Mend the record."
        )
    texts = {key: field_of(row, key, str, place) for key in ("image_path", "true_caption", "false_caption")}
    box = (left, top, left + width, top + height)
    return Choice(image_id, texts["image_path"], (texts["true_caption"],), texts["false_caption"], place, box)
