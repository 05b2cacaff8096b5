"""The tables and figures that a configuration has: entries of the kinds that ``report`` knows, and what they can show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import Field, create_model

from reranksmart.report.kinds import Entry, Kind, figure_kinds, table_kinds


def _any_of(section: str, kinds: Mapping[str, Kind]) -> Any:
    """An entry of any of the kinds, each with the settings of its own."""
    tagged: dict[str, Any] = {name: (Literal[name], ...) for name in kinds}
    models = [
        create_model(
            f"{section}_{name}",
            __base__=kinds[name].settings,
            __doc__=kinds[name].about,
            kind=tag,
        )
        for name, tag in tagged.items()
    ]
    return Annotated[Union[tuple(models)], Field(discriminator="kind")]  # noqa: UP007


if TYPE_CHECKING:

    class AnyTable(Entry):
        kind: str

    class AnyFigure(Entry):
        kind: str

else:
    AnyTable, AnyFigure = _any_of("table", table_kinds()), _any_of("figure", figure_kinds())


def kind_of(section: str, entry: "AnyTable | AnyFigure") -> Kind:
    """``section``: tables or figures."""
    return (table_kinds() if section == "tables" else figure_kinds())[entry.kind]


def require_shown(keys: Any) -> None:
    """ValueError where there is nothing to show, or where a training set or test set would silently be left out."""
    for section in ("tables", "figures"):
        for name, entry in getattr(keys, section).items():
            path, kind = f"{section}.{name}", kind_of(section, entry)
            if kind.requires and not getattr(keys, kind.requires):
                raise ValueError(
                    f"{path}: kind {entry.kind!r} shows what {kind.requires} asks for, which is empty. Give that key, or "
                    "set this entry to null."
                )
            if hasattr(entry, "experiments"):
                _require_cells(keys, path, entry, kind)
            if kind.check:
                kind.check(keys, path, entry)


def _require_cells(keys: Any, path: str, entry: Any, kind: Kind) -> None:
    for key in ("training_sets", "test_sets"):
        found = list(
            dict.fromkeys(value for name in entry.experiments for value in getattr(keys.experiments[name], key))
        )
        fewest, most = kind.shows.get(key, (1, 1))
        if fewest <= len(found) <= (most or len(found)):
            continue
        where = ", ".join(f"experiments.{name}.{key}" for name in entry.experiments)
        able = f"{fewest}" if most == fewest else f"{fewest} to {most}" if most else f"at least {fewest}"
        raise ValueError(
            f"{where}: {path}, of kind {entry.kind!r}, shows {able}, and {found} are {len(found)}; name as many here, or "
            "write another experiment with an entry of its own"
        )
