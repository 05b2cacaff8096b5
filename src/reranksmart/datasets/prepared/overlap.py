"""Images that two splits share, within and across datasets: one photograph has one id wherever it is used."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

_SHOWN = 3


@dataclass(frozen=True)
class Overlap:
    """The images that ``first`` and ``second`` share, sorted, and how many different ones each has."""

    first: str
    second: str
    shared: tuple[str, ...]
    first_size: int
    second_size: int

    def __str__(self) -> str:
        shown = ", ".join(self.shared[:_SHOWN]) + (", ..." if len(self.shared) > _SHOWN else "")
        listed = f" ({shown})" if self.shared else ""
        return (
            f"{self.first} and {self.second} share {len(self.shared):,} of {self.first_size:,} and "
            f"{self.second_size:,} images{listed}"
        )


def overlap(first: str, first_images: Iterable[str], second: str, second_images: Iterable[str]) -> Overlap:
    """The images that two named lists of ids share; ids may repeat, as those of captions do."""
    ours, theirs = set(first_images), set(second_images)
    return Overlap(first, second, tuple(sorted(ours & theirs)), len(ours), len(theirs))


def overlaps(images: Mapping[str, Iterable[str]]) -> list[Overlap]:
    """The overlap of every two of the named lists of image ids, also where it is empty."""
    sets = {name: set(ids) for name, ids in images.items()}
    return [overlap(first, sets[first], second, sets[second]) for first, second in combinations(sets, 2)]


def find_leaks(
    trained: Mapping[str, Iterable[str]],
    tested: Mapping[str, Iterable[str]],
    *,
    allowed: Collection[tuple[str, str]] = (),
) -> list[Overlap]:
    """The allowed overlaps of what is trained or selected on with what is tested on, for the tables to mark.

    ``allowed`` holds (trained, tested) names. ValueError lists every other overlap: which splits share how many images.
    """
    train_sets = {name: set(ids) for name, ids in trained.items()}
    test_sets = {name: set(ids) for name, ids in tested.items()}
    for pair in allowed:
        if pair[0] not in train_sets or pair[1] not in test_sets:
            raise ValueError(
                f"the allowed overlap {pair} is between no two splits; there are {list(train_sets)} to train and "
                f"{list(test_sets)} to test on. Name one of each."
            )
    found = [
        shared
        for train, train_images in train_sets.items()
        for test, test_images in test_sets.items()
        if (shared := overlap(train, train_images, test, test_images)).shared
    ]
    refused = [shared for shared in found if (shared.first, shared.second) not in allowed]
    if refused:
        listed = "".join(f"\n  {shared}" for shared in refused)
        raise ValueError(
            f"a model would be tested on images that it was trained on:{listed}\nUse splits that share none, or allow "
            "the overlap by name."
        )
    return found
