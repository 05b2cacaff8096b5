"""Our readings equal what the classes of transformers give for the same weights and inputs."""

from __future__ import annotations

import torch
from pretrained_inputs import IDS, images_for, make, pixels, regions, words
from transformers import (
    BridgeTowerForContrastiveLearning,
    BridgeTowerForImageAndTextRetrieval,
    LxmertForPreTraining,
    PreTrainedModel,
    VisualBertForPreTraining,
)

from reranksmart.models.pretrained import Pretrained
from reranksmart.values.pixels import pictures_of

CLOSE = {"atol": 2e-6, "rtol": 1e-4}


def with_weights_of(model: Pretrained, network_class: type[PreTrainedModel]) -> PreTrainedModel:
    """A published class with the model's weights; heads that the model does not read stay random."""
    network = network_class(model.network.config).eval()
    missing, unexpected = network.load_state_dict(model.network.state_dict(), strict=False)
    assert all(name.startswith(model.unused) for name in missing)
    assert all(name.startswith(model.fresh) for name in unexpected)
    return network


def test_clip_cosines_times_its_scale_are_the_logits_of_its_class():
    model, texts, images = make("clip"), words(), pixels([(4, 4)] * 4)
    with torch.no_grad():
        found = model.encode_text(texts) @ model.encode_image(images).T * model.network.logit_scale.exp()
        expected = model.network(
            input_ids=texts.token_ids, attention_mask=texts.mask.long(), pixel_values=pictures_of(images)[0]
        )
    torch.testing.assert_close(found, expected.logits_per_text, **CLOSE)


def test_siglip_logits_are_those_of_its_class_on_texts_of_all_positions():
    model, texts, images = make("siglip"), words(), pixels([(4, 4)] * 4)
    whole = torch.zeros(4, 16, dtype=torch.int64)
    whole[:, : texts.token_ids.shape[1]] = texts.token_ids
    with torch.no_grad():
        network = model.network
        cosines = model.encode_text(texts) @ model.encode_image(images).T
        expected = network(input_ids=whole, pixel_values=pictures_of(images)[0]).logits_per_text
    torch.testing.assert_close(cosines * network.logit_scale.exp() + network.logit_bias, expected, **CLOSE)


def test_naflex_logits_are_those_of_its_class():
    model, texts, images = make("siglip2_naflex"), words(), pixels([(4, 3), (2, 5), (4, 4), (1, 2)])
    whole = torch.zeros(4, 16, dtype=torch.int64)
    whole[:, : texts.token_ids.shape[1]] = texts.token_ids
    with torch.no_grad():
        network = model.network
        cosines = model.encode_text(texts) @ model.encode_image(images).T
        expected = network(
            input_ids=whole,
            pixel_values=images.patches,
            pixel_attention_mask=images.mask.long(),
            spatial_shapes=images.grids,
        ).logits_per_text
    torch.testing.assert_close(cosines * network.logit_scale.exp() + network.logit_bias, expected, **CLOSE)


def test_blip_scores_are_the_two_heads_of_its_class():
    model, texts, images = make("blip"), words(), pixels([(4, 4)] * 4)
    given = {"attention_mask": texts.mask.long(), "pixel_values": pictures_of(images)[0]}
    beginning_with_enc = texts.token_ids.clone()
    beginning_with_enc[:, 0] = IDS["words"] + 1  # as its authors train and rank: the entry after [DEC]
    with torch.no_grad():
        logits = model.network(input_ids=beginning_with_enc, **given).itm_score
        cosines = model.network(input_ids=texts.token_ids, **given, use_itm_head=False).itm_score
        log_odds = model.score_pairs(texts, images)
        both = make("blip", score="match_logit_plus_cosine").score_pairs(texts, images)
        found = model.encode_image(images) @ model.encode_text(texts).T
    torch.testing.assert_close(log_odds, logits[:, 1] - logits[:, 0], **CLOSE)
    torch.testing.assert_close(log_odds, logits.log_softmax(dim=1).diff(dim=1)[:, 0], **CLOSE)
    torch.testing.assert_close(found, cosines, **CLOSE)
    torch.testing.assert_close(both, logits[:, 1] + cosines.diagonal(), **CLOSE)


def test_blip2_scores_are_the_two_heads_of_its_class():
    model, texts, images = make("blip2"), words(), pixels([(4, 4)] * 4)
    given = {
        "input_ids": texts.token_ids,
        "attention_mask": texts.mask.long(),
        "pixel_values": pictures_of(images)[0],
    }
    with torch.no_grad():
        logits = model.network(**given, use_image_text_matching_head=True).logits_per_image
        cosines = model.network(**given).logits_per_image  # (images, texts), the largest over the queries
        log_odds = model.score_pairs(texts, images)
        both = make("blip2", score="match_logit_plus_cosine").score_pairs(texts, images)
        directions = model.query_directions(images)  # (images, Q, D)
        found = torch.einsum("iqd,td->iqt", directions, model.encode_text(texts)).amax(dim=1)
    torch.testing.assert_close(log_odds, logits[:, 1] - logits[:, 0], **CLOSE)
    torch.testing.assert_close(found, cosines, **CLOSE)
    torch.testing.assert_close(both, logits[:, 1] + cosines.diagonal(), **CLOSE)
    mean = directions.mean(dim=1)
    torch.testing.assert_close(model.encode_image(images), mean / mean.norm(dim=1, keepdim=True), **CLOSE)
    assert (directions[:, 0] - directions[:, 1]).norm(dim=-1).min() > 0.1


