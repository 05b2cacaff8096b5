"""ViDoRe: questions in several languages that pages of documents answer, pages being pictures (Faysse et al. 2025).

Published as BEIR's three tables: ``corpus`` (pages), ``queries`` and ``qrels``.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from reranksmart.datasets import Dataset
from reranksmart.datasets.prepared.layout import IMAGES_FILE, RELEVANT_FILE, Prepared, picture_path
from reranksmart.datasets.published.captions import PublishedCaption, collect
from reranksmart.datasets.published.texts import AGAIN, read_json_lines
from reranksmart.files.reading import reading
from reranksmart.files.storage import write_captions, write_jsonl
from reranksmart.files.writing import atomic_directory
from reranksmart.values.settings import Frozen, Languages, Name, Place

_CODES = {"english": "en", "french": "fr", "german": "de", "italian": "it", "portuguese": "pt", "spanish": "es"}
_PAGES = 2_600  # of one of its collections, in the mean
Row = Mapping[str, Any]


class PagesSplit(Frozen):
    pages: Literal["answering", "others"] = Field(
        "answering",
        description="pages that answer a query, with the queries; others: those that answer none, which enlarge",
    )


class ViDoRe(Dataset):
    kind: Literal["vidore"]
    annotations: Place = Field(
        description="folder of one collection: corpus, queries and qrels, each a .jsonl or a folder of parquet files (which "
        "needs reranksmart[mteb])"
    )
    images: Place | None = Field(
        None, description="folder of the pictures that a .jsonl names; parquet holds them itself"
    )
    languages: Languages = ("en",)
    splits: dict[Name, PagesSplit] = Field(description="splits in use, by name")

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        source, answering = Path(self.annotations), self.splits[split].pages == "answering"
        queries, judged = _queries(source, self.languages), _judged(source)
        if unanswered := [query for query in queries if query not in judged]:
            raise ValueError(
                f"{source}: {len(unanswered):,} of {len(queries):,} queries have no page in qrels, as {unanswered[0]!r}; what "
                "nothing answers cannot be measured. Take them out of queries."
            )
        asked = {f"{name}/{query}": [f"{name}/page-{page}" for page in judged[query]] for query in queries}
        wanted = {page for pages in asked.values() for page in pages}
        kept: list[str] = []
        with atomic_directory(folder) as target:
            (target / "images").mkdir()
            for row in _rows(source, "corpus"):
                page = f"{name}/page-{_value(row, 'corpus_id', source)}"
                if (page in wanted) == answering:
                    kept.append(page)
                    self._place(row, picture_path(target, page), source)
            if missing := sorted(wanted - set(kept)) if answering else []:
                raise ValueError(f"{source}: qrels name page {missing[0]!r}, which corpus lacks. {AGAIN}")
            told = (
                PublishedCaption(
                    f"{name}/{query}", text, asked[f"{name}/{query}"][0], language, f"{source}, query {query!r}"
                )
                for query, (text, language) in queries.items()
            )
            captions = collect(told, source=source)
            write_captions(target / "captions.jsonl", captions if answering else captions.take([]))
            write_jsonl(target / IMAGES_FILE, ({"image_id": page} for page in kept))
            if answering:
                pairs = (
                    {"caption_id": query, "image_id": page} for query, pages in asked.items() for page in pages[1:]
                )
                write_jsonl(target / RELEVANT_FILE, pairs)
        return Prepared(len(kept))

    def _place(self, row: Row, target: Path, source: Path) -> None:
        picture = _value(row, "image", source)
        if isinstance(picture, str):
            if not (path := Path(self.images or source) / picture).is_file():
                raise ValueError(f"{source}: the picture {path} is missing. Set images to the folder that holds it.")
            target.symlink_to(path.resolve())
        else:
            target.write_bytes(picture["bytes"])

    def image_count(self, split: str) -> int:
        return _PAGES

    def captions_each(self, language: str) -> int:
        return 1

    def has_captions(self, split: str) -> bool:
        return self.splits[split].pages == "answering"


def _queries(source: Path, languages: Languages) -> dict[str, tuple[str, str]]:
    """Text and language of each query in these languages, by its id."""
    found: dict[str, tuple[str, str]] = {}
    for row in _rows(source, "queries"):
        spoken = row.get("language", "en")
        if (language := _CODES.get(spoken, spoken)) in languages:
            found[str(_value(row, "query_id", source))] = _value(row, "query", source), language
    if lacking := set(languages) - {language for _, language in found.values()}:
        raise ValueError(f"{source}: no query is in {sorted(lacking)}; leave these languages out.")
    return found


def _judged(source: Path) -> dict[str, list[str]]:
    """By query, the pages that answer it, the best first."""
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for row in _rows(source, "qrels"):
        if (score := float(_value(row, "score", source))) > 0:
            scores[str(_value(row, "query_id", source))][str(_value(row, "corpus_id", source))] = score
    return {query: sorted(pages, key=lambda page: -pages[page]) for query, pages in scores.items()}


def _rows(source: Path, table: str) -> Iterator[Row]:
    """The rows of a table, hyphens in the names of its columns read as underscores."""
    lines, files = source / f"{table}.jsonl", sorted((source / table).glob("*.parquet"))
    if lines.is_file():
        rows = (row for _, row in read_json_lines(lines))
    elif files:
        rows = (row for file in files for row in _parquet(file))
    else:
        raise ValueError(f"neither {lines} nor a parquet file in {source / table} is there. {AGAIN}")
    for row in rows:
        if not isinstance(row, dict):
            raise ValueError(f"{source}: {table} has a row that is no object, {row!r}. {AGAIN}")
        yield {name.replace("-", "_"): value for name, value in row.items()}


def _parquet(file: Path) -> Iterator[Any]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise ValueError(f"{file} is read by pyarrow ({error}). Install it: pip install 'reranksmart[mteb]'") from error
    with reading(file, remedy=AGAIN):
        for batch in ParquetFile(file).iter_batches(batch_size=32):
            yield from batch.to_pylist()


def _value(row: Row, name: str, source: Path) -> Any:
    """The value of a column, which mteb's copies call otherwise; ValueError where there is none."""
    value = row.get(name, row.get({"query": "text"}.get(name, "id")))
    if value is None:
        raise ValueError(f"{source}: a row has no {name} but {sorted(row)}. {AGAIN}")
    return value
