"""Published models with and without re-ranking, with what they cost and under which licence they are."""

from collections.abc import Mapping

from pydantic import Field

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.scope import MEASURES, SHORT_COLUMNS, by_system, sizes
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.values.frames import Frame
from reranksmart.values.settings import Frozen


class Weights(Frozen):
    """What is known of a backbone's weights."""

    licence: str = Field(description="of the weights, as their publisher gives it")
    published: str = Field("", description="its authors' results; all of them where they give several of one thing")


class Settings(TableOfExperiments):
    models: Mapping[str, Weights] = Field({}, description="by the backbone's name")


def with_and_without_table(measures: Frame, asked: Asked) -> Table:
    """A group of rows for each test set: the retriever alone, then with each reranker at each depth."""
    chosen = asked.rows(measures, "depth", "test_set")
    rows = [
        _row(asked, found, system, int(depth), label or test_set)
        for test_set, label in asked.test_sets
        for system, of_system in by_system(chosen[chosen["test_set"] == test_set], asked.systems)
        for depth, found in of_system.groupby("depth")
    ]
    return asked.table(
        "Today's models with and without re-ranking",
        (
            *SHORT_COLUMNS,
            Column("pairs", "pairs a query", unit="count", in_paper=False),
            Column("licence", "licence", unit="words", in_paper=False),
            Column("published", "published", unit="words", in_paper=False),
        ),
        rows,
        f"{MEASURES} Pairs a query: what is scored beside the search. Licence: of the weights. Published: what the authors "
        f"of the model in the last stage give, on the test that is named. {sizes(chosen)}",
    )


def _row(asked: Asked, found: Frame, system: str, depth: int, group: str) -> Row:
    both = found[found["direction"] == "both"].iloc[0]
    roles = [asked.roles[system][role] for role in ("retriever", "reranker") if role in asked.roles[system]]
    stages = [path.split("/")[0] or asked.named_scope.backbone for path in roles]
    known = [Weights.model_validate(asked.settings["models"][own]) for own in stages if own in asked.settings["models"]]
    texts = ("; ".join(dict.fromkeys(one.licence for one in known)), known[-1].published if known else "")
    row = asked.row(found, system, SHORT_COLUMNS, depth=depth, group=group)
    unknown = Cell(missing="not known to this project")
    return row.beside(
        Cell(value=float(both["pairs_scored"] / both["queries"])),
        *(Cell(text=said) if said else unknown for said in texts),
    )


KIND = Kind(
    Settings,
    reads=(measures(),),
    make=with_and_without_table,
    shows={"test_sets": (1, None)},
    names_all_test_sets=True,
)
