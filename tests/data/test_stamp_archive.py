"""Fetching and unpacking: whole, safe, and clear about what failed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from reranksmart.datasets.composed import stamp_archive
from reranksmart.datasets.composed.stamp_archive import fetch_stamps, verify_archive

FILES = {
    "animals/goat.png": b"goat pixels",
    "animals/goat.txt": b"A goat.",
    "animals/goat_desc.ogg": b"sound",
}


def tar_of(files: Mapping[str, bytes], *, root: str, compression: str = "gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{root}{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def package_of(files: Mapping[str, bytes]) -> bytes:
    """A Debian package: an ar archive whose members are padded to even lengths."""
    data = tar_of(files, root="./usr/share/tuxpaint/stamps/", compression="xz")
    parts = [b"!<arch>\n"]
    for name, content in (("debian-binary", b"2.0"), ("control.tar.xz", b"control"), ("data.tar.xz", data)):
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        parts += [header, content, b"\n" * (len(content) % 2)]
    return b"".join(parts)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WANTED = {name: content for name, content in FILES.items() if not name.endswith(".ogg")}


def test_a_package_an_archive_and_a_folder_give_the_same_pictures_and_names(tmp_path: Path) -> None:
    (tmp_path / "s.deb").write_bytes(package_of(FILES))
    (tmp_path / "s.tar.gz").write_bytes(tar_of(FILES, root="tuxpaint-stamps-1/stamps/"))
    for name, content in FILES.items():
        path = tmp_path / "unpacked" / "stamps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for source in ("s.deb", "s.tar.gz", "unpacked", "unpacked/stamps"):
        made = fetch_stamps(tmp_path / "out", source=tmp_path / source)
        assert contents(made) == WANTED, source


def test_a_name_that_leaves_the_folder_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    archive = tmp_path / "s.tar.gz"
    archive.write_bytes(tar_of({**FILES, "../../evil.png": b"!"}, root="x/stamps/"))
    with pytest.raises(ValueError, match="outside its folder"):
        fetch_stamps(tmp_path / "deep" / "out", source=archive)
    assert list((tmp_path / "deep").iterdir()) == []


def test_links_are_not_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "s.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        link = tarfile.TarInfo("x/stamps/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        made.addfile(link)
        real = tarfile.TarInfo("x/stamps/real.png")
        made.addfile(real, io.BytesIO())
    assert contents(fetch_stamps(tmp_path / "out", source=archive)) == {"real.png": b""}


@pytest.mark.parametrize(("name", "cut"), [("s.deb", 200), ("s.deb", 40), ("s.tar.gz", 100), ("s.tar.gz", 0)])
def test_a_truncated_archive_is_an_error_that_names_it_and_leaves_nothing(tmp_path: Path, name: str, cut: int) -> None:
    whole = package_of(FILES) if name.endswith("deb") else tar_of(FILES, root="x/stamps/")
    (tmp_path / name).write_bytes(whole[:cut])
    with pytest.raises(ValueError, match=name):
        fetch_stamps(tmp_path / "out", source=tmp_path / name)
    assert not (tmp_path / "out").exists()


def test_an_archive_without_stamps_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "s.tar.gz").write_bytes(tar_of(FILES, root="other/"))
    with pytest.raises(ValueError, match="holds no picture"):
        fetch_stamps(tmp_path / "out", source=tmp_path / "s.tar.gz")


def test_a_known_archive_with_another_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tuxpaint-stamps-default_2022.06.04-1_all.deb"
    path.write_bytes(package_of(FILES))
    with pytest.raises(ValueError, match="damaged or altered"):
        verify_archive(path)


def test_a_failed_fetch_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "s.tar.gz").write_bytes(tar_of(FILES, root="x/stamps/"))
    fetch_stamps(tmp_path / "out", source=tmp_path / "s.tar.gz")
    (tmp_path / "bad.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"bad\.tar\.gz"):
        fetch_stamps(tmp_path / "out", source=tmp_path / "bad.tar.gz")
    assert contents(tmp_path / "out") == WANTED


def test_a_missing_source_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.deb does not exist.*give the path"):
        fetch_stamps(tmp_path / "out", source=tmp_path / "nowhere.deb")


def test_without_apt_the_first_archive_that_answers_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "upstream.tar.gz"
    archive.write_bytes(tar_of(FILES, root="x/stamps/"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(stamp_archive, "URLS", ((tmp_path / "gone.deb").as_uri(), archive.as_uri()))
    assert contents(fetch_stamps(tmp_path / "out")) == WANTED


def test_only_the_version_that_the_scenes_are_made_of_is_asked_of_apt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho \"E: Version of '$2' was not found\" >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr(stamp_archive, "URLS", ())
    with pytest.raises(FileNotFoundError, match=r"Version of 'tuxpaint-stamps-default=2022\.06\.04-1' was not found"):
        fetch_stamps(tmp_path / "out")


def test_where_nothing_works_the_error_names_all_that_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(stamp_archive, "URLS", ((tmp_path / "gone.tar.gz").as_uri(),))
    with pytest.raises(FileNotFoundError, match=r"no apt-get.*gone\.tar\.gz.*What to do"):
        fetch_stamps(tmp_path / "out")
