"""Mean recall on dev, by which a model is selected."""

import numpy as np

from reranksmart.models.interface import BiEncoder, CrossEncoder
from reranksmart.ranking.encoding import captions_for_pairs, encode_captions, encode_images, images_for_pairs
from reranksmart.ranking.gpu_index import to_device
from reranksmart.ranking.reranking import score_matrix
from reranksmart.ranking.search import build_index, retrieve
from reranksmart.training.sampling import TrainingData
from reranksmart.values.recalls import CUTOFFS, hits, success
from reranksmart.values.records import Direction, Ranking


def mean_recall(ranking: Ranking, data: TrainingData, direction: Direction) -> float:
    """Success at 1, 5 and 10, averaged, in percent. Rows of the ranking are rows of the data."""
    relevant, _ = direction.pair(data.relevant, data.relevant.T.tocsr())
    right = hits(relevant, ranking.items[:, : max(CUTOFFS)])
    return 100 * float(np.mean(success(right).mean(axis=0)))


def bi_encoder_mean_recall(model: BiEncoder, data: TrainingData) -> float:
    """mR (mean recall of both directions, percent) of exact retrieval over the data's captions and images."""
    captions = encode_captions(model, data.tokens, data.captions.ids)
    images = encode_images(model, data.regions)
    found = []
    for direction in Direction:
        queries, gallery = direction.pair(captions, images)
        ranking = retrieve(queries, gallery.ids, to_device(build_index(gallery.vectors)), depth=max(CUTOFFS))
        found.append(mean_recall(ranking, data, direction))
    return float(np.mean(found))


def cross_encoder_mean_recall(model: CrossEncoder, data: TrainingData) -> float:
    """mR (percent) of scoring every caption with every image of the data."""
    scores = score_matrix(model, captions_for_pairs(model, data.tokens), images_for_pairs(model, data.regions))
    found = []
    for direction, matrix in ((Direction.TEXT_TO_IMAGE, scores), (Direction.IMAGE_TO_TEXT, scores.T)):
        query_ids, gallery_ids = direction.pair(data.captions.ids, data.regions.store.image_ids)
        items = np.broadcast_to(np.arange(matrix.shape[1], dtype=np.int32), matrix.shape)
        found.append(mean_recall(Ranking(query_ids, gallery_ids, items, matrix), data, direction))
    return float(np.mean(found))
