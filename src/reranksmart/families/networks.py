"""The backbones of ``transformers`` by name."""

from __future__ import annotations

from reranksmart.families.blip import Blip
from reranksmart.families.blip2 import Blip2
from reranksmart.families.bridgetower import BridgeTower
from reranksmart.families.lxmert import Lxmert
from reranksmart.families.two_tower import Clip, Siglip, SiglipNaflex
from reranksmart.families.vilt import Vilt
from reranksmart.families.visual_bert import VisualBert
from reranksmart.models.pretrained import Pretrained

FAMILIES: dict[str, type[Pretrained]] = {
    "clip": Clip,
    "siglip": Siglip,
    "siglip2_naflex": SiglipNaflex,
    "blip": Blip,
    "blip2": Blip2,
    "vilt": Vilt,
    "bridgetower": BridgeTower,
    "visualbert": VisualBert,
    "lxmert": Lxmert,
}


def family(name: str) -> type[Pretrained]:
    """The class of a family; ValueError with the known ones."""
    if name not in FAMILIES:
        raise ValueError(f"no backbone family is called {name!r}; choose one of {sorted(FAMILIES)}")
    return FAMILIES[name]
