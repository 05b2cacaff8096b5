"""One call on a machine with a GPU: is it right, and how fast? Under eight minutes; a short table comes last.

    python benchmarks/gpu.py                      # one NVIDIA GPU, OSCAR-base
    python benchmarks/gpu.py --device cpu --tiny  # the same code in seconds, for a test

Parts: right (CPU float32, GPU float32 and bfloat16 agree), pairs (from the region store to sorted scores), encoding,
training, search, tables (one query by size of the gallery, a whole MSCOCO-5k-sized evaluation).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

import torch
from gpu_bench import Bench
from gpu_questions import encoding, pairs, right, searching, tables, training
from measuring import RESULTS, provenance, write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--tiny", action="store_true", help="sizes at which it runs in seconds anywhere")
    parser.add_argument("--seconds", type=float, default=400, help="after which nothing new is begun")
    parser.add_argument("--peak-tflops", type=float, default=790, help="bfloat16 products the card can do")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU; use --device cpu --tiny to try the script without one")
    with tempfile.TemporaryDirectory() as scratch:
        sizes = {"tiny": options.tiny, "seconds": options.seconds, "peak_tflops": options.peak_tflops}
        bench = Bench(device=options.device, scratch=Path(scratch), **sizes)
        record = {
            "what": "a GPU",
            **provenance(threads=torch.get_num_threads(), device=options.device),
            "tiny": options.tiny,
            "failed": {},
        }
        record["right"], record["rows"] = right(bench), bench.rows
        for part in (pairs, encoding, training, tables, searching):
            try:
                part(bench)
            except Exception:  # a minute on a card is dear: what else can be measured is, and the fault is shown
                record["failed"][part.__name__] = traceback.format_exc()
            write("gpu", record, folder=options.output)
    for precision, found in record["right"].items():
        worst = max(found["relative_error"].values())
        print(
            f"right in {precision}: {found['within']}, relative error {worst:.1e}, overlap at 20 {found['overlap_at_20']:.2f}"
        )
    for row in bench.rows:
        extra = ", ".join(f"{key} {row[key]}" for key in row if key not in ("what", "seconds", "count", "unit", "rate"))
        print(f"{row['what']:40} {row.get('rate', 0):14,.2f} {row.get('unit', 'skipped')}/s  {extra}")
    for part, fault in record["failed"].items():
        print(f"{part} failed:\n{fault}")
    sys.exit(bool(record["failed"]))


if __name__ == "__main__":
    main()
