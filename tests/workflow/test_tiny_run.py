"""The whole tiny configuration through the real Snakemake, once, and what must be true of it."""

import json
import shutil
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from running import TINY, snakemake

from reranksmart.config.validation import validated
from reranksmart.files.storage import read_captions, read_ranking
from reranksmart.searching import Searcher

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def config(finished: Path):
    return validated(yaml.safe_load((finished / TINY).read_text()))


def test_every_table_and_figure_is_there(finished: Path, config) -> None:
    for table in config.tables:
        assert pd.read_csv(finished / f"results/tables/{table}.csv")["value"].notna().any(), table
        assert (finished / f"results/tables/{table}.tex").read_text().startswith("\\begin{table}")
    for figure in config.figures:
        ET.fromstring((finished / f"results/figures/{figure}.svg").read_text())
        assert Image.open(finished / f"results/figures/{figure}.png").width > 400
        assert (finished / f"results/figures/{figure}.pdf").read_bytes().startswith(b"%PDF")


def test_the_report_shows_all_of_them_and_loads_nothing(finished: Path, config) -> None:
    page = (finished / "results/report.html").read_text()
    assert page.count("<table") >= len(config.tables)
    assert page.count("<svg") >= len(config.figures)
    assert "data:image/jpeg;base64," in page
    for outside in ('src="http', 'href="http', "@import", "url(http"):
        assert outside not in page


def test_snakemake_s_own_report_holds_tables_figures_our_page_and_the_rules(finished: Path, config) -> None:
    done = snakemake(finished, "--report", "report.zip", "--configfile", TINY)
    assert done.returncode == 0, done.stdout[-3000:]
    with zipfile.ZipFile(finished / "report.zip") as archive:
        held = {Path(name).name for name in archive.namelist()}
        page = archive.read("report/report.html").decode()
    assert held >= {"report.html", "summary.txt", *(f"{table}.csv" for table in config.tables)}
    assert held >= {f"{figure}.svg" for figure in config.figures}
    for category in ("Report", "Tables", "Figures"):
        assert f'"{category}"' in page
    assert "The text beside the file" in page  # a caption
    for rule in ("train", "retrieve", "score_candidates", "tabulate"):
        assert f'{{"rule": "{rule}"' in page


def test_a_second_call_does_nothing(finished: Path) -> None:
    done = snakemake(finished, "--cores", "2", "--configfile", TINY)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_another_depth_trains_nothing(finished: Path) -> None:
    (finished / "depth.yaml").write_text("experiments: {depth: {depths: [3, 20]}}\n")
    done = snakemake(finished, "--dry-run", "--cores", "2", "--configfile", TINY, "depth.yaml")
    assert "rule evaluate" in done.stdout
    for rule in ("train", "pretrain", "encode", "extract_regions", "prepare_split"):
        assert f"rule {rule}:" not in done.stdout


def test_another_seed_trains_only_that_seed(finished: Path) -> None:
    (finished / "seeds.yaml").write_text("seeds: [1, 2]\n")
    done = snakemake(
        finished, "results/tables/depth.md", "--dry-run", "--cores", "2", "--configfile", TINY, "seeds.yaml"
    )
    planned = [line for line in done.stdout.splitlines() if line.strip().startswith("output: results/models/")]
    assert len(planned) == 3
    assert all("seed2" in line for line in planned)


def test_the_splits_share_no_picture_and_no_caption(finished: Path) -> None:
    audit = json.loads((finished / "results/data/scenes/audit.json").read_text())
    assert audit["pictures"] == 24 + 48 + 12 + 24 + 12 + 8 + 12
    texts = {
        s: set(read_captions(finished / f"results/data/scenes/{s}/captions.jsonl").texts)
        for s in ("train", "dev", "test")
    }
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["dev"]
    assert not texts["dev"] & texts["test"]


def test_cooperation_scores_a_share_of_the_pairs_and_keeps_recall_beyond_k(finished: Path) -> None:
    folder = finished / "results/measures/oscar/scenes"
    coop = pd.read_csv(folder / "sep_coop/seed1/test/measures.csv")
    alone = pd.read_csv(folder / "be/seed1/test/measures.csv")
    shallow = coop[(coop["depth"] == 2) & (coop["direction"] == "text-to-image") & (coop["fusion"] == "none")]
    before = alone[alone["direction"] == "text-to-image"].set_index("measure")["value"]
    after = shallow.set_index("measure")["value"]
    assert after["R@5"] == before["R@5"]
    assert after["R@10"] == before["R@10"]
    assert set(shallow["pairs_scored"]) == {24 * 5 * 2}


