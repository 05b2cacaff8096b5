"""Published files load strictly: every tensor is used, known to be unused, or an error."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from reranksmart.families import family
from reranksmart.models.published import load_published, save_published
from reranksmart.models.published_names import published_parameters

FILES = {"oscar": "pytorch_model.bin", "uniter": "uniter-base.pt", "m3p": "m3p_under_weights.pth"}
EXTRAS = {
    "oscar": ["cls.predictions.bias", "cls.seq_relationship.weight"],
    "uniter": ["cls.predictions.bias", "feat_regress.bias", "region_classifier.net.0.weight", "itm_output.weight"],
    "m3p": [
        "refine_embeddings.norm.weight",
        "cross_alignment.layer_norm.bias",
        "encoder_attn.0.q_lin.weight",
        "layer_norm15.0.weight",
        "seq_relationship.weight",
        "mrfr_dense.bias",
        "transformer_obj.dense.weight",
        "image_embeddings.image_distbution_embeddings.bias",
        "pred_layer.proj.bias",
    ],
}


def tensors_of(model):
    """The backbone's tensors by published name."""
    named = ((name, value.detach().clone()) for name, value in published_parameters(model))
    return {name: value for name, value in named if not name.startswith("head.")}


def rewrite(folder, embedder, change):
    """Changes the dict of tensors in a saved file."""
    content = torch.load(folder / FILES[embedder])
    changed = change(content["model"] if embedder == "m3p" else content)
    torch.save(content | {"model": changed} if embedder == "m3p" else changed, folder / FILES[embedder])


def assert_same_backbone(found, expected):
    tensors, others = tensors_of(found), tensors_of(expected)
    assert list(tensors) == list(others)
    for name, value in tensors.items():
        assert torch.equal(value, others[name]), name


def test_a_backbone_saved_as_published_loads_the_same(model, tmp_path):
    save_published(model, tmp_path)
    config = model.config
    loaded = load_published(family(config.embedder), tmp_path, normalise_inputs=config.normalise_inputs)
    assert_same_backbone(loaded, model)
    assert loaded.config == replace(config, head_widths=())
    assert not loaded.training


def test_equal_backbones_are_saved_as_equal_bytes(model, tmp_path):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        save_published(model, folder)
    for file in folders[0].iterdir():
        assert file.read_bytes() == (folders[1] / file.name).read_bytes()


@pytest.mark.parametrize("embedder", FILES)
@pytest.mark.parametrize("prefix", ["", "module.", "bert.", "uniter.", "module.bert.", "module.uniter."])
def test_weights_with_wrapped_names_load(make_model, tmp_path, embedder, prefix):
    """The published code loads nothing from a file whose names begin with ``uniter.``, and says so nowhere."""
    model = make_model(embedder=embedder)
    save_published(model, tmp_path)
    rewrite(tmp_path, embedder, lambda _: {prefix + name: value for name, value in tensors_of(model).items()})
    assert_same_backbone(load_published(family(embedder), tmp_path), model)


@pytest.mark.parametrize("embedder", FILES)
def test_pretraining_heads_are_known_and_unused(make_model, tmp_path, embedder):
    model = make_model(embedder=embedder)
    save_published(model, tmp_path)
    rewrite(tmp_path, embedder, lambda tensors: tensors | {name: torch.zeros(3) for name in EXTRAS[embedder]})
    assert_same_backbone(load_published(family(embedder), tmp_path), model)


@pytest.mark.parametrize("embedder", FILES)
def test_an_unknown_tensor_is_an_error_that_names_it(make_model, tmp_path, embedder):
    save_published(make_model(embedder=embedder), tmp_path)
    rewrite(tmp_path, embedder, lambda tensors: tensors | {"code_embeddings.weight": torch.zeros(3)})
    with pytest.raises(ValueError, match=r"1 tensors unexpected: code_embeddings\.weight"):
        load_published(family(embedder), tmp_path)


@pytest.mark.parametrize("embedder", FILES)
def test_a_missing_tensor_is_an_error_that_names_it(make_model, tmp_path, embedder):
    save_published(make_model(embedder=embedder), tmp_path)
    last = {"oscar": "bert.pooler.dense.bias", "uniter": "uniter.pooler.dense.bias", "m3p": "pooled_layer.dense.bias"}
    rewrite(
        tmp_path,
        embedder,
        lambda tensors: {name: value for name, value in tensors.items() if name != last[embedder]},
    )
    with pytest.raises(ValueError, match=r"1 tensors missing: pooler\.dense\.bias"):
        load_published(family(embedder), tmp_path)


