"""Verbs that make region features: extract one shard, merge the shards of a split."""

from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.datasets import RegionFeatures
from reranksmart.datasets.composed.scenes import object_boxes, read_scenes
from reranksmart.datasets.prepared.layout import pictures_of_shard
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import write_json
from reranksmart.regions.detectors.detection import find_regions, object_recall
from reranksmart.regions.detectors.efficientnet import label_names
from reranksmart.regions.formats.writer import writing_regions


@verb(computes=True)
def extract_regions_verb(
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    shard: Annotated[int, typer.Option(help="which share of the images, from 0")],
    settings: Annotated[str, typer.Option(help="the region settings as JSON")],
    output: NewFolder,
) -> None:
    """Detects the regions of one share of a split's images."""
    regions = RegionFeatures.model_validate_json(settings)
    images = pictures_of_shard(data, shard=shard, shards=regions.shards)
    with writing_regions(output, label_names=label_names()) as writer:
        writer.extend(find_regions(images, at_most=regions.maximum))


@verb()
def merge_regions_verb(
    shards: Annotated[list[Path], typer.Argument(help="folders of all shards, in order")],
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    output: NewFolder,
) -> None:
    """Joins the shards of a split; measures the recall of the true objects where they are known."""
    stores = [RegionStore.open(folder) for folder in shards]
    if len({store.label_names for store in stores}) != 1:
        raise ValueError(
            f"{', '.join(map(str, shards))} name their classes differently, as different detectors do. Delete these "
            "folders to have all of them made again."
        )
    scenes = data / "scenes.jsonl"
    with writing_regions(output, label_names=stores[0].label_names) as writer:
        for part in stores:
            writer.extend(zip(part.image_ids, part, strict=True))
    if scenes.exists():
        store = RegionStore.open(output)
        write_json(output / "recall.json", object_recall(store, object_boxes(read_scenes(scenes))))
