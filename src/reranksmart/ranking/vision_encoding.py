"""The vision tower run once an image: its states kept in memory for the pairs at hand, or in a store."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from reranksmart.files.vision_store import VisionStore, writing_vision
from reranksmart.inputs.images import PixelInputs, StateInputs
from reranksmart.models.interface import StatesEncoder
from reranksmart.run.progress import progress

_PATCHES_TOGETHER = 8192


def write_states(model: StatesEncoder, images: PixelInputs, folder: Path) -> None:
    """Stores the vision states of all images, in their order."""
    with writing_vision(folder, "states") as writer:
        made = progress(_states_of_each(model, images), what="vision states (images)", total=len(images))
        for image_id, states in zip(images.store.image_ids, made, strict=True):
            writer.append(image_id, states, (0, 0))


def make_states(model: StatesEncoder, images: PixelInputs) -> None:
    """Runs the vision tower over all images and keeps nothing: what making the states costs."""
    for _ in _states_of_each(model, images):
        pass


def states_in_memory(model: StatesEncoder, images: PixelInputs) -> StateInputs:
    """The vision states of all images."""
    parts = list(_states_of_each(model, images))
    return StateInputs(VisionStore.of("states", images.store.image_ids, parts, [(0, 0)] * len(images)))


def bytes_of_states(model: StatesEncoder, images: PixelInputs) -> int:
    """What the states of all images take, judged by the first one."""
    first = next(_states_of_each(model, images.first(1)))
    return 2 * first.size * len(images)


def _states_of_each(model: StatesEncoder, images: PixelInputs) -> Iterator[NDArray[np.float32]]:
    """The states (n, H) of each image in order."""
    together = max(1, _PATCHES_TOGETHER // int(images.lengths.max()))
    for start in range(0, len(images), together):
        with torch.inference_mode():
            found = model.vision_states(images.batch(np.arange(start, min(start + together, len(images)))))
        for states, mask in zip(found.states.float().cpu(), found.mask.cpu(), strict=True):
            yield states[mask].numpy()
