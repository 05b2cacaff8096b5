"""One call on a machine with a GPU: is it right, and how fast? Under eight minutes; a short table comes last.

    python benchmarks/gpu.py                      # one NVIDIA GPU, OSCAR-base
    python benchmarks/gpu.py --device cpu --tiny  # the same code in seconds, for a test

Parts: right (CPU float32, GPU float32 and bfloat16 agree), pairs (from the region store to sorted scores), encoding,
training, search, tables (one query by size of the gallery, a whole MSCOCO-5k-sized evaluation).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import torch
from measuring import RESULTS, provenance, synchronise, write
from scipy.sparse import csr_array
from worlds import captions, model, regions

from reranksmart.config import Objective
from reranksmart.encoding import encode_captions, encode_images
from reranksmart.inputs import RegionInputs, TokenisedCaptions
from reranksmart.models.reduced import in_precision
from reranksmart.models.single_stream import SingleStream
from reranksmart.records import Captions
from reranksmart.reranking import score_pairs
from reranksmart.search import build_index, search, to_device
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import _outer_step
from reranksmart.training.sampling import TrainingData


class Bench:
    """Inputs and sizes of one run, and what was found so far."""

    def __init__(self, options: argparse.Namespace, scratch: Path) -> None:
        self.device = torch.device(options.device)
        self.tiny = options.tiny
        self.deadline = time.monotonic() + options.seconds
        self.images = RegionInputs(regions(scratch / "regions", 24 if self.tiny else 5000))
        self.texts = captions(24 if self.tiny else 25_000)
        size = {"hidden_size": 64, "layers": 2} if self.tiny else {}
        self.make: Callable[[], SingleStream] = partial(model, dropout=0.0, **size)
        self.rows: list[dict[str, Any]] = []

    def net(self, precision: str) -> SingleStream:
        return in_precision(self.make().to(self.device), precision)

    def timed(
        self, what: str, action: Callable[[], object], *, count: int, unit: str, repeats: int = 3, **more
    ) -> None:
        """Keeps the raw seconds of an action after one warming call, and how many a second that is."""
        if time.monotonic() > self.deadline:
            self.rows.append({"what": what, "skipped": "out of time", **more})
            return
        action()
        raw = []
        for _ in range(1 if self.tiny else repeats):
            synchronise()
            began = time.perf_counter()
            action()
            synchronise()
            raw.append(time.perf_counter() - began)
        self.rows.append({"what": what, "seconds": raw, "count": count, "unit": unit, **more})
        self.rows[-1]["rate"] = count / float(np.median(raw))
        print(f"{what}: {self.rows[-1]['rate']:,.1f} {unit}/s", flush=True)


def right(bench: Bench) -> dict[str, Any]:
    """Relative errors of embeddings, log-odds and one step's gradient against CPU float32, and the overlap at 20."""
    few, some = captions(16), np.arange(16)

    def read(net: SingleStream) -> dict[str, np.ndarray]:
        text, image = few.batch(some), bench.images.batch(some)
        with torch.inference_mode():
            pairs = score_pairs(net, few, bench.images, *np.divmod(np.arange(16 * 16), 16), quiet=True)
            found = {"text": net.encode_text(text), "image": net.encode_image(image)}
        return {name: tensor.float().cpu().numpy() for name, tensor in found.items()} | {"log-odds": pairs}

    def gradient(net: SingleStream, reduced: bool) -> np.ndarray:
        net.zero_grad()
        with torch.autocast(net.device.type, torch.bfloat16, enabled=reduced):
            scores = net.score_pairs(few.batch(some), bench.images.batch(some))
        scores.square().mean().backward()
        return net.encoder.layer[0].output.dense.weight.grad.float().cpu().numpy()

    exact_net = bench.make()
    exact = read(exact_net) | {"gradient": gradient(exact_net, False)}
    order = np.argsort(-exact["log-odds"].reshape(16, 16), axis=1)[:, :20]
    found = {}
    for precision in ("float32", "bfloat16"):
        own = read(bench.net(precision)) | {"gradient": gradient(bench.make().to(bench.device), precision != "float32")}
        errors = {name: float(np.abs(own[name] - exact[name]).max() / np.abs(exact[name]).max()) for name in exact}
        mine = np.argsort(-own["log-odds"].reshape(16, 16), axis=1)[:, :20]
        same = float((mine == order).mean())
        found[precision] = {"relative_error": errors, "same_place": same}
        found[precision]["within"] = max(errors.values()) < (1e-4 if precision == "float32" else 2e-2)
    return found


