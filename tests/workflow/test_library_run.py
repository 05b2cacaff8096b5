"""Two models of sentence-transformers through the real Snakemake, from pictures to measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from library_checkpoints import write_library_folder
from miniature import split_photographs, write_karpathy
from modern_miniature import draw_photograph
from running import snakemake

pytestmark = pytest.mark.workflow
MEASURES = "results/measures/embedder/coco/retrieve_rerank/seed1/coco_5k"


def configuration(folder: Path) -> dict:
    splits = split_photographs("coco")
    for images in splits.values():
        for image in images:
            draw_photograph(image, folder / "val2014")
    dataset = {"kind": "coco", "annotations": str(write_karpathy(folder / "dataset_coco.json", splits))}
    dataset |= {"images": [str(folder / "val2014")], "splits": {name: {} for name in ("train", "dev", "test")}}
    backbones = {
        name: {
            "family": "sentence_transformers",
            "checkpoint": str(write_library_folder(kind, folder / name)),
            "library": {"opened_as": role},
        }
        for name, kind, role in (("embedder", "clip", "retriever"), ("judge", "reranker", "reranker"))
    }
    return {
        "datasets": {"coco": dataset},
        "backbones": backbones,
        "training_sets": {"coco": {"dataset": "coco"}},
        "objectives": {
            "retrieve": {"bi_encoder": {}, "steps": 0},
            "rerank": {"cross_encoder": {}, "steps": 0},
        },
        "systems": {
            "retrieve": {"label": "BE", "retriever": "retrieve"},
            "retrieve_rerank": {
                "label": "Coop",
                "retriever": "retrieve",
                "reranker": "rerank",
                "reranker_backbone": "judge",
            },
        },
        "test_sets": {"coco_5k": {"dataset": "coco", "split": "test"}},
        "experiments": {
            "library": {
                "backbones": ["embedder"],
                "training_sets": ["coco"],
                "systems": ["retrieve", "retrieve_rerank"],
                "test_sets": ["coco_5k"],
                "depths": [3],
            }
        },
        "tables": {"library": {"kind": "main", "experiments": ["library"]}},
        "figures": {},
        "candidates": 10,
        "bootstrap": 20,
        "permutations": 50,
    }


def test_a_library_s_models_retrieve_and_rerank_in_the_workflow(
    tmp_path: Path, copy_workflow: Callable[[Path], Path]
) -> None:
    folder = copy_workflow(tmp_path / "run")
    (folder / "library.yaml").write_text(yaml.safe_dump(configuration(folder / "published")))
    options = ("--cores", "2", "--configfile", "library.yaml")
    planned = snakemake(folder, MEASURES, *options, "--dry-run", "--quiet")
    assert planned.returncode == 0, planned.stdout[-3000:]
    done = snakemake(folder, MEASURES, *options)
    assert done.returncode == 0, done.stdout[-5000:]
    measures = pd.read_csv(folder / MEASURES / "measures.csv")
    assert set(measures["backbone"]) == {"embedder"}
    assert set(measures["pairs_scored"]) == {30, 150, 180}
    assert (measures["value"] >= 0).all()
    assert not list((folder / "results").glob("pixels/*"))
