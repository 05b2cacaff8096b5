"""Search in pictures: an index is a folder; ``Searcher`` loads it, answers queries and takes more pictures in."""

from reranksmart.searching.building import build_index_folder as build_index_folder
from reranksmart.searching.searcher import Searcher as Searcher
