"""Load an index, search it, add to it."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from reranksmart.files.holding import held
from reranksmart.files.picture_folders import split_broken
from reranksmart.files.region_store import RegionStore
from reranksmart.ranking.search import build_index, retrieve
from reranksmart.run.progress import silent
from reranksmart.searching.answering import answer, clock
from reranksmart.searching.building import build_index_folder
from reranksmart.searching.contents import Contents
from reranksmart.searching.folder import (
    IndexSettings,
    Part,
    PictureFile,
    part_folder,
    part_folders,
    picture_digest,
    read_absence,
    read_index_settings,
    read_part,
    write_part,
)
from reranksmart.searching.models import RoleModels, as_captions
from reranksmart.searching.results import SIMILAR, Added, Asks, Hit, Query, Results
from reranksmart.values.records import Direction


class Searcher:
    """A gallery that answers: a retriever finds candidates, a reranker judges them. Safe to use from several threads.

    ``Searcher.load(folder)`` opens what ``build_index_folder`` made.
    """

    def __init__(self, folder: Path, settings: IndexSettings, models: RoleModels, contents: Contents) -> None:
        self.folder, self.settings, self.models, self.contents = folder, settings, models, contents
        self.absence = read_absence(folder)
        self._lock = threading.Lock()
        self._temporary: TemporaryDirectory[str] | None = None

    @staticmethod
    def load(folder: Path | str) -> "Searcher":
        """The index in ``folder``; FileNotFoundError or ValueError where it is none."""
        folder = Path(folder)
        settings = read_index_settings(folder)
        return Searcher(folder, settings, RoleModels.load(folder, settings), Contents.read(folder))

    @staticmethod
    def of_pictures(
        pictures: Path | str,
        *,
        retriever: Path | str,
        reranker: Path | str | None = None,
        index: Path | str | None = None,
    ) -> "Searcher":
        """An index of the pictures below a folder, as ``build_index_folder`` makes it with these models; in ``index``, or
        for as long as the searcher lives."""
        temporary = TemporaryDirectory(prefix="reranksmart-") if index is None else None
        folder = Path(temporary.name) / "index" if temporary else Path(str(index))
        build_index_folder(Path(pictures), folder, retriever=retriever, reranker=reranker)
        made = Searcher.load(folder)
        made._temporary = temporary
        return made

    def __len__(self) -> int:
        return len(self.contents.pictures)

    @property
    def has_captions(self) -> bool:
        return len(self.contents.captions) > 0

    def search(
        self,
        text: str | None = None,
        *,
        image: Path | str | None = None,
        k: int = 20,
        top: int = 10,
        false_alarms: float = 0.05,
    ) -> Results:
        """The pictures that a text asks for, or the captions that a picture asks for; where the index has none, pictures
        like it. ValueError where the picture cannot be read.
        """
        picture = Path(image) if image is not None else None
        return self.search_many([Query(text, picture, depth=k, top=top, false_alarms=false_alarms)])[0]

    def search_many(self, queries: Sequence[Query]) -> list[Results]:
        """The answer to each query; those of one kind are encoded, searched and scored in one batch."""
        answers: dict[int, Results] = {}
        kinds = {Direction.TEXT_TO_IMAGE: self._by_text, Direction.IMAGE_TO_TEXT: self._by_image, SIMILAR: self._alike}
        with self._lock, silent():
            for kind, by in kinds.items():
                if rows := [row for row, query in enumerate(queries) if self._asks(query) == kind]:
                    answers |= dict(zip(rows, by([queries[row] for row in rows]), strict=True))
        return [answers[row] for row in range(len(queries))]

    def _asks(self, query: Query) -> Asks:
        return SIMILAR if query.asks == Direction.IMAGE_TO_TEXT and not self.has_captions else query.asks

    def add(self, paths: Sequence[Path]) -> Added:
        """Takes pictures in: they are looked at, encoded and appended, on disk and here; nothing else is touched.

        Pictures that the index has already, by content, and broken ones are left out. ValueError where none is whole.
        """
        whole, broken = split_broken(paths)
        with self._lock, held(self.folder):
            for late in part_folders(self.folder)[len(self.contents.parts) :]:  # another process added these
                self.contents.add(read_part(late, index=self.folder))
            new, known = self._new_pictures(whole)
            if new:
                looked = self.models.look([(picture.id, picture.path) for picture in new])
                self.contents.require_same_detector(looked.reranker)
                vectors = self.models.embed_pictures(looked).vectors
                part = Part(tuple(new), build_index(vectors), looked.reranker)
                self.contents.require_same_width(part)
                number = int(part_folders(self.folder)[-1].name) + 1
                write_part(self.folder, part, number=number)
                self.contents.add(read_part(part_folder(self.folder, number), index=self.folder))
        return Added(tuple(picture.id for picture in new), tuple(known), tuple(broken))

    def regions_of(self, image_id: str) -> RegionStore | None:
        """The regions of one picture, None where its model reads pixels; KeyError where the index does not have it."""
        with self._lock:
            seen = self.contents.seen_of([image_id])
        return seen if isinstance(seen, RegionStore) else None

    def _new_pictures(self, paths: Sequence[Path]) -> tuple[list[PictureFile], list[Path]]:
        digests = set(self.contents.path_by_digest)
        ids = set(self.contents.picture_by_id)
        new: list[PictureFile] = []
        known: list[Path] = []
        for path in paths:
            digest = picture_digest(path)
            if digest in digests:
                known.append(path)
                continue
            name = f"{self.settings.name}/{path.name}"
            image_id = name if name not in ids else f"{self.settings.name}/{digest[:12]}-{path.name}"
            new.append(PictureFile(image_id, path.resolve(), digest))
            digests.add(digest)
            ids.add(image_id)
        return new, known

    def _by_text(self, queries: Sequence[Query]) -> list[Results]:
        times: dict[str, float] = {}
        texts = as_captions([cast(str, query.text) for query in queries])
        with clock(times, "encode query"):
            vectors = self.models.embed_texts(texts)
        contents = self.contents
        found = answer(
            queries,
            vectors,
            [picture.id for picture in contents.pictures],
            contents.images,
            score=lambda asked, items, rows: self.models.score(texts, contents.seen_of(items), asked, rows),
            show=lambda image_id: (contents.picture_by_id[image_id].path, None),
            times=times,
            absence=self.absence.get(Direction.TEXT_TO_IMAGE),
        )
        unknown = [self.models.retriever.unknown_words(text) for text in texts.texts]
        return [replace(results, unknown=words) for results, words in zip(found, unknown, strict=True)]

    def _alike(self, queries: Sequence[Query]) -> list[Results]:
        """Pictures nearest to each picture, but for itself, by the retriever alone: there is no pair of two pictures."""
        contents, times = self.contents, dict[str, float]()
        places = [query.image or contents.picture_by_id[cast(str, query.like)].path for query in queries]
        with clock(times, "look at picture"):
            asking = self.models.look([(f"query/{row}", path) for row, path in enumerate(places)])
        with clock(times, "encode query"):
            vectors = self.models.embed_pictures(asking)
        with clock(times, "search"):
            depth = max(query.top for query in queries) + 1
            ids = [picture.id for picture in contents.pictures]
            found = retrieve(vectors, ids, contents.images, depth=min(depth, len(ids)))
        answers = []
        for row, query in enumerate(queries):
            near = zip(found.item_ids(row), found.scores[row].tolist(), strict=True)
            others = [(image_id, cosine) for image_id, cosine in near if image_id != query.like][: query.top]
            hits = []
            for place, (image_id, cosine) in enumerate(others, start=1):
                path = contents.picture_by_id[image_id].path
                hits.append(Hit(image_id, path, None, place, place, cosine, None, deleted=not path.exists()))
            answers.append(Results(SIMILAR, 0, tuple(hits), (), times, len(queries)))
        return answers

    def _by_image(self, queries: Sequence[Query]) -> list[Results]:
        contents, captions = self.contents, self.contents.captions
        assert contents.caption_vectors is not None, "without captions _asks says otherwise"
        times: dict[str, float] = {}
        with clock(times, "look at picture"):
            asking = self.models.look([(f"query/{row}", cast(Path, query.image)) for row, query in enumerate(queries)])
        with clock(times, "encode query"):
            vectors = self.models.embed_pictures(asking)
        row_by_id = contents.caption_row_by_id

        def show(caption_id: str) -> tuple[Path, str]:
            row = row_by_id[caption_id]
            return contents.picture_by_id[captions.image_ids[row]].path, captions.texts[row]

        return answer(
            queries,
            vectors,
            captions.ids,
            contents.caption_vectors,
            score=lambda asked, items, rows: self.models.score(
                captions.take(row_by_id[caption_id] for caption_id in items), asking.reranker, rows, asked
            ),
            show=show,
            times=times,
            absence=self.absence.get(Direction.IMAGE_TO_TEXT),
        )
