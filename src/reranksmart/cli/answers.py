"""Answers to searches as text or JSON, and what the words on a command line ask."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from reranksmart.cli.terminal import printable
from reranksmart.searching.results import Hit, Query, Results


def texts_asked(words: Sequence[str], queries: Path | None) -> list[str]:
    """The texts that are asked: each argument in quotes, or all unquoted ones as one, and the lines of a file (-: stdin)."""
    asked = list(words) if any(" " in word for word in words) else [" ".join(words)] * bool(words)
    if queries is not None:
        lines = sys.stdin if str(queries) == "-" else queries.read_text(encoding="utf-8").splitlines()
        asked += [line.strip() for line in lines if line.strip()]
    return asked


def answers_as_text(asked: Sequence[Query], answers: Sequence[Results]) -> str:
    """The answers one after another, each under its question where there are several."""
    titles = [f"{query.text or query.image}\n" if len(asked) > 1 else "" for query in asked]
    return printable("\n\n".join(title + _told(results) for title, results in zip(titles, answers, strict=True)))


def answers_as_json(answers: Sequence[Results]) -> str:
    """One answer as an object, several as a list of them."""
    told = [results.as_json() for results in answers]
    return json.dumps(told if len(told) > 1 else told[0], indent=1, ensure_ascii=False)


def _told(results: Results) -> str:
    """The re-ranked list with both stages' ranks and scores, and the times, as plain text; of pictures alike the one list."""
    hits = results.reranked or results.retrieved
    if results.reranked:
        lines = [f"{'rank':>4} {'was':>4} {'cosine':>7} {'log-odds':>9}  {'caption' if hits[0].text else 'picture'}"]
        lines, done = [*lines, *map(_line, hits)], f"{results.depth} of the retriever's candidates re-ranked"
    else:
        lines = [f"{'rank':>4} {'cosine':>7}  picture like it"]
        lines, done = [*lines, *(f"{hit.rank:4} {hit.cosine:7.3f}  {_shown(hit)}" for hit in hits)], "nothing re-ranked"
    if results.nothing_matches:
        lines.append(f"nothing here seems to match: the first is right with a probability of {results.probability:.2f}")
    if results.unknown:
        lines.append(f"the model has no word for {', '.join(map(repr, results.unknown))}")
    if any(hit.deleted for hit in hits):
        lines.append("deleted since they were indexed: reranksmart gallery --refresh drops them")
    times = ", ".join(f"{stage} {time:.1f} ms" for stage, time in results.times_ms.items())
    return "\n".join([*lines, f"{times}; {done}"])


def _line(hit: Hit) -> str:
    log_odds = f"{hit.log_odds:9.2f}" if hit.log_odds is not None else f"{'-':>9}"
    return f"{hit.rank:4} {hit.retrieved_rank:4} {hit.cosine:7.3f} {log_odds}  {_shown(hit)}"


def _shown(hit: Hit) -> str:
    shown = f"{hit.text}  [{hit.picture}]" if hit.text else str(hit.picture)
    return f"{shown}{' (deleted)' * hit.deleted}"
