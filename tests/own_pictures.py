"""A folder of a user's own: drawn pictures, captions, and models that read the detector's regions of them."""

import json
from pathlib import Path

from PIL import Image, ImageDraw

from reranksmart.families import single_stream
from reranksmart.inputs.tokenisers import train_wordpiece
from reranksmart.models.checkpoints import save_model
from reranksmart.models.single_stream_config import SingleStreamConfig

COLOURS = ("red", "green", "blue", "orange", "purple", "black", "brown", "gold")
SHAPES = ("ellipse", "rectangle")


def draw(path: Path, colour: str, shape: str) -> Path:
    """One shape on a pale ground."""
    picture = Image.new("RGB", (160, 120), "#eeeedd")
    getattr(ImageDraw.Draw(picture), shape)((40, 30, 115, 95), fill=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def draw_folder(folder: Path) -> Path:
    """Sixteen pictures in two folders, and ``captions.jsonl`` beside them."""
    lines = []
    for shape in SHAPES:
        for colour in COLOURS:
            name = f"{shape}s/{colour}.jpg" if shape == "ellipse" else f"{colour}.png"
            draw(folder / name, colour, shape)
            lines.append({"text": f"a {colour} {shape}", "image": name})
    (folder / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def save_untrained(folder: Path, *, seed: int) -> Path:
    """A small model with random weights and its tokeniser: what it finds means nothing, but is always the same."""
    texts = [f"a {colour} {shape}" for colour in COLOURS for shape in SHAPES]
    folder.mkdir(parents=True)
    tokeniser = train_wordpiece(texts, size=90)
    tokeniser.save_pretrained(folder)
    config = SingleStreamConfig(
        embedder="oscar",
        vocab_size=90,
        cls_id=2,
        sep_id=3,
        pad_id=0,
        hidden_size=32,
        layers=2,
        heads=2,
        intermediate_size=64,
        max_positions=90,
        feature_size=1280,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        head_dropout=0.0,
    )
    save_model(single_stream(config, seed=seed).eval(), folder)
    return folder
