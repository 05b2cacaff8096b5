"""Verbs of your own searches: make an index, search it, serve it."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.answers import answers_as_json, answers_as_text, texts_asked
from reranksmart.cli.broken import report_left_out
from reranksmart.cli.verb import new_folder, verb
from reranksmart.config.backbones import Reading
from reranksmart.files.picture_folders import ENDINGS, LeftOut, list_pictures
from reranksmart.files.storage import read_captions
from reranksmart.inputs.captions import read_gallery_captions
from reranksmart.searching.building import build_index_folder, gather_index_folder
from reranksmart.searching.folder import SETTINGS_FILE, read_index_settings, require_replaceable
from reranksmart.searching.opening import open_searcher
from reranksmart.searching.refreshing import drop_deleted
from reranksmart.searching.results import Query
from reranksmart.searching.searcher import Searcher
from reranksmart.serving.app import LOCAL_NAMES, create_app
from reranksmart.serving.guards import guarded
from reranksmart.serving.listening import listening
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Captions

Index = Annotated[Path, typer.Option(help="an index, as `reranksmart gallery` or rule searchable makes it")]
Model = Annotated[Path, typer.Option(help="folder of the model that retrieves; it re-ranks too unless --reranker")]
Reranker = Annotated[Path | None, typer.Option(help="folder of the model that re-ranks")]


Learned = Annotated[
    Path | None,
    typer.Option(help="absence.json of the same models, or its folder, so that a search can say that nothing matches"),
]


@verb(computes=True, by_hand=True)
def gallery_verb(
    images: Annotated[Path, typer.Option(help="folder of pictures, at any depth")],
    output: Annotated[Path, typer.Option(help="the index")],
    model: Model | None = None,
    reranker: Reranker = None,
    captions: Annotated[Path | None, typer.Option(help="JSON Lines or CSV, so that pictures find captions")] = None,
    max_regions: Annotated[int, typer.Option(help="regions of a picture, as in training", min=1)] = 12,
    max_tokens: Annotated[int, typer.Option(help="tokens of a text, as in training", min=1)] = 70,
    factory: Annotated[str, typer.Option(help="faiss factory string")] = "Flat",
    absence: Learned = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="add new pictures to the index, drop deleted and changed ones")
    ] = False,
) -> None:
    """Makes a folder of pictures searchable with a trained model: detects, encodes, indexes."""
    if refresh:
        print(f"{drop_deleted(output):,} deleted or changed pictures dropped.", file=sys.stderr)
        _add(Searcher.load(output), [images])
        return
    require_replaceable(output, [images])
    if (output / SETTINGS_FILE).is_file():
        raise ValueError(
            f"{output} is an index already. Give --refresh to add new pictures to it and drop deleted and changed ones, or "
            "delete it, or name another folder."
        )
    if model is None:
        raise ValueError("a new index needs the folder of a trained model; give --model.")
    with new_folder(output) as target:
        pictures, left_out = build_index_folder(
            images,
            target,
            retriever=model,
            reranker=reranker,
            captions=captions,
            max_tokens=max_tokens,
            max_regions=max_regions,
            factory=factory,
            absence=absence,
        )
        report_left_out(left_out, used=f"{pictures:,} pictures", folder=output)


@verb(computes=True)
def gather_verb(
    data: Annotated[list[Path], typer.Option()],
    images: Annotated[list[Path], typer.Option(help="their regions, pixels or states, as the reranker reads them")],
    embeddings: Annotated[list[Path], typer.Option()],
    gallery: Annotated[str, typer.Option(help="dataset.split[+distractors][.captions per image]")],
    model: Model,
    backbone_settings: Annotated[str, typer.Option(help="the retriever's backbone's settings as JSON")],
    output: Annotated[Path, typer.Option(help="the index")],
    reranker: Reranker = None,
    reranker_max_tokens: Annotated[int | None, typer.Option(help="of a text, where not the retriever's")] = None,
    max_regions: int = 12,
    factory: Annotated[str, typer.Option(help="faiss factory string")] = "Flat",
    absence: Learned = None,
) -> None:
    """Makes splits searchable that the workflow has prepared, detected and encoded."""
    backbone = Reading.model_validate_json(backbone_settings)
    parsed = Gallery.parse(gallery)
    captioned = [folder for folder in data if len(read_captions(folder / "captions.jsonl"))]
    require_replaceable(output, data)
    with new_folder(output) as target:
        gather_index_folder(
            target,
            name=parsed.dataset,
            data=data,
            seen=images,
            embeddings=embeddings,
            captions=(
                read_gallery_captions(captioned, parsed, backbone.languages) if captioned else Captions((), (), (), ())
            ),
            retriever=model,
            reranker=reranker,
            max_tokens=backbone.max_tokens,
            reranker_max_tokens=reranker_max_tokens,
            tag_tokens=backbone.tags_read,
            max_regions=max_regions,
            factory=factory,
            absence=absence,
        )


@verb(computes=True, by_hand=True)
def search_verb(
    index: Index | None = None,
    words: Annotated[
        list[str] | None, typer.Argument(help="what to look for; several texts in quotes", metavar="[TEXT]...")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="a file of texts, one a line; -: from the input")] = None,
    image: Annotated[
        Path | None,
        typer.Option(help="a picture that asks for captions, or if there are none for pictures", exists=True),
    ] = None,
    k: Annotated[int, typer.Option(help="candidates that are re-ranked", min=1)] = 20,
    top: Annotated[int, typer.Option(help="answers shown", min=1)] = 10,
    false_alarms: Annotated[
        float, typer.Option(help="share of texts whose picture is there that may be told that nothing matches")
    ] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="both lists, scores and times as JSON")] = False,
    gallery: Annotated[
        list[Path] | None, typer.Option(help="pictures or folders to add to the index first, as new/*.jpg")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="a folder of pictures to search in without an index; --index keeps one of it")
    ] = None,
    retriever: Annotated[
        str | None, typer.Option(help="of these pictures: a model's folder, or its name on the hub")
    ] = None,
    reranker: Annotated[str | None, typer.Option(help="of these pictures, likewise")] = None,
) -> None:
    """Ranks an index's pictures for texts, or its captions for a picture; adds pictures to it before, if asked."""
    if index is not None and pictures is None:
        read_index_settings(index)  # names a wrong folder before anything is loaded
    asked, more = _words_and_pictures(words or [], adding=bool(gallery))
    wanted = [Query(text, depth=k, top=top, false_alarms=false_alarms) for text in texts_asked(asked, queries)]
    if image is not None:
        wanted.append(Query(image=image, depth=k, top=top, false_alarms=false_alarms))
    if not wanted and not gallery:
        raise ValueError('nothing is asked; give a text in quotes, --image or --gallery, as in search "a red car".')
    searcher = open_searcher(index, pictures, retriever, reranker)
    if gallery:
        _add(searcher, [*gallery, *more])
    if wanted:
        answers = searcher.search_many(wanted)
        print(answers_as_json(answers) if as_json else answers_as_text(wanted, answers))


