"""What ``transformers`` reads from a hub or a folder, with one error for all that can be missing there."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from huggingface_hub import snapshot_download
from transformers.utils import logging

from reranksmart.files.checkpoint_folder import missing_weights
from reranksmart.files.download_size import download_size
from reranksmart.files.reading import said


@contextmanager
def from_hub(source: str, *, local_files_only: bool) -> Iterator[None]:
    """Quiet reading of ``source``, a folder or a name on the hub: FileNotFoundError where it cannot be had.

    ValueError where it is there and cannot be read.
    """
    verbosity = logging.get_verbosity()
    progress = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except OSError as error:
        raise FileNotFoundError(
            f"{source} cannot be had ({said(error)}). A checkpoint is a folder with config.json, its weights "
            "(model.safetensors), its tokeniser and preprocessor_config.json, or a name on huggingface.co such as "
            f"Salesforce/blip-itm-base-coco. {_remedy(source, local_files_only)}"
        ) from error
    except Exception as error:  # parsers raise nearly every type on a broken file
        raise ValueError(
            f"{source} cannot be read ({said(error)}). The files must be those of one "
            "checkpoint in transformers' layout. Fetch them again, or name another checkpoint."
        ) from error
    finally:
        logging.set_verbosity(verbosity)
        if progress:
            logging.enable_progress_bar()


@contextmanager
def running_no_code(source: str | Path) -> Iterator[None]:
    """ValueError that says what was refused where ``transformers`` would run code that lies with the files it reads."""
    try:
        yield
    except ValueError as error:
        if not any("trust_remote_code" in str(one) for one in (error, error.__cause__)):
            raise
        raise ValueError(
            f"{source} asks to run Python code of its own (`auto_map` in its JSON files), which is refused: a picture, a "
            "tokeniser or a model is read here and never run. Take a checkpoint of a kind that transformers itself knows; "
            "delete the `auto_map` if its class is one of those."
        ) from error


def checkpoint_folder(source: str, *, local_files_only: bool) -> Path:
    """The folder of a checkpoint: ``source`` itself, or that of a name in the hub's cache, fetched if need be and may.

    FileNotFoundError naming it where it cannot be had.
    """
    if Path(source).is_dir():
        return Path(source)
    with suppress(OSError, ValueError):  # what the cache has whole needs no network
        cached = Path(snapshot_download(source, local_files_only=True))
        if not missing_weights(cached):
            return cached
    with from_hub(source, local_files_only=local_files_only):
        try:
            found = Path(snapshot_download(source, local_files_only=local_files_only))
        except ValueError as error:  # a path is no name of the hub
            raise OSError(f"it is no folder, and no name on the hub: {error}") from error
        if missing := missing_weights(found):
            raise OSError(f"of its weights {missing[0]} is not in the hub's cache, {found}")
        return found


def _remedy(source: str, local_files_only: bool) -> str:
    if Path(source).is_dir():
        return "Put the missing file into that folder."
    if local_files_only:
        return (
            f"Only local files are allowed here: where there is a network, `hf download {source} --local-dir FOLDER` "
            f"({download_size(source)}), then name that folder; or set local_files_only to false."
        )
    return (
        f"Check the name and the network, or fetch it elsewhere (`hf download {source} --local-dir FOLDER`, "
        f"{download_size(source)}) and name that folder."
    )
