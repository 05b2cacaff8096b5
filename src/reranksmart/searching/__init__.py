"""Search in pictures: an index is a folder; ``Searcher`` loads it, answers queries and takes more pictures in."""

from reranksmart.searching.building import build_index_folder as build_index_folder
from reranksmart.searching.building import gather_index_folder as gather_index_folder
from reranksmart.searching.results import Added as Added
from reranksmart.searching.results import Hit as Hit
from reranksmart.searching.results import Query as Query
from reranksmart.searching.results import Results as Results
from reranksmart.searching.searcher import Searcher as Searcher
