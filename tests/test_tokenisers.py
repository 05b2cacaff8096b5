import json
import subprocess
import sys

import pytest
import sentencepiece

from reranksmart.families import family
from reranksmart.inputs.processors import published_tokeniser_of
from reranksmart.inputs.stored import TokenisedCaptions, open_tokeniser
from reranksmart.inputs.tokenisers import train_unigram, train_wordpiece
from reranksmart.values.records import Captions

TEXTS = ("A goat left of an apple", "Links eine Ziege, rechts ein Apfel", "Vlevo kozel, vpravo jablko")
CAPTIONS = Captions(("0", "1", "2"), TEXTS, ("i", "i", "i"), ("en", "de", "cs"))


@pytest.mark.parametrize(("train", "cls", "sep", "pad"), [(train_wordpiece, 2, 3, 0), (train_unigram, 0, 2, 1)])
def test_special_tokens_have_the_published_ids(train, cls, sep, pad):
    tokeniser = train(TEXTS, size=120)
    assert (tokeniser.cls_token_id, tokeniser.sep_token_id, tokeniser.pad_token_id) == (cls, sep, pad)
    ids = tokeniser(TEXTS[0])["input_ids"]
    assert (ids[0], ids[-1]) == (cls, sep)
    assert tokeniser.unk_token_id not in ids


@pytest.mark.parametrize("train", [train_wordpiece, train_unigram])
def test_a_tokeniser_survives_the_disk(train, tmp_path):
    tokeniser = train(TEXTS, size=120)
    tokeniser.save_pretrained(tmp_path)
    assert open_tokeniser(tmp_path)(list(TEXTS))["input_ids"] == tokeniser(list(TEXTS))["input_ids"]


def test_captions_are_cut_to_their_tokens_and_padded():
    """The published code asks for padding by an option that transformers now ignores: its batches do not stack."""
    tokens = TokenisedCaptions.of(CAPTIONS, train_wordpiece(TEXTS, size=120), max_tokens=4)
    assert tokens.lengths.max() == 6  # four and two special ones
    batch = tokens.batch([0, 2])
    assert batch.mask.sum(dim=1).tolist() == tokens.lengths[[0, 2]].tolist()
    assert (batch.token_ids[~batch.mask] == 0).all()


def test_no_caption_is_an_error():
    with pytest.raises(ValueError, match="no caption to tokenise"):
        TokenisedCaptions.of(CAPTIONS.take([]), train_wordpiece(TEXTS, size=120), max_tokens=4)


def test_equal_texts_give_equal_tokenisers_in_every_process():
    texts = [f"a {c}b{d} cat sits near {d}{c}ts" for c in "rstvwxyz" for d in "aeiou"]
    here = [train(texts, size=70).backend_tokenizer.to_str() for train in (train_wordpiece, train_unigram)]
    code = (
        "import json\n"
        "from reranksmart.inputs.tokenisers import train_unigram, train_wordpiece\n"
        f"made = [train({texts}, size=70) for train in (train_wordpiece, train_unigram)]\n"
        "print(json.dumps([each.backend_tokenizer.to_str() for each in made]))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert json.loads(elsewhere.stdout) == here


def test_a_folder_with_a_sentencepiece_model_alone_is_read(tmp_path):
    """As the slow class of SigLIP saves it: reading it needs protobuf."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text.lower() for text in TEXTS),
        model_prefix=str(tmp_path / "spiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    settings = {"tokenizer_class": "SiglipTokenizer", "pad_token": "</s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "siglip"}))
    facts = family("siglip").facts
    read = published_tokeniser_of(str(tmp_path), unread_marks=facts.unread_marks, local_files_only=True)
    ids = read("a goat")["input_ids"]
    assert len(ids) > 2
    assert read.unk_token_id not in ids
