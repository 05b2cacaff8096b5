"""Today's models through the real Snakemake: today.yaml in miniature, models of sentence-transformers beside others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml
from forked_verbs import forked_verbs
from hub_folders import write_hub_folder
from library_checkpoints import write_library_folder
from miniature import photographs, split_photographs, write_karpathy
from modern_miniature import draw_photograph
from running import ROOT, snakemake

pytestmark = pytest.mark.workflow
TODAY = "workflow/configs/today.yaml"
_KINDS = {"retriever": "retriever", "reranker": "reranker"}
_LEFT_OUT = ("qwen_8b", "qwen_reranker_8b", "nemotron")
"""Backbones of kinds that others are of, too."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with forked_verbs(tmp_path_factory.mktemp("programs") / "bin", also="sentence_transformers") as folder:
        yield folder


def write_lines(path: Path, rows: list[dict]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def today_miniature(folder: Path) -> dict:
    """The configuration of today.yaml, with everything that it reads written below ``folder``."""
    config = yaml.safe_load((ROOT / TODAY).read_text())
    pictures = folder / "pictures"
    for dataset in ("coco", "flickr30k"):
        splits = split_photographs(dataset)
        for image in (image for images in splits.values() for image in images):
            draw_photograph(image, pictures)
        config["datasets"][dataset] |= {"annotations": str(write_karpathy(folder / f"{dataset}.json", splits))}
    rows = []
    for image in photographs("coco", 4, start=200):
        draw_photograph(image, pictures)
        (pictures / f"COCO_val2014_{image.number:012}.jpg").rename(pictures / f"{image.number:x}.jpg")
        texts = {language: {"caption": image.texts(language, 2)} for language in ("en", "de")}
        rows.append({"image/key": f"{image.number:x}", "image/locale": "de", **texts})
    config["datasets"]["xm3600"]["annotations"] = write_lines(folder / "xm3600.jsonl", rows)
    for language in ("en", "de"):
        write_lines(
            folder / f"xflickrco/annotations/{language}/test.jsonl",
            [
                {
                    "sentences": image.texts(language, 1),
                    "id": image.number,
                    "img_path": f"COCO_val2014_{image.number:012}.jpg",
                }
                for image in split_photographs("coco")["test"]
            ],
        )
    config["datasets"]["xflickrco"]["annotations"] = str(folder / "xflickrco")
    for dataset in config["datasets"].values():
        dataset["images"] = [str(pictures)]
    for name in ("xm3600", "xflickrco"):
        config["datasets"][name]["languages"] = ["en", "de"]
    for name in _LEFT_OUT:
        del config["backbones"][name]
    for name, backbone in config["backbones"].items():
        own = folder / "hub" / name
        if library := backbone.get("library"):
            backbone["checkpoint"] = str(write_library_folder(_KINDS[library["opened_as"]], own))
            library["dtype"] = "float32"
        else:
            texts = [text for image in split_photographs("coco")["test"] for text in image.texts("en", 5)]
            backbone["checkpoint"] = str(write_hub_folder(backbone["family"], own, seed=1, texts=texts, feature_size=8))
        backbone["languages"] = ["en", "de"] if len(backbone["languages"]) > 1 else ["en"]
    systems = [name for name, system in config["systems"].items() if system.get("reranker_backbone") not in _LEFT_OUT]
    for experiment in config["experiments"].values():
        experiment["backbones"] = [name for name in experiment["backbones"] if name not in _LEFT_OUT]
        experiment["systems"] = [name for name in experiment["systems"] if name in systems]
        experiment["depths"] = [2, 4][: len(experiment["depths"])]
    config["systems"] = {name: config["systems"][name] for name in systems}
    config["comparisons"] = [found for found in config["comparisons"] if "with_qwen_8b" not in found["systems"]]
    for table in config["tables"].values():
        table.get("models", {}).pop("qwen_8b", None)
    return config | {"depth": 2, "candidates": 10, "bootstrap": 20, "permutations": 50}


def test_today_s_models_fill_the_tables_with_and_without_reranking(
    tmp_path: Path, copy_workflow: Callable[[Path], Path], programs: Path
) -> None:
    folder = copy_workflow(tmp_path / "run")
    (folder / TODAY).write_text(yaml.safe_dump(today_miniature(folder / "published")))
    done = snakemake(folder, "--cores", "2", "--configfile", TODAY, programs=programs)
    assert done.returncode == 0, done.stdout[-5000:]
    table = pd.read_csv(folder / "results/tables/with_and_without.csv")
    assert set(table["group"]) == {
        f"{name}, {test}"
        for name in ("siglip2", "qwen_2b", "blip2")
        for test in ("MSCOCO 5k", "Flickr30k 1k (Karpathy)")
    }
    pairs = table[table["column"] == "pairs"].groupby("row")["value"].unique()
    assert {row: list(found) for row, found in pairs.items()} == {
        **{"alone k=0": [0], "blip2_alone k=0": [0]},
        **{f"{name} k={k}": [k] for name in ("with_qwen_2b", "with_jina_m0", "blip2_with_itself") for k in (2, 4)},
    }
    text = (folder / "results/tables/with_and_without.md").read_text()
    assert "Apache-2.0; CC-BY-NC-4.0" in text
    assert "68.3 text-to-image" in text
    languages = pd.read_csv(folder / "results/tables/xm3600_languages.csv")
    assert set(languages["column"]) == {"en mR", "de mR"}
    assert languages["value"].notna().all()


def test_today_s_models_plan_before_any_file_is_there(tmp_path: Path, copy_workflow: Callable[[Path], Path]) -> None:
    folder = copy_workflow(tmp_path / "run")
    done = snakemake(folder, "--dry-run", "--cores", "2", "--configfile", TODAY)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "score_candidates" in done.stdout
    assert "train " not in done.stdout
