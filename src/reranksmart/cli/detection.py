"""The verb that makes region features with a trained detector; it runs in the environment of envs/detector.yaml."""

from pathlib import Path
from typing import Annotated

import torch
import typer

from reranksmart.cli.verb import NewFolder, Threads, verb
from reranksmart.config.datasets import RegionFeatures
from reranksmart.datasets.prepared.layout import pictures_of_shard
from reranksmart.regions.formats.writer import writing_regions


@verb()
def detect_regions_verb(
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    shard: Annotated[int, typer.Option(help="which share of the images, from 0")],
    settings: Annotated[str, typer.Option(help="the region settings as JSON")],
    output: NewFolder,
    threads: Threads = 1,
) -> None:
    """Detects the regions of one share of a split's images with a Faster R-CNN."""
    torch.set_num_threads(threads)
    regions = RegionFeatures.model_validate_json(settings)
    try:
        from reranksmart.regions.detectors.extraction import detect_all
        from reranksmart.regions.detectors.trained import trained_detector
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision that was built for another torch
        raise ValueError(
            f"regions.detector is {regions.detector}, which needs torchvision, and it cannot be imported here ({error}). "
            "Allowed is the environment of envs/detector.yaml: run `snakemake --sdm conda`, or `make detector` once and "
            "set regions.python to .venv-detector/bin/python."
        ) from error
    detector = trained_detector(
        regions.detector,
        Path(regions.weights) if regions.weights else None,
        device=regions.device,
        least=regions.minimum,
        most=regions.maximum,
        confidence=regions.confidence,
        class_wise=regions.suppression == "class_wise",
    )
    images = pictures_of_shard(data, shard=shard, shards=regions.shards)
    with writing_regions(output, label_names=detector.label_names) as writer:
        writer.extend(detect_all(images, detector))