def test_encoding_indexing_and_re_ranking_shared_out_over_jobs_change_nothing(
    finished: Path, verbs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "shared_out"
    shutil.copytree(finished, folder, symlinks=True)
    candidates = "results/candidates/oscar/scenes/bi_encoder/seed1/scenes.test"
    index = candidates.replace("candidates", "indexes")
    arrays = [
        "results/embeddings/oscar/scenes/bi_encoder/seed1/scenes/test",
        "results/pair_scores/oscar/scenes/bi_encoder-cross_encoder/seed1/scenes.test",
        "results/exhaustive/oscar/scenes/cross_encoder/seed1/scenes.test.1",
    ]
    measures = "results/measures/oscar/scenes/be/seed1/test"
    targets = [*arrays, candidates, measures]
    for target in (*targets, index):
        shutil.rmtree(folder / target)
    (folder / "shards.yaml").write_text("index: IVF1,Flat\nshards: {encode: 2, rerank: 3, index: 2}\n")
    done = snakemake(
        folder, *targets, "--printshellcmds", "--cores", "2", "--configfile", TINY, "shards.yaml", programs=verbs
    )
    assert done.returncode == 0, done.stdout[-3000:]
    jobs = {"encode_shard": 2, "score_candidates_shard": 3, "score_all_shard": 3, "index": 0}
    for rule, count in (jobs | {"train_index": 1, "fill_index": 2, "merge_index": 1}).items():
        assert done.stdout.count(f"rule {rule}:") == count, rule
    for target in arrays:
        files = sorted(path.name for path in (finished / target).glob("*.np[yz]"))
        assert files == sorted(path.name for path in (folder / target).glob("*.np[yz]"))
        for name in files:
            assert (folder / target / name).read_bytes() == (finished / target / name).read_bytes(), name
    assert (folder / index / "images.lists").stat().st_size
    for path in (finished / candidates).glob("*.npz"):
        one, shared = read_ranking(path), read_ranking(folder / candidates / path.name)
        np.testing.assert_array_equal(shared.items, one.items)
        np.testing.assert_allclose(shared.scores, one.scores, atol=1e-6)
    assert (folder / measures / "measures.csv").read_bytes() == (finished / measures / "measures.csv").read_bytes()


def test_every_artefact_says_where_it_comes_from(finished: Path) -> None:
    for artefact in (
        "backbones/oscar/scenes",
        "models/oscar/scenes/joint/seed1/model",
        "latency",
        "regions/scenes/test",
    ):
        found = json.loads((finished / "results" / artefact / "provenance.json").read_text())
        assert {"verb", "code", "settings_digest", "seed", "threads", "device", "libraries"} <= set(found)


def test_every_job_has_a_log_and_a_benchmark(finished: Path) -> None:
    logs = {
        path.relative_to(finished / "results/logs").with_suffix("")
        for path in (finished / "results/logs").rglob("*.log")
    }
    benchmarks = {
        path.relative_to(finished / "results/benchmarks").with_suffix("")
        for path in (finished / "results/benchmarks").rglob("*.tsv")
    }
    assert logs == benchmarks
    assert len(logs) >= 80


def test_a_test_set_becomes_searchable_by_its_name(finished: Path, verbs: Path) -> None:
    index = "results/searchable/oscar/scenes/joint_coop/seed1/enlarged"
    done = snakemake(finished, index, "--cores", "1", "--configfile", TINY, programs=verbs)
    assert done.returncode == 0, done.stdout[-3000:]
    searcher = Searcher.load(finished / index)
    captions = read_captions(finished / "results/data/scenes/test/captions.jsonl").in_languages(["en"])
    found = searcher.search(captions.texts[0], k=20, top=10)
    candidates = read_ranking(
        finished / "results/candidates/oscar/scenes/joint/seed1/scenes.test+distractors/en.text-to-image.npz"
    )
    assert len(searcher) == 24 + 12
    assert [hit.cosine for hit in found.retrieved] == pytest.approx(candidates.scores[0, :10].tolist(), abs=1e-5)
    assert all(hit.picture.is_file() for hit in found.retrieved)
