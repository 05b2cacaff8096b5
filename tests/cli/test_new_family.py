"""A family that nobody thought of is one more module: nothing else is touched to convert and run its checkpoints."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from hub_folders import TEXTS
from small_networks import PATCH, SIDE
from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessorPil, ChineseCLIPModel

import reranksmart
from reranksmart.inputs.tokenisers import train_wordpiece

MODULE = '''
"""Chinese CLIP."""

from typing import ClassVar

from transformers import ChineseCLIPModel, PreTrainedModel

from reranksmart.families.clip import Clip
from reranksmart.values.facts import Facts

FACTS = Facts(sees="pixels", capabilities=("bi_encoder",), max_tokens=50)


class ChineseClip(Clip):
    """Chinese CLIP (Yang et al. 2022): CLIP with BERT as its text tower."""

    facts: ClassVar[Facts] = FACTS
    network_class: ClassVar[type[PreTrainedModel]] = ChineseCLIPModel
'''
CONVERT_AND_ENCODE = """
import sys
from pathlib import Path
import torch
from reranksmart.cli.backbones import convert_backbone_verb
from reranksmart.config.schema import Config
from reranksmart.families import load_model
from reranksmart.inputs.stored import TokenisedCaptions, open_tokeniser
from reranksmart.searching.models import as_captions
folder = Path(sys.argv[2])
convert_backbone_verb(settings=sys.argv[1], output=folder)
tokens = TokenisedCaptions.of(as_captions(["a red circle"]), open_tokeniser(folder), max_tokens=50)
with torch.no_grad():
    print(load_model(folder).encode_text(tokens.batch([0]))[0].tolist())
"""


def checkpoint(folder: Path) -> tuple[Path, ChineseCLIPModel]:
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokeniser = train_wordpiece(TEXTS, size=90)
    torch.manual_seed(0)
    network = ChineseCLIPModel(
        ChineseCLIPConfig(
            text_config={**sizes, "vocab_size": len(tokeniser), "pad_token_id": tokeniser.pad_token_id},
            vision_config={**sizes, "image_size": SIDE, "patch_size": PATCH},
            projection_dim=24,
        )
    ).eval()
    network.save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    ChineseCLIPImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder, network


def test_a_module_in_the_folder_of_families_is_all_that_a_new_one_needs(tmp_path: Path) -> None:
    source = Path(reranksmart.__file__).parent
    copied = shutil.copytree(source, tmp_path / "reranksmart", ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "families" / "chinese_clip.py").write_text(MODULE)
    folder, network = checkpoint(tmp_path / "checkpoint")
    settings = json.dumps({"family": "chinese_clip", "checkpoint": str(folder), "local_files_only": True})
    command = [sys.executable, "-c", CONVERT_AND_ENCODE, settings, tmp_path / "model"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = torch.tensor(json.loads(done.stdout))
    inputs = train_wordpiece(TEXTS, size=90)(["a red circle"], return_tensors="pt")
    with torch.no_grad():
        expected = network.get_text_features(inputs.input_ids, attention_mask=inputs.attention_mask).pooler_output[0]
    torch.testing.assert_close(found, expected / expected.norm(), atol=1e-6, rtol=1e-5)
