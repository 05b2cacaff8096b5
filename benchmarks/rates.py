"""Captions, images and pairs a second of OSCAR-base by precision, from which whole evaluations are planned.

python benchmarks/rates.py --threads 2
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measuring import interleaved, provenance, times_as_fast, write
from worlds import captions, model, regions

from reranksmart.inputs.stored import RegionInputs
from reranksmart.models.reduced import in_precision
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.reranking import score_pairs

PRECISIONS = ("float32", "bfloat16", "int8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--captions", type=int, default=256)
    parser.add_argument("--token-budget", type=int, default=8192)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    record = {"what": "rates by precision", **provenance(threads=options.threads), "stages": {}}
    with tempfile.TemporaryDirectory() as scratch:
        images, texts = RegionInputs(regions(Path(scratch) / "regions", options.images)), captions(options.captions)
        ids, pairs = [str(row) for row in range(len(texts))], np.arange(options.images)
        nets = {precision: in_precision(model(), precision) for precision in PRECISIONS}
        budget = {"token_budget": options.token_budget}
        stages = {
            "captions": (len(texts), lambda net: encode_captions(net, texts, ids, **budget)),
            "images": (len(images), lambda net: encode_images(net, images, **budget)),
            "pairs": (len(pairs), lambda net: score_pairs(net, texts, images, pairs, pairs, quiet=True, **budget)),
        }
        for stage, (count, run) in stages.items():
            for net in nets.values():
                run(net)
            times = interleaved({name: partial(run, net) for name, net in nets.items()}, repeats=options.repeats)
            rates = {name: count / float(np.median([one["wall"] for one in own])) for name, own in times.items()}
            record["stages"][stage] = {"count": count, "seconds": times, "a_second": rates}
            record["stages"][stage]["times_as_fast"] = times_as_fast(times, "float32")
    write("rates", record)


if __name__ == "__main__":
    main()
