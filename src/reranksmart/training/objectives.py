"""Training objectives: pure functions of embeddings and log-odds."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, kl_div, relu

_NOWHERE = 1e3  # a cosine that adds nothing to a sum of exponentials, and whose gradient is no NaN


def batch_hard_triplet(captions: Tensor, images: Tensor, relevant: Tensor, *, margin: float) -> Tensor:
    """Mean over B matching rows of the two triplet losses against the row's hardest caption and hardest image.

    ``captions``, ``images`` (B, D) unit rows; ``relevant`` (B, B) bool, True where caption i is true of image j: such
    pairs are no negatives. The distance is 1 - cosine (Faghri et al. 2018, VSE++; Geigle et al. 2022, section 3.1).
    As in the published code a true pair counts as a negative 2 further away, which costs nothing while the margin is
    under 2 minus the distance of the row's own pair.
    """
    distances = 1 - cosines(captions, images)  # (B captions, B images)
    own = distances.diagonal()
    negatives = distances + 2.0 * relevant.to(distances)
    hardest_caption, hardest_image = negatives.amin(dim=0), negatives.amin(dim=1)
    return (relu(own - hardest_caption + margin) + relu(own - hardest_image + margin)).mean()


def sampled_triplet(
    captions: Tensor, images: Tensor, wrong_captions: Tensor, wrong_images: Tensor, *, margin: float
) -> Tensor:
    """Mean over B pairs and n negatives of two triplet losses, against a mined image and a mined caption.

    ``captions``, ``images`` (B, D) unit rows that match, ``wrong_captions``, ``wrong_images`` (B, n, D). The distance is
    1 - cosine; nothing else of the batch is a negative (Geigle et al. 2022, section 5.5).
    """
    own = (captions * images).sum(dim=-1, keepdim=True)
    of_images = torch.einsum("bd,bnd->bn", captions, wrong_images)
    of_captions = torch.einsum("bd,bnd->bn", images, wrong_captions)
    return (relu(of_images - own + margin) + relu(of_captions - own + margin)).mean()


def info_nce(captions: Tensor, images: Tensor, relevant: Tensor, *, temperature: Tensor | float) -> Tensor:
    """Mean of the caption-to-image and image-to-caption cross-entropies of B matching rows.

    ``captions``, ``images`` (B, D) unit rows; ``relevant`` (B, B) bool, True where caption i is true of image j: true
    pairs off the diagonal are left out, being neither target nor negative (Oord et al. 2018; Radford et al. 2021).
    """
    similarities = cosines(captions, images) / temperature  # (B captions, B images)
    off_diagonal = ~torch.eye(len(captions), dtype=torch.bool, device=captions.device)
    similarities = similarities.masked_fill(relevant.to(captions.device) & off_diagonal, float("-inf"))
    target = torch.arange(len(captions), device=captions.device)
    return (cross_entropy(similarities, target) + cross_entropy(similarities.T, target)) / 2


def pair_cross_entropy(log_odds: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy of P pairs: ``log_odds`` (P,), ``labels`` (P,) 1 where the pair matches, else 0.

    The same number as the softmax cross-entropy of two logits whose difference is the log-odds (Geigle et al. 2022,
    section 3.2).
    """
    return binary_cross_entropy_with_logits(log_odds, labels.to(log_odds))


def distillation(similarities: Tensor, log_odds: Tensor, *, temperature: float, teacher_temperature: float) -> Tensor:
    """Mean over Q queries of the divergence KL(teacher || student) of their distributions over C candidates.

    ``similarities`` (Q, C) cosines of the bi-encoder, the student; ``log_odds`` (Q, C) of the cross-encoder, the
    teacher, which gets no gradient (Hinton et al. 2015). Zero where both rank with equal confidence.
    """
    student = (similarities / temperature).log_softmax(dim=1)
    teacher = (log_odds.detach() / teacher_temperature).log_softmax(dim=1)
    return kl_div(student, teacher, log_target=True, reduction="batchmean")


def partial_ranking(similarities: Tensor, log_odds: Tensor, easy: Tensor, *, temperature: float) -> Tensor:
    """Mean over Q queries and their C hard negatives of how badly the bi-encoder orders them as the cross-encoder does.

    ``similarities`` (Q, C) cosines of the hard negatives, minus infinity where there are fewer, ``log_odds`` (Q, C) of the
    teacher, which gets no gradient, ``easy`` (Q, E) cosines of other negatives, minus infinity where there is none. Each
    hard negative is contrasted with those that the teacher puts below it, and with the easy ones: only the order carries
    over (CPRD; Chen et al. 2024).
    """
    order = log_odds.detach().masked_fill(similarities.isinf(), float("-inf")).argsort(dim=1, descending=True)
    ranked = similarities.gather(1, order)  # (Q, C), the teacher's best first
    kept = ~ranked.isinf()
    scaled = torch.cat([easy, ranked.flip(1)], dim=1).clamp(min=-_NOWHERE) / temperature
    below = scaled.logcumsumexp(dim=1)[:, easy.shape[1] :].flip(1)
    return torch.where(kept, below - ranked.clamp(min=-_NOWHERE) / temperature, 0).sum() / kept.sum().clamp(min=1)


def cosines(captions: Tensor, images: Tensor) -> Tensor:
    """(B captions, B images) of unit rows, in their precision, autocast or not: a temperature would magnify rounding."""
    with torch.autocast(captions.device.type, enabled=False):
        return captions @ images.T
