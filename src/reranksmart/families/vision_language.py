"""Decoders that read pictures (Qwen3-VL and its like) in both roles of the paper, on one set of weights.

The embedding of a caption or a picture is the state of the last token of a chat that holds it alone; a pair's score is the
logit of "yes" minus that of "no" as the answer to whether the caption is true of the picture.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from reranksmart.files.hub import checkpoint_folder, from_hub
from reranksmart.files.links import copy_readers
from reranksmart.models.checkpoints import save_model
from reranksmart.models.pictures_alone import pictures_alone
from reranksmart.models.pretrained import Pretrained, PretrainedConfig, require_pairs, seeded, settings_of, unit_rows
from reranksmart.values.facts import Facts
from reranksmart.values.raw import Pictures, Texts

FACTS = Facts(sees="pictures", max_tokens=512, vision_weights=400_000_000)
_IN_A_WORD = "In one word:"
_ASKED = "Is this caption true of the picture? Answer yes or no."
Parts = list[dict[str, Any]]


class VisionLanguage(Pretrained):
    """A causal decoder behind a vision tower, with a processor that has a chat template."""

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[Any] = AutoModelForImageTextToText
    towers: ClassVar[dict[str, tuple[str, ...]]] = {
        "vision": ("model.visual.", "model.vision_tower.", "model.vision_model."),
        "text": ("model.language_model.", "model.text_model."),
    }

    def __init__(self, config: PretrainedConfig, *, seed: int = 0, network: PreTrainedModel | None = None) -> None:
        if network is None:
            settings = CONFIG_MAPPING[config.network["model_type"]].from_dict(dict(config.network))
            with seeded(seed):
                network = AutoModelForImageTextToText.from_config(settings)
        super().__init__(config, network=network)
        self._processor: Any = None

    def open_readers(self, folder: Path) -> "VisionLanguage":
        """The model with the processor that lies in a folder; ValueError where that cannot put the question."""
        with from_hub(str(folder), local_files_only=True), pictures_alone():
            processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
            if not getattr(processor, "chat_template", None):
                raise ValueError("its processor has no chat template, by which questions are put; name a chat model")
            tokeniser = processor.tokenizer
            answers = [tokeniser.encode(word, add_special_tokens=False) for word in ("yes", "no")]
            if any(len(answer) != 1 for answer in answers):
                raise ValueError(f'its tokeniser reads "yes" and "no" as {answers}, but one token each is needed')
        tokeniser.padding_side = "left"  # so that the last token is real in every row
        self._processor, self._answers = processor, [answer[0] for answer in answers]
        return self

    @staticmethod
    def place(source: str, target: Path, *, local_files_only: bool) -> dict[str, Any]:
        """Writes the decoder of a folder or of a name on the hub into ``target``, as ``load_model`` reads it; whence it is.

        FileNotFoundError or ValueError naming it where it cannot be had or read.
        """
        folder = checkpoint_folder(source, local_files_only=local_files_only)
        with from_hub(source, local_files_only=True):
            network = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        copy_readers(folder, target)
        config = PretrainedConfig(family=VisionLanguage.family(), network=settings_of(network.config), pad_id=0)
        save_model(VisionLanguage(config, network=network).open_readers(target), target)
        return {"source": source, "has_head": True}

    def encode_text(self, texts: Texts) -> Tensor:
        """Unit rows (B, D)."""
        return self._embedded([[{"type": "text", "text": text}] for text in texts.texts])

    def encode_image(self, images: Pictures) -> Tensor:
        """Unit rows (B, D)."""
        return self._embedded([[{"type": "image", "image": picture}] for picture in images.pictures])

    def score_pairs(self, texts: Texts, images: Pictures) -> Tensor:
        """Log-odds (B,) of "yes" against "no" that caption i is true of picture i."""
        require_pairs(texts, images)
        asked: list[Parts] = [
            [{"type": "image", "image": picture}, {"type": "text", "text": f"{text}\n{_ASKED}"}]
            for text, picture in zip(texts.texts, images.pictures, strict=True)
        ]
        logits = self.network(**self._read(asked), use_cache=False, logits_to_keep=1).logits[:, -1]
        yes, no = (logits[:, answer].float() for answer in self._answers)
        return yes - no

    def _embedded(self, said: Sequence[Parts]) -> Tensor:
        inputs = self._read([[*parts, {"type": "text", "text": f"\n{_IN_A_WORD}"}] for parts in said])
        return unit_rows(self.network.model(**inputs, use_cache=False).last_hidden_state[:, -1])

    def _read(self, said: Sequence[Parts]) -> dict[str, Any]:
        """Chats of one turn each as tokens and pixels; what looks like a control token in a caption is plain text."""
        found = self._processor.apply_chat_template(
            [[{"role": "user", "content": parts}] for parts in said],
            tokenize=True,
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
            sanitize_control_tokens=True,
        )
        return {name: value.to(self.device) for name, value in found.items()}
