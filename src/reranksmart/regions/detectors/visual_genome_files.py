"""The published weights of the Visual Genome detector (``frcnn-vg-finetuned``), each tensor accounted for by name."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from reranksmart.files.weights import read_pickled_tensors, require_shapes
from reranksmart.regions.detectors.visual_genome import VisualGenomeDetector
from reranksmart.regions.detectors.visual_genome_settings import read_class_names, read_detector_settings

WEIGHTS_FILE, SETTINGS_FILE = "pytorch_model.bin", "config.yaml"

# (our name, the published one), tried in turn
_RENAMED = (
    (r"^proposal_generator\.anchors$", "proposal_generator.anchor_generator.cell_anchors.0"),
    (r"^proposal_generator\.", "proposal_generator.rpn_head."),
    (r"\.bn(\d)\.", r".conv\1.norm."),
    (r"\.downsample\.0\.", ".shortcut."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
)
_COUNTER = ".norm.num_batches_tracked"  # of a batch norm's training; without effect


@dataclass(frozen=True)
class NamedDetector:
    """The detector in evaluation mode, and the English names of its objects and attributes."""

    detector: VisualGenomeDetector
    objects: tuple[str, ...]
    attributes: tuple[str, ...]


def load_visual_genome(folder: Path) -> NamedDetector:
    """The detector in ``folder``: ``pytorch_model.bin``, ``config.yaml``, ``objects_vocab.txt``, ``attributes_vocab.txt``.

    Raises FileNotFoundError for the first file missing and ValueError naming the first tensors that are missing,
    unexpected or of another shape.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is no folder; regions.weights must name the one that holds {WEIGHTS_FILE}, {SETTINGS_FILE}, "
            "objects_vocab.txt and attributes_vocab.txt of frcnn-vg-finetuned."
        )
    settings = read_detector_settings(folder / SETTINGS_FILE)
    objects = read_class_names(folder, "objects", settings.objects)
    attributes = read_class_names(folder, "attributes", settings.attributes)
    path = folder / WEIGHTS_FILE
    tensors = {name: value for name, value in read_pickled_tensors(path).items() if not str(name).endswith(_COUNTER)}
    with torch.device("meta"):  # no 64 million random numbers
        detector = VisualGenomeDetector(settings)
    wanted = {published_name(name): name for name in detector.state_dict()}
    shapes = {name: detector.state_dict()[ours] for name, ours in wanted.items()}
    require_shapes(tensors, shapes, source=path, kind="Visual Genome detector")
    ours: dict[str, Tensor] = {wanted[name]: value.float() for name, value in tensors.items()}
    detector.load_state_dict(ours, assign=True)
    return NamedDetector(detector.eval().requires_grad_(False), objects, attributes)


def published_name(name: str) -> str:
    """What the published file calls a tensor of ours."""
    for pattern, published in _RENAMED:
        renamed, times = re.subn(pattern, published, name)
        if times:
            return renamed
    return name
