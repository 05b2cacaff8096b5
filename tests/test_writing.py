import errno
import os
import re
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from reranksmart.files import writing


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    with writing.atomic_directory(tmp_path / "folder") as target:
        (target / "file").write_text("old")

    def fail(target):
        (target / "file").write_text("new")
        raise RuntimeError

    with pytest.raises(RuntimeError), writing.atomic_directory(tmp_path / "folder") as target:
        fail(target)
    assert (tmp_path / "folder" / "file").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("leads_somewhere", [True, False])
def test_a_folder_takes_the_place_of_a_link_and_spares_what_it_led_to(leads_somewhere, tmp_path):
    if leads_somewhere:
        (tmp_path / "elsewhere").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "elsewhere")
    with writing.atomic_directory(tmp_path / "folder") as target:
        (target / "file").touch()
    assert (tmp_path / "folder" / "file").exists()
    assert {entry.name for entry in tmp_path.iterdir()} == {"folder", *["elsewhere"] * leads_somewhere}
    assert not list(tmp_path.glob("elsewhere/*"))


def test_what_is_added_to_a_folder_comes_under_its_name_with_the_rest_of_it(tmp_path):
    def write(folder, *, whole):
        with writing.atomic_directory(folder) as outer:
            with writing.atomic_directory(outer) as inner:
                (inner / "features").write_text("f")
            assert not folder.exists()
            if not whole:
                raise KeyboardInterrupt
            (outer / "provenance.json").write_text("{}")

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "folder", whole=False)
    assert not list(tmp_path.iterdir())
    write(tmp_path / "folder", whole=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["features", "folder", "provenance.json"]


@pytest.mark.parametrize(("umask", "file", "folder"), [(0o077, 0o600, 0o700), (0o002, 0o664, 0o775)])
def test_what_is_written_can_be_read_by_whom_the_umask_says(umask, file, folder, tmp_path):
    before = os.umask(umask)
    try:
        with writing.atomic_directory(tmp_path / "folder") as target, writing.atomic_path(target / "file") as inner:
            inner.write_text("mine")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == folder
    assert stat.S_IMODE((tmp_path / "folder" / "file").stat().st_mode) == file


def test_a_folder_stays_its_groups(tmp_path):
    tmp_path.chmod(0o2775)
    with writing.atomic_directory(tmp_path / "folder") as target:
        (target / "file").touch()
    assert (tmp_path / "folder").stat().st_mode & stat.S_ISGID


@pytest.mark.parametrize("written", [writing.atomic_path, writing.atomic_directory])
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_said_with_what_to_do(written, fault, tmp_path):
    with (
        pytest.raises(OSError, match=rf"made cannot be written: {os.strerror(fault)}\. .* give the same command again"),
        written(tmp_path / "made"),
    ):
        raise OSError(fault, "some library's words")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_is_said_also_where_a_library_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(OSError, match="No space left on device"), writing.atomic_path(tmp_path / "made"):
        raise RuntimeError("enforce fail at inline_container.cc")


def test_another_fault_while_writing_stays_itself(tmp_path):
    with pytest.raises(RuntimeError, match="diverged"), writing.atomic_path(tmp_path / "made"):
        raise RuntimeError("diverged")


WRITER = """
import sys
from pathlib import Path
from reranksmart.files.writing import atomic_directory
with atomic_directory(Path(sys.argv[2])) as target:
    print("writing", flush=True)
    (target / "by").write_text(sys.argv[1])
    sys.stdin.read()
"""


def writer(name, folder):
    """A process that writes the folder as soon as it may, until its input ends."""
    command = [sys.executable, "-c", WRITER, name, str(folder)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )


def test_a_second_writer_waits_and_says_who_holds_the_folder(tmp_path):
    folder = tmp_path / "folder"
    with writer("first", folder) as first, writer_after(first, "second", folder) as second:
        said = second.stderr.readline()
        assert re.search(rf"folder is being written by -c first on \S+, process {first.pid}, since \d{{4}}-", said)
        assert not folder.exists()
        first.communicate()
        assert (folder / "by").read_text() == "first"
        second.communicate()
    assert (folder / "by").read_text() == "second"
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def writer_after(first, name, folder):
    assert first.stdout.readline() == "writing\n"
    return writer(name, folder)


def test_a_killed_writer_holds_nothing(tmp_path):
    folder = tmp_path / "folder"
    with writer("first", folder) as first:
        assert first.stdout.readline() == "writing\n"
        first.kill()
    with writer("second", folder) as second:
        assert second.communicate() == ("writing\n", "")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_many_writers_take_turns(tmp_path):
    """Each removes its lock's file as it ends, for which others wait: no two may hold one name."""
    folder = tmp_path / "folder"
    writers = [writer(str(number), folder) for number in range(6)]
    for each in writers:
        each.stdin.close()
    for each in writers:
        assert each.wait(timeout=60) == 0, each.stderr.read()
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]
