"""Which published files the regions of a dataset's images are read from."""

from typing import Literal

from pydantic import Field

from reranksmart.values.settings import Count, Frozen, Name, Place


class RegionFiles(Frozen):
    """Region features that somebody else made, read instead of detecting regions in pictures."""

    format: Literal["oscar", "bottom_up_tsv", "lxmert_tsv", "vinvl", "npz", "pt", "npy", "volta"] = Field(
        description="in which they were published"
    )
    paths: tuple[Place, ...] = Field((), description="files or folders of every split, read as one")
    split_paths: dict[Name, tuple[Place, ...]] = Field({}, description="those of a split, instead of `paths`")
    labels: Place | None = Field(
        None, description="vinvl: the label file of the same images; else the names of the classes, one a line"
    )
    tags: dict[Name, Place] = Field(
        {},
        description="the file of object tags of a split, by OSCAR's form: {split}_vg_labels.pt of COCO, {split}_vg_tags.pt "
        "of Flickr30k; without it the names of the regions' classes are the tags",
    )
    feature_size: Count = Field(2048, description="columns of a feature")
    feature_type: Literal["float16", "float32"] = Field(
        "float16", description="as which they are kept; float32: not rounded, in twice the space"
    )

    def paths_of(self, split: str) -> tuple[str, ...]:
        return self.split_paths.get(split, self.paths)
