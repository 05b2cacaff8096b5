"""Tokenisers trained on a dataset's captions, saved in the layout of the published checkpoints."""

import io
from collections.abc import Sequence

import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

_BERT_SPECIALS = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_XLM_SPECIALS = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}


def train_wordpiece(texts: Sequence[str], *, size: int) -> PreTrainedTokenizerFast:
    """An uncased WordPiece tokeniser of at most ``size`` entries, as BERT's: [CLS] text [SEP], padding id 0.

    Equal texts give equal tokenisers: the trainer numbers the letters within words in the order of a hash table that
    each process seeds anew, and breaks ties by these numbers, so that they are given to it.
    """
    tokeniser = _wordpiece(models.WordPiece(unk_token="[UNK]"))
    words = {
        word
        for text in texts
        for word, _ in tokeniser.pre_tokenizer.pre_tokenize_str(tokeniser.normalizer.normalize_str(text))
    }
    within = [f"##{letter}" for letter in sorted({letter for word in words for letter in word[1:]})]
    specials = list(_BERT_SPECIALS.values())
    trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=[*specials, *within], show_progress=False)
    tokeniser.train_from_iterator(texts, trainer)
    vocabulary = tokeniser.get_vocab(with_added_tokens=False)
    return _finished(_wordpiece(models.WordPiece(vocabulary, unk_token="[UNK]")), _BERT_SPECIALS)


def _wordpiece(model: models.WordPiece) -> Tokenizer:
    tokeniser = Tokenizer(model)
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokeniser


def train_unigram(texts: Sequence[str], *, size: int) -> PreTrainedTokenizerFast:
    """A cased multilingual subword tokeniser of at most ``size`` entries, as XLM-R's: <s> text </s>, padding id 1.

    Trained by sentencepiece in one thread, whose result equal texts repeat to the bit.
    """
    specials = list(_XLM_SPECIALS.values())
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        model_type="unigram",
        vocab_size=size - len(specials) + 1,  # with the unknown piece, which is counted there
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="nfkc",
        unk_id=0,
        bos_id=-1,
        eos_id=-1,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    trained = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    pieces = [(trained.id_to_piece(row), trained.get_score(row)) for row in range(1, len(trained))]
    vocabulary = [*((special, 0.0) for special in specials), *pieces]
    tokeniser = Tokenizer(models.Unigram(vocabulary, unk_id=specials.index(_XLM_SPECIALS["unk"])))
    tokeniser.normalizer = normalizers.NFKC()
    tokeniser.pre_tokenizer = pre_tokenizers.Metaspace()
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
