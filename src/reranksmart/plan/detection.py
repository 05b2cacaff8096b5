"""How regions are detected: by which program, in which environment, from which settings."""

import shlex
from pathlib import Path

from reranksmart.config.schema import Config
from reranksmart.files.code import code_digest
from reranksmart.plan.names import settings

_SOURCE = Path(__file__).parents[2]


def detects_with_torchvision(config: Config) -> bool:
    return config.regions.detector != "selective_search"


def detection_settings(config: Config) -> str:
    """What regions are made from: of selective search, as before there were other detectors."""
    if not detects_with_torchvision(config):
        return settings(config.regions.model_dump(include={"maximum", "shards"}))
    return settings(config.regions.model_dump(exclude={"python"}))


def detection_command(config: Config) -> str:
    """The program and verb; a trained detector's environment has torchvision, but not this package."""
    if not detects_with_torchvision(config):
        return "reranksmart extract-regions"
    return f"PYTHONPATH={shlex.quote(str(_SOURCE))} {shlex.quote(config.regions.python)} -m reranksmart detect-regions"


def detection_environment(config: Config) -> str:
    """The conda environment of detection, from the folder of the rules."""
    return f"../../envs/{'detector' if detects_with_torchvision(config) else 'reranksmart'}.yaml"


def detection_code(config: Config) -> str:
    return code_digest("detect-regions" if detects_with_torchvision(config) else "extract-regions")


def detection_resources(config: Config) -> dict[str, int]:
    """Memory in MB, minutes and GPUs of one shard; a GPU is asked for only where the configuration insists on one."""
    if not detects_with_torchvision(config):
        return {"mem_mb": 2000, "runtime": 240, "gpu": 0}
    return {"mem_mb": 8000, "runtime": 1440, "gpu": int(config.regions.device == "cuda")}
