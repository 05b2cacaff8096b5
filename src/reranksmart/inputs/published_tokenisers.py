"""Tokenisers of published checkpoints, read from their files alone and checked against the weights."""

from pathlib import Path

from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerBase

from reranksmart.files.hub import running_no_code
from reranksmart.files.storage import read_json
from reranksmart.models.pretrained import Pretrained
from reranksmart.values.facts import Facts

_HIGHEST = 2  # an end id that `transformers` takes for "the highest id of the text", as in the first files of CLIP


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


def require_padding(tokeniser: PreTrainedTokenizerBase, *, source: str) -> int:
    """The id of the padding token; ValueError where the tokeniser has none."""
    if tokeniser.pad_token_id is None:
        raise ValueError(
            f"the tokeniser of {source} has no pad_token, by which texts of a batch get one length. Name the one that the "
            "weights were trained with in its tokenizer_config.json (CLIP: the end token)."
        )
    return int(tokeniser.pad_token_id)


def require_belonging(tokeniser: PreTrainedTokenizerBase, model: Pretrained, *, source: str) -> None:
    """ValueError unless the ids that ``tokeniser`` gives are those that a network of ``transformers`` reads.

    Every id has an embedding; the end token is the one whose state is taken, where one is; padding is where positions
    are not counted, where padding says so.
    """
    settings = getattr(model.network.config, "text_config", model.network.config)
    token, highest = max(tokeniser.get_vocab().items(), key=lambda entry: entry[1])
    if highest >= settings.vocab_size:
        raise ValueError(
            f"the tokeniser of {source} gives {token!r} id {highest}, its weights embed {settings.vocab_size} tokens. Use the "
            "tokeniser that they were trained with, or weights resized after tokens were added."
        )
    end, said = tokeniser.eos_token_id, settings.eos_token_id
    if model.reads_end and end != (highest if said == _HIGHEST else said):
        read = f"that of the highest id, {highest} ({token!r})" if said == _HIGHEST else f"id {said}"
        raise ValueError(
            f"{source}: a text's vector is the state of its end token, which is {tokeniser.eos_token!r} (id {end}) to the "
            f"tokeniser, but text_config.eos_token_id: {said} of config.json reads {read}. Set text_config.eos_token_id to {end}."
        )
    if model.counts_padding and tokeniser.pad_token_id != settings.pad_token_id:
        raise ValueError(
            f"{source}: padding has id {tokeniser.pad_token_id} to the tokeniser, but positions are counted from "
            f"pad_token_id: {settings.pad_token_id} of config.json. Set both alike."
        )
