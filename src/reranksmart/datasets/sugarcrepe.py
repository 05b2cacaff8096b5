"""SugarCrepe and SugarCrepe++: which caption is true of a COCO picture, the published or a fluent false one.

Hsieh et al. 2023; Dumpala et al. 2024, whose pictures have two true captions, both of which must win.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from reranksmart.datasets.published.foils import Choice, Foils
from reranksmart.datasets.published.settings import UsedSplits
from reranksmart.datasets.published.texts import field_of, read_json_text
from reranksmart.values.settings import Place

IMAGES = {
    "sugarcrepe": {
        **{"add_att": 692, "add_obj": 2_062, "replace_att": 788, "replace_obj": 1_652, "replace_rel": 1_406},
        **{"swap_att": 666, "swap_obj": 245},
    },
    "sugarcrepe_pp": {"replace_att": 788, "replace_obj": 1_652, "replace_rel": 1_406, "swap_att": 666, "swap_obj": 245},
}


class SugarCrepe(Foils):
    kind: Literal["sugarcrepe"]
    edition: Literal["sugarcrepe", "sugarcrepe_pp"] = Field(
        "sugarcrepe", description="sugarcrepe_pp: SugarCrepe++, with two true captions a picture"
    )
    annotations: Place = Field(description="the folder that holds {split}.json")
    splits: UsedSplits

    def choices(self, split: str) -> list[Choice]:
        of = self.published_name(split)
        return read_sugarcrepe(Path(self.annotations) / f"{of}.json", edition=self.edition, split=of)

    def published_sizes(self) -> Mapping[str, int]:
        return IMAGES[self.edition]

    def captions_each(self, language: str) -> int:
        return 1 if self.edition == "sugarcrepe" else 2


def read_sugarcrepe(path: Path, *, edition: str, split: str) -> list[Choice]:
    """The choices of a file: an object of numbered records (SugarCrepe) or a list of them (SugarCrepe++)."""
    content = read_json_text(path)
    numbered = dict(enumerate(content)) if isinstance(content, list) else content
    rows = list(numbered.items()) if isinstance(numbered, dict) else []
    if not rows:
        raise ValueError(f"{path} holds no record; SugarCrepe's {split}.json is an object or a list. Fetch it again.")
    return [_choice(row, f"{edition}/{split}-{number}", f"{path}, record {number}", edition) for number, row in rows]


def _choice(row: Any, image_id: str, place: str, edition: str) -> Choice:
    keys = ("caption",) if edition == "sugarcrepe" else ("caption", "caption2")
    true = tuple(field_of(row, key, str, place) for key in keys)
    picture, false = (field_of(row, key, str, place) for key in ("filename", "negative_caption"))
    return Choice(image_id, picture, true, false, place)
