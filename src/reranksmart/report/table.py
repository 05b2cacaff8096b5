"""A table of the report as values: rows of cells, each with its interval and the paper's value."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Column:
    """What a column holds: ``key`` as in the paper's numbers, a label, the unit, and whether the paper could have it."""

    key: str
    label: str
    unit: str = "percent"
    in_paper: bool = True


@dataclass(frozen=True)
class Cell:
    """One value with its interval (or sd over seeds); where there is none, ``missing`` says why.

    Of the ``gallery_images`` that it was measured on, the model was trained or selected on ``leaked_images``.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    text: str = ""
    missing: str = ""
    extrapolated: bool = False
    paper: float | None = None
    leaked_images: int = 0
    gallery_images: int = 0

    def __post_init__(self) -> None:
        if self.value is None and not self.text and not self.missing:
            raise ValueError("a cell without a value says why it is missing")


@dataclass(frozen=True)
class Row:
    """One row: its key, its label, a cell for each column; ``paper_key`` names it in the paper's numbers."""

    key: str
    label: str
    cells: tuple[Cell, ...]
    paper_key: str = ""
    group: str = ""

    def beside(self, *cells: Cell) -> "Row":
        """The row with more cells at its right."""
        return replace(self, cells=(*self.cells, *cells))


@dataclass(frozen=True)
class Table:
    """A named table. ``dataset`` is what ours ran on, ``paper_dataset`` what the paper's values were measured on."""

    name: str
    title: str
    caption: str
    header: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    dataset: str = ""
    paper_table: str = ""
    paper_dataset: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise ValueError(f"{self.name}: row {row.key!r} has {len(row.cells)} cells, not {len(self.columns)}")

    @property
    def has_paper_values(self) -> bool:
        return any(cell.paper is not None for row in self.rows for cell in row.cells)
