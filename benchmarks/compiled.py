"""Whether torch.compile pays on this machine: OSCAR-base's pairs and captions, eager against compiled.

    python benchmarks/compiled.py --threads 1

Each precision runs in two processes of its own: the first fills the compiler's cache, the second finds it warm, and its
first call is what compiling costs then. Layers are compiled one by one, for lengths of any size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import interleaved, provenance, seconds, times_as_fast, write
from worlds import captions, model, regions

from reranksmart.files.region_store import RegionStore
from reranksmart.inputs.stored import RegionInputs
from reranksmart.models.reduced import in_precision
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.encoding import encode_captions
from reranksmart.ranking.reranking import score_pairs

PRECISIONS = ("float32", "bfloat16")
EAGER, COMPILED = "eager", "compiled"


def compiled(net: SingleStream) -> SingleStream:
    """The model with its layers compiled in place."""
    for layer in net.encoder.layer:
        layer.compile(dynamic=True)
    return net


def measured(precision: str, folder: Path, *, pairs: int, texts: int, repeats: int) -> dict[str, Any]:
    """Times of both ways by stage, the first call of the compiled one apart, and the largest difference of scores."""
    images, words = RegionInputs(RegionStore.open(folder)), captions(texts)
    nets = {EAGER: in_precision(model(), precision), COMPILED: compiled(in_precision(model(), precision))}
    rows, ids = np.arange(pairs), [str(row) for row in range(texts)]
    stages = {
        "pairs": lambda net: score_pairs(net, words, images, rows % texts, rows % len(images), quiet=True),
        "captions": lambda net: encode_captions(net, words, ids).vectors,
    }
    found: dict[str, Any] = {}
    for stage, run in stages.items():
        first = seconds(partial(run, nets[COMPILED]))
        difference = float(np.abs(run(nets[EAGER]) - run(nets[COMPILED])).max())
        times = interleaved({name: partial(run, net) for name, net in nets.items()}, repeats=repeats)
        found[stage] = {"count": {"pairs": pairs, "captions": texts}[stage], "first_call": first, "seconds": times}
        found[stage] |= {"times_as_fast": times_as_fast(times, EAGER), "largest_difference": difference}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--captions", type=int, default=48)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        precision, folder, output = json.loads(options.one)
        sizes = {"pairs": options.pairs, "texts": options.captions, "repeats": options.repeats}
        Path(output).write_text(json.dumps(measured(precision, Path(folder), **sizes)))
        return
    record = {"what": "torch.compile", **provenance(threads=options.threads), "precisions": {}}
    with tempfile.TemporaryDirectory() as scratch:
        regions(Path(scratch) / "regions", 8)
        for precision in PRECISIONS:
            for cache in ("cold", "warm"):
                output = Path(scratch) / f"{precision}.{cache}.json"
                asked = json.dumps([precision, str(Path(scratch) / "regions"), str(output)])
                own = [sys.executable, __file__, *sys.argv[1:], "--one", asked]
                subprocess.run(own, check=True, env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": f"{scratch}/{precision}"})
                record["precisions"].setdefault(precision, {})[cache] = json.loads(output.read_text())
            write("compiled", record)


if __name__ == "__main__":
    main()
