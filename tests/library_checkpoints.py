"""Small checkpoints of sentence-transformers with random weights, saved as people publish them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from reranksmart.models.pictures_alone import Qwen3VLPictureProcessor

WORDS = ["a red circle", "a blue square", "one green star", "find the picture of the caption", "yes", "no"] * 9
_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
_SPECIALS += ["<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
_BODY = (
    "{%- macro body(content) -%}{%- if content is string -%}{{ content }}{%- else -%}{%- for part in content -%}"
    "{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>"
    "{%- else -%}{{ part.text }}{%- endif -%}{%- endfor -%}{%- endif -%}{%- endmacro -%}"
)
_CHAT = _BODY + (
    "{%- for m in messages -%}{{ '<|im_start|>' + m.role + '\n' }}{{ body(m.content) }}{{ '<|im_end|>\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
_JUDGE = _BODY + (
    "<|im_start|>user\n{%- for m in messages if m.role == 'system' -%}{{ body(m.content) }}{%- endfor -%}"
    "{%- for role in ['query', 'document'] -%}{{ '\n' + role + ': ' }}"
    "{%- for m in messages if m.role == role -%}{{ body(m.content) }}{%- endfor -%}{%- endfor -%}"
    "{{ '<|im_end|>\n' }}{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
_BASE, _RETRIEVER, _RERANKER, _LATE = (
    f"sentence_transformers.{place}.modules"
    for place in ("base", "sentence_transformer", "cross_encoder", "multi_vector_encoder")
)
_WIDTH, _LATE_WIDTH = 64, 16


def clip(folder: Path) -> None:
    """A plain folder of ``transformers``."""
    letters = _trained(
        models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"), ["<|startoftext|>", "<|endoftext|>"]
    )
    tokeniser = transformers.CLIPTokenizer(**_vocabulary(letters), model_max_length=32)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {
        "bos_token_id": tokeniser.bos_token_id,
        "eos_token_id": tokeniser.eos_token_id,
        "pad_token_id": tokeniser.pad_token_id,
    }
    config = transformers.CLIPConfig(
        text_config={**sizes, **ids, "vocab_size": len(tokeniser), "max_position_embeddings": 32},
        vision_config={**sizes, "image_size": 32, "patch_size": 16},
        projection_dim=24,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    image = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    transformers.CLIPProcessor(image, tokeniser).save_pretrained(folder)


def retriever(folder: Path) -> None:
    """In the style of Qwen3-VL-Embedding: the last token's state, scaled to length 1."""
    _qwen(folder, _CHAT)
    _modules(
        folder,
        ("", f"{_BASE}.Transformer", _reading("feature-extraction", "last_hidden_state", "token_embeddings")),
        ("1_Pooling", f"{_RETRIEVER}.Pooling", {"embedding_dimension": _WIDTH, "pooling_mode": "lasttoken"}),
        ("2_Normalize", f"{_BASE}.Normalize", {}),
    )
    _write(
        folder / "config_sentence_transformers.json",
        {"model_type": "SentenceTransformer", "prompts": {"query": "Find the picture.", "document": "Picture:"}},
    )


def reranker(folder: Path) -> None:
    """In the style of Qwen3-VL-Reranker: the logit of "yes" minus that of "no" at the last token."""
    tokeniser = _qwen(folder, _JUDGE)
    yes, no = tokeniser.convert_tokens_to_ids(["yes", "no"])
    _modules(
        folder,
        ("", f"{_BASE}.Transformer", _reading("any-to-any", "logits", "causal_logits")),
        ("1_LogitScore", f"{_RERANKER}.LogitScore", {"true_token_id": yes, "false_token_id": no}),
    )
    _write(
        folder / "config_sentence_transformers.json",
        {"model_type": "CrossEncoder", "default_prompt_name": "match", "prompts": {"match": "Does it match?"}},
    )


def head_reranker(folder: Path) -> None:
    """The last token's state and a linear layer."""
    _qwen(folder, _JUDGE)
    dense = {"in_features": _WIDTH, "out_features": 1, "bias": True, "module_input_name": "sentence_embedding"}
    _modules(
        folder,
        ("", f"{_BASE}.Transformer", _reading("feature-extraction", "last_hidden_state", "token_embeddings")),
        ("1_Pooling", f"{_RETRIEVER}.Pooling", {"embedding_dimension": _WIDTH, "pooling_mode": "lasttoken"}),
        ("2_Dense", f"{_BASE}.Dense", {**dense, **_IDENTITY, "module_output_name": "scores"}),
    )
    save_file(
        {"linear.weight": torch.randn(1, _WIDTH), "linear.bias": torch.zeros(1)}, folder / "2_Dense/model.safetensors"
    )
    _write(folder / "config_sentence_transformers.json", {"model_type": "CrossEncoder", "prompts": {}})


