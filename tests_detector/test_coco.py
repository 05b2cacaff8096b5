"""torchvision's COCO detector: its boxes are torchvision's, its features lie where the boxes are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models.detection import fasterrcnn_resnet50_fpn_v2

from reranksmart.regions.detectors.coco import FEATURE_SIZE, CocoDetector, load_coco


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the full architecture, sure enough of themselves to detect something."""
    torch.manual_seed(0)
    torch.set_num_threads(2)
    network = fasterrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None)
    with torch.no_grad():
        network.roi_heads.box_predictor.cls_score.weight.normal_(std=2.0)
        network.rpn.head.cls_logits.weight.normal_(std=0.3)
    path = tmp_path_factory.mktemp("coco") / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def detector(file: Path) -> CocoDetector:
    detector = CocoDetector(load_coco(file), device=torch.device("cpu"), most=12)
    detector.network.transform.min_size, detector.network.transform.max_size = (96,), 160  # of 800 and 1333
    return detector


def test_regions_are_torchvisions_detections_with_the_box_heads_features(
    detector: CocoDetector, picture: np.ndarray
) -> None:
    found = detector.detect(picture)
    pixels = torch.from_numpy(picture).permute(2, 0, 1) / 255
    with torch.inference_mode():
        theirs = detector.network([pixels])[0]
    count = len(found.boxes)
    assert 1 < count <= 12
    height, width = picture.shape[:2]
    np.testing.assert_allclose(found.boxes * [width, height, width, height], theirs["boxes"][:count], atol=0.02)
    np.testing.assert_array_equal(found.labels, theirs["labels"][:count])
    np.testing.assert_allclose(found.confidences, theirs["scores"][:count], atol=1e-5)
    assert found.features.shape == (count, FEATURE_SIZE)
    assert np.ptp(found.features.astype(np.float32), axis=0).max() > 0
    assert len(detector.label_names) == 91


def test_a_picture_in_which_nothing_is_found_is_its_own_region(detector: CocoDetector, picture: np.ndarray) -> None:
    threshold = detector.network.roi_heads.score_thresh
    detector.network.roi_heads.score_thresh = 2.0
    found = detector.detect(picture)
    detector.network.roi_heads.score_thresh = threshold
    assert found.boxes.tolist() == [[0, 0, 1, 1]]
    assert detector.label_names[found.labels[0]] == "__background__"
    assert found.features.shape == (1, FEATURE_SIZE)


def test_a_file_that_does_not_fit_names_the_tensor(file: Path, tmp_path: Path) -> None:
    tensors = torch.load(file, weights_only=True)
    tensors["roi_heads.box_head.6.bias"] = tensors.pop("roi_heads.box_head.5.bias")
    torch.save(tensors, tmp_path / "renamed.pth")
    with pytest.raises(ValueError, match=r"1 tensors missing: roi_heads.box_head.5.bias; 1 tensors unexpected"):
        load_coco(tmp_path / "renamed.pth")


def test_the_cache_of_torch_hub_is_read_and_nothing_fetched(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"fasterrcnn_resnet50_fpn_v2_coco-\w+\.pth is missing. Fetch https"):
        load_coco(None)
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth").symlink_to(file)
    assert not load_coco(None).training
