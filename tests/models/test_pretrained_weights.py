"""Published weights in the hub's layout: read whole, by name, from a folder, or refused."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrained_inputs import hub_folder, make
from safetensors.torch import load_file, save_file
from small_networks import CLASSES
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from reranksmart.families import family
from reranksmart.inputs.published_tokenisers import require_belonging, require_padding
from reranksmart.models.pretrained_weights import load_pretrained


def rewrite(folder, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture
def blip(tmp_path):
    return hub_folder("blip", tmp_path)


@pytest.mark.parametrize("name", CLASSES)
def test_a_folder_of_the_hubs_layout_loads_as_the_model_that_wrote_it(name, tmp_path):
    hub_folder(name, tmp_path)
    loaded = load_pretrained(family(name), str(tmp_path), pad_id=0, local_files_only=True)
    expected = make(name)
    assert loaded.drawn == ()
    assert not loaded.model.training
    assert loaded.model.state_dict().keys() == expected.state_dict().keys()
    for key, value in expected.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[key], value), key


@pytest.mark.parametrize("name", CLASSES)
def test_counted_positions_and_heads_that_nobody_reads_may_stand_beside_the_weights(name, tmp_path):
    hub_folder(name, tmp_path)
    unused = {f"{start}weight": torch.ones(2) for start in CLASSES[name].unused}
    rewrite(tmp_path, lambda tensors: tensors.update({"embeddings.position_ids": torch.arange(3), **unused}))
    assert load_pretrained(family(name), str(tmp_path), pad_id=0, local_files_only=True).drawn == ()


@pytest.mark.parametrize("name", [name for name, kind in CLASSES.items() if kind.fresh])
def test_a_head_that_the_weights_lack_is_drawn_from_the_seed_and_named(name, tmp_path):
    hub_folder(name, tmp_path)
    lacking = [key for key in load_file(tmp_path / "model.safetensors") if key.startswith(CLASSES[name].fresh)]
    assert lacking
    rewrite(tmp_path, lambda tensors: [tensors.pop(key) for key in lacking])
    first, same, other = (
        load_pretrained(family(name), str(tmp_path), pad_id=0, local_files_only=True, seed=seed) for seed in (1, 1, 2)
    )
    assert first.drawn == tuple(sorted(lacking))
    weights = [one.model.network.state_dict() for one in (first, same, other)]
    drawn = [key for key in lacking if weights[0][key].ndim > 1]
    assert drawn
    for key in drawn:
        assert torch.equal(weights[0][key], weights[1][key])
        assert not torch.equal(weights[0][key], weights[2][key])


def test_loading_leaves_the_global_generator_alone(blip):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)
    assert torch.equal(torch.rand(3), expected)


def test_a_missing_tensor_is_named(blip):
    rewrite(blip, lambda tensors: tensors.pop("text_proj.weight"))
    with pytest.raises(ValueError, match=r"1 tensors missing: text_proj\.weight"):
        load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)


def test_a_tensor_of_nobody_is_named(blip):
    rewrite(blip, lambda tensors: tensors.update({"odd.weight": torch.ones(2)}))
    with pytest.raises(ValueError, match=r"1 tensors unexpected: odd\.weight"):
        load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(blip):
    rewrite(blip, lambda tensors: tensors.update({"itm_head.weight": torch.ones(3, 3)}))
    with pytest.raises(ValueError, match=r"itm_head\.weight \(3, 3\) instead of \(2, 32\)"):
        load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)


def test_another_familys_checkpoint_is_refused(blip):
    with pytest.raises(ValueError, match="holds a 'blip', but family 'clip' reads 'clip'"):
        load_pretrained(family("clip"), str(blip), pad_id=0, local_files_only=True)


def test_a_name_that_is_not_here_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"nobody/nothing cannot be had .* `hf download nobody/nothing"):
        load_pretrained(family("blip"), "nobody/nothing", pad_id=0, local_files_only=True)


def test_a_folder_without_weights_asks_for_them(blip):
    (blip / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="Put the missing file into that folder"):
        load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_file_is_named_with_its_folder(blip, name):
    (blip / name).write_bytes(b"\x00{")
    with pytest.raises((ValueError, FileNotFoundError), match=str(blip)):
        load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_that_is_no_number_is_named(blip, value):
    name = "text_proj.weight"
    rewrite(blip, lambda tensors: tensors[name][0].fill_(value))
    with pytest.raises(ValueError, match=rf"1 tensors hold NaN or infinity: {name}"):
        load_pretrained(family("blip"), str(blip), pad_id=0, local_files_only=True)


def tokeniser(size: int = 60, *, end: int = 59, pad: int | None = 0) -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({f"w{number}": number for number in range(size)}, unk_token="w1"))
    named = {} if pad is None else {"pad_token": f"w{pad}"}
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token=f"w{end}", unk_token="w1", **named)


def test_a_word_added_to_clips_tokeniser_takes_its_end_token_away():
    """With the id 2 of old files the highest id of a text is read: two captions with the new word had one vector."""
    old = make("clip", sep_id=2)
    require_belonging(tokeniser(), old, source="s")
    added = tokeniser(59, end=58)
    added.add_tokens(["zebrafinch"])
    with pytest.raises(
        ValueError, match=r"'w58' \(id 58\).*eos_token_id: 2 .*id, 59 \('zebrafinch'\).*eos_token_id to 58"
    ):
        require_belonging(added, old, source="s")
    require_belonging(added, make("clip", sep_id=58), source="s")


@cache
def clip_that_ends_with(said: int):
    return make("clip", sep_id=said)


def reads_every_end(edited: PreTrainedTokenizerFast, said: int, embedded: int) -> bool:
    """Whether of each word, followed by the end, every id is embedded and the end is what CLIP's network pools."""
    end = edited.eos_token_id
    for word in edited.get_vocab():
        ids = [*edited(word, add_special_tokens=False)["input_ids"], end]
        pooled = (
            max(range(len(ids)), key=lambda place: ids[place]) if said == 2 else ids.index(said) if said in ids else 0
        )
        if max(ids) >= embedded or ids[pooled] != end:
            return False
    return True


@settings(max_examples=60)
@given(
    st.integers(56, 61),
    st.integers(54, 60),
    st.sampled_from([2, 57, 58, 59]),
    st.lists(st.sampled_from(["zebrafinch", "okapi", "w3", "quoll"]), max_size=3),
    st.booleans(),
)
def test_random_edits_of_a_tokeniser_fit_or_are_refused(size, end, said, added, special):
    edited = tokeniser(size, end=min(end, size - 1))
    edited.add_tokens(added, special_tokens=special)
    if reads_every_end(edited, said, embedded=60):
        require_belonging(edited, clip_that_ends_with(said), source="s")
    else:
        with pytest.raises(ValueError, match="tokeniser"):
            require_belonging(edited, clip_that_ends_with(said), source="s")


def test_a_tokeniser_without_padding_or_with_another_is_refused():
    with pytest.raises(ValueError, match="has no pad_token"):
        require_padding(tokeniser(pad=None), source="s")
    assert require_padding(tokeniser(pad=3), source="s") == 3
    with pytest.raises(ValueError, match=r"padding has id 3 .* counted from pad_token_id: 0"):
        require_belonging(tokeniser(pad=3), make("bridgetower"), source="s")
