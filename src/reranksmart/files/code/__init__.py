"""The digest of a verb's code: what a rule passes as a parameter, so that what can change a result reruns it.

It is of what the verb really reaches, definition by definition, by the names in the code. A module that is found by its
name only when the verb runs, as a kind's is, must be given: ``kinds``.
"""

import gc
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from reranksmart.files.code.modules import ON_IMPORT, WHOLE, Definition, module
from reranksmart.files.code.reader import is_without_effect, meaning
from reranksmart.files.code.verbs import verbs

_LISTS_OF_FILES = frozenset({"sources.csv"})
"""Of which a job uses some rows; the record of what it fetched has their checksums."""


@cache
def code_digest(verb: str, *kinds: str) -> str:
    """16 hexadecimal digits that change when a result of ``verb`` can; ``kinds`` are the modules of the kinds it uses.

    ValueError where there is no such verb or module.
    """
    roots = [_definition_of(verb), *(Definition(kind, WHOLE) for kind in kinds)]
    with _without_collecting():
        digest = hashlib.sha256()
        for definition in sorted(reached(roots)):
            digest.update(f"{definition.module}:{definition.name} {_own_digest(definition)}\n".encode())
    return digest.hexdigest()[:16]


def reached(roots: Iterable[Definition]) -> set[Definition]:
    """The definitions that these lead to, themselves included, and what their modules do on import."""
    found: set[Definition] = set()
    waiting = list(roots)
    while waiting:
        definition = waiting.pop()
        if definition in found or is_without_effect(definition.module):
            continue
        found.add(definition)
        waiting += [*_next(definition)]
    return found


@cache
def _next(definition: Definition) -> frozenset[Definition]:
    on_import = Definition(definition.module, ON_IMPORT)
    if definition.name == WHOLE:
        return frozenset(
            {on_import, *(Definition(definition.module, name) for name in module(definition.module).pieces)}
        )
    return frozenset({on_import, *meaning(definition).leads_to})


@cache
def _own_digest(definition: Definition) -> str:
    """Of the code of a definition alone, and of the data files that it names."""
    if definition.name == WHOLE:
        return ""
    found, folder = meaning(definition), module(definition.module).folder
    digest = hashlib.sha256("\n".join(found.text).encode())
    for name in sorted(found.data - _LISTS_OF_FILES):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Leaves garbage: looking for some among syntax trees would take longer than reading them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _definition_of(verb: str) -> Definition:
    if verb not in verbs():
        raise ValueError(f"there is no verb {verb!r}; there are {', '.join(verbs())}. Name one of them.")
    return Definition(verbs()[verb].module, verbs()[verb].function)