def test_vilts_score_is_the_logit_of_its_class_on_pictures_of_any_shape():
    model, texts = make("vilt"), words()
    images = images_for(model)
    given = {"input_ids": texts.token_ids, "attention_mask": texts.mask.long()}
    pictures, mask = pictures_of(images)
    with torch.no_grad():
        expected = model.network(**given, pixel_values=pictures, pixel_mask=mask.long()).logits[:, 0]
        found = model.score_pairs(texts, images)
    torch.testing.assert_close(found, expected, **CLOSE)


def test_vilts_embeddings_are_means_of_the_states_of_either_half():
    model, texts = make("vilt"), words()
    images = images_for(model)
    trunk = model.network.vilt
    pictures, mask = pictures_of(images)
    with torch.no_grad():
        text = trunk.embeddings.text_embeddings(texts.token_ids[[1]]) + trunk.embeddings.token_type_embeddings.weight[0]
        image, image_mask, _ = trunk.embeddings.visual_embed(pictures[[0]], mask[[0]].long(), max_image_length=-1)
        image = (image + trunk.embeddings.token_type_embeddings.weight[1])[:, image_mask[0] > 0]
        for tokens, vector in (text, model.encode_text(texts)[1]), (image, model.encode_image(images)[0]):
            mean = trunk.layernorm(trunk.encoder(tokens).last_hidden_state)[0].mean(dim=0)
            torch.testing.assert_close(vector, mean / mean.norm(), **CLOSE)


def test_bridgetowers_log_odds_are_those_of_its_class():
    model, texts, images = make("bridgetower"), words(), pixels([(4, 4)] * 4)
    network = with_weights_of(model, BridgeTowerForImageAndTextRetrieval)
    with torch.no_grad():
        logits = network(
            input_ids=texts.token_ids, attention_mask=texts.mask.long(), pixel_values=pictures_of(images)[0]
        ).logits
        found = model.score_pairs(texts, images)
    torch.testing.assert_close(found, logits[:, 1] - logits[:, 0], **CLOSE)


def test_bridgetowers_embeddings_are_those_of_its_contrastive_class():
    model, texts, images = make("bridgetower"), words(), pixels([(4, 4)] * 4)
    model.network.config.logit_scale_init_value = 1.0  # its class wants one, and reads it for its loss alone
    network = with_weights_of(model, BridgeTowerForContrastiveLearning)
    with torch.no_grad():
        expected = network(
            input_ids=texts.token_ids, attention_mask=texts.mask.long(), pixel_values=pictures_of(images)[0]
        )
        torch.testing.assert_close(model.encode_text(texts), expected.text_embeds, **CLOSE)
        torch.testing.assert_close(model.encode_image(images), expected.image_embeds, **CLOSE)


def test_visualberts_log_odds_are_for_column_0_of_its_pretraining_class():
    model, texts, images = make("visualbert"), words(), regions()
    network = with_weights_of(model, VisualBertForPreTraining)
    with torch.no_grad():
        logits = network(
            input_ids=texts.token_ids,
            attention_mask=texts.mask.long(),
            visual_embeds=images.features,
            visual_attention_mask=images.mask.long(),
            visual_token_type_ids=torch.ones_like(images.mask, dtype=torch.int64),
        ).seq_relationship_logits
        found = model.score_pairs(texts, images)
    torch.testing.assert_close(found, logits[:, 0] - logits[:, 1], **CLOSE)


def test_visualberts_embeddings_are_means_of_the_states_of_either_half():
    model, texts, images = make("visualbert"), words(), regions()
    trunk = model.network.visual_bert
    with torch.no_grad():
        text = trunk(input_ids=texts.token_ids[[1]]).last_hidden_state[0]
        image = trunk(
            inputs_embeds=torch.zeros(1, 0, trunk.config.hidden_size), visual_embeds=images.features[[0], :3]
        ).last_hidden_state[0]
        for states, vector in (text, model.encode_text(texts)[1]), (image, model.encode_image(images)[0]):
            mean = states.mean(dim=0)
            torch.testing.assert_close(vector, mean / mean.norm(), **CLOSE)


def test_lxmerts_log_odds_and_towers_are_those_of_its_pretraining_class():
    model, texts, images = make("lxmert"), words(), regions()
    network = with_weights_of(model, LxmertForPreTraining)
    towers = model.network.config.l_layers, model.network.config.r_layers
    with torch.no_grad():
        expected = network(
            input_ids=texts.token_ids,
            attention_mask=texts.mask.float(),
            visual_feats=images.features,
            visual_pos=images.boxes,
            visual_attention_mask=images.mask.float(),
            output_hidden_states=True,
        )
        logits = expected.cross_relationship_score
        torch.testing.assert_close(model.score_pairs(texts, images), logits[:, 1] - logits[:, 0], **CLOSE)
        text, image = expected.language_hidden_states[towers[0] - 1], expected.vision_hidden_states[towers[1] - 1]
        for states, mask, vectors in (
            (text, texts.mask, model.encode_text(texts)),
            (image, images.mask, model.encode_image(images)),
        ):
            mean = torch.stack([row[real].mean(dim=0) for row, real in zip(states, mask, strict=True)])
            torch.testing.assert_close(vectors, mean / mean.norm(dim=1, keepdim=True), **CLOSE)
