"""What a verb is told of a system's role: its model and what that reads."""

from pathlib import Path

from pydantic import BaseModel

from reranksmart.config.backbones import Reading


class Role(BaseModel):
    """One role of a timed system: its model, the images that it reads, the pixels behind them if they are states."""

    model: Path
    images: Path
    pixels: Path | None = None
    reading: Reading
