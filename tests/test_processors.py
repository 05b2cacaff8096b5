"""Pictures and texts reach a model as its checkpoint's own processor and tokeniser give them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from pretrained_inputs import wordpieces
from transformers import (
    BertTokenizer,
    BlipImageProcessorPil,
    CLIPImageProcessorPil,
    GemmaTokenizer,
    Siglip2ImageProcessorPil,
    ViltImageProcessorPil,
)

from reranksmart.families import FAMILIES
from reranksmart.inputs.processors import PictureProcessor, published_tokeniser_of
from reranksmart.inputs.stored import open_tokeniser
from reranksmart.values.pixels import pictures_of

SQUARE = {
    "clip": CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    "blip": BlipImageProcessorPil(size={"height": 32, "width": 32}),
}
VILT = ViltImageProcessorPil(size={"shortest_edge": 32}, size_divisor=8)
NAFLEX = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=12)


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    draw = np.random.default_rng(width)
    return Image.fromarray(draw.integers(0, 255, (height, width, 3), dtype=np.uint8)).convert(mode)


PICTURES = [picture(60, 40), picture(30, 70), picture(33, 34)]


@pytest.mark.parametrize("name", SQUARE)
def test_patches_put_together_are_the_processors_pixels(name, tmp_path):
    SQUARE[name].save_pretrained(tmp_path)
    batch = PictureProcessor.open(tmp_path, patch=8)(PICTURES)
    assert batch.grids.tolist() == [[4, 4]] * 3
    expected = torch.tensor(np.stack(SQUARE[name](images=PICTURES)["pixel_values"]))
    torch.testing.assert_close(pictures_of(batch)[0], expected)


def test_pixels_that_fill_no_patch_are_dropped():
    batch = PictureProcessor(SQUARE["clip"], 5)(PICTURES)
    expected = torch.tensor(np.stack(SQUARE["clip"](images=PICTURES)["pixel_values"]))
    assert batch.grids.tolist() == [[6, 6]] * 3
    torch.testing.assert_close(pictures_of(batch)[0], expected[:, :, :30, :30])


def test_vilts_pictures_keep_their_shapes_and_their_padding_is_masked():
    batch = PictureProcessor(VILT, 8)(PICTURES)
    expected = VILT(images=PICTURES, return_tensors="pt")
    pixels, mask = pictures_of(batch)
    torch.testing.assert_close(pixels, expected["pixel_values"])
    assert torch.equal(mask.long(), expected["pixel_mask"])


def test_naflex_patches_are_those_of_its_processor():
    batch = PictureProcessor(NAFLEX, 8)(PICTURES)
    expected = NAFLEX(images=PICTURES, return_tensors="pt")
    longest = batch.mask.shape[1]
    torch.testing.assert_close(batch.patches, expected["pixel_values"][:, :longest])
    assert torch.equal(batch.mask.long(), expected["pixel_attention_mask"][:, :longest])
    assert torch.equal(batch.grids, expected["spatial_shapes"])


def test_patches_of_another_size_than_the_models_are_refused():
    with pytest.raises(ValueError, match="cuts patches of 192 numbers, the model reads 768"):
        PictureProcessor(NAFLEX, 16)(PICTURES)


def test_a_pictures_patches_do_not_depend_on_the_batch():
    processor = PictureProcessor(VILT, 8)
    together = processor(PICTURES)
    for row, one in enumerate(PICTURES):
        assert torch.equal(processor([one]).patches[0], together.patches[row, together.mask[row]])


def test_a_picture_with_transparency_or_in_grey_is_read_as_its_colours():
    processor = PictureProcessor(SQUARE["clip"], 8)
    assert torch.equal(
        processor([picture(60, 40, "RGBA")]).patches, processor([picture(60, 40, "RGBA").convert("RGB")]).patches
    )
    assert processor([picture(60, 40, "L")]).patches.shape == (1, 16, 192)


def test_a_saved_processor_prepares_the_same(tmp_path):
    processor = PictureProcessor(NAFLEX, 8)
    processor.save(tmp_path)
    again = PictureProcessor.open(tmp_path, patch=8)
    assert torch.equal(again(PICTURES).patches, processor(PICTURES).patches)


def test_a_folder_without_a_processor_asks_for_its_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"preprocessor_config\.json"):
        PictureProcessor.open(tmp_path, patch=8)


def test_a_checkpoints_tokeniser_is_its_own(tmp_path):
    wordpieces(tmp_path)
    found = published_tokeniser_of(str(tmp_path), unread_marks="", local_files_only=True)
    assert found("a dog cat")["input_ids"] == [2, 4, 5, 1, 3]
    assert found.pad_token_id == 0


def test_blips_captions_lose_the_marks_that_its_authors_leave_out_after_saving_too(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", ".", "(", ","]))
    BertTokenizer(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    for family, expected in {"blip": [2, 4, 5, 8, 4, 3], "vilt": [2, 4, 5, 8, 7, 4, 6, 1, 3]}.items():
        found = published_tokeniser_of(str(tmp_path), unread_marks=FAMILIES[family].unread_marks, local_files_only=True)
        found.save_pretrained(tmp_path / family)
        for tokeniser in found, open_tokeniser(tmp_path / family):
            assert tokeniser("A dog, (a.)")["input_ids"] == expected
            assert (tokeniser.pad_token_id, tokeniser.num_special_tokens_to_add()) == (0, 2)


def test_siglip_2_reads_captions_in_lower_case_after_saving_too(tmp_path):
    letters = {
        letter: number for number, letter in enumerate(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *"▁Aadog"])
    }
    GemmaTokenizer(vocab=letters, merges=[], add_bos_token=False, add_eos_token=True).save_pretrained(tmp_path)
    found = published_tokeniser_of(str(tmp_path), unread_marks="", local_files_only=True)
    found.save_pretrained(tmp_path / "saved")
    for tokeniser in found, open_tokeniser(tmp_path / "saved"):
        assert tokeniser("A Dog")["input_ids"] == [7, 5, 8, 9, 10, 1]
        assert tokeniser.pad_token_id == 0


def test_a_name_without_a_tokeniser_here_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="nobody/nothing"):
        published_tokeniser_of("nobody/nothing", unread_marks="", local_files_only=True)


@pytest.mark.parametrize("reads", ["tokeniser", "published tokeniser", "processor"])
def test_code_that_lies_with_a_checkpoint_is_refused_and_never_run(reads, tmp_path, monkeypatch):
    """transformers would ask "[y/N]" and run it after y."""
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    folder = tmp_path / "checkpoint"
    SQUARE["clip"].save_pretrained(folder) if reads == "processor" else wordpieces(folder)
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n")
    names = {"AutoTokenizer": [None, "evil.Evil"], "AutoImageProcessor": "evil.Evil"}
    own = {"auto_map": names, "tokenizer_class": "Evil", "image_processor_type": "Evil"}
    for name in ("tokenizer_config.json", "preprocessor_config.json"):
        path = folder / name
        path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **own}))
    reader = {
        "tokeniser": lambda: open_tokeniser(folder),
        "published tokeniser": lambda: published_tokeniser_of(str(folder), unread_marks="", local_files_only=True),
        "processor": lambda: PictureProcessor.open(folder, patch=8),
    }[reads]
    with pytest.raises(ValueError, match=r"checkpoint asks to run Python code of its own .*, which is refused"):
        reader()
    assert not (tmp_path / "ran").exists()
