"""The trained detector that a configuration asks for."""

from pathlib import Path

from reranksmart.regions.detectors.coco import CocoDetector, load_coco
from reranksmart.regions.detectors.extraction import Detector, VisualGenome, chosen_device
from reranksmart.regions.detectors.visual_genome_files import load_visual_genome


def trained_detector(
    kind: str, weights: Path | None, *, device: str, least: int, most: int, confidence: float, class_wise: bool
) -> Detector:
    """The Faster R-CNN of Visual Genome (``vg``) or of COCO, on ``device``: auto, cpu or cuda."""
    where = chosen_device(device)
    if kind != "vg" or weights is None:
        return CocoDetector(load_coco(weights), device=where, most=most)
    loaded = load_visual_genome(weights)
    return VisualGenome(loaded, device=where, least=least, most=most, confidence=confidence, class_wise=class_wise)
