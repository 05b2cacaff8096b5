"""Tokenisers trained on a dataset's captions, saved in the layout of the published checkpoints."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

_BERT_SPECIALS = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_XLM_SPECIALS = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}


def train_wordpiece(texts: Sequence[str], *, size: int) -> PreTrainedTokenizerFast:
    """An uncased WordPiece tokeniser of at most ``size`` entries, as BERT's: [CLS] text [SEP], padding id 0."""
    tokeniser = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=list(_BERT_SPECIALS.values()), show_progress=False
    )
    tokeniser.train_from_iterator(texts, trainer)
    return _finished(tokeniser, _BERT_SPECIALS)


def train_unigram(texts: Sequence[str], *, size: int) -> PreTrainedTokenizerFast:
    """A cased multilingual subword tokeniser of at most ``size`` entries, as XLM-R's: <s> text </s>, padding id 1."""
    tokeniser = Tokenizer(models.Unigram())
    tokeniser.normalizer = normalizers.NFKC()
    tokeniser.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=size, special_tokens=list(_XLM_SPECIALS.values()), unk_token="<unk>", show_progress=False
    )
    tokeniser.train_from_iterator(texts, trainer)
    return _finished(tokeniser, _XLM_SPECIALS)


def _finished(tokeniser: Tokenizer, specials: dict[str, str]) -> PreTrainedTokenizerFast:
    cls, sep = specials["cls"], specials["sep"]
    ids = [(token, tokeniser.token_to_id(token)) for token in (cls, sep)]
    tokeniser.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=f"{cls} $A {sep} $B:1 {sep}:1", special_tokens=ids
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokeniser, **{f"{name}_token": token for name, token in specials.items()}
    )