def pairs(bench: Bench) -> None:
    count = 48 if bench.tiny else 16_384
    for precision in ("float32", "bfloat16"):
        net = bench.net(precision)
        share = count if bench.tiny or precision != "float32" else count // 8
        rng = np.random.default_rng(0)
        rows = rng.integers(len(bench.texts), size=share), rng.integers(len(bench.images), size=share)
        budgets = (256,) if bench.tiny else (8192, 65_536, 262_144)
        for budget in budgets:
            bench.timed(
                "score pairs",
                partial(_sorted_scores, net, bench, rows, budget),
                count=share,
                unit="pairs",
                precision=precision,
                token_budget=budget,
                by_length=True,
            )
        bench.timed(
            "score pairs, not by length",
            lambda: _in_given_order(net, bench.texts, bench.images, *rows, together=16 if bench.tiny else 1024),  # noqa: B023
            count=share,
            unit="pairs",
            precision=precision,
            by_length=False,
        )
        if not bench.tiny and precision == "bfloat16":
            compiled = in_precision(bench.make().to(bench.device), precision)
            for layer in compiled.encoder.layer:
                layer.compile(dynamic=True)
            bench.timed(
                "score pairs, compiled",
                lambda: score_pairs(compiled, bench.texts, bench.images, *rows, token_budget=65_536, quiet=True),  # noqa: B023
                count=share,
                unit="pairs",
                precision=precision,
            )


def _sorted_scores(net: SingleStream, bench: Bench, rows: tuple[np.ndarray, np.ndarray], budget: int) -> np.ndarray:
    return np.argsort(-score_pairs(net, bench.texts, bench.images, *rows, token_budget=budget, quiet=True))


def _in_given_order(net: SingleStream, texts: TokenisedCaptions, images: RegionInputs, captions_, rows, *, together):
    with torch.inference_mode():
        for start in range(0, len(rows), together):
            part = slice(start, start + together)
            net.score_pairs(texts.batch(captions_[part]), images.batch(rows[part])).cpu()


def encoding(bench: Bench) -> None:
    budget = 512 if bench.tiny else 65_536
    ids = [str(row) for row in range(len(bench.texts))]
    for precision in ("float32", "bfloat16"):
        net, more = bench.net(precision), {"precision": precision, "repeats": 2}
        bench.timed(
            "encode captions",
            lambda: encode_captions(net, bench.texts, ids, token_budget=budget),  # noqa: B023
            count=len(ids),
            unit="captions",
            **more,
        )
        bench.timed(
            "encode images",
            lambda: encode_images(net, bench.images, token_budget=budget),  # noqa: B023
            count=len(bench.images),
            unit="images",
            **more,
        )


def training(bench: Bench) -> None:
    """Steps of the paper's batch of 128 captions."""
    count, batch = (16, 4) if bench.tiny else (1024, 128)
    ids = bench.images.store.image_ids[:count]
    tokens = captions(count)
    texts = Captions(tuple(f"{id_}#0" for id_ in ids), ("a thing",) * count, ids, ("en",) * count)
    data = TrainingData(
        texts, tokens, bench.images, np.arange(count), csr_array(np.eye(count, len(bench.images), dtype=bool))
    )
    for tasks in (("bi_encoder",), ("cross_encoder",), ("bi_encoder", "cross_encoder")):
        settings = {task: {"batch_size": batch} for task in tasks}
        objective = Objective(**settings, steps=1000, precision="bfloat16", optimiser="fused_adamw")
        run, schedule = assemble(bench.make().to(bench.device), objective, data, {}, seed=1)
        if bench.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        steps = iter(range(1000))
        per_task = {"bi_encoder": batch, "cross_encoder": 2 * batch}
        bench.timed(
            f"train {' and '.join(tasks)}",
            lambda: _outer_step(run, schedule, next(steps), {task: [] for task in tasks}),  # noqa: B023
            count=sum(per_task[task] for task in tasks) * 64,
            unit="tokens",
            precision="bfloat16",
        )
        if bench.device.type == "cuda":
            bench.rows[-1]["memory_gb"] = torch.cuda.max_memory_allocated() / 1e9


