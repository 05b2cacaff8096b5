"""The options that several verbs have, each said once."""

import json
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.config.experiments import Fusion

Folder = Annotated[Path, typer.Option()]
Folders = Annotated[list[Path], typer.Option()]
ReadingSettings = Annotated[str, typer.Option(help="how the backbone reads captions and images, as JSON")]
GalleryName = Annotated[str, typer.Option(help="dataset.split[+distractors][.captions per image]")]
Factory = Annotated[str, typer.Option(help="faiss factory string")]
Experiment = Annotated[str, typer.Option(help="backbone, training_set, system, seed, test_set as JSON")]
Depths = Annotated[str, typer.Option(help="k, separated by commas; empty without re-ranking")]
Fusions = Annotated[str, typer.Option(help="list of fusions as JSON")]
Exhaustive = Annotated[bool, typer.Option(help="the ranking is a cross-encoder's, of every pair")]
Neighbours = Annotated[bool, typer.Option(help="the rankings are final, one for each k: neighbours were followed")]
FoldRankings = Annotated[
    list[Path],
    typer.Option(help="folder of the retriever's candidates, or an exhaustive ranking; of each fold, in order"),
]
FoldSplits = Annotated[list[Path], typer.Option(help="folder of the split whose captions and images ask")]
FoldRelevance = Annotated[list[Path], typer.Option()]
FoldGalleries = Annotated[str, typer.Option(help="its name; several by commas, as many as rankings, are folds")]
PairScores = Annotated[list[Path] | None, typer.Option(help="folder of the reranker's log-odds")]
LanguageNames = Annotated[str, typer.Option(help="separated by commas")]
MaybeFolder = Annotated[Path | None, typer.Option()]
Resamples = Annotated[int, typer.Option(min=1, help="draws")]
ShardIndex = Annotated[int, typer.Option(help="which share of the work this job does, from 0")]
ShardCount = Annotated[int, typer.Option(help="the jobs that share the work; a verb merge-... joins what they wrote")]
ShardFolders = Annotated[list[Path], typer.Argument(help="folders of all shards, in order")]


def combinations_of(depths: str, fusions: str) -> list[tuple[int, Fusion]]:
    """Every fusion at each of its own ``depths``, or else at these; (0, none) without re-ranking."""
    of_all = [int(k) for k in filter(None, depths.split(","))]
    asked = [(given.pop("depths", of_all), Fusion(**given)) for given in json.loads(fusions)]
    return sorted(((k, fusion) for own, fusion in asked for k in own), key=lambda pair: pair[0]) or [(0, Fusion())]
