"""How good a ranking is: measures of each query, their means with intervals, and the twin probe."""

from reranksmart.evaluation.cooperation import require_recall_unchanged as require_recall_unchanged
from reranksmart.evaluation.extended import EXTENDED_MEASURES as EXTENDED_MEASURES
from reranksmart.evaluation.extended import judged_query_measures as judged_query_measures
from reranksmart.evaluation.extended import summarise_judged as summarise_judged
from reranksmart.evaluation.per_query import CUTOFF as CUTOFF
from reranksmart.evaluation.per_query import PerQuery as PerQuery
from reranksmart.evaluation.per_query import per_query_measures as per_query_measures
from reranksmart.evaluation.per_query import read_per_query as read_per_query
from reranksmart.evaluation.per_query import relevant_items as relevant_items
from reranksmart.evaluation.per_query import require_every_query as require_every_query
from reranksmart.evaluation.per_query import with_images as with_images
from reranksmart.evaluation.per_query import write_per_query as write_per_query
from reranksmart.evaluation.summary import EXPERIMENT_KEYS as EXPERIMENT_KEYS
from reranksmart.evaluation.summary import MEASURE_COLUMNS as MEASURE_COLUMNS
from reranksmart.evaluation.summary import MEASURES as MEASURES
from reranksmart.evaluation.summary import summarise as summarise
from reranksmart.evaluation.twins import twin_accuracy as twin_accuracy
from reranksmart.evaluation.twins import twin_of_images as twin_of_images
from reranksmart.evaluation.twins import twin_scores as twin_scores
