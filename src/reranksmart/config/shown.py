"""What the table of an experiment can show of it."""

from __future__ import annotations

from reranksmart.config.experiments import Experiment

_SHOWN_BY_NAME = {
    *("main", "main_exhaustive", "languages", "transfer", "enlarged_gallery", "sample_efficiency", "depth", "fusion"),
    *("hard_negatives", "twins", "eccv_caption", "cxc", "distillation", "cached_layers"),
}
_SEVERAL = {
    "sample_efficiency": ("training_sets",),
    "shown as transfer": ("training_sets", "test_sets"),
    "shown as enlarged_gallery": ("test_sets",),
}


def require_all_shown(name: str, experiment: Experiment) -> None:
    """ValueError where a table would leave out a training set or test set that the experiment names.

    Experiments of other names, that do not say what they are shown as, have no table: only their measures are made.
    """
    shown = experiment.shown_as
    if shown is None and name not in _SHOWN_BY_NAME:
        return
    able = (*_SEVERAL.get(shown or name, ()), *_SEVERAL.get(f"shown as {shown}", ()))
    for key in ("training_sets", "test_sets"):
        named = getattr(experiment, key)
        if len(named) > 1 and key not in able:
            raise ValueError(
                f"experiments.{name}.{key}: the table shows one, and {list(named)} are {len(named)}; leave one here, and "
                "write an experiment of another name with shown_as for the others"
            )
