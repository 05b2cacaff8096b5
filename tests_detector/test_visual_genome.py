"""The Visual Genome detector computes what the published port computed on the same weights, and loads strictly.

``data/visual_genome.npz`` was recorded from that port (transformers' LXMERT research project) with the weights and the
picture of ``conftest.py``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from reranksmart.regions.detectors.extraction import VisualGenome, prepared
from reranksmart.regions.detectors.selection import by_best_class
from reranksmart.regions.detectors.visual_genome import Candidates
from reranksmart.regions.detectors.visual_genome_files import NamedDetector, load_visual_genome
from reranksmart.regions.detectors.visual_genome_settings import VisualGenomeSettings, read_detector_settings

RECORDED = np.load(Path(__file__).parent / "data" / "visual_genome.npz")


@pytest.fixture(scope="module")
def candidates(loaded: NamedDetector, picture: np.ndarray) -> Candidates:
    found: Candidates = loaded.detector(prepared(picture, loaded.detector.settings))
    return found


def test_a_picture_is_prepared_as_published(loaded: NamedDetector, picture: np.ndarray) -> None:
    ours = prepared(picture, loaded.detector.settings)
    assert tuple(ours.shape[-2:]) == tuple(RECORDED["size"])
    np.testing.assert_allclose(ours[0, :, ::8, ::8], RECORDED["pixels"], atol=1e-3)


def test_proposals_are_the_published_ones(candidates: Candidates) -> None:
    np.testing.assert_allclose(candidates.proposals, RECORDED["proposals"], atol=0.01)


def test_regions_are_the_published_ones(candidates: Candidates) -> None:
    found = by_best_class(candidates, least=10, most=20, overlaps=(0.3, 0.5))
    height, width = RECORDED["size"].tolist()
    boxes = found.boxes.numpy() / [width, height, width, height]
    apart = np.abs(boxes[:, None] - RECORDED["boxes"][None]).max(axis=-1)  # equally confident ones in any order
    rows = apart.argmin(axis=0)
    assert sorted(rows.tolist()) == list(range(20))
    attributes = candidates.attributes[found.rows].max(dim=-1)
    np.testing.assert_allclose(boxes[rows], RECORDED["boxes"], atol=1e-4)
    np.testing.assert_array_equal(found.labels[rows], RECORDED["labels"])
    np.testing.assert_allclose(found.confidences[rows], RECORDED["confidences"], atol=1e-4)
    np.testing.assert_array_equal(attributes.indices[rows], RECORDED["attributes"])
    np.testing.assert_allclose(attributes.values[rows], RECORDED["attribute_confidences"], atol=1e-4)
    np.testing.assert_allclose(candidates.features[found.rows][rows], RECORDED["features"], atol=1e-3)
    assert np.abs(RECORDED["features"]).mean() > 1


def test_the_defaults_are_the_published_size() -> None:
    settings = VisualGenomeSettings()
    assert (settings.objects, settings.attributes, settings.feature_size, settings.depth) == (1600, 400, 2048, 101)


def test_a_config_that_says_bgr_feeds_bgr(loaded: NamedDetector) -> None:
    """The published code feeds what the word does not say."""
    red = np.zeros((96, 96, 3), dtype=np.uint8)
    red[:, :, 0] = 255
    mean = torch.tensor(loaded.detector.settings.pixel_mean)
    np.testing.assert_allclose(prepared(red, loaded.detector.settings)[0, :, 5, 5] + mean, [0, 0, 255], atol=1e-3)


def test_a_picture_without_proposals_is_its_own_region(loaded: NamedDetector, picture: np.ndarray) -> None:
    detector = VisualGenome(loaded, device=torch.device("cpu"))

    class Nothing(torch.nn.Module):
        def forward(self, features: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
            return torch.zeros(0, 4)

    generator = loaded.detector.proposal_generator
    loaded.detector.proposal_generator = Nothing()
    try:
        found = detector.detect(picture)
    finally:
        loaded.detector.proposal_generator = generator
    assert found.boxes.tolist() == [[0, 0, 1, 1]]
    assert found.features.shape == (1, 128)
    assert np.abs(found.features).max() > 0


def _without(tensors: dict) -> None:
    del tensors["roi_heads.box_predictor.cls_score.bias"]


def _with(tensors: dict) -> None:
    tensors["roi_heads.mask_head.weight"] = torch.zeros(1)


def _reshaped(tensors: dict) -> None:
    tensors["backbone.res3.0.shortcut.norm.weight"] = torch.zeros(3)


def _other_anchors(tensors: dict) -> None:
    tensors["proposal_generator.anchor_generator.cell_anchors.0"] = torch.zeros(15, 4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without, "1 tensors missing: roi_heads.box_predictor.cls_score.bias"),
        (_with, "1 tensors unexpected: roi_heads.mask_head.weight"),
        (_reshaped, r"backbone.res3.0.shortcut.norm.weight \(3,\) instead of \(32,\)"),
        (_other_anchors, r"cell_anchors.0 \(15, 4\) instead of \(12, 4\)"),
    ],
)
def test_a_file_that_does_not_fit_names_the_tensor(
    folder: Path, tmp_path: Path, change: Callable[[dict], None], said: str
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "weights"))
    tensors = torch.load(copy / "pytorch_model.bin", weights_only=True)
    change(tensors)
    torch.save(tensors, copy / "pytorch_model.bin")
    with pytest.raises(ValueError, match=said):
        load_visual_genome(copy)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "config.yaml", "objects_vocab.txt", "attributes_vocab.txt"])
def test_a_missing_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "weights"))
    (copy / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load_visual_genome(copy)


def test_a_truncated_file_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "weights"))
    file = copy / "pytorch_model.bin"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(ValueError, match="cannot be read as plain tensors"):
        load_visual_genome(copy)


def test_names_of_another_vocabulary_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "weights"))
    (copy / "objects_vocab.txt").write_text("one\ntwo\n")
    with pytest.raises(ValueError, match="has 2 lines; the weights know 12 objects"):
        load_visual_genome(copy)


def test_a_setting_that_is_missing_or_not_supported_is_named(folder: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({**settings, "rpn": {}}))
    with pytest.raises(ValueError, match=r"lacks the key rpn\."):
        read_detector_settings(file)
    file.write_text(yaml.safe_dump({**settings, "roi_box_head": {**settings["roi_box_head"], "attr": False}}))
    with pytest.raises(ValueError, match=r"roi_box_head\.attr is False; only True"):
        read_detector_settings(file)


def test_keys_of_the_settings_are_of_any_case(folder: Path, tmp_path: Path) -> None:
    upper = {
        part.upper(): {key.upper(): value for key, value in keys.items()}
        for part, keys in yaml.safe_load((folder / "config.yaml").read_text()).items()
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(upper))
    assert read_detector_settings(file) == read_detector_settings(folder / "config.yaml")
