"""The questions that a GPU answers, in the order of their worth; each keeps its rows in the ``Bench``."""

from __future__ import annotations

from functools import partial
from typing import Any

import faiss
import numpy as np
import torch
from gpu_bench import Bench
from scipy.sparse import csr_array
from worlds import captions

from reranksmart.config.training import Objective
from reranksmart.inputs.stored import RegionInputs, TokenisedCaptions
from reranksmart.models.reduced import in_precision
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.encoding import encode_captions, encode_images
from reranksmart.ranking.gpu_index import has_gpu, to_device
from reranksmart.ranking.reranking import score_pairs
from reranksmart.ranking.search import build_index, search
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import _outer_step
from reranksmart.training.sampling import TrainingData
from reranksmart.values.records import Captions

TOKENS = 64  # of a pair: 14 of its caption, 50 regions
MOST_PAIRS = 50_000  # of an exhaustive query; beyond, its time is extrapolated in proportion, and marked so


def right(bench: Bench) -> dict[str, Any]:
    """Relative errors of embeddings, log-odds and one training step against CPU float32, and the overlap at 20."""
    images, asking = np.arange(len(bench.images)) if bench.tiny else np.arange(64), np.arange(16)
    few = captions(16)
    grid = np.divmod(np.arange(len(asking) * len(images)), len(images))

    def read(net: SingleStream) -> dict[str, np.ndarray]:
        text, image = few.batch(asking), bench.images.batch(images)
        with torch.inference_mode():
            found = {"text": net.encode_text(text), "image": net.encode_image(image)}
        scores = score_pairs(net, few, bench.images, *grid, quiet=True)
        return {name: tensor.float().cpu().numpy() for name, tensor in found.items()} | {"log-odds": scores}

    def step(net: SingleStream, *, reduced: bool) -> np.ndarray:
        """What one step of gradient descent on both tasks adds to a weight of the first layer."""
        weight = net.encoder.layer[0].output.dense.weight
        before = weight.detach().float().cpu().numpy().copy()  # on a CPU the weight itself
        optimiser = torch.optim.SGD(net.parameters(), lr=1.0)
        with torch.autocast(net.device.type, torch.bfloat16, enabled=reduced):
            text, image = few.batch(asking), bench.images.batch(images[:16])
            scores = net.score_pairs(text, image)
            cosines = (net.encode_text(text) * net.encode_image(image)).sum(dim=1)
        (scores.float().square().mean() + cosines.float().mean()).backward()
        optimiser.step()
        return weight.detach().float().cpu().numpy() - before

    def top(scores: np.ndarray) -> np.ndarray:
        return np.argsort(-scores.reshape(len(asking), -1), axis=1, kind="stable")[:, :20]

    exact = read(bench.make()) | {"training step": step(bench.make(), reduced=False)}
    found = {}
    for precision in ("float32", "bfloat16"):
        reduced = precision != "float32"
        own = read(bench.net(precision)) | {"training step": step(bench.make().to(bench.device), reduced=reduced)}
        errors = {name: float(np.abs(own[name] - exact[name]).max() / np.abs(exact[name]).max()) for name in exact}
        shared = [
            len(set(a) & set(b)) / len(b) for a, b in zip(top(own["log-odds"]), top(exact["log-odds"]), strict=True)
        ]
        found[precision] = {"relative_error": errors, "overlap_at_20": float(np.mean(shared))}
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
                partial(_sorted_scores, compiled, bench, rows, 65_536),
                count=share,
                unit="pairs",
                precision=precision,
                by_length=True,
            )
            bench.timed(
                "score pairs, compiled, not by length",
                partial(_in_given_order, compiled, bench.texts, bench.images, *rows, together=1024),
                count=share,
                unit="pairs",
                precision=precision,
                by_length=False,
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
            count=sum(per_task[task] for task in tasks) * TOKENS,
            unit="tokens",
            precision="bfloat16",
        )
        if "rate" in bench.rows[-1]:
            row = bench.rows[-1]
            row["steps_a_second"] = row["rate"] / row["count"]
            row["share_of_peak"] = row["rate"] * 6 * _trunk_weights(run.model) / bench.peak
        if bench.device.type == "cuda":
            bench.rows[-1]["memory_gb"] = torch.cuda.max_memory_allocated() / 1e9


