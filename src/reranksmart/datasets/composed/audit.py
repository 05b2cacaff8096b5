"""Proof that splits of composed scenes share no scene, no held-out stamp and, with train and dev, no text."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from reranksmart.datasets.composed.scenes import read_scenes
from reranksmart.datasets.composed.stamps import Stamp
from reranksmart.datasets.prepared.audit import require_new
from reranksmart.files.storage import read_captions


def audit_scenes(folders: Mapping[str, Path], *, unseen_stamps: Iterable[Stamp]) -> dict[str, int]:
    """How many layouts, stamps and caption texts were compared, after proving three things, or ValueError.

    No two scenes are the same; a held-out stamp is shown in the split ``unseen``, in pretraining and nowhere else; no
    text of pretraining, train or dev is a text of any other split.
    """
    held_out = {stamp.id for stamp in unseen_stamps}
    layouts: dict[tuple[object, ...], str] = {}
    used: set[str] = set()
    texts = {split: set(read_captions(folder / "captions.jsonl").texts) for split, folder in folders.items()}
    for split, folder in folders.items():
        for scene in read_scenes(folder / "scenes.jsonl"):
            require_new(layouts, tuple(sorted(scene.objects, key=repr)), scene.image_id, "the same objects and places")
            for item in scene.objects:
                used.add(item.stamp_id)
                if split != "pretrain" and (item.stamp_id in held_out) != (split == "unseen"):
                    kind = "held out" if item.stamp_id in held_out else "not held out"
                    raise ValueError(f"{scene.image_id} of split {split!r} shows {item.stamp_id!r}, which is {kind}.")
    for split in {"pretrain", "train", "dev"} & set(folders):
        for other in set(folders) - {split}:
            if shared := texts[split] & texts[other]:
                raise ValueError(f"splits {split!r} and {other!r} share {len(shared)} captions, as {min(shared)!r}.")
    return {"layouts": len(layouts), "stamps": len(used), "texts": len(set().union(*texts.values()))}
