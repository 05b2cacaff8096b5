"""What an index costs in memory: made by one job, or by several with its lists on the disk. The rankings must be equal.

    python benchmarks/large_gallery.py --images 1000000 --shards 8

The verbs of the workflow run as its rules call them, each in a process of its own. *What must fit* is the most anonymous
memory; pages of mapped files come on top where there is room, and go where there is none.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import provenance, write
from search import Gallery

from reranksmart.files.storage import write_captions, write_embeddings
from reranksmart.values.records import Captions, Embeddings

ASKING = 1000
SIDES = {"images": "", "captions": "#0"}


def write_split(folder: Path, images: int, captions: int, width: int) -> None:
    """A split's captions, and embeddings of clusters that all splits share."""
    folder.mkdir(parents=True)
    split = folder.name
    vectors = Gallery("clustered", images + captions, width).drawn(images + captions, ord(split))
    ids = {side: tuple(f"d/{split}{row:09}{end}" for row in range(images)) for side, end in SIDES.items()}
    write_embeddings(folder / "images.npz", Embeddings(ids["images"], vectors[:images]))
    write_embeddings(folder / "captions.npz", Embeddings(ids["captions"][:captions], vectors[images:]))
    texts = ("A man rides a brown horse along the beach.",) * captions
    of_images = (ids["captions"][:captions], texts, ids["images"][:captions], ("en",) * captions)
    write_captions(folder / "captions.jsonl", Captions(*of_images))


def measured(verb: str, *arguments: object, threads: int) -> dict[str, float]:
    """The seconds of a verb by both clocks, and the most megabytes that were anonymous, and that were resident."""
    own = ["--threads", threads] if verb != "merge-index" else []
    command = [sys.executable, "-m", "reranksmart", verb, *map(str, [*arguments, *own])]
    began, most = time.perf_counter(), {"RssAnon": 0, "VmHWM": 0}
    job = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    while True:
        ended, status, used = os.wait4(job.pid, os.WNOHANG)
        if ended:
            break
        for line in Path(f"/proc/{job.pid}/status").read_text().splitlines():
            if (name := line.partition(":")[0]) in most:
                most[name] = max(most[name], int(line.split()[1]))
        time.sleep(0.01)
    job.returncode = os.waitstatus_to_exitcode(status)
    if job.returncode:
        raise SystemExit(f"{verb} failed")
    found = {"wall": time.perf_counter() - began, "computed": used.ru_utime + used.ru_stime}
    found |= {"anonymous_mb": most["RssAnon"] / 1024, "resident_mb": most["VmHWM"] / 1024}
    print(f"{verb}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()), flush=True)
    return found


def bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def compared(root: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every job's costs, of both ways; the rankings of both are required to be the same bytes."""
    gallery: list[object] = ["--gallery", "d.x+y", "--backbone-settings", '{"languages": ["en"]}']
    for split, images, captions in (("x", ASKING, ASKING), ("y", options.images, options.captions)):
        write_split(root / split, images, captions, options.width)
        gallery += ["--embeddings", root / split, "--data", root / split]
    jobs: dict[str, list[dict[str, float]]] = {}

    def run(name: str, verb: str, *arguments: object) -> None:
        jobs.setdefault(name, []).append(measured(verb, *arguments, threads=options.threads))

    factory, trained, shares = ["--factory", options.factory], root / "trained", []
    run("one job: index", "index", *gallery, *factory, "--output", root / "one")
    run("shares: train_index", "train-index", *gallery, *factory, "--output", trained)
    for shard in range(options.shards):
        shares.append(root / f"share{shard}")
        job = ["--shard", shard, "--shards", options.shards, "--output", shares[-1]]
        run("shares: fill_index", "fill-index", "--trained", trained, *gallery, *job)
    run("shares: merge_index", "merge-index", "--trained", trained, "--output", root / "merged", *shares)
    for name, index in (("one job", root / "one"), ("shares", root / "merged")):
        found = [*gallery, "--index", index, "--depth", 50, "--output", root / f"{name} found"]
        run(f"{name}: retrieve", "retrieve", *found)
    rankings = [
        {path.name: path.read_bytes() for path in (root / f"{name} found").glob("*.npz")}
        for name in ("one job", "shares")
    ]
    if len(rankings[0]) != 2 or rankings[0] != rankings[1]:
        raise SystemExit("the rankings differ")
    return {"jobs": jobs, "index_bytes": bytes_of(root / "one"), "vector_bytes": (root / "y/images.npz").stat().st_size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000, help="that enlarge the gallery")
    parser.add_argument("--captions", type=int, default=50_000, help="that enlarge it")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--factory", default="IVF1024,Flat")
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--name", default="large_gallery")
    options = parser.parse_args()
    record = {"what": "memory of an index made by one job and by several", **provenance(threads=options.threads)}
    record |= {name: getattr(options, name) for name in ("images", "captions", "width", "factory", "shards")}
    with tempfile.TemporaryDirectory() as folder:
        write(options.name, record | compared(Path(folder), options))


if __name__ == "__main__":
    main()