def _words_and_pictures(words: list[str], *, adding: bool) -> tuple[list[str], list[Path]]:
    """The words asked, and the pictures that a shell made of ``--gallery new/*.jpg`` after the first."""
    pictures = [Path(word) for word in words if adding and Path(word).exists()]
    asked = [word for word in words if not (adding and Path(word).exists())]
    if gone := [word for word in asked if adding and Path(word).suffix.lower() in ENDINGS]:
        raise ValueError(f"{gone[0]} does not exist; what is to be added must.")
    return asked, pictures


def _add(searcher: Searcher, offered: list[Path]) -> None:
    paths: list[Path] = []
    left_out: list[LeftOut] = []
    for one in offered:
        pictures, others = list_pictures(one) if one.is_dir() else ({one.name: one}, [])
        paths += pictures.values()
        left_out += others
    added = searcher.add(paths)
    left_out += [LeftOut.file(fault.path, fault.reason, "broken pictures") for fault in added.broken]
    report_left_out(left_out, used=f"{len(paths) - len(added.broken):,} pictures")
    print(
        f"{len(added.ids)} pictures added, {len(added.known)} were there already; "
        f"the index has {len(searcher):,} pictures.",
        file=sys.stderr,
    )


@verb(computes=True, by_hand=True)
def serve_verb(
    index: Index,
    host: Annotated[
        str, typer.Option(help="this machine's address or name as those who may search call it")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free", min=0, max=65535)] = 8000,
) -> None:
    """Serves a page on this machine that searches an index: both stages side by side."""
    read_index_settings(index)  # names a wrong folder before anything is loaded
    with listening(host, port) as listener:
        application = create_app(Searcher.load(index), hosts=(*LOCAL_NAMES, host))
        print(f"Open http://{host}:{listener.getsockname()[1]}/ (end with Ctrl+C)", flush=True)
        with suppress(KeyboardInterrupt):  # which uvicorn raises again once it has stopped
            guarded(application).run(sockets=[listener])
