"""What every figure shares: a named plot, the look of each system, and files that repeat byte for byte."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reranksmart.files.writing import atomic_path
from reranksmart.report.labels import DIRECTIONS, WAYS, number
from reranksmart.values.frames import Frame, Series

if TYPE_CHECKING:  # kinds are collected while a configuration is read, long before anything is drawn
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
else:
    Artist = Axes = Axis = Figure = Any

FORMATS = ("svg", "pdf", "png")
_UNDATED: Mapping[str, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}
_COARSE_TIMES = (0.01, 0.1, 1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000)
_FINE_TIMES = tuple(unit * step for unit in (0.01, 0.1, 1, 10, 100, 1000) for step in (1, 2, 5)) + tuple(
    60_000 * step for step in (0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)
)


@dataclass(frozen=True)
class Look:
    """Colour (Okabe and Ito 2008), marker and line style of one series."""

    color: str
    marker: str
    linestyle: str | tuple[int, tuple[float, ...]]


LOOKS: Mapping[str, Look] = {
    "be": Look("#0072B2", "o", "-"),
    "joint_be": Look("#56B4E9", "s", (0, (5, 1.5))),
    "sep_coop": Look("#D55E00", "^", "-"),
    "joint_coop": Look("#E69F00", "D", (0, (5, 1.5))),
    "ce": Look("#333333", "X", "-"),
    "joint_ce": Look("#888888", "P", (0, (5, 1.5))),
    "joint_hard_be": Look("#CC79A7", "v", (0, (1, 1))),
    "joint_hard_coop": Look("#009E73", "<", (0, (1, 1))),
}
_OTHERS = tuple(Look(color, marker, ":") for color, marker in (("#009E73", ">"), ("#CC79A7", "h"), ("#8A5A00", "*")))


def look_of(name: str, place: int = 0) -> Look:
    """The look of a system; of an unknown one, the next free look."""
    return LOOKS.get(name, _OTHERS[place % len(_OTHERS)])


@dataclass(frozen=True)
class Plot:
    """A figure with its name (of its files), title and caption."""

    name: str
    title: str
    caption: str
    figure: Figure


@contextmanager
def house_style() -> Iterator[None]:
    """The style file, for making and for saving a figure."""
    import matplotlib as mpl

    with as_file(files("reranksmart.report") / "style.mplstyle") as style, mpl.rc_context(fname=style):
        yield


def new_figure(*, panels: int = 1, width: float = 7.0, height: float = 3.8) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    return figure, list(axes)


def direction_panels(rows: Frame, measure: str, *, xlabel: str) -> tuple[Figure, list[tuple[Axes, Frame]]]:
    """A figure with a panel for each direction, each with its rows of a measure, for which labels and titles stand."""
    figure, panels = new_figure(panels=2, width=8.2, height=3.6)
    found = []
    for axes, direction in zip(panels, WAYS, strict=True):
        axes.set_title(DIRECTIONS[direction])
        axes.set_xlabel(xlabel)
        axes.set_ylabel(f"{measure} (%)")
        found.append((axes, rows[(rows["direction"] == direction) & (rows["measure"] == measure)]))
    return figure, found


def line_with_band(axes: Axes, x: Series, line: Frame, look: Look, label: str) -> None:
    """A series with its interval as a band."""
    low, high = bounds(line)
    axes.plot(x, line["value"], color=look.color, marker=look.marker, linestyle=look.linestyle, label=label, zorder=3)
    axes.fill_between(x, low, high, color=look.color, alpha=0.12, linewidth=0)


def bounds(rows: Frame) -> tuple[Series, Series]:
    """The interval, or the deviation over seeds around the mean; the value itself where there is neither."""
    low = rows["low"].fillna(rows["value"] - rows["sd"]).fillna(rows["value"])
    high = rows["high"].fillna(rows["value"] + rows["sd"]).fillna(rows["value"])
    return low.clip(upper=rows["value"]), high.clip(lower=rows["value"])


def count_ticks(axis: Axis) -> None:
    """A log axis of counts: 1,000, not 10^3."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_formatter(NullFormatter())


def level_ticks(axes: Axes, levels: Sequence[float], text: str) -> None:
    """A log x axis with ticks at these levels alone, written by the format ``text``."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(levels)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text.format(value)))


def time_ticks(axis: Axis) -> None:
    """A log axis of milliseconds with ticks at times that people say: 30 ms, 1 s, 10 min."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = axis.get_view_interval()
    said = _COARSE_TIMES if high > 2000 * low else _FINE_TIMES
    axis.set_major_locator(FixedLocator([time for time in said if low <= time <= high]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, "ms") if value < 60_000 else _minutes(value)))


def _minutes(time_ms: float) -> str:
    minutes = time_ms / 60_000
    return f"{minutes:g} min" if minutes < 60 else f"{minutes / 60:g} h"


def legend(figure: Figure, *panels: Axes, below: bool = False) -> None:
    """One legend for all panels, outside of them, each label once."""
    handles: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    columns = max(1, len(handles)) if below else 1
    place: Any = "outside lower center" if below else "outside right center"
    figure.legend(list(handles.values()), list(handles), loc=place, ncols=columns)


def save_plot(plot: Plot, folder: Path) -> None:
    """Writes ``{name}.svg``, ``.pdf`` and ``.png``, the same bytes each time, and title and caption as ``.txt``."""
    with house_style():
        for suffix in FORMATS:
            with atomic_path(folder / f"{plot.name}.{suffix}") as target:
                plot.figure.savefig(target, format=suffix, metadata=dict(_UNDATED[suffix]))
    with atomic_path(folder / f"{plot.name}.txt") as target:
        target.write_text(f"{plot.title}\n\n{plot.caption}\n", encoding="utf-8")


@dataclass(frozen=True)
class SavedPlot:
    """A plot on disk: its title, caption and the text of its svg."""

    name: str
    title: str
    caption: str
    svg: str


def read_plot(path: Path) -> SavedPlot:
    """What ``save_plot`` wrote; ``path``: its txt."""
    title, _, caption = path.read_text(encoding="utf-8").partition("\n\n")
    return SavedPlot(path.stem, title, caption.strip(), path.with_suffix(".svg").read_text(encoding="utf-8"))
