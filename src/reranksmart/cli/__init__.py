"""`reranksmart <verb>`: one verb per rule; a verb reads inputs, calls one function, saves one output."""

from __future__ import annotations

import importlib
import sys

MODULE_BY_VERB = {
    "fetch-stamps": "data",
    "prepare-split": "data",
    "audit-splits": "data",
    "audit-training": "audits",
    "judge": "data",
    "extract-regions": "regions",
    "merge-regions": "regions",
    "import-regions": "region_files",
    "download": "downloads",
    "unpack": "downloads",
    "detect-regions": "detection",
    "extract-pixels": "pictures",
    "store-states": "pictures",
    "pretrain": "training",
    "convert-backbone": "backbones",
    "adopt-backbone": "backbones",
    "train": "training",
    "encode": "retrieval",
    "index": "searching",
    "retrieve": "searching",
    "score-candidates": "retrieval",
    "score-all": "retrieval",
    "score-twins": "retrieval",
    "merge-embeddings": "merging",
    "merge-pair-scores": "merging",
    "merge-exhaustive": "merging",
    "evaluate": "measuring",
    "evaluate-twins": "measuring",
    "judge-extended": "extended",
    "evaluate-extended": "extended",
    "compare": "comparing",
    "measure-latency": "cost",
    "measure-indexes": "cost",
    "measure-pairs": "pairs",
    "measure-precision": "bits",
    "measure-rates": "bits",
    "tabulate": "reporting",
    "plot": "reporting",
    "report": "reporting",
    "gather": "galleries",
    "gallery": "galleries",
    "search": "galleries",
    "status": "status",
    "serve": "galleries",
}


def main() -> None:
    """Runs one verb. What is wrong with an input ends as one message on stderr and exit status 1."""
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb not in MODULE_BY_VERB:
        print(f"usage: reranksmart VERB --help, with a verb of: {', '.join(MODULE_BY_VERB)}", file=sys.stderr)
        raise SystemExit(0 if verb in ("--help", "-h") else 2)
    module = importlib.import_module(f"reranksmart.cli.{MODULE_BY_VERB[verb]}")
    try:
        module.app()
    except (ValueError, KeyError, OSError, FloatingPointError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"reranksmart {verb}: {message}", file=sys.stderr)
        raise SystemExit(1) from error