def late_interaction(folder: Path) -> None:
    """A vector for each token, compared by the sum of the largest products."""
    _qwen(folder, _CHAT)
    names = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
    _modules(
        folder,
        ("", f"{_BASE}.Transformer", _reading("feature-extraction", "last_hidden_state", "token_embeddings")),
        (
            "1_Dense",
            f"{_BASE}.Dense",
            {"in_features": _WIDTH, "out_features": _LATE_WIDTH, "bias": False, **_IDENTITY, **names},
        ),
        ("2_MultiVectorMask", f"{_LATE}.MultiVectorMask", {"skiplist_words": [], "skiplist_tasks": ["document"]}),
        ("3_Normalize", f"{_BASE}.Normalize", {"module_input_name": "token_embeddings"}),
    )
    save_file({"linear.weight": torch.randn(_LATE_WIDTH, _WIDTH) / 8}, folder / "1_Dense/model.safetensors")
    _write(folder / "config_sentence_transformers.json", {"model_type": "MultiVectorEncoder", "prompts": {}})


def decoder(folder: Path, words: Sequence[str] = WORDS) -> None:
    """A plain folder of ``transformers``, as a chat model is published; its tokeniser is trained on ``words``."""
    _qwen(folder, _CHAT, words)


KINDS = {kind.__name__: kind for kind in (clip, decoder, retriever, reranker, head_reranker, late_interaction)}
_IDENTITY = {"activation_function": "torch.nn.modules.linear.Identity"}


def write_library_folder(kind: str, folder: Path, *, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        KINDS[kind](folder)
    return folder


def _trained(model: Any, specials: list[str], words: Sequence[str] = WORDS) -> Tokenizer:
    tokeniser = Tokenizer(model)
    byte_level = model.end_of_word_suffix is None
    tokeniser.pre_tokenizer = (
        pre_tokenizers.ByteLevel(add_prefix_space=False) if byte_level else pre_tokenizers.Whitespace()
    )
    tokeniser.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte_level else []
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        min_frequency=1,
        show_progress=False,
        special_tokens=specials,
        initial_alphabet=alphabet,
        end_of_word_suffix=model.end_of_word_suffix or "",
    )
    tokeniser.train_from_iterator(words, trainer)
    return tokeniser


def _vocabulary(tokeniser: Tokenizer) -> dict[str, Any]:
    model = json.loads(tokeniser.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(merge) for merge in model["merges"]]}


def _qwen(folder: Path, template: str, words: Sequence[str] = WORDS) -> Any:
    """A small Qwen3-VL with its processor, and its tokeniser."""
    tokeniser = transformers.Qwen2Tokenizer(
        **_vocabulary(_trained(models.BPE(), _SPECIALS, words)),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=_SPECIALS[1:],
        model_max_length=1024,
    )
    image = transformers.Qwen2VLImageProcessorPil(
        patch_size=16, merge_size=2, temporal_patch_size=2, size={"shortest_edge": 32 * 32, "longest_edge": 96 * 96}
    )
    Qwen3VLPictureProcessor(image, tokeniser, chat_template=template).save_pretrained(folder)
    for path in folder.glob("*.json"):
        path.write_text(path.read_text().replace("Qwen3VLPictureProcessor", "Qwen3VLProcessor"))
    ids = tokeniser.convert_tokens_to_ids
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_interleaved": True, "mrope_section": [4, 2, 2]}
    text = {"hidden_size": _WIDTH, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
    text |= {"num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 1024, "rope_parameters": rope}
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "out_hidden_size": _WIDTH}
    vision |= {"patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 36}
    config = transformers.Qwen3VLConfig(
        text_config={**text, "vocab_size": len(tokeniser), "initializer_range": 0.15},
        vision_config={**vision, "deepstack_visual_indexes": [0, 1], "initializer_range": 0.15},
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )
    transformers.Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    return tokeniser


def _reading(task: str, output: str, name: str) -> dict[str, Any]:
    way = {"method": "forward", "method_output_name": output}
    return {
        "transformer_task": task,
        "module_output_name": name,
        "modality_config": {"text": way, "image": way, "message": {**way, "format": "structured"}},
        "processing_kwargs": {"chat_template": {"add_generation_prompt": True}},
    }


def _modules(folder: Path, *rows: tuple[str, str, dict[str, Any]]) -> None:
    listed = []
    for number, (place, kind, config) in enumerate(rows):
        listed.append({"idx": number, "name": str(number), "path": place, "type": kind})
        _write(folder / place / ("config.json" if number else "sentence_bert_config.json"), config)
    _write(folder / "modules.json", listed)


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=1))
