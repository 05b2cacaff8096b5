"""The verb that reads published region features into a split's region store."""

from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.prepared.layout import read_image_ids
from reranksmart.datasets.published.texts import read_lines
from reranksmart.regions.formats.importing import import_regions
from reranksmart.regions.settings import RegionFiles


@verb()
def import_regions_verb(
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    split: Annotated[str, typer.Option()],
    settings: Annotated[str, typer.Option(help="the dataset's region files as JSON")],
    output: NewFolder,
) -> None:
    """Reads the regions of a split's images from published files; a missing image is an error that names it."""
    files = RegionFiles.model_validate_json(settings)
    names = (
        [line.strip() for line in read_lines(Path(files.labels))] if files.labels and files.format != "vinvl" else ()
    )
    import_regions(files, split, output, image_ids=read_image_ids(data), class_names=names)
