"""The verb that measures the cost of re-ranking with stored states."""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from reranksmart.cli.verb import NewFolder, Threads, verb
from reranksmart.config.backbones import Reading
from reranksmart.cost.pair_costs import pair_costs
from reranksmart.families import load_model
from reranksmart.files.provenance import device_name
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_captions
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.models.devices import accelerator


@verb(computes=True)
def measure_pairs_verb(
    data: Annotated[Path, typer.Option(help="folder of the split that asks")],
    regions: Annotated[Path, typer.Option()],
    models: Annotated[str, typer.Option(help='{"system": folder of its reranker} as JSON')],
    backbone_settings: Annotated[str, typer.Option()],
    output: NewFolder,
    depth: int = 20,
    queries: int = 50,
    warmup: int = 3,
    bulk_pairs: int = 1000,
    threads: Threads = 1,
) -> None:
    """Times the pairs of one query, and many pairs, for each reranker, its images' states stored."""
    backbone = Reading.model_validate_json(backbone_settings)
    captions = read_captions(data / "captions.jsonl").in_languages(backbone.languages[:1])
    loaded = {}
    for name, folder in json.loads(models).items():
        tokens = TokenisedCaptions.of(captions, open_tokeniser(Path(folder)), max_tokens=backbone.max_tokens)
        loaded[name] = load_model(Path(folder)), tokens
    inputs = RegionInputs(RegionStore.open(regions))
    rows = pair_costs(loaded, inputs, depth=depth, queries=queries, warmup=warmup, bulk_pairs=bulk_pairs)
    pd.DataFrame(rows).assign(device=accelerator() or device_name(), dtype="float32", threads=threads).to_csv(
        output / "pair_costs.csv", index=False
    )
