"""What was found out about a piece of code: what it means without words, and the names that it leads to."""

from dataclasses import dataclass, field

from reranksmart.files.code.modules import Definition, resolve_import


@dataclass
class Meaning:
    """Of some code: ``text``, what it leads to in this package, and the data files beside its module that it names."""

    text: list[str] = field(default_factory=list)
    chains: set[tuple[str, ...]] = field(default_factory=set)
    """Dotted names, as they are written."""
    leads_to: set[Definition] = field(default_factory=set)
    data: set[str] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)
    """Names of its own scope."""
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Of these, the ones imported from this package, as in ``Module.imports``."""
    words: set[str] = field(default_factory=set)
    """Names that stand in words."""
    assigned: "list[tuple[str, Meaning]]" = field(default_factory=list)
    """Assignments to one variable, which are words if the variable is local and only stands in words."""

    @property
    def roots(self) -> set[str]:
        return {chain[0] for chain in self.chains}

    def add(self, other: "Meaning") -> None:
        """Takes up what was found in a part, whose own names stay its own."""
        self.text += other.text
        self.chains |= {chain for chain in other.chains if chain[0] not in other.bound}
        for name, *rest in other.chains:
            if name in other.imported and (target := resolve_import(*other.imported[name], rest)):
                self.leads_to.add(target)
        self.leads_to |= other.leads_to
        self.data |= other.data
        self.words |= other.words - other.bound

    def settle(self, *, keep_all: bool = False) -> None:
        """Takes up the assignments whose variable is more than words; names in the others are words as well."""
        waiting, self.assigned = self.assigned, []
        while waiting:
            loaded, said = self.roots, set(self.words)
            while True:
                more = said.union(*(part.roots for name, part in waiting if name in said and name not in loaded))
                if more == said:
                    break
                said = more
            kept = [pair for pair in waiting if keep_all or pair[0] in loaded or pair[0] not in said]
            if not kept:
                self.words = said
            for _, part in kept:
                self.add(part)
            waiting = [pair for pair in waiting if pair not in kept] if kept else []