def _trunk_weights(net: SingleStream) -> int:
    """Weights that every token meets: a training step costs 6 operations of each (forward 2, backward 4)."""
    return sum(weights.numel() for weights in net.encoder.parameters() if weights.ndim == 2)


def searching(bench: Bench) -> None:
    width, sizes = (16, [1000]) if bench.tiny else (768, [100_000, 1_000_000, 10_000_000])
    for size in sizes:
        if bench.out_of_time():
            bench.rows.append({"what": "search", "skipped": "out of time", "size": size})
            continue
        drawn = torch.Generator(bench.device).manual_seed(0)
        gallery = np.empty((size, width), dtype=np.float32)
        for part in np.array_split(gallery, max(1, size // 1_000_000)):
            part[:] = torch.randn(*part.shape, device=bench.device, generator=drawn).cpu().numpy()
        faiss.normalize_L2(gallery)
        for factory in ("Flat", f"IVF{16 if bench.tiny else 4096},Flat"):
            _search_times(bench, gallery, factory)


def _search_times(bench: Bench, gallery: np.ndarray, factory: str) -> None:
    """One query and many, on the card and on the CPU; the index is trained and filled where that is fastest."""
    index = faiss.index_factory(gallery.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    if on_gpu := has_gpu():
        index = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    index.train(gallery[: 64 * getattr(index, "nlist", 1)])
    index.add(gallery)
    for place, own in {
        **({"gpu": index} if on_gpu else {}),
        "cpu": faiss.index_gpu_to_cpu(index) if on_gpu else index,
    }.items():
        for queries in (1, 20 if bench.tiny else 1000):
            about = {"index": factory, "size": len(gallery), "on": place}
            bench.timed("search", partial(own.search, gallery[:queries], 10), count=queries, unit="queries", **about)


def tables(bench: Bench) -> None:
    """One query among n images, and a whole evaluation of 25,000 captions and 5,000 images, in bfloat16."""
    net, budget = bench.net("bfloat16"), 65_536
    width = net.config.hidden_size
    for size in (50,) if bench.tiny else (1000, 5000, 50_000, 1_000_000):
        gallery = np.random.default_rng(0).standard_normal((size, width), dtype=np.float32)
        faiss.normalize_L2(gallery)
        index = to_device(build_index(gallery))
        for depth in (0, 10, 20, 50):
            about = {"count": 1, "unit": "queries", "size": size, "depth": depth}
            bench.timed("one query", partial(_query, net, bench, index, depth), **about)
        run = min(size, MOST_PAIRS)
        about = {"count": run / size, "unit": "queries", "size": size, "extrapolated": run < size}
        bench.timed("one query, CE", partial(_exhaustive_query, net, bench, run, budget), **about)
    ids = [str(row) for row in range(len(bench.texts))]
    depth = 5 if bench.tiny else 20

    def evaluate(rerank: bool) -> None:
        texts = encode_captions(net, bench.texts, ids, token_budget=budget).vectors
        images = encode_images(net, bench.images, token_budget=budget).vectors
        for queries, gallery, flip in ((texts, images, False), (images, texts, True)):
            rows, _ = search(to_device(build_index(gallery)), queries, depth=depth)
            asked = np.repeat(np.arange(len(queries)), depth), rows.ravel()
            if rerank:
                score_pairs(net, bench.texts, bench.images, *(asked[::-1] if flip else asked), token_budget=budget)

    bench.timed("whole evaluation, BE", partial(evaluate, False), count=1, unit="evaluations", repeats=1)
    bench.timed("whole evaluation, Coop", partial(evaluate, True), count=1, unit="evaluations", repeats=1)


def _exhaustive_query(net: SingleStream, bench: Bench, pairs: int, budget: int) -> None:
    """Scores one caption with so many images; images repeat where there are fewer."""
    rows = np.zeros(pairs, int), np.arange(pairs) % len(bench.images)
    np.argsort(-score_pairs(net, bench.texts, bench.images, *rows, token_budget=budget, quiet=True))


def _query(net: SingleStream, bench: Bench, index: faiss.Index, depth: int) -> None:
    with torch.inference_mode():
        vector = net.encode_text(bench.texts.batch([0])).cpu().numpy()
    found, _ = search(index, vector, depth=max(depth, 10))
    if depth:
        score_pairs(
            net, bench.texts, bench.images, np.zeros(depth, int), found[0, :depth] % len(bench.images), quiet=True
        )
