"""Beyond the paper: hard negatives judged by the cross-encoder, with labels hidden on purpose."""

from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, Reads, TableOfExperiments
from reranksmart.report.labels import plural
from reranksmart.report.reading import read_frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.values.frames import Frame


def judged_negatives_table(judged: Frame, asked: Asked) -> Table:
    """A row for each bound: what is left out of the captions mined for images, in the mean over seeds."""
    seeds = judged["seed"].nunique()
    columns = (
        Column("false", "false negatives left out", in_paper=False),
        Column("lost", "true negatives lost", in_paper=False),
        Column("before", "false among mined, before", in_paper=False),
        Column("after", "after", in_paper=False),
    )
    rows = []
    for bound, own in judged.groupby("below"):
        hidden, out = own["hidden"], own["hidden left out"]
        wrong, lost = own["true negatives"], own["true negatives left out"]
        left = (hidden - out + wrong - lost).clip(lower=1)
        shares = (
            out / hidden.clip(lower=1),
            lost / wrong.clip(lower=1),
            hidden / (hidden + wrong),
            (hidden - out) / left,
        )
        cells = [
            Cell(value=100 * float(share.mean()), sd=100 * float(share.std()) if seeds > 1 else None)
            for share in shares
        ]
        rows.append(Row(f"{bound:g}", f"{bound:g}", tuple(cells)))
    return asked.table(
        "Beyond the paper: hard negatives judged by the cross-encoder",
        columns,
        rows,
        "Half of the labels of dev are hidden, the joint model mines captions for its images, and its cross-encoder "
        "leaves out those to which it gives at least the bound's share of the match probability of the image's own captions. "
        f"False negatives: captions whose hidden label says that they are true. In percent; {plural(seeds, 'seed')}, "
        f"{plural(int(judged['images'].max()), 'image')}, {int(judged['hidden'].mean()):,} false negatives among those mined.",
        header="bound",
    )


def require_joint(config: Any, path: str, entry: TableOfExperiments) -> None:
    """ValueError where a system's negatives are not mined and judged by one model."""
    for name in entry.experiments:
        for system in config.experiments[name].systems:
            roles = config.systems[system].roles("")
            if len(roles) < 2 or len(set(roles.values())) > 1:
                raise ValueError(
                    f"experiments.{name}: {path} shows joint models that both mine and judge, and system {system!r} is none; "
                    "name systems whose retriever is their reranker"
                )


KIND = Kind(
    TableOfExperiments,
    reads=(Reads(lambda places: places.judged(), "judged.csv", read_frame),),
    make=judged_negatives_table,
    check=require_joint,
)
