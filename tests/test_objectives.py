"""Objectives against numbers worked out by hand, and their laws."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from reranksmart.training.objectives import batch_hard_triplet, distillation, info_nce, pair_cross_entropy

OWN = torch.eye(3, dtype=torch.bool)
# Captions are the axes, so that caption i times image j is entry i of image j.
CAPTIONS = torch.eye(3)
IMAGES = torch.tensor([[0.8, 0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.6, 0.8]])


def test_batch_hard_triplet_of_three_pairs_by_hand():
    # Distances, captions down, images across: [.2 .4 1], [.4 .2 .4], [1 1 .2]; own .2 each.
    # Hardest caption of an image: .4, .4, .4. Hardest image of a caption: .4, .4, 1.
    # margin .3: .1 .1 .1 and .1 .1 0.
    loss = batch_hard_triplet(CAPTIONS, IMAGES, OWN, margin=0.3)
    assert loss.item() == pytest.approx(0.5 / 3, abs=1e-6)


def test_batch_hard_triplet_skips_true_pairs_by_hand():
    # Captions 0 and 1 are true of images 0 and 1 alike: hardest captions 1, 1, .4 and hardest images 1, .4, 1.
    relevant = OWN.clone()
    relevant[:2, :2] = True
    loss = batch_hard_triplet(CAPTIONS, IMAGES, relevant, margin=0.3)
    assert loss.item() == pytest.approx((0.1 + 0.1) / 3, abs=1e-6)


def test_info_nce_of_three_pairs_by_hand():
    # Similarities, captions down, images across: [.8 .6 0], [.6 .8 .6], [0 0 .8]; temperature .5 doubles them.
    def term(own, *others):
        return -math.log(math.exp(own) / (math.exp(own) + sum(math.exp(other) for other in others)))

    to_images = term(1.6, 1.2, 0) + term(1.6, 1.2, 1.2) + term(1.6, 0, 0)
    to_captions = term(1.6, 1.2, 0) + term(1.6, 1.2, 0) + term(1.6, 0, 1.2)
    loss = info_nce(CAPTIONS, IMAGES, OWN, temperature=0.5)
    assert loss.item() == pytest.approx((to_images + to_captions) / 6, abs=1e-6)


def test_info_nce_leaves_out_true_pairs_by_hand():
    relevant = OWN.clone()
    relevant[:2, :2] = True
    loss = info_nce(CAPTIONS, IMAGES, relevant, temperature=0.5)
    # Each term is the own pair against what is left.
    left_to_images = [[0.0], [1.2], [0.0, 0.0]]
    left_to_captions = [[0.0], [0.0], [0.0, 1.2]]
    terms = [
        math.log(1 + sum(math.exp(other - 1.6) for other in others)) for others in left_to_images + left_to_captions
    ]
    assert loss.item() == pytest.approx(sum(terms) / 6, abs=1e-6)


@pytest.mark.parametrize("objective", ["triplet", "info_nce"])
def test_swapping_captions_and_images_changes_nothing(objective):
    draw = torch.Generator().manual_seed(0)
    captions, images = (normalize(torch.randn(6, 5, generator=draw)) for _ in range(2))
    relevant = torch.eye(6, dtype=torch.bool)
    relevant[0, 3] = True
    if objective == "triplet":
        there, back = (
            batch_hard_triplet(*pair, margin=0.2)
            for pair in ((captions, images, relevant), (images, captions, relevant.T))
        )
    else:
        there, back = (
            info_nce(*pair, temperature=0.1) for pair in ((captions, images, relevant), (images, captions, relevant.T))
        )
    assert there.item() == pytest.approx(back.item(), rel=1e-6)


def test_a_batch_of_true_pairs_alone_costs_nothing():
    everything = torch.ones(3, 3, dtype=torch.bool)
    assert batch_hard_triplet(CAPTIONS, IMAGES, everything, margin=0.2).item() == 0
    assert info_nce(CAPTIONS, IMAGES, everything, temperature=0.1).item() == 0


def test_pair_cross_entropy_of_three_pairs_by_hand():
    loss = pair_cross_entropy(torch.tensor([0.0, math.log(3), math.log(3)]), torch.tensor([1, 1, 0]))
    expected = -(math.log(1 / 2) + math.log(3 / 4) + math.log(1 / 4)) / 3
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_pair_cross_entropy_is_the_two_class_softmax_cross_entropy():
    draw = torch.Generator().manual_seed(0)
    logits = (5 * torch.randn(50, 2, generator=draw, dtype=torch.float64)).requires_grad_()
    labels = torch.randint(0, 2, (50,), generator=draw)
    binary = pair_cross_entropy(logits[:, 1] - logits[:, 0], labels)
    softmax = cross_entropy(logits, labels)
    assert binary.item() == pytest.approx(softmax.item(), rel=1e-12)
    (ours,), (theirs,) = torch.autograd.grad(binary, logits), torch.autograd.grad(softmax, logits)
    torch.testing.assert_close(ours, theirs, atol=1e-15, rtol=1e-12)


def test_distillation_of_two_candidates_by_hand():
    # Student 3:1, teacher 1:1; the other query agrees.
    student = torch.tensor([[math.log(3) * 0.1, 0.0], [0.0, 0.0]])
    loss = distillation(student, torch.zeros(2, 2), temperature=0.1, teacher_temperature=1.0)
    expected = (0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_distillation_gives_the_teacher_no_gradient():
    student, teacher = torch.rand(3, 4, requires_grad=True), torch.rand(3, 4, requires_grad=True)
    distillation(student, teacher, temperature=0.1, teacher_temperature=2.0).backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0
