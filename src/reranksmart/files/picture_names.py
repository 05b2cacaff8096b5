"""Pictures found by the names that tables give them: in any Unicode form and with either slash."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from posixpath import basename, normpath, splitext

_MOST_COMPARED = 20_000


class PictureNames:
    """The names of files below a folder, by which captions find them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        self._exact = set(self.names)
        self._by_form: dict[str, str] = {}
        self._by_end: dict[str, str] = {}
        for name in self.names:
            form = _form(name)
            self._by_form.setdefault(form, name)
            for key in (basename(form).casefold(), _stem(form)):
                self._by_end.setdefault(key, name)

    def find(self, name: str) -> str | None:
        """The file that ``name`` is another spelling of, or None; a name that leads out of the folder finds none."""
        return name if name in self._exact else self._by_form.get(_form(name))

    def nearest(self, name: str) -> str | None:
        """An existing name for one that is not found: in another folder, with another ending or case, or a letter off."""
        form = _form(name)
        found = self._by_end.get(basename(form).casefold()) or self._by_end.get(_stem(form))
        if found is None and len(self.names) <= _MOST_COMPARED:
            found = next(iter(get_close_matches(form, self.names, n=1)), None)
        return found


def _form(name: str) -> str:
    return normpath(unicodedata.normalize("NFC", name.replace("\\", "/")))


def _stem(form: str) -> str:
    return "stem " + splitext(basename(form))[0].casefold()
