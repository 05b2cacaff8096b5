"""What a run shows, in sentences: one for each kind of comparison, then one for each claim."""

from collections.abc import Mapping, Sequence
from typing import Any

from reranksmart.report.labels import SYSTEM_LABELS, number, plural, span, system_label
from reranksmart.report.tables.claims import adjusted, joined
from reranksmart.values.frames import Frame

LEVEL = 0.05
_WAYS = ("text-to-image", "image-to-text")
Roles = Mapping[str, Mapping[str, str]]


def conclusion(
    comparisons: Frame,
    *,
    roles: Roles,
    labels: Mapping[str, str] = SYSTEM_LABELS,
    words: Mapping[str, str] | None = None,
) -> list[str]:
    """Of R@1 in points, p adjusted by Holm for all tests. ``roles``: of each system, the model of each of its roles;
    ``words``: how test sets are called, where they are."""
    found = adjusted(comparisons)
    found = found[found["measure"] == "R@1"]
    kinds: dict[str, list[dict[str, Any]]] = {}
    for line in found.to_dict("records"):
        kinds.setdefault(_kind(line, roles, labels), []).append(line)
    first = [f"{kind} {_both(lines)}." for kind, lines in kinds.items() if len(lines) > len(_WAYS)]
    keys = ["claim", "system_a", "system_b", "test_set", *(["fusion"] if "fusion" in found else [])]
    return [
        *first,
        *(_claim(own.to_dict("records"), labels, words or {}) for _, own in found.groupby(keys, sort=False)),
    ]


def _kind(line: Mapping[str, Any], roles: Roles, labels: Mapping[str, str]) -> str:
    """What the two systems differ in."""
    a, b = (dict(roles.get(line[name], {})) for name in ("system_a", "system_b"))
    if len(a) == 2 and b == {"retriever": a["retriever"]}:
        return "".join(["Re-ranking", *(f", {how}," for how in joined(line))])
    if len(a) == 2 and b == {"reranker": a["reranker"]}:
        return "Cooperation, beside scoring every pair,"
    return f"{system_label(line['system_a'], labels)}, beside {system_label(line['system_b'], labels)},"


def _both(lines: Sequence[Mapping[str, Any]]) -> str:
    ways = {way: [line for line in lines if line["direction"] == way] for way in _WAYS}
    return " and ".join(_range(own, way) for way, own in ways.items() if own)


def _range(lines: Sequence[Mapping[str, Any]], way: str) -> str:
    """``gains 7.6 to 7.8 points text-to-image``, and where luck would explain it."""
    points = sorted(round(float(line["difference"]), 1) for line in lines)
    if points[0] >= 0 or points[-1] <= 0:
        sizes = sorted(abs(point) for point in points)
        moved = "gains" if points[-1] > 0 else "loses" if points[0] < 0 else "changes"
    else:
        sizes, moved = points, "changes by"
    extent = " to ".join(dict.fromkeys(f"{size:.1f}".replace("-", "−") for size in (sizes[0], sizes[-1])))
    shown = sum(line["p_adjusted"] < LEVEL for line in lines)
    some = f"significant in {shown} of {plural(len(lines), 'test')}" if shown else "not significant"
    certain = "" if shown == len(lines) else f" ({some})"
    return f"{moved} {extent} points {way}{certain}" if moved != "changes" else f"changes nothing {way}"


def _claim(lines: Sequence[Mapping[str, Any]], labels: Mapping[str, str], words: Mapping[str, str]) -> str:
    first = lines[0]
    a, b = (system_label(first[name], labels) for name in ("system_a", "system_b"))
    limits = [*joined(first), *filter(None, [words.get(first["test_set"])])]
    where = f" ({', '.join(limits)})" if limits else ""
    claim = first["claim"][:1].upper() + first["claim"][1:]
    return f"{claim}? {a} against {b}{where}: {'; '.join(map(_verdict, lines))}."


def _verdict(line: Mapping[str, Any]) -> str:
    """``text-to-image higher, +8.0 (p < 0.001)``; with the interval where it holds of this test alone, or nothing is shown."""
    p, difference = number(line["p_adjusted"], "p"), number(line["difference"], "points")
    found = "higher" if line["difference"] > 0 else "lower"
    if line["p_adjusted"] >= LEVEL:
        found = f"{found} by this test alone" if line["p_value"] < LEVEL else "no difference shown"
        difference += f" {span(line['low'], line['high'], around=line['difference'], unit='points')}"
    told = [f"p {p}" if p.startswith("<") else f"p = {p}"]
    told += [f"this sign in {line['seeds_of_sign']} of {line['seeds']} seeds"] if line["seeds"] > 1 else []
    return f"{line['direction']} {found}, {difference} ({', '.join(told)})"