@pytest.mark.parametrize("embedder", FILES)
def test_a_damaged_file_is_an_error_that_names_it(make_model, tmp_path, embedder):
    save_published(make_model(embedder=embedder), tmp_path)
    file = tmp_path / FILES[embedder]
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=f"{file.name} cannot be read"):
        load_published(family(embedder), tmp_path)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=file.name):
        load_published(family(embedder), tmp_path)


def test_code_in_a_pickle_is_not_run(make_model, tmp_path):
    save_published(make_model(embedder="oscar"), tmp_path)
    torch.save({"weights": tmp_path}, tmp_path / "pytorch_model.bin")  # any class is enough
    with pytest.raises(ValueError, match=r"cannot be read .* Code in such a file is never run"):
        load_published(family("oscar"), tmp_path)


def test_an_oscar_of_other_sizes_than_its_configuration_is_refused(make_model, tmp_path):
    save_published(make_model(embedder="oscar"), tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"hidden_size": 48}))
    with pytest.raises(ValueError, match="of another shape"):
        load_published(family("oscar"), tmp_path)
    del settings["num_attention_heads"]
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=r"lacks .'num_attention_heads'"):
        load_published(family("oscar"), tmp_path)


def test_a_published_oscar_takes_its_special_tokens_from_its_vocabulary(make_model, tmp_path):
    save_published(make_model(embedder="oscar"), tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    published = {key: value for key, value in settings.items() if key not in ("cls_token_id", "sep_token_id")}
    (tmp_path / "config.json").write_text(json.dumps(published))
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt"):
        load_published(family("oscar"), tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\na\n[SEP]\nb\n[CLS]\n")
    config = load_published(family("oscar"), tmp_path).config
    assert (config.pad_id, config.sep_id, config.cls_id) == (0, 2, 4)


def test_an_oscar_fine_tuned_for_retrieval_keeps_its_head(make_model, tmp_path):
    model = make_model(embedder="oscar", head_widths=(48,))
    save_published(model, tmp_path)
    head = {
        f"classifier.{place}.{what}": getattr(model.head[place + 1], what).detach()
        for place in (0, 2)
        for what in ("weight", "bias")
    }
    rewrite(tmp_path, "oscar", lambda tensors: tensors | head)
    loaded = load_published(family("oscar"), tmp_path)
    assert loaded.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_fresh_head_is_drawn_from_the_seed(make_model, tmp_path):
    save_published(make_model(embedder="oscar"), tmp_path)
    heads = [load_published(family("oscar"), tmp_path, seed=seed).head[1].weight for seed in (1, 1, 2)]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


@pytest.fixture
def joint_folder(make_model, tmp_path):
    """The folders of a model published with the paper, and the model."""
    model = make_model(embedder="oscar")
    names = ("0_OSCAR", "1_ClassificationHead", "2_Pooling")
    backbone, head, pooling = (tmp_path / name for name in names)
    for folder in (backbone, head, pooling):
        folder.mkdir()
    save_published(model, backbone)
    torch.save(tensors_of(model), backbone / "pytorch_model.bin")
    torch.save(
        {"classifier.weight": model.head[1].weight, "classifier.bias": model.head[1].bias}, head / "class_head.pt"
    )
    settings = {"num_labels": 2, "input_key": "pooled_cls_token_embeddings", "dropout": 0.1}
    (head / "sentence_bert_config.json").write_text(json.dumps(settings))
    modes = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False, "pooling_key": "multimodal_embedding"}
    (pooling / "config.json").write_text(json.dumps(modes))
    return tmp_path, model


def test_a_joint_model_published_with_the_paper_loads_whole(joint_folder):
    folder, model = joint_folder
    loaded = load_published(family("oscar"), folder)
    assert loaded.config == model.config
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_a_joint_model_that_pools_or_classifies_otherwise_is_refused(joint_folder):
    folder, _ = joint_folder
    pooling, head = folder / "2_Pooling" / "config.json", folder / "1_ClassificationHead" / "sentence_bert_config.json"
    good = pooling.read_text()
    pooling.write_text('{"pooling_mode_cls_token": true}')
    with pytest.raises(ValueError, match=r"pooled by .'pooling_mode_cls_token'"):
        load_published(family("oscar"), folder)
    pooling.write_text(good)
    head.write_text('{"input_key": "cls_token_embeddings"}')
    with pytest.raises(ValueError, match="'cls_token_embeddings'"):
        load_published(family("oscar"), folder)
    with pytest.raises(ValueError, match=r"holds 0_OSCAR.* asked was m3p, whose models the paper has as 0_M3P"):
        load_published(family("m3p"), folder)


def test_an_unknown_backbone_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'visual_bert'; choose one of \['blip', "):
        family("visual_bert")
