"""A half-done training is continued only where it is the same one."""

from pathlib import Path

import pytest

from reranksmart.cli.training import _what_is_trained
from reranksmart.provenance import write_provenance

INPUTS = ("backbone", "captions", "images")


def made(folder: Path, **settings: str) -> list[Path]:
    for name in INPUTS:
        (folder / name).mkdir(parents=True)
        write_provenance(folder / name, verb="make", code="c", settings=settings.get(name, "{}"))
    return [folder / name for name in INPUTS]


@pytest.mark.parametrize("changed", INPUTS)
def test_a_training_on_inputs_made_otherwise_is_another_one(changed: str, tmp_path: Path) -> None:
    first, again, other = made(tmp_path / "a"), made(tmp_path / "b"), made(tmp_path / "c", **{changed: "more steps"})
    assert _what_is_trained(first, ["s"]) == _what_is_trained(again, ["s"])
    assert _what_is_trained(first, ["s"]) != _what_is_trained(other, ["s"])
