"""Joint training of a decoder that reads pictures, through the real workflow: does its loss fall, does Coop beat BE?

    python benchmarks/joint_vlm.py

A small Qwen3-VL with random weights begins where the default's own backbone does: parts of a picture are near to the words
of what stands there, keys equal queries. joint_vlm.yaml does the rest on scenes of the default, of fewer photographs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before the libraries are imported

import numpy as np
import pandas as pd
import torch
import yaml
from measuring import ROOT, provenance, write
from PIL import Image
from torch.nn.functional import cross_entropy, normalize
from transformers import AutoModelForImageTextToText, AutoProcessor, Qwen3VLConfig

from reranksmart.datasets.composed.scenes import Scene, read_scenes
from reranksmart.datasets.composed.stamp_archive import fetch_stamps
from reranksmart.datasets.composed.stamps import read_stamps, select_stamps
from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.storage import read_captions, read_jsonl
from reranksmart.files.writing import atomic_directory
from reranksmart.models.pictures_alone import pictures_alone

sys.path.insert(0, str(ROOT.parent / "tests"))
from forked_verbs import forked_verbs
from library_checkpoints import decoder

EVERY = 4  # of the default's stamps one in four, of which the dataset holds 36 out
SIDE, PATCH = 112, 16  # (112 / 16) ** 2 = 49 tokens a picture
SAID = ["In one word:", "Is this caption true of the picture? Answer yes or no.", "user\nassistant\n", "yes", "no"]
"""What the chats of family ``vision_language`` say beside captions."""


def choose_stamps(source: Path | None, folder: Path) -> None:
    """Copies the chosen photographs, with their names, into ``folder``."""
    with tempfile.TemporaryDirectory() as scratch:
        pictures = fetch_stamps(Path(scratch) / "all", source=source)
        for stamp in select_stamps(pictures)[::EVERY]:
            (folder / stamp.id).parent.mkdir(parents=True, exist_ok=True)
            for suffix in (".png", ".txt"):
                shutil.copy(stamp.path.with_suffix(suffix), folder / f"{stamp.id}{suffix}")


def workflow(folder: Path, config: Path, programs: Path, *targets: str) -> None:
    """Runs Snakemake in ``folder`` on one core; its verbs are those in ``programs``."""
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [sys.executable, "-m", "snakemake", *targets, "--cores", "1", "--configfile", str(config)]
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT.parent / "src")}
    subprocess.run([*command, "--directory", str(folder)], cwd=ROOT.parent, env=environment, check=True)


def write_decoder(folder: Path, texts: Sequence[str]) -> None:
    """The test suite's small chat model with words of these texts, a wider network and smaller pictures, drawn anew."""
    decoder(folder, [*texts, *SAID * 1000])
    processor = folder / "processor_config.json"
    settings = json.loads(processor.read_text())
    settings["image_processor"] |= {
        "merge_size": 1,
        "size": {"shortest_edge": PATCH**2, "longest_edge": (SIDE + 1) ** 2},
    }
    processor.write_text(json.dumps(settings))
    config = Qwen3VLConfig.from_pretrained(folder)
    text = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3}
    text |= {"num_key_value_heads": 4, "head_dim": 32, "initializer_range": 0.05}
    vision = {"hidden_size": 128, "intermediate_size": 256, "depth": 2, "num_heads": 4, "out_hidden_size": 128}
    vision |= {"spatial_merge_size": 1, "num_position_embeddings": (SIDE // PATCH) ** 2, "initializer_range": 0.05}
    for part, values in ((config.text_config, text), (config.vision_config, vision)):
        for name, value in values.items():
            setattr(part, name, value)
    config.text_config.rope_parameters["mrope_section"] = [6, 5, 5]
    torch.manual_seed(0)
    AutoModelForImageTextToText.from_config(config).save_pretrained(folder)


def align(folder: Path, split: Path, names: dict[str, str], *, steps: int, batch_size: int = 32) -> None:
    """Teaches the decoder in ``folder`` to see in every part of a picture the words of the stamp that stands there.

    ``names`` are those of the stamps by id. Of a part where none stands the word is a token that no caption has.
    """
    with pictures_alone():
        processor = AutoProcessor.from_pretrained(folder)
    network = AutoModelForImageTextToText.from_pretrained(folder)
    scenes = read_scenes(split / "scenes.jsonl")
    concepts = sorted({names[item.stamp_id] for scene in scenes for item in scene.objects})
    ids = [processor.tokenizer.encode(" " + name.split(" ", 1)[1]) for name in concepts]
    words = [torch.tensor(own) for own in [processor.tokenizer.encode("<|vision_pad|>"), *ids]]
    labels = torch.stack([_labels(scene, names, concepts) for scene in scenes])
    places = [picture_path(split, scene.image_id) for scene in scenes]
    read = [processor.image_processor(Image.open(path).convert("RGB"), return_tensors="pt") for path in places]
    pixels, grids = (torch.stack([one[name] for one in read]) for name in ("pixel_values", "image_grid_thw"))
    embedding = network.get_input_embeddings()
    moved = [*network.model.visual.parameters(), embedding.weight]
    optimiser = torch.optim.AdamW(moved, lr=2e-3, weight_decay=0.01)
    draw = np.random.default_rng(0)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        rows = torch.from_numpy(draw.choice(len(scenes), size=batch_size, replace=False))
        seen = torch.cat(
            [*network.get_image_features(pixels[rows].flatten(0, 1), grids[rows].flatten(0, 1)).pooler_output]
        )
        said = torch.stack([embedding(own).mean(dim=0) for own in words])
        loss = cross_entropy(normalize(seen, dim=1) @ normalize(said, dim=1).T / 0.1, labels[rows].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % 20 == 0:
            print(f"words of parts of pictures, step {step + 1} of {steps}: loss {loss.item():.3f}", flush=True)
    with torch.no_grad():
        for layer in network.model.language_model.layers:
            layer.self_attn.k_proj.weight.copy_(layer.self_attn.q_proj.weight)
    network.save_pretrained(folder)


def _labels(scene: Scene, names: dict[str, str], concepts: list[str]) -> torch.Tensor:
    """Which of the concepts, from 1, the middle of each part of a picture shows, row by row; 0: none."""
    side = SIDE // PATCH
    found = torch.zeros(side, side, dtype=torch.long)
    middles = (torch.arange(side) + 0.5) / side
    for item in scene.objects:
        left, top, right, bottom = item.box
        across, down = (middles >= left) & (middles <= right), (middles >= top) & (middles <= bottom)
        found[down[:, None] & across[None, :]] = concepts.index(names[item.stamp_id]) + 1
    return found.flatten()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stamps", type=Path, help="the stamps' archive or folder, if it cannot be fetched here")
    parser.add_argument("--folder", type=Path, help="where the run is kept; else it goes")
    parser.add_argument("--aligned", type=int, default=200, help="steps in which parts of pictures learn words")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch, forked_verbs(Path(scratch) / "bin", also="transformers") as programs:
        folder = (options.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        settings = yaml.safe_load((ROOT / "joint_vlm.yaml").read_text())
        settings["datasets"]["scenes"]["stamps"] = str(folder / "stamps")
        settings["backbones"]["decoder"]["checkpoint"] = str(folder / "decoder")
        config, split = folder / "config.yaml", folder / "results/data/scenes/train"
        config.write_text(yaml.safe_dump(settings))
        if not (folder / "stamps").exists():
            choose_stamps(options.stamps, folder / "stamps")
        workflow(folder, config, programs, "results/data/scenes/train")
        names = {stamp.id: stamp.names["en"] for stamp in read_stamps(folder / "results/stamps/stamps.jsonl")}
        if not (folder / "decoder").exists():
            with atomic_directory(folder / "decoder") as target:
                write_decoder(target, read_captions(split / "captions.jsonl").in_languages(("en",)).texts)
                align(target, split, names, steps=options.aligned)
        workflow(folder, config, programs, "results/tables/main.csv", "results/comparisons.csv")
        made = folder / "results"
        seconds = {}
        for stage in ("train", "score_candidates"):
            rows = [pd.read_csv(path, sep="\t") for path in (made / "benchmarks" / stage).glob("**/*.tsv")]
            seconds[stage] = float(sum(row["s"].sum() for row in rows))
        table = pd.read_csv(made / "tables/main.csv")
        network = AutoModelForImageTextToText.from_pretrained(folder / "decoder")
        write(
            "joint_vlm",
            {
                "what": "joint training of a small decoder that reads pictures",
                **provenance(threads=1),
                "parameters": sum(parameter.numel() for parameter in network.parameters()),
                "picture_tokens": (SIDE // PATCH) ** 2,
                "shown": sorted(
                    {names[item.stamp_id] for scene in read_scenes(split / "scenes.jsonl") for item in scene.objects}
                ),
                "splits": settings["datasets"]["scenes"]["splits"],
                "objective": settings["objectives"]["joint"],
                "depth": settings["depth"],
                "seeds": settings["seeds"],
                "seconds": seconds,
                "aligned_steps": options.aligned,
                "history": read_jsonl(next(made.glob("models/**/history.jsonl"))),
                "table": table.to_dict("records"),
                "comparisons": pd.read_csv(made / "comparisons.csv").to_dict("records"),
            },
        )


if __name__ == "__main__":
    main()
