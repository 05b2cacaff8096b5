"""Processors that read pictures and videos, made to load where torchvision, which videos need, is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import ProcessorMixin, Qwen3VLProcessor
from transformers.models.auto import processing_auto
from transformers.utils import is_torchvision_available

_TOKENS = {
    "image": "<|image_pad|>",
    "video": "<|video_pad|>",
    "vision_start": "<|vision_start|>",
    "vision_end": "<|vision_end|>",
}


class Qwen3VLPictureProcessor(Qwen3VLProcessor):
    """Qwen3-VL's processor without its video half: ``transformers`` makes the parts that ``__init__`` names."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, **_: Any) -> None:
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)
        for name, token in _TOKENS.items():
            setattr(self, f"{name}_token", token)
            setattr(self, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))


_OF_PICTURES = {"Qwen3VLProcessor": Qwen3VLPictureProcessor}


@contextmanager
def pictures_alone() -> Iterator[None]:
    """Within, ``transformers`` opens the processors named above without their video halves, unless torchvision is there.

    The pictures' half is the same: pixels are equal to those of the whole processor on Pillow's resizing.
    """
    if is_torchvision_available():
        yield
        return
    original = processing_auto.processor_class_from_name
    processing_auto.processor_class_from_name = lambda class_name: _OF_PICTURES.get(class_name) or original(class_name)
    try:
        yield
    finally:
        processing_auto.processor_class_from_name = original