def searching(bench: Bench) -> None:
    on_gpu = hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0
    width, sizes = (16, [1000]) if bench.tiny else (768, [100_000, 1_000_000])
    rng = np.random.default_rng(0)
    for size in sizes:
        gallery = rng.standard_normal((size, width), dtype=np.float32)
        faiss.normalize_L2(gallery)
        for factory in ("Flat", f"IVF{16 if bench.tiny else 4096},Flat"):
            index = build_index(gallery, factory=factory)
            for place, own in {"cpu": index, **({"gpu": to_device(index)} if on_gpu else {})}.items():
                for queries in (1, 20 if bench.tiny else 1000):
                    bench.timed(
                        "search",
                        lambda: own.search(gallery[:queries], 10),  # noqa: B023
                        count=queries,
                        unit="queries",
                        index=factory,
                        size=size,
                        on=place,
                    )


def tables(bench: Bench) -> None:
    """One query among n images, and a whole evaluation of 25,000 captions and 5,000 images, in bfloat16."""
    net, budget = bench.net("bfloat16"), 65_536
    width = net.config.hidden_size
    for size in (50,) if bench.tiny else (1000, 5000, 50_000, 1_000_000):
        gallery = np.random.default_rng(0).standard_normal((size, width), dtype=np.float32)
        faiss.normalize_L2(gallery)
        index = to_device(build_index(gallery))
        for depth in (0, 10, 20, 50):
            bench.timed(
                "one query", partial(_query, net, bench, index, depth), count=1, unit="queries", size=size, depth=depth
            )
    ids = [str(row) for row in range(len(bench.texts))]
    depth = 5 if bench.tiny else 20

    def evaluate(rerank: bool) -> None:
        texts = encode_captions(net, bench.texts, ids, token_budget=budget).vectors
        images = encode_images(net, bench.images, token_budget=budget).vectors
        for queries, gallery, flip in ((texts, images, False), (images, texts, True)):
            rows, _ = search(build_index(gallery), queries, depth=depth)
            asked = np.repeat(np.arange(len(queries)), depth), rows.ravel()
            if rerank:
                score_pairs(net, bench.texts, bench.images, *(asked[::-1] if flip else asked), token_budget=budget)

    bench.timed("whole evaluation, BE", partial(evaluate, False), count=1, unit="evaluations", repeats=1)
    bench.timed("whole evaluation, Coop", partial(evaluate, True), count=1, unit="evaluations", repeats=1)


def _query(net: SingleStream, bench: Bench, index: faiss.Index, depth: int) -> None:
    with torch.inference_mode():
        vector = net.encode_text(bench.texts.batch([0])).cpu().numpy()
    found, _ = search(index, vector, depth=max(depth, 10))
    if depth:
        score_pairs(
            net, bench.texts, bench.images, np.zeros(depth, int), found[0, :depth] % len(bench.images), quiet=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--tiny", action="store_true", help="sizes at which it runs in seconds anywhere")
    parser.add_argument("--seconds", type=float, default=400, help="after which nothing new is begun")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU; use --device cpu --tiny to try the script without one")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(options, Path(scratch))
        record = {
            "what": "a GPU",
            **provenance(threads=torch.get_num_threads(), device=options.device),
            "tiny": options.tiny,
        }
        record["right"] = right(bench)
        for part in (pairs, encoding, training, tables, searching):
            part(bench)
        record["rows"] = bench.rows
        write("gpu", record, folder=options.output)
    for precision, found in record["right"].items():
        worst = max(found["relative_error"].values())
        print(
            f"right in {precision}: {found['within']}, relative error {worst:.1e}, same place {found['same_place']:.2f}"
        )
    for row in bench.rows:
        extra = ", ".join(f"{key} {row[key]}" for key in row if key not in ("what", "seconds", "count", "unit", "rate"))
        print(f"{row['what']:40} {row.get('rate', 0):14,.2f} {row.get('unit', 'skipped')}/s  {extra}")


if __name__ == "__main__":
    main()
