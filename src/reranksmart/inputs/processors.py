"""A checkpoint's own preparation of texts and pictures: its tokeniser, and its processor as patches."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL.Image import Image
from tokenizers import Regex, normalizers
from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    GemmaTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)
from transformers.image_processing_utils import BaseImageProcessor

from reranksmart.files.hub import from_hub, running_no_code
from reranksmart.values.pixels import PixelBatch, patches_of

_PROCESSOR_FILE = "preprocessor_config.json"


def published_tokeniser_of(source: str, *, unread_marks: str, local_files_only: bool) -> PreTrainedTokenizerBase:
    """The tokeniser of a checkpoint on the hub or in a folder, which prepares captions as the family's authors do.

    ``unread_marks`` as in ``Facts``; SigLIP 2's captions, of Gemma's tokens, lose their capitals.
    """
    with running_no_code(source), from_hub(source, local_files_only=local_files_only):
        tokeniser = AutoTokenizer.from_pretrained(source, local_files_only=local_files_only, trust_remote_code=False)
    if unread_marks:
        return _preparing(tokeniser, normalizers.Replace(Regex(unread_marks), " "))
    if isinstance(tokeniser, GemmaTokenizer):
        return _preparing(tokeniser, normalizers.Lowercase())
    return tokeniser


def copy_processor(source: Path, target: Path) -> None:
    """Puts the image processor of one folder into another; nothing where the model reads regions."""
    if (source / _PROCESSOR_FILE).is_file():
        shutil.copyfile(source / _PROCESSOR_FILE, target / _PROCESSOR_FILE)


def _preparing(tokeniser: PreTrainedTokenizerBase, first: normalizers.Normalizer) -> PreTrainedTokenizerFast:
    """The tokeniser with a step before its own, of a class that keeps both when it is saved."""
    whole = cast(PreTrainedTokenizerFast, tokeniser).backend_tokenizer
    own = [] if whole.normalizer is None else [whole.normalizer]
    whole.normalizer = normalizers.Sequence([first, *own])
    return PreTrainedTokenizerFast(tokenizer_object=whole, **tokeniser.special_tokens_map)


@dataclass(frozen=True)
class PictureProcessor:
    """A checkpoint's own resizing, cropping and scaling of pictures, cut into patches of ``patch`` pixels a side."""

    processor: BaseImageProcessor
    patch: int

    @staticmethod
    def open(source: str | Path, *, patch: int, local_files_only: bool = True) -> "PictureProcessor":
        """The processor of a checkpoint, on the hub or in a folder, or of a model's folder."""
        with running_no_code(source), from_hub(str(source), local_files_only=local_files_only):
            processor = AutoImageProcessor.from_pretrained(
                str(source), local_files_only=local_files_only, trust_remote_code=False
            )
        return PictureProcessor(processor, patch)

    def __call__(self, pictures: Sequence[Image]) -> PixelBatch:
        """The pictures as the checkpoint reads them; each is prepared alone, so that none changes another's pixels."""
        parts = [self._patches(picture.convert("RGB")) for picture in pictures]
        longest = max((len(patches) for patches, _ in parts), default=0)
        width = 3 * self.patch**2
        patches = torch.zeros(len(parts), longest, width)
        for row, (cut, _) in enumerate(parts):
            patches[row, : len(cut)] = cut
        counts = torch.tensor([len(cut) for cut, _ in parts], dtype=torch.int64)
        mask = torch.arange(longest) < counts[:, None]
        return PixelBatch(patches, mask, torch.tensor([grid for _, grid in parts], dtype=torch.int64).reshape(-1, 2))

    def save(self, folder: Path) -> None:
        """Writes ``preprocessor_config.json`` into an existing folder."""
        self.processor.save_pretrained(folder)

    def _patches(self, picture: Image) -> tuple[torch.Tensor, tuple[int, int]]:
        """The patches (P, 3 patch²) float32 of one picture, row by row, and its rows and columns of patches."""
        found = self.processor(images=[picture], return_tensors="np")
        pixels = torch.from_numpy(np.asarray(found["pixel_values"][0], dtype=np.float32))
        if "spatial_shapes" in found:  # the processor cuts patches itself, and pads them
            rows, columns = (int(side) for side in found["spatial_shapes"][0])
            if pixels.shape[1] != 3 * self.patch**2:
                raise ValueError(
                    f"the processor cuts patches of {pixels.shape[1]} numbers, the model reads {3 * self.patch**2}; "
                    "take the processor of the model's own checkpoint"
                )
            return pixels[: rows * columns], (rows, columns)
        rows, columns = (side // self.patch for side in pixels.shape[1:])
        whole = pixels[:, : rows * self.patch, : columns * self.patch]  # as a convolution drops what is left over
        return patches_of(whole, self.patch), (rows, columns)
