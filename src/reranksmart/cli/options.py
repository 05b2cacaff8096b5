"""The options that several verbs have, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[Path, typer.Option()]
Folders = Annotated[list[Path], typer.Option()]
File = Annotated[Path, typer.Option()]
Split = Annotated[Path, typer.Option(help="folder of a prepared split")]
AskingSplit = Annotated[Path, typer.Option(help="folder of the split that asks")]
ReadingSettings = Annotated[str, typer.Option(help="how the backbone reads captions and images, as JSON")]
GalleryName = Annotated[str, typer.Option(help="dataset.split[+distractors][.captions per image]")]
Factory = Annotated[str, typer.Option(help="faiss factory string")]
Experiment = Annotated[str, typer.Option(help="backbone, training_set, system, seed, test_set as JSON")]
Depths = Annotated[str, typer.Option(help="k, separated by commas; empty without re-ranking")]
Fusions = Annotated[str, typer.Option(help="list of fusions as JSON")]
Exhaustive = Annotated[bool, typer.Option(help="the ranking is a cross-encoder's, of every pair")]
Neighbours = Annotated[bool, typer.Option(help="the rankings are final, one for each k: neighbours were followed")]
Resamples = Annotated[int, typer.Option(min=1, help="draws")]
ShardIndex = Annotated[int, typer.Option(help="which share of the work this job does, from 0")]
ShardCount = Annotated[int, typer.Option(help="the jobs that share the work; a verb merge-... joins what they wrote")]
ShardFolders = Annotated[list[Path], typer.Argument(help="folders of all shards, in order")]
