"""`reranksmart <verb>`: one verb per rule; a verb reads inputs, calls one function, saves one output."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap

from reranksmart.cli.parent import end_with_parent

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

_USAGE = """\
Usage: reranksmart VERB [OPTIONS]. Each verb explains itself: reranksmart VERB --help

For your own searches and runs:
  gallery  makes a folder of pictures searchable
  search   searches it by a text or a picture, and adds pictures to it
  serve    shows the search as a page in the browser
  status   says how far a run of the workflow is

What the workflow's rules call:
"""


def main() -> None:
    """Runs one verb. What is wrong with an input ends as one message on stderr and exit status 1."""
    end_with_parent()
    verb = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if verb in ("--help", "-h"):
        print(_usage())
        return
    if verb not in MODULE_BY_VERB:
        print(f"reranksmart: there is no verb {verb!r}.\n\n{_usage()}", file=sys.stderr)
        raise SystemExit(2)
    try:
        importlib.import_module(f"reranksmart.cli.{MODULE_BY_VERB[verb]}").app()
    except (ValueError, KeyError, OSError, FloatingPointError) as error:
        print(f"reranksmart {verb}: {_message(error)}", file=sys.stderr)
        raise SystemExit(1) from error
    except KeyboardInterrupt:  # while the verb is loaded; later typer sees it first
        raise SystemExit(130) from None


def _usage() -> str:
    others = [verb for verb in MODULE_BY_VERB if f"\n  {verb} " not in _USAGE]
    lines = textwrap.wrap(", ".join(others), width=78, break_on_hyphens=False)
    return _USAGE + textwrap.indent("\n".join(lines), "  ")


def _message(error: Exception) -> object:
    if isinstance(error, KeyError):
        said = str(error.args[0])
        lacking = f"there is no {said!r} in the settings or files given. Give it, or name one that is there."
        return said if " " in said else lacking  # of our own errors a sentence, of a dict the key
    if isinstance(error, json.JSONDecodeError):
        return f"{error.doc[:80]!r} is no JSON ({error}). Settings are given as JSON, in single quotes; mend them."
    if isinstance(error, OSError) and error.filename is not None:
        path = error.filename2 or error.filename  # what a temporary file is renamed to
        return f"{path}: {error.strerror}. A path that exists and can be used so is needed; name another."
    return error
