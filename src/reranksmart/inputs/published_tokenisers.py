"""Tokenisers of published checkpoints, read from their files alone and checked against the weights."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerBase

from reranksmart.files.hub import running_no_code
from reranksmart.files.storage import read_json
from reranksmart.values.facts import Facts


def published_tokeniser(facts: Facts, folder: Path) -> PreTrainedTokenizerBase:
    """The tokeniser in ``folder``: ``tokenizer.json``, or a WordPiece ``vocab.txt``; no hub is asked.

    FileNotFoundError where neither is there. A ``vocab.txt`` is lower-cased as ``tokenizer_config.json`` beside it says,
    else as the backbone was pretrained.
    """
    if (folder / "tokenizer.json").is_file():
        with running_no_code(folder):
            return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    vocabulary = folder / "vocab.txt"
    if facts.lower_case is None or not vocabulary.is_file():
        raise FileNotFoundError(
            f"{folder} holds no tokeniser of this backbone; name the folder of {facts.tokeniser_place} as its tokeniser."
        )
    settings = folder / "tokenizer_config.json"
    given = read_json(settings) if settings.is_file() else {}
    lower = bool(given.get("do_lower_case", facts.lower_case))
    return BertTokenizer(vocab=str(vocabulary), do_lower_case=lower)


def require_fit(
    tokeniser: PreTrainedTokenizerBase, *, vocab_size: int, cls_id: int, sep_id: int, pad_id: int, source: Path
) -> None:
    """ValueError unless the tokeniser's entries and special tokens are those of the weights read from ``source``."""
    found = {"[CLS]": tokeniser.cls_token_id, "[SEP]": tokeniser.sep_token_id, "[PAD]": tokeniser.pad_token_id}
    wanted = {"[CLS]": cls_id, "[SEP]": sep_id, "[PAD]": pad_id}
    if found != wanted or len(tokeniser) > vocab_size:
        raise ValueError(
            f"the tokeniser has {len(tokeniser)} entries and {found}, the weights of {source} take at most {vocab_size} "
            f"and {wanted}; name the folder of the tokeniser that they were trained with."
        )
