"""How the report names things: systems, directions and numbers with their units."""

import math
from collections.abc import Mapping

SYSTEM_LABELS: Mapping[str, str] = {
    "ce": "CE",
    "be": "BE",
    "sep_coop": "Sep+Coop",
    "joint_be": "Joint+BE",
    "joint_ce": "Joint+CE",
    "joint_coop": "Joint+Coop",
    "joint_hard_be": "Joint+BE, hard negatives",
    "joint_hard_coop": "Joint+Coop, hard negatives",
}
LANGUAGES: Mapping[str, str] = {
    **{"en": "English", "de": "German", "fr": "French", "cs": "Czech", "es": "Spanish"},
    **{"id": "Indonesian", "ja": "Japanese", "ru": "Russian", "tr": "Turkish", "zh": "Chinese"},
}
DIRECTIONS: Mapping[str, str] = {
    "text-to-image": "IR (text-to-image)",
    "image-to-text": "TR (image-to-text)",
    "both": "both directions",
}
WAYS: Mapping[str, str] = {"text-to-image": "IR", "image-to-text": "TR"}
MISSING = "–"
# Of each unit the names in which a value is written: from which value on, and what it is divided by.
_SCALES: Mapping[str, tuple[tuple[float, float, str], ...]] = {
    "ms": ((0, 1, "ms"), (1000, 1000, "s"), (120_000, 60_000, "min"), (7_200_000, 3_600_000, "h")),
    "seconds": ((0, 1, "s"), (120, 60, "min"), (7200, 3600, "h")),
    "bytes": ((0, 1, "B"), (1e3, 1e3, "kB"), (1e6, 1e6, "MB"), (1e9, 1e9, "GB")),
}


def system_label(system: str, labels: Mapping[str, str] = SYSTEM_LABELS, *, depth: int = 0) -> str:
    """The system's name, with its depth k where it re-ranks."""
    name = labels.get(system, system)
    return f"{name}, k = {depth}" if depth else name


def fusion_label(fusion: str) -> str:
    """What a fusion key (method and the retriever's weight) says in words."""
    method, _, weight = fusion.partition(" ")
    if method == "calibrated":
        limit = {"": "", "pairs": "at most {} pairs a query on dev", "risk": "risk {} of losing a right answer"}
        name, _, value = weight.partition(" ")
        return ", ".join(filter(None, ("calibrated on dev", limit[name].format(value))))
    words = {
        "none": "reranker alone",
        "weighted": "weighted, normalised",
        "weighted_probability": "weighted, match probability + cosine",
        "reciprocal_rank": "reciprocal rank",
    }
    return f"{words.get(method, method)}, w = {weight}" if weight else words.get(method, method)


def plural(count: int, noun: str) -> str:
    """``1 seed``, ``1,500 captions``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def number(value: float, unit: str, *, measured: bool = False) -> str:
    """A value with its unit: percent without the sign, durations and sizes in the unit that reads best.

    Durations and sizes have three digits; zeros at their end are written where they were ``measured``.
    """
    if math.isinf(value):
        return "∞"
    if unit in _SCALES:
        divisor, name = scale_of(value, unit)
        return f"{_three_digits(value / divisor, measured=measured)} {name}"
    if unit == "percent":
        return f"{value:.1f}"
    if unit == "points":
        return f"{value:+.1f}".replace("-", "−")
    if unit == "p":
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    if unit in ("count", "rank"):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{value:.3g}"


def span(low: float, high: float, *, around: float, unit: str) -> str:
    """``[low, high]`` in the unit in which ``around`` is written, which is not repeated."""
    if unit in _SCALES:
        divisor, _ = scale_of(around, unit)
        return f"[{_three_digits(low / divisor, measured=True)}, {_three_digits(high / divisor, measured=True)}]"
    return f"[{number(low, unit)}, {number(high, unit)}]"


def scale_of(value: float, unit: str) -> tuple[float, str]:
    """The divisor and name of the unit in which ``value`` reads best."""
    _, divisor, name = [scale for scale in _SCALES[unit] if abs(value) >= scale[0]][-1]
    return divisor, name


def _three_digits(value: float, *, measured: bool) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".") if measured else f"{value:.3g}"
