"""The photographs of the default dataset: fetched, verified and unpacked, never committed (they are GPL-2)."""

import hashlib
import io
import lzma
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from tqdm import tqdm

from reranksmart.files.writing import atomic_directory

DEBIAN_PACKAGE = "tuxpaint-stamps-default=2022.06.04-1"  # another version has other stamps, of which come other scenes
URLS = (
    "http://deb.debian.org/debian/pool/main/t/tuxpaint-stamps/tuxpaint-stamps-default_2022.06.04-1_all.deb",
    "https://sourceforge.net/projects/tuxpaint/files/tuxpaint-stamps/2022-06-04/tuxpaint-stamps-2022.06.04.tar.gz",
)
SHA256 = {
    "tuxpaint-stamps-default_2022.06.04-1_all.deb": "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
    "tuxpaint-stamps-2022.06.04.tar.gz": "842065576fae554358e00e51d71a492616a6490b12b592228067477c287a0bf8",
    "tuxpaint-stamps_2022.06.04.orig.tar.gz": "842065576fae554358e00e51d71a492616a6490b12b592228067477c287a0bf8",
}
_WANTED = {".png", ".txt"}
_MOST_BYTES, _MOST_BYTES_TOGETHER = 64 * 2**20, 2**30  # of one file, whose largest has 1 MB, and of all, 160 MB
_BY_HAND = (
    f"What to do: on any machine run `apt-get download {DEBIAN_PACKAGE}` or fetch {' or '.join(URLS)}, "
    "and give the path of that file (or of a folder with the unpacked stamps) as the source of the stamps."
)


def fetch_stamps(destination: Path, *, source: Path | None = None) -> Path:
    """``destination``, holding the pictures (.png) and names (.txt) of all stamps, by theme; all of them or nothing.

    ``source`` is a Debian package, an upstream ``.tar.gz`` or a folder. Without it, the package is downloaded with
    apt-get where it has this version, else from Debian's archive or the upstream archive from its project page. Raises ValueError where an archive is not
    what it should be, and FileNotFoundError naming everything that was tried where there is none.
    """
    with tempfile.TemporaryDirectory(prefix="stamps-") as scratch:
        archive = source if source is not None else _download(Path(scratch))
        if not archive.exists():
            raise FileNotFoundError(f"the stamps' source {archive} does not exist. {_BY_HAND}")
        with atomic_directory(destination) as target:
            count = 0
            for path, content in _wanted_files(archive):
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                (target / path).write_bytes(content)
                count += path.suffix == ".png"
            if count == 0:
                raise ValueError(f"{archive} holds no picture under a folder named 'stamps'. {_BY_HAND}")
    return destination


def _download(scratch: Path) -> Path:
    attempts = {"apt-get download": _download_with_apt} | {url: partial(_download_url, url) for url in URLS}
    tried = []
    for name, attempt in attempts.items():
        try:
            return attempt(scratch)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            tried.append(f"{name}: {_reason(error)}")
    raise FileNotFoundError("the stamps could not be fetched. Tried " + "; ".join(tried) + f". {_BY_HAND}")


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr or error.stdout or str(error)).strip().splitlines()[-1]
    return str(error)


def _download_with_apt(scratch: Path) -> Path:
    if shutil.which("apt-get") is None:
        raise FileNotFoundError("this machine has no apt-get")
    command = ["apt-get", "download", DEBIAN_PACKAGE]
    subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True, timeout=1800)
    found = list(scratch.glob("*.deb"))
    if not found:
        raise FileNotFoundError("apt-get left no package")
    return found[0]


def _download_url(url: str, scratch: Path) -> Path:
    path = scratch / url.rsplit("/", 1)[1]
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, path.open("wb") as file:
            size = int(answer.headers.get("Content-Length") or 0) or None
            with tqdm(total=size, unit="B", unit_scale=True, desc="download stamps", disable=None) as progress:
                while chunk := answer.read(1 << 20):
                    file.write(chunk)
                    progress.update(len(chunk))
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error
    verify_archive(path)
    return path


def verify_archive(path: Path) -> None:
    """Raises ValueError if the file has the name of a known archive but not its content."""
    expected = SHA256.get(path.name)
    if expected is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ValueError(
            f"{path} has the sha256 {found}, not {expected}: it is damaged or altered. Delete it and fetch it again."
        )


def _wanted_files(source: Path) -> Iterator[tuple[Path, bytes]]:
    """Path below the stamps' root and content of each picture and each name."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix in _WANTED and path.is_file():
                relative = PurePosixPath(path.relative_to(source).as_posix())
                yield Path(_below_stamps(relative) or relative), path.read_bytes()
        return
    verify_archive(source)
    try:
        with source.open("rb") as file, closing(_tar_of_package(file) if source.suffix == ".deb" else file) as stream:
            yield from _wanted_members(stream)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"{source} cannot be unpacked ({error}); it is damaged or no archive. {_BY_HAND}") from error


def _wanted_members(stream: IO[bytes]) -> Iterator[tuple[Path, bytes]]:
    """Only regular files are read, and their names are checked here: links and devices cannot get out."""
    with tarfile.open(fileobj=stream) as archive:
        together = 0
        for member in tqdm(archive, desc="unpack stamps", unit="file", disable=None):
            together += member.size
            if member.size > _MOST_BYTES or together > _MOST_BYTES_TOGETHER:
                raise ValueError(
                    f"the archive unpacks to too much: {member.name!r} alone has {member.size:,} bytes, all until there "
                    f"{together:,}; at most {_MOST_BYTES:,} and {_MOST_BYTES_TOGETHER:,} are read. {_BY_HAND}"
                )
            name = PurePosixPath(member.name)
            if not member.isreg() or name.suffix not in _WANTED:
                continue
            if name.is_absolute() or ".." in name.parts:
                raise ValueError(
                    f"the archive has a file that would land outside its folder: {member.name!r}. {_BY_HAND}"
                )
            content = archive.extractfile(member)
            relative = _below_stamps(name)
            if content is not None and relative is not None:
                yield Path(relative), content.read()


def _below_stamps(path: PurePosixPath) -> PurePosixPath | None:
    parts = path.parts
    return PurePosixPath(*parts[parts.index("stamps") + 1 :]) if "stamps" in parts[:-1] else None


def _tar_of_package(file: IO[bytes]) -> IO[bytes]:
    """The data archive inside a Debian package, which is an ``ar`` archive of three members."""
    if file.read(8) != b"!<arch>\n":
        raise ValueError(f"{file.name} is no Debian package. {_BY_HAND}")
    while header := file.read(60):
        if len(header) < 60 or header[58:] != b"`\n":
            break
        name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), int(header[48:58])
        if name.startswith("data.tar"):
            return io.BytesIO(file.read(size))
        file.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError(f"{file.name} is a damaged Debian package: it holds no data archive. {_BY_HAND}")
