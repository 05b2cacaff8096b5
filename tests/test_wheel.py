"""The package without its checkout: its wheel, in an environment and a folder of their own, searches pictures."""

from __future__ import annotations

import json
import re
import shutil
import site
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import own_pictures
import pytest
from running import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program ``reranksmart`` of an environment that holds the wheel, and sees what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    quiet = ["--quiet", "--no-deps"]
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, "wheel", *quiet, "--no-build-isolation", "--wheel-dir", folder, source], check=True)
    venv.create(folder / "venv", symlinks=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", *quiet, wheel], check=True)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text("".join(f"{path}\n" for path in site.getsitepackages()))
    return folder / "venv" / "bin" / "reranksmart"


@pytest.mark.slow
def test_the_wheel_alone_indexes_searches_and_serves_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    own_pictures.draw_folder(tmp_path / "pictures")
    own_pictures.save_untrained(tmp_path / "model", seed=1)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}

    def said(*words: str) -> str:
        done = subprocess.run([installed, *words], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said("gallery", "--images", "pictures", "--model", "model", "--output", "mine.index")
    found = json.loads(said("search", "a gold ellipse", "--index", "mine.index", "--json"))
    assert len((found[0] if isinstance(found, list) else found)["reranked"]) == 10
    assert "mteb" in said("export", "--help")
    serving = subprocess.Popen(
        [installed, "serve", "--index", "mine.index", "--port", "0"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert serving.stdout
        lines = iter(serving.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://[\d.:]+", line)))
        with urllib.request.urlopen(f"{address}/api/about") as answer:
            assert json.load(answer)["pictures"] == len(own_pictures.COLOURS) * len(own_pictures.SHAPES)
    finally:
        serving.terminate()
        serving.wait(timeout=60)
