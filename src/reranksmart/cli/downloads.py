"""Verbs that bring published files into the download folder, which outlives every job, and record what lies there."""

from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import verb
from reranksmart.config.datasets import Downloads
from reranksmart.datasets.fetched.archives import folder_of, unpack
from reranksmart.datasets.fetched.downloads import fetch, recorded
from reranksmart.datasets.fetched.sources import SOURCES, read_sources, sources_below
from reranksmart.files.storage import read_json, write_json


@verb()
def download_verb(
    source: Annotated[str, typer.Option(help="a file of the table of sources, or a folder of such files")],
    settings: Annotated[str, typer.Option(help="the download settings as JSON")],
    output: Annotated[Path, typer.Option(help="the record: each file's path, size and checksum")],
) -> None:
    """Fetches and verifies published files; what lies there already is verified and used."""
    downloads = Downloads.model_validate_json(settings)
    folder = Path(downloads.folder)
    wanted = sources_below(source, read_sources(Path(downloads.sources) if downloads.sources else SOURCES))
    for one in wanted:
        fetch(
            one,
            folder,
            accepted=downloads.accept,
            attempts=downloads.attempts,
            timeout_s=downloads.timeout_s,
            wait_s=downloads.wait_s,
        )
    write_json(output, {one.file: recorded(one, folder) for one in wanted})


@verb()
def unpack_verb(
    download: Annotated[Path, typer.Option(help="the record of the archive's download")],
    folder: Annotated[Path, typer.Option(help="the download folder")],
    output: Annotated[Path, typer.Option(help="the record: how many files were unpacked, and from what")],
) -> None:
    """Unpacks a fetched archive into the folder of its name beside it."""
    ((file, found),) = read_json(download).items()
    archive = folder / file
    count = unpack(archive, Path(folder_of(str(archive))))
    write_json(output, {"archive": file, "files": count, **found})
